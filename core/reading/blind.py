"""Blind is worse than late: what carries clocks and cannot be read hides its deadlines.

Beyond a limit of age it is told, with what has probably arrived unread and when a promise may
first break unseen; it is taken back once nothing of the account is blind any more. What the key may
not read is told at once, for that does not pass by itself. Rule: clock.md, section 7.

One notice of an account names all that one trouble hides: a consent that was taken back makes
stream after stream blind, and is one thing to mend. So what fails likewise is told with the first
of them, before its own limit.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING

import structlog

from core import keys
from core.model import Notice, NoticeKind
from core.reading.arrivals import WEEK, Arrivals, zone_of
from core.store import accounts, notices, sight, streams, transaction, wake
from sla import steps

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from core.metrics import Metrics
    from core.rules import Rules
    from core.store import Db, Pool
    from core.store.sight import Sight
    from sla.policy import Policy

LOOK_EVERY = timedelta(seconds=15)
LEARNT_FROM = 4 * WEEK
SHARE = 0.05
GRACE = timedelta(minutes=1)
"""At most so long after our own start nothing is told: what we missed is just being read. And so
long at most after one stream was refused to us, while it is tried which others are."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Blindness:
    """What an account that cannot be read hides: messages, and the first possible breach.

    *assumed*: its own history is too short to tell how many.
    """

    expected: float
    earliest: datetime | None
    assumed: bool = False


def limit(every: timedelta, usual: timedelta, promise: timedelta | None) -> timedelta:
    """The age of a reading that is blindness.

    *every* is the time between walks in force, *usual* the one that is meant; *promise* the
    shortest working time to answer in, None where there is none.
    """
    share = 5 * usual if promise is None else min(5 * usual, promise * SHARE)
    return max(3 * every, share)


def is_too_slow(every: timedelta, promise: timedelta | None) -> bool:
    """Whether walks so far apart leave more than a small share of *promise* in the dark."""
    return promise is not None and 3 * every > promise * SHARE


def shortest(policies: Iterable[Policy], at: datetime) -> timedelta | None:
    """The shortest working time to answer in, of the promises in force at an instant."""
    return min((_within(p) for p in policies if p.is_in_force(at)), default=None)


def earliest_breach(
    policies: Iterable[Policy], since: datetime, next_deadline: datetime | None
) -> datetime | None:
    """When a promise may first break unseen.

    That is the deadline of a message that came just after the last reading (*since*), or the
    earliest deadline that runs already: an answer to it would not be seen.
    """
    in_force = [policy for policy in policies if policy.is_in_force(since)]
    unseen = [steps.deadline(policy, _within(policy), since)[0] for policy in in_force]
    known = [] if next_deadline is None else [next_deadline]
    return min(unseen + known, default=None)


async def once(
    pool: Pool,
    rules: Rules,
    metrics: Metrics,
    now: datetime,
    *,
    started: datetime,
    jumped: datetime | None = None,
) -> datetime:
    """Tell what has become blind and what sees again, and export what every blind account hides.

    *started* is when this process began to look; *jumped* when the host's clock last jumped, by
    the time that it shows since: what was read before looks too old, or as if it were to come.

    Returns:
        When to look again.
    """
    async with transaction(pool) as db:
        all_ = await sight.all_(db)
        until = {one: _until(one, rules, now) for one in all_}
        blind = [one for one in all_ if now > until[one]]
        hidden = {one: await _hidden(db, rules, one, now) for one in blind}
        fresh = {
            one: one.forbidden_since if one.blind_since and one.forbidden_since else until[one]
            for one in blind
            if not one.is_told and _had_time(one, rules, started, jumped, now)
        }
        for since, several in await _ripe(db, fresh, all_, now):
            told = {one: hidden.get(one) or await _hidden(db, rules, one, now) for one in several}
            await _tell(db, rules, told, since, now)
        seeing = [one for one in all_ if one.blind_since and one not in hidden and not one.trouble]
        if seeing:
            await _take_back(db, rules, seeing, now)
    for one in seeing:
        log.info("reads again", account=one.account, stream=one.stream)
    _export(metrics, until, hidden, now)
    return now + LOOK_EVERY


