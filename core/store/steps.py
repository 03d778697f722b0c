"""The watcher's side of clocks: whose next step has passed, moved on, counted.

A clock's alarm (`core.store.alarms`) says what is next of it and what was told. The clock itself is
only read, and written when its breach is counted. Alarms are claimed with ``skip locked``, so the
watcher waits for nobody and two of them share the work; moving on is compare-and-set all the same:
an alarm of which there is a newer version than the one that was looked at is left alone, for
whoever changes a clock writes its alarm anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from core.store import Db

BATCH = 250
"""Clocks told, or counted, in one transaction at most: the first waits for the last of them."""

# One statement: what is sent to and fro was half of the whole. How many steps have passed is
# `sla.clock.reached`, and what is next `alarms.of`, said once more: a test holds them against each
# other. The version of a row that was locked is the one that moves (its ctid): it needs no index to
# be found again, and no other can have become it. The limit is written out and the instant hidden
# from the planner, which would else sort all that is due for each batch of it.
TELL = """
    with due as materialized (
        select ctid as place, clock, at
        from alarm
        where kind in ('warning', 'breach') and at < (select $1::timestamptz)
          and ($2 or kind = 'warning')
        order by at
        limit 250
        for no key update skip locked
    ), passed as materialized (
        select due.place, due.at, c.id, c.account, c.thread, c.revision, c.due_at, c.steps,
               c.promise, c.waits_for, c.metric, c.due_from, c.started_at,
               least((select count(*) from unnest(c.steps) as passed where passed < $1),
                     cardinality(c.steps) - case when $2 then 0 else 1 end)::smallint as step
        from due join clock c on c.id = due.clock
        where c.ended is null
    ), read as (
        select a.name, a.first_walk_at,
               coalesce(a.restored_at, a.monitored_since) as first_walk_of,
               a.restored_at is not null as restored,
               case when bool_and(s.seen_through is not null) then min(s.seen_through) end as at
        from account a
        left join stream s on s.account = a.name and s.carries_clocks
        where a.name in (select account from passed)
        group by a.name
    ), moved as (
        update alarm a
        set step = p.step, at = coalesce(p.steps[p.step + 1], p.due_at),
            kind = (case cardinality(p.steps) - p.step
                    when 0 then 'told' when 1 then 'breach' else 'warning' end)::alarm_kind
        from passed p
        where a.ctid = p.place
        returning p.*
    ), raised as (
        insert into notice (key, kind, account, thread, clock, due_at, facts, raised_at)
        select m.id || '/' || m.revision || '/' || m.step,
               case when m.step = cardinality(m.steps) then 'breach' else 'warning' end,
               m.account, m.thread, m.id, m.due_at,
               jsonb_build_object('promise', m.promise, 'waits_for', m.waits_for,
                                  'metric', m.metric, 'due_from', m.due_from,
                                  'started_at', m.started_at, 'read_at', r.at),
               $1
        from moved m left join read r on r.name = m.account
        order by m.at, m.id
        on conflict (key) do nothing
        returning id, kind, account, clock
    )
    select raised.id as notice, raised.kind, raised.account,
           case when r.first_walk_at is null or moved.steps[moved.step] <= r.first_walk_at
                then r.first_walk_of end as first_walk_of, r.restored,
           moved.thread, moved.promise, moved.step, moved.id as clock
    from raised
    join moved on moved.id = raised.clock
    left join read r on r.name = raised.account
"""
NEXT_ALERT = """
    select at from alarm
    where kind in ('warning', 'breach') and ($1 or kind = 'warning')
    order by at
    limit 1
"""
# Nothing is read past the newest reading, nor given up within a minute.
COUNTABLE = """
    select exists (
        select from alarm
        where kind in ('told', 'late') and at < (select $1::timestamptz)
          and (kind = 'late'
               or at <= greatest((select max(seen_through) from stream where carries_clocks),
                                 $1 - interval '60 seconds'))
    )
