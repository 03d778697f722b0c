"""Rungs: what is due of the escalations, and the step from one to the next.

A rung is told by whoever moves the row on, in the same transaction. What holds a ladder still is
not written into it but looked at when a rung is due: a claim of the thread, until that ends; a mute
of the account or of the route, and then for as long as the rung would have waited. So nothing needs
to be undone when a claim or a mute ends early, and nothing is forgotten.

Lock order: an escalation's row, and then its clock's, for which nobody waits: `clocks.put` comes
the other way round.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from core.model import NoticeKind
from core.store import dispatches, escalations, wake

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from core.model import Dispatch
    from core.store import Db
    from core.store.escalations import Ended, Escalation

BATCH = 250
"""Rungs told in one transaction at most."""
SETTLES = timedelta(minutes=15)
"""So long after a restore no rung is told, unless the account was read: it may be answered."""

NEXT = """
    select least(
        (select min(next_at) from escalation where ended_at is null),
        (select min(until) from claim where ended_at is null)
    )
"""
AHEAD = """
    select least(
        (select min(next_at) from escalation where ended_at is null and next_at >= $1),
        (select min(until) from claim where ended_at is null)
    )
"""
HELD = """
    select min(greatest(e.next_at, k.until, m.at + (e.next_at - e.told_at)))
    from escalation e
    left join clock c on c.id = e.clock
    left join claim k on k.account = e.account and k.thread = coalesce(c.thread, e.thread)
        and k.ended_at is null
    left join lateral (
        select max(coalesce(ended_at, until)) as at from mute
        where (scope = 'account' and name = e.account or scope = 'route' and name = e.route)
          and coalesce(ended_at, until) > e.told_at
    ) m on true
    where e.ended_at is null and e.next_at < $1
"""
# A mute keeps the notice from being told, or the rung before: nobody has had the rung's time yet.
DUE = """
    select e.id, e.notice, e.kind, e.account, e.thread, e.clock, e.revision, e.route, e.ladder,
           e.terms, e.rung, e.began_at, e.told_at, e.next_at, e.ended_at, e.ended, e.ended_by,
           n.due_at, n.facts, n.key
    from escalation e left join notice n on n.id = e.notice
    where e.ended_at is null and e.next_at < $1
      and not exists (
          select from claim k
          where k.account = e.account and k.ended_at is null and k.until > $1
            and k.thread = coalesce((select thread from clock where id = e.clock), e.thread)
      ) and not exists (
          select from mute m
          where (m.scope = 'account' and m.name = e.account
                 or m.scope = 'route' and m.name = e.route)
            and coalesce(m.ended_at, m.until) > e.told_at
            and coalesce(m.ended_at, m.until) + (e.next_at - e.told_at) > $1
      ) and not exists (
          select from account a
          where a.name = e.account and a.first_walk_at is null and a.restored_at > $3
      )
    order by e.next_at, e.id
    limit $2
    for no key update of e skip locked
"""
CLOCKS = """
    select id, revision, ended, reason, due_at, steps <> '{}' as runs, thread from clock
    where id = any($1)
    order by id
    for share skip locked
"""
# By the end of the lease, which says whether the dispatch is still ours. It leaves by itself then.
# What was claimed before may have been heard, and keeps its key: what left in a digest stays in it.
HOLD = """
    with mine as (
        select d.notice, k.until
        from unnest($2::bigint[], $3::timestamptz[]) as w (notice, lease)
        join dispatch d on d.notice = w.notice and d.next_try_at = w.lease
        join notice n on n.id = d.notice
        left join clock c on c.id = n.clock
        join claim k on k.account = n.account and k.thread = coalesce(c.thread, n.thread)
            and k.ended_at is null
        where d.notifier = $1 and d.error is null and k.until > $4
          and (d.digest is null or d.attempts = 1)
          and d.sent_at is null and d.parked_reason is null and d.suppressed is null
        order by d.notice
        for update of d
    )
    update dispatch d set next_try_at = mine.until, attempts = d.attempts - 1, digest = null
    from mine
    where d.notifier = $1 and d.notice = mine.notice
    returning d.notice
"""
# By the thread, not by its time: the claim may have been renewed. What waits for anything else than
# a claim (quiet hours, a mute, a flood) leaves with others, under the name of that. What may be
# leaving just now has been claimed for a lease; who holds it back does so again.
FREE = """
    with theirs as (
        select d.notice, d.notifier
        from unnest($1::text[], $2::text[]) as w (account, thread)
        join clock c on c.account = w.account and c.thread = w.thread
        join notice n on n.clock = c.id
        join dispatch d on d.notice = n.id
        where n.kind = 'escalation' and d.digest is null
          and (d.attempts = 0
               or d.error is null and d.next_try_at > clock_timestamp() + $3::interval)
          and d.sent_at is null and d.parked_reason is null and d.suppressed is null
        order by d.notice, d.notifier
        for update of d
    )
    update dispatch d set next_try_at = now()
    from theirs
    where d.notice = theirs.notice and d.notifier = theirs.notifier
