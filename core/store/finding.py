"""Threads that somebody looks for, whatever became of them: by a word, or by when they ended.

A word is an order, as it stands in a letter or without its punctuation, and in part; a thread's own
id; or, for who may read what buyers write, the beginnings of the names of a buyer. Threads of a
buyer who was erased are found by nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from core.store import FOREVER, board, queue

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from asyncpg import Record

    from core.store import Db
    from core.store.board import After

LATELY = timedelta(days=14)
"""So far back what was answered is listed."""
MOST = 1_000
"""So many threads that an order, or a name, begins with are looked at: more say too little."""
MOST_ACTS, ALL_ACTS = 500, 20_000
"""So many of a person's answers are looked at for a page, and so many where these come to too few
threads: nobody gives more by hand in `LATELY`."""
LEAST_ORDER, LEAST_NAME = 5, 2
"""So many letters of an order, or of a name, are enough to look for all that begin with them; all
orders of a marketplace in one country may begin with the same three."""
INDEXED = 5
"""So many letters of a name the index has."""

# What was typed, as it is compared: the order, and the words of a name (migration 0057 says why).
SAID = r"""
    select lower(translate(left($1, 60), '-#/. _', '')),
           string_to_array(btrim(regexp_replace(
               lower(regexp_replace(normalize(left($1, 200), nfkd), '[\u0300-\u036f]+', '', 'g')),
               '[\s.,:@_+()/''"-]+', ' ', 'g'
           )), ' ')
"""
# A plan for these very values: of words the planner knows nothing, and would read the table.
PLANNED = """
    set local plan_cache_mode = force_custom_plan;
    set local enable_seqscan = off
"""
# Each by its own index; what begins alike in the index is then compared whole.
SEARCH = r"""
    with met as materialized (
        (select t.account, t.id from account a join thread t on t.account = a.name and t.id = $1
         where t.erased_at is null and ($2::text[] is null or a.name = any($2)))
        union
        (select account, id from thread
         where erased_at is null and ($2::text[] is null or account = any($2))
           and $3::text is not null
           and array_to_tsvector(array_remove(array_remove(array[
                   lower(translate(left(order_ids[1], 60), '-#/. _', '')),
                   lower(translate(left(order_ids[2], 60), '-#/. _', '')),
                   lower(translate(left(order_ids[3], 60), '-#/. _', '')),
                   lower(translate(left(order_ids[4], 60), '-#/. _', '')),
                   lower(translate(left(order_ids[5], 60), '-#/. _', '')),
                   lower(translate(left(order_ids[6], 60), '-#/. _', '')),
                   lower(translate(left(order_ids[7], 60), '-#/. _', '')),
                   lower(translate(left(order_ids[8], 60), '-#/. _', ''))
               ], null), '')) @@ $3::text::tsquery
         limit $6)
        union
        (select account, id from thread
         where erased_at is null and ($2::text[] is null or account = any($2))
           and $4::text is not null
           and array_to_tsvector(array_remove(string_to_array(regexp_replace(
                   lower(regexp_replace(normalize(left(buyer, 200), nfkd),
                                        '[\u0300-\u036f]+', '', 'g')),
                   '[\s.,:@_+()/''"-]*([^\s.,:@_+()/''"-]{1,5})[^\s.,:@_+()/''"-]*[\s.,:@_+()/''"-]*',
                   ' \1', 'g'
               ), ' '), '')) @@ $4::text::tsquery
           and ' ' || regexp_replace(
                   lower(regexp_replace(normalize(left(buyer, 200), nfkd),
                                        '[\u0300-\u036f]+', '', 'g')),
                   '[\s.,:@_+()/''"-]+', ' ', 'g'
               ) like all($5::text[])
         limit $6)
    )
    select m.account, m.id, coalesce(r.id, e.id) as clock, count(*) over () as n
    from met m
    left join lateral (
        select id, due_at from clock
        where account = m.account and thread = m.id
          and ended is null and not history and steps <> '{}'
        order by due_at, id limit 1
    ) r on true
    left join lateral (
        select id, stopped_at from clock
        where account = m.account and thread = m.id
          and ended is not null and not history and steps <> '{}'
        order by stopped_at desc, id desc limit 1
    ) e on r.id is null
    order by r.due_at nulls last, e.stopped_at desc nulls last, m.account, m.id
    limit $7
