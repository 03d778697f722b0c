"""Brings the schema up to date: numbered SQL files, applied in order, each exactly once.

A file is one transaction. With ``-- no-transaction`` as its first line it is one statement outside
any, for `create index concurrently if not exists`, and must bear being run twice; the invalid index
that such a build leaves when it is cut off is dropped before the next. An applied file is never
edited: its SHA-256 is kept and compared.

An index on a table that is written to is built so and in no other way: the processes of the version
before go on writing meanwhile, and a plain `create index` would hold them up.

A file says at its head what it means for them. ``-- expand``: programs that do not know it go on.
``-- contract: needs 40``: those that know 0040 go on, older ones are refused. One that says nothing
refuses whoever does not know it.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING

import asyncpg

from core.errors import SchemaMismatch
from core.store import unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from importlib.resources.abc import Traversable

    from core.store import Db

LOCK = 0x7265_706C_7962_79  # "replyby"
LOOK_EVERY = 0.1
WAITS = (0.2, 0.4, 0.7, 1.0)
"""Seconds before a file is tried again that those who work with its tables let not through."""
WITHOUT_TRANSACTION = "-- no-transaction"
BUILD = re.compile(r"create (?:unique )?index concurrently if not exists (\w+)")
NAME = re.compile(r"(\d{4})_\w+\.sql")
NEEDS = re.compile(r"^-- (?:(?P<expand>expand)|contract: needs (?P<least>\d{1,4}))$", re.MULTILINE)
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
        ms         integer not null,
        needs      integer
    )
"""
# Made by a version before, it lacks the column: the newest migration that a program must know.
IS_NARROW = """
    select not exists (
        select from pg_attribute
        where attrelid = to_regclass('schema_migration') and attname = 'needs'
    )
"""
WIDEN = "alter table schema_migration add column needs integer"
EXISTS = "select to_regclass('schema_migration') is not null"
APPLIED = """
    select version, name, sha256, (to_jsonb(m) ->> 'needs')::integer as needs
    from schema_migration m order by version
"""
RECORD = """
    insert into schema_migration (version, name, sha256, ms, needs) values ($1, $2, $3, $4, $5)
"""
INVALID = "select not indisvalid from pg_index where indexrelid = to_regclass($1)"
# Polled, not waited for: a waiter's snapshot would hold up `create index concurrently` for ever.
TRY_LOCK = "select pg_try_advisory_lock($1)"
UNLOCK = "select pg_advisory_unlock($1)"
TRY_SHARED = "select pg_try_advisory_lock_shared($1)"
UNLOCK_SHARED = "select pg_advisory_unlock_shared($1)"


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

    @property
    def needs(self) -> int | None:
        """The newest migration that a program must know once this one is applied; 0: none.

        None where it does not say: then a program must know this one.
        """
        said = NEEDS.search(self.sql)
        return int(said["least"] or 0) if said else None

    @property
    def at_once(self) -> str:
        """What to say in place of `sql` in a transaction, where nobody else uses the tables."""
        if self.sql.startswith(WITHOUT_TRANSACTION):
            return self.sql.replace(" concurrently ", " ", 1)
        return self.sql


