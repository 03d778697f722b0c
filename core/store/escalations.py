"""Escalations: a notice climbs a ladder, rung by rung, until somebody acts.

Where it stands is here and nowhere else; `core.store.rungs` moves it on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from core.model import NoticeKind
from core.people.ladders import Ladder, Rung
from core.store import overtaken, wake
from core.told import OPENING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from asyncpg import Record

    from core.store import Db

OF_CLOCKS = OPENING - {NoticeKind.ESCALATION}
"""What climbs until its clock ends."""
ENDS: Mapping[NoticeKind, frozenset[NoticeKind]] = MappingProxyType({
    trouble: frozenset({end, overtaken.RETIRED})
    for troubles, end in overtaken.TROUBLES
    for trouble in troubles
})  # fmt: skip
"""What climbs without a clock, each until one of these is told. Nothing else climbs: nobody could
say when it is over."""

Ended = Literal["answered", "ended", "moved", "over", "acknowledged", "exhausted"]


# What was begun under another deadline ends with that, also where nobody has noticed yet.
OUTDATED = """
    update escalation e set ended = 'moved', ended_at = $2
    from clock c
    where c.id = e.clock and e.clock = any($1) and e.ended_at is null and c.revision <> e.revision
"""
# A trouble that was over came again: it climbs from where it begins now.
RECOVERED = """
    update escalation e set ended = 'over', ended_at = $4
    from unnest($1::text[], $2::text[], $3::text[]) as w (account, kind, ends)
    where e.account = w.account and e.kind = w.kind and e.clock is null and e.ended_at is null
      and exists (
          select from notice n
          where n.account = e.account and n.id > e.notice
            and n.kind = any(string_to_array(w.ends, ' '))
            and n.kind in ('account_up', 'account_retired', 'push_heard', 'disk_freed')
      )
"""
# What waits for quiet hours to end has not begun: a later word that is told sooner begins it.
SOONER = """
    update escalation e
    set began_at = w.at, told_at = w.at, next_at = w.at + (e.next_at - e.told_at)
    from unnest($1::bigint[], $2::text[], $3::timestamptz[]) as w (clock, ladder, at)
    where e.clock = w.clock and e.ladder = w.ladder and e.ended_at is null
      and e.rung = 0 and e.told_at > w.at
"""
BEGIN = """
    insert into escalation (notice, kind, account, thread, clock, revision, route, ladder, terms,
                            began_at, told_at, next_at)
    select w.notice, w.kind, w.account, w.thread, w.clock, c.revision, w.route, w.ladder,
           w.terms::jsonb, w.at, w.at, w.at + w.wait
    from unnest(
        $1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
        $8::text[], $9::timestamptz[], $10::interval[]
    ) as w (notice, kind, account, thread, clock, route, ladder, terms, at, wait)
    left join clock c on c.id = w.clock
    where w.clock is null or c.id is not null
    on conflict do nothing
"""
STOP = """
    update escalation set ended = $2, ended_at = $3
    where clock = any($1) and ended_at is null
"""
CARRY = """
    update escalation e set revision = c.revision
    from clock c
    where c.id = e.clock and e.clock = any($1) and e.ended_at is null
"""
# Also where its last rung was raised: that may not have left yet.
ACKNOWLEDGE = """
    update escalation set ended = 'acknowledged', ended_at = $3, ended_by = $2
    where notice = $1 and (ended_at is null or ended = 'exhausted')
    returning id
"""
TROUBLES = """
    select notice from escalation
    where account = $1 and clock is null and ended_at is null
    order by id
"""
# Who was to be told more by now need not be: it is known who is on it.
UNSAID = """
    with theirs as (
        select d.notice, d.notifier
        from notice n join dispatch d on d.notice = n.id
        where n.kind = 'escalation' and n.account = $1
          and (n.facts ->> 'escalation')::bigint = any($2)
          and d.sent_at is null and d.suppressed is null
        order by d.notice, d.notifier
        for update of d
    )
    update dispatch d set suppressed = 'over'
    from theirs
    where d.notice = theirs.notice and d.notifier = theirs.notifier
