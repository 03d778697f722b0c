"""The watcher's side of clocks: whose next step has passed, moved on, counted.

Rows are claimed with ``skip locked``, so the watcher waits for nobody and two of them share the
work; moving on is compare-and-set all the same: a row that changed is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from core.model import NoticeKind
    from core.store import Db

ALERTABLE = """
    select id, account, revision, step, due_at, steps
    from clock
    where next_alert_at < $1 and ($3 or next_alert_at < due_at)
    order by next_alert_at
    limit $2
    for no key update skip locked
"""
# By the primary key alone: an index on due_at would be tried a batch squared times where a whole
# batch is due at one instant, as at a closing time. What the notice says of its clock is taken from
# the row at hand: fetched and sent back it was more than half of the watcher's own time.
MOVE = """
    with moved as (
        update clock c set step = w.told, next_alert_at = w.next_alert_at
        from unnest($1::bigint[], $2::integer[], $3::smallint[], $4::timestamptz[], $5::smallint[],
                    $6::timestamptz[], $7::text[], $8::text[], $9::timestamptz[])
            as w (id, revision, step, due_at, told, next_alert_at, key, kind, read_at)
        where c.id = w.id and c.revision = w.revision and c.step = w.step
          and c.due_at is not distinct from w.due_at
          and c.ended is null
        returning w.key, w.kind, w.read_at, c.account, c.thread, c.id, c.due_at, c.promise,
                  c.waits_for, c.metric, c.due_from, c.started_at
    )
    insert into notice (key, kind, account, thread, clock, due_at, facts, raised_at)
    select key, kind, account, thread, id, due_at,
           jsonb_build_object('promise', promise, 'waits_for', waits_for, 'metric', metric,
                              'due_from', due_from, 'started_at', started_at, 'read_at', read_at),
           $10
    from moved
    on conflict (key) do nothing
    returning clock, id
"""
NEXT_ALERT = """
    select next_alert_at from clock
    where next_alert_at is not null and ($1 or next_alert_at < due_at)
    order by next_alert_at
    limit 1
"""
SEEN = """
    select a.name, a.monitored_since, a.first_walk_at,
           case when bool_and(s.seen_through is not null) then min(s.seen_through) end as read_at
    from account a
    left join stream s on s.account = a.name and s.carries_clocks
    where a.name = any($1)
    group by a.name
"""
COUNTABLE = """
    select exists (
        select from clock
        where (ended is null and next_alert_at is null or ended = 'late')
          and not history and steps <> '{}'
          and (breached_at is null or corrected_at is not null)
          and due_at < $1
    )
"""
# Read past the deadline, or one interval and a minute later without a good reading. One that ended
# late was read: it is here only where our clock was unsure when that was stored.
COUNT = """
    with ready as (
        select c.id, c.breached_at, c.corrected_at, c.correction
        from clock c
        left join (
            select account, max("interval") as every,
                   case when bool_and(seen_through is not null) then min(seen_through) end as seen
            from stream where carries_clocks group by account
        ) s on s.account = c.account
        where (c.ended is null and c.next_alert_at is null or c.ended = 'late')
          and not c.history and c.steps <> '{}'
          and (c.breached_at is null or c.corrected_at is not null)
          and c.due_at < $1
          and (c.ended = 'late'
               or s.seen >= c.due_at
               or c.due_at + coalesce(s.every, interval '0') + interval '60 seconds' < $1)
        order by c.due_at
        limit $2
        for no key update of c skip locked
    ), counted as (
        update clock c set breached_at = c.due_at, corrected_at = null, correction = null
        from ready
        where c.id = ready.id
        returning c.id, c.account, c.metric, c.breached_at,
            jsonb_build_object('breached_at', ready.breached_at, 'corrected_at',
                               ready.corrected_at, 'correction', ready.correction) as before
    ), entries as (
        insert into clock_entry (clock, at, what, before, after)
        select id, $1, 'breached', before, jsonb_build_object('breached_at', breached_at)
        from counted
    )
    select account, metric, count(*) as n from counted group by account, metric
