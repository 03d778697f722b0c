"""The only `while`, and the only reader of the wall clock: everything else is handed `now`."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

import structlog
from structlog.contextvars import bound_contextvars

from core.errors import ConnectorError, Error, StoreImpaired, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Histogram

T = TypeVar("T")

Once = Callable[[datetime], Awaitable[datetime | None]]

TICK = 1.0
LAG_INTERVAL = 0.25
FIRST_WAIT = 0.5
LONGEST_WAIT = 15.0
AGAIN = 5.0
"""Seconds after which a round that is tried again has probably told whether it works."""
YIELDS = 2.0
"""Seconds in a row that a loop waits for one that goes first, at most."""

STARTED: ContextVar[asyncio.Event | None] = ContextVar("started", default=None)
"""What says that all has started, to what was opened before that; None: it has."""
LONGEST_START = 60.0
"""Seconds for which it is waited for, at most."""

log = structlog.get_logger()


def utcnow() -> datetime:
    """The wall clock's instant, aware and UTC."""
    return datetime.now(UTC)  # noqa: TID251  # the one place that reads it


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but wake at once when asked to stop."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds)):
            await stop.wait()


@contextmanager
def starting() -> Iterator[Callable[[], None]]:
    """Let what is opened inside wait in `started` until what is yielded is called."""
    event = asyncio.Event()
    token = STARTED.set(event)
    try:
        yield event.set
    finally:
        STARTED.reset(token)


async def started() -> None:
    """Wait until all has started, where the caller was opened before that."""
    if (event := STARTED.get()) is not None:
        await pause(event, LONGEST_START)


async def pause_or_wake(stop: asyncio.Event, seconds: float, wake: asyncio.Event) -> None:
    """Sleep, but return at once when asked to stop or when *wake* is set, which is cleared."""
    await _first((stop, wake), seconds)
    wake.clear()


async def _first(signals: Iterable[asyncio.Event], seconds: float) -> None:
    """Wait until one of *signals* is set, *seconds* at most."""
    tasks = [asyncio.ensure_future(signal.wait()) for signal in signals]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Bell(asyncio.Event):
    """Wakes several loops at once; each hears it by an event of its own, and spends that."""

    def __init__(self) -> None:
        super().__init__()
        self._ears: list[asyncio.Event] = []

    def ear(self) -> asyncio.Event:
        """An event for one loop."""
        ear = asyncio.Event()
        self._ears.append(ear)
        return ear

    def set(self) -> None:
        """Wake every loop that has an ear."""
        for ear in self._ears:
            ear.set()


class Precedence:
    """Held by a loop that goes first: others begin no round meanwhile.

    Not for ever, nor for most of the time: after *most* seconds it is free whoever wants to hold
    it, and it stays free for as long as it was held.
    """

    def __init__(self, most: float = YIELDS) -> None:
        self._most = most
        self._free = asyncio.Event()
        self._since: float | None = None
        self._free_until = 0.0

    def hold(self, *, held: bool) -> None:
        """Begin to go first, or let the others go on."""
        now = time.monotonic()
        if self._since is None:
            if held and now >= self._free_until:
                self._since = now
                self._free.clear()
        elif not held or now >= self._since + self._most:
            self._free_until = now + min(now - self._since, self._most)
            self._since = None
            self._free.set()

    async def passed(self, stop: asyncio.Event) -> None:
        """Wait until it is free, or until asked to stop."""
        if self._since is not None:
            left = self._since + self._most - time.monotonic()
            if left > 0:
                await _first((stop, self._free), left)


class Gate(Protocol):
    """Lets one of several loops turn that do the same."""

    def is_on(self, now: datetime) -> bool:
        """Whether the loop that asks turns *now*; no other does so meanwhile."""
        ...

    @property
    def next_turn(self) -> datetime | None:
        """When one of them is to turn again; None while one turns, who will say so."""
        ...


