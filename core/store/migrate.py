"""Brings the schema up to date: numbered SQL files, applied in order, each exactly once.

A file is one transaction. With ``-- no-transaction`` as its first line it is one statement outside
any, for `create index concurrently if not exists`, and must bear being run twice; the invalid index
that such a build leaves when it is cut off is dropped before the next. An applied file is never
edited: its SHA-256 is kept and compared.

An index on a table that is written to is built so and in no other way: the processes of the version
before go on writing meanwhile, and a plain `create index` would hold them up.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING

from core.errors import SchemaMismatch
from core.store import unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from importlib.resources.abc import Traversable

    from core.store import Db

LOCK = 0x7265_706C_7962_79  # "replyby"
LOOK_EVERY = 0.1
WITHOUT_TRANSACTION = "-- no-transaction"
BUILD = re.compile(r"create (?:unique )?index concurrently if not exists (\w+)")
NAME = re.compile(r"(\d{4})_\w+\.sql")
PATIENCE = 6 * 3600.0
"""Seconds for one file: a table may be large, and who gives up begins anew. Far above any build; it
bounds nothing but the wait for a server that vanished."""

OLDEST = 14
"""The oldest PostgreSQL of which this program knows that it works."""

SERVER = "select current_setting('server_version_num')::integer"
CREATE = """
    create table if not exists schema_migration (
        version    integer primary key,
        name       text not null,
        sha256     text not null,
        applied_at timestamptz not null default now(),
        ms         integer not null
    )
"""
EXISTS = "select to_regclass('schema_migration') is not null"
APPLIED = "select version, name, sha256 from schema_migration order by version"
RECORD = "insert into schema_migration (version, name, sha256, ms) values ($1, $2, $3, $4)"
INVALID = "select not indisvalid from pg_index where indexrelid = to_regclass($1)"
# Polled, not waited for: a waiter's snapshot would hold up `create index concurrently` for ever.
TRY_LOCK = "select pg_try_advisory_lock($1)"
UNLOCK = "select pg_advisory_unlock($1)"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, name and text."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """The hash that says whether an applied file was edited."""
        return sha256(self.sql.encode()).hexdigest()


def shipped() -> list[Migration]:
    """The migrations that this program brings, in order."""
    return read(files("core.store") / "migrations")


def read(folder: Traversable) -> list[Migration]:
    """The migrations in *folder*, in order.

    Raises:
        SchemaMismatch: two files have one number.
    """
    found = [
        Migration(int(match[1]), entry.name, entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if (match := NAME.fullmatch(entry.name))
    ]
    found.sort(key=lambda migration: migration.version)
    for one, next_ in pairwise(found):
        if one.version == next_.version:
            raise SchemaMismatch(f"two migrations have the number {one.version:04}")
    return found


async def apply(db: Db, migrations: Sequence[Migration] | None = None) -> list[int]:
    """Apply what is pending; several programs may do so at once, one of them does it.

    Returns:
        The numbers that were applied now.

    Raises:
        SchemaMismatch: an applied file was edited, the database is newer than this program, or
            its server too old.
        StoreUnavailable: the database went away.
    """
    with unavailable():
        async with _alone(db):
            await _check_server(db)
            await db.execute(CREATE)
            todo = _pending(migrations, await _applied(db))
            for migration in todo:
                await _run(db, migration)
    return [migration.version for migration in todo]


async def pending(db: Db, migrations: Sequence[Migration] | None = None) -> list[str]:
    """The names of the files that `apply` would apply; nothing is written.

    Raises:
        SchemaMismatch: as `apply`.
        StoreUnavailable: the database went away.
    """
    with unavailable():
        await _check_server(db)
        applied = await _applied(db) if await db.fetchval(EXISTS) else {}
    return [migration.name for migration in _pending(migrations, applied)]


def too_old(server: int) -> str | None:
    """What to do about a server of this `server_version_num`; None where it will do."""
    if server >= OLDEST * 10_000:
        return None
    major = server // 10_000
    return f"the server is PostgreSQL {major}; replyby needs {OLDEST} or newer: upgrade the server"


async def _check_server(db: Db) -> None:
    fault = too_old(await db.fetchval(SERVER))
    if fault:
        raise SchemaMismatch(fault)


@asynccontextmanager
async def _alone(db: Db) -> AsyncIterator[None]:
    while not await db.fetchval(TRY_LOCK, LOCK):  # noqa: ASYNC110  # no event tells of their lock
        await asyncio.sleep(LOOK_EVERY)
    try:
        yield
    finally:
        if not db.is_closed():
            await db.fetchval(UNLOCK, LOCK)


async def _applied(db: Db) -> dict[int, tuple[str, str]]:
    return {row["version"]: (row["name"], row["sha256"]) for row in await db.fetch(APPLIED)}


def _pending(
    migrations: Sequence[Migration] | None, applied: Mapping[int, tuple[str, str]]
) -> list[Migration]:
    known = shipped() if migrations is None else list(migrations)
    newest = known[-1].version if known else 0
    for version, (name, digest) in applied.items():
        ours = next((m for m in known if m.version == version), None)
        if version > newest:
            raise SchemaMismatch(
                f"the database has {name}, which this version does not know: run a newer one"
            )
        if ours is None or ours.sha256 != digest:
            raise SchemaMismatch(
                f"{name} was applied, and the file differs now: put the file back as it was"
            )
    return [migration for migration in known if migration.version not in applied]


async def _run(db: Db, migration: Migration) -> None:
    began = monotonic()
    if migration.sql.startswith(WITHOUT_TRANSACTION):
        await _drop_leftover(db, migration)
        await db.execute(migration.sql, timeout=PATIENCE)
        await _record(db, migration, began)
        return
    async with db.transaction():
        await db.execute("set local lock_timeout = '10s'")
        await db.execute(migration.sql, timeout=PATIENCE)
        await _record(db, migration, began)


async def _drop_leftover(db: Db, migration: Migration) -> None:
    """Drop what an earlier build of the same index has left: `if not exists` takes it for one."""
    match = BUILD.search(migration.sql)
    if match and await db.fetchval(INVALID, match[1]):
        await db.execute(f"drop index concurrently {match[1]}", timeout=PATIENCE)


async def _record(db: Db, migration: Migration, began: float) -> None:
    ms = round((monotonic() - began) * 1000)
    await db.execute(RECORD, migration.version, migration.name, migration.sha256, ms)
