"""What `/metrics` shows of the database: a few statements, each grouped by account or name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING

from core.measuring.facts import Clocks, Counted, Muting, Outbox, Pushing, Reading, Snapshot
from core.store import (
    budget,
    claims,
    dispatches,
    escalations,
    mutes,
    pushes,
    sessions,
    setaside,
    tally,
    workers,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from asyncpg import Record

    from core.store import Db, Pool

# A superseded clock has no steps: it is counted nowhere. One warning only: no band critical. What
# `offset 0` keeps apart finds the band of a clock once, and not for each of the counts.
CLOCKS = """
    select account,
           count(*) filter (where band = 0) as ok,
           count(*) filter (where band = 1) as warning,
           count(*) filter (where band = 2) as critical,
           count(*) filter (where band = 3) as breached,
           min(due_at) as next_deadline,
           min(started_at) filter (where of_buyer) as oldest_unanswered
    from (
        select account, due_at, started_at, waits_for = 'buyer' and metric <> 'given' as of_buyer,
               case when due_at < $1 then 3
                    when steps[1] >= $1 then 0
                    when cardinality(steps) < 3 then 1
                    when steps[cardinality(steps) - 1] < $1 then 2
                    else 1
               end as band
        from clock
        where ended is null and not history and steps <> '{}'
        offset 0
    ) running
    group by account
"""
# The key is that of what carries clocks; where nothing does, of whatever is read at all.
READINGS = """
    select a.name as account, a.retired_at is not null as retired,
           min(s.last_ok_at) as last_success, bool_and(s.last_ok_at is not null) as read,
           min(s.seen_through) as seen_through, bool_and(s.seen_through is not null) as seen,
           min(s."interval") as every,
           max(s.backoff_until) filter (where s.backoff_until > $1) as backoff_until,
           not coalesce((
               select coalesce(bool_or(r.health = 'bad_credentials') filter (where carries_clocks),
                               bool_or(r.health = 'bad_credentials'))
               from stream r where r.account = a.name and r.next_due < 'infinity'
           ), false) as authorized
    from account a left join stream s on s.account = a.name and s.carries_clocks
    group by a.name
"""
# Two halves, for each has an index of its own: what was sent is never looked at. What was held back
# on purpose (a mute, quiet hours, a first walk, a restore) waits since the end of that.
OUTBOX = """
    select notifier, count(*) filter (where not muted) as n, count(*) filter (where muted) as muted,
           min(since) filter (where not muted and not held) as oldest, false as parked
    from (
        select d.notifier, m.id is not null and m.ended_at is null and m.until > now() as muted,
               d.attempts = 0 and (
                   d.next_try_at > now()
                   or split_part(d.digest, '/', 2) = 'flood' and exists (
                       select from budget b
                       where b.key = 'notifier ' || d.notifier and b.next_at > now()
                   )
               ) or d.error is null and d.next_try_at > now() + $1::interval as held,
               greatest(n.raised_at, coalesce(m.ended_at, m.until),
                        case when d.attempts = 0 then d.next_try_at end) as since
        from dispatch d
        join notice n on n.id = d.notice
        left join mute m on m.id = d.muted_by
        where d.sent_at is null and d.parked_reason is null and d.suppressed is null
    ) waiting
    group by notifier
    union all
    select notifier, count(*), 0, null, true from dispatch
    where parked_reason is not null and sent_at is null and suppressed is null
    group by notifier
"""
REPLIES = """
    select state, count(*) as n from reply
    where state in ('queued', 'sending', 'unknown')
    group by state
"""
DUE = """
    select a.marketplace, count(*) as n, min(s.next_due) as oldest
    from stream s join account a on a.name = s.account
    where s.next_due <= $1 and s.holder is null and a.retired_at is null
    group by a.marketplace
"""
SIZE = "select pg_database_size(current_database())"
LEASES = "select count(*) from stream where holder is not null and leased_until > now()"


async def clocks(db: Db, now: datetime) -> Counted:
    """The running clocks as they are at *now*: the one statement here that all of them cost."""
    rows = await db.fetch(CLOCKS, now)
    return Counted({r["account"]: _clocks(r) for r in rows}, at=now.timestamp())


async def size(db: Db) -> int:
    """The bytes of the database."""
    return int(await db.fetchval(SIZE))


async def outbox(db: Db) -> dict[str, Outbox]:
    """What was not sent, by the notifiers that have any of it."""
    return _outboxes(await db.fetch(OUTBOX, dispatches.LEASE))


USED = timedelta(hours=1)
"""So long a session of the board counts as used."""


async def snapshot(db: Db, now: datetime, pool: Pool | None = None) -> Snapshot:
    """What the database says at *now* without counting clocks.

    *pool* tells of this process's connections.
    """
    due = await db.fetch(DUE, now)
    return Snapshot(
        readings={r["account"]: _reading(r) for r in await db.fetch(READINGS, now)},
        counts=await tally.kinds(db),
        outbox=await outbox(db),
        pushing={
            account: Pushing(_instant(last), silent)
            for account, (last, silent) in (await pushes.states(db)).items()
        },
        muted={
            (m.scope, m.name): Muting(m.since.timestamp(), m.until.timestamp())
            for m in await mutes.standing(db)
        },
        claims=await claims.holding(db, now),
        climbing=await escalations.running(db),
        sessions=await sessions.used(db, now - USED),
        aside=await setaside.waiting(db),
        replies={r["state"]: r["n"] for r in await db.fetch(REPLIES)},
        due={r["marketplace"]: r["n"] for r in due},
        oldest_due=min((r["oldest"].timestamp() for r in due), default=0.0),
        budgets={k: (now + wait).timestamp() for k, wait in (await budget.waiting(db)).items()},
        leases=await db.fetchval(LEASES),
        workers=await workers.alive(db),
        pool=_connections(pool),
    )


def _clocks(row: Record) -> Clocks:
    oldest = row["oldest_unanswered"]
    return Clocks(
        bands=(row["ok"], row["warning"], row["critical"], row["breached"]),
        next_deadline=row["next_deadline"].timestamp(),
        oldest_unanswered=oldest.timestamp() if oldest else inf,
    )


def _reading(row: Record) -> Reading:
    """Of several streams the worst: one that was never read makes the account never read.

    Of their intervals the shortest: how often the account is asked.
    """
    return Reading(
        last_success=_instant(row["last_success"] if row["read"] else None),
        seen_through=_instant(row["seen_through"] if row["seen"] else None),
        interval=row["every"].total_seconds() if row["every"] else 0.0,
        backoff_until=_instant(row["backoff_until"]),
        authorized=row["authorized"],
        retired=row["retired"],
    )


def _outboxes(rows: Iterable[Record]) -> dict[str, Outbox]:
    found: dict[str, Outbox] = {}
    for row in rows:
        of = found.get(row["notifier"], Outbox())
        found[row["notifier"]] = (
            replace(of, parked=row["n"])
            if row["parked"]
            else replace(of, pending=row["n"], muted=row["muted"], oldest=_instant(row["oldest"]))
        )
    return found


def _instant(at: datetime | None) -> float:
    return at.timestamp() if at is not None else 0.0


def _connections(pool: Pool | None) -> tuple[int, int, int]:
    if pool is None:
        return 0, 0, 0
    idle = pool.get_idle_size()
    return idle, pool.get_size() - idle, pool.get_max_size()
