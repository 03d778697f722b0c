"""What is read: the row of a stream is its schedule, its lease and its fence at once.

A claim moves the due time to the end of the lease, so a dead claim becomes due by itself. Every
claim raises the fence; a result counts only under the fence with which it was claimed. Schedules
and leases go by the database's clock, what people are told (health, readings) by the host's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import LeaseLost
from core.model import HealthState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from asyncpg import Record

    from core.store import Db

# A shared rate limit that says "not now" moves the due time to when it has room again.
CLAIM = """
    with due as materialized (
        select s.account, s.stream, b.next_at,
               a.first_walk_at is null or a.down_since is not null as unsettled
        from stream s
        join account a on a.name = s.account
        left join budget b on b.key = a.budget_key and b.next_at > now()
        where s.next_due <= now()
        order by s.next_due
        limit $2
        for no key update of s skip locked
    )
    update stream s
    set holder = case when due.next_at is null then $1::bigint end,
        leased_until = case when due.next_at is null then now() + $3::interval end,
        next_due = coalesce(due.next_at, now() + $3::interval),
        not_before = case when due.next_at is null then now() + s.floor else s.not_before end,
        fence = s.fence + 1
    from due
    where s.account = due.account and s.stream = due.stream
    returning s.account, s.stream, s.fence, s.cursor, s.failures, s.health, s.health_since,
              s.last_ok_at, due.unsettled, due.next_at is null as held
"""
# Asked for by a person: due or not, but not what is just being read.
TAKE = """
    with wanted as materialized (
        select s.account, s.stream,
               a.first_walk_at is null or a.down_since is not null as unsettled
        from stream s join account a on a.name = s.account
        where s.account = $2 and ($3::text is null or s.stream = $3)
          and s.next_due < 'infinity' and (s.holder is null or s.leased_until <= now())
        order by s.account, s.stream
        for no key update of s skip locked
    )
    update stream s
    set holder = $1, leased_until = now() + $4::interval, next_due = now() + $4::interval,
        not_before = now() + s.floor, fence = s.fence + 1
    from wanted
    where s.account = wanted.account and s.stream = wanted.stream
    returning s.account, s.stream, s.fence, s.cursor, s.failures, s.health, s.health_since,
              s.last_ok_at, wanted.unsettled, true as held
"""
# The fence moves: a walk that is on its way may not put its cursor back.
REWIND = """
    update stream
    set cursor = null, next_due = now(), not_before = now(), holder = null, leased_until = null,
        pulled_to = null, fence = fence + 1
    where account = $1 and stream = $2 and next_due < 'infinity'
    returning true
"""
HOLD = """
    update stream set leased_until = now() + $5::interval, next_due = now() + $5::interval
    where account = $1 and stream = $2 and holder = $3 and fence = $4
    returning true
"""
ADVANCE = """
    update stream set cursor = $5
    where account = $1 and stream = $2 and holder = $3 and fence = $4
    returning true
"""
# Locked in order, as whoever locks all streams of an account does it.
# A cursor that did not change stays where it is: a mailbox's may be a long one.
FINISH = """
    with held as materialized (
        select s.account, s.stream, w.cursor, w.begun, w.now, w.wait
        from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[],
                    $6::timestamptz[], $7::timestamptz[], $8::interval[])
            as w (account, stream, holder, fence, cursor, begun, now, wait)
        join stream s on s.account = w.account and s.stream = w.stream
                     and s.holder = w.holder and s.fence = w.fence
        order by s.account, s.stream
        for no key update of s
    )
    update stream s
    set cursor = case when held.cursor <> s.cursor then held.cursor
                      else coalesce(s.cursor, held.cursor) end,
        seen_through = greatest(s.seen_through, held.begun), last_ok_at = held.now,
        next_due = greatest(s.not_before, least(now() + held.wait, s.pulled_to)),
        pulled_to = null, holder = null, leased_until = null, failures = 0, backoff_until = null,
        error = null, health = 'ok',
        health_since = case when s.health = 'ok' then s.health_since else held.now end
    from held
    where s.account = held.account and s.stream = held.stream
    returning s.account, s.stream
"""
FAIL = """
    update stream
    set next_due = now() + $5::interval, not_before = now() + $5::interval,
        backoff_until = now() + $5::interval, pulled_to = null, holder = null,
        leased_until = null, failures = failures + 1, error = $7,
        health_since = case when health = $6 then health_since else $8 end, health = $6
    where account = $1 and stream = $2 and holder = $3 and fence = $4
    returning true
