"""What all commands share: how errors are said, exit codes, options, how they run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeAlias

import click

from core.errors import Error, Mistaken, SettingsError, StoreUnavailable

FAILED, UNUSABLE = 1, 2
DONE = 0
DEBUG = "REPLYBY_DEBUG"
SHOW = f"{DEBUG}=1 shows where, and may show a buyer's words with it"

Command = Callable[..., Any]
Paths: TypeAlias = tuple[Path, ...]
Names: TypeAlias = tuple[str, ...]

PARTIES = click.Choice(["buyer", "marketplace"])
TO: Callable[[Command], Command] = click.option(
    "--to", multiple=True, default=("buyer",), show_default=True, type=PARTIES,
    help="Who is addressed; may be given twice.",
)  # fmt: skip
FILE = click.Path(readable=False)
"""A file's name, whose bytes may be any; whoever opens it says what is amiss."""
FILES: Callable[[Command], Command] = click.option(
    "--file", "files", multiple=True, type=click.Path(path_type=Path), help="Goes along."
)


class Text(click.ParamType[str]):
    """Words, as the database and marketplaces take them."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """*value*, if it is text: what of an argument is no UTF-8 comes as lone surrogates."""
        try:
            str(value).encode()
        except UnicodeEncodeError:
            self.fail("is not UTF-8; write it in that encoding", param, ctx)
        return str(value)


class Replyby(click.Group):
    """Says every error of ours in plain lines, without a traceback.

    Whatever its commands take as words has to be `Text`; a file's name may be any bytes.
    """

    group_class = type

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add *cmd*."""
        for param in cmd.params:
            if param.type is click.STRING:
                param.type = Text()
        super().add_command(cmd, name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error becomes its exit code."""
        try:
            return super().invoke(ctx)
        except SettingsError as fault:
            for complaint in fault.complaints:
                click.echo(complaint, err=True)
            ctx.exit(UNUSABLE)
        except Error as fault:
            click.echo(f"replyby: {_said(fault)}", err=True)
            ctx.exit(FAILED)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as fault:
            if os.environ.get(DEBUG):
                raise
            # Its text may quote a buyer's words, which a terminal's log would keep.
            click.echo(f"replyby: {type(fault).__name__}, which nobody expected; {SHOW}", err=True)
            ctx.exit(FAILED)


def _said(fault: Error) -> str:
    """One line: what went wrong, and how to mend it."""
    text = " ".join(str(fault).split())
    if isinstance(fault, StoreUnavailable):
        return f"{text}; {fault.mend or fault.MEND}"
    return text if isinstance(fault, Mistaken) else f"{fault.reason}: {text}"


def settings_file(command: Command) -> Command:
    """Add ``--settings``."""
    return click.option(
        "--settings", "path", type=click.Path(path_type=Path), envvar="REPLYBY_SETTINGS",
        default=Path("settings.toml"), show_default=True, help="The settings file.",
    )(command)  # fmt: skip


def as_json(command: Command) -> Command:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="For scripts.")(command)


def finished(work: Coroutine[Any, Any, Any]) -> Any:
    """What *work* comes to; its log goes to the standard error output, warnings only."""
    from core import log  # noqa: PLC0415  # who asks for help alone needs none of it

    log.set_up("auto", "warning")
    return asyncio.run(work)


class Id(Text):
    """A thread's id."""

    name = "thread"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """*value*, if it is more than white space."""
        if not str(value).strip():
            self.fail("is empty; write a thread's id, see: replyby threads", param, ctx)
        return super().convert(value, param, ctx)
