"""Commands that change something: reply, mark, answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core import loops, marks, reply
from core.commands import alongside, enclosing, opening
from core.errors import Mistaken
from core.store import clocks, elsewhere, transaction, wake, workers
from sla.policy import Party
from sla.turn import Level
from sla.wording import in_utc

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from pathlib import Path

    from core.connector import Capabilities


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
        beside = await elsewhere.of(db, [(account, thread)])
    sends = "the daemon sends it" if runs else "no daemon runs; it is sent when one does"
    click.echo(f"reply {number} is queued; {sends}: replyby explain {account} {thread}")
    others = alongside.told(beside.get((account, thread), elsewhere.NOWHERE), configured, now)
    for line in alongside.lines(others, account):
        click.echo(line)
    if others["waits"]:
        click.echo("This reply does not stop what runs there.")


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
        Mistaken: there is no such account or thread, or nobody could have set the marketplace's own
            mark unseen by us.
    """
    configured = opening.read(path)
    found = configured.accounts[opening.known(configured, account)]
    check_level(level, found.spec.can(found.options))
    async with opening.ruled(configured) as (pool, rules), transaction(pool) as db:
        await marks.mark(db, rules, account, thread, Level(level), loops.utcnow())
        await wake.send(db, "watch")
        rows = await clocks.of_thread(db, account, thread)
    click.echo(f"{account} {thread}: no reply needed ({level})")
    for row in rows:
        if row.clock.ended is None:
            due = in_utc(row.clock.due_at)
            click.echo(f"still running: {row.clock.promise}, due {due}; the mark does not end it")


def check_level(level: str, can: Capabilities) -> None:
    """Refuse a person's word for a mark of the marketplace that is not there, or that we see.

    Raises:
        Mistaken: what to do instead.
    """
    if level != Level.MARKED or can.unseen_mark:
        return
    if can.own_mark:
        raise Mistaken(
            "this marketplace's own mark is read: set it there, and it counts; or: decided"
        )
    raise Mistaken("this marketplace has no mark of its own: say decided, or answer the thread")


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
