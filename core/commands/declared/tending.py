"""Commands for whoever runs the daemon day by day: muting, and taking the database out and in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.commands import given
from core.commands.asked import FILE, as_json, finished, settings_file

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from pathlib import Path


@click.command()
@settings_file
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Replace FILE where it exists.")
@click.option("--erasures", is_flag=True, help="Only by what erased people are known again.")
def dump(path: Path, file: str, *, force: bool, erasures: bool) -> None:
    """Write the whole database to FILE, or to the standard output (-); the daemon goes on."""
    from core.commands import dumping  # --help stays fast

    finished(dumping.dump(path, file, force=force, erasures=erasures))


ERASURES = click.option(
    "--erasures",
    type=FILE,
    metavar="FILE",
    help="Erase again whoever this later dump says was erased.",
)


@click.command()
@settings_file
@click.argument("file", type=FILE)
@click.option("--check", "only_check", is_flag=True, help="Only say whether the files are whole.")
@ERASURES
def restore(path: Path, file: str, erasures: str | None, *, only_check: bool) -> None:
    """Bring back what FILE, or the standard input (-), holds, into an empty database."""
    from core.commands import dumping  # --help stays fast

    if only_check:
        for each in filter(None, (file, erasures)):
            dumping.verify(each)
    else:
        finished(dumping.restore(path, file, erasures))


@click.command()
@settings_file
@ERASURES
def restored(path: Path, erasures: str | None) -> None:
    """Settle a database that was brought back by other means, before the daemon starts."""
    from core.commands import dumping  # --help stays fast

    finished(dumping.restored(path, erasures))


@click.command()
@settings_file
@click.argument("what", required=False, metavar="[ACCOUNT|ROUTE]")
@click.option(
    "--until", type=given.Until(), help="Such as 6h, or 2026-11-21T12:00:00Z; 30 days at most."
)
@click.option("--reason", help="Why, in your words; others see it in the list.")
@click.option("--list", "listed", is_flag=True, help="Only show what is muted.")
@as_json
def mute(
    path: Path,
    what: str | None,
    until: datetime | timedelta | None,
    reason: str | None,
    *,
    listed: bool,
    as_json: bool,
) -> None:
    """Tell nothing of ACCOUNT, or by ROUTE, for a while; every clock runs on."""
    from core.commands import muting  # --help stays fast

    if listed or what is None:
        if what is not None or until is not None or reason is not None:
            raise click.UsageError("--list stands alone; else name an account or a route")
        if not listed:
            raise click.UsageError("name an account or a route; or ask for what is muted: --list")
        finished(muting.listed(path, as_json=as_json))
        return
    if as_json:
        raise click.UsageError("--json goes with --list")
    if until is None:
        raise click.UsageError("say until when: --until 6h; a mute without an end is forgotten")
    finished(muting.mute(path, what, until, reason))


@click.command()
@settings_file
@click.argument("what", metavar="ACCOUNT|ROUTE")
def unmute(path: Path, what: str) -> None:
    """Tell of ACCOUNT, or by ROUTE, again, with all that was held back."""
    from core.commands import muting  # --help stays fast

    finished(muting.unmute(path, what))


COMMANDS: tuple[click.Command, ...] = (dump, restore, restored, mute, unmute)