def _within(policy: Policy) -> timedelta:
    """The shorter of the times for a first and for a further reply: either may come unseen."""
    return min(policy.next_reply_within or policy.reply_within, policy.reply_within)


def _limit_of(one: Sight, rules: Rules, now: datetime) -> timedelta:
    promise = shortest(rules.policies.get(one.account, ()), now)
    return limit(one.every, one.every, promise)


def _until(one: Sight, rules: Rules, now: datetime) -> datetime:
    """The instant after which *one* is blind: at its limit, or as it was refused to us."""
    at = one.since + _limit_of(one, rules, now)
    return at if one.forbidden_since is None else min(at, one.forbidden_since)


def _had_time(
    one: Sight, rules: Rules, started: datetime, jumped: datetime | None, now: datetime
) -> bool:
    """Whether we could have read *one* since our own start, and since the host's clock jumped.

    After a jump it may be asked as late as ever, for schedules go by the database's clock.
    """
    if one.forbidden_since is not None:
        return True
    at_most = _limit_of(one, rules, now)
    return now >= started + min(at_most, GRACE) and (jumped is None or now > jumped + at_most)


async def _hidden(db: Db, rules: Rules, one: Sight, now: datetime) -> Blindness:
    begin = one.since - LEARNT_FROM
    came = await sight.rates(db, one.account, begin, one.since)
    deadline = await sight.next_deadline(db, one.account, one.since)
    policies = rules.policies.get(one.account, ())
    known = min((*came, one.monitored_since or one.since))
    arrivals = Arrivals(came, max(begin, known), one.since, _zone(policies))
    return Blindness(
        arrivals.expected(one.since, now),
        earliest_breach(policies, one.since, deadline),
        assumed=not arrivals.is_known(one.since),
    )


def _zone(policies: Iterable[Policy]) -> ZoneInfo:
    return zone_of(policy.calendar for policy in policies)


async def _ripe(
    db: Db, fresh: Mapping[Sight, datetime], all_: Sequence[Sight], now: datetime
) -> list[tuple[datetime, list[Sight]]]:
    """What is told now, a notice each: since when, and the streams of one account.

    *fresh* are those that became blind, and when. While it is not known what else of an account is
    refused to us, that is tried, and nothing of it is told.
    """
    found: dict[tuple[str, datetime], list[Sight]] = defaultdict(list)
    for own in _by_account({one.account for one in fresh}, all_):
        for several in _by_trouble(own, fresh):
            since = min(fresh[one] for one in several if one in fresh)
            if several[0].forbidden_since is None or not _untried(own, since, now):
                found[own[0].account, since] += several
            else:
                await streams.pull_forward(db, {own[0].account: since}, now)
                await wake.send(db, "poll")
    return [(since, several) for (_, since), several in found.items()]


def _by_account(accounts: Collection[str], all_: Iterable[Sight]) -> list[list[Sight]]:
    found: dict[str, list[Sight]] = defaultdict(list)
    for one in all_:
        if one.account in accounts:
            found[one.account].append(one)
    return list(found.values())


def _by_trouble(own: Iterable[Sight], fresh: Collection[Sight]) -> list[list[Sight]]:
    """Of an account's streams those that are fresh, each with what fails as it does."""
    troubles = {one.trouble for one in own if one in fresh}
    found: dict[str, list[Sight]] = defaultdict(list)
    for one in own:
        fails_too = bool(one.trouble) and not one.is_told
        if one in fresh or (fails_too and one.trouble in troubles):
            found[one.trouble].append(one)
    return list(found.values())


def _untried(own: Iterable[Sight], since: datetime, now: datetime) -> bool:
    """Whether a stream may be refused just as one was *since* then, and was not read after it."""
    return now < since + GRACE and any(
        not one.trouble and one.since < since - LOOK_EVERY for one in own
    )


