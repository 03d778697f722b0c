"""Commands about an order beside replying: actions, act."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from core import loops
from core.commands import enclosing, opening
from core.connector import Deed
from core.orders import acting
from core.store import deeds, transaction
from sla.wording import in_utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from core.connector import Action, Allowed
    from core.store.deeds import Done

Told = dict[str, Any]


async def actions(path: Path, account: str, order: str, *, as_json: bool) -> None:
    """What may be done about an order now, and what was.

    Raises:
        Mistaken: there is no such account, or it can do nothing about orders.
        ConnectorError: the marketplace does not say, or knows no such order.
    """
    configured = opening.read(path)
    opening.known(configured, account)
    async with opening.working(configured, [account]) as state:
        connector = acting.able(state.readers[account].connector)
        allowed = await connector.allowed(order, loops.utcnow())
        async with transaction(state.pool) as db:
            done = await deeds.of_order(db, account, order)
    if as_json:
        click.echo(json.dumps(_told(order, allowed, done), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(order, allowed, done)))


def _told(order: str, allowed: Allowed, done: Sequence[Done]) -> Told:
    return {
        "order": order,
        "language": allowed.language,
        "actions": [
            {
                "name": one.name,
                "text": list(one.text),
                "files": list(one.files),
                "has_period": one.has_period,
            }
            for one in allowed.actions
        ],
        "done": [
            {
                "action": one.action,
                "state": one.state,
                "begun_at": one.begun_at.isoformat(),
                "settled_at": one.settled_at and one.settled_at.isoformat(),
                "reason": one.reason,
            }
            for one in done
        ],
    }


def _lines(order: str, allowed: Allowed, done: Sequence[Done]) -> Iterator[str]:
    if allowed.actions:
        yield f"{order} allows now:"
    else:
        yield f"{order} allows nothing now"
    for one in allowed.actions:
        yield f"  {one.name}{_needs(one)}"
    if allowed.language:
        yield f"  the buyer reads {allowed.language}"
    for each in done:
        reason = f": {each.reason}" if each.reason else ""
        yield f"  {each.action} {each.state} since {in_utc(each.begun_at)}{reason}"


def _needs(one: Action) -> str:
    """What an action takes, as its options."""
    parts = []
    if one.text[1]:
        parts.append(f"--text ({one.text[0]} to {one.text[1]} characters)")
    if one.files[1]:
        parts.append(f"--file ({one.files[0]} to {one.files[1]})")
    if one.has_period:
        parts.append("--from, --until")
    return f": {', '.join(parts)}" if parts else ""


async def act(
    path: Path,
    account: str,
    order: str,
    action: str,
    text: str | None,
    files: Sequence[Path],
    period: tuple[date, date] | None,
    *,
    again: bool,
) -> None:
    """Do something about an order, once.

    Raises:
        Mistaken: there is no such account, it can do nothing about orders, a file cannot be read,
            or it was done before.
        ConnectorError: what became of it, where it was not done.
    """
    configured = opening.read(path)
    opening.known(configured, account)
    deed = Deed(order, action, text, tuple(map(enclosing.file, files)), period)
    async with opening.working(configured, [account]) as state:
        connector = acting.able(state.readers[account].connector)
        await acting.act(state.pool, account, connector, deed, loops.utcnow, again=again)
    click.echo(f"{account} {order}: {action} is done; it is no reply, and ends no clock")
