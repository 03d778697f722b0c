"""One store, as the people of a scene use it."""

from __future__ import annotations

from dataclasses import dataclass
from html import unescape
from re import sub
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.generic.meaning import Word
    from connectors.webstore.generic.sandbox.server import Sandbox
    from connectors.webstore.generic.sandbox.shop import Shop
    from core.sandbox.people import Buyer, Letter


@dataclass(frozen=True, slots=True)
class ShopStage:
    """Satisfies `core.sandbox.scene.Stage`; a thread is the number of its conversation."""

    sandbox: Sandbox
    shop: Shop

    def open(self, buyer: Buyer, order: str, letter: Letter, at: datetime) -> str:
        """Somebody writes about an order."""
        at = self._at(at)
        phone = buyer.phone or f"+48{self.shop.random.randrange(10**8, 10**9)}"
        made = self.shop.add_conversation(
            buyer.name, buyer.email, phone=phone, order=order, subject=letter.subject, at=at
        )
        self.shop.writes(made.id, "buyer", _plain(letter.text), at=at)
        return str(made.id)

    def is_waiting(self, thread: str) -> bool:
        return self.shop.conversations[int(thread)].is_waiting()

    def buyer_writes(self, thread: str, text: str, at: datetime) -> None:
        self._write(thread, "buyer", text, at)

    def agent_answers(self, thread: str, text: str, at: datetime) -> None:
        self._write(thread, "seller", text, at)

    def agent_asks_marketplace(self, thread: str, text: str, at: datetime) -> None:
        """There is nobody to ask: the agent notes it down."""
        self._write(thread, "private", text, at)

    def marketplace_writes(self, thread: str, text: str, at: datetime) -> None:
        """The store's robot says something."""
        self._write(thread, "automatic", text, at)

    def agent_sees_no_need(self, thread: str, at: datetime) -> None:
        """The agent closes it, which is no answer."""
        del at
        self.shop.close(int(thread))

    def open_case(self, thread: str, at: datetime) -> None:
        """There are no cases."""

    def close_case(self, thread: str, at: datetime) -> None:
        """There are no cases."""

    def forget(self, thread: str) -> None:
        self.shop.forget(int(thread))

    def _write(self, thread: str, word: Word, text: str, at: datetime) -> None:
        """What the store has no word for nobody writes there."""
        if word in self.shop.options.mapping.parties.values():
            self.shop.writes(int(thread), word, _plain(text), at=self._at(at))

    def _at(self, at: datetime) -> datetime:
        return self.sandbox.faults.shown(at)


def _plain(text: str) -> str:
    plain = unescape(sub("<[^>]*>", " ", text)) if text.startswith("<html") else text
    return " ".join(plain.split())
