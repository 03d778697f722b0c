"""Digests: dispatches to one notifier that leave as one message.

What is told of deadlines, and of notices that could not be delivered, leaves one by one while it is
little. Beyond that it gathers: a digest leaves when nothing has come for a few seconds, half a
minute after its first at the latest. What belongs to it is settled when it is first tried; what
comes later is another digest, under a key of its own, for whoever knows repetitions by the key
would drop it. What is refused counts as what is told: who refuses is not asked more often.

Whoever decides for a notifier holds its `lock`, so that two processes tell no more than one would.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from core import keys, labels
from core.store import dispatches

if TYPE_CHECKING:
    from datetime import datetime

    from core.model import Dispatch
    from core.store import Db

LATELY = timedelta(seconds=60)
"""How far back what was told counts, and how long a flood goes on after its last digest."""

QUIET = timedelta(seconds=5)
LONGEST = timedelta(seconds=30)
"""A digest leaves when nothing has joined it for `QUIET` and none has left for `LONGEST`; at the
latest `LONGEST` after its first: a minute sees two or three, and no warning grows stale."""

FEW = 3
"""So many leave in one message, however long."""

FAILING = timedelta(minutes=30)
"""While digests before it cannot be delivered, one gathers twice as long for each, to this limit:
whoever comes back after a day finds a few of them."""

LOCK = "select pg_try_advisory_xact_lock(hashtextextended('deliver ' || $1::text, 0))"
DUE = """
    select d.notice from dispatch d join notice n on n.id = d.notice
    where d.notifier = $1 and d.next_try_at <= now() and d.digest is null and d.attempts = 0
      and d.sent_at is null and d.parked_reason is null and d.suppressed is null
      and n.kind = any($2)
    order by d.next_try_at, d.notice
    limit $3
"""
# What a mute holds back, or quiet hours, is neither told nor failing, though it was tried, or may
# have been: so in what follows too.
# What was parked keeps the end of its last lease: until then it was refused less than `LATELY` ago.
ALONE = """
    select count(*) from (
        select d.notice from dispatch d
        where d.notifier = $1 and d.digest is null and d.sent_at > $3
        union all
        select d.notice from dispatch d
        where d.notifier = $1 and d.digest is null and d.attempts > 0
          and (d.error is not null or d.next_try_at <= clock_timestamp() + $4::interval)
          and d.sent_at is null and d.parked_reason is null and d.suppressed is null
          and not exists (
              select from mute m where m.id = d.muted_by and m.ended_at is null and m.until > now()
          )
        union all
        select d.notice from dispatch d
        where d.notifier = $1 and d.digest is null
          and d.parked_reason is not null and d.next_try_at > now()
    ) lately
    join notice n on n.id = lately.notice
    where n.kind = any($2)
"""
FLOODED = """
    select exists (
        select from dispatch
        where notifier = $1 and sent_at > $2 and split_part(digest, '/', 2) = 'flood'
    ) or exists (
        select from dispatch d
        where d.notifier = $1 and d.digest is not null
          and d.sent_at is null and d.parked_reason is null and d.suppressed is null
          and split_part(d.digest, '/', 2) = 'flood'
          and (d.attempts = 0 or d.error is not null
               or d.next_try_at <= clock_timestamp() + $3::interval)
          and not exists (
              select from mute m where m.id = d.muted_by and m.ended_at is null and m.until > now()
          )
    ) or exists (
        select from dispatch
        where notifier = $1 and parked_reason is not null and next_try_at > now()
          and split_part(digest, '/', 2) = 'flood'
    )
"""
GATHERING = """
    select digest from dispatch
    where notifier = $1 and digest is not null and attempts = 0
      and sent_at is null and parked_reason is null and suppressed is null
      and split_part(digest, '/', 2) = 'flood'
    limit 1
"""
GATHER = """
    with due as (
        select d.notice from dispatch d join notice n on n.id = d.notice
        where d.notifier = $1 and d.next_try_at <= now() and d.digest is null and d.attempts = 0
          and d.sent_at is null and d.parked_reason is null and d.suppressed is null
          and n.kind = any($2) and d.notice <> all($3)
        for update of d skip locked
    )
    update dispatch d set digest = $4, next_try_at = now() + $5::interval
    from due
    where d.notifier = $1 and d.notice = due.notice
"""
# What leaves first where not all may: what must not wait, then by deadline; so many of some kinds.
PRESSING = """
    with due as (
        select d.notice, n.kind = any($3) as critical, n.due_at,
               row_number() over (
                   partition by n.kind = any($2)
                   order by n.kind = any($3) desc, n.due_at, d.notice
               ) <= case when n.kind = any($2) then $4::bigint else $5::bigint end as fits
        from dispatch d join notice n on n.id = d.notice
        where d.notifier = $1 and d.next_try_at <= now() and d.digest is null and d.attempts = 0
          and d.sent_at is null and d.parked_reason is null and d.suppressed is null
          and n.kind <> 'answered'
    )
    select notice from due where fits order by critical desc, due_at, notice limit $5
