"""Dispatches: one notice to one notifier; the unsent ones are the outbox.

A dispatch is claimed in a short transaction of its own, which moves its next try to the end of a
lease; a sender that dies leaves it due again by itself. Leases and retries go by the database's
clock, so no host's wall clock can send anything twice. Whoever waits for several rows takes them in
the order of their notices.

What counts an attempt may have been heard, though nothing is written of it: its sender may have
died in between. It keeps its key, and waits on purpose where it waits longer than a lease and has
not failed.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from core.model import Dispatch, Notice, NoticeKind
from core.remember import NOT_TAKEN_BACK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from asyncpg import Record

    from core.store import Db

LEASE = timedelta(seconds=60)

FLOODING = [
    NoticeKind.WARNING.value,
    NoticeKind.BREACH.value,
    NoticeKind.ESCALATION.value,
    NoticeKind.CORRECTED.value,
    NoticeKind.DEADLINE_MOVED.value,
    NoticeKind.PARKED.value,
]
"""The kinds that come as floods: what is told of deadlines, and that it could not be delivered.

Others are few, and each by itself.
"""

# What may come as a flood and was not tried yet leaves only if it is named: core.store.digests.
# A lease begins with its statement: a transaction may have begun long before, on a slow database.
CLAIM = """
    with due as (
        select d.notice, d.notifier from dispatch d join notice n on n.id = d.notice
        where d.notifier = $1 and d.next_try_at <= now() and d.digest is null
          and d.sent_at is null and d.parked_reason is null and d.suppressed is null
          and ($4::bigint[] is null or d.attempts > 0 or n.kind <> all($5) or n.id = any($4))
          and ($6::boolean is null or (n.kind = 'answered') = $6)
        order by d.next_try_at, d.notice
        limit $2
        for update of d skip locked
    )
    update dispatch d set attempts = attempts + 1, next_try_at = clock_timestamp() + $3::interval
    from due
    join notice n on n.id = due.notice
    left join thread t on t.account = n.account and t.id = n.thread
    where d.notice = due.notice and d.notifier = due.notifier
    returning n.*, t.url, d.notifier, d.attempts, d.next_try_at, d.parked_reason, d.error, d.digest,
              d.ways
"""
RELEASE = """
    update dispatch d set next_try_at = now()
    from notice n
    join account a on a.name = n.account
    where d.notifier = $1 and d.digest is not null and d.attempts = 0
      and split_part(d.digest, '/', 2) not in ('flood', 'apart', 'muted', 'quiet')
      and d.sent_at is null and d.parked_reason is null and d.suppressed is null
      and d.next_try_at > now() and n.id = d.notice and a.first_walk_at is not null
      and not exists (
          select from alarm l
          where l.kind in ('warning', 'breach') and l.at <= a.first_walk_at
            and (select c.account from clock c where c.id = l.clock) = a.name
      )
"""
# By the end of the lease, which says whether it is still ours; it was no attempt. What was never
# claimed before leaves with whatever else waits there; what was may have been heard: its key stays.
POSTPONE = """
    with mine as (
        select d.notice, w.until, w.digest, d.attempts = 1 as fresh
        from unnest($2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::text[])
            as w (notice, lease, until, digest)
        join dispatch d on d.notice = w.notice and d.next_try_at = w.lease
        where d.notifier = $1 and d.error is null
          and d.sent_at is null and d.parked_reason is null and d.suppressed is null
        order by d.notice
        for update of d
    )
    update dispatch d
    set next_try_at = mine.until, attempts = d.attempts - 1,
        digest = case when mine.fresh then mine.digest else d.digest end
    from mine
    where d.notifier = $1 and d.notice = mine.notice
    returning d.notice
"""
DROPPED = """
    select notice, suppressed from dispatch
    where notifier = $1 and notice = any($2) and suppressed is not null
"""
# What was dropped while it was leaving was told all the same; a late reply takes nothing back, and
# neither does what ended the clock for reasons of its own.
DONE = """
    with was as (
        select notice, suppressed from dispatch
        where notifier = $1 and notice = any($2)
        order by notice
        for update
    )
    update dispatch d set sent_at = $3, suppressed = null, error = null
    from was
    join notice n on n.id = was.notice
    left join clock c on c.id = n.clock
    where d.notifier = $1 and d.notice = was.notice and d.sent_at is null
    returning d.notice, was.suppressed is not null and n.kind = 'breach'
                        and c.ended is distinct from 'late'
                        and coalesce(c.reason, '') <> all($4::text[]) as too_late
