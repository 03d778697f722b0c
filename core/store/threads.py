"""Conversations: their state by `as_of`, and the lock under which their turns change."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from core.model import Thread
from core.said import phrase
from core.store import EVER, copied, held, pairs
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from core.store import Db
    from core.store.buyers import Keys

UNKNOWN = phrase("account %(account)s has no thread %(thread)s")
"""What is told of an id that no thread has."""

STATE = """
    select id, kind, subject, buyer, order_ids, url, incomplete, closed_at, reply_to, as_of,
           absent_since, erased_at
    from thread where account = $1 and id = any(array(select jsonb_array_elements_text($2)))
"""
STATES_OF = """
    select t.account, t.id, kind, subject, buyer, order_ids, url, incomplete, closed_at, reply_to,
           as_of, absent_since, erased_at
    from unnest($1::text[], $2::text[]) as w (account, id)
    join thread t on t.account = w.account and t.id = w.id
"""
NAMES = (
    "id", "kind", "subject", "buyer", "order_ids", "url", "incomplete", "closed_at", "reply_to",
    "as_of",
)  # fmt: skip
COLUMNS = (
    "account", "id", "kind", "incomplete", "buyer", "as_of", "subject", "url", "closed_at",
    "order_ids", "reply_to", "keys",
)  # fmt: skip
# A message whose thread nobody has described yet: any description is newer.
ADD_BARE = """
    insert into thread (account, id, kind, as_of)
    select $1, id, 'message', $3 from unnest($2::text[]) as id order by id collate "C"
    on conflict (account, id) do nothing
"""
CHANGE = """
    update thread set kind = $3, subject = $4, buyer = $5, order_ids = $6, url = $7,
        incomplete = $8, closed_at = $9, reply_to = $10, as_of = $11, absent_since = null,
        keys = case when erased_at is null then $12::bytea[] end
    where account = $1 and id = $2 and as_of <= $11
"""
LOCK = """
    select id, kind, incomplete, erased_at, language_set from thread
    where account = $1 and id = any($2::text[])
    order by account, id
    for no key update
"""
SPOKEN = "select language_set from thread where account = $1 and id = $2"
SPEAK = """
    update thread set language_set = $3, language_set_by = $4, language_set_at = $5
    where account = $1 and id = $2
"""
OF = """
    select id, kind, subject, buyer, order_ids, url, incomplete, closed_at, reply_to, as_of
    from thread where account = $1 and id = $2
"""
INCOMPLETE = """
    select id from thread
    where account = $1 and incomplete and erased_at is null
      and (looked_at is null or looked_at < as_of or looked_at < $2)
    order by looked_at nulls first, id
    limit $3
"""
OPEN_UNREAD = """
    select t.id from thread t
    where t.account = $1 and greatest(t.as_of, t.looked_at) < $2 and t.id in (
        select c.thread from clock c where c.account = $1 and c.ended is null)
    order by greatest(t.as_of, t.looked_at), t.id
    limit $3
"""
OUTDATED = """
    select id from thread t
    where account = $1 and (
        exists (select from message m
                where m.account = $1 and m.thread = t.id and m.seen_at >= $2)
        or exists (select from given g
                   where g.account = $1 and g.thread = t.id and g.read_at >= $2)
        or exists (select from clock c
                   where c.account = $1 and c.thread = t.id and c.reason = 'account_retired')
    )
    order by id
"""
LOOKED_AT = """
    update thread set looked_at = $3, absent_since = case
        when $4::text[] is null then absent_since
        when id <> all($4) then coalesce(absent_since, $3)
    end
    where account = $1 and id = any($2::text[])
"""
LOOKED_AT_SINCE = """
    select id from thread where account = $1 and id = any($2::text[]) and looked_at >= $3