"""
TOLD_AHEAD = """
    select account, array_agg(distinct thread order by thread) as threads from clock
    where ended is null and due_at > $1 and not history and steps <> '{}'
      and (next_alert_at is null or breached_at is not null and corrected_at is null)
    group by account
    order by account
"""
SOON = """
    select account, min(due_at) as due_at from clock
    where ended is null and due_at > $1 and due_at <= $2 and next_alert_at is not null
    group by account
"""


class Alert(NamedTuple):
    """A clock one of whose steps has passed."""

    id: int
    account: str
    revision: int
    step: int
    due_at: datetime
    steps: Sequence[datetime]


class Seen(NamedTuple):
    """How far an account was read: *read_at* is its slowest stream's last walk, None for never."""

    account: str
    monitored_since: datetime
    first_walk_at: datetime | None
    read_at: datetime | None


class Move(NamedTuple):
    """A clock to be moved on to step *told*, if it is still as it was, and what tells it.

    *key* and *kind* are the notice's; *read_at* is how far the account was read.
    """

    id: int
    revision: int
    step: int
    due_at: datetime
    told: int
    next_alert_at: datetime | None
    key: str
    kind: NoticeKind
    read_at: datetime | None


async def alertable(db: Db, now: datetime, limit: int, *, sure: bool = True) -> list[Alert]:
    """Clocks whose next step lies before *now*, the longest passed first; locked.

    Without *sure* those whose next step is the breach stay where they are.
    """
    return [Alert(*row) for row in await db.fetch(ALERTABLE, now, limit, sure)]


async def move(db: Db, moves: Iterable[Move], now: datetime) -> dict[int, int]:
    """Move clocks on and write what is told of each, raised at *now*.

    Returns:
        The notice by clock, of those that were still as they were: each is moved by one watcher
        only. Who hears of it is the caller's (`notices.send_out`), in the same transaction.
    """
    columns = tuple(zip(*moves, strict=True))
    rows = await db.fetch(MOVE, *columns, now) if columns else ()
    return {row["clock"]: row["id"] for row in rows}


async def next_alert(db: Db, *, sure: bool = True) -> datetime | None:
    """The instant of the first step that is not told; None while no clock has one."""
    at: datetime | None = await db.fetchval(NEXT_ALERT, sure)
    return at


async def seen(db: Db, accounts: Iterable[str]) -> dict[str, Seen]:
    """How far each of *accounts* was read."""
    rows = await db.fetch(SEEN, sorted(set(accounts)))
    return {row["name"]: Seen(*row) for row in rows}


async def is_countable(db: Db, now: datetime) -> bool:
    """Whether `count` might find something; it asks little where nothing is to be counted."""
    return bool(await db.fetchval(COUNTABLE, now))


async def count(db: Db, now: datetime, limit: int) -> dict[tuple[str, str], int]:
    """Count breaches that reading has confirmed; how many, by account and metric.

    One that was told is counted when every stream that carries clocks was read past the deadline,
    or one poll interval and a minute later without a good reading; one that ended late while the
    host's clock was not believed, now that it is. Rule: clock.md, section 7.
    """
    rows = await db.fetch(COUNT, now, limit)
    return {(row["account"], row["metric"]): row["n"] for row in rows}


async def told_ahead(db: Db, now: datetime) -> dict[str, list[str]]:
    """By account, threads with a breach that was told or counted before its deadline, still ahead.

    So it looks where the host's clock ran ahead and was put right.
    """
    return {row["account"]: row["threads"] for row in await db.fetch(TOLD_AHEAD, now)}


async def soon(db: Db, now: datetime, within: timedelta) -> dict[str, datetime]:
    """The next deadline that comes *within*, by account; of clocks of which a step is left."""
    return {row["account"]: row["due_at"] for row in await db.fetch(SOON, now, now + within)}
