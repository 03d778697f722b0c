"""Looks through every text of an account that may name somebody, and clears it of who is erased.

Many members at once, so many rows at a time: what is written meanwhile waits for no more than that.
Searching is done beside the event loop, and gives way to it; no connection is held meanwhile.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING, NamedTuple, Protocol

from core.arrival import naming
from core.store import statement, threads, traces, transaction, verdicts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from core.arrival.naming import Names
    from core.store import Db, Pool
    from core.store.traces import Blob, Blobs, Key

    Named = Mapping[Key, frozenset[str]]
    Without = Callable[["_Sweep", Db, Collection[Key]], Awaitable[None]]

CHUNK, BLOBS = 500, 50
"""So many rows are read at once: of texts, of bytes."""
BUSY, AWAY = 0.002, 0.001
"""Seconds of searching, and of giving way after them: Python runs one thread at a time."""


class Tally(Protocol):
    """Who empties the threads of members, and counts what named one."""

    async def empty(self, account: str, owned: dict[str, frozenset[str]]) -> None:
        """Empty whole threads, by the ids that they are of."""
        ...

    async def cleared(self, db: Db, account: str, named: Iterable[frozenset[str]]) -> None:
        """Rows of *account* that named these ids do so no more, from the transaction's end on."""
        ...

    async def renew(self) -> None:
        """A sign of life."""
        ...

    async def kept_back(self, db: Db, account: str, refused: Collection[int]) -> None:
        """Replies to others, that named one, do not leave."""
        ...


@dataclass(frozen=True, slots=True)
class _Sweep:
    pool: Pool
    account: str
    names: Names
    tally: Tally
    clock: Callable[[], datetime]


class _Place(NamedTuple):
    """Rows that are read by *read*, the keys after *first*, and cleared by *clear*.

    What people *wrote* to each other names nobody by a word that is a whole value elsewhere.
    """

    read: str
    clear: Without
    first: Key = ""
    wrote: bool = False


async def threads_of(
    pool: Pool, account: str, names: Names, tally: Tally, clock: Callable[[], datetime]
) -> None:
    """Empty every thread of *account* that anything shows to be one of *names*'.

    Raises:
        StoreUnavailable: the database went away; what was emptied is.
    """
    await _threads(_Sweep(pool, account, names, tally, clock))


async def texts_of(
    pool: Pool, account: str, names: Names, tally: Tally, clock: Callable[[], datetime]
) -> None:
    """Clear everything else that is stored of *account* of *names*.

    Raises:
        StoreUnavailable: the database went away; what was cleared is.
    """
    sweep = _Sweep(pool, account, names, tally, clock)
    for place in _PLACES:
        await _texts(sweep, place)
    for blobs in traces.BLOBS:
        await _blobs(sweep, blobs)


async def _threads(sweep: _Sweep) -> None:
    """Empty the threads of members."""
    after, rows = "", None
    while rows is None or len(rows) == CHUNK:
        async with statement(sweep.pool) as db:
            rows = await traces.read_threads(db, sweep.account, after, CHUNK)
        owned = {row.id: ids for row in rows if (ids := _owners(row, sweep.names))}
        if owned:
            await sweep.tally.empty(sweep.account, owned)
        await sweep.tally.renew()
        after = rows[-1].id if rows else after


async def _texts(sweep: _Sweep, place: _Place) -> None:
    after, rows = place.first, None
    while rows is None or len(rows) == CHUNK:
        async with statement(sweep.pool) as db:
            rows = await traces.read(db, place.read, sweep.account, after, CHUNK)
        named = await asyncio.to_thread(_searched, sweep.names, rows, wrote=place.wrote)
        await _clear(sweep, named, place.clear)
        after = rows[-1].key if rows else after


async def _blobs(sweep: _Sweep, blobs: Blobs) -> None:
    after, rows = blobs.first, None
    while rows is None or len(rows) == BLOBS:
        async with statement(sweep.pool) as db:
            rows = await traces.read_blobs(db, blobs, sweep.account, after, BLOBS)
        named = {row.key: ids for row in rows if (ids := await _in_blob(sweep, blobs, row))}
        await _clear(sweep, named, _by(blobs.clear))
        after = rows[-1].key if rows else after


