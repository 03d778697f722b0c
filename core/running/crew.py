"""The loops of the daemon, in one task group: started together, stopped together."""

from __future__ import annotations

import asyncio
from functools import partial
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from core import loops, parking, poll
from core.connector import Waits
from core.errors import SchemaMismatch, SettingsError, StoreUnavailable
from core.running import checks, duty, reach, redating, sdnotify, takeover, walls
from core.running.rounds import HOUR, Rounds
from core.running.signals import waited

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Sequence
    from datetime import datetime

    from core.log import Redaction
    from core.loops import Bell
    from core.running.signals import Signals
    from core.running.state import State
    from core.settings import Settings

T = TypeVar("T")

GRACE = 2.5
"""Seconds for rounds to end when we stop; the rest is cancelled."""
PATIENT = 15.0
"""Seconds between two looks of a loop that is woken when there is something to do, and that knows
when what waits is due."""
TENDING = 5.0
"""Seconds between two looks at what deadlines ask for beside telling: less than what lies between
`watch.AHEAD`, when they see that one comes near, and `watch.LEAD`, when it is to be read for it."""
MINUTE = 60.0

log = structlog.get_logger()


class Crew:
    """Everything that turns.

    *load* reads the settings again, with the stand-ins that run; *beside* runs with the loops.
    """

    def __init__(
        self,
        state: State,
        signals: Signals,
        bells: dict[str, Bell],
        load: Callable[[], Settings],
        redaction: Redaction,
        beside: Sequence[asyncio.Task[None]] = (),
    ) -> None:
        self._state = state
        self._signals = signals
        self._bells = bells
        self._rounds = Rounds(state, bells)
        self._load = load
        self._redaction = redaction
        self._beside = beside
        self._delivering: dict[str, asyncio.Event] = {}
        self._listening: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._reloads = 0

    async def work(self) -> None:
        """Turn until asked to stop; what runs beside the loops is cancelled at the end.

        Raises:
            ExceptionGroup: something failed that nobody expected; a supervisor starts us again.
        """
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(_to_its_end(other)) for other in self._beside]
            self._start(group)
            await self._signals.stop.wait()
            sdnotify.notify("STOPPING=1")
            log.info("stopping")
            self._state.watched.stopping = True
            for stop in (*self._delivering.values(), *self._listening.values()):
                stop.set()
            await self._end()
            for task in (*self._tasks, *beside):
                task.cancel()

    async def _end(self) -> None:
        """Let rounds end within the grace, unless there is hurry."""
        hurry = asyncio.create_task(waited(self._signals.hurry))
        ended = asyncio.create_task(_ended(self._tasks))
        await asyncio.wait({hurry, ended}, timeout=GRACE, return_when=asyncio.FIRST_COMPLETED)
        left = sorted(task.get_name() for task in self._tasks)
        hurry.cancel()
        ended.cancel()
        if left:
            log.warning("rounds cut off", loops=left)

    def _start(self, group: asyncio.TaskGroup) -> None:
        state, bell, rounds = self._state, self._bells, self._rounds
        telling = rounds.telling
        rounds.slots.begin = partial(self._add, group, name="poll")
        rounds.slots.places = state.settings.poll.slots * poll.BATCH
        self._loop(group, "worker", rounds.keep, wake=bell["worker"].ear(), tick=PATIENT)
        for _ in range(state.settings.poll.slots):
            self._loop(
                group,
                "poll",
                rounds.poll,
                wake=bell["poll"].ear(),
                tick=MINUTE,
                after=telling,
                gate=rounds.lookout,
            )
        self._loop(group, "watch", rounds.watch, wake=bell["watch"].ear())
        self._loop(group, "tend", rounds.tend, tick=TENDING, after=telling)
        self._loop(group, "reply", rounds.reply, wake=bell["reply"].ear(), tick=PATIENT)
        self._loop(
            group, "erase", rounds.erase, wake=bell["erase"].ear(), tick=PATIENT, after=telling
        )
        self._loop(group, "blind", rounds.blind, tick=MINUTE, after=telling)
        self._loop(group, "heartbeat", rounds.heartbeat, tick=MINUTE, after=telling)
        self._loop(group, "flood", rounds.flood, tick=PATIENT, after=telling)
        self._loop(group, "outward", rounds.outward, tick=MINUTE, after=telling)
        self._loop(group, "disk", rounds.disk, tick=MINUTE, after=telling)
        self._loop(group, "duty", rounds.duty, tick=MINUTE, after=telling)
        self._loop(group, "mutes", rounds.mutes, tick=PATIENT, after=telling)
        ear = bell["escalate"].ear()
        self._loop(group, "escalate", rounds.escalate, wake=ear, tick=PATIENT)
        self._loop(group, "keys", rounds.keys, tick=MINUTE, after=telling)
        self._loop(
            group, redating.LOOP, rounds.redate, wake=bell["redate"].ear(), tick=PATIENT,
            after=telling,
        )  # fmt: skip
        self._loop(group, "orders", rounds.orders, tick=HOUR.total_seconds(), after=telling)
        asked = state.watched.count.asked
        self._loop(group, "count", rounds.count, wake=asked, tick=MINUTE, after=telling)
        self._loop(group, "judge", rounds.judge, tick=PATIENT, after=telling)
        self._loop(group, "purge", rounds.purge, tick=HOUR.total_seconds(), after=telling)
        reload = partial(self._reload, group)
        self._loop(group, "reload", reload, wake=self._signals.reload, tick=MINUTE)
        self._deliver(group)
        self._listen(group)
        lag = loops.measure_lag(self._signals.stop, state.metrics.event_loop_delay)
        self._add(group, lag, "lag")

    def _loop(
        self,
        group: asyncio.TaskGroup,
        name: str,
        once: loops.Once,
        *,
        wake: asyncio.Event | None = None,
        tick: float = loops.TICK,
        stop: asyncio.Event | None = None,
        after: loops.Precedence | None = None,
        gate: loops.Gate | None = None,
    ) -> None:
        turning = loops.every(
            name,
            once,
            stop or self._signals.stop,
            wake=wake,
            tick=tick,
            pulse=self._state.pulse,
            after=after,
            gate=gate,
        )
        self._add(group, turning, name)

    def _add(
        self, group: asyncio.TaskGroup, coroutine: Coroutine[Any, Any, T], name: str
    ) -> asyncio.Task[T]:
        task = group.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _deliver(self, group: asyncio.TaskGroup) -> None:
        """One loop for each notifier, so that a slow one holds up no other."""
        for name in self._state.notifiers.keys() - self._delivering.keys():
            self._delivering[name] = asyncio.Event()
            self._loop(
                group,
                f"deliver {name}",
                partial(self._rounds.send, name),
                wake=self._bells["deliver"].ear(),
                tick=PATIENT,
                stop=self._delivering[name],
                after=self._rounds.telling,
            )
        for name in self._delivering.keys() - self._state.notifiers.keys():
            self._delivering.pop(name).set()

    def _listen(self, group: asyncio.TaskGroup) -> None:
        """One loop for each source that says when it has something new; after a reload all anew."""
        for stop in self._listening.values():
            stop.set()
        self._listening.clear()
        for name, reader in self._state.readers.items():
            if isinstance(reader.connector, Waits):
                stop = self._listening[name] = asyncio.Event()
                hear = partial(self._rounds.hear, name, reader.connector, stop)
                # It turns when something is heard: how long that takes says nothing.
                turning = loops.every(f"listen {name}", hear, stop)
                self._add(group, turning, f"listen {name}")

    async def _reload(self, group: asyncio.TaskGroup, now: datetime) -> None:
        """Take new settings over whole, or keep the old ones and say so."""
        if self._reloads == self._signals.reloads:
            return
        self._reloads = self._signals.reloads
        sdnotify.notify("RELOADING=1", f"MONOTONIC_USEC={monotonic_ns() // 1000}")
        state = self._state
        try:
            settings = self._read_again()
            rules = await takeover.take_over(state.pool, settings, now, sure=state.is_sure())
        except (SettingsError, StoreUnavailable, SchemaMismatch) as fault:
            state.metrics.config_last_reload_successful.set(0)
            log.warning("settings not taken over", complaints=str(fault).splitlines())
        else:
            self._redaction.hide(settings.secrets)
            _warn_of_what_stays(state.settings, settings)
            old = state.settings.accounts
            rules = duty.kept(state.rules, rules)
            state.adopt(settings, rules, now)
            self._bells["poll"].set()  # it may have looked between the two, for the old accounts
            await takeover.read_anew(state.pool, old, settings.accounts, now)
            await parking.abandon(state.pool, state.notifiers, rules, now)
            self._deliver(group)
            self._listen(group)
            heard = await reach.heard(state.pool, settings.routing, now)
            checks.tell(settings, now, [*heard, *await walls.faults(settings)])
            log.info("settings taken over", accounts=len(settings.accounts))
        sdnotify.notify("READY=1")

    def _read_again(self) -> Settings:
        """The settings as they are now; a fault of the program in reading them ends no daemon.

        Raises:
            SettingsError: they cannot be used.
        """
        try:
            return self._load()
        except SettingsError:
            raise
        except Exception as fault:
            log.exception("settings could not be read")
            why = f"{type(fault).__name__}, which nobody expected; the line before says where"
            raise SettingsError([why]) from fault


async def _to_its_end(task: asyncio.Task[None]) -> None:
    """Fail where *task* fails, whoever started it."""
    await task


async def _ended(tasks: Collection[asyncio.Task[Any]]) -> None:
    if tasks:
        await asyncio.wait(tasks)


def _warn_of_what_stays(old: Settings, new: Settings) -> None:
    """Name the sections that only a restart changes."""
    fixed = ("store", "ops", "push", "log", "poll", "otel", "sentry")
    changed = [name for name in fixed if getattr(old, name) != getattr(new, name)]
    if (old.web and old.web.listen) != (new.web and new.web.listen):  # its other keys are followed
        changed.append("web")
    if changed:
        log.warning("restart to change these sections", sections=changed)