"""
ANSWERED = """
    select c.account, c.thread as id, c.id as clock from clock c
    where c.ended is not null and not c.history and c.steps <> '{}'
      and c.stopped_at >= $1 and (c.stopped_at, c.id) < ($2, $3::bigint)
      and ($4::text[] is null or c.account = any($4))
      and not exists (
          select from clock o
          where o.account = c.account and o.thread = c.thread
            and o.ended is not null and not o.history and o.steps <> '{}'
            and (o.stopped_at, o.id) > (c.stopped_at, c.id))
      and exists (
          select from thread t
          where t.account = c.account and t.id = c.thread and t.erased_at is null)
    order by c.stopped_at desc, c.id desc
    limit $5
"""
# A reply is its message; who said of a thread that no reply is needed, or that it was given there,
# the audit trail knows.
ANSWERED_BY = """
    with done as materialized (
        (select account, thread, message_id as message from reply
         where written_by = $6 and queued_at >= $1 and queued_at - interval '1 hour' < $2
           and message_id is not null
         order by id desc limit $7)
        union all
        (select a.account, a.thread, m.id from (
             select id, at, account, thread from audit
             where who = $6 and act in ('mark', 'answered') and at >= $1
               and at - interval '1 hour' < $2
             order by id desc limit $7
         ) a
         join message m on m.account = a.account and m.thread = a.thread
             and m.kind in ('no_reply_needed', 'answered_elsewhere') and m.party = 'seller'
             and m.seen_at >= a.at and m.seen_at < a.at + interval '1 minute')
    ), of_threads as (
        select distinct on (c.account, c.thread) c.account, c.thread, c.id, c.stopped_at
        from done d
        join clock c on c.account = d.account and c.thread = d.thread and c.stopped_by = d.message
        join thread t on t.account = c.account and t.id = c.thread and t.erased_at is null
        where c.ended is not null and not c.history and c.steps <> '{}'
          and ($4::text[] is null or c.account = any($4))
        order by c.account, c.thread, c.stopped_at desc, c.id desc
    )
    select account, thread as id, id as clock from of_threads
    where stopped_at >= $1 and (stopped_at, id) < ($2, $3::bigint)
    order by stopped_at desc, id desc
    limit $5
