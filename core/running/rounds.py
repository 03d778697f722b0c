"""What each loop of the daemon does in a round, and what it remembers for the next one."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from core import deliver, loops, poll, reply, watch
from core.desk import escalating
from core.orders import enriching
from core.outbox import batch
from core.reading import blind, flooding, heartbeat, listen
from core.reading.slots import PATIENCE, Slots
from core.running import (
    disk,
    duty,
    forgetting,
    keeping,
    keying,
    mutes,
    outward,
    purging,
    redating,
    sdnotify,
    signing,
)
from core.running.lookout import Lookout
from core.web.ops import STUCK_AFTER

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from core.connector import Waits
    from core.loops import Bell
    from core.running.state import State

HOUR = timedelta(hours=1)

log = structlog.get_logger()


class Rounds:
    """The rounds of all loops; each works with *state* as it is when it begins.

    *slots* and *lookout* are shared by the loops that read; *telling* is held by the watcher while
    it tells, and the others wait for it.
    """

    def __init__(self, state: State, bells: dict[str, Bell]) -> None:
        self._state = state
        self._bells = bells
        self.slots = Slots(claimed=bells["poll"].set, patience=PATIENCE)
        self.lookout = Lookout(bells["poll"])
        self.telling = loops.Precedence()
        self._unsettled: defaultdict[str, batch.Unsettled] = defaultdict(batch.Unsettled)
        self._looking_since: datetime | None = None
        self._jumps = 0
        self._jumped: datetime | None = None
        self._settled: int | None = None
        self._reviewed: set[str] = set()
        self._pace = forgetting.Pace()
        self._keyed = keying.Place()
        self._heard = heartbeat.Place()
        self._floods = flooding.Place()
        self._outward = outward.Place()
        self._disk = disk.Place()
        self._duty = duty.Place()
        self._walked = keeping.Place()
        self._signing = signing.Signing()

    async def keep(self, now: datetime) -> datetime | None:
        """Stay registered; what systemd hears is that the database answered and loops turn."""
        state = self._state
        again = await state.worker.once(state.pool, now) if state.worker else None
        if not state.pulse.stuck(STUCK_AFTER):
            sdnotify.notify("WATCHDOG=1")
        return again

    async def poll(self, now: datetime) -> datetime | None:
        """Look for something to read, and read it: the lookout says whose turn it is."""
        state = self._state
        try:
            again = await poll.once(
                state.pool,
                state.worker_id,
                state.readers,
                state.rules,
                state.metrics,
                now,
                sure=state.sure(now),
                slots=self.slots,
            )
        except BaseException:
            self.lookout.fails()
            raise
        return self.lookout.ends(loops.utcnow(), again)

    async def watch(self, now: datetime) -> datetime | None:
        state = self._state
        sure, doubts = state.sure(now), state.clock.doubts
        if sure and doubts != self._settled:
            if streams := await watch.rein_in(state.pool, now):
                log.warning("readings dated ahead by a clock that was wrong", streams=streams)
            threads = await watch.take_back(state.pool, state.rules, now)
            self._settled = doubts
            if threads:
                log.warning("breaches told ahead of their time taken back", threads=threads)
        told, again = False, None
        try:
            told, again = await watch.once(state.pool, state.rules, now, sure=sure)
        finally:
            self.telling.hold(held=told)
        return again

    async def tend(self, now: datetime) -> datetime | None:
        state = self._state
        sure = state.sure(now)
        return await watch.tend(state.pool, state.rules, now, self._reviewed, sure=sure)

    async def reply(self, now: datetime) -> datetime | None:
        state = self._state
        return await reply.once(
            state.pool, state.readers, state.rules, state.metrics, now, sure=state.sure(now)
        )

    async def erase(self, now: datetime) -> datetime | None:
        state = self._state
        means = forgetting.Means(state.pool, state.rules, state.metrics, self._erases)
        return await forgetting.once(means, self._pace, now, sure=state.sure(now))

    def _erases(self) -> None:
        """Say that a long round of erasing turns."""
        self._state.pulse.beat("erase")

    async def keys(self, now: datetime) -> datetime | None:
        pool = self._state.pool
        if await keying.describe(pool, self._keyed):
            return loops.utcnow() + keying.REST
        return await keying.once(pool, self._keyed, now)

    async def redate(self, now: datetime) -> datetime | None:
        state = self._state
        return await redating.once(state, now, sure=state.sure(now))

    async def orders(self, now: datetime) -> datetime:
        return await enriching.once(self._state.pool, self._state.readers, now)

    async def blind(self, now: datetime) -> datetime | None:
        state = self._state
        self._looking_since = self._looking_since or now
        state.sure(now)
        if state.clock.jumps != self._jumps:
            self._jumps, self._jumped = state.clock.jumps, now
        return await blind.once(
            state.pool,
            state.rules,
            state.metrics,
            now,
            started=self._looking_since,
            jumped=self._jumped,
        )

    async def heartbeat(self, now: datetime) -> datetime | None:
        state = self._state
        sure = state.settings.push is not None and state.sure(now)
        place = self._heard
        return await heartbeat.once(state.pool, state.rules, state.metrics, place, now, sure=sure)

    async def outward(self, now: datetime) -> datetime | None:
        return await outward.once(self._state, self._outward, now)

    async def disk(self, now: datetime) -> datetime:
        return await disk.once(self._state, self._disk, now)

    async def duty(self, now: datetime) -> datetime:
        return await duty.once(self._state, self._duty, now)

    async def mutes(self, now: datetime) -> datetime | None:
        state = self._state
        return await mutes.once(state.pool, state.notifiers, state.metrics, now)

    async def escalate(self, now: datetime) -> datetime | None:
        state = self._state
        sure = state.sure(now)
        return await escalating.once(state.pool, state.rules, state.notifiers, now, sure=sure)

    async def flood(self, now: datetime) -> datetime | None:
        state = self._state
        return await flooding.once(state.pool, state.rules, self._floods, now)

    async def send(self, name: str, now: datetime) -> datetime | None:
        state = self._state
        notifier = state.notifiers.get(name)
        if notifier is None:
            return None
        return await deliver.once(
            state.pool,
            {name: notifier},
            state.rules,
            state.readers,
            state.metrics,
            now,
            sure=state.sure(now),
            unsettled={name: self._unsettled[name]},
            takes=await self._signing.takes(state),
        )

    async def count(self, now: datetime) -> None:
        await self._state.watched.count.once(self._state.pool, now)

    async def judge(self, now: datetime) -> None:
        """Count how the contracts stand."""
        await self._state.watched.contracts.once(self._state.pool, now)

    async def purge(self, now: datetime) -> datetime | None:
        state = self._state
        kept, sure = state.settings.retention, state.sure(now)
        await purging.once(state.pool, kept, self._walked, state.metrics, now, sure=sure)
        return now + HOUR

    async def hear(
        self, account: str, source: Waits, stop: asyncio.Event, now: datetime
    ) -> datetime:
        ring = self._bells["poll"].set
        return await listen.once(self._state.pool, account, source, stop, now, ring)
