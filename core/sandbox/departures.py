"""What a stand-in sends later: each thing at its instant, by the stand-in's own clock."""

from __future__ import annotations

import asyncio
import heapq
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime

T = TypeVar("T")

SHORTEST_NAP, LONGEST_NAP = 0.01, 0.2
"""Seconds between two looks at a clock that may be moved."""


class Due(NamedTuple, Generic[T]):
    """What leaves *at*; *number* keeps the order of those at one instant."""

    at: datetime
    number: int
    what: T


@dataclass(slots=True)
class Departures(Generic[T]):
    """What has not left yet; each leaves by *deliver*, beside the others.

    While *is_held* says so nothing leaves.
    """

    clock: Callable[[], datetime]
    is_held: Callable[[], bool]
    deliver: Callable[[T], Awaitable[None]]
    _due: list[Due[T]] = field(default_factory=list)
    _count: int = 0
    _under_way: set[asyncio.Future[None]] = field(default_factory=set)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def __len__(self) -> int:
        return len(self._due)

    def put(self, at: datetime, what: T) -> None:
        """Let *what* leave *at*."""
        self._count += 1
        heapq.heappush(self._due, Due(at, self._count, what))
        self._news.set()

    async def settle(self) -> None:
        """Let leave what is due; return when nothing is under way any more."""
        self._leave()
        while self._under_way:
            await asyncio.wait(self._under_way)

    @asynccontextmanager
    async def leaving(self) -> AsyncIterator[None]:
        """Let everything leave in its time, until left."""
        running = asyncio.create_task(self._run(), name="sandbox-departures")
        try:
            yield
        finally:
            for task in (running, *self._under_way):
                task.cancel()
            await asyncio.wait([running, *self._under_way])

    def _leave(self) -> None:
        now = self.clock()
        while not self.is_held() and self._due and self._due[0].at <= now:
            task = asyncio.ensure_future(self.deliver(heapq.heappop(self._due).what))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _run(self) -> None:
        while True:
            self._news.clear()
            self._leave()
            try:
                async with asyncio.timeout(self._nap()):
                    await self._news.wait()
            except TimeoutError:
                continue

    def _nap(self) -> float:
        if not self._due or self.is_held():
            return LONGEST_NAP
        ahead = (self._due[0].at - self.clock()) / timedelta(seconds=1)
        return min(max(ahead, SHORTEST_NAP), LONGEST_NAP)
