"""The same conversations as the Trading API shows them: questions with their answers, letters.

A question of a buyer is an exchange; an answer belongs to the question that it names as its parent,
else to the last one before it. Of an answer neither an id nor an instant is told.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connectors.ebay.sandbox.conversations import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.ebay.sandbox.conversations import Conversation, Message, Type
    from connectors.ebay.sandbox.market import Member, Seller

AT_ONCE, WITHIN, BARRED = 75, timedelta(seconds=60), timedelta(seconds=100)
"""So many answers within a minute; then none for about 100 seconds."""

LETTER = 700_000_000_000
"""How far a letter's number is from the message's: `MessageID` means two things at eBay."""

TYPES: tuple[Type, ...] = ("FROM_MEMBERS", "FROM_EBAY")
EVERYTHING = 1_000_000


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answers, oldest first; it changes when it is answered."""

    conversation: Conversation
    question: Message
    answers: tuple[Message, ...]

    @property
    def changed_at(self) -> datetime:
        return max([self.question.at, *(one.at for one in self.answers)])


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in a folder: 0 is the inbox, 1 what was sent."""

    conversation: Conversation
    message: Message
    folder: int

    @property
    def id(self) -> str:
        return str(int(self.message.id) + LETTER)


@dataclass(slots=True)
class Exchanges:
    """What the Trading API knows of *seller* beside the mailbox.

    *parents* are questions by the id of their answer; *from_mail* are the ids of questions that
    were written in a mail program: they are no exchanges, but letters. *ended* are listings that
    are no longer active: exchanges about them are not listed. *is_silenced*: a hidden quota is used
    up. *spoil* makes something else of the bytes of an answer, by the call's name.
    """

    seller: Seller
    parents: dict[str, str] = field(default_factory=dict)
    from_mail: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    is_silenced: bool = False
    spoil: Callable[[str, bytes], bytes] = lambda _, written: written
    barred_until: datetime | None = None
    _sent: deque[datetime] = field(default_factory=deque)

    def between(self, since: datetime, until: datetime) -> list[Exchange]:
        """Those listed whose question was asked in this window, newest first."""
        every = self._every(since, until)
        return [one for one in every if one.conversation.item not in self.ended]

    def letters(self, folder: int, since: datetime, until: datetime) -> list[Letter]:
        """Those received or sent in this window, newest first."""
        found = [
            Letter(conversation, message, folder)
            for type_ in TYPES
            for conversation in self._conversations(type_, since)
            for message in conversation.messages
            if since <= message.at <= until and (message.sender is self.seller.member) == folder
        ]
        return sorted(found, key=lambda one: (one.message.at, one.id), reverse=True)

    def letter(self, name: str) -> Letter | None:
        """The letter of that number."""
        every = [one for folder in (0, 1) for one in self.letters(folder, *self._ever())]
        return next((one for one in every if one.id == name), None)

    def question(self, name: str) -> Exchange | None:
        """The exchange whose question has this id, listed or not."""
        every = self._every(*self._ever())
        return next((one for one in every if one.question.id == name), None)

    def answer(self, exchange: Exchange, body: str) -> None:
        """The seller answers a question."""
        said = self._write(exchange.conversation, body)
        self.parents[said.id] = exchange.question.id

    def write_to(self, buyer: Member, item: str, subject: str, body: str) -> None:
        """The seller writes to a buyer about an order."""
        mailbox, now = self.seller.mailbox, self.seller.market.clock()
        known = mailbox.between(buyer, item)
        self._write(known or mailbox.open(buyer, subject, now, item=item), body)

    def takes_one_more(self) -> bool:
        """Whether the limit of answers a minute allows another; counts it."""
        now = self.seller.market.clock()
        if self.barred_until is not None and now < self.barred_until:
            return False
        while self._sent and self._sent[0] <= now - WITHIN:
            self._sent.popleft()
        if len(self._sent) >= AT_ONCE:
            self.barred_until = now + BARRED
            return False
        self._sent.append(now)
        return True

    def _write(self, conversation: Conversation, body: str) -> Message:
        now = self.seller.market.clock()
        return self.seller.mailbox.write(conversation, self.seller.member, body, now)

    def _every(self, since: datetime, until: datetime) -> list[Exchange]:
        found = [
            one
            for conversation in self._conversations("FROM_MEMBERS", since)
            for one in self._of(conversation)
            if since <= one.question.at <= until and one.question.id not in self.from_mail
        ]
        return sorted(found, key=lambda one: (one.question.at, one.question.id), reverse=True)

    def _of(self, conversation: Conversation) -> list[Exchange]:
        answers: dict[str, list[Message]] = {}
        last = ""
        for one in conversation.messages:
            if one.sender is not self.seller.member:
                last = one.id
                answers[one.id] = []
            elif parent := self.parents.get(one.id, last):
                answers[parent].append(one)
        return [
            Exchange(conversation, one, tuple(answers[one.id]))
            for one in conversation.messages
            if one.id in answers
        ]

    def _conversations(self, type_: Type, since: datetime) -> list[Conversation]:
        wanted = Wanted(since=since - timedelta(milliseconds=1))
        return self.seller.mailbox.listed(type_, wanted, EVERYTHING, 0)[1]

    def _ever(self) -> tuple[datetime, datetime]:
        now = self.seller.market.clock()
        return now - timedelta(days=365), now
