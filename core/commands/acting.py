"""Commands that change something: reply, mark, answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core import loops, marks, reply
from core.commands import enclosing, opening
from core.errors import Mistaken
from core.store import clocks, transaction, wake, workers
from sla.policy import Party
from sla.turn import Level
from sla.wording import in_utc

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from pathlib import Path


async def answer(
    path: Path,
    account: str,
    thread: str,
    body: str | bytes,
    files_named: Collection[str],
    to: Collection[str],
) -> None:
    """Queue a reply with the files of these paths or addresses; the daemon sends it.

    Raises:
        Mistaken: there is no such account, thread or file, or the marketplace would not take it.
    """
    text, files = _text(body), tuple(map(enclosing.named, files_named))
    configured = opening.read(path)
    found = configured.accounts[opening.known(configured, account)]
    reply.check(text, found.spec.can(found.options), files)
    async with opening.database(configured) as pool, transaction(pool) as db:
        addressed = _parties(to)
        now, refuses = loops.utcnow(), found.spec.refuses
        number = await reply.queue(db, account, thread, text, addressed, now, files, refuses)
        await wake.send(db, "reply")
        runs = await workers.alive(db)
    sends = "the daemon sends it" if runs else "no daemon runs; it is sent when one does"
    click.echo(f"reply {number} is queued; {sends}: replyby explain {account} {thread}")


def _text(body: str | bytes) -> str:
    """What was given, on the command line or as it came in, if it is text."""
    try:
        raw = body.encode() if isinstance(body, str) else body
        text = raw.decode("utf-8-sig")
    except UnicodeError:
        raise Mistaken("the text is not UTF-8; write it in that encoding") from None
    return text


def _parties(names: Collection[str]) -> frozenset[Party]:
    return frozenset(map(Party, names))


async def mark(path: Path, account: str, thread: str, level: str) -> None:
    """Say that no reply is needed to what is stored of a thread.

    Raises:
        Mistaken: there is no such account or thread.
    """
    configured = opening.read(path)
    opening.known(configured, account)
    async with opening.ruled(configured) as (pool, rules), transaction(pool) as db:
        await marks.mark(db, rules, account, thread, Level(level), loops.utcnow())
        await wake.send(db, "watch")
        rows = await clocks.of_thread(db, account, thread)
    click.echo(f"{account} {thread}: no reply needed ({level})")
    for row in rows:
        if row.clock.ended is None:
            due = in_utc(row.clock.due_at)
            click.echo(f"still running: {row.clock.promise}, due {due}; the mark does not end it")


async def answered(
    path: Path, account: str, thread: str, at: datetime, to: Collection[str]
) -> None:
    """Say that a thread was answered at the marketplace.

    Raises:
        Mistaken: there is no such account or thread, or the instant lies ahead.
    """
    configured = opening.read(path)
    opening.known(configured, account)
    async with opening.ruled(configured) as (pool, rules), transaction(pool) as db:
        await marks.answered(db, rules, account, thread, at, _parties(to), loops.utcnow())
        await wake.send(db, "watch")
    click.echo(f"{account} {thread}: answered elsewhere at {at:%Y-%m-%d %H:%M:%S %Z}")
