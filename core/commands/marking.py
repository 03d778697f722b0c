"""The command that marks threads as read at the marketplace, where a person asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.commands import opening
from core.connector import MarksRead
from core.errors import Mistaken
from core.store import threads, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.model import Thread
    from core.store import Pool


async def mark_read(path: Path, account: str, ids: Sequence[str]) -> bool:
    """Mark threads as read there, and say of each other one why it was not done.

    Returns:
        Whether all are marked.

    Raises:
        Mistaken: there is no such account or thread, or nothing can be marked there from here.
        ConnectorError: the marketplace would not do it now.
    """
    configured = opening.read(path)
    found = configured.accounts[opening.known(configured, account)]
    if not found.spec.can(found.options).marks_read:
        raise Mistaken("this account marks nothing as read from here; do it at the marketplace")
    async with opening.working(configured, [account]) as state:
        named = await _named(state.pool, account, list(dict.fromkeys(ids)))
        connector = state.readers[account].connector
        if not isinstance(connector, MarksRead):
            raise Mistaken("this account says that it marks threads as read, and does not")
        left = await connector.mark_read(named)
    for thread, why in left.items():
        click.echo(f"{thread}: {why}", err=True)
    done = len(named) - len(left)
    click.echo(f"{account}: {done} of {len(named)} marked as read; it ends no clock")
    return not left


async def _named(pool: Pool, account: str, ids: Sequence[str]) -> list[Thread]:
    async with transaction(pool) as db:
        found = {id_: await threads.of(db, account, id_) for id_ in ids}
    unknown = [id_ for id_, thread in found.items() if thread is None]
    if unknown:
        rest = "" if len(unknown) == len(found) else "; nothing was marked"
        raise Mistaken(f"account {account} has no thread {', '.join(unknown)}{rest}")
    return [thread for thread in found.values() if thread is not None]
