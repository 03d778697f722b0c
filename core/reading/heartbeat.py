"""The heartbeat of accounts that are pushed: silence beyond their usual rate is told.

What was pushed, and when anybody listened, is stored; so a restart forgets nothing, and the time in
which no process listened is no silence. Each look judges what `core.arrival.rhythm` says of every
such account. Two processes look at the same; who finds a silence first tells it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import structlog

from core.arrival import hearing, rhythm
from core.errors import StoreUnavailable
from core.reading.arrivals import zone_of
from core.store import heartbeats, statement, transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from core.arrival.rhythm import Rhythm, Week
    from core.metrics import Metrics
    from core.model import Account
    from core.rules import Rules
    from core.store import Db, Pool
    from core.store.heartbeats import Last
    from sla.policy import Policy

LOOK_EVERY = timedelta(minutes=1)
STALLED = timedelta(minutes=2, seconds=30)
"""Between two looks: whoever did not turn for so long may not have listened either."""
KEPT = timedelta(weeks=20)
"""So long it is remembered: what silence is learnt from, and as long as it may last."""
AHEAD = timedelta(days=1)

log = structlog.get_logger()


class Beat(NamedTuple):
    """How the pushes about an account stand.

    *since* is when the last one came, None: none ever; *silent_from* is when silence is told, None:
    never, for nobody knows what is usual; *a_day* is how many slots of five minutes usually have
    one, None where that is not known; *told*: it is told that none arrive, for their silence.
    """

    since: datetime | None
    silent_from: datetime | None
    a_day: float | None
    told: bool


@dataclass(slots=True)
class Place:
    """What one process remembers: since when it *listens*, and how far that is *marked*.

    *turned* is its last look. *learnt* stands by account, with the day to whose begin it was
    learnt; *foreseen* are the ends of allowed silences, by what they depend on. All of it can be
    lost.
    """

    listens: datetime | None = None
    turned: datetime | None = None
    marked: datetime | None = None
    learnt: dict[str, tuple[date, Rhythm]] = field(default_factory=dict)
    foreseen: dict[str, tuple[object, datetime | None]] = field(default_factory=dict)


async def once(
    pool: Pool, rules: Rules, metrics: Metrics, place: Place, now: datetime, *, sure: bool = True
) -> datetime:
    """Mark that we listen, tell which accounts have fallen silent, export when others will be.

    Without *sure* (the host's clock is not believed) nobody knows when anything was.

    Returns:
        When to look again.
    """
    place.listens = _listens(place, now) if sure else None
    place.turned = now
    if place.listens is None or place.marked == rhythm.floor(now):
        return now + LOOK_EVERY
    try:
        await _mark(pool, place, now)
        receiving = {name: one for name, one in rules.accounts.items() if one.receives}
        beats = await look(pool, receiving, rules.policies, place, now)
        for last, beat in beats.values():
            if beat.silent_from is not None and beat.silent_from <= now and not beat.told:
                await _tell(pool, rules, last, beat, now)
    except StoreUnavailable:
        place.listens = None  # what is pushed meanwhile is not stored
        raise
    metrics.push_silent_from.show(
        {name: _instant(beat.silent_from) for name, (_, beat) in beats.items()}
    )
    place.marked = rhythm.floor(now)
    return now + LOOK_EVERY


def _listens(place: Place, now: datetime) -> datetime:
    """Since when we listen without a break, as far as can be told."""
    if place.listens is None or place.turned is None:
        return now
    is_whole = timedelta(0) <= now - place.turned <= STALLED
    return place.listens if is_whole else now


async def _mark(pool: Pool, place: Place, now: datetime) -> None:
    """Write down the slots in which we listened all the time, and were not marked yet."""
    begin = max(filter(None, (place.listens, place.marked)), default=now)
    if slots := rhythm.masks(begin, now):
        async with statement(pool) as db:
            await heartbeats.listened(db, slots)


async def look(
    pool: Pool,
    accounts: Mapping[str, Account],
    policies: Mapping[str, Iterable[Policy]],
    place: Place,
    now: datetime,
) -> dict[str, tuple[Last, Beat]]:
    """How the pushes about these *accounts* stand, as far as they are read."""
    async with statement(pool) as db:
        listened = await heartbeats.all_listened(db, now - KEPT, now)
    async with statement(pool) as db:
        known = await heartbeats.last(db, list(accounts), now)
    beats: dict[str, tuple[Last, Beat]] = {}
    for last in known:
        account, week = accounts[last.account], week_of(policies.get(last.account, ()))
        async with statement(pool) as db:
            beats[last.account] = last, await _beat(db, account, last, listened, week, place, now)
        await asyncio.sleep(0)  # what is computed of one account holds up nobody
    return beats


def week_of(policies: Iterable[Policy]) -> Week:
    """How an account's week goes, as the calendars of its promises say: zone, and holidays."""
    calendars = [policy.calendar for policy in policies]
    closed = [day for c in calendars for day, spans in c.exceptions.items() if not spans]
    holidays = frozenset[date]().union(*(c.holidays for c in calendars))
    return rhythm.Week(zone_of(calendars), holidays.union(closed), is_told=bool(holidays))


async def _beat(
    db: Db,
    account: Account,
    last: Last,
    listened: Mapping[datetime, int],
    week: Week,
    place: Place,
    now: datetime,
) -> Beat:
    since, told = _since(last, now), last.quiet_since is not None
    if since is None and account.silence is None:
        return Beat(None, None, None, told)
    begin = max(filter(None, (since, last.monitored_since)))
    usual = await _learnt(db, last.account, begin, listened, week, place) if since else None
    known = usual if usual is not None and usual.is_known else None
    if known is None and account.silence is None:
        return Beat(since, None, None, told)
    missing = 0 if told else _unlistened(begin, listened, now)
    depends = (begin, missing, account.silence, week, known)
    before = place.foreseen.get(last.account)
    if before is None or before[0] != depends:
        at = _silent_from(account, known, week, begin, listened, now)
        place.foreseen[last.account] = before = depends, at
    return Beat(since, before[1], known.a_week / 7 if known else None, told)


def _since(last: Last, now: datetime) -> datetime | None:
    """When the last push came; one from ahead of *now* came by a clock that ran ahead."""
    found = [last.last_at] if last.last_at is not None and last.last_at <= now else []
    if last.hour is not None and last.slots:
        at = last.hour + (last.slots.bit_length() - 1) * rhythm.SLOT
        found += [at] if at <= now else []
    return max(found, default=None)


async def _learnt(
    db: Db,
    account: str,
    until: datetime,
    listened: Mapping[datetime, int],
    week: Week,
    place: Place,
) -> Rhythm:
    """What is usual for it, to the begin of the day of its last push: learnt once a day."""
    day = until.date()
    known = place.learnt.get(account)
    if known is None or known[0] != day:
        end = rhythm.floor(until, rhythm.DAY)
        heard = await heartbeats.heard(db, account, end - rhythm.LEARNT_FROM, end)
        place.learnt[account] = known = day, rhythm.learnt(heard, listened, week, end)
    return known[1]


def _unlistened(begin: datetime, listened: Mapping[datetime, int], now: datetime) -> int:
    """In how many slots since *begin* nobody listened: the rest is as it was foreseen."""
    slots = rhythm.masks(begin, now)
    return sum((mask & ~listened.get(hour, 0)).bit_count() for hour, mask in slots.items())


def _silent_from(
    account: Account,
    usual: Rhythm | None,
    week: Week,
    begin: datetime,
    listened: Mapping[datetime, int],
    now: datetime,
) -> datetime | None:
    if account.silence is not None:
        return rhythm.allowed_until(account.silence, begin, listened, now)
    return None if usual is None else rhythm.silent_from(usual, week, begin, listened, now)


async def _tell(pool: Pool, rules: Rules, last: Last, beat: Beat, now: datetime) -> None:
    """Tell that the account has fallen silent, unless something came, or another has told it."""
    account = rules.accounts[last.account]
    limit = account.silence.total_seconds() if account.silence is not None else None
    facts: hearing.Facts = (
        ("usual", round(beat.a_day, 2) if beat.a_day is not None else None),
        ("limit", limit),
    )
    since = beat.since or last.monitored_since
    async with transaction(pool) as db:
        await hearing.quiet(db, rules, last.account, last.last_at, since, facts, now)
    log.warning("pushes fell silent", account=last.account, since=since.isoformat())


def _instant(at: datetime | None) -> float:
    return inf if at is None else at.timestamp()


async def purge(db: Db, now: datetime) -> int:
    """Forget what is too old to say anything, or was left by a clock that ran ahead; how many."""
    return await heartbeats.purge(db, now - KEPT, now + AHEAD)