@dataclass(frozen=True, slots=True)
class Applied:
    """What the database says of a migration that it has; *needs* as `Migration.needs`."""

    version: int
    name: str
    sha256: str
    needs: int | None


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

    Where nothing is, nobody is waited for: who dumps or migrates holds up no start.

    Returns:
        The numbers that were applied now.

    Raises:
        SchemaMismatch: an applied file was edited, the database is too new for this program, or
            its server too old.
        StoreUnavailable: the database went away.
    """
    if not await pending(db, migrations):
        return []
    with unavailable():
        async with alone(db):
            await _prepare(db)
            todo = _pending(migrations, await applied(db))
            for migration in todo:
                await _run(db, migration)
    return [migration.version for migration in todo]


async def build(db: Db, migrations: Iterable[Migration]) -> None:
    """Apply *migrations* in the caller's transaction, on tables that nobody else sees or uses.

    The caller is `alone`. What comes of it is what `apply` makes.
    """
    await _prepare(db)
    for migration in migrations:
        began = monotonic()
        await db.execute(migration.at_once, timeout=PATIENCE)
        await _record(db, migration, began)


async def _prepare(db: Db) -> None:
    await db.execute(CREATE)
    if await db.fetchval(IS_NARROW):
        await db.execute(WIDEN)


async def pending(db: Db, migrations: Sequence[Migration] | None = None) -> list[str]:
    """The names of the files that `apply` would apply; nothing is written.

    Raises:
        SchemaMismatch: as `apply`.
        StoreUnavailable: the database went away.
    """
    with unavailable():
        await _check_server(db)
        return [migration.name for migration in _pending(migrations, await applied(db))]


async def ahead(db: Db, migrations: Sequence[Migration] | None = None) -> list[str]:
    """The names of migrations that the database has and this program does not know.

    Raises:
        StoreUnavailable: the database went away.
    """
    with unavailable():
        newest = _newest(_known(migrations))
        return [one.name for one in await applied(db) if one.version > newest]


async def applied(db: Db) -> list[Applied]:
    """What the database has, in order; nothing where it was never migrated."""
    if not await db.fetchval(EXISTS):
        return []
    return [Applied(*row) for row in await db.fetch(APPLIED)]


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
async def alone(db: Db) -> AsyncIterator[None]:
    """Let nobody migrate, dump or restore meanwhile; waits until nobody does."""
    async with _locked(db, TRY_LOCK, UNLOCK):
        yield


@asynccontextmanager
async def unchanged(db: Db) -> AsyncIterator[None]:
    """Let nobody migrate meanwhile; others may ask for the same."""
    async with _locked(db, TRY_SHARED, UNLOCK_SHARED):
        yield


@asynccontextmanager
async def _locked(db: Db, take: str, release: str) -> AsyncIterator[None]:
    while not await db.fetchval(take, LOCK):  # noqa: ASYNC110  # no event tells of their lock
        await asyncio.sleep(LOOK_EVERY)
    try:
        yield
    finally:
        if not db.is_closed():
            await db.fetchval(release, LOCK)


def _known(migrations: Sequence[Migration] | None) -> list[Migration]:
    return shipped() if migrations is None else list(migrations)


def _newest(known: Sequence[Migration]) -> int:
    return known[-1].version if known else 0


def _pending(migrations: Sequence[Migration] | None, applied: Iterable[Applied]) -> list[Migration]:
    known = _known(migrations)
    ours = {migration.version: migration for migration in known}
    newest = _newest(known)
    done = set()
    for one in applied:
        done.add(one.version)
        if one.version > newest:
            _refuse_unfit(one, newest)
        elif one.version not in ours or ours[one.version].sha256 != one.sha256:
            raise SchemaMismatch(
                f"{one.name} was applied, and the file differs now: put the file back as it was"
            )
    return [migration for migration in known if migration.version not in done]


def _refuse_unfit(one: Applied, newest: int) -> None:
    """Refuse a database that has left this program behind; what only adds to it does not.

    Raises:
        SchemaMismatch: *one*, which the program does not know, says so, or says nothing.
    """
    if one.needs is None or one.needs > newest:
        raise SchemaMismatch(
            f"the database has {one.name}, which this version does not know: run a newer one"
        )


async def _run(db: Db, migration: Migration) -> None:
    if migration.sql.startswith(WITHOUT_TRANSACTION):
        began = monotonic()
        await _drop_leftover(db, migration)
        await db.execute(migration.sql, timeout=PATIENCE)
        await _record(db, migration, began)
        return
    for wait in WAITS:
        with suppress(asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError):
            await _together(db, migration)
            return
        await asyncio.sleep(wait)
    await _together(db, migration)


async def _together(db: Db, migration: Migration) -> None:
    """Apply a file in one transaction; where others' locks end it, nothing of it stays."""
    began = monotonic()
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
    await db.execute(
        RECORD, migration.version, migration.name, migration.sha256, ms, migration.needs
    )
