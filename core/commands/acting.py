"""Commands that change something: reply, mark, answered, promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from core import loops
from core.commands import alongside, enclosing, opening, operator
from core.desk import answering, limits, marking, promising
from core.desk.answering import Beaten, Queued, Unfit
from core.errors import Mistaken
from core.store import clocks, elsewhere, transaction, wake, workers
from sla.policy import Party
from sla.turn import Level
from sla.wording import in_utc

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Given:
    """A reply as it was given: *files* are paths or addresses, *to* names of parties.

    *anyway*: it is to leave although the marketplace's rules forbid something in it.
    """

    account: str
    thread: str
    body: str | bytes
    files: tuple[str, ...]
    to: frozenset[str]
    anyway: bool = False


async def answer(path: Path, given: Given) -> None:
    """Queue a reply; the daemon sends it, at once.

    Raises:
        Mistaken: there is no such account, thread or file, or the marketplace would not take it.
    """
    account, thread, text = given.account, given.thread, _text(given.body)
    files = tuple(map(enclosing.named, given.files))
    configured = opening.read(path)
    found = configured.accounts[opening.known(configured, account)]
    limits.check(text, found.spec.can(found.options), files)
    to = _parties(given.to)
    written = answering.Written(account, thread, text, to, files, despite=given.anyway)
    terms = answering.terms(found.spec, found.options)
    async with opening.database(configured) as pool, transaction(pool) as db:
        now = loops.utcnow()
        queued = _queued(await answering.answer(db, operator.who(), written, terms, now))
        await wake.send(db, "reply")
        runs = await workers.alive(db)
        beside = await elsewhere.of(db, [(account, thread)])
    sends = "the daemon sends it" if runs else "no daemon runs; it is sent when one does"
    click.echo(f"reply {queued.reply} is queued; {sends}: replyby explain {account} {thread}")
    others = alongside.told(beside.get((account, thread), elsewhere.NOWHERE), configured, now)
    for line in alongside.lines(others, account):
        click.echo(line)
    if others["waits"]:
        click.echo("This reply does not stop what runs there.")


def _queued(what: Queued | Beaten | Unfit) -> Queued:
    """What was queued.

    Raises:
        Mistaken: nothing was, and how to mend it.
    """
    match what:
        case Queued():
            return what
        case Unfit(complaints):
            first = complaints[0]
            more = "" if first.blocks else "; to send it all the same: --anyway"
            raise Mistaken(f"{first.text}{more}")
        case Beaten():
            raise Mistaken("somebody else has answered; see the thread")


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
    can, said, who = found.spec.can(found.options), Level(level), operator.who()
    marking.check_level(said, can)
    async with opening.ruled(configured) as (pool, rules), transaction(pool) as db:
        await marking.mark(db, rules, who, account, thread, said, can, loops.utcnow())
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
        who, now = operator.who(), loops.utcnow()
        await marking.answered(db, rules, who, account, thread, at, _parties(to), now)
    click.echo(f"{account} {thread}: answered elsewhere at {at:%Y-%m-%d %H:%M:%S %Z}")


async def promise(
    path: Path, account: str, thread: str, by: datetime | None, reason: str | None
) -> None:
    """Promise a thread a further answer; with a *reason* move that, or without *by* withdraw it.

    Raises:
        Mistaken: there is no such account, thread or promise, or the instant is none.
    """
    configured = opening.read(path)
    opening.known(configured, account)
    async with opening.ruled(configured) as (pool, rules), transaction(pool) as db:
        where, now = (db, rules, operator.who(), account, thread), loops.utcnow()
        if by is None:
            await promising.withdraw(*where, reason or "", now)
            said = "nothing further is promised"
        elif reason is not None:
            await promising.move(*where, by, reason, now)
            said = f"a further answer is promised by {in_utc(by)} now"
        else:
            how = await promising.promise(*where, by, now)
            later = ", from when the reply that waits has left" if how == "with_reply" else ""
            said = f"a further answer is promised by {in_utc(by)}{later}"
    click.echo(f"{account} {thread}: {said}")
