"""The shop's wall clock, which tells no zone (trap 23). Pure.

Once a year an hour comes twice: what was written in it has two instants. The first is meant, unless
a message with a lower number in the same thread was later: then it is the second.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

RESOLUTION = timedelta(microseconds=1)
STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


def instant(text: str | None, zone: ZoneInfo, after: datetime | None = None) -> datetime | None:
    """The instant that *text* names in *zone*, not before *after* where it has two.

    None where it is no date: PrestaShop writes ``0000-00-00 00:00:00`` for none.
    """
    local = wall(text)
    if local is None:
        return None
    try:
        first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError:
        return None
    return second if after is not None and first < after <= second else first


def is_twice(text: str | None, zone: ZoneInfo) -> bool:
    """Whether *text* names two instants."""
    first = instant(text, zone)
    return first is not None and instant(text, zone, first + RESOLUTION) != first


def wall(text: str | None) -> datetime | None:
    """What the shop's clock showed."""
    if text is None or STAMP.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def shown(at: datetime, zone: ZoneInfo) -> str:
    """What the shop's clock shows at *at*."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
