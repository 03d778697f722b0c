"""Commands for whoever runs the daemon day by day: muting, and taking the database out and in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.commands.asked import finished, settings_file

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@settings_file
@click.argument("file")
@click.option("--force", is_flag=True, help="Replace FILE where it exists.")
def dump(path: Path, file: str, *, force: bool) -> None:
    """Write the whole database to FILE, or to the standard output (-); the daemon goes on."""
    from core.commands import dumping  # --help stays fast

    finished(dumping.dump(path, file, force=force))


@click.command()
@settings_file
@click.argument("file")
@click.option("--check", "only_check", is_flag=True, help="Only say whether FILE is whole.")
def restore(path: Path, file: str, *, only_check: bool) -> None:
    """Bring back what FILE, or the standard input (-), holds, into an empty database."""
    from core.commands import dumping  # --help stays fast

    if only_check:
        dumping.verify(file)
    else:
        finished(dumping.restore(path, file))


@click.command()
@settings_file
def restored(path: Path) -> None:
    """Settle a database that was brought back by other means, before the daemon starts."""
    from core.commands import dumping  # --help stays fast

    finished(dumping.restored(path))


COMMANDS: tuple[click.Command, ...] = (dump, restore, restored)
