"""The queue as the board shows it: a line a thread, the nearest deadline first, a page at a time.

A line is the thread's nearest running deadline; of a view of one promise, the nearest of that
promise. What is history or superseded is none. The bands are those of `core.store.queue.band`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from core import labels
from core.store import EVER, queue

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from asyncpg import Record

    from core.store import Db

Claimed = Literal["mine", "free", "others"]

# A plan for these very values: what is not asked for is then no condition at all, and what is asked
# for is looked up in the index. A plan for any values would fetch each clock to find that out. Nor
# is the planner to hope for what it cannot know, that a page is soon full, or that few are found:
# one index is in the order of the page, and the worst that befalls it is to be walked to its end.
PLANNED = """
    set local plan_cache_mode = force_custom_plan;
    set local enable_seqscan = off;
    set local enable_bitmapscan = off;
    set local enable_incremental_sort = off
"""
FEW = 3_000
"""So many clocks at most are fetched and sorted, rather than that the queue is walked for them."""
# Whether few clocks have what is asked for: that the planner guesses, and these are counted.
PROBE = """
    select count(*) from (
        select from clock c
        where c.ended is null and not c.history and c.steps <> '{}'
          and ($1::text[] is null or c.account = any($1))
          and ($2::text is null or c.promise = $2)
          and ($3::text is null or c.kind = $3)
          and ($4::text is null or c.language >= $4 and c.language <= $5
               and (c.language = $4 or starts_with(c.language, $4 || '-')))
        limit $6
    ) those
"""
PAGE = """
    select c.id from clock c
    where c.ended is null and not c.history and c.steps <> '{}'
      and (c.due_at, c.id) > ($1, $2::bigint)
      and ($3::timestamptz is null or c.due_at < $3)
      and ($4::timestamptz is null or c.steps[1] >= $4)
      and ($5::timestamptz is null or c.steps[1] < $5)
      and ($6::timestamptz is null
           or case when cardinality(c.steps) > 2 then c.steps[cardinality(c.steps) - 1]
                   else 'infinity' end >= $6)
      and ($7::timestamptz is null
           or case when cardinality(c.steps) > 2 then c.steps[cardinality(c.steps) - 1]
                   else 'infinity' end < $7)
      and ($8::text[] is null or c.account = any($8))
      and ($9::text is null or c.promise = $9)
      and ($10::text is null or c.kind = $10)
      and ($11::text is null or c.language >= $11 and c.language <= $12
           and (c.language = $11 or starts_with(c.language, $11 || '-')))
      and ($13::timestamptz is null or not exists (
          select from claim k
          where k.account = c.account and k.thread = c.thread and k.ended_at is null
            and k.until > $13))
      and not exists (
          select from clock o
          where o.account = c.account and o.thread = c.thread
            and o.ended is null and not o.history and o.steps <> '{}'
            and ($9::text is null or o.promise = $9) and (o.due_at, o.id) < (c.due_at, c.id))
    order by c.due_at, c.id
    limit $14
"""
FEW_PAGE = """
    with few as materialized (
        select id, account, thread, due_at, steps from clock c
        where c.ended is null and not c.history and c.steps <> '{}'
          and ($8::text[] is null or c.account = any($8))
          and ($9::text is null or c.promise = $9)
          and ($10::text is null or c.kind = $10)
          and ($11::text is null or c.language >= $11 and c.language <= $12
               and (c.language = $11 or starts_with(c.language, $11 || '-')))
    )
    select c.id from few c
    where (c.due_at, c.id) > ($1, $2::bigint)
      and ($3::timestamptz is null or c.due_at < $3)
      and ($4::timestamptz is null or c.steps[1] >= $4)
      and ($5::timestamptz is null or c.steps[1] < $5)
      and ($6::timestamptz is null
           or case when cardinality(c.steps) > 2 then c.steps[cardinality(c.steps) - 1]
                   else 'infinity' end >= $6)
      and ($7::timestamptz is null
           or case when cardinality(c.steps) > 2 then c.steps[cardinality(c.steps) - 1]
                   else 'infinity' end < $7)
      and ($13::timestamptz is null or not exists (
          select from claim k
          where k.account = c.account and k.thread = c.thread and k.ended_at is null
            and k.until > $13))
      and not exists (
          select from clock o
          where o.account = c.account and o.thread = c.thread
            and o.ended is null and not o.history and o.steps <> '{}'
            and ($9::text is null or o.promise = $9) and (o.due_at, o.id) < (c.due_at, c.id))
    order by c.due_at, c.id
    limit $14