"""
FIRST_LEFT = """
    select min(d.notice) from dispatch d join notice n on n.id = d.notice
    where d.notifier = $1 and d.next_try_at <= now() and d.digest is null and d.attempts = 0
      and d.sent_at is null and d.parked_reason is null and d.suppressed is null
      and n.kind = any($2) and d.notice <> all($3)
"""
# What a flood of one account brings gathers by itself: nobody else is told later for it.
APART = """
    with due as (
        select d.notice, n.account from dispatch d
        join notice n on n.id = d.notice
        join clock c on c.id = n.clock
        where exists (select from flood)
          and d.notifier = $1 and d.next_try_at <= now() and d.digest is null and d.attempts = 0
          and d.sent_at is null and d.parked_reason is null and d.suppressed is null
          and n.kind = any($2)
          and exists (
              select from flood f
              where f.account = n.account and c.started_at >= f.since
                and (f.until is null or c.started_at <= f.until)
          )
        order by d.notice
        for update of d skip locked
    ), named as (
        select account, coalesce(
            (select g.digest from dispatch g
             where g.notifier = $1 and g.digest is not null and g.attempts = 0
               and g.sent_at is null and g.parked_reason is null and g.suppressed is null
               and split_part(g.digest, '/', 2) = 'apart'
               and split_part(g.digest, '/', 3) = due.account
             limit 1),
            $1 || '/apart/' || account || '/' || min(notice)
        ) as digest
        from due
        group by account
    )
    update dispatch d set digest = named.digest, next_try_at = now() + $3::interval
    from due join named using (account)
    where d.notifier = $1 and d.notice = due.notice
"""
# A digest that was tried is due as its rows say; one that gathers, when it is quiet or old enough.
RIPENING = """
    with failing as (
        select count(distinct digest) as digests from dispatch d
        where d.notifier = $1 and d.digest is not null and d.attempts > 0
          and (d.error is not null or d.next_try_at <= clock_timestamp() + $6::interval)
          and d.sent_at is null and d.parked_reason is null and d.suppressed is null
          and not exists (
              select from mute m where m.id = d.muted_by and m.ended_at is null and m.until > now()
          )
    ), patience as (
        select case when digests = 0 then $3::interval
                    else least($3::interval * 2 ^ least(digests, 16), $4::interval) end
                   - $2::interval as longest,
               digests = 0 and not exists (
                   select from dispatch
                   where notifier = $1 and sent_at > $5
                     and split_part(digest, '/', 2) in ('flood', 'apart')
               ) and not exists (
                   select from dispatch
                   where notifier = $1 and parked_reason is not null and next_try_at > now()
                     and split_part(digest, '/', 2) in ('flood', 'apart')
               ) as ends_when_quiet
        from failing
    ), waiting as (
        select digest, attempts = 0 as fresh, count(*) as dispatches, min(notice) as first,
               min(next_try_at) as first_at, max(next_try_at) as last_at
        from dispatch
        where notifier = $1 and digest is not null
          and sent_at is null and parked_reason is null and suppressed is null
        group by digest, attempts = 0
    )
    select digest, fresh, dispatches, first,
           fresh and exists (
               select from dispatch d
               where d.notifier = $1 and d.digest = waiting.digest and d.attempts > 0
           ) as begun,
           extract(epoch from case
               when not fresh then last_at
               when ends_when_quiet then least(last_at, first_at + longest)
               else first_at + longest
           end - now())::float8 as seconds
    from waiting, patience
    order by seconds
    limit 1
"""
# All of it, for what a list shows takes its place in the message, too; nothing where that is all.
GATHERED = """
    select n.*, t.url, d.notifier, d.attempts, d.next_try_at, d.parked_reason, d.error, d.digest,
           d.ways
    from dispatch d
    join notice n on n.id = d.notice
    left join thread t on t.account = n.account and t.id = n.thread
    where d.notifier = $1 and d.digest = $2 and d.attempts = 0
      and d.sent_at is null and d.parked_reason is null and d.suppressed is null
      and exists (
          select from dispatch u join notice m on m.id = u.notice
          where u.notifier = $1 and u.digest = $2 and u.attempts = 0
            and u.sent_at is null and u.parked_reason is null and u.suppressed is null
            and (m.kind <> all($3) or m.kind = 'escalation' and m.clock is null)
      )
    order by d.notice
"""
CLAIM = """
    with theirs as (
        select notice from dispatch
        where notifier = $1 and digest = $2 and (attempts = 0) = $3 and notice <> all($6)
          and sent_at is null and parked_reason is null and suppressed is null
        order by notice
        for update
    )
    update dispatch d
    set digest = $4, attempts = attempts + 1, next_try_at = clock_timestamp() + $5::interval
    from theirs
    join notice n on n.id = theirs.notice
    left join thread t on t.account = n.account and t.id = n.thread
    where d.notice = theirs.notice and d.notifier = $1
    returning n.*, t.url, d.notifier, d.attempts, d.next_try_at, d.parked_reason, d.error, d.digest,
              d.ways
