"""Takes all tables out into a file, as they were at one instant, while others go on working.

What is written is a `core.store.dumpfile`. It is of no version of PostgreSQL and of no machine: the
tables are made by the migrations when it is restored, and filled by `COPY`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Mistaken
from core.store import catalogue, dumpfile, migrate, unavailable, workers
from core.store.dumpfile import Manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from core.store import Db
    from core.store.dumpfile import Table, Writer

LEFT_OUT = frozenset({
    "schema_migration", "worker", "session", "invitation", "sign_in_try",
    "presence",
})  # fmt: skip
"""What is made anew: by the migrations, and by whoever works, signs in or writes. A worker's
life is its lock; a link or a session that was ended since must not come back."""

PATIENCE = 24 * 3600.0
"""Seconds for one table: who reads the dump may be slow, and who gives up has none."""
# A reader that is slow must not be taken for a client that is gone.
PATIENT = """
    select set_config('statement_timeout', '0', true),
           set_config('lock_timeout', '60s', true),
           set_config('idle_in_transaction_session_timeout', '0', true),
           set_config('datestyle', 'ISO, YMD', true), set_config('intervalstyle', 'postgres', true),
           set_config('extra_float_digits', '1', true), set_config('bytea_output', 'hex', true)
"""


async def dump(
    db: Db,
    to: Writer,
    program: str,
    now: datetime,
    say: Callable[[str, int], None],
    only: frozenset[str] | None = None,
) -> list[str]:
    """Write all tables as they are at one instant; *say* hears of each how many rows it had.

    Or *only* those: such a file is no dump that can be restored.

    Returns:
        The tables that are not ours, and were left out.

    Raises:
        Mistaken: there is nothing to dump, or what there is belongs to a newer program.
        StoreUnavailable: the database went away.
    """
    with unavailable():
        async with migrate.unchanged(db):
            applied = await migrate.applied(db)
            await _refuse_unfit(db, applied)
            ours, foreign = _sorted(await catalogue.tables(db))
            if only is not None:
                ours, foreign = [table for table in ours if table.name in only], []
            manifest = Manifest(
                made_at=now,
                program=program,
                server=await db.fetchval(migrate.SERVER),
                schema=tuple(dumpfile.Applied(a.version, a.name, a.sha256) for a in applied),
                tables=tuple(table.name for table in ours),
                workers=await workers.alive(db),
            )
            to.begin(manifest)
            try:
                await _write(db, to, ours, say)
            except Exception:
                if to.fault is not None:
                    raise to.fault from None
                raise
    return foreign


async def _refuse_unfit(db: Db, applied: list[migrate.Applied]) -> None:
    if not applied:
        raise Mistaken("there is nothing to dump: the database was never used by replyby")
    if newer := await migrate.ahead(db):
        raise Mistaken(f"the database has {newer[-1]}, which this version does not know: dump it"
                       " with the newer one")  # fmt: skip


def _sorted(tables: list[Table]) -> tuple[list[Table], list[str]]:
    """Ours, and the names of what somebody else keeps beside them."""
    known = catalogue.made(migrate.shipped())
    ours = [table for table in tables if table.name in known - LEFT_OUT]
    return ours, [table.name for table in tables if table.name not in known | LEFT_OUT]


async def _write(db: Db, to: Writer, tables: list[Table], say: Callable[[str, int], None]) -> None:
    async with db.transaction(isolation="repeatable_read", readonly=True):
        # Before the first look, which fixes what is seen: what was rewritten since looks empty.
        names = catalogue.listed([table.name for table in tables])
        await db.execute(f"lock table {names} in access share mode")
        await db.execute(PATIENT)
        for table in tables:
            to.table(table)
            await db.copy_from_table(
                table.name, columns=table.columns, output=to.take, timeout=PATIENCE
            )
            to.close()
            say(table.name, to.rows)
        for counter in await catalogue.counters(db):
            to.counter(counter)
    to.end()