"""
SHOWN = """
    select t.account, t.id as thread, t.kind, t.subject, t.buyer, t.order_ids, c.id as clock,
           c.promise, c.due_at, c.steps, c.ended, c.reason, c.stopped_at,
           coalesce(r.written_by, said.who) as by,
           c.ended in ('met', 'late') and c.reason is null and c.stopped_by is not null
               and r.id is null and said.who is null as is_elsewhere,
           k.by as claimed_by, k.until as claimed_until
    from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality
        as w (account, thread, clock, place)
    join thread t on t.account = w.account and t.id = w.thread
    left join clock c on c.id = w.clock
    left join claim k on k.account = w.account and k.thread = w.thread and k.ended_at is null
        and k.until > $4
    left join lateral (
        select id, written_by from reply
        where account = c.account and thread = c.thread and message_id = c.stopped_by
        order by id desc limit 1
    ) r on true
    left join lateral (
        select a.who from message m
        join audit a on a.account = m.account and a.thread = m.thread
            and a.act in ('mark', 'answered') and a.at <= m.seen_at
            and a.at > m.seen_at - interval '1 minute'
        where m.account = c.account and m.id = c.stopped_by
          and m.kind in ('no_reply_needed', 'answered_elsewhere')
        order by a.id desc limit 1
    ) said on true
    order by w.place
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A thread, by the deadline that is nearest, or else the one that ended last; None: no clock.

    *subject* and *buyer* are of a buyer: for who may read them. *ended* is ``met``, ``late`` or
    ``void``, with the *reason* that `sla.clock` gives; None: it runs. *by* is who here answered, or
    said that none is needed; *is_elsewhere*: it was answered, and not from here.
    """

    account: str
    thread: str
    kind: str
    subject: str | None
    buyer: str
    order_ids: Sequence[str]
    clock: int | None
    promise: str | None
    due_at: datetime | None
    steps: Sequence[datetime] | None
    ended: str | None
    reason: str | None
    stopped_at: datetime | None
    by: str | None
    is_elsewhere: bool | None
    claimed_by: str | None
    claimed_until: datetime | None

    @property
    def place(self) -> After | None:
        """Where it stands among what was answered."""
        if self.stopped_at is None or self.clock is None:
            return None
        return board.place(self.stopped_at, self.clock)

    def band(self, now: datetime) -> str | None:
        """How near its deadline is: one of `core.labels.BANDS`; None: none runs."""
        if self.ended is not None or self.due_at is None:
            return None
        return queue.band(self.due_at, self.steps or (), now)


class Threads(NamedTuple):
    """Threads that were found; *is_part*: there are more."""

    found: Sequence[Found]
    is_part: bool


async def search(
    db: Db,
    word: str,
    accounts: Collection[str] | None,
    now: datetime,
    limit: int,
    *,
    names: bool,
) -> Threads:
    """Threads that *word* is about, of *accounts* only (None: all): those that wait by deadline.

    After them what was answered, the newest first. *names*: it may be a buyer's. In the caller's
    transaction.
    """
    [(order, words)] = await db.fetch(SAID, word)
    await db.execute(PLANNED)
    rows = await db.fetch(
        SEARCH,
        word,
        None if accounts is None else sorted(accounts),
        _order(order),
        _name(words) if names else None,
        [f"% {_like(one)}%" for one in words],
        MOST,
        limit,
    )
    return Threads(await _shown(db, rows, now), bool(rows) and rows[0]["n"] > len(rows))


async def answered(
    db: Db,
    accounts: Collection[str] | None,
    by: str | None,
    after: After | None,
    now: datetime,
    limit: int,
) -> Sequence[Found]:
    """Threads of which a clock ended in the last `LATELY`, the newest first, of *accounts* only.

    *by*: which that person has answered, or said of that no reply is needed; None: whoever did.
    *after* is the last of the page before. In the caller's transaction.
    """
    at, clock = (FOREVER, 0) if after is None else (after.due_at, after.clock)
    common = now - LATELY, at, clock, None if accounts is None else sorted(accounts), limit
    await db.execute(board.PLANNED)
    if by is None:
        rows = await db.fetch(ANSWERED, *common)
    else:
        rows = await db.fetch(ANSWERED_BY, *common, by, MOST_ACTS)
        if len(rows) < limit:  # several of them may be of one thread
            rows = await db.fetch(ANSWERED_BY, *common, by, ALL_ACTS)
    return await _shown(db, rows, now)


async def _shown(db: Db, rows: Sequence[Record], now: datetime) -> list[Found]:
    if not rows:
        return []
    columns = ([row[name] for row in rows] for name in ("account", "id", "clock"))
    return [Found(*row) for row in await db.fetch(SHOWN, *columns, now)]


def _order(order: str) -> str | None:
    """What asks the index for an order, in part where that is long enough; None: it is none."""
    return _lexeme(order, in_part=len(order) >= LEAST_ORDER) if order else None


def _name(words: Iterable[str]) -> str | None:
    """What asks the index for names that begin so; None: no name is so short."""
    known = [one for one in words if one]
    if sum(map(len, known)) < LEAST_NAME:
        return None
    return " & ".join(_lexeme(one[:INDEXED], in_part=len(one) < INDEXED) for one in known)


def _lexeme(word: str, *, in_part: bool) -> str:
    quoted = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}':*" if in_part else f"'{quoted}'"


def _like(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
