"""This process among others: its number, its liveness lock, and who wakes it.

Lock and wake-ups live on one connection of their own. When it is lost, the number is too, and
another worker may free our leases: the fence drops what we read meanwhile.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from core import store
from core.errors import StoreUnavailable
from core.store import schedules, statement, streams, transaction, wake, workers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from asyncpg import Connection, Record

    from core.metrics import Metrics
    from core.store import Address, Pool

LOOK_EVERY = timedelta(seconds=0.5)
ALONE = timedelta(seconds=5)
"""Between two looks where there is no other worker; one that comes says so."""
CLOCK_EVERY = 5.0
"""Seconds between two looks at the database's clock."""
FAREWELL = 1.0
"""Seconds for handing back; a busy disk takes more than a moment for a commit."""

log = structlog.get_logger()


class Worker:
    """Registered while its connection lives."""

    def __init__(
        self,
        address: Address,
        bells: Mapping[str, asyncio.Event],
        metrics: Metrics,
        changes: wake.Changes | None = None,
    ) -> None:
        self._address = address
        self._bells = bells
        self._changes = changes
        self._metrics = metrics
        self._connection: Connection[Record] | None = None
        self._id: int | None = None
        self._clock: tuple[datetime, float] | None = None

    @property
    def id(self) -> int:
        """Our number.

        Raises:
            StoreUnavailable: we are not registered at this moment.
        """
        if self._id is None or self._connection is None or self._connection.is_closed():
            raise StoreUnavailable("this worker is not registered: its connection was lost")
        return self._id

    async def once(self, pool: Pool, now: datetime) -> datetime:
        """Stay registered, free the leases of workers that are gone, see the database's clock."""
        if self._connection is None or self._connection.is_closed():
            await self.register()
        async with statement(pool) as db:
            others, clock, freed = await workers.look(db, self.id)
            here = clock, monotonic()
            if freed:
                await wake.send(db, "poll")
        if freed:
            self._metrics.leases_taken_over.inc(len(freed))
            log.warning("leases taken over", streams=len(freed))
        await self._compare(pool, here)
        return now + (LOOK_EVERY if others else ALONE)

    async def _compare(self, pool: Pool, here: tuple[datetime, float]) -> None:
        """Pull in what is scheduled where the database's clock was set back since the last look.

        *here* is its instant, with the monotonic seconds of the same moment.
        """
        seen = self._clock
        if seen is not None and here[1] - seen[1] < CLOCK_EVERY:
            return
        if seen is not None and schedules.went_back(here[0] - seen[0], here[1] - seen[1]):
            async with transaction(pool) as db:
                rescheduled = await schedules.pull_in(db)
                await wake.send(db, *wake.LOOPS)
            log.warning("the database's clock was set back", rescheduled=rescheduled)
        self._clock = here

    async def register(self) -> None:
        """Take a number, hear who wakes us, and let the other workers look at each other.

        Raises:
            StoreUnavailable: the database cannot be reached.
        """
        self._id, self._connection = None, await store.connect(self._address, name="replyby worker")
        with store.unavailable():
            self._id = await workers.register(self._connection)
            await wake.listen(self._connection, self._bells, self._changes)
            await wake.send(self._connection, "worker")
        if lost := self._bells.get("worker"):
            self._connection.add_termination_listener(lambda _connection: lost.set())
        for bell in self._bells.values():
            bell.set()
        log.info("worker registered", worker=self._id)

    async def leave(self, pool: Pool) -> None:
        """Hand back what we hold and go; a database that is away finds out by itself."""
        if self._connection is None or self._id is None:
            return
        try:
            async with asyncio.timeout(FAREWELL), transaction(pool) as db:
                freed = await streams.free(db, self._id)
                await workers.leave(db, self._id)
                log.info("worker left", worker=self._id, leases=freed)
        except (StoreUnavailable, TimeoutError):
            log.info("worker left without a word", worker=self._id)
        finally:
            self._connection.terminate()
