"""Commands for who may sign in to the board, and what they did there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.commands import given
from core.commands.asked import Replyby, as_json, finished, settings_file

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from core.commands.asked import Names

ROLES = click.Choice(["viewer", "agent", "lead", "admin"])
ACCOUNTS = click.option(
    "--account", "accounts", multiple=True, metavar="ACCOUNT",
    help="Which they see; several times for several, left out: all.",
)  # fmt: skip


@click.group(cls=Replyby)
def people() -> None:
    """Who may sign in to the board."""


@people.command("list")
@settings_file
@as_json
def people_list(path: Path, *, as_json: bool) -> None:
    """Show who may sign in, and what they may."""
    from core.commands import admitting  # --help stays fast

    finished(admitting.listed(path, as_json=as_json))


@people.command("add")
@settings_file
@click.argument("name")
@click.option("--role", type=ROLES, required=True)
@ACCOUNTS
@click.option("--title", help="How others see them.")
def people_add(path: Path, name: str, role: str, accounts: Names, title: str | None) -> None:
    """Add NAME, who needs a link next."""
    from core.commands import admitting

    finished(admitting.add(path, name, role, accounts, title))


@people.command("role")
@settings_file
@click.argument("name")
@click.argument("role", type=ROLES)
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="ACCOUNT",
    help="Which they see from now on; several times for several, left out: as before.",
)
@click.option("--all-accounts", "everywhere", is_flag=True, help="They see all accounts.")
def people_role(path: Path, name: str, role: str, accounts: Names, *, everywhere: bool) -> None:
    """Change what NAME may, and in which accounts."""
    if accounts and everywhere:
        raise click.UsageError("--account and --all-accounts are two wishes; say one of them")
    from core.commands import admitting

    finished(admitting.grant(path, name, role, accounts, everywhere=everywhere))


@people.command("disable")
@settings_file
@click.argument("name")
def people_disable(path: Path, name: str) -> None:
    """Let NAME in no more."""
    from core.commands import admitting

    finished(admitting.disable(path, name))


@people.command("enable")
@settings_file
@click.argument("name")
def people_enable(path: Path, name: str) -> None:
    """Let NAME in again."""
    from core.commands import admitting

    finished(admitting.enable(path, name))


@people.command("invite")
@settings_file
@click.argument("name")
def people_invite(path: Path, name: str) -> None:
    """Print a link that lets NAME in once, within 24 hours; it is a secret."""
    from core.commands import admitting

    finished(admitting.invite(path, name))


@people.command("bind")
@settings_file
@click.argument("name")
def people_bind(path: Path, name: str) -> None:
    """Print a link that binds NAME to their account at the OpenID provider, within 24 hours."""
    from core.commands import admitting

    finished(admitting.bind(path, name))


@people.command("sign-out")
@settings_file
@click.argument("name")
def people_sign_out(path: Path, name: str) -> None:
    """End all sessions of NAME, and the links that would let them in."""
    from core.commands import admitting

    finished(admitting.sign_out(path, name))


@click.group(cls=Replyby)
def tokens() -> None:
    """By what programs are known at the API."""


@tokens.command("list")
@settings_file
@as_json
def tokens_list(path: Path, *, as_json: bool) -> None:
    """Show the tokens of all people, without their secrets."""
    from core.commands import admitting

    finished(admitting.tokens_listed(path, as_json=as_json))


@tokens.command("end")
@settings_file
@click.argument("number", type=given.Number())
def tokens_end(path: Path, number: int) -> None:
    """End the token of that NUMBER."""
    from core.commands import admitting

    finished(admitting.end_token(path, number))


@click.command()
@settings_file
@click.option("--who", help="Only of this person.")
@click.option("--act", help="Only of this kind, such as read, sign-in or refused.")
@click.option("--account", help="Only about this account.")
@click.option("--thread", help="Only about this thread.")
@click.option(
    "--from", "since", type=given.DayInUtc(), help="Only since this day (UTC), or instant."
)
@click.option("--until", type=given.DayInUtc(), help="Only before this day (UTC), or instant.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@as_json
def audit(
    path: Path,
    who: str | None,
    act: str | None,
    account: str | None,
    thread: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """Show who looked at what on the board, did what, and was refused what."""
    from core.commands import admitting
    from core.store.audit import Asked

    asked = Asked(who, act, account, thread, since=since, until=until)
    finished(admitting.trail(path, asked, limit, as_json=as_json))


COMMANDS: tuple[click.Command, ...] = (people, tokens, audit)
