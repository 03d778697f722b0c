"""`now` while something takes time: handed in once, carried on by the monotonic clock."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


def running_from(now: datetime) -> Callable[[], datetime]:
    """What the time is whenever asked, if it is *now* at this moment."""
    began = monotonic()
    return lambda: now + timedelta(seconds=monotonic() - began)
