"""Floods: far more comes to an account than it is used to, as when a robot fills in its form.

All of it is stored, and each message has its clock: some may be a buyer's. One notice says so. What
is told of these clocks later leaves together, and apart from what others are told
(`core.store.digests`). What was merely written long ago and is read now is no flood.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from core import keys
from core.model import Notice, NoticeKind
from core.store import floods, notices, statement, transaction

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.rules import Rules
    from core.store import Db, Pool
    from core.store.floods import Flood

LOOK_EVERY = timedelta(seconds=15)
MINUTE, WEEK = timedelta(minutes=1), timedelta(weeks=1)
WINDOW = 10 * MINUTE
FEWEST = 100
"""So many messages within `WINDOW` are a flood at least, however quiet the account is."""
TIMES = 10
"""So many times what comes in the busiest hour of its week."""
LEARNT_FROM = 4 * WEEK
JUST_BEFORE = timedelta(microseconds=1)
OVER_AFTER = 30 * MINUTE
"""So long less than `FEWEST` came in all: it is over."""
TOLD_AFTER = 5 * MINUTE
"""It is told once nothing more comes between two looks, so that it says how many came; and after
this time whatever comes."""

log = structlog.get_logger()

Sample = tuple["datetime", "Mapping[str, int]"]


@dataclass(slots=True)
class Place:
    """What one process remembers: how many clocks had started, minute by minute, and told floods.

    *known* are such numbers of which it is known that they were no flood; *last* are those of the
    last look. All of it can be lost.
    """

    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=OVER_AFTER // MINUTE + 2))
    known: dict[str, int] = field(default_factory=dict)
    last: Mapping[str, int] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)


def is_flood(written: int, usual: float) -> bool:
    """Whether so many messages of ten minutes are a flood, where the busiest have so many."""
    return written >= max(FEWEST, TIMES * usual)


def usual(busiest: int, learnt_for: timedelta) -> float:
    """How many messages ten minutes bring, of an hour of the week that had so many in that time."""
    return busiest / max(1.0, learnt_for / WEEK) * (WINDOW / timedelta(hours=1))


async def once(pool: Pool, rules: Rules, place: Place, now: datetime) -> datetime:
    """Find floods that begin, tell of them, and see when they are over.

    Returns:
        When to look again.
    """
    async with statement(pool) as db:
        started = await floods.started(db)
    async with statement(pool) as db:
        going = await floods.go_on(db)
    _sample(place, started, now)
    before = next((of for at, of in place.samples if at >= now - WINDOW), started)
    flooded = {flood.account for flood in going}
    for account in rules.accounts.keys() - flooded:
        known = max(before.get(account, 0), place.known.get(account, 0))
        if started.get(account, 0) - known >= FEWEST:
            await _begin(pool, place, account, started[account], now)
    for flood in going:
        if flood.account in rules.accounts:
            await _go_on(pool, rules, place, flood, started, now)
    place.last = started
    return now + LOOK_EVERY


def _sample(place: Place, started: Mapping[str, int], now: datetime) -> None:
    """Keep the numbers of each minute; those of a clock that ran ahead are dropped."""
    while place.samples and place.samples[-1][0] > now:
        place.samples.pop()
    if not place.samples or now - place.samples[-1][0] >= MINUTE:
        place.samples.append((now, started))


async def _begin(pool: Pool, place: Place, account: str, started: int, now: datetime) -> None:
    """Look at what was really written of late, and compare it with what is usual."""
    begin = now - WINDOW
    async with transaction(pool) as db:
        n, since = await floods.written(db, account, begin, now)
        if since is None or not await _is_beyond(db, account, n, begin):
            place.known[account] = started
            return
        if await floods.begin(db, account, since):
            log.warning("flooded", account=account, since=since.isoformat(), messages=n)


async def _is_beyond(db: Db, account: str, written: int, begin: datetime) -> bool:
    """Whether so many since *begin* are a flood; what is usual is asked only where they may be."""
    if not is_flood(written, 0.0):
        return False
    busiest, first = await floods.busiest(db, account, begin - LEARNT_FROM, begin)
    return is_flood(written, usual(busiest, begin - (first or begin)))


async def _go_on(
    pool: Pool,
    rules: Rules,
    place: Place,
    flood: Flood,
    started: Mapping[str, int],
    now: datetime,
) -> None:
    account, n = flood.account, started.get(flood.account, 0)
    key = keys.account(account, NoticeKind.FLOODED, flood.since)
    rests = place.last.get(account) == n
    if key not in place.told and (rests or now - flood.since >= TOLD_AFTER):
        async with transaction(pool) as db:
            written, _ = await floods.written(db, account, flood.since - JUST_BEFORE, now)
            await notices.raise_(db, rules, [_notice(flood, key, written, now)])
        place.told.add(key)
    at, before = place.samples[0]
    if now - at >= OVER_AFTER and n - before.get(account, 0) < FEWEST:
        async with transaction(pool) as db:
            await floods.end(db, flood, _last_grown(place, account, n, now))
        log.info("flood is over", account=account, since=flood.since.isoformat())


def _last_grown(place: Place, account: str, n: int, now: datetime) -> datetime:
    """The first minute from which on no more came."""
    return next((at for at, of in place.samples if of.get(account, 0) >= n), now)


def _notice(flood: Flood, key: str, written: int, now: datetime) -> Notice:
    facts = (("since", flood.since.isoformat()), ("n", written))
    return Notice(key, NoticeKind.FLOODED, flood.account, now, facts=facts)
