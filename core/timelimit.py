"""The same time limit for many things at once, by one timer for all of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

T = TypeVar("T")


class TimeLimit:
    """So many *seconds* for each thing: `asyncio.timeout` without a timer of its own for each.

    As all take equally long at most, who began first is late first. Belongs to one event loop.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until: dict[asyncio.Timeout, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def of(self, work: Awaitable[T]) -> T:
        """What *work* comes to.

        Raises:
            TimeoutError: it did not within the limit, and is cancelled.
        """
        loop = asyncio.get_running_loop()
        limit = asyncio.timeout(None)
        self._until[limit] = until = loop.time() + self.seconds
        if self._timer is None:
            self._timer = loop.call_at(until, self._end, loop)
        try:
            async with limit:
                return await work
        finally:
            self._until.pop(limit, None)

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        """End what is late; wake again for who is next."""
        now, self._timer = loop.time(), None
        while self._until:
            limit, until = next(iter(self._until.items()))
            if until > now:
                self._timer = loop.call_at(until, self._end, loop)
                return
            del self._until[limit]
            limit.reschedule(now)