"""
# Read past the deadline, or one interval and a minute later without a good reading. One that ended
# late was read: it is here only where our clock was unsure when that was stored. In the order of
# the index and no further than the batch: after a flood each would else look at all of it. One that
# was counted when it was stored, as ended late, and runs again is told, and not counted twice.
COUNT = """
    with ready as materialized (
        select a.ctid as place
        from alarm a
        where a.kind in ('told', 'late') and a.at < (select $1::timestamptz)
          and (a.kind = 'late' or (
              select coalesce(bool_and(coalesce(s.seen_through >= a.at, false))
                              or a.at + max(s."interval") + interval '60 seconds' < $1,
                              a.at + interval '60 seconds' < $1)
              from clock c join stream s on s.account = c.account and s.carries_clocks
              where c.id = a.clock))
        order by a.at
        limit 250
        for update skip locked
    ), done as (
        delete from alarm a using ready where a.ctid = ready.place
        returning a.clock, a.step
    ), settled as (
        update clock c
        set step = done.step,
            breached_at = case when fresh then c.due_at else c.breached_at end,
            corrected_at = case when fresh then null else c.corrected_at end,
            correction = case when fresh then null else c.correction end
        from done
        join clock was on was.id = done.clock
        cross join lateral (
            select was.breached_at is null or was.corrected_at is not null as fresh
        ) as it
        where c.id = done.clock
        returning fresh, c.id, c.account, c.metric, c.breached_at,
            jsonb_build_object('breached_at', was.breached_at, 'corrected_at', was.corrected_at,
                               'correction', was.correction) as before
    ), entries as (
        insert into clock_entry (clock, at, what, before, after)
        select id, $1, 'breached', before, jsonb_build_object('breached_at', breached_at)
        from settled where fresh
    )
    select account, metric, count(*) as n from settled where fresh group by account, metric
"""
TOLD_AHEAD = """
    select account, array_agg(distinct thread order by thread) as threads from clock
    where ended is null and due_at > $1 and not history and steps <> '{}'
      and (breached_at is not null and corrected_at is null
           or id in (select clock from alarm where kind in ('told', 'late') and at > $1))
    group by account
    order by account
"""
SOON = """
    select account, min(due_at) as due_at from clock c
    where ended is null and due_at > $1 and due_at <= $2
      and exists (select from alarm a where a.clock = c.id and a.kind in ('warning', 'breach'))
    group by account
"""


class Told(NamedTuple):
    """A notice of a step that was told just now.

    *first_walk_of*: since when the account is monitored, or was *restored*, of a step that had
    passed before its first walk since then ended; None of every other. *step* is its number.
    """

    notice: int
    kind: str
    account: str
    first_walk_of: datetime | None
    restored: bool | None
    thread: str
    promise: str
    step: int
    clock: int


async def tell(db: Db, now: datetime, *, sure: bool = True) -> list[Told]:
    """Move clocks on whose next step lies before *now*, the longest passed first, and tell each.

    Of several steps that have passed only the highest is told; without *sure*, no breach. Who hears
    of it is the caller's (`notices.send_out`), in the same transaction.
    """
    return [Told(*row) for row in await db.fetch(TELL, now, sure)]


async def next_alert(db: Db, *, sure: bool = True) -> datetime | None:
    """The instant of the first step that is not told; None while no clock has one."""
    at: datetime | None = await db.fetchval(NEXT_ALERT, sure)
    return at


async def is_countable(db: Db, now: datetime) -> bool:
    """Whether `count` might find something; it asks little where nothing is to be counted."""
    return bool(await db.fetchval(COUNTABLE, now))


async def count(db: Db, now: datetime) -> dict[tuple[str, str], int]:
    """Count breaches that reading has confirmed; how many, by account and metric.

    One that was told is counted when every stream that carries clocks was read past the deadline,
    or one poll interval and a minute later without a good reading; one that ended late while the
    host's clock was not believed, now that it is. Rule: clock.md, section 7.
    """
    rows = await db.fetch(COUNT, now)
    return {(row["account"], row["metric"]): row["n"] for row in rows}


async def told_ahead(db: Db, now: datetime) -> dict[str, list[str]]:
    """By account, threads with a breach that was told or counted before its deadline, still ahead.

    So it looks where the host's clock ran ahead and was put right.
    """
    return {row["account"]: row["threads"] for row in await db.fetch(TOLD_AHEAD, now)}


async def soon(db: Db, now: datetime, within: timedelta) -> dict[str, datetime]:
    """The next deadline that comes *within*, by account; of clocks of which a step is left."""
    return {row["account"]: row["due_at"] for row in await db.fetch(SOON, now, now + within)}
