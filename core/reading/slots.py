"""What the slots of one process share: what they read just now, and how many places are left.

A slot claims a few streams at once and reads them side by side. It does not wait for the slowest
of them: a marketplace that has much to tell, or takes its time, holds one place and no slot.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.errors import StoreUnavailable
from core.ingest import LEASE
from core.reading import walk
from core.reading.ending import Endings
from core.store import statement, streams
from core.timelimit import TimeLimit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from core.store import Pool
    from core.store.streams import Lease

    Read = Callable[[Lease], Awaitable[object]]
    Begin = Callable[[Coroutine[Any, Any, StoreUnavailable | None]], asyncio.Task[Any]]

PATIENCE = 0.5
"""Seconds that a slot waits for walks which it began together: most are over by then."""


def _nothing() -> None:
    """What is done where nobody wants to hear of it."""


@dataclass(slots=True)
class Slots:
    """The streams that are *reading*, how walks end, and the limit of a page's time.

    *forgot*: the database went away in the middle of a word, and may hold leases for us of which
    we do not know, or which nobody reads any more. *failing* is as in `walk.Round`. *claimed* is
    called whenever there may be more to read: something was due, or a place is free again. *places*
    is how many streams are read at once, any number for None; *patience* how many seconds a slot
    waits for its walks, to their end for None; *begin* starts what runs beside.
    """

    reading: set[Lease] = field(default_factory=set)
    forgot: bool = False
    endings: Endings = field(default_factory=Endings)
    limit: TimeLimit = field(default_factory=lambda: TimeLimit(walk.LIMIT))
    failing: set[tuple[str, str]] = field(default_factory=set)
    claimed: Callable[[], None] = field(default=_nothing)
    places: int | None = None
    patience: float | None = None
    begin: Begin = field(default=asyncio.create_task)
    _claiming: int = 0
    _broke: StoreUnavailable | None = None

    def room(self, most: int) -> int:
        """How many streams may be claimed now, *most* at most."""
        if self.places is None:
            return most
        return max(0, min(most, self.places - len(self.reading) - self._claiming))

    async def claim(self, pool: Pool, worker: int, most: int) -> list[Lease]:
        """Claim as `streams.claim`, as many as there is room for.

        What was forgotten is due again, for whoever is first.

        Raises:
            StoreUnavailable: the database went away, also in a walk that nobody waited for.
        """
        if self._broke is not None:
            fault, self._broke = self._broke, None
            raise fault
        room = self.room(most)
        self._claiming += room
        try:
            async with statement(pool) as db:
                if self.forgot:
                    self.forgot = False
                    await streams.free_forgotten(db, worker, self.reading)
                leases = await streams.claim(db, worker, room, LEASE)
            self.reading.update(leases)
        finally:
            self._claiming -= room
        if leases:
            self.claimed()
        return leases

    async def read(self, leases: Sequence[Lease], read: Read) -> None:
        """*read* each of *leases* side by side, as long as our patience lasts.

        Who takes longer goes on by itself; its place is free when it ends.

        Raises:
            StoreUnavailable: the database went away in one of those that have ended.
        """
        if not leases:
            return
        walks = [self.begin(self._to_its_end(read, lease)) for lease in leases]
        try:
            done, late = await asyncio.wait(walks, timeout=self.patience)
        except asyncio.CancelledError:
            for each in walks:
                each.cancel()
            await asyncio.gather(*walks, return_exceptions=True)
            raise
        for each in late:
            each.add_done_callback(self._ended_late)
        for fault in [each.result() for each in done]:
            if fault is not None:
                raise fault

    def _ended_late(self, walk: asyncio.Task[StoreUnavailable | None]) -> None:
        """Free its place; what it broke off by is the next claim's to tell, and to wait out."""
        if not walk.cancelled() and walk.exception() is None:
            self._broke = walk.result() or self._broke
        self.claimed()

    async def _to_its_end(self, read: Read, lease: Lease) -> StoreUnavailable | None:
        try:
            await read(lease)
        except StoreUnavailable as fault:
            self.forgot = True
            return fault
        finally:
            self.reading.discard(lease)
        return None
