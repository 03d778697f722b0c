"""Watch the clocks: tell steps that have passed, count breaches that reading has confirmed.

To tell is urgent and by itself (`once`); whatever else a deadline asks for has seconds' time and
a loop of its own (`tend`), so that it holds up no notice.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from core import ingest, keys
from core.model import Notice, NoticeKind
from core.routing import Subject, told_from
from core.stopwatch import running_from
from core.store import (
    escalations,
    languages,
    notices,
    sight,
    statement,
    steps,
    streams,
    tally,
    transaction,
    wake,
)
from core.store.escalations import Begun
from core.together import gathered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from core.connector import Credential
    from core.routing import Aim, Routing
    from core.rules import Rules
    from core.store import Db, Pool
    from core.store.steps import Told
    from sla.policy import Policy

MANY = 25
"""So many due at once are a flood: batches then follow each other without a pause."""
SIDE_BY_SIDE = 2
"""Batches at once in a flood: the database works on one, we on the other."""
FLOOD = timedelta(seconds=1)
"""After so long a flood looks up: is the host's clock still believed, are we to stop?"""
PAUSE = timedelta(milliseconds=5)
"""Between two looks while steps follow each other closely: what passes is told together."""

AHEAD = timedelta(seconds=15)
LEAD = timedelta(seconds=5)
LOCKED = timedelta(milliseconds=20)
JUST_AFTER = timedelta(microseconds=1)

EXPIRY_STEPS = (timedelta(days=30), timedelta(days=7), timedelta(days=1), timedelta(0))
"""So long before the end of a key it is told, and once more when it has ended."""


class Look(NamedTuple):
    """What a look came to: whether it found a step to tell, and when to look again.

    *again* is at once while there is more, else just after the next step; None while no clock has
    one.
    """

    told: bool
    again: datetime | None


async def once(pool: Pool, rules: Rules, now: datetime, *, sure: bool = True) -> Look:
    """Tell every step that has passed.

    Without *sure* (the host's clock is not believed) no breach is told; warnings go on.
    """
    async with statement(pool) as db:
        first = await steps.next_alert(db, sure=sure)
    if first is None or first >= now:
        return Look(told=False, again=_again(first, now))
    told, again = await _tell(pool, rules, now, sure=sure)
    if told < MANY:
        return Look(told > 0, again)
    await _flood(pool, rules, now, sure=sure)
    return Look(told=True, again=now)


async def tend(
    pool: Pool, rules: Rules, now: datetime, reviewed: set[str], *, sure: bool = True
) -> datetime | None:
    """Count told breaches that reading has confirmed, read ahead of deadlines, tell of dates.

    Dates are those of promises to be reviewed, and of keys that end. Without *sure* no breach is
    counted. *reviewed* is for this function alone to read and write: the keys of such notices that
    are known to have been told, so that the database is asked once.

    Returns:
        At once while there is more to count; None: whenever you like, long before `AHEAD` has
        become `LEAD`.
    """
    async with statement(pool) as db:
        countable = sure and await steps.is_countable(db, now)
        soon = await steps.soon(db, now, AHEAD)
    if countable:
        async with transaction(pool) as db:
            if await _count(db, now) == steps.BATCH:
                return now
    known = [*reviews(rules, now), *expiries(rules, now)]
    due = [notice for notice in known if notice.key not in reviewed]
    if soon or due:
        async with transaction(pool) as db:
            await _read_ahead(db, soon, now)
            await _review(db, rules, due)
        reviewed.update(notice.key for notice in due)
    return None


async def rein_in(pool: Pool, now: datetime) -> int:
    """Date readings no later than *now*, which the host's clock dated while it ran ahead.

    Else what they date looks read until then, however blind it is. Called as `take_back` is.

    Returns:
        Of how many streams.
    """
    async with transaction(pool) as db:
        return await sight.rein_in(db, now)


async def take_back(pool: Pool, rules: Rules, now: datetime) -> int:
    """Take breaches back that were told or counted while the host's clock ran ahead.

    To be called once it is believed (again): at the start, and after every doubt.

    Returns:
        In how many threads one was.
    """
    async with transaction(pool) as db:
        found = await steps.told_ahead(db, now)
    ours = {account: threads for account, threads in found.items() if account in rules.accounts}
    for account, threads in ours.items():
        await ingest.recompute_all(pool, rules, account, threads, now)
    return sum(map(len, ours.values()))


async def _flood(pool: Pool, rules: Rules, now: datetime, *, sure: bool) -> None:
    """Tell batch after batch, side by side, while any of them holds many; for a while at most."""
    clock, found = running_from(now), [MANY] * SIDE_BY_SIDE

    async def tell_on(place: int) -> None:
        while max(found) >= MANY and clock() < now + FLOOD:
            found[place], _ = await _tell(pool, rules, clock(), sure=sure)
            if found[place] < MANY:
                await asyncio.sleep(PAUSE.total_seconds())

    await gathered(tell_on(place) for place in range(SIDE_BY_SIDE))


