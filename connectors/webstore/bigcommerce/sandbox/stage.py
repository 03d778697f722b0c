"""One store, as the people of a scene use it."""

from __future__ import annotations

from dataclasses import dataclass
from html import unescape
from re import sub
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.bigcommerce.sandbox.server import Sandbox
    from connectors.webstore.bigcommerce.sandbox.store import Store
    from core.sandbox.people import Buyer, Letter


@dataclass(frozen=True, slots=True)
class StoreStage:
    """Satisfies `core.sandbox.scene.Stage`; a thread is the number of its order."""

    sandbox: Sandbox
    store: Store

    def open(self, buyer: Buyer, order: str, letter: Letter, at: datetime) -> str:
        """Somebody writes about an order; it has the store's own number."""
        del order
        at = self._at(at)
        phone = f"+48{self.store.random.randrange(10**8, 10**9)}"
        bought = self.store.add_order(buyer.email, buyer.name, phone=phone, at=at)
        self.store.customer_writes(bought.id, letter.text, subject=letter.subject, at=at)
        return str(bought.id)

    def is_waiting(self, thread: str) -> bool:
        return self.store.orders[int(thread)].is_waiting()

    def buyer_writes(self, thread: str, text: str, at: datetime) -> None:
        """In plain text, on the order's page."""
        plain = unescape(sub("<[^>]*>", " ", text)) if text.startswith("<html") else text
        self.store.customer_writes(int(thread), " ".join(plain.split()), at=self._at(at))

    def agent_answers(self, thread: str, text: str, at: datetime) -> None:
        self.store.staff_writes(int(thread), text, at=self._at(at))

    def agent_asks_marketplace(self, thread: str, text: str, at: datetime) -> None:
        """There is nobody to ask: the agent reads it once more."""
        del text, at
        self.store.mark_read(int(thread))

    def marketplace_writes(self, thread: str, text: str, at: datetime) -> None:
        """Nobody else writes here."""

    def agent_sees_no_need(self, thread: str, at: datetime) -> None:
        """The agent reads it, which is no answer."""
        del at
        self.store.mark_read(int(thread))

    def open_case(self, thread: str, at: datetime) -> None:
        """There are no cases."""

    def close_case(self, thread: str, at: datetime) -> None:
        """There are no cases."""

    def forget(self, thread: str) -> None:
        self.store.forget(int(thread))

    def _at(self, at: datetime) -> datetime:
        return self.sandbox.faults.shown(at)
