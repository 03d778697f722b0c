"""What stands open at receivers that keep what they are told, until they hear that it is over.

A notifier that can close (`core.notifier.Closes`) opens an incident with what it is told alone of a
clock. In the transaction in which that clock ends, or a breach of it is taken back, a notice of the
kind ``answered`` is raised for exactly those notifiers; nobody else hears of it. A clock that runs
again opens what its end had closed.

Who ends a clock has locked its row; so does who writes down that something was told, before any
dispatch (`hold`): one of the two sees what the other has done.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from core import keys
from core.model import Notice, NoticeKind
from core.store.dispatches import of_row
from core.told import OPENING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime

    from asyncpg import Record

    from core.model import Dispatch
    from core.store import Db

MOST_NAMES = 50
"""The newest messages of a clock are changed when it is answered; nobody reads that far back."""

HOLD = "select from clock where id = any($1) order by id for no key update"
OPEN = """
    insert into incident (clock, notifier, notice, names, ways) values ($1, $2, $3, $4, $5)
    on conflict (clock, notifier) do update
    set state = 'open', notice = greatest(incident.notice, excluded.notice),
        names = (incident.names || excluded.names)[
            greatest(1, cardinality(incident.names || excluded.names) - $6 + 1):
        ],
        ways = excluded.ways
"""
# Before it is told: whoever dies in between has told it, and somebody must say that it is over.
OPENS = """
    insert into incident (clock, notifier, notice, ways)
    select c.id, $2, $3, $4 from clock c
    where c.id = $1 and c.ended is null and not ('superseded' = any(c.flags))
    on conflict (clock, notifier) do update
    set state = 'open', notice = excluded.notice, ways = excluded.ways
    where incident.state <> 'open'
"""
UNTOLD = """
    delete from incident i
    where i.notifier = $1 and i.notice = any($2) and i.state = 'open' and i.names = '{}'
      and not exists (
          select from dispatch d
          where d.notice = i.notice and d.notifier = i.notifier and d.sent_at is not null
      )
"""
OF_CLOCKS = """
    select i.clock, i.notifier, i.notice, i.ways, i.state, c.account, c.thread, c.promise, c.due_at,
           c.revision, c.ended, c.stopped_by, c.stopped_at,
           c.ended is not null or 'superseded' = any(c.flags) as over
    from incident i join clock c on c.id = i.clock
    where i.clock = any($1)
    order by i.clock, i.notifier
    for update of i
"""
SET = """
    update incident i set state = w.state
    from unnest($1::bigint[], $2::text[], $3::text[]) as w (clock, notifier, state)
    where i.clock = w.clock and i.notifier = w.notifier
"""
RAISE = """
    insert into notice (key, kind, account, thread, clock, due_at, facts, raised_at)
    values ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8)
    on conflict (key) do update set kind = excluded.kind
    returning id
"""
TELL = """
    insert into dispatch (notice, notifier, ways)
    select w.notice, w.notifier, string_to_array(w.ways, ' ')
    from unnest($1::bigint[], $2::text[], $3::text[]) as w (notice, notifier, ways)
    on conflict (notice, notifier) do update
    set sent_at = null, suppressed = null, parked_reason = null, error = null, digest = null,
        attempts = 0, next_try_at = now()
"""
WAKE = "select pg_notify('replyby', 'deliver')"
REFUSED = """
    select clock, max(id) as notice from notice
    where clock = any($1) and kind = 'reply_refused' and raised_at >= $2
    group by clock
"""
NAMES = "select names from incident where clock = $1 and notifier = $2"
STANDING = """
    select n.*, t.url, i.notifier, 0 as attempts, n.raised_at as next_try_at,
           null as parked_reason, null as error, null as digest, i.ways
    from incident i
    join clock c on c.id = i.clock
    join notice n on n.id = i.notice
    left join thread t on t.account = n.account and t.id = n.thread
    where i.notifier = $1 and i.state = 'open' and c.ended is null
      and not exists (
          select from dispatch d
          where d.notice = i.notice and d.notifier = i.notifier and d.sent_at is null
      )
    order by c.due_at
"""
# What is closed is opened again with what was told last: without that there is nothing to open.
PURGE = """
    delete from incident i
    where i.state <> 'open' and not exists (select from notice n where n.id = i.notice)
"""
# A later word of a clock that runs: its end is not to be told any more.
OVERTAKEN = """
    with mine as (
        select d.notice from dispatch d join notice n on n.id = d.notice
        where d.notifier = $1 and d.notice = any($2)
          and d.sent_at is null and d.suppressed is null
          and exists (
              select from incident i
              where i.clock = n.clock and i.notifier = $1 and i.state = 'open'
          )
        order by d.notice
        for update of d
    )
    update dispatch d set suppressed = 'overtaken'
    from mine
    where d.notifier = $1 and d.notice = mine.notice
