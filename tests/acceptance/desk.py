"""People who answer here: through the queue in the database, as `replyby reply` and a page do."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from core import store
from core.desk import answering
from core.errors import Mistaken, StoreUnavailable
from core.loops import utcnow
from core.store import migrate
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.acceptance.traffic import Traffic


@dataclass(slots=True, eq=False, repr=False)
class Desk:
    """Somebody answers every *pause* seconds, each answer once and in words of its own.

    *queued* are the answers that were queued for certain, *doubtful* those whose queueing was cut
    off. Its methods run in the loop of *traffic*.
    """

    traffic: Traffic
    address: Callable[[], Mapping[str, Any]]
    pause: float = 0.3
    random: Random = field(default_factory=lambda: Random(0))
    queued: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    _number: int = 0
    _going: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._going = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        if self._going is not None:
            going, self._going = self._going, None
            going.cancel()
            await asyncio.wait([going])
            if not going.cancelled():
                going.result()

    def words(self) -> str:
        """An answer that nobody gave before."""
        self._number += 1
        return f"Answer number {self._number} of the desk: it leaves the house today."

    async def waiting(self) -> tuple[str, str] | None:
        """Account and thread of a buyer who waits, mostly one of the last."""
        waiting = await self.traffic.waiting()
        threads = [thread for thread in self.traffic.threads if thread.id in waiting][-8:]
        thread = self.random.choice(threads) if threads else None
        return (thread.shop.operator.name, thread.id) if thread else None

    async def answer(self) -> None:
        """Queue an answer, unless the database is away or does not know the thread yet."""
        if (where := await self.waiting()) is None:
            return
        text = self.words()
        self.doubtful.add(text)
        with suppress(OSError, StoreUnavailable):
            await self._queue(*where, text)

    async def _queue(self, account: str, thread: str, text: str) -> None:
        db = await store.connect(self.address(), name="desk")
        try:
            with store.unavailable():
                if await migrate.pending(db):  # a kill left it half made: no command writes into it
                    return
                async with db.transaction():
                    await answering.queue(db, account, thread, text, {Party.BUYER}, utcnow())
            self.queued.add(text)
        except Mistaken:
            pass  # it is not stored yet
        else:
            self.doubtful.discard(text)
        finally:
            db.terminate()

    async def _go_on(self) -> None:
        while True:
            await self.answer()
            await asyncio.sleep(self.pause * self.random.uniform(0.5, 1.5))