"""
# Claims are few: they lead to their threads.
CLAIMED = """
    select c.id from claim k
    join clock c on c.account = k.account and c.thread = k.thread
    where k.ended_at is null and k.until > $13 and (k.by = $14) = $15
      and c.ended is null and not c.history and c.steps <> '{}'
      and (c.due_at, c.id) > ($1, $2::bigint)
      and ($3::timestamptz is null or c.due_at < $3)
      and ($4::timestamptz is null or c.steps[1] >= $4)
      and ($5::timestamptz is null or c.steps[1] < $5)
      and ($6::timestamptz is null
           or case when cardinality(c.steps) > 2 then c.steps[cardinality(c.steps) - 1]
                   else 'infinity' end >= $6)
      and ($7::timestamptz is null
           or case when cardinality(c.steps) > 2 then c.steps[cardinality(c.steps) - 1]
                   else 'infinity' end < $7)
      and ($8::text[] is null or c.account = any($8))
      and ($9::text is null or c.promise = $9)
      and ($10::text is null or c.kind = $10)
      and ($11::text is null or c.language >= $11 and c.language <= $12
           and (c.language = $11 or starts_with(c.language, $11 || '-')))
      and not exists (
          select from clock o
          where o.account = c.account and o.thread = c.thread
            and o.ended is null and not o.history and o.steps <> '{}'
            and ($9::text is null or o.promise = $9) and (o.due_at, o.id) < (c.due_at, c.id))
    order by c.due_at, c.id
    limit $16
"""
# What stands in the order of the page is what only its lines are asked for.
SHOWN = """
    select c.id, c.account, c.thread, t.kind, t.subject, t.order_ids, c.language, c.promise,
           c.waits_for, c.metric, c.started_at, c.due_at, c.steps, c.flags,
           k.by as claimed_by, k.until as claimed_until,
           (select r.state from reply r
            where r.account = c.account and r.thread = c.thread and not r.automatic
              and r.queued_at >= c.started_at and r.state <> 'undone'
            order by r.id desc limit 1) as reply_state,
           (select count(*)::int from clock o
            where o.account = c.account and o.thread = c.thread and o.id <> c.id
              and o.ended is null and not o.history and o.steps <> '{}') as others,
           (select nullif(p.title, '') from person p where p.name = k.by) as claimed_title
    from clock c
    join thread t on t.account = c.account and t.id = c.thread
    left join claim k on k.account = c.account and k.thread = c.thread and k.ended_at is null
        and k.until > $2
    where c.id = any($1) and c.ended is null
    order by c.due_at, c.id
"""
# Sorted by a number first: comparing the names of a million threads took a third of the time more.
COUNTS = """
    select account, band, count(*) as n
    from (
        select distinct on (hash, account, thread) account,
               case when due_at < $1 then 3
                    when steps[1] >= $1 then 0
                    when cardinality(steps) < 3 then 1
                    when steps[cardinality(steps) - 1] < $1 then 2
                    else 1
               end as band
        from (
            select account, thread, due_at, id, steps, hashtextextended(thread, 0) as hash
            from clock
            where ended is null and not history and steps <> '{}'
            offset 0
        ) running
        order by hash, account, thread, due_at, id
    ) nearest
    group by account, band
