"""`claim`, `release`, `acknowledge`: a thread, or an account's trouble, is somebody's to handle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from core import loops
from core.commands import opening, operator
from core.desk import claiming, leases, silencing
from core.desk.claiming import Held
from core.errors import Mistaken, NotAllowed
from core.spoken import span
from core.store import people, transaction
from sla.wording import in_utc

if TYPE_CHECKING:
    from pathlib import Path

    from core.access import Who
    from core.store import Db


async def claim(path: Path, account: str, thread: str, by: str | None, *, over: bool) -> None:
    """Claim a thread for somebody, or let their claim of it last from now on; *over* takes it.

    Raises:
        Mistaken: there is no such account or thread, or it is another's.
        NotAllowed: they may not, by what the board knows of them.
    """
    configured, now = opening.read(path), loops.utcnow()
    opening.known(configured, account)
    async with opening.database(configured) as pool, transaction(pool) as db:
        who = await _who(db, by)
        made = await claiming.claim(
            db, who, account, thread, now, leases.terms(configured.board), over=over
        )
    if isinstance(made, Held):
        whose = f"it is {made.claim.by}'s until {in_utc(made.claim.until)}"
        raise Mistaken(f"{account} {thread}: {whose}; a lead takes it over: --over")
    lasts = f"{in_utc(made.until)}, for {span(made.until - now)}"
    click.echo(
        f"{account} {thread}: {made.by}'s until {lasts}; "
        "who is told next waits until then. To give it back: "
        f"replyby release {account} {thread} --by {made.by}"
    )


async def release(path: Path, account: str, thread: str, by: str | None) -> None:
    """Give a thread back.

    Raises:
        Mistaken: there is no such account or thread, or nobody has it.
        NotAllowed: it is another's, and they may not end that.
    """
    configured, now = opening.read(path), loops.utcnow()
    opening.known(configured, account)
    async with opening.database(configured) as pool, transaction(pool) as db:
        ended = await claiming.release(db, await _who(db, by), account, thread, now)
    if ended is None:
        raise Mistaken(f"{account} {thread}: nobody has claimed it; there is nothing to give back")
    click.echo(f"{account} {thread}: anybody's again; it was {ended.by}'s")


async def acknowledge(path: Path, account: str, by: str | None) -> None:
    """Take note of an account's troubles: nobody else is told of them.

    Raises:
        Mistaken: there is no such account, or nothing of it climbs.
        NotAllowed: they may not act for it.
    """
    configured, now = opening.read(path), loops.utcnow()
    opening.known(configured, account)
    async with opening.database(configured) as pool, transaction(pool) as db:
        who = await _who(db, by)
        kinds = await silencing.take_note(db, who, account, now)
    click.echo(f"{account}: {who.name} takes care of {', '.join(kinds)}; nobody else is told of it")


async def _who(db: Db, by: str | None) -> Who:
    """Who does it: a person that the board knows with their rights, anybody else as this machine's.

    Raises:
        NotAllowed: they may not sign in any more.
    """
    name = by or operator.name()
    known = await people.of(db, name)
    if known is None:
        return replace(operator.who(), name=name)
    if known.disabled_at is not None:
        raise NotAllowed(f"{name} is disabled since {in_utc(known.disabled_at)}")
    return known.who("cli", None)
