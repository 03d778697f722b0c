"""Commands about who works on what was told: claim, release, acknowledge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.commands.asked import Id, finished, settings_file

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@settings_file
@click.argument("account")
@click.argument("thread", type=Id())
@click.option("--by", type=Id(), help="Who works on it; left out, this machine's user.")
@click.option("--over", is_flag=True, help="Also where it is somebody else's, as leads may.")
def claim(path: Path, account: str, thread: str, by: str | None, *, over: bool) -> None:
    """Say that somebody works on THREAD: who is told next waits meanwhile."""
    from core.commands import claiming  # --help stays fast

    finished(claiming.claim(path, account, thread, by, over=over))


@click.command()
@settings_file
@click.argument("account")
@click.argument("thread", type=Id())
@click.option("--by", type=Id(), help="Who gives it back; left out, this machine's user.")
def release(path: Path, account: str, thread: str, by: str | None) -> None:
    """Give THREAD back before its time."""
    from core.commands import claiming  # --help stays fast

    finished(claiming.release(path, account, thread, by))


@click.command()
@settings_file
@click.argument("account")
@click.option("--by", type=Id(), help="Who takes care of it; left out, this machine's user.")
def acknowledge(path: Path, account: str, by: str | None) -> None:
    """Say that somebody takes care of ACCOUNT's troubles: nobody else is told of them."""
    from core.commands import claiming  # --help stays fast

    finished(claiming.acknowledge(path, account, by))


COMMANDS = (claim, release, acknowledge)
