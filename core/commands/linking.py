"""`link`: the marketplace's own mark "no reply needed", for a person to follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.commands import opening
from core.errors import Mistaken
from core.store import links, threads, transaction

if TYPE_CHECKING:
    from pathlib import Path


async def link(path: Path, account: str, thread: str) -> None:
    """Print the link of the newest message of a thread that has one, alone on its line.

    Raises:
        Mistaken: there is no such account or thread, or no link in it (any more).
    """
    configured = opening.read(path)
    async with opening.database(configured) as pool, transaction(pool) as db:
        known = await threads.of(db, account, thread)
        found = await links.of_thread(db, account, thread)
    if known is None:
        opening.known(configured, account)
        raise Mistaken(f"account {account} has no thread {thread}; see: replyby threads")
    if not found:
        raise Mistaken(f"no message of {thread} came with a link that sets the marketplace's mark")
    click.echo(found[0][1])
    click.echo(
        f"whoever opens it sets the marketplace's mark; then say so: replyby mark {account} "
        f"{thread} marked",
        err=True,
    )