"""


async def hold(db: Db, part: Iterable[Dispatch]) -> None:
    """Let no clock of *part* end, or run again, before the transaction does."""
    clocks = {one.notice.clock for one in part if opens(one) and one.notice.clock is not None}
    if clocks:
        await db.execute(HOLD, sorted(clocks))


async def opens_with(db: Db, notifier: str, part: Iterable[Dispatch]) -> None:
    """Write that *notifier* is just told *part*: from now on it may stand open at its receiver.

    Call `hold` before, in the same transaction.
    """
    for one in filter(opens, part):
        ways = list(one.ways) or None
        await db.execute(OPENS, one.notice.clock, notifier, one.notice.id, ways)


async def untold(db: Db, notifier: str, notices: Collection[int]) -> None:
    """Take back that *notifier* was told *notices*, where nothing else was: it refused them."""
    await db.execute(UNTOLD, notifier, list(notices))


async def opened(db: Db, notifier: str, told: Dispatch, name: str | None) -> None:
    """Write that *notifier* was *told*, alone, which its receiver calls *name*."""
    if opens(told):
        notice, called, ways = told.notice, [name] if name else [], list(told.ways) or None
        await db.execute(OPEN, notice.clock, notifier, notice.id, called, ways, MOST_NAMES)


def opens(told: Dispatch) -> bool:
    """Whether *told* opens an incident: it tells of one clock, and leaves as what it is."""
    notice = told.notice
    alone = not keys.is_digest(told.digest)
    return alone and notice.clock is not None and notice.kind in OPENING


async def settle(
    db: Db, clocks: Collection[int], now: datetime, *, taken_back: Collection[int] = ()
) -> int:
    """Close what of *clocks*, as they are now, is over, and open again what runs again.

    To be called in the transaction that changed them, when all else is raised. A breach was
    *taken_back* of some: what was told of those is closed, though they may run.

    Returns:
        How many incidents were closed or opened again.
    """
    if not clocks:
        return 0
    rows = await db.fetch(OF_CLOCKS, sorted({*clocks, *taken_back}))
    back = frozenset(taken_back)
    over = [r for r in rows if r["state"] == "open" and (r["over"] or r["clock"] in back)]
    again = [row for row in rows if row["state"] == "closed" and not row["over"]]
    await _close(db, over, now)
    await _reopen(db, again, now)
    return len(over) + len(again)


async def names(db: Db, notifier: str, clock: int | None) -> Sequence[str]:
    """What the receiver of *notifier* calls what it was told of *clock*, oldest first."""
    found: Sequence[str] | None = await db.fetchval(NAMES, clock, notifier)
    return found or ()


async def standing(db: Db, notifier: str) -> list[Dispatch]:
    """What stands open at the receiver of *notifier*, the most urgent first."""
    return [of_row(row) for row in await db.fetch(STANDING, notifier)]


async def purge(db: Db) -> int:
    """Forget what was closed and of which no notice is kept any more; how many."""
    return int((await db.execute(PURGE)).split()[-1])


async def keep_back(db: Db, notifier: str, claimed: Iterable[Dispatch]) -> None:
    """Suppress the ends that are among *claimed*, of what has been opened again since."""
    ends = [one.notice.id for one in claimed if one.notice.kind is NoticeKind.ANSWERED]
    if ends:
        await db.execute(OVERTAKEN, notifier, ends)


async def _close(db: Db, rows: Sequence[Record], now: datetime) -> None:
    if not rows:
        return
    by_clock = {row["clock"]: row for row in rows}
    raised = {
        clock: await db.fetchval(RAISE, *_columns(_answered(row, now)))
        for clock, row in by_clock.items()
    }
    await _tell(db, [(raised[row["clock"]], row) for row in rows])
    await _set(db, rows, lambda row: "closed" if row["over"] else "taken_back")


async def _reopen(db: Db, rows: Sequence[Record], now: datetime) -> None:
    """Tell the reply that was refused, else what was told last, to whom its end was told."""
    if not rows:
        return
    clocks = sorted({row["clock"] for row in rows})
    refused = {row["clock"]: row["notice"] for row in await db.fetch(REFUSED, clocks, now)}
    await _tell(db, [(refused.get(row["clock"], row["notice"]), row) for row in rows])
    await _set(db, rows, lambda _: "open")


async def _tell(db: Db, told: Sequence[tuple[int, Record]]) -> None:
    ways = [row["ways"] and " ".join(row["ways"]) for _, row in told]
    notifiers = [row["notifier"] for _, row in told]
    await db.execute(TELL, [notice for notice, _ in told], notifiers, ways)
    await db.execute(WAKE)


async def _set(db: Db, rows: Sequence[Record], state: Callable[[Record], str]) -> None:
    columns = zip(*((row["clock"], row["notifier"], state(row)) for row in rows), strict=True)
    await db.execute(SET, *map(list, columns))


def _answered(row: Record, now: datetime) -> Notice:
    ended = row["ended"] or ("void" if row["over"] else "taken_back")
    at = row["stopped_at"] or now
    return Notice(
        key=keys.answered(row["clock"], row["stopped_by"] or at.isoformat()),
        kind=NoticeKind.ANSWERED,
        account=row["account"],
        raised_at=now,
        thread=row["thread"],
        clock=row["clock"],
        due_at=row["due_at"],
        facts=(("promise", row["promise"]), ("ended", ended)),
    )


def _columns(notice: Notice) -> tuple[object, ...]:
    return (
        notice.key, notice.kind.value, notice.account, notice.thread, notice.clock, notice.due_at,
        json.dumps(dict(notice.facts)), notice.raised_at,
    )  # fmt: skip
