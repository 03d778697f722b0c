"""`people`, `tokens` and `audit`: who may sign in to the board, and what was done there."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import click

from core import loops
from core.access import Role
from core.commands import opening, operator, shown
from core.desk import admitting
from core.desk import tokens as desk_tokens
from core.errors import Mistaken
from core.store import audit, people, tokens, transaction

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from pathlib import Path

    from core.access import SignIn
    from core.settings import Settings
    from core.store import Db
    from core.store.people import Person


@asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[tuple[Settings, Db]]:
    configured = opening.read(path)
    async with opening.database(configured) as pool, transaction(pool) as db:
        yield configured, db


async def listed(path: Path, *, as_json: bool) -> None:
    """Everybody, and what they may."""
    async with _opened(path) as (_, db):
        rows = [_row(one) for one in await people.all_(db)]
    shown.rows(rows, as_json=as_json, none="nobody may sign in; add somebody: replyby people add")


def _row(one: Person) -> dict[str, object]:
    return {
        "name": one.name,
        "title": one.title,
        "role": one.role.value,
        "accounts": None if one.accounts is None else sorted(one.accounts),
        "password": one.has_password,
        "provider": one.subject is not None,
        "since": one.made_at,
        "disabled": one.disabled_at,
    }


async def add(
    path: Path, name: str, role: str, accounts: Collection[str], title: str | None
) -> None:
    """Add somebody.

    Raises:
        Mistaken: the name is none, or taken; there is no such account.
    """
    async with _opened(path) as (configured, db):
        await admitting.add(
            db, operator.who(), name, title=title or "", role=Role(role),
            accounts=_accounts(configured, accounts), now=loops.utcnow(),
        )  # fmt: skip
    click.echo(f"{name}: added; a link that lets them in: replyby people invite {name}")


async def grant(
    path: Path, name: str, role: str, accounts: Collection[str], *, everywhere: bool
) -> None:
    """Change what somebody may; in the same accounts, where none are named, nor *everywhere*.

    Raises:
        Mistaken: nobody is called so; nobody would be admin; there is no such account.
    """
    async with _opened(path) as (configured, db):
        found = await people.of(db, name)
        named = _accounts(configured, accounts)
        before = found.accounts if found and not everywhere else None
        await admitting.grant(
            db, operator.who(), name, title=found.title if found else "", role=Role(role),
            accounts=before if named is None else named, by=_by(configured), now=loops.utcnow(),
        )  # fmt: skip
    click.echo(f"{name}: {role} from their next request on")


async def disable(path: Path, name: str) -> None:
    """Let somebody in no more.

    Raises:
        Mistaken: nobody is called so, or nobody else is admin.
    """
    async with _opened(path) as (configured, db):
        await admitting.disable(db, operator.who(), name, _by(configured), loops.utcnow())
    click.echo(f"{name}: disabled; their sessions, tokens and links have ended")


async def sign_out(path: Path, name: str) -> None:
    """End all sessions of somebody, and their links.

    Raises:
        Mistaken: nobody is called so.
    """
    async with _opened(path) as (_, db):
        ended = await admitting.sign_out(db, operator.who(), name, loops.utcnow())
    click.echo(f"{name}: signed out of {ended} browsers; their links are void")


async def enable(path: Path, name: str) -> None:
    """Let somebody in again.

    Raises:
        Mistaken: nobody is called so, or they are not disabled.
    """
    async with _opened(path) as (_, db):
        await admitting.enable(db, operator.who(), name, loops.utcnow())
    click.echo(f"{name}: enabled; a link that lets them in: replyby people invite {name}")


async def invite(path: Path, name: str) -> None:
    """Print a link that lets somebody in once; it is a secret.

    Raises:
        Mistaken: nobody is called so, they are disabled, or there is no board.
    """
    async with _opened(path) as (configured, db):
        if configured.web is None:
            raise Mistaken("there is no board to let them into; add [web] to the settings")
        secret = await admitting.invite(db, operator.who(), name, loops.utcnow())
    base = configured.web.public_url or f"http://{configured.web.listen}"
    click.echo(f"{base}/enter/{secret}")


async def bind(path: Path, name: str) -> None:
    """Print a link that binds somebody to their account at the OpenID provider; it is a secret.

    Raises:
        Mistaken: nobody is called so, they are disabled, or no provider signs people in.
    """
    async with _opened(path) as (configured, db):
        web = configured.web
        if web is None or web.sign_in != "oidc":
            raise Mistaken('no provider signs people in; write sign_in = "oidc" into [web]')
        secret = await admitting.invite(db, operator.who(), name, loops.utcnow(), binds=True)
    click.echo(f"{web.public_url}/enter/{secret}")


async def tokens_listed(path: Path, *, as_json: bool) -> None:
    """The tokens that have not ended, without their secrets."""
    async with _opened(path) as (_, db):
        rows = [
            {
                "number": one.id,
                "person": one.person,
                "name": one.name,
                "role": one.role.value,
                "accounts": None if one.accounts is None else sorted(one.accounts),
                "made": one.made_at,
                "used": one.used_at,
                "ends": one.ends_at,
            }
            for one in await tokens.all_(db)
        ]
    shown.rows(rows, as_json=as_json, none="there is no token")


async def end_token(path: Path, number: int) -> None:
    """End a token.

    Raises:
        Mistaken: there is none of that number.
    """
    async with _opened(path) as (_, db):
        await desk_tokens.end(db, operator.who(), number, loops.utcnow())
    click.echo(f"token {number}: ended")


async def trail(path: Path, asked: audit.Asked, limit: int, *, as_json: bool) -> None:
    """Who looked at what, did what, and was refused what; the newest first."""
    async with _opened(path) as (_, db):
        lines = await audit.lines(db, asked, None, "", limit)
    rows = [
        {
            "at": one.at,
            "who": one.who,
            "means": one.means,
            "act": one.act,
            "account": one.account,
            "thread": one.thread,
            "detail": dict(one.detail) if as_json else _said(one),
            "address": one.address,
        }
        for one in lines
    ]
    shown.rows(rows, as_json=as_json, none="nothing of that kind happened")


def _by(configured: Settings) -> SignIn:
    return configured.web.sign_in if configured.web else "password"


def _said(line: audit.Line) -> str:
    return ", ".join(f"{key}: {value}" for key, value in line.detail.items())


def _accounts(configured: Settings, named: Collection[str]) -> frozenset[str] | None:
    """The accounts *named*, None for none: all.

    Raises:
        Mistaken: one is not in the settings.
    """
    return frozenset(opening.known(configured, name) for name in named) or None