"""
PUT_BACK = """
    update stream
    set next_due = now() + $5::interval, holder = null, leased_until = null, pulled_to = null
    where account = $1 and stream = $2 and holder = $3 and fence = $4
"""
FREE = """
    update stream
    set next_due = now(), holder = null, leased_until = null, pulled_to = null
    where holder = $1
"""
FREE_FORGOTTEN = """
    update stream s
    set next_due = now(), holder = null, leased_until = null, pulled_to = null
    where holder = $1 and not exists (
        select from unnest($2::text[], $3::text[], $4::bigint[]) as read (account, stream, fence)
        where (read.account, read.stream, read.fence) = (s.account, s.stream, s.fence)
    )
"""
# Only earlier, never past its floor or its backoff; a walk that has begun since then will do. A
# stream that is just being read remembers it. Locked ones are being finished: the next round.
PULL_FORWARD = """
    with wanted as (
        select s.account, s.stream, s.holder is not null as held,
               now() + greatest(w.wait, interval '0') as at
        from unnest($1::text[], $2::timestamptz[], $3::interval[]) as w (account, at, wait)
        join stream s on s.account = w.account and s.carries_clocks
                     and ($4::text[] = '{}' or s.stream = any($4))
        join account a on a.name = s.account and a.retired_at is null
        where (s.seen_through is null or s.seen_through < w.at)
          and case when s.holder is null then s.next_due > greatest(s.not_before, now() + w.wait)
                   else coalesce(s.pulled_to, 'infinity') > now() + w.wait end
        order by s.account, s.stream
        for no key update of s skip locked
    )
    update stream s
    set next_due = case when held then s.next_due else greatest(s.not_before, wanted.at) end,
        pulled_to = case when held then wanted.at end
    from wanted
    where s.account = wanted.account and s.stream = wanted.stream
"""
NEXT_DUE = "select least(min(next_due), now() + interval '1 hour') - now() from stream"
OF_ACCOUNT = """
    select stream, carries_clocks, health, health_since, seen_through from stream
    where account = $1 and next_due < 'infinity' order by stream
    for no key update
"""
STOP = """
    update stream
    set health = 'bad_credentials', health_since = $3,
        next_due = now() + $2::interval, not_before = now() + $2::interval
    where account = $1 and holder is null and next_due < 'infinity'
      and health <> 'bad_credentials'
