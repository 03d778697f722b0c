"""Macros out of the database into a file, and back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core import loops
from core.commands import opening, operator
from core.desk import interchange, macros
from core.errors import Mistaken
from core.store import macros as stored
from core.store import transaction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.capabilities import Capabilities
    from core.model import Account
    from core.settings import Settings
    from core.store import Db
    from core.store.macros import Macro

STANDARD = "-"
MOST_BYTES = 16 * 2**20


async def export(path: Path, file: str) -> None:
    """Write every macro to *file*; ``-`` is the standard output.

    Raises:
        Mistaken: the file cannot be written.
    """
    configured = opening.read(path)
    async with opening.database(configured) as pool, transaction(pool) as db:
        found = await stored.all_(db)
    written = interchange.write(found)
    if file == STANDARD:
        click.echo(written, nl=False)
        return
    _write(file, written)
    click.echo(f"{len(found)} macros are in {file}")


async def import_(path: Path, file: str, *, only_check: bool) -> None:
    """Take the macros of *file*, all or none; with *only_check* say what is wrong with them.

    Raises:
        Mistaken: the file cannot be read, or one of them cannot be saved; nothing is changed then.
    """
    given = interchange.read(_read(file))
    configured = opening.read(path)
    known = accounts(configured)
    told = [
        f"{one.name}: {where}{fault.text}"
        for one in given
        for fault in macros.faults(one, known)
        if fault.blocks
        for where in [f"{fault.language}: " if fault.language else ""]
    ]
    if told:
        raise Mistaken("; ".join(told))
    if only_check:
        _tell(given, known)
        click.echo(f"{len(given)} macros can be taken")
        return
    async with opening.database(configured) as pool, transaction(pool) as db:
        await _take(db, given, known)
    _tell(given, known)
    click.echo(f"{len(given)} macros were taken")


async def _take(
    db: Db, given: list[Macro], known: Mapping[str, tuple[Account, Capabilities]]
) -> None:
    who, now = operator.who(), loops.utcnow()
    for one in given:
        await macros.replace(db, who, one, known, now)


def _tell(given: list[Macro], known: Mapping[str, tuple[Account, Capabilities]]) -> None:
    for one in given:
        for fault in macros.faults(one, known):
            where = ", ".join(filter(None, (one.name, fault.language, fault.account)))
            click.echo(f"{where}: {fault.text}", err=True)


def accounts(configured: Settings) -> dict[str, tuple[Account, Capabilities]]:
    """What a reply may be at each account."""
    return {
        name: (found.account, found.spec.can(found.options))
        for name, found in configured.accounts.items()
    }


def _write(file: str, written: str) -> None:
    try:
        Path(file).write_text(written, encoding="utf-8")
    except OSError as fault:
        raise Mistaken(f"{file} cannot be written: {fault.strerror}") from None


def _read(file: str) -> bytes:
    try:
        raw = sys.stdin.buffer.read(MOST_BYTES + 1) if file == STANDARD else Path(file).read_bytes()
    except OSError as fault:
        raise Mistaken(f"{file} cannot be read: {fault.strerror}") from None
    if len(raw) > MOST_BYTES:
        raise Mistaken("the file is too large for macros; split it")
    return raw
