"""Commands by which somebody answers: reply, mark, answered, promise, macros."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from core.commands import given
from core.commands.asked import FILE, TO, Id, Replyby, finished, settings_file

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from core.commands.asked import Names


@click.command()
@settings_file
@click.argument("account")
@click.argument("thread", type=Id())
@click.option("--text", help="The reply; left out, it is read from the standard input.")
@click.option("--file", "files", multiple=True, metavar="PATH|URL", help="Goes along.")
@click.option("--anyway", is_flag=True, help="Also where the marketplace's rules forbid it.")
@TO
def reply(
    path: Path,
    account: str,
    thread: str,
    text: str | None,
    files: Names,
    to: Names,
    *,
    anyway: bool,
) -> None:
    """Queue a reply to THREAD."""
    from core.commands import acting  # --help stays fast

    body: str | bytes = sys.stdin.buffer.read() if text is None else text
    given_ = acting.Given(account, thread, body, tuple(files), frozenset(to), anyway=anyway)
    finished(acting.answer(path, given_))


@click.command()
@settings_file
@click.argument("account")
@click.argument("thread", type=Id())
@click.argument("level", type=click.Choice(["decided", "marked"]))
def mark(path: Path, account: str, thread: str, level: str) -> None:
    """Say that THREAD needs no reply: decided here, or marked at the marketplace."""
    from core.commands import acting  # --help stays fast

    finished(acting.mark(path, account, thread, level))


@click.command()
@settings_file
@click.argument("account")
@click.argument("thread", type=Id())
@click.option(
    "--at", type=given.Instant(), required=True, help="When, such as 2026-11-21T12:00:00Z."
)
@TO
def answered(path: Path, account: str, thread: str, at: datetime, to: tuple[str, ...]) -> None:
    """Say that THREAD was answered at the marketplace."""
    from core.commands import acting  # --help stays fast

    finished(acting.answered(path, account, thread, at, to))


@click.command()
@settings_file
@click.argument("account")
@click.argument("thread", type=Id())
@click.option("--by", type=given.Instant(), help="Until when, such as 2026-11-27T12:00:00Z.")
@click.option("--move", is_flag=True, help="It is promised already, by another instant.")
@click.option("--withdraw", is_flag=True, help="It is promised no more.")
@click.option("--reason", type=Id(), help="Why it is moved or withdrawn.")
def promise(
    path: Path,
    account: str,
    thread: str,
    by: datetime | None,
    reason: str | None,
    *,
    move: bool,
    withdraw: bool,
) -> None:
    """Say that THREAD was promised a further answer: a deadline of its own."""
    if move and withdraw:
        raise click.UsageError("a promise is moved or withdrawn, not both")
    if (by is None) != withdraw:
        raise click.UsageError("say until when: --by; what is withdrawn needs no instant")
    if (move or withdraw) != (reason is not None):
        raise click.UsageError("--reason goes with --move and with --withdraw, which need one")
    from core.commands import acting  # --help stays fast

    finished(acting.promise(path, account, thread, by, reason))


@click.group(cls=Replyby)
def macros() -> None:
    """Texts that agents answer with."""


@macros.command("export")
@settings_file
@click.argument("file", type=FILE)
def export(path: Path, file: str) -> None:
    """Write every macro to FILE as TOML, or to the standard output (-)."""
    from core.commands import macroing  # --help stays fast

    finished(macroing.export(path, file))


@macros.command("import")
@settings_file
@click.argument("file", type=FILE)
@click.option("--check", "only_check", is_flag=True, help="Only say what is wrong with them.")
def import_(path: Path, file: str, *, only_check: bool) -> None:
    """Take the macros of FILE, or of the standard input (-), in place of those of their names."""
    from core.commands import macroing  # --help stays fast

    finished(macroing.import_(path, file, only_check=only_check))


COMMANDS = (reply, mark, answered, promise, macros)