"""
ABSENT = "select absent_since from thread where account = $1 and id = $2"


class Locked(NamedTuple):
    """What a recomputation needs to know of a thread that it has locked, or has just written.

    *erased_at* is when its buyer was erased; *language_set* is its language where a person says it.
    """

    kind: ThreadKind
    incomplete: bool
    erased_at: datetime | None = None
    language_set: str | None = None


class Nameless(tuple[object, ...]):
    """The stored state of a thread whose buyer was erased; otherwise as `row` makes it."""

    __slots__ = ()


class Absent(tuple[object, ...]):
    """The stored state of a thread that looks did not find; otherwise as `row` makes it."""

    __slots__ = ()


async def spoken(db: Db, account: str, thread: str) -> str | None:
    """In which language a thread is as a person says; None where nobody does."""
    tag: str | None = await db.fetchval(SPOKEN, account, thread)
    return tag


async def speak(db: Db, account: str, thread: str, tag: str | None, by: str, now: datetime) -> None:
    """Write that *by* says that it is *tag*, None: what its messages say; the thread is held."""
    await db.execute(SPEAK, account, thread, tag, by[:128], now)


async def states(db: Db, account: str, ids: Collection[str]) -> dict[str, tuple[object, ...]]:
    """The stored state of threads, as `row` makes it; unknown ones are left out."""
    rows = await db.fetch(STATE, account, list(ids))
    return {row["id"]: _state(tuple(row)) for row in rows}


async def states_of(
    db: Db, ids: Mapping[str, Collection[str]]
) -> defaultdict[str, dict[str, tuple[object, ...]]]:
    """As `states`, of threads of several accounts, by account."""
    found: defaultdict[str, dict[str, tuple[object, ...]]] = defaultdict(dict)
    for account, *state in await db.fetch(STATES_OF, *pairs(ids)):
        found[account][state[0]] = _state(tuple(state))
    return found


def _state(found: tuple[object, ...]) -> tuple[object, ...]:
    *state, absent_since, erased_at = found
    if erased_at is not None:
        return Nameless(state)
    return tuple(state) if absent_since is None else Absent(state)


def row(thread: Thread) -> tuple[object, ...]:
    """The state of *thread* as it is stored; `as_of` comes last."""
    return (
        thread.id,
        thread.kind,
        thread.subject,
        thread.buyer,
        list(thread.order_ids),
        thread.url,
        thread.incomplete,
        held(thread.closed_at),
        thread.reply_to,
        held(thread.as_of),
    )


def _cells(thread: Thread, keys: Keys | None) -> bytes:
    """What follows the account in a row of `COLUMNS`."""
    return b"".join((
        copied.text(thread.id),
        _closed(thread.kind, thread.incomplete),
        copied.text(thread.buyer),
        copied.instant(thread.as_of),
        _rare(thread),
        copied.NULL if keys is None else copied.blobs(keys.of(thread.order_ids, thread.reply_to)),
    ))  # fmt: skip


@lru_cache(maxsize=64)
def _closed(kind: ThreadKind, incomplete: bool) -> bytes:  # noqa: FBT001  # it is the value
    """The cells of closed words: many threads have the same."""
    return copied.text(kind) + copied.boolean(incomplete)


def _rare(thread: Thread) -> bytes:
    """The cells that many marketplaces leave empty."""
    seldom = thread.subject, thread.url, thread.closed_at
    if seldom == _NOTHING and not thread.order_ids and not thread.reply_to:
        return _NO_CELLS
    return b"".join((
        copied.text(thread.subject),
        copied.text(thread.url),
        copied.instant(thread.closed_at),
        copied.texts(thread.order_ids),
        copied.json_(json.dumps(thread.reply_to).encode() if thread.reply_to else b"{}"),
    ))  # fmt: skip


def joined(older: Thread, newer: Thread) -> Thread:
    """*newer*; where it names no order, with the orders of *older* and the page that shows them.

    A conversation stays about what it was about, also where its next message does not say so.
    """
    if newer.order_ids or not older.order_ids:
        return newer
    return newer.model_copy(update={"order_ids": older.order_ids, "url": older.url or newer.url})


def kept(thread: Thread, stored: tuple[object, ...]) -> Thread:
    """The state that *thread* and *stored* (as `row` makes it) come to, as far as orders go.

    A thread whose buyer was erased names nobody again.
    """
    if isinstance(stored, Nameless):
        thread = nameless(thread)
    if bool(thread.order_ids) == bool(stored[NAMES.index("order_ids")]):
        return thread
    was = of_row(stored)
    return joined(thread, was) if is_older(row(thread), stored) else joined(was, thread)


def of_row(stored: tuple[object, ...]) -> Thread:
    """The state that is stored, from what `row` made of it."""
    return Thread.model_validate(dict(zip(NAMES, stored, strict=True)))


def nameless(thread: Thread) -> Thread:
    """*thread* without whatever tells whose it is, or of what they wrote."""
    return thread.model_copy(update={"subject": None, "buyer": "", "url": None, "reply_to": {}})


def is_older(told: tuple[object, ...], stored: tuple[object, ...]) -> bool:
    """Whether the state *told* was taken before the state *stored*, both as `row` makes them."""
    return bool(told[-1] < stored[-1])  # type: ignore[operator]  # both are `as_of`


async def add(db: Db, account: str, threads: Iterable[Thread], keys: Keys | None) -> None:
    """Write threads that are not known, with the *keys* of their buyers."""
    await add_all(db, {account: threads}, {account: keys})


async def add_all(
    db: Db, threads: Mapping[str, Iterable[Thread]], keys: Mapping[str, Keys | None]
) -> None:
    """As `add`, of threads of several accounts, in order."""
    rows = [
        copied.text(account) + _cells(thread, keys[account])
        for account, of in sorted(threads.items())
        for thread in sorted(of, key=attrgetter("id"))
    ]
    if rows:
        await copied.write(db, "thread", COLUMNS, rows)


async def add_bare(db: Db, account: str, ids: Collection[str]) -> None:
    """Write threads of which only the id is known; known ones stay as they are."""
    if ids:
        await db.execute(ADD_BARE, account, ids, EVER)


async def change(db: Db, account: str, threads: Iterable[Thread], keys: Keys | None) -> None:
    """Write the state of locked threads; an older `as_of` never overwrites a newer one."""
    rows = [(account, *row(one), keys and keys.of(one.order_ids, one.reply_to)) for one in threads]
    await db.executemany(CHANGE, rows)


async def lock(db: Db, account: str, ids: Collection[str]) -> dict[str, Locked]:
    """Lock threads in one order for all; whoever changes a turn holds its thread.

    Returns:
        Those that exist.
    """
    rows = await db.fetch(LOCK, account, ids)
    return {id_: Locked(_KINDS[kind], *state) for id_, kind, *state in rows}


async def of(db: Db, account: str, thread: str) -> Thread | None:
    """One thread as stored; None where there is none."""
    found = await db.fetchrow(OF, account, thread)
    return None if found is None else Thread.model_validate(dict(found))


async def incomplete(db: Db, account: str, before: datetime, limit: int) -> list[str]:
    """Threads of which the marketplace holds more, if they changed since their last look.

    One that stays incomplete is looked at again when its last look lies *before*.
    """
    return [row["id"] for row in await db.fetch(INCOMPLETE, account, before, limit)]


async def open_unread(db: Db, account: str, before: datetime, limit: int) -> list[str]:
    """Threads that wait for an answer and were told by no page and no look since *before*."""
    return [row["id"] for row in await db.fetch(OPEN_UNREAD, account, before, limit)]


async def outdated(db: Db, account: str, since: datetime) -> list[str]:
    """Threads of which something was stored *since* then, or of which a clock ended with *account*.

    Whatever waits since then was stored then or later: a turn is never later than its sight.
    """
    return [row["id"] for row in await db.fetch(OUTDATED, account, since)]


async def looked_at(
    db: Db, account: str, ids: Sequence[str], now: datetime, shown: Collection[str] | None = None
) -> None:
    """Remember that these threads were read by themselves.

    *shown*: which of them the marketplace has; None where nobody knows that of all.
    """
    await db.execute(LOOKED_AT, account, ids, now, None if shown is None else list(shown))


async def looked_at_since(
    db: Db, account: str, ids: Sequence[str], since: datetime
) -> frozenset[str]:
    """Those of *ids* that were read by themselves *since* then."""
    rows = await db.fetch(LOOKED_AT_SINCE, account, ids, since)
    return frozenset(row["id"] for row in rows)


async def absent_since(db: Db, account: str, thread: str) -> datetime | None:
    """Since when looks find no such thread at the marketplace; None where they do."""
    found: datetime | None = await db.fetchval(ABSENT, account, thread)
    return found


_KINDS: Mapping[str, ThreadKind] = {kind.value: kind for kind in ThreadKind}
_NOTHING, _NO_CELLS = (None,) * 3, copied.NULL * 3 + copied.texts(()) + copied.json_(b"{}")
