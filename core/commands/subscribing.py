"""The command that sets up at the marketplace what it pushes to us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core import loops
from core.commands import opening
from core.connector import Subscribes
from core.errors import Mistaken

if TYPE_CHECKING:
    from pathlib import Path


async def subscribe(path: Path, account: str, contact: str | None) -> None:
    """Set up what is missing, and say of each thing how it stands.

    Raises:
        Mistaken: there is no such account, nothing is pushed to it, or a contact is missing.
        ConnectorError: the marketplace refused a step; those that were said stand.
    """
    configured = opening.read(path)
    found = configured.accounts[opening.known(configured, account)]
    if not found.spec.can(found.options).receives:
        raise Mistaken(f"nothing is pushed to {account}: its options name no address for pushes")
    if configured.push is None:
        raise Mistaken("nobody would hear what is pushed: the settings lack [push]")
    async with opening.working(configured, [account]) as state:
        connector = state.readers[account].connector
        if not isinstance(connector, Subscribes):
            raise Mistaken(f"what is pushed to {account} can only be set up at the marketplace")
        async for line in connector.subscribe(contact, loops.utcnow()):
            click.echo(f"{account}: {line}")