"""
# Whoever reads or locks one of them just now sees for himself how it is.
PROBE = """
    with left_alone as (
        select account, stream from stream
        where account = any($1) and holder is null and next_due > now() and next_due < 'infinity'
          and health = any($2)
        order by account, stream
        for no key update skip locked
    )
    update stream s set next_due = now(), not_before = now()
    from left_alone where s.account = left_alone.account and s.stream = left_alone.stream
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to read a stream: *fence* counts its claims; the rest is the row as claimed.

    *unsettled* says that its account waits for something only a reading can bring.
    """

    account: str
    stream: str
    worker: int
    fence: int
    cursor: str | None
    failures: int
    health: HealthState
    health_since: datetime
    last_ok_at: datetime | None
    unsettled: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """A complete walk under *lease* that began at *begun* and ended *now*; again after *wait*."""

    lease: Lease
    cursor: str | None
    begun: datetime
    now: datetime
    wait: timedelta


@dataclass(frozen=True, slots=True)
class Reading:
    """How a stream of an account is, and up to when it was read."""

    stream: str
    carries_clocks: bool
    health: HealthState
    health_since: datetime
    seen_through: datetime | None


async def claim(db: Db, worker: int, limit: int, lease: timedelta) -> list[Lease]:
    """Lease at most *limit* due streams to *worker*, the longest due first."""
    rows = await db.fetch(CLAIM, worker, limit, lease)
    return [_lease(row, worker) for row in rows if row["held"]]


async def take(
    db: Db, worker: int, account: str, stream: str | None, lease: timedelta
) -> list[Lease]:
    """Lease the streams of *account*, or one of them, due or not; what is being read is left."""
    rows = await db.fetch(TAKE, worker, account, stream, lease)
    return [_lease(row, worker) for row in rows]


async def rewind(db: Db, account: str, stream: str) -> bool:
    """Let *stream* be read at once and from its look-back; False where it is not read at all."""
    return bool(await db.fetchval(REWIND, account, stream))


async def hold(db: Db, lease: Lease, length: timedelta) -> None:
    """Make *lease* last for *length* from now; its row is locked until the transaction ends.

    Raises:
        LeaseLost: another worker has it.
    """
    _held(lease, await db.fetchval(HOLD, *_key(lease), length))


async def advance(db: Db, lease: Lease, cursor: str) -> None:
    """Move the cursor in the middle of a walk, as an ascending stream may.

    Raises:
        LeaseLost: another worker has it.
    """
    _held(lease, await db.fetchval(ADVANCE, *_key(lease), cursor))


async def finish(db: Db, walk: Finished) -> None:
    """Give the lease of a complete *walk* back.

    Raises:
        LeaseLost: another worker has it, and nothing of this transaction may count.
    """
    _held(walk.lease, await finish_all(db, [walk]))


async def finish_all(db: Db, walks: Sequence[Finished]) -> frozenset[tuple[str, str]]:
    """Give the leases of several complete walks back, each by itself.

    Returns:
        The streams (account, name) that were given back; another worker has the others.
    """
    columns = zip(*(_row(walk) for walk in walks), strict=True)
    return frozenset((r["account"], r["stream"]) for r in await db.fetch(FINISH, *columns))


async def fail(
    db: Db, lease: Lease, health: HealthState, error: str, now: datetime, wait: timedelta
) -> None:
    """Give *lease* back after a walk that failed; not to be tried again before *wait* is over.

    Raises:
        LeaseLost: another worker has it.
    """
    _held(lease, await db.fetchval(FAIL, *_key(lease), wait, health, error, now))


async def put_back(db: Db, lease: Lease, wait: timedelta) -> None:
    """Give *lease* back unread; another worker may have it after *wait*."""
    await db.execute(PUT_BACK, *_key(lease), wait)


async def free(db: Db, worker: int) -> int:
    """Give back whatever *worker* still holds, due at once; how many streams it were."""
    return _count(await db.execute(FREE, worker))


async def free_forgotten(db: Db, worker: int, reading: Collection[Lease]) -> int:
    """Give back, due at once, what *worker* holds and is not just *reading*; how many streams.

    A database that went away in the middle of a word leaves leases of which nobody knows.
    """
    known = [(lease.account, lease.stream, lease.fence) for lease in reading]
    accounts, names, fences = map(list, zip(*known, strict=True)) if known else ([], [], [])
    return _count(await db.execute(FREE_FORGOTTEN, worker, accounts, names, fences))


async def pull_forward(
    db: Db, at: Mapping[str, datetime], now: datetime, names: Collection[str] = ()
) -> int:
    """Let the walks of some accounts begin at an instant each, if they were to begin later.

    Of streams called *names*; without any, of all that carry clocks.

    Returns:
        How many streams are read earlier than they were to be.
    """
    if not at:
        return 0
    waits = [when - now for when in at.values()]
    return _count(await db.execute(PULL_FORWARD, list(at), list(at.values()), waits, list(names)))


async def next_due(db: Db) -> timedelta:
    """How long until a stream is due, an hour at most; less than nothing where one is."""
    wait: timedelta = await db.fetchval(NEXT_DUE)
    return wait


async def of_account(db: Db, account: str) -> list[Reading]:
    """The streams that are read of *account*; locked."""
    rows = await db.fetch(OF_ACCOUNT, account)
    return [
        Reading(r["stream"], r["carries_clocks"], HealthState(r["health"]), *r[3:]) for r in rows
    ]


async def stop(db: Db, account: str, wait: timedelta, since: datetime) -> None:
    """Stop reading *account*, whose key is refused: nothing is tried before *wait* is over."""
    await db.execute(STOP, account, wait, since)


async def probe(db: Db, accounts: Collection[str], health: Collection[HealthState]) -> int:
    """Read the streams of *accounts* at once that are as *health* says, whatever they wait for.

    Returns:
        How many streams are read earlier than they were to be.
    """
    return _count(await db.execute(PROBE, list(accounts), list(health)))


def _lease(row: Record, worker: int) -> Lease:
    return Lease(
        account=row["account"],
        stream=row["stream"],
        worker=worker,
        fence=row["fence"],
        cursor=row["cursor"],
        failures=row["failures"],
        health=HealthState(row["health"]),
        health_since=row["health_since"],
        last_ok_at=row["last_ok_at"],
        unsettled=row["unsettled"],
    )


def _count(status: str) -> int:
    return int(status.rsplit(maxsplit=1)[-1])


def _key(lease: Lease) -> tuple[str, str, int, int]:
    return lease.account, lease.stream, lease.worker, lease.fence


def _row(walk: Finished) -> tuple[object, ...]:
    return (*_key(walk.lease), walk.cursor, walk.begun, walk.now, walk.wait)


def _held(lease: Lease, row: Iterable[object] | None) -> None:
    if not row:
        raise LeaseLost(f"{lease.account}/{lease.stream}: another worker reads it")
