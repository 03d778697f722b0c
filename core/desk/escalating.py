"""Let a notice climb its ladder: who is told next when nobody acts, and when no more need be.

`wait`, `targets` and `outcome` decide, and are pure; `once` acts. A rung is told to whom its
targets mean at that moment. Of several that have passed (nobody worked, or the thread was claimed)
one is told, and the next has its whole time again: each is to have the chance to act.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from core import keys
from core.model import Notice, NoticeKind
from core.store import (
    claims,
    escalations,
    languages,
    notices,
    rungs,
    statement,
    transaction,
    wake,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from core.people.ladders import Ladder
    from core.routing import Aim, Routing, Subject
    from core.rules import Rules
    from core.store import Db, Pool
    from core.store.escalations import Ended, Escalation
    from core.store.rungs import Standing

log = structlog.get_logger()

REPEATS: Final = 10
"""So often the last rung is told again, at most."""
LONGEST: Final = timedelta(hours=24)
"""Between two repeats, at most; longer only where the settings say so."""
LEAST: Final = timedelta(seconds=1)
"""Between two looks at what is held."""
JUST_AFTER: Final = timedelta(microseconds=1)
"""A rung is due once its instant has passed, as a step is."""

_ANSWERED = frozenset({"decided", "marked", "confirmed"})


def wait(ladder: Ladder, told: int) -> timedelta | None:
    """How long after *told* rungs (0: after the notice) the next is due; None: there is none."""
    rungs = ladder.rungs
    if told == 0:
        return rungs[0].after
    if told < len(rungs):
        return rungs[told].after - rungs[told - 1].after
    repeated = told - len(rungs)
    if ladder.repeat is None or repeated >= REPEATS:
        return None
    return min(ladder.repeat * (1 << repeated), max(LONGEST, ladder.repeat))


def targets(ladder: Ladder, rung: int) -> tuple[str, ...]:
    """Whom the *rung* (from 1) tells; beyond the last it is that one again."""
    return ladder.rungs[min(rung, len(ladder.rungs)) - 1].tell


def outcome(one: Escalation, clock: Standing | None, *, is_over: bool) -> Ended | None:
    """Why nobody need be told any more; None: the next rung is to be told.

    *clock* is its clock, of one that has any; *is_over*: the end of its trouble was told.
    """
    if clock is None:
        return "over" if is_over else None
    if clock.ended is not None:
        answered = clock.ended != "void" or clock.reason in _ANSWERED
        return "answered" if answered else "ended"
    if not clock.runs:
        return "ended"
    return None if clock.revision == one.revision else "moved"


async def once(
    pool: Pool, rules: Rules, known: Collection[str], now: datetime, *, sure: bool = True
) -> datetime | None:
    """Tell the rungs that are due, end what is over, and write down which claims have lapsed.

    *known* are the notifiers that there are. Without *sure* (the host's clock is not believed)
    nobody is told.

    Returns:
        When to look again: at once while there is more; None while nothing is waited for.
    """
    if not sure:
        return None
    async with statement(pool) as db:
        first = await rungs.next_due(db)
    if first is None or first >= now:
        return first and first + JUST_AFTER
    async with transaction(pool) as db:
        lapsed = await claims.lapse(db, now)
        for claim in lapsed:
            await wake.changed(db, {claim.account: [claim.thread]})
        due = await rungs.due(db, now)
        told = await _climb(db, rules, known, due, now)
        if told:
            await wake.changed(db, _threads(told))
        again = await rungs.again(db, now, now + LEAST)
    for claim in lapsed:
        log.info("claim lapsed", account=claim.account, thread=claim.thread, by=claim.by)
    for one in told:
        log.info(
            "escalated", account=one.account, thread=one.thread, notice=one.notice,
            ladder=one.ladder.name, rung=one.rung + 1,
        )  # fmt: skip
    return now if len(due) == rungs.BATCH else again


async def _climb(
    db: Db, rules: Rules, known: Collection[str], due: Sequence[Escalation], now: datetime
) -> list[Escalation]:
    """Tell the next rung of what is *due*, or end it; those of which one was told."""
    if not due:
        return []
    clocks = await rungs.standing(db, (one.clock for one in due if one.clock is not None))
    troubles = [
        (one, escalations.ENDS.get(one.kind, frozenset())) for one in due if one.clock is None
    ]
    over = await rungs.over(db, troubles)
    ended: dict[int, Ended] = {}
    climbing: dict[int, tuple[Escalation, Notice]] = {}
    for one in due:
        clock = None if one.clock is None else clocks.get(one.clock)
        if one.clock is not None and clock is None:
            continue  # it just changes: whoever does that is not waited for
        if why := outcome(one, clock, is_over=one.id in over):
            ended[one.id] = why
        else:
            climbing[one.id] = one, notice(one, clock, now)
    await rungs.end(db, ended, now)
    moved = await rungs.move(db, [(one, _next_at(one, now)) for one, _ in climbing.values()], now)
    told = [pair for id_, pair in climbing.items() if id_ in moved]
    aims = await _aims(db, rules, known, told, now)
    await notices.raise_to(db, [each for _, each in told], lambda each: aims[each.key])
    return [one for one, _ in told]


def _threads(told: Sequence[Escalation]) -> dict[str, set[str]]:
    """Whose pages show that a rung was told, by account."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one in told:
        if one.thread is not None:
            found[one.account].add(one.thread)
    return found


def _next_at(one: Escalation, now: datetime) -> datetime | None:
    gap = wait(one.ladder, one.rung + 1)
    return None if gap is None else now + gap


async def _aims(
    db: Db,
    rules: Rules,
    known: Collection[str],
    told: Sequence[tuple[Escalation, Notice]],
    now: datetime,
) -> dict[str, tuple[Aim, ...]]:
    """Who is told of each, by key."""
    refs = [(each.account, each.thread) for _, each in told if each.thread is not None]
    asks = rules.routing.asks_language
    tongues = await languages.of(db, refs) if asks and refs else {}
    found = {}
    for one, each in told:
        subject = notices.subject(each, tongues.get((each.account, each.thread or "")))
        found[each.key] = aims(rules.routing, known, one, subject, now)
        if not found[each.key]:
            log.warning("a rung reaches nobody", ladder=one.ladder.name, rung=one.rung + 1)
    return found


def aims(
    routing: Routing, known: Collection[str], one: Escalation, subject: Subject, now: datetime
) -> tuple[Aim, ...]:
    """Whom the next rung, of this *subject*, tells at *now*: the fallback where it reaches nobody.

    That is: none of the *known*. Pure.
    """
    wanted = routing.aims(one.route, targets(one.ladder, one.rung + 1), subject, now)
    found = tuple(aim for aim in wanted if aim.notifier in known)
    if found:
        return found
    return tuple(aim for aim in routing.fallback(subject, now) if aim.notifier in known)


def notice(one: Escalation, clock: Standing | None, now: datetime) -> Notice:
    """What the next rung says: the facts of the notice that climbs, and where it is. Pure."""
    rung = one.rung + 1
    return Notice(
        key=keys.escalation(one.notice, one.ladder.name, rung),
        kind=NoticeKind.ESCALATION,
        account=one.account,
        raised_at=now,
        thread=one.thread if clock is None else clock.thread,
        clock=one.clock,
        due_at=one.due_at if clock is None else clock.due_at,
        facts=(
            *one.facts.items(),
            ("of", one.kind.value),
            *_step(one),
            ("escalation", one.id),
            ("ladder", one.ladder.name),
            ("rung", rung),
            ("rungs", len(one.ladder.rungs)),
            ("began_at", one.began_at.isoformat()),
        ),
    )


def _step(one: Escalation) -> Iterator[tuple[str, int]]:
    """Which warning climbs: somebody may be told of it at any hour, and of others not."""
    number = keys.number(one.key) if one.key and one.kind is NoticeKind.WARNING else None
    if number is not None:
        yield "step", number
