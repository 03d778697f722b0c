"""Walks that found nothing new give their streams back together: one statement, one commit.

Nothing but the row of its stream depends on such a walk, so each row is compared and set by itself:
one that another worker has taken meanwhile is lost alone.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.errors import LeaseLost, StoreUnavailable
from core.store import statement, streams

if TYPE_CHECKING:
    from core.store import Pool
    from core.store.streams import Finished

GATHER = 0.005
"""Seconds that the first of them waits for others."""

Held = frozenset[tuple[str, str]]


class Endings:
    """Where walks of one process meet."""

    def __init__(self) -> None:
        self._together: list[Finished] = []
        self._writing: asyncio.Task[Held | StoreUnavailable] | None = None

    async def finish(self, pool: Pool, finished: Finished) -> None:
        """Give a lease back after a complete walk of which nothing is to be stored.

        Raises:
            LeaseLost: another worker has it.
            StoreUnavailable: the database went away; the stream is read again.
        """
        if self._writing is None:
            self._together = []
            self._writing = asyncio.create_task(self._write(pool, self._together))
        self._together.append(finished)
        held = await asyncio.shield(self._writing)  # who is cancelled takes nobody along
        if isinstance(held, StoreUnavailable):
            raise StoreUnavailable(str(held)) from held
        lease = finished.lease
        if (lease.account, lease.stream) not in held:
            raise LeaseLost(f"{lease.account}/{lease.stream}: another worker reads it")

    async def _write(self, pool: Pool, together: list[Finished]) -> Held | StoreUnavailable:
        """Those that were still held; why nobody knows, where the database went away."""
        await asyncio.sleep(GATHER)
        self._writing = None
        try:
            async with statement(pool) as db:
                return await streams.finish_all(db, together)
        except StoreUnavailable as fault:
            return fault
