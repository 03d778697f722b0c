"""Brings a dump back: all of it in one transaction, into a database that holds nothing.

The tables are made by the migrations that the dumped database had, filled, and brought up to date
by those that came since. What follows from the time between is `core.store.settling`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Mistaken
from core.store import catalogue, dumping, migrate, settling, unavailable, workers
from core.store.dumpfile import quoted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime

    from core.store import Db
    from core.store.dumpfile import Counter, Manifest, Reader
    from core.store.migrate import Migration
    from core.store.settling import Settled

THERE = """
    select c.relname::text as name from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
      and c.relname = any($1::text[])
    order by c.relname
"""
ANALYZE = "analyze"


async def restore(
    db: Db,
    file: Reader,
    now: datetime,
    say: Callable[[str, int], None],
    also: Callable[[Db], Awaitable[None]] | None = None,
) -> Settled:
    """Bring back what *file* holds, up to date with this program; *say* hears of each table.

    What is *also* to be done is done in the same transaction.

    Returns:
        What was settled of the time between the dump and *now*.

    Raises:
        Mistaken: a daemon works, the database holds something, or the file is unfit; nothing was
            changed.
        StoreUnavailable: the database went away; nothing was changed.
    """
    before, since = _divided(file.manifest)
    with unavailable():
        async with migrate.alone(db):
            await refuse_working(db)
            async with db.transaction():
                await db.execute(dumping.PATIENT)
                await _make_room(db)
                await migrate.build(db, before)
                await _fill(db, file, say)
                await migrate.build(db, since)
                settled = await settling.settle(db, now)
                if also is not None:
                    await also(db)
        await db.execute(ANALYZE, timeout=dumping.PATIENCE)
    return settled


async def refuse_working(db: Db) -> None:
    """Refuse to change what a daemon works with.

    Raises:
        Mistaken: one does.
    """
    if await workers.alive(db):
        raise Mistaken("a daemon works with this database: stop it, and do this again")


def _divided(manifest: Manifest) -> tuple[list[Migration], list[Migration]]:
    """The migrations that the dumped database had, and those that it lacks."""
    known = migrate.shipped()
    ours = {migration.version: migration for migration in known}
    for version, name, digest in manifest.schema:
        if version not in ours:
            raise Mistaken(
                f"the dump was made by replyby {manifest.program} and has {name}, which this"
                " version does not know: restore it with that one; nothing was changed"
            )
        if ours[version].sha256 != digest:
            raise Mistaken(
                f"the dump was made with another {name} than this program has: restore it with"
                f" replyby {manifest.program}; nothing was changed"
            )
    had = {version for version, _, _ in manifest.schema}
    before = [m for m in known if m.version in had]
    if set(manifest.tables) != catalogue.made(before) - dumping.LEFT_OUT:
        raise Mistaken(
            "the file holds some tables only, as those of erasures: restore a whole dump, and name"
            " this one by --erasures; nothing was changed"
        )
    return before, [m for m in known if m.version not in had]


async def _make_room(db: Db) -> None:
    """Remove tables that hold nothing: an older dump has others.

    Raises:
        Mistaken: one holds something.
    """
    shipped = migrate.shipped()
    known = catalogue.made(shipped) | dumping.LEFT_OUT
    there = [row["name"] for row in await db.fetch(THERE, sorted(known))]
    if there:
        await db.execute(f"lock table {catalogue.listed(there)} in access exclusive mode")
    for name in there:
        if name not in dumping.LEFT_OUT and await db.fetchrow(f"table {quoted(name)} limit 1"):
            raise Mistaken(
                f"the database holds something already (table {name}): restore into an empty one;"
                " nothing was changed"
            )
    if there:
        await db.execute(f"drop table {catalogue.listed(there)}")
    for name in sorted(catalogue.made(shipped, "type")):
        await db.execute(f"drop type if exists {catalogue.listed([name])}")


async def _fill(db: Db, file: Reader, say: Callable[[str, int], None]) -> None:
    there = {table.name: frozenset(table.columns) for table in await catalogue.tables(db)}
    for table in file.tables():
        if not there.get(table.name, frozenset()) >= set(table.columns):
            raise Mistaken(f"the dump has a table {table.name} that is none of replyby's;"
                           " nothing was changed")  # fmt: skip
        await db.copy_to_table(
            table.name, columns=table.columns, source=_blocks(file), timeout=dumping.PATIENCE
        )
        say(table.name, file.rows)
    for counter in file.counters():
        await _advance(db, counter)


async def _blocks(file: Reader) -> AsyncIterator[bytes]:
    for block in file.blocks():
        yield block


async def _advance(db: Db, counter: Counter) -> None:
    if counter.value is not None:
        await db.execute(catalogue.SET, counter.table, counter.column, counter.value)
