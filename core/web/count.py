"""Counts the running clocks for whoever looks: at once where that is quick, else now and then.

It is the one question here whose cost grows with the clocks. So it has a loop of its own, which
turns only when somebody looks and then rests nine times as long as it took. Who looks waits for a
quick count; where it is known to be none, they are shown what was counted last, and when.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from core import loops
from core.measuring.facts import Counted
from core.store import statement, stats

if TYPE_CHECKING:
    from datetime import datetime

    from core.store import Pool

PATIENCE = 1.0
"""Seconds that whoever looks waits for a count."""
REST = 9.0
"""Times that a count took, before the next may begin: a tenth of the time is spent with it."""


def patience(took: float) -> float:
    """How long to wait for a count when the last one *took* so many seconds."""
    return PATIENCE if took <= PATIENCE else 0.0


class Count:
    """What was counted last. *asked* wakes the loop that turns `once`."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self._last = Counted()
        self._coming: asyncio.Event | None = None
        self._took = 0.0
        self._rests_until = 0.0

    async def latest(self) -> Counted:
        """The running clocks as they are now where that is quick to say, else as counted last."""
        if self._coming is None and monotonic() >= self._rests_until:
            self._coming = asyncio.Event()
            self.asked.set()
        if self._coming is not None:
            await loops.pause(self._coming, patience(self._took))
        return self._last

    async def once(self, pool: Pool, now: datetime) -> None:
        """Count, if somebody has asked.

        Raises:
            StoreUnavailable: the database did not say; what was counted last stands.
        """
        if self._coming is None:
            return
        began = monotonic()
        try:
            async with statement(pool) as db:
                self._last = await stats.clocks(db, now)
        finally:
            self._took = monotonic() - began
            self._rests_until = monotonic() + REST * self._took
            self._coming.set()
            self._coming = None
