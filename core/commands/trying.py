"""The command that tries what the settings say of a source's words on a sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from core import loops
from core.commands import opening
from core.connector import Translates, Transport
from core.errors import BadPayload, Mistaken
from core.transport.http import Http, open_session
from core.transport.mailbox import Mailboxes
from core.transport.smtp import Smtp

if TYPE_CHECKING:
    from core.model import Message, Page, Thread

MOST_BYTES = 64 * 2**20


async def try_mapping(path: Path, account: str, file: str) -> bool:
    """Say what the sample in *file* becomes; whether all of it could be read.

    Raises:
        Mistaken: there is no such account or file, the account's settings say of no words what
            they mean, or nothing of the sample can be read.
    """
    configured = opening.read(path)
    found = configured.accounts[opening.known(configured, account)]
    async with open_session() as session, Mailboxes() as mailboxes:
        connector = found.spec.open(found.options, Transport(Http(session), mailboxes, Smtp()))
        if not isinstance(connector, Translates):
            raise Mistaken(f"{account} has no mapping in the settings: its words are known")
        try:
            page = connector.translate(_sample(Path(file)), loops.utcnow())
        except BadPayload as fault:
            raise Mistaken(f"{file}: {fault}; {_mend(fault)}") from None
    for line in lines(page):
        click.echo(line)
    return not page.set_aside


def _mend(fault: BadPayload) -> str:
    if fault.detail == "not_json":
        return "save one whole answer or push, from its first sign to its last"
    return "look at items in the settings"


def _sample(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            sample = opened.read(MOST_BYTES + 1)
    except OSError as fault:
        raise Mistaken(f"{file} cannot be read ({fault.strerror}); mend the path") from None
    if len(sample) > MOST_BYTES:
        raise Mistaken(f"{file} is larger than 64 MB; save one page")
    return sample


def lines(page: Page) -> list[str]:
    """What *page* holds, a line each; no name and no text of a buyer's."""
    return [
        *(_message(one) for one in page.messages),
        *(_thread(one) for one in page.threads),
        *(f"does not fit: {one.reason} (item {one.source_id})" for one in page.set_aside),
        _total(page),
    ]


def _total(page: Page) -> str:
    odd = f", {len(page.set_aside)} that do not fit" if page.set_aside else ""
    return f"{len(page.messages)} messages in {len(page.threads)} threads{odd}"


def _message(one: Message) -> str:
    when = (
        "at an unknown time" if one.sent_at is None else f"at {one.sent_at:%Y-%m-%d %H:%M:%S} UTC"
    )
    order = f", order {one.order_id}" if one.order_id else ""
    files = f", {len(one.attachments)} files" if one.attachments else ""
    size = f"{len(one.body)} characters"
    return f"message {one.id} in {one.thread}: {one.party} {one.kind} {when}, {size}{order}{files}"


def _thread(one: Thread) -> str:
    """What is known of it, by name alone."""
    told = {
        "buyer": one.buyer, "mail": one.reply_to.get("mail"), "phone": one.reply_to.get("phone"),
        "subject": one.subject, "orders": one.order_ids, "link": one.url, "closed": one.closed_at,
    }  # fmt: skip
    known = ", ".join(name for name, value in told.items() if value)
    return f"thread {one.id}: {known or 'nothing'} known"