async def _tell(
    pool: Pool, rules: Rules, now: datetime, *, sure: bool
) -> tuple[int, datetime | None]:
    """Tell one batch; how many clocks it held, and when to look again."""
    async with transaction(pool) as db:
        told = await steps.tell(db, now, sure=sure)
        if not told:
            return 0, _again(await steps.next_alert(db, sure=sure), now)
        spoken = await _languages(db, rules, told)
        await notices.send_out(db, _outbox(rules.routing, told, spoken, now))
        await escalations.begin(db, _climbing(rules.routing, told, spoken, now))
        await wake.changed(db, _threads(told))
    return len(told), now + PAUSE


def _threads(told: Sequence[Told]) -> dict[str, set[str]]:
    """Whose steps were told, by account."""
    found: dict[str, set[str]] = {}
    for each in told:
        found.setdefault(each.account, set()).add(each.thread)
    return found


async def _languages(db: Db, rules: Rules, told: Sequence[Told]) -> dict[languages.Thread, str]:
    """The language of each thread, where it matters to anybody."""
    if not rules.routing.asks_language:
        return {}
    return await languages.of(db, [(each.account, each.thread) for each in told])


def _outbox(
    routing: Routing, told: Sequence[Told], spoken: Mapping[languages.Thread, str], now: datetime
) -> Iterator[tuple[int, Aim, str | None]]:
    """Who hears of what was told.

    What had passed before an account's first walk ended, or its first since a restore, leaves with
    one digest.
    """
    aims = cache(routing.told)
    for each in told:
        digest = _digest(each)
        for aim in aims(_subject(each, spoken.get((each.account, each.thread))), now):
            yield each.notice, aim, digest


def _climbing(
    routing: Routing, told: Sequence[Told], spoken: Mapping[languages.Thread, str], now: datetime
) -> Iterator[Begun]:
    """What of it climbs a ladder."""
    if not routing.ladders:
        return
    ladders, aims = cache(routing.ladder), cache(routing.told)
    for each in told:
        subject = _subject(each, spoken.get((each.account, each.thread)))
        if found := ladders(subject):
            route, ladder = found
            since = told_from(aims(subject, now), now)
            of = each.account, each.thread, each.clock
            yield Begun(each.notice, subject.kind, *of, route.name, ladder, now, since)


def _subject(told: Told, language: str | None) -> Subject:
    kind = NoticeKind(told.kind)
    step = told.step if kind is NoticeKind.WARNING else None
    return Subject(kind, told.account, language, told.promise, step)


def _digest(told: Told) -> str | None:
    if told.first_walk_of is None:
        return None
    if told.restored:
        return keys.restored(told.account, told.first_walk_of)
    return keys.account(told.account, NoticeKind.DIGEST, told.first_walk_of)


async def _count(db: Db, now: datetime) -> int:
    """Count one batch of breaches; how many."""
    counted = await steps.count(db, now)
    if counted:
        await tally.add(db, {(*of, "breached"): n for of, n in counted.items()})
    return sum(counted.values())


async def _read_ahead(db: Db, soon: Mapping[str, datetime], now: datetime) -> None:
    """Let a walk begin just before each deadline: what it is told by should be fresh."""
    if await streams.pull_forward(db, {name: at - LEAD for name, at in soon.items()}, now):
        await wake.send(db, "poll")


async def _review(db: Db, rules: Rules, due: Sequence[Notice]) -> None:
    told = await notices.known(db, [notice.key for notice in due]) if due else frozenset()
    await notices.raise_(db, rules, [notice for notice in due if notice.key not in told])


def reviews(rules: Rules, now: datetime) -> list[Notice]:
    """One notice for each promise in force whose review date has passed, to an account's people.

    Of the accounts that have the promise, the first by name; the text names the promise.
    """
    due: dict[str, Notice] = {}
    for account in sorted(rules.accounts):
        for policy in rules.policies.get(account, ()):
            day = policy.review_after
            if day is not None and day < now.date() and policy.is_in_force(now):
                notice = _review_notice(policy, day, account, now)
                due.setdefault(notice.key, notice)
    return list(due.values())


def _review_notice(policy: Policy, day: date, account: str, now: datetime) -> Notice:
    return Notice(
        key=keys.review(policy.name, day),
        kind=NoticeKind.POLICY_REVIEW,
        account=account,
        raised_at=now,
        facts=(("promise", policy.name), ("version", policy.version), ("day", day.isoformat())),
    )


def expiries(rules: Rules, now: datetime) -> list[Notice]:
    """One notice for each key that ends soon or has ended: of the steps that passed the last."""
    return [
        _expiry_notice(account, credential, max(passed), now)
        for account, credentials in rules.credentials.items()
        for credential in credentials
        if (passed := [at for ahead in EXPIRY_STEPS if (at := credential.expires_at - ahead) < now])
    ]


def _expiry_notice(account: str, credential: Credential, since: datetime, now: datetime) -> Notice:
    return Notice(
        key=keys.expiring(account, credential.name, since),
        kind=NoticeKind.CREDENTIAL_EXPIRING,
        account=account,
        raised_at=now,
        facts=(
            ("expires_at", credential.expires_at.isoformat()),
            ("credential", credential.name),
        ),
    )


def _again(at: datetime | None, now: datetime) -> datetime | None:
    """Just after the next step; a little later where a row that is due was locked by another."""
    if at is None:
        return None
    return at + JUST_AFTER if at >= now else now + LOCKED
