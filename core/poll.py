"""Reads what is due: claims streams, walks them, says how it went. Each slot runs `once`."""

from __future__ import annotations

import logging
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bind_contextvars

from core import crash, labels, spans
from core.arrival import aside
from core.errors import (
    BadCredentials,
    BadPayload,
    ConnectorError,
    LeaseLost,
    RateLimited,
    StoreUnavailable,
)
from core.ingest import LEASE
from core.model import HealthState, SetAside
from core.reading import health, look, missed, patience, silence, walk
from core.reading.slots import Slots
from core.reading.walk import Reader, Round, Walk
from core.stopwatch import running_from
from core.store import budget, legible, statement, streams, transaction, wake
from core.together import gathered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from datetime import datetime

    from core.arrival.stored import Stored
    from core.metrics import Metrics
    from core.rules import Rules
    from core.store import Db, Pool
    from core.store.streams import Lease

__all__ = ["Reader", "Slots", "account", "once"]

BATCH = 4
FIRST_RETRY = timedelta(seconds=10)
LAST_RETRY = timedelta(minutes=5)
ELSEWHERE = timedelta(minutes=1)
CUT = 200
SHORTEST = timedelta(milliseconds=10)
"""Until the next look where what is due is locked: by a claim, or by a page that takes long."""
UNASKED = timedelta(minutes=1)
"""Until the next look where all places are taken and none gets free."""

_STATES = {
    RateLimited: HealthState.RATE_LIMITED,
    BadCredentials: HealthState.BAD_CREDENTIALS,
    BadPayload: HealthState.BAD_PAYLOAD,
}

log = structlog.get_logger()


async def once(
    pool: Pool,
    worker: int,
    readers: Mapping[str, Reader],
    rules: Rules,
    metrics: Metrics,
    now: datetime,
    *,
    sure: bool = True,
    batch: int = BATCH,
    slots: Slots | None = None,
) -> datetime:
    """Read at most *batch* due streams, side by side; *readers* by account.

    *slots* is what all slots of a process share; without it they are read to their end.

    Returns:
        When to look again: at once where something was due, else when the next stream is; far off
        where all places are taken, for whoever frees one says so.

    Raises:
        StoreUnavailable: the database went away; what was not stored is read again.
    """
    slots = slots or Slots()
    this = Round(
        pool, rules, metrics, running_from(now), sure, slots.endings, slots.limit, slots.failing
    )
    if not slots.room(batch):
        return this.clock() + UNASKED
    try:
        leases = await slots.claim(pool, worker, batch)
    except StoreUnavailable:
        slots.forgot = True
        raise
    await slots.read(leases, lambda lease: _read(this, lease, readers.get(lease.account)))
    if leases:
        return this.clock()
    async with statement(pool) as db:
        return this.clock() + max(await streams.next_due(db), SHORTEST)


async def account(
    pool: Pool,
    worker: int,
    reader: Reader,
    rules: Rules,
    metrics: Metrics,
    now: datetime,
    *,
    stream: str | None = None,
) -> dict[str, tuple[str, Stored]]:
    """Read the streams of one account now, or one of them, because a person asks for it.

    Returns:
        By stream, how its walk ended (`core.labels.OUTCOMES`) and what was stored;
        streams that another worker is just reading are left out.
    """
    this = Round(pool, rules, metrics, running_from(now), sure=True)
    async with transaction(pool) as db:
        leases = await streams.take(db, worker, reader.account.name, stream, LEASE)
    told = await gathered(_read(this, lease, reader) for lease in leases)
    return {lease.stream: said for lease, said in zip(leases, told, strict=True) if said}


async def _read(this: Round, lease: Lease, reader: Reader | None) -> tuple[str, Stored] | None:
    """Read one stream; its account's trouble stays its own."""
    stream = reader.streams.get(lease.stream) if reader else None
    if reader is None or stream is None:
        async with transaction(this.pool) as db:
            await streams.put_back(db, lease, ELSEWHERE)
        return None
    reading = Walk(lease, reader, stream, began := this.clock())
    bind_contextvars(account=lease.account, stream=lease.stream)  # ends with this walk's own task
    with spans.of("poll", account=lease.account, stream=lease.stream) as span:
        with this.metrics.polling.one(began):
            outcome = await _outcome(this, reading)
        span.put(outcome=outcome, pages=reading.pages)
    marketplace = reader.account.marketplace
    this.metrics.polls.labels(marketplace, lease.account, outcome).inc()
    this.metrics.poll_duration.labels(marketplace).observe(reading.seconds)
    return outcome, reading.stored


async def _outcome(this: Round, reading: Walk) -> str:
    """Walk and settle; the label of how it ended."""
    try:
        fault = await _fault(walk.read(this, reading))
        if fault is None:
            await _passed(this, reading)
            return "partial" if reading.stored.aside else "success"
        await _failed(this, reading, fault)
    except LeaseLost as lost:
        this.metrics.leases_lost.labels(reading.reader.account.marketplace).inc()
        log.warning("lease lost", pages=reading.pages)
        return labels.outcome(lost)
    return labels.outcome(fault)


