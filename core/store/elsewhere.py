"""Where else the buyer of a thread waits: other threads that have a key in common with it.

A key is common to what the same order, address or phone is told of (`core.store.buyers`). Threads
of one buyer need not have the same: who writes by mail about an order, chats about it and calls
from the phone of the chat is one all the same. So one thread leads to the next, a few steps far.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from core.store import Db

    Ref = tuple[str, str]

STEPS = 3
"""So far one thread leads: from a call to a chat by phone, to a mail by order, to another by mail.
As far the one way as the other."""
MOST = 100
"""A key of more threads is no buyer's: an address that all forms come from, or a robot's."""
MANY = 10_000
"""So many threads are looked at, beside those asked for: what is found until then is told."""

KEYS = """
    select t.account, t.id, t.keys
    from unnest($1::text[], $2::text[]) as w (account, id)
    join thread t on t.account = w.account and t.id = w.id
    where t.keys is not null
"""
# Of each key by itself: nothing is known of how many rows have it, and of many at once the planner
# would read the table.
SHARING = """
    with met as materialized (
        select k.key, t.account, t.id, t.keys, count(*) over (partition by k.key) as threads
        from unnest($1::bytea[]) as k (key)
        cross join lateral (
            select account, id, keys from thread where keys @> array[k.key] offset 0
        ) t
    )
    select key, account, id, keys from met where threads <= $2
    union all
    select distinct key, null, null, null::bytea[] from met where threads > $2
"""
# Where an account is retired nobody waits: its clocks have ended with it.
WAITING = """
    select distinct on (c.account, c.thread) c.account, c.thread, c.promise, c.due_at
    from unnest($1::text[], $2::text[]) as w (account, thread)
    join clock c on c.account = w.account and c.thread = w.thread
    where c.ended is null and not c.history and c.steps <> '{}' and c.waits_for = 'buyer'
    order by c.account, c.thread, c.due_at, c.promise
"""
# What stands beside one thread; answered_at is when a reply last ended a clock there.
BESIDE = """
    select t.account, t.id, t.kind, t.subject, t.order_ids, l.at as last_at, w.due_at, w.promise,
           (select max(c.stopped_at) from clock c
            where c.account = t.account and c.thread = t.id and c.ended in ('met', 'late')
              and c.reason is null and c.stopped_by is not null) as answered_at
    from unnest($1::text[], $2::text[]) as r (account, id)
    join thread t on t.account = r.account and t.id = r.id
    left join lateral (
        select max(m.seen_at) as at from message m where m.account = t.account and m.thread = t.id
    ) l on true
    left join lateral (
        select c.due_at, c.promise from clock c
        where c.account = t.account and c.thread = t.id and c.ended is null and not c.history
          and c.steps <> '{}'
        order by c.due_at, c.promise limit 1
    ) w on true
    where t.erased_at is null
    order by w.due_at nulls last, l.at desc nulls last, t.account, t.id
    limit $3
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A thread in which a buyer waits, with the promise whose deadline comes first."""

    account: str
    thread: str
    promise: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What there is beside a thread: where its buyer *waits*, the most urgent first.

    *too_common*: by something that it tells of its buyer more than `MOST` threads are known, so
    that it links none.
    """

    waits: Sequence[Waiting] = ()
    too_common: bool = False


NOWHERE = Elsewhere()


@dataclass(frozen=True, slots=True)
class Beside:
    """Another thread of the same buyer.

    *last_at* is when its last message was stored; *due_at* its nearest deadline that runs, with
    its *promise*; *answered_at* when a reply last ended a clock of it.
    """

    account: str
    thread: str
    kind: str
    subject: str | None
    order_ids: Sequence[str]
    last_at: datetime | None
    due_at: datetime | None
    promise: str | None
    answered_at: datetime | None


@dataclass(slots=True)
class _Net:
    """Threads with their keys, keys with their threads, as far as they were looked at."""

    keys: dict[Ref, Sequence[bytes]] = field(default_factory=dict)
    sharing: defaultdict[bytes, set[Ref]] = field(default_factory=lambda: defaultdict(set))
    common: set[bytes] = field(default_factory=set)

    def beside(self, start: Ref) -> set[Ref]:
        """The threads to which *start* leads."""
        found, edge = {start}, {start}
        for _ in range(STEPS):
            edge = {there for one in edge for there in self._next(one)} - found
            found |= edge
        return found - {start}

    def _next(self, ref: Ref) -> Iterable[Ref]:
        return (there for key in self.keys.get(ref, ()) for there in self.sharing.get(key, ()))


async def of(db: Db, threads: Collection[Ref]) -> dict[Ref, Elsewhere]:
    """Where the buyers of *threads*, by (account, id), wait beside them; others are left out.

    A few statements, however many threads; of the order in which threads came nothing depends.
    """
    net = await _spread(db, threads)
    beside = {ref: net.beside(ref) for ref in threads if ref in net.keys}
    waiting = await _waiting(db, set().union(*beside.values()))
    found = {
        ref: Elsewhere(
            tuple(sorted((waiting[one] for one in those if one in waiting), key=_urgency)),
            too_common=not net.common.isdisjoint(net.keys[ref]),
        )
        for ref, those in beside.items()
    }
    return {ref: one for ref, one in found.items() if one != NOWHERE}


async def beside(
    db: Db, account: str, thread: str, visible: Collection[str] | None, limit: int
) -> list[Beside]:
    """The buyer's other threads, those that wait first; of *visible* accounts only (None: all)."""
    here = account, thread
    net = await _spread(db, [here])
    there = [ref for ref in net.beside(here) if visible is None or ref[0] in visible]
    rows = await db.fetch(BESIDE, *_columns(there), limit) if there else ()
    return [Beside(*row) for row in rows]


async def _spread(db: Db, threads: Collection[Ref]) -> _Net:
    """What *threads* lead to, step by step."""
    net = _Net()
    for account, id_, keys in await db.fetch(KEYS, *_columns(threads)):
        net.keys[account, id_] = keys
    most, asked = len(net.keys) + MANY, set[bytes]()
    for _ in range(STEPS):
        wanted = {key for keys in net.keys.values() for key in keys} - asked
        if not wanted or len(net.keys) > most:
            break
        asked |= wanted
        for key, account, id_, keys in await db.fetch(SHARING, list(wanted), MOST):
            if account is None:
                net.common.add(key)
            else:
                net.keys[account, id_] = keys
                net.sharing[key].add((account, id_))
    return net


async def _waiting(db: Db, threads: Collection[Ref]) -> dict[Ref, Waiting]:
    rows = await db.fetch(WAITING, *_columns(threads)) if threads else ()
    return {(row["account"], row["thread"]): Waiting(*row) for row in rows}


def _columns(threads: Iterable[Ref]) -> tuple[list[str], list[str]]:
    refs = list(threads)
    return [account for account, _ in refs], [id_ for _, id_ in refs]


def _urgency(one: Waiting) -> tuple[datetime, str, str]:
    return one.due_at, one.account, one.thread
