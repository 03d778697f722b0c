"""What a clock says of its thread, so that a queue is filtered without looking at threads.

The kind of the thread, and while the clock runs the language in which the buyer wrote last. Written
with the clock; where only the thread changes, its running clocks are written anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from asyncpg import Record

    from core.model import ClockRow
    from core.store import Db
    from core.store.clocks import Wanted

    Ref = tuple[str, str]
    Said = tuple[str | None, str | None]
    Described = Mapping[Ref, Said]

RESTATE = """
    update clock c set kind = w.kind, language = w.language
    from unnest($1::text[], $2::text[], $3::text[], $4::text[])
        as w (account, thread, kind, language)
    where c.account = w.account and c.thread = w.thread and c.ended is null
"""
# What was there before clocks had this, and what an older version writes beside us.
FILL = """
    update clock c set kind = t.kind
    from (
        select id from clock where ended is null and kind is null
        order by due_at limit $1
        for no key update skip locked
    ) as bare
    join clock b on b.id = bare.id
    join thread t on t.account = b.account and t.id = b.thread
    where c.id = bare.id
"""
_UNKNOWN: Said = (None, None)


def of(wanted: Mapping[str, Wanted]) -> Described:
    """What is computed of each thread, by account and id: its kind, and the buyer's language."""
    return {
        (account, thread): (computed.kind, computed.language)
        for account, one in wanted.items()
        for thread, computed in one.computed.items()
    }


def cells(row: ClockRow, threads: Described) -> Said:
    """What *row* says of its thread."""
    kind, language = threads.get((row.account, row.thread), _UNKNOWN)
    return kind, language if row.clock.ended is None else None


def outdated(rows: Iterable[Record], threads: Described) -> set[Ref]:
    """The threads of which running *rows*, as they are stored, say otherwise."""
    return {
        ref
        for row in rows
        if row["ended"] is None
        and (ref := (row["account"], row["thread"])) in threads
        and threads[ref] != (row["kind"], row["language"])
    }


async def restate(db: Db, refs: Collection[Ref], threads: Described) -> None:
    """Let the running clocks of these threads, which the caller holds, say what is true of them."""
    if refs:
        rows = [(*ref, *threads[ref]) for ref in sorted(refs)]
        await db.execute(RESTATE, *map(list, zip(*rows, strict=True)))


async def fill(db: Db, most: int) -> int:
    """Let so many running clocks that say nothing of their thread say its kind; how many did not.

    The language follows with the next message, or recomputation, of the thread.
    """
    return int((await db.execute(FILL, most)).split()[-1])
