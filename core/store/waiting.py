"""Waiting for what no loop is told of: another process's lock, pid or file."""

from __future__ import annotations

import asyncio
import math
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


async def until(
    holds: Callable[[], bool],
    seconds: float = math.inf,
    *,
    look_every: float = 0.005,
    say: Callable[[float], None] | None = None,
    say_after: float = 2.0,
) -> bool:
    """Wait until *holds* does, at most *seconds*; return whether it did.

    *say* is given the seconds waited, first after *say_after*, then ever more rarely.
    """
    begun = monotonic()
    while not holds():
        waited = monotonic() - begun
        if waited > seconds:
            return False
        if say is not None and waited > say_after:
            say_after *= 2
            say(waited)
        await asyncio.sleep(look_every)
    return True
