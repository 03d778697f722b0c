"""The Corner Shop's words to ours. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import ConfigDict

from core.model import Id, Message, Page, Thread
from core.payload import Payload
from sla.clock import Delivery
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Iterable


class Entry(Payload):
    """A line of the inbox: *number* rises by one with each, whoever wrote it."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    number: Id
    conversation: Id
    by: str
    at: str = ""
    text: str = ""


class Inbox(Payload):
    """What comes after a number, oldest first."""

    entries: list[Entry]
    last: int
    more: bool = False


class Conversation(Payload):
    """All lines of one conversation."""

    entries: list[Entry]


def page(entries: Iterable[Entry], now: datetime) -> Page:
    """These lines as messages, and the conversations that they belong to."""
    messages = {entry.number: _message(entry) for entry in entries}
    newest: dict[str, datetime] = {}
    for message in messages.values():
        at = message.sent_at or now
        newest[message.thread] = max(at, newest.get(message.thread, at))
    threads = tuple(Thread(id=id_, as_of=at, buyer="A customer") for id_, at in newest.items())
    return Page(messages=tuple(messages.values()), threads=threads)


def _message(entry: Entry) -> Message:
    """Whoever is not the shop waits for it: what is unknown is open."""
    ours = entry.by == "shop"
    return Message(
        id=entry.number,
        thread=entry.conversation,
        party=Party.SELLER if ours else Party.BUYER,
        to=frozenset({Party.BUYER if ours else Party.SELLER}),
        delivery=Delivery.CONFIRMED if ours else None,
        sent_at=_instant(entry.at),
        body=entry.text,
    )


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None