async def _tell(
    db: Db, rules: Rules, hidden: Mapping[Sight, Blindness], since: datetime, now: datetime
) -> None:
    """Raise one notice for these streams of an account, if no other worker has done so."""
    mine = {
        one: found
        for one, found in hidden.items()
        if await sight.lost(db, one, max(since, one.forbidden_since or since))
    }
    for one in mine:
        log.warning(
            "became blind", account=one.account, stream=one.stream, read=one.since.isoformat()
        )
    if mine:
        await notices.raise_(db, rules, [_notice(mine, since, now)])
        await wake.changed(db)


async def _take_back(db: Db, rules: Rules, seeing: Sequence[Sight], now: datetime) -> None:
    """Tell of each account whose last blind stream is read again, unless its key is refused."""
    for name in sorted({one.account for one in seeing}):
        own = [one for one in seeing if one.account == name]
        standing = await accounts.standing(db, name)  # its lock: the last one tells, and only it
        if not await sight.found(db, own) or standing is None or standing.down_since is not None:
            continue
        if not await sight.is_blind(db, name):
            since = min(one.blind_since for one in own if one.blind_since)
            await notices.raise_(db, rules, [_up(name, since, now)])
            await wake.changed(db)


def _up(account: str, blind_since: datetime, now: datetime) -> Notice:
    facts = (("since", now.isoformat()), ("blind_since", blind_since.isoformat()))
    key = keys.account(account, NoticeKind.ACCOUNT_UP, blind_since)
    return Notice(key, NoticeKind.ACCOUNT_UP, account, now, facts=facts)


def _notice(blind: Mapping[Sight, Blindness], since: datetime, now: datetime) -> Notice:
    """What the streams of one account hide together: of each number the worst."""
    account = next(iter(blind)).account
    seen = [one.seen_through for one in blind]
    read = None if None in seen else min(filter(None, seen))
    earliest = min((h.earliest for h in blind.values() if h.earliest), default=None)
    worst = max(blind.values(), key=lambda hidden: hidden.expected)
    return Notice(
        key=keys.account(account, NoticeKind.BLIND, since),
        kind=NoticeKind.BLIND,
        account=account,
        raised_at=now,
        facts=(
            ("streams", ", ".join(sorted(one.stream for one in blind))),
            ("seen_through", read.isoformat() if read else None),
            ("unread_since", min(one.since for one in blind).isoformat()),
            ("expected", round(worst.expected, 1)),
            ("assumed", True if worst.assumed else None),
            ("earliest", earliest.isoformat() if earliest else None),
            *_reason(blind),
        ),
    )


def _reason(blind: Iterable[Sight]) -> tuple[tuple[str, str], ...]:
    return (("reason", "forbidden"),) if any(one.forbidden_since for one in blind) else ()


def _export(
    metrics: Metrics,
    until: Mapping[Sight, datetime],
    hidden: Mapping[Sight, Blindness],
    now: datetime,
) -> None:
    """Of the streams of an account the worst: what is told, and when its first is blind.

    That is never between two looks: what is read until the next one moves it on, and what is not
    is told there.
    """
    unlooked = (now + 2 * LOOK_EVERY).timestamp()
    blind_from: dict[str, float] = {}
    expect: dict[str, float] = {}
    earliest: dict[str, float] = {}
    for one, at in until.items():
        first = at.timestamp() if one in hidden else max(at.timestamp(), unlooked)
        blind_from[one.account] = min(blind_from.get(one.account, inf), first)
    for one, found in hidden.items():
        first = found.earliest.timestamp() if found.earliest else inf
        expect[one.account] = max(expect.get(one.account, 0.0), found.expected)
        earliest[one.account] = min(earliest.get(one.account, inf), first)
    metrics.blind_from.show(blind_from)
    metrics.unseen_messages_expected.show(expect)
    metrics.earliest_possible_breach.show(earliest)