def seconds_until(again: datetime | None, now: datetime, most: float) -> float:
    """How long to sleep until *again*: at most *most*, never less than nothing."""
    if again is None:
        return most
    return min(most, max(0.0, (again - now).total_seconds()))


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row: doubling, spread by a third, bounded."""
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures - 1, 10))
    return longest * random.uniform(2 / 3, 1)  # noqa: S311  # spreads retries, guards nothing


@dataclass(slots=True)
class Pulse:
    """When each loop last turned, or was to wake, in monotonic seconds: what `/livez` asks.

    And what of it `/readyz` asks: whether the database cannot do what the loops want of it. *count*
    is told the reason of every round that broke off. *ended* is when each loop last ended a round
    without fault, or began to turn, in seconds since 1970: what a stuck one shows to others.
    """

    turned: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    count: Callable[[str], None] | None = None
    _impaired: tuple[float, str] = (0.0, "")

    def beat(self, name: str, sleeps: float = 0.0) -> None:
        """Say that loop *name* turned now, and *sleeps* for so many seconds at most."""
        self.turned[name] = time.monotonic() + sleeps

    def forget(self, name: str) -> None:
        """Loop *name* has ended on purpose."""
        self.turned.pop(name, None)
        self.ended.pop(name, None)

    def begins(self, name: str) -> None:
        """Loop *name* begins to turn: of several that do the same, one may have done so before."""
        self.ended.setdefault(name, utcnow().timestamp())

    def passed(self, name: str, now: datetime) -> None:
        """Say that a round of loop *name* has ended *now* without fault."""
        self.ended[name] = now.timestamp()

    def broke(self, fault: Error, wait: float) -> None:
        """Say that a round broke off by *fault*; it is tried again after *wait* seconds."""
        if self.count is not None:
            self.count(fault.reason)
        if isinstance(fault, StoreImpaired):
            until = time.monotonic() + wait + AGAIN
            self._impaired = max(self._impaired, (until, str(fault)))

    def impaired(self) -> str:
        """What the database said when it could not do its work; empty where all has passed since.

        Another loop's success says nothing: not everything needs what is missing.
        """
        until, said = self._impaired
        return said if time.monotonic() < until else ""

    def stuck(self, limit: float) -> list[str]:
        """The loops that have not turned for *limit* seconds, or not since they were to wake."""
        now = time.monotonic()
        return sorted(name for name, at in self.turned.items() if now - at > limit)


@dataclass(slots=True)
class Trouble:
    """Failures of one loop: the first is told, the others are counted; so many came *in_a_row*.

    *begins* and *ends* are the events of the log that tell of them.
    """

    failures: int = 0
    in_a_row: int = 0
    reason: str = ""
    begins: str = "loop waits"
    ends: str = "loop goes on"

    def failed(self, fault: Error, **about: str) -> float:
        """Note one more; how many seconds to wait. The log tells *about* whom."""
        self.failures += 1
        self.in_a_row += 1
        if self.reason != fault.reason:
            self.reason = fault.reason
            log.warning(self.begins, reason=fault.reason, error=str(fault), **about)
        return backoff(self.in_a_row)

    def rested(self) -> None:
        """Nothing was tried: no wait is due, but nobody knows yet whether it works again."""
        self.in_a_row = 0

    def passed(self, **about: str) -> None:
        """Note that it works, again."""
        if self.failures:
            log.info(self.ends, reason=self.reason, failures=self.failures, **about)
            self.failures, self.in_a_row, self.reason = 0, 0, ""


async def every(
    name: str,
    once: Once,
    stop: asyncio.Event,
    *,
    wake: asyncio.Event | None = None,
    tick: float = TICK,
    pulse: Pulse | None = None,
    after: Precedence | None = None,
    gate: Gate | None = None,
) -> None:
    """Run *once* until asked to stop; sleep until the instant that it names, one tick at most.

    A round begins *after* what goes first, and only where its *gate* lets it: of several loops that
    do the same, one may look for all of them.

    A lost database and an account's trouble are waited out, longer each time; any other exception
    ends the loop, for core may not fail quietly.
    """
    trouble = Trouble()
    if pulse is not None:
        pulse.begins(name)
    with bound_contextvars(loop=name):
        while not stop.is_set():
            if pulse is not None:
                pulse.beat(name)
            if after is not None:
                await after.passed(stop)
                if stop.is_set():
                    break
            wait = await _turn(name, once, trouble, tick, pulse, gate)
            if pulse is not None:
                pulse.beat(name, wait)
            if wake is None or trouble.in_a_row:
                await pause(stop, wait)
            else:
                await pause_or_wake(stop, wait, wake)
    if pulse is not None:
        pulse.forget(name)


async def _turn(
    name: str,
    once: Once,
    trouble: Trouble,
    tick: float,
    pulse: Pulse | None,
    gate: Gate | None,
) -> float:
    """One round; how long to sleep after it."""
    now = utcnow()
    if gate is not None and not gate.is_on(now):
        trouble.rested()
        return seconds_until(gate.next_turn, now, tick)
    try:
        again = await once(now)
    except (StoreUnavailable, ConnectorError) as fault:
        wait = trouble.failed(fault)
        if pulse is not None:
            pulse.broke(fault, wait)
        return wait
    trouble.passed()
    ended = utcnow()
    if pulse is not None:
        pulse.passed(name, ended)
    return seconds_until(again, ended, tick)


async def patiently(name: str, act: Callable[[datetime], Awaitable[T]]) -> T:
    """What *act* comes to, tried again while the database is away, until cancelled."""
    trouble = Trouble()
    with bound_contextvars(loop=name):
        while True:
            try:
                done = await act(utcnow())
            except StoreUnavailable as fault:
                await asyncio.sleep(trouble.failed(fault))
            else:
                trouble.passed()
                return done


async def cancelled(task: asyncio.Task[None]) -> None:
    """Cancel *task* and wait for its end; how it ended has been told elsewhere."""
    task.cancel()
    await asyncio.wait([task])


async def measure_lag(stop: asyncio.Event, lag: Histogram) -> None:
    """Observe how late a short timer fires: how long something holds the event loop."""
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        began = loop.time()
        await asyncio.sleep(LAG_INTERVAL)  # a pause that can be cut short costs five times as much
        lag.observe(max(0.0, loop.time() - began - LAG_INTERVAL))
