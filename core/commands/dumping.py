"""`dump`, `restore` and `restored`: the whole database taken out, and brought back."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from core import loops, store
from core.arrival import resurrected
from core.commands import opening
from core.errors import Mistaken
from core.store import dumping, migrate, pgcluster, private, recalled, restoring, settling
from core.store.dumpfile import Reader, Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from core.settings import Settings
    from core.store import Db
    from core.store.settling import Settled

STANDARD = "-"
EMPTY = "there is no database in {}: nothing to dump"


async def dump(path: Path, file: str, *, force: bool, erasures: bool = False) -> None:
    """Write the database to *file*, or to the standard output (``-``), as it is at one instant.

    Of *erasures*, only by what those who were erased lately are known again.

    Raises:
        Mistaken: the file exists, or there is nothing to dump.
        StoreUnavailable: the database cannot be reached; no file is left.
    """
    configured = opening.read(path)
    _refuse_nothing(configured)
    said = _Progress()
    with _written(file, force=force) as out:
        async with _connected(configured) as db:
            only = recalled.TABLES if erasures else None
            foreign = await dumping.dump(
                db, Writer(out), version("replyby"), loops.utcnow(), said, only
            )
    if foreign:
        click.echo(f"left out, for they are none of replyby's: {', '.join(foreign)}", err=True)
    click.echo(f"{said.rows:,} rows dumped", err=True)


async def restore(path: Path, file: str, erasures: str | None) -> None:
    """Bring back what *file*, or the standard input (``-``), holds, into an empty database.

    A file is read to its end first, so that a damaged one is refused before anything is made.
    Whoever was erased since, as the file *erasures* says, is to be erased again.

    Raises:
        Mistaken: the file is unfit, the database holds something, or a daemon works.
        StoreUnavailable: the database cannot be reached; nothing was changed.
    """
    configured = opening.read(path)
    for each in (file, erasures):
        if each not in {None, STANDARD}:
            verify(str(each))
    said, again = _Progress(), _Again(erasures)
    with _read(file) as reader:
        async with _connected(configured) as db:
            settled = await restoring.restore(db, reader, loops.utcnow(), said, again)
    made = reader.manifest
    click.echo(f"{said.rows:,} rows restored, as of {made.made_at:%Y-%m-%d %H:%M:%S} UTC", err=True)
    _tell(settled, again)


def verify(file: str) -> None:
    """Read *file* to its end and say what it holds; no database is asked.

    Raises:
        Mistaken: it is no dump, cut off or damaged.
    """
    with _read(file) as reader:
        found = reader.verify()
    made = reader.manifest
    click.echo(
        f"{file}: whole; {sum(found.values()):,} rows in {len(found)} tables, as of "
        f"{made.made_at:%Y-%m-%d %H:%M:%S} UTC, by replyby {made.program} on PostgreSQL "
        f"{made.server // 10_000}, schema {made.schema[-1].version:04}",
        err=True,
    )


async def restored(path: Path, erasures: str | None) -> None:
    """Settle a database that was brought back by other means: `pg_restore`, a copy of the disk.

    *erasures* as in `restore`.

    Raises:
        Mistaken: a daemon works.
        SchemaMismatch: the database belongs to another version.
        StoreUnavailable: the database cannot be reached; nothing was changed.
    """
    configured = opening.read(path)
    _refuse_nothing(configured)
    again = _Again(erasures)
    async with _connected(configured) as db:
        await migrate.apply(db)
        with store.unavailable():
            async with migrate.alone(db):
                await restoring.refuse_working(db)
                async with db.transaction():
                    settled = await settling.settle(db, loops.utcnow())
                    await again(db)
    _tell(settled, again)


class _Again:
    """Asks again for what was asked to be erased, as a file says; without one it does nothing."""

    def __init__(self, file: str | None) -> None:
        self.file = file
        self.members = 0

    async def __call__(self, db: Db) -> None:
        if self.file is not None:
            with _read(self.file) as reader:
                self.members = await resurrected.ask_again(db, reader, loops.utcnow())


def _tell(settled: Settled, again: _Again) -> None:
    if settled.replies:
        click.echo(
            f"replies that waited to be sent or were leaving: {settled.replies}; they do not leave "
            "by themselves, for they may have arrived, and each is told of as unknown",
            err=True,
        )
    if settled.dispatches:
        click.echo(
            f"notices that had not left: {settled.dispatches}; they leave as one digest an account",
            err=True,
        )
    if again.file is None:
        click.echo("people erased since then are back: erase them again (docs/backup.md)", err=True)
    else:
        click.echo(f"members to be erased once more, by the daemon: {again.members}", err=True)


class _Progress:
    """Says of each table how many rows it had, and counts them."""

    def __init__(self) -> None:
        self.rows = 0

    def __call__(self, table: str, rows: int) -> None:
        self.rows += rows
        if rows:
            click.echo(f"{table}: {rows:,} rows", err=True)


@asynccontextmanager
async def _connected(configured: Settings) -> AsyncIterator[Db]:
    async with opening.address(configured) as found:
        db = await store.connect(found, name="replyby command")
        try:
            yield db
        finally:
            await db.close()


def _refuse_nothing(configured: Settings) -> None:
    """Make no embedded database only to find that it is empty."""
    if configured.store.embedded and not any(
        home.data.exists() for home in pgcluster.homes(configured.state_dir)
    ):
        raise Mistaken(EMPTY.format(configured.state_dir))


@contextmanager
def _written(file: str, *, force: bool) -> Iterator[IO[bytes]]:
    """A new file that only we may read, there under its name when it is whole; or the output."""
    if file == STANDARD:
        if sys.stdout.isatty():
            raise Mistaken("a dump is no text: name a file, or send the output into a program")
        with _unwritable("the dump"), os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
            yield out
        return
    wanted = Path(file)
    _refuse_replacing(wanted, force=force)
    aside = wanted.with_name(f"{wanted.name}.{os.getpid()}.part")
    try:
        with _unwritable(file):
            fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(fd, "wb") as out:
                yield out
                out.flush()
                os.fsync(fd)
            aside.replace(wanted)
            private.sync(wanted.absolute().parent)
    finally:
        with suppress(OSError):
            aside.unlink()


def _refuse_replacing(wanted: Path, *, force: bool) -> None:
    """Never take the place of a device, a pipe, a link or a directory, whatever was said.

    Raises:
        Mistaken: there is something of that name which is to stay.
    """
    try:
        mode = wanted.lstat().st_mode
    except OSError:  # there is nothing, or whoever writes is told why they cannot
        return
    if not stat.S_ISREG(mode):
        raise Mistaken(f"{wanted} is no regular file: name one, or for a stream write {STANDARD}")
    if not force:
        raise Mistaken(f"{wanted} exists: name another file, or say --force")


@contextmanager
def _unwritable(file: str) -> Iterator[None]:
    """Say of the system's refusal which file it is about: it is none of the database's."""
    try:
        yield
    except OSError as fault:
        raise Mistaken(f"{file} cannot be written: {fault.strerror}") from fault


@contextmanager
def _read(file: str) -> Iterator[Reader]:
    if file == STANDARD:
        yield Reader(sys.stdin.buffer, "the standard input")
        return
    try:
        with Path(file).open("rb") as there:
            yield Reader(there, file)
    except OSError as fault:
        raise Mistaken(f"{file} cannot be read: {fault.strerror}") from fault
