"""Watch the clocks: tell steps that have passed, count breaches that reading has confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from core import ingest, keys
from core.model import Notice, NoticeKind
from core.store import notices, steps, streams, tally, transaction, wake
from core.together import gathered
from sla.clock import next_alert_at, reached

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from core.rules import Rules
    from core.store import Db, Pool
    from core.store.steps import Alert, Seen
    from sla.policy import Policy

BATCH = 500
SIDE_BY_SIDE = 2
"""Batches at once while there are full ones: the database works on one, we on the other."""

AHEAD = timedelta(seconds=15)
LEAD = timedelta(seconds=5)
LOCKED = timedelta(milliseconds=20)
JUST_AFTER = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Telling:
    """What a batch comes to: clocks to move on, what to say of each, and what waits for a digest.

    *notices* stand by the clock's id; *digests* name, by notice key, the digest it leaves with.
    """

    moves: tuple[steps.Move, ...]
    notices: Mapping[int, Notice]
    digests: Mapping[str, str]


async def once(pool: Pool, rules: Rules, now: datetime, *, sure: bool = True) -> datetime | None:
    """Tell every step that has passed, count breaches, read ahead of deadlines.

    Without *sure* (the host's clock is not believed) no breach is told or counted; warnings go on.

    Returns:
        When to look again: at once while there is more, else just after the next step; None
        while no clock has one.
    """
    if await _tell(pool, rules, now, sure=sure) == BATCH:
        await gathered(_tell(pool, rules, now, sure=sure) for _ in range(SIDE_BY_SIDE))
        return now
    async with transaction(pool) as db:
        if sure and await _count(db, now) == BATCH:
            return now
    async with transaction(pool) as db:
        await _read_ahead(db, now)
        await _review(db, rules, now)
        return _again(await steps.next_alert(db, sure=sure), now)


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


async def _tell(pool: Pool, rules: Rules, now: datetime, *, sure: bool) -> int:
    """Tell one batch; how many clocks it held."""
    async with transaction(pool) as db:
        alerts = await steps.alertable(db, now, BATCH, sure=sure)
        if alerts:
            read = await steps.seen(db, (alert.account for alert in alerts))
            telling = tell(alerts, read, now, sure=sure)
            moved = await steps.mark(db, telling.moves)
            due = [notice for clock, notice in telling.notices.items() if clock in moved]
            await notices.raise_(db, rules, due, telling.digests)
    return len(alerts)


def tell(
    alerts: Sequence[Alert], read: Mapping[str, Seen], now: datetime, *, sure: bool
) -> Telling:
    """Of several steps that have passed, only the highest is told; without *sure*, no breach.

    What had passed before an account's first walk ended leaves with one digest.
    """
    moves, told, digests = [], {}, {}
    for alert in alerts:
        step = min(reached(alert.steps, now), len(alert.steps) if sure else len(alert.steps) - 1)
        notice = _notice(alert, step, read[alert.account], now)
        moves.append(_move(alert, step))
        told[alert.id] = notice
        if _of_first_walk(alert.steps[step - 1], read[alert.account]):
            since = read[alert.account].monitored_since
            digests[notice.key] = keys.account(alert.account, NoticeKind.DIGEST, since)
    return Telling(tuple(moves), told, digests)


def _move(alert: Alert, step: int) -> steps.Move:
    later = next_alert_at(alert.steps, step)
    return steps.Move(alert.id, alert.revision, alert.step, alert.due_at, step, later)


def _notice(alert: Alert, step: int, read: Seen, now: datetime) -> Notice:
    return Notice(
        key=keys.step(alert.id, alert.revision, step),
        kind=NoticeKind.BREACH if step == len(alert.steps) else NoticeKind.WARNING,
        account=alert.account,
        raised_at=now,
        thread=alert.thread,
        clock=alert.id,
        due_at=alert.due_at,
        facts=(
            ("promise", alert.promise),
            ("waits_for", alert.waits_for),
            ("metric", alert.metric),
            ("due_from", alert.due_from),
            ("started_at", alert.started_at.isoformat()),
            ("read_at", read.read_at.isoformat() if read.read_at else None),
        ),
    )


def _of_first_walk(step_at: datetime, read: Seen) -> bool:
    return read.first_walk_at is None or step_at <= read.first_walk_at


async def _count(db: Db, now: datetime) -> int:
    """Count one batch of breaches; how many."""
    counted = await steps.count(db, now, BATCH)
    if counted:
        await tally.add(db, {(*of, "breached"): n for of, n in counted.items()})
    return sum(counted.values())


async def _read_ahead(db: Db, now: datetime) -> None:
    """Let a walk begin just before each deadline: what it is told by should be fresh."""
    soon = await steps.soon(db, now, AHEAD)
    if await streams.pull_forward(db, {name: at - LEAD for name, at in soon.items()}, now):
        await wake.send(db, "poll")


async def _review(db: Db, rules: Rules, now: datetime) -> None:
    due = {notice.key: notice for notice in reviews(rules, now)}
    told = await notices.known(db, list(due)) if due else frozenset()
    await notices.raise_(db, rules, [notice for key, notice in due.items() if key not in told])


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


def _again(at: datetime | None, now: datetime) -> datetime | None:
    """Just after the next step; a little later where a row that is due was locked by another."""
    if at is None:
        return None
    return at + JUST_AFTER if at >= now else now + LOCKED
