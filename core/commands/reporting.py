"""`report`: how promises were kept, as each contract counts, and what is worst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from core import durations, loops
from core.commands import opening, reported, unread
from core.configuration import judged
from core.configuration.complaints import nearest
from core.desk import attaining
from core.errors import Mistaken
from core.store import attainment, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from core.commands.reported import Form, Part
    from core.configuration.configured import Configured
    from core.measuring.contracts import Number
    from core.settings import Settings

FIRST_YEAR = 1970
"""However long a window is, one that ends from then on begins within all dates."""
NOTHING = (
    "nothing was counted: no clock of these accounts is stored; start the daemon (replyby run), or "
    "read an account now: replyby poll ACCOUNT --once"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; None: all. *worst*: so many of the worst threads at most."""

    account: str | None = None
    policy: str | None = None
    window: timedelta | None = None
    shop: str | None = None
    at: datetime | None = None
    worst: int = 10
    only: Part | None = None


async def report(path: Path, wanted: Wanted, form: Form) -> None:
    """Show how the promises were kept.

    Raises:
        click.UsageError: an instant in the future, or long before anything was read.
        Mistaken: no account, shop, policy or window is called so.
    """
    configured, now = opening.read(path), loops.utcnow()
    at = wanted.at or now
    if at > now:
        raise click.UsageError("--at lies in the future; give an instant that has passed")
    if at.year < FIRST_YEAR:
        raise click.UsageError(f"--at lies before {FIRST_YEAR}, and nothing was read; give a later")
    accounts = _accounts(configured, wanted)
    numbers = _numbers(accounts, wanted, at)
    async with opening.database(configured) as pool, transaction(pool) as db:
        found = await attaining.report(
            db, accounts, numbers, at, worst=wanted.worst, policy=wanted.policy
        )
        names = {one.account.name for one in accounts}
        hidden = await unread.of(db, configured, now, among=names)
        empty = not await attainment.is_anything(db, names)
    click.echo(reported.written(found, form, wanted.only))
    if empty:
        click.echo(NOTHING, err=True)
    if hidden and form == "table":
        click.echo()
    unread.say(hidden, as_json=form != "table")


def _accounts(configured: Settings, wanted: Wanted) -> list[Configured]:
    if wanted.account is not None:
        opening.known(configured, wanted.account)
    every = configured.accounts.values()
    found = [
        one
        for one in every
        if wanted.account in {None, one.account.name} and wanted.shop in {None, one.account.shop}
    ]
    if not found and wanted.shop is not None:
        if wanted.account is not None:
            raise Mistaken(f"account {wanted.account} is not of the shop {wanted.shop}")
        hint = nearest(wanted.shop, {one.account.shop for one in every if one.account.shop})
        raise Mistaken(f"no shop is called {wanted.shop}; {hint}")
    return found


def _numbers(accounts: Sequence[Configured], wanted: Wanted, at: datetime) -> list[Number]:
    every = list(judged.numbers(accounts, at))
    of_policy = [one for one in every if wanted.policy in {None, one.policy.name}]
    if wanted.policy is not None and not of_policy:
        hint = nearest(wanted.policy, {one.policy.name for one in every})
        raise Mistaken(f"no promise of these accounts is called {wanted.policy}; {hint}")
    found = [one for one in of_policy if wanted.window in {None, one.length}]
    if wanted.window is not None and not found:
        lengths = sorted({one.length for one in of_policy})
        known = ", ".join(map(durations.write, lengths)) or "none"
        raise Mistaken(f"no window is {durations.write(wanted.window)} long; known: {known}")
    return found