"""
OF_THREAD = """
    select e.id, e.notice, e.kind, e.account, e.thread, e.clock, e.revision, e.route, e.ladder,
           e.terms, e.rung, e.began_at, e.told_at, e.next_at, e.ended_at, e.ended, e.ended_by,
           n.due_at, n.facts, n.key
    from escalation e left join notice n on n.id = e.notice
    where e.account = $1 and e.thread = $2
    order by e.id
"""
TOLD = """
    select e.id, (n.facts ->> 'rung')::integer as rung,
           n.raised_at, d.notifier,
           case when d.sent_at is not null then 'sent'
                when d.suppressed is not null then 'dropped'
                when d.parked_reason is not null then 'parked'
                else 'waits' end as state
    from escalation e
    join notice n on n.clock = e.clock
    join dispatch d on d.notice = n.id
    where e.account = $1 and e.thread = $2
      and n.kind = 'escalation' and (n.facts ->> 'escalation')::bigint = e.id
    order by n.id, d.notifier
"""
RUNNING = """
    select least(rung, 3) as rung, count(*) as n from escalation
    where ended_at is null
    group by 1
"""
PURGE = "delete from escalation where ended_at < $1"


class Begun(NamedTuple):
    """A *notice* that was raised *at* an instant and climbs *ladder*, by the route of that name.

    *since* is when the first was told of it: later where all were quiet, or will be told then.
    """

    notice: int
    kind: NoticeKind
    account: str
    thread: str | None
    clock: int | None
    route: str
    ladder: Ladder
    at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class Escalation:
    """A notice on its ladder.

    *rung* is how many were told, repeats of the last included; *told_at* when, or since when it
    runs; *next_at* when the next is due if nothing holds it. *due_at*, *facts* and *key* are the
    notice's; of one that is no longer kept they are empty.
    """

    id: int
    notice: int
    kind: NoticeKind
    account: str
    thread: str | None
    clock: int | None
    revision: int | None
    route: str
    ladder: Ladder
    rung: int
    began_at: datetime
    told_at: datetime
    next_at: datetime
    ended_at: datetime | None
    ended: Ended | None
    ended_by: str | None
    due_at: datetime | None
    facts: Mapping[str, Any]
    key: str | None


class Told(NamedTuple):
    """A rung that was told to a notifier; *state*: ``sent``, ``waits``, ``dropped``, ``parked``."""

    id: int
    rung: int
    at: datetime
    notifier: str
    state: str


def climbs(kind: NoticeKind, clock: int | None) -> bool:
    """Whether a notice of *kind* climbs at all: it is known when nobody need act any more."""
    return kind in ENDS if clock is None else kind in OF_CLOCKS


async def begin(db: Db, begun: Iterable[Begun]) -> None:
    """Let notices climb that were raised in this transaction.

    A clock, or a trouble of an account, that climbs the ladder already goes on where it is.
    """
    each = [one for one in begun if climbs(one.kind, one.clock)]
    if not each:
        return
    await _of_clocks(db, [one for one in each if one.clock is not None])
    await _of_troubles(db, [one for one in each if one.clock is None])
    await db.execute(
        BEGIN,
        [one.notice for one in each],
        [one.kind.value for one in each],
        [one.account for one in each],
        [one.thread for one in each],
        [one.clock for one in each],
        [one.route for one in each],
        [one.ladder.name for one in each],
        [_written(one.ladder) for one in each],
        [one.since for one in each],
        [one.ladder.rungs[0].after for one in each],
    )
    await wake.send(db, "escalate")


async def _of_clocks(db: Db, begun: Sequence[Begun]) -> None:
    """Let what climbs for their clocks be as it is to be when these begin."""
    if not begun:
        return
    clocks = [one.clock for one in begun]
    await db.execute(OUTDATED, clocks, max(one.at for one in begun))
    ladders, since = [one.ladder.name for one in begun], [one.since for one in begun]
    await db.execute(SOONER, clocks, ladders, since)


async def _of_troubles(db: Db, begun: Sequence[Begun]) -> None:
    """End what climbs of the same troubles, where they were over before these began."""
    if begun:
        accounts, kinds = [one.account for one in begun], [one.kind.value for one in begun]
        ends = [" ".join(end.value for end in ENDS[one.kind]) for one in begun]
        await db.execute(RECOVERED, accounts, kinds, ends, max(one.at for one in begun))


async def stop(db: Db, clocks: Collection[int], why: str, now: datetime) -> None:
    """End what climbs for *clocks*, in the transaction that ends or moves them.

    *why* is that of `notices.drop`. What it misses (nothing was told yet, or the clock ended late
    without an answer) ends when its next rung is due.
    """
    if clocks:
        await db.execute(STOP, list(clocks), why, now)


async def carry(db: Db, clocks: Collection[int]) -> None:
    """Let what climbs for *clocks* climb on: their revision rose, and their deadline stands."""
    if clocks:
        await db.execute(CARRY, list(clocks))


async def acknowledge(db: Db, account: str, notice: int, by: str, now: datetime) -> int:
    """Somebody has taken note of *notice*: nobody else is told of it; how many ladders ended."""
    rows = await db.fetch(ACKNOWLEDGE, notice, by, now)
    ids = [row["id"] for row in rows]
    if ids:
        await unsaid(db, account, ids)
    return len(ids)


async def troubles(db: Db, account: str) -> list[int]:
    """The notices of an account's troubles that climb, in the order in which they began."""
    return [row["notice"] for row in await db.fetch(TROUBLES, account)]