async def _fault(reading: Awaitable[None]) -> ConnectorError | None:
    """What broke *reading* off; a connector's bug is an answer that it could not read."""
    try:
        await reading
    except ConnectorError as fault:
        return fault
    except (LeaseLost, StoreUnavailable):
        raise
    except Exception as bug:  # noqa: BLE001  # one account's connector may not end the daemon
        where = crash.places(bug)
        log.error("reading crashed", error=type(bug).__name__, trace=where)  # noqa: TRY400  # its text may quote a buyer
        return BadPayload(f"crashed: {type(bug).__name__}")
    return None


async def _passed(this: Round, reading: Walk) -> None:
    lease = reading.lease
    this.failing.discard((lease.account, lease.stream))
    if lease.health not in {HealthState.OK, HealthState.STARTING}:
        log.info("reading recovered", was=lease.health.value)
    _say(reading)
    if lease.unsettled or lease.health is HealthState.BAD_CREDENTIALS:
        await health.settle(this.pool, this.rules, lease, this.clock(), well=True)
    await silence.after(this, reading)
    await missed.after(this, reading)
    await _fault(look.after(this, reading))


def _say(reading: Walk) -> None:
    """One line of a walk; of one that found nothing only where such lines are kept."""
    stored = reading.stored
    news = stored.received or stored.sent or stored.changed
    if news or logging.getLogger().isEnabledFor(logging.DEBUG):
        say = log.info if news else log.debug
        say(
            "polled",
            new=stored.received + stored.sent,
            changed=stored.changed,
            pages=reading.pages,
            seconds=round(reading.seconds, 3),
        )


async def _failed(this: Round, reading: Walk, fault: ConnectorError) -> None:
    lease, now, error = reading.lease, this.clock(), legible(str(fault), CUT)
    if isinstance(fault, BadCredentials) and reading.reader.replaced.is_set():
        async with transaction(
            this.pool
        ) as db:  # the key was the old settings': the new one's turn
            await streams.put_back(db, lease, timedelta(0))
            await wake.send(db, "poll")
        return
    state = _state_after(fault)
    wait = wait_after(fault, lease.failures, reading.stream.every)
    async with transaction(this.pool) as db:
        await streams.fail(db, lease, state, error, now, wait)
        if isinstance(fault, RateLimited) and not reading.stream.limited_alone:
            await _defer(db, this, reading, wait)
        if isinstance(fault, BadPayload):
            await _set_aside(db, this, reading, fault)
    stream = (lease.account, lease.stream)
    say = log.debug if state is lease.health and stream in this.failing else log.warning
    this.failing.add(stream)
    say("reading failed", health=state.value, error=error, wait=wait.total_seconds())
    if state is HealthState.BAD_CREDENTIALS and state is not lease.health:
        await health.settle(this.pool, this.rules, lease, now, well=False)


def _state_after(fault: ConnectorError) -> HealthState:
    if isinstance(fault, BadCredentials) and fault.alone:
        return HealthState.FORBIDDEN
    return _STATES.get(type(fault), HealthState.UNREACHABLE)


def wait_after(fault: ConnectorError, failures: int, every: timedelta) -> timedelta:
    """How long a stream is left alone after *fault*, when *failures* came just before it.

    As long as the marketplace asks for, an hour at most; a refused key is tried rarely; else
    doubling from seconds to some minutes (a rare stream: to its own interval), spread by a third.
    """
    if isinstance(fault, RateLimited) and fault.retry_after is not None:
        return min(
            max(timedelta(seconds=fault.retry_after), timedelta(seconds=1)), patience.LONGEST_WAIT
        )
    if isinstance(fault, BadCredentials):
        return health.retry_after(failures)
    longest = min(FIRST_RETRY, every) * 2.0 ** min(failures, 16)
    spread = random.uniform(2 / 3, 1)  # noqa: S311  # spreads retries, guards nothing
    return min(longest, max(every, LAST_RETRY)) * spread


async def _defer(db: Db, this: Round, reading: Walk, wait: timedelta) -> None:
    key, marketplace = reading.reader.budget, reading.reader.account.marketplace
    await budget.defer(db, key, wait)
    this.metrics.rate_limited(marketplace, key, wait.total_seconds())


async def _set_aside(db: Db, this: Round, reading: Walk, fault: BadPayload) -> None:
    lease, item = reading.lease, SetAside("page", str(fault), fault.raw)
    await aside.keep(db, this.rules, lease.account, lease.stream, [item], this.clock())
    this.metrics.payloads_quarantined.labels(reading.reader.account.marketplace, "page").inc()
