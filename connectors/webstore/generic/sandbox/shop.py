"""One invented store: its conversations, and what of them is told how."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.webstore.generic import moments
from connectors.webstore.generic.sandbox import writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

    from connectors.webstore.generic.meaning import Meaning, Word
    from connectors.webstore.generic.options import GenericOptions

PLAIN: dict[str, object] = {"true": True, "false": False, "null": None}


@dataclass(slots=True)
class Habits:
    """What is no one's setting, and ugly.

    *size*: items on a page where nobody asks for so many; *most*: never more; *repeats*: each item
    comes twice; *shuffles*: those of a page come in any order; *strange*: a word for the party that
    no table has; *left*: so many calls the limit leaves, all again in half a minute.
    """

    size: int = 50
    most: int = 10_000
    repeats: bool = False
    shuffles: bool = False
    strange: str | None = None
    left: int = 1000


@dataclass(slots=True)
class Message:
    """One message; *word* is ours for who wrote it, and *told* the store's where that differs."""

    id: int
    conversation: Conversation
    word: Word
    text: str
    at: datetime
    files: tuple[str, ...] = ()
    told: str | None = None


@dataclass(slots=True)
class Conversation:
    """A conversation with a buyer, about an order where there is one."""

    id: int
    name: str
    mail: str
    phone: str
    order: str
    subject: str
    changed_at: datetime
    is_closed: bool = False
    messages: list[Message] = field(default_factory=list)

    def is_waiting(self) -> bool:
        """Whether the buyer wrote last, notes and robots aside."""
        said = [one for one in self.messages if one.word in {"buyer", "seller"}]
        return bool(said) and said[-1].word == "buyer"


@dataclass(slots=True)
class Shop:
    """A store; *tell* is called with every message that is written."""

    options: GenericOptions
    now: Callable[[], datetime]
    random: Random
    tell: Callable[[Shop, Message], None] = lambda _shop, _message: None
    habits: Habits = field(default_factory=Habits)
    conversations: dict[int, Conversation] = field(default_factory=dict)
    _number: int = 0

    def begin_at(self, number: int) -> None:
        """Let ids go on behind *number*."""
        self._number = number

    def add_conversation(
        self,
        name: str = "Ada Sample",
        mail: str = "ada@buyers.example",
        *,
        phone: str = "+44 1234 567890",
        order: str = "",
        subject: str = "",
        at: datetime | None = None,
    ) -> Conversation:
        """Somebody opens one, and has not written yet."""
        number = self._next()
        order, at = order or f"A-{number}", at or self.now()
        made = Conversation(number, name, mail, phone, order, subject, at)
        self.conversations[number] = made
        return made

    def writes(
        self,
        conversation: int,
        word: Word,
        text: str,
        *,
        at: datetime | None = None,
        files: tuple[str, ...] = (),
    ) -> Message:
        """Somebody writes in it."""
        where, at = self.conversations[conversation], at or self.now()
        made = Message(self._next(), where, word, text, at, files, self.habits.strange)
        where.messages.append(made)
        where.changed_at = max(where.changed_at, at)
        self.tell(self, made)
        return made

    def asks(self, text: str = "Where is it?", *, at: datetime | None = None) -> Message:
        """A buyer opens a conversation, and writes."""
        return self.writes(self.add_conversation(at=at).id, "buyer", text, at=at)

    def close(self, conversation: int) -> None:
        """It is over."""
        where = self.conversations[conversation]
        where.is_closed, where.changed_at = True, self.now()

    def forget(self, conversation: int) -> None:
        """It is removed."""
        del self.conversations[conversation]

    def items(self) -> list[tuple[datetime, int, Any]]:
        """All items: when each changed, its number, and how it is told."""
        if self.options.mapping.messages is not None:
            whole = [one for one in self.conversations.values() if one.messages]
            return [(one.changed_at, one.id, self.told_whole(one)) for one in whole]
        every = [each for one in self.conversations.values() for each in one.messages]
        return [(one.at, one.id, self.told(one)) for one in every]

    def told(self, message: Message) -> Any:
        """A message as an item."""
        return _told(message, self.options.mapping)

    def told_whole(self, conversation: Conversation, *only: Message) -> Any:
        """A conversation as an item, with all its messages or those *only*."""
        meaning = self.options.mapping
        both = [_told(one, meaning) for one in only or conversation.messages]
        thread: dict[str, Any] = {}
        for each in both:
            thread |= each.get("thread", {})
        inner = [each.get("message", {}) for each in both]
        return writing.put(meaning.messages, inner, thread)

    def _next(self) -> int:
        self._number += 1
        return self._number


def _told(message: Message, meaning: Meaning) -> Any:
    """What all expressions find what they are to find in.

    A message that is told alone tells of its author; a conversation tells of its buyer.
    """
    about, is_theirs = message.conversation, message.word == "buyer" or meaning.messages is not None
    found: dict[str, Any] = {
        "id": message.id,
        "thread": about.id,
        "party": _word(message, meaning),
        "text": message.text,
        "sent_at": moments.written(message.at, meaning.time, meaning.zone),
        "updated_at": moments.written(about.changed_at, meaning.time, meaning.zone),
        "subject": about.subject,
        "buyer": about.name if is_theirs else "Support",
        "mail": about.mail if is_theirs else "support@store.example",
        "phone": about.phone if is_theirs else "",
        "orders": [about.order],
        "attachments": list(message.files),
        "status": next(iter(meaning.closed), "closed") if about.is_closed else "open",
    }
    item: Any = None
    for name, value in found.items():
        item = writing.put(getattr(meaning, name), value, item)
    return item


def _word(message: Message, meaning: Meaning) -> object:
    if message.told is not None:
        return message.told
    words = (told for told, means in meaning.parties.items() if means == message.word)
    word = next(words, f"a {message.word}")
    return PLAIN.get(word, word)