"""
# What ends a trouble is raised after it, and may be of another kind for each; all kinds of ends, as
# they stand here, are those of the index.
OVER = """
    select w.id
    from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[]) as w (id, account, notice, ends)
    where exists (
        select from notice n
        where n.account = w.account and n.id > w.notice
          and n.kind = any(string_to_array(w.ends, ' '))
          and n.kind in ('account_up', 'account_retired', 'push_heard', 'disk_freed')
    )
"""
MOVE = """
    update escalation e set rung = w.rung, told_at = $1::timestamptz,
        next_at = coalesce(w.next_at, e.next_at),
        ended = case when w.next_at is null then 'exhausted' end,
        ended_at = case when w.next_at is null then $1::timestamptz end
    from unnest($2::bigint[], $3::integer[], $4::timestamptz[]) as w (id, rung, next_at)
    where e.id = w.id and e.rung = w.rung - 1 and e.ended_at is null
    returning e.id
"""
END = """
    update escalation e set ended = w.ended, ended_at = $1::timestamptz
    from unnest($2::bigint[], $3::text[]) as w (id, ended)
    where e.id = w.id and e.ended_at is null
"""


class Standing(NamedTuple):
    """A clock as it stands while a rung of it is told: nobody changes it meanwhile.

    *runs*: it is one that is told of at all, not superseded by a date of the marketplace. *thread*
    is where it is now: threads merge and split.
    """

    revision: int
    ended: str | None
    reason: str | None
    due_at: datetime
    runs: bool
    thread: str


async def next_due(db: Db) -> datetime | None:
    """When the next rung is due if nothing holds it, or a claim ends; None: nothing is waited for.

    It asks little: most of the time there is nothing to do.
    """
    at: datetime | None = await db.fetchval(NEXT)
    return at


async def again(db: Db, now: datetime, least: datetime) -> datetime | None:
    """When to look again, after `due` has found no more; *least*: of what is held, not before."""
    ahead: datetime | None = await db.fetchval(AHEAD, now)
    held: datetime | None = await db.fetchval(HELD, now)
    waits = [ahead, held and max(held, least)]
    return min((at for at in waits if at is not None), default=None)


async def due(db: Db, now: datetime) -> list[Escalation]:
    """What is to be told now, the longest due first, at most `BATCH`; held until the end.

    Another process that looks meanwhile finds others.
    """
    rows = await db.fetch(DUE, now, BATCH, now - SETTLES)
    return [escalations.of_row(row) for row in rows]


async def standing(db: Db, clocks: Iterable[int]) -> dict[int, Standing]:
    """How *clocks* stand until the end of the transaction; those that just change are left out."""
    rows = await db.fetch(CLOCKS, sorted(clocks))
    return {row["id"]: Standing(*tuple(row)[1:]) for row in rows}


async def hold(db: Db, notifier: str, claimed: Sequence[Dispatch], now: datetime) -> frozenset[int]:
    """Keep rungs that are about to leave until the claim of their thread ends; the notices held.

    An answer drops them meanwhile. What has failed before leaves, and what left in a digest with
    that: its reader may know it already.
    """
    rungs = [one for one in claimed if one.notice.kind is NoticeKind.ESCALATION]
    if not rungs:
        return frozenset()
    ids, leases = [one.notice.id for one in rungs], [one.next_try_at for one in rungs]
    rows = await db.fetch(HOLD, notifier, ids, leases, now)
    return frozenset(row["notice"] for row in rows)


async def free(db: Db, threads: Collection[tuple[str, str]]) -> None:
    """Let leave what the claims of *threads*, by (account, id), have held: they have just ended."""
    if threads:
        refs = sorted(threads)
        accounts, ids = zip(*refs, strict=True)
        freed = await db.execute(FREE, accounts, ids, dispatches.LEASE)
        if not freed.endswith(" 0"):
            await wake.send(db, "deliver")


async def over(db: Db, troubles: Collection[tuple[Escalation, Iterable[NoticeKind]]]) -> set[int]:
    """Those of *troubles*, each with the kinds that end it, of which the end was raised since."""
    if not troubles:
        return set()
    each = [one for one, _ in troubles]
    ends = [" ".join(kind.value for kind in kinds) for _, kinds in troubles]
    ids, accounts = [one.id for one in each], [one.account for one in each]
    rows = await db.fetch(OVER, ids, accounts, [one.notice for one in each], ends)
    return {row["id"] for row in rows}


async def move(
    db: Db, told: Sequence[tuple[Escalation, datetime | None]], now: datetime
) -> set[int]:
    """Write that the next rung of each was told *now*, and when another is due; None: it was last.

    Returns:
        Of which that was done: whoever moves it, tells it.
    """
    ids = [one.id for one, _ in told]
    rungs = [one.rung + 1 for one, _ in told]
    rows = await db.fetch(MOVE, now, ids, rungs, [next_at for _, next_at in told])
    return {row["id"] for row in rows}


async def end(db: Db, ended: Mapping[int, Ended], now: datetime) -> None:
    """End escalations, each for a reason."""
    if ended:
        await db.execute(END, now, list(ended), list(ended.values()))