"""
MEMORY = "set local work_mem = '64MB'"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICRO
"""The last instant that there is, in microseconds since 1970."""


class After(NamedTuple):
    """A place in the queue: the line of *clock*, due so many microseconds after 1970 began."""

    micros: int
    clock: int

    @property
    def due_at(self) -> datetime:
        """When that line is due."""
        return _EPOCH + self.micros * _MICRO


def place(at: datetime, clock: int) -> After:
    """The place of *clock*, which is due, or has ended, *at* that instant."""
    return After((at - _EPOCH) // _MICRO, clock)


@dataclass(frozen=True, slots=True)
class Sought:
    """What a view shows; None: whatever it is.

    *accounts* are the only ones it may be of. *language* is that of whatever country, where it
    names none. *me* is who asks, where it matters: whose claims are ``mine``, whose ``others``.
    """

    accounts: frozenset[str] | None = None
    band: str | None = None
    language: str | None = None
    kind: str | None = None
    promise: str | None = None
    claimed: Claimed | None = None
    me: str | None = None
    after: After | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A thread in the queue, by the deadline that is nearest; *id* is that clock.

    *subject* is a buyer's words: for who may read them. *reply_state* is of the last reply that a
    person queued since the clock started. *others* are how many more clocks run in the thread.
    *claimed_title* is how *claimed_by* is called, where they have a title.
    """

    id: int
    account: str
    thread: str
    kind: str
    subject: str | None
    order_ids: Sequence[str]
    language: str | None
    promise: str
    waits_for: str
    metric: str
    started_at: datetime
    due_at: datetime
    steps: Sequence[datetime]
    flags: Sequence[str]
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    reply_state: str | None = None
    others: int = 0
    claimed_title: str | None = None

    @property
    def place(self) -> After:
        """Where it stands in the queue."""
        return place(self.due_at, self.id)

    def band(self, now: datetime) -> str:
        """How near the deadline is: one of `core.labels.BANDS`."""
        return queue.band(self.due_at, self.steps, now)

    def next_band_at(self, now: datetime) -> datetime | None:
        """The instant after which its band may be another; None: it is overdue."""
        return next((step for step in self.steps if step >= now), None)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many threads wait as of *at*, by account, in the order of `core.labels.BANDS`."""

    at: datetime
    by_account: Mapping[str, tuple[int, ...]]

    def of(self, accounts: Collection[str] | None) -> Mapping[str, tuple[int, ...]]:
        """Those of *accounts* alone; None: all."""
        if accounts is None:
            return self.by_account
        return {name: n for name, n in self.by_account.items() if name in accounts}


class _Bounds(NamedTuple):
    """Between which instants a line's deadline, first and last warning lie: as `PAGE` asks.

    The last warning of fewer than two is at infinity, for one alone makes nothing critical.
    """

    above: tuple[datetime, int]
    due_before: datetime | None = None
    first_from: datetime | None = None
    first_before: datetime | None = None
    last_from: datetime | None = None
    last_before: datetime | None = None


async def lines(db: Db, sought: Sought, now: datetime, limit: int) -> list[Line]:
    """The first *limit* lines of what is *sought* at *now*, by deadline; the caller's transaction.

    A line that changes while pages are turned may move past the reader, back or forth; what stays
    as it is stands on one page, and on one alone.
    """
    await db.execute(PLANNED)
    ids = [row["id"] for row in await _page(db, sought, now, limit)]
    return [Line(*row) for row in await db.fetch(SHOWN, ids, now)] if ids else []


async def counts(db: Db, now: datetime) -> Counts:
    """How many threads wait at *now*, of all accounts: what costs the more, the more clocks run."""
    await db.execute(MEMORY)
    found: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(labels.BANDS))
    for account, band, n in await db.fetch(COUNTS, now):
        found[account][band] = n
    return Counts(now, {account: tuple(of) for account, of in found.items()})


async def _page(db: Db, sought: Sought, now: datetime, limit: int) -> list[Record]:
    bounds = _bounds(sought, now)
    few = (
        None if sought.accounts is None else sorted(sought.accounts),
        sought.promise, sought.kind, sought.language, _last_of(sought.language),
    )  # fmt: skip
    common = (*bounds.above, *bounds[1:], *few)
    if sought.claimed in {"mine", "others"}:
        is_mine = sought.claimed == "mine"
        return await db.fetch(CLAIMED, *common, now, sought.me, is_mine, limit)
    is_asked = any(one is not None for one in few)
    is_few = is_asked and await db.fetchval(PROBE, *few, FEW + 1) <= FEW
    free_at = now if sought.claimed == "free" else None
    return await db.fetch(FEW_PAGE if is_few else PAGE, *common, free_at, limit)


def _last_of(language: str | None) -> str | None:
    """What no tag of *language* comes after, in whatever order the database sorts letters.

    A language has those of all countries in it; a tag with a country is itself alone.
    """
    if language is None or "-" in language:
        return language
    return f"{language}-{'z' * 8}"


def _bounds(sought: Sought, now: datetime) -> _Bounds:
    after = sought.after
    above = (EVER, 0) if after is None else (after.due_at, after.clock)
    if sought.band is None:
        return _Bounds(above)
    if sought.band == "breached":
        return _Bounds(above, due_before=now)
    ahead = max(above, (now, 0))
    if sought.band == "ok":
        return _Bounds(ahead, first_from=now)
    if sought.band == "critical":
        return _Bounds(ahead, last_before=now)
    return _Bounds(ahead, first_before=now, last_from=now)