async def unsaid(db: Db, account: str, ids: Sequence[int]) -> None:
    """Keep back what was told of these escalations and has not left: it is not needed any more."""
    await db.execute(UNSAID, account, list(ids))


async def of_thread(db: Db, account: str, thread: str) -> list[Escalation]:
    """What climbs, or has climbed, of a thread, in the order in which it began."""
    return [of_row(row) for row in await db.fetch(OF_THREAD, account, thread)]


async def told(db: Db, account: str, thread: str) -> list[Told]:
    """Who was told which rung of a thread, in order."""
    return [Told(*row) for row in await db.fetch(TOLD, account, thread)]


async def running(db: Db) -> dict[int, int]:
    """How many climb, by the rungs that were told: 0, 1, 2, and 3 for any more."""
    return {row["rung"]: row["n"] for row in await db.fetch(RUNNING)}


async def purge(db: Db, before: datetime) -> int:
    """Forget what ended *before*; how many."""
    return int((await db.execute(PURGE, before)).split()[-1])


def _written(ladder: Ladder) -> str:
    return json.dumps({
        "rungs": [{"after": r.after.total_seconds(), "tell": list(r.tell)} for r in ladder.rungs],
        "repeat": ladder.repeat and ladder.repeat.total_seconds(),
    })  # fmt: skip


def _read(name: str, terms: Mapping[str, Any]) -> Ladder:
    rungs = (Rung(timedelta(seconds=r["after"]), tuple(r["tell"])) for r in terms["rungs"])
    repeat = terms.get("repeat")
    return Ladder(name, tuple(rungs), timedelta(seconds=repeat) if repeat else None)


def of_row(row: Record) -> Escalation:
    """A row of an escalation with ``due_at``, ``facts`` and ``key`` of its notice."""
    return Escalation(
        id=row["id"],
        notice=row["notice"],
        kind=NoticeKind(row["kind"]),
        account=row["account"],
        thread=row["thread"],
        clock=row["clock"],
        revision=row["revision"],
        route=row["route"],
        ladder=_read(row["ladder"], row["terms"]),
        rung=row["rung"],
        began_at=row["began_at"],
        told_at=row["told_at"],
        next_at=row["next_at"],
        ended_at=row["ended_at"],
        ended=row["ended"],
        ended_by=row["ended_by"],
        due_at=row["due_at"],
        facts=row["facts"] or {},
        key=row["key"],
    )