"""
RETRY = """
    with mine as (
        select notice from dispatch
        where notifier = $1 and notice = any($2)
          and sent_at is null and parked_reason is null and suppressed is null
        order by notice
        for update
    )
    update dispatch d set next_try_at = now() + $3::interval, error = $4
    from mine
    where d.notifier = $1 and d.notice = mine.notice
"""
# By the end of the lease, which says whether it is still ours. The attempt was none; but it was
# decided how this leaves, and under which key: it counts as tried once.
PUT_BACK = """
    with mine as (
        select d.notice from dispatch d
        join unnest($2::bigint[], $3::timestamptz[]) as claimed (notice, until)
          on claimed.notice = d.notice and claimed.until = d.next_try_at
        where d.notifier = $1
          and d.sent_at is null and d.parked_reason is null and d.suppressed is null
        order by d.notice
        for update of d
    )
    update dispatch d
    set next_try_at = now(), attempts = greatest(attempts - 1, 1)
    from mine
    where d.notifier = $1 and d.notice = mine.notice
"""
PARK = """
    with mine as (
        select notice from dispatch
        where notifier = $1 and notice = any($2)
          and sent_at is null and parked_reason is null and suppressed is null
        order by notice
        for update
    )
    update dispatch d set parked_reason = $3, error = $4
    from mine
    where d.notifier = $1 and d.notice = mine.notice
    returning d.notice
"""
PARK_GONE = """
    update dispatch d set parked_reason = 'notifier_gone'
    from notice n
    where d.notifier <> all($1) and n.id = d.notice
      and d.sent_at is null and d.parked_reason is null and d.suppressed is null
    returning n.*, null as url, d.notifier, d.attempts, d.next_try_at, d.parked_reason, d.error,
              d.digest, d.ways
"""
PARKED = """
    select n.*, t.url, d.notifier, d.attempts, d.next_try_at, d.parked_reason, d.error, d.digest,
              d.ways
    from dispatch d
    join notice n on n.id = d.notice
    left join thread t on t.account = n.account and t.id = n.thread
    where d.parked_reason is not null and d.sent_at is null and d.suppressed is null
    order by n.raised_at, n.id, d.notifier
    limit $1
"""
# What of a digest was tried keeps its key, and gets no new company: it counts as tried. So does a
# trouble, and its rung: who gave no answer may have heard of it. The others may leave together.
RETRY_PARKED = """
    with mine as (
        select d.notice, d.notifier, d.digest is null and n.kind = any($3)
               and not (n.kind = 'escalation' and n.clock is null) as anew
        from dispatch d join notice n on n.id = d.notice
        where d.parked_reason is not null and d.sent_at is null and d.suppressed is null
          and ($1::bigint[] is null or d.notice = any($1))
          and ($2::text is null or d.notifier = $2)
        order by d.notice, d.notifier
        for update of d
    ), again as (
        update dispatch d
        set parked_reason = null, error = null, next_try_at = now(),
            attempts = case when mine.anew then 0 else least(attempts, 1) end
        from mine
        where d.notice = mine.notice and d.notifier = mine.notifier
        returning d.notice
    )
    select count(*), case when count(*) > 0 then pg_notify('replyby', 'deliver') end from again
"""
WAITS = """
    select extract(epoch from next_try_at - now())::float8 from dispatch
    where notifier = $1 and digest is null
      and sent_at is null and parked_reason is null and suppressed is null
    order by next_try_at
    limit 1
