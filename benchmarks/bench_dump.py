"""Dump and restore: a shop's whole database out into a file, beside nothing else, and back.

Two messages of 600 characters a thread, a clock with an entry and a notice each, in PostgreSQL with
fsync on; the words are random: people's words make a smaller file. *Restored* is from the first
byte read to the end of the one transaction, indexes included, in an empty database of the same
server; `pg_dump` and `pg_restore` are the wheel's, custom format, its own compression.
"""

from __future__ import annotations

import asyncio
import resource
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks import harness
from benchmarks.harness import QUICK, Row
from core import store
from core.loops import utcnow
from core.store import dumping, migrate, pgbinaries, restoring
from core.store.dumpfile import Reader, Writer

if TYPE_CHECKING:
    from pathlib import Path

    from core.store import Address

THREADS = 10_000 if QUICK else 500_000
SEED = (
    """
    insert into account (name, connector, marketplace, budget_key, monitored_since)
    values ('shop', 'mirakl', 'empik', 'shop', now())
    """,
    """
    insert into thread (account, id, kind, subject, buyer, url, as_of)
    select 'shop', 'T' || n, 'message', 'Where is my order?', 'buyer-' || n,
           'https://shop.example/threads/' || n, now()
    from generate_series(1, $1::bigint) as n
    """,
    """
    insert into message (account, id, thread, party, kind, addressed_to, origin, sent_at, seen_at,
                         body, hash)
    select 'shop', 'M' || n || '-' || m, 'T' || n, case m when 1 then 'buyer' else 'seller' end,
           'message', '{}', 'elsewhere', now() - interval '1 day' * m, now(),
           (select string_agg(md5(n || '-' || m || '-' || w), ' ')
            from generate_series(1, 18) as w), sha256((n || '-' || m)::bytea)
    from generate_series(1, $1::bigint) as n, generate_series(1, 2) as m
    """,
    """
    insert into clock (account, thread, promise, waits_for, metric, policy_version, members,
                       started_by, started_at, due_at, due_from, steps, step, stopped_at, ended)
    select 'shop', 'T' || n, 'reply-24h', 'buyer', 'first_reply', 1, array['M' || n || '-1'],
           'M' || n || '-1', now() - interval '1 day', now(), 'policy', array[now()], 0, now(),
           'met'
    from generate_series(1, $1::bigint) as n
    """,
    """
    insert into clock_entry (clock, at, what, after)
    select n, now(), 'started', jsonb_build_object('started_by', 'M' || n || '-1')
    from generate_series(1, $1::bigint) as n
    """,
    """
    insert into notice (key, kind, account, thread, clock, raised_at)
    select n || '/0/1', 'warning', 'shop', 'T' || n, n, now()
    from generate_series(1, $1::bigint) as n
    """,
    """
    insert into dispatch (notice, notifier, attempts, sent_at)
    select n, 'log', 1, now() from generate_series(1, $1::bigint) as n
    """,
)
MEBI = 1 << 20


def quiet(table: str, rows: int) -> None:
    """Say nothing."""


async def seeded(address: Address) -> int:
    """A database full of it; how many rows."""
    db = await store.connect(address)
    await migrate.apply(db)
    for statement in SEED:
        words = [THREADS] if "$1" in statement else []
        await db.execute(statement, *words, timeout=900)
    await db.execute("vacuum analyze", timeout=900)
    await db.close()
    return 1 + 7 * THREADS


async def program(name: str, address: Address, *words: str) -> float:
    """Seconds of one of PostgreSQL's own programs."""
    where = ["-h", str(address["host"]), "-U", str(address["user"]), "-d", str(address["database"])]
    began = perf_counter()
    process = await asyncio.create_subprocess_exec(
        pgbinaries.shipped() / name, *where, *words, env={"PGPASSWORD": str(address["password"])}
    )
    assert await process.wait() == 0
    return perf_counter() - began


async def main() -> None:
    """Measure once: a dump of a million messages takes what it takes."""
    harness.heading("Dump and restore")
    async with harness.server() as address:
        made = {**address, "database": "whole"}
        async with harness.connection(address) as db:
            for name in ("whole", "back", "theirs"):
                await db.execute(f"create database {name}")
        rows = await seeded(made)
        with harness.directory() as path:
            await measured(address, rows, path)


async def measured(address: Address, rows: int, path: Path) -> None:
    file, theirs = path / "x.dump", path / "x.pgdump"
    at_first = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    db = await store.connect({**address, "database": "whole"})
    began = perf_counter()
    with file.open("wb") as out:
        await dumping.dump(db, Writer(out), "bench", utcnow(), quiet)
    dumped = perf_counter() - began
    size = await db.fetchval("select pg_database_size('whole')")
    await db.close()
    began = perf_counter()
    with file.open("rb") as read:
        assert sum(Reader(read, "x").verify().values()) == rows
    checked = perf_counter() - began
    db = await store.connect({**address, "database": "back"})
    began = perf_counter()
    with file.open("rb") as read:
        await restoring.restore(db, Reader(read, "x"), utcnow(), quiet)
    restored = perf_counter() - began
    await db.close()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - at_first) / 1024
    pg_dump = await program("pg_dump", {**address, "database": "whole"}, "-Fc", "-f", str(theirs))
    there = {**address, "database": "theirs"}
    pg_restore = await program("pg_restore", there, "--single-transaction", str(theirs))
    print(f"{2 * THREADS:,} messages, {rows:,} rows, {size / MEBI:,.0f} MiB in the database.\n")
    harness.table(
        [
            Row("dumped, s", [dumped]),
            Row("by pg_dump, s", [pg_dump]),
            Row("read to the end (--check), s", [checked]),
            Row("restored, s", [restored]),
            Row("by pg_restore, s", [pg_restore]),
            Row("the file, MiB", [file.stat().st_size / MEBI]),
            Row("by pg_dump, MiB", [theirs.stat().st_size / MEBI]),
            Row("memory that it took beyond the start, MiB", [grown]),
        ]
    )


if __name__ == "__main__":
    asyncio.run(main())