"""


Beyond = Callable[[Sequence["Dispatch"]], Collection[int]]
"""Of what is to leave together, the notices for which there is no place."""


@dataclass(frozen=True, slots=True)
class Outflow:
    """What *due* there is for a notifier, oldest first, and what was told it lately.

    *alone*: how much left by itself, was refused, or was tried and still waits; *flooded*: whether
    a flood's digest left, was refused, or waits.
    """

    due: Sequence[int]
    alone: int
    flooded: bool

    def first(self, digest_after: int) -> list[int]:
        """Those of *due* that still leave by themselves; the others gather.

        None in a flood, else what is left of *digest_after* a minute: 2 of 2 + 500.
        """
        room = 0 if self.flooded else max(0, digest_after - self.alone)
        return list(self.due[:room])


@dataclass(frozen=True, slots=True)
class Ripening:
    """The digest that leaves next, in *seconds*; *fresh*: it was never tried.

    *first* is its first notice; *begun*: something of the same name has left before.
    """

    digest: str
    fresh: bool
    dispatches: int
    first: int
    begun: bool
    seconds: float

    @property
    def leaves_as(self) -> str:
        """The key that it has from the first attempt on."""
        if not self.fresh:
            return self.digest
        if self.dispatches == 1 and (
            keys.is_flood(self.digest) or keys.quiet_until(self.digest) is not None
        ):
            return keys.only(self.digest)
        return keys.rest(self.digest, self.first) if self.begun else self.digest


async def lock(db: Db, notifier: str) -> bool:
    """Decide for *notifier* until the transaction ends; False while another process does."""
    return bool(await db.fetchval(LOCK, notifier))


async def set_apart(db: Db, notifier: str) -> None:
    """Let what a flood of one account brings leave together, a digest of its own for each."""
    await db.execute(APART, notifier, dispatches.FLOODING, QUIET)


async def outflow(db: Db, notifier: str, digest_after: int, now: datetime) -> Outflow:
    """What is due for *notifier* (at most one more than may leave alone), and was told lately."""
    due = await db.fetch(DUE, notifier, dispatches.FLOODING, digest_after + 1)
    if not due:
        return Outflow((), 0, flooded=False)
    since = now - LATELY
    return Outflow(
        [row["notice"] for row in due],
        await db.fetchval(ALONE, notifier, dispatches.FLOODING, since, dispatches.LEASE),
        flooded=await db.fetchval(FLOODED, notifier, since, dispatches.LEASE),
    )


async def gather(db: Db, notifier: str, due: Outflow, alone: Sequence[int]) -> None:
    """Let all that is due for *notifier* leave together, but for what leaves *alone*."""
    if len(alone) == len(due.due):
        return
    await _gather(db, notifier, dispatches.FLOODING, alone, due.due[len(alone)])


async def pressing(db: Db, notifier: str, floods: int, most: int) -> list[int]:
    """The *most* urgent of what is due for *notifier* and was never tried, most urgent first.

    So many *floods* among them: of the kinds that come as such.
    """
    kinds = dispatches.FLOODING
    rows = await db.fetch(PRESSING, notifier, kinds, labels.CRITICAL, floods, most)
    return [row["notice"] for row in rows]


async def gather_rest(db: Db, notifier: str, kinds: Sequence[str], alone: Sequence[int]) -> None:
    """Let what is due of *kinds* leave together, whatever it is, but for what leaves *alone*."""
    first = await db.fetchval(FIRST_LEFT, notifier, kinds, alone)
    if first is not None:
        await _gather(db, notifier, kinds, alone, first)


async def _gather(
    db: Db, notifier: str, kinds: Sequence[str], alone: Sequence[int], first: int
) -> None:
    digest = await db.fetchval(GATHERING, notifier) or keys.flood(notifier, first)
    await db.execute(GATHER, notifier, kinds, alone, digest, QUIET)


async def ripening(db: Db, notifier: str, now: datetime) -> Ripening | None:
    """The digest of *notifier* that leaves next, if one waits."""
    since, lease = now - LONGEST, dispatches.LEASE
    row = await db.fetchrow(RIPENING, notifier, QUIET, LONGEST, FAILING, since, lease)
    return None if row is None else Ripening(*row)


async def claim(
    db: Db, notifier: str, now: datetime, beyond: Beyond | None = None
) -> list[Dispatch]:
    """What leaves together now, for a lease; the most urgent first, empty where nothing does.

    *beyond* says which notices of those that no list shows are too many for one message: they leave
    in the next one. What was tried leaves as it was.
    """
    ripe = await ripening(db, notifier, now)
    if ripe is None or ripe.seconds > 0:
        return []
    later: Collection[int] = ()
    if beyond is not None and ripe.fresh and ripe.dispatches > FEW:
        rows = await db.fetch(GATHERED, notifier, ripe.digest, dispatches.FLOODING)
        later = beyond([dispatches.of_row(row) for row in rows])
    named = ripe.leaves_as
    rows = await db.fetch(
        CLAIM, notifier, ripe.digest, ripe.fresh, named, dispatches.LEASE, list(later)
    )
    return sorted((dispatches.of_row(row) for row in rows), key=_urgency)


def _urgency(dispatch: Dispatch) -> datetime:
    return dispatch.notice.due_at or dispatch.notice.raised_at
