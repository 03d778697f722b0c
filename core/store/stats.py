"""What `/metrics` shows of the database: a few statements, each grouped by account or name."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from core.measuring.fleet import Clocks, Outbox, Reading, Snapshot
from core.store import budget, tally, workers

if TYPE_CHECKING:
    from datetime import datetime

    from asyncpg import Record

    from core.store import Db, Pool

# A superseded clock has no steps: it is counted nowhere. One warning only: no band critical.
CLOCKS = """
    select account,
           count(*) filter (where due_at >= $1 and not coalesce(steps[1] < $1, false)) as ok,
           count(*) filter (
               where due_at >= $1 and coalesce(steps[1] < $1, false)
                 and not coalesce(cardinality(steps) > 2
                                  and steps[cardinality(steps) - 1] < $1, false)
           ) as warning,
           count(*) filter (
               where due_at >= $1 and cardinality(steps) > 2
                 and steps[cardinality(steps) - 1] < $1
           ) as critical,
           count(*) filter (where due_at < $1) as breached,
           min(due_at) as next_deadline,
           min(started_at) filter (where waits_for = 'buyer' and metric <> 'given')
               as oldest_unanswered
    from clock
    where ended is null and not history and steps <> '{}'
    group by account
"""
READINGS = """
    select a.name as account, a.retired_at is not null as retired,
           min(s.last_ok_at) as last_success, bool_and(s.last_ok_at is not null) as read,
           min(s.seen_through) as seen_through, bool_and(s.seen_through is not null) as seen,
           max(s."interval") as every,
           max(s.backoff_until) filter (where s.backoff_until > $1) as backoff_until,
           not coalesce(bool_or(s.health = 'bad_credentials'), false) as authorized
    from account a left join stream s on s.account = a.name and s.carries_clocks
    group by a.name
"""
OUTBOX = """
    select notifier,
           count(*) filter (where parked_reason is null) as pending,
           min(n.raised_at) filter (where parked_reason is null) as oldest,
           count(*) filter (where parked_reason is not null) as parked
    from dispatch d join notice n on n.id = d.notice
    where sent_at is null and suppressed is null
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
LEASES = "select count(*) from stream where holder is not null and leased_until > now()"


async def snapshot(db: Db, now: datetime, pool: Pool | None = None) -> Snapshot:
    """What the database says at *now*; *pool* tells of this process's connections."""
    due = await db.fetch(DUE, now)
    return Snapshot(
        clocks={r["account"]: _clocks(r) for r in await db.fetch(CLOCKS, now)},
        readings={r["account"]: _reading(r) for r in await db.fetch(READINGS, now)},
        counts=await tally.counts(db),
        outbox={r["notifier"]: _outbox(r) for r in await db.fetch(OUTBOX)},
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
    """Of several streams the worst: one that was never read makes the account never read."""
    return Reading(
        last_success=_instant(row["last_success"] if row["read"] else None),
        seen_through=_instant(row["seen_through"] if row["seen"] else None),
        interval=row["every"].total_seconds() if row["every"] else 0.0,
        backoff_until=_instant(row["backoff_until"]),
        authorized=row["authorized"],
        retired=row["retired"],
    )


def _outbox(row: Record) -> Outbox:
    return Outbox(row["pending"], _instant(row["oldest"]), row["parked"])


def _instant(at: datetime | None) -> float:
    return at.timestamp() if at is not None else 0.0


def _connections(pool: Pool | None) -> tuple[int, int, int]:
    if pool is None:
        return 0, 0, 0
    idle = pool.get_idle_size()
    return idle, pool.get_size() - idle, pool.get_max_size()