"""


async def claim(
    db: Db,
    notifier: str,
    limit: int,
    alone: Sequence[int] | None = None,
    *,
    ends: bool | None = None,
) -> list[Dispatch]:
    """The next dispatches of *notifier* that are due, for `LEASE`; oldest first.

    Of the kinds that come as floods only those of the notices *alone* are tried for the first time;
    None: all. *ends*: only what closes something, or only the others; None: both.
    """
    rows = await db.fetch(CLAIM, notifier, limit, LEASE, alone, FLOODING, ends)
    return sorted((of_row(row) for row in rows), key=lambda d: d.notice.raised_at)


async def release(db: Db, notifier: str) -> int:
    """Let go of the digests of accounts whose first walk has ended and is told whole."""
    return _count(await db.execute(RELEASE, notifier))


async def dropped(db: Db, notifier: str, notices: Sequence[int]) -> dict[int, str]:
    """Those of *notices* that were dropped since they were claimed, and why."""
    rows = await db.fetch(DROPPED, notifier, notices)
    return {row["notice"]: row["suppressed"] for row in rows}


async def done(db: Db, notifier: str, notices: Sequence[int], at: datetime) -> frozenset[int]:
    """Write that *notices* were sent.

    Returns:
        Breaches that were taken back while they were leaving: their reader needs the correction.
    """
    rows = await db.fetch(DONE, notifier, notices, at, NOT_TAKEN_BACK)
    return frozenset(row["notice"] for row in rows if row["too_late"])


async def retry(
    db: Db, notifier: str, notices: Sequence[int], delay: timedelta, error: str
) -> None:
    """Try *notices* again after *delay*."""
    await db.execute(RETRY, notifier, notices, delay, error)


async def put_back(db: Db, notifier: str, claimed: Sequence[Dispatch]) -> int:
    """Make *claimed* due again, and count no attempt for it; how many.

    Not what somebody has sent or claimed since. None of it may have been tried.
    """
    ids = [dispatch.notice.id for dispatch in claimed]
    until = [dispatch.next_try_at for dispatch in claimed]
    return _count(await db.execute(PUT_BACK, notifier, ids, until))


async def postpone(
    db: Db, notifier: str, until: Sequence[tuple[Dispatch, datetime, str]]
) -> frozenset[int]:
    """Let what was just claimed leave at an instant instead, under a digest's name; what was.

    Not what somebody has sent or claimed since, and not what has failed. What was claimed before
    keeps the key that its reader may know it by.
    """
    claimed, ends, digests = zip(*until, strict=True)
    ids = [one.notice.id for one in claimed]
    leases = [one.next_try_at for one in claimed]
    rows = await db.fetch(POSTPONE, notifier, ids, leases, ends, digests)
    return frozenset(row["notice"] for row in rows)


async def park(
    db: Db, notifier: str, notices: Sequence[int], reason: str, error: str
) -> frozenset[int]:
    """Give up on *notices*, visibly; those that were parked now."""
    rows = await db.fetch(PARK, notifier, notices, reason, error)
    return frozenset(row["notice"] for row in rows)


async def park_gone(db: Db, notifiers: Collection[str]) -> list[Dispatch]:
    """Park what is meant for a notifier that is none of *notifiers*: it left the settings."""
    return [of_row(row) for row in await db.fetch(PARK_GONE, list(notifiers))]


async def parked(db: Db, limit: int = 1000) -> list[Dispatch]:
    """What was given up and is still true, oldest first."""
    return [of_row(row) for row in await db.fetch(PARKED, limit)]


async def retry_parked(
    db: Db, notices: Sequence[int] | None = None, notifier: str | None = None
) -> int:
    """Make parked dispatches due again: all, those of *notices*, those to *notifier*.

    Not what is no longer true: nobody has heard of it, and no correction would follow.
    """
    return int(await db.fetchval(RETRY_PARKED, notices, notifier, FLOODING))


async def waits(db: Db, notifier: str) -> float | None:
    """Seconds until the next dispatch to *notifier* is due that leaves by itself; None: none waits.

    Of what leaves together: `core.store.digests.ripening`.
    """
    seconds = await db.fetchval(WAITS, notifier)
    return None if seconds is None else float(seconds)


def numbers(part: Iterable[Dispatch]) -> list[int]:
    """The ids of the notices of *part*."""
    return [dispatch.notice.id for dispatch in part if dispatch.notice.id is not None]


def begun(claimed: Dispatch) -> bool:
    """Whether what was just *claimed* left in a digest before, or may have."""
    return claimed.digest is not None and claimed.attempts > 1


def settled(claimed: Iterable[Dispatch], held: Iterable[int | None]) -> set[int | None]:
    """What left in a digest before, of which not all is *held*, by the numbers of the notices.

    It leaves: a part of a digest, later and under the same key, would be taken for known.
    """
    together: defaultdict[str | None, set[int | None]] = defaultdict(set)
    for one in filter(begun, claimed):
        together[one.digest].add(one.notice.id)
    kept = set(held)
    return {each for several in together.values() if several - kept for each in several}


def of_row(row: Record) -> Dispatch:
    """A row of a dispatch with all of its notice and the thread's ``url``."""
    return Dispatch(
        notice=_notice(row),
        notifier=row["notifier"],
        attempts=row["attempts"],
        next_try_at=row["next_try_at"],
        parked_reason=row["parked_reason"],
        error=row["error"],
        digest=row["digest"],
        url=row["url"],
        ways=tuple(row["ways"] or ()),
    )


def _notice(row: Record) -> Notice:
    return Notice(
        id=row["id"],
        key=row["key"],
        kind=NoticeKind(row["kind"]),
        account=row["account"],
        raised_at=row["raised_at"],
        thread=row["thread"],
        clock=row["clock"],
        due_at=row["due_at"],
        facts=tuple(sorted(row["facts"].items())),
    )


def _count(status: str) -> int:
    return int(status.rsplit(maxsplit=1)[-1])