async def _in_blob(sweep: _Sweep, blobs: Blobs, row: Blob) -> frozenset[str]:
    """The ids that stand in bytes, or in the text beside them."""
    ways = _ways(sweep.names, wrote=blobs.wrote, is_notice=row.is_notice)
    found = await asyncio.to_thread(_in_bytes, ways, row.text, row.raw or b"")
    for first in traces.slices(row) if row.raw is None else ():
        async with statement(sweep.pool) as db:
            part = await traces.read_slice(db, blobs, sweep.account, row, first)
        found |= await asyncio.to_thread(_in_bytes, ways, "", part)
    return found


def _ways(names: Names, *, wrote: bool, is_notice: bool) -> tuple[Names, ...]:
    """As what ids are looked for: whole values but in what was written, and in sentences."""
    if wrote:
        return (names.in_notices,) if is_notice else (names.in_sentences,)
    return (names, names.in_notices) if is_notice else (names,)


def _in_text(ways: Iterable[Names], text: str) -> frozenset[str]:
    return frozenset().union(*(names.named(text) for names in ways))


def _in_bytes(ways: Iterable[Names], text: str, raw: bytes) -> frozenset[str]:
    return _in_text(ways, text) | _in_text(ways, naming.read(raw))


def _searched(names: Names, rows: Iterable[traces.Row], *, wrote: bool) -> Named:
    """The rows of which the text names a member: which ids."""
    found, began = {}, monotonic()
    for key, text, is_notice in rows:
        if ids := _in_text(_ways(names, wrote=wrote, is_notice=is_notice), text):
            found[key] = ids
        if monotonic() - began > BUSY:
            sleep(AWAY)
            began = monotonic()
    return found


def _owners(row: traces.Owned, names: Names) -> frozenset[str]:
    """The ids of which the thread *row* is."""
    values = naming.keys(row.buyer, row.reply_to)
    return frozenset(id_ for value in values if (id_ := names.same(value)) is not None)


async def _clear(sweep: _Sweep, named: Named, clear: Without) -> None:
    if named:
        async with transaction(sweep.pool) as db:
            await clear(sweep, db, list(named))
            await sweep.tally.cleared(db, sweep.account, named.values())
    await sweep.tally.renew()


def _by(sql: str) -> Without:
    """What clears rows by one statement."""

    async def cleared(sweep: _Sweep, db: Db, keys: Collection[Key]) -> None:
        refused = await traces.clear(db, sql, sweep.account, keys)
        await sweep.tally.kept_back(db, sweep.account, refused)

    return cleared


async def _clear_threads(sweep: _Sweep, db: Db, keys: Collection[Key]) -> None:
    await threads.lock(db, sweep.account, [str(key) for key in keys])
    await traces.clear(db, traces.CLEAR_THREADS, sweep.account, keys)


async def _rewrite_messages(sweep: _Sweep, db: Db, keys: Collection[Key]) -> None:
    """Under the locks of their threads, as whoever stores a page holds them."""
    homes = await traces.homes(db, sweep.account, keys)
    await threads.lock(db, sweep.account, homes)
    names = sweep.names
    people, market = names.in_sentences.without, names.in_notices.without
    await traces.rewrite_messages(db, sweep.account, keys, people, market)


async def _rewrite_replies(sweep: _Sweep, db: Db, keys: Collection[Key]) -> None:
    without, now = sweep.names.in_sentences.without, sweep.clock()
    refused = await traces.rewrite_replies(db, sweep.account, keys, without, now)
    await sweep.tally.kept_back(db, sweep.account, refused)


async def _rewrite_notices(sweep: _Sweep, db: Db, keys: Collection[Key]) -> None:
    await traces.rewrite_notices(db, sweep.account, keys, sweep.names.without)


async def _forget_verdicts(sweep: _Sweep, db: Db, keys: Collection[Key]) -> None:
    await verdicts.forget_named(db, sweep.account, [str(key) for key in keys])


_PLACES = (
    _Place(traces.HEADLINES, _clear_threads, wrote=True),
    _Place(traces.REPLIES, _rewrite_replies, 0, wrote=True),  # before what they become
    _Place(traces.MESSAGES, _rewrite_messages, wrote=True),
    _Place(traces.NOTICES, _rewrite_notices, 0),
    _Place(traces.VERDICTS, _forget_verdicts),
    *(_Place(each.read, _by(each.clear), each.first) for each in traces.TEXTS),
)
