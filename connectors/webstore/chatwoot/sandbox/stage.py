"""One inbox, as the people of a scene use it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from re import sub
from typing import TYPE_CHECKING

from connectors.webstore.chatwoot.sandbox.chats import Bot

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from connectors.webstore.chatwoot.sandbox.chats import Chat
    from connectors.webstore.chatwoot.sandbox.desk import Inbox
    from connectors.webstore.chatwoot.sandbox.server import Sandbox
    from core.sandbox.people import Buyer, Letter

GREETING = "Hello! Somebody will be with you in a minute."
ROBOTS: tuple[Bot, ...] = (
    Bot(1, "Robot"),
    Bot(2, "Captain", "Captain::Assistant"),
)
GREETED, ROBOTIC = 0.4, 0.3
"""How many chats are answered by Chatwoot's own greeting first, or by a machine."""


@dataclass(frozen=True, slots=True)
class InboxStage:
    """Satisfies `core.sandbox.scene.Stage`; a thread is a conversation's number."""

    sandbox: Sandbox
    inbox: Inbox

    @property
    def random(self) -> Random:
        return self.sandbox.desk.random

    def open(self, buyer: Buyer, order: str, letter: Letter, at: datetime) -> str:
        """A visitor opens a chat about an order; some are greeted by a machine first."""
        at, account = self._at(at), self.inbox.account
        phone = f"+48{self.random.randrange(10**8, 10**9)}"
        contact = account.add_contact(buyer.name, buyer.email, buyer.phone or phone)
        chat = account.open_chat(
            letter.text, inbox=self.inbox, contact=contact, at=at, order_id=order
        )
        chance, second = self.random.random(), timedelta(seconds=1)
        if chance < GREETED:
            chat.template_writes(GREETING, at=at + second)
        elif chance < GREETED + ROBOTIC:
            chat.bot_writes(GREETING, self.random.choice(ROBOTS), at=at + second)
        return str(chat.id)

    def is_waiting(self, thread: str) -> bool:
        return self._chat(thread).is_waiting()

    def buyer_writes(self, thread: str, text: str, at: datetime) -> None:
        """In plain text: a widget has no mail program."""
        plain = unescape(sub("<[^>]*>", " ", text)) if text.startswith("<html") else text
        self._chat(thread).contact_writes(" ".join(plain.split()), at=self._at(at))

    def agent_answers(self, thread: str, text: str, at: datetime) -> None:
        self._chat(thread).agent_writes(text, at=self._at(at))

    def agent_asks_marketplace(self, thread: str, text: str, at: datetime) -> None:
        """The agent leaves a note for a colleague: the visitor sees nothing of it."""
        self._chat(thread).agent_writes(text, private=True, at=self._at(at))

    def marketplace_writes(self, thread: str, text: str, at: datetime) -> None:
        """A rule answers by itself."""
        self._chat(thread).automation_writes(text, at=self._at(at))

    def agent_sees_no_need(self, thread: str, at: datetime) -> None:
        """The agent resolves it without a word: no answer, whatever its status says."""
        chat = self._chat(thread)
        chat.set_status("resolved", by=chat.account.agents[0], at=self._at(at))

    def open_case(self, thread: str, at: datetime) -> None:
        """The agent puts it off."""
        self._chat(thread).set_status("pending", at=self._at(at))

    def close_case(self, thread: str, at: datetime) -> None:
        self._chat(thread).set_status("resolved", at=self._at(at))

    def forget(self, thread: str) -> None:
        self.inbox.account.forget(int(thread))

    def _chat(self, thread: str) -> Chat:
        return self.inbox.account.chats[int(thread)]

    def _at(self, at: datetime) -> datetime:
        return self.sandbox.faults.shown(at)
