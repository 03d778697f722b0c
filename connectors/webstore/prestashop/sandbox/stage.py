"""One shop, as the people of a scene use it."""

from __future__ import annotations

from dataclasses import dataclass
from html import unescape
from re import sub
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.prestashop.sandbox.server import Sandbox
    from connectors.webstore.prestashop.sandbox.shop import Shop
    from core.sandbox.people import Buyer, Letter


@dataclass(frozen=True, slots=True)
class ShopStage:
    """Satisfies `core.sandbox.scene.Stage`; a thread is its number."""

    sandbox: Sandbox
    shop: Shop

    def open(self, buyer: Buyer, order: str, letter: Letter, at: datetime) -> str:
        """Somebody writes by the contact form about an order."""
        bought = self.shop.add_order(order)
        at = self._at(at)
        return str(self.shop.open_thread(letter.text, buyer.email, order=bought, at=at).id)

    def is_waiting(self, thread: str) -> bool:
        return self.shop.threads[int(thread)].is_waiting()

    def buyer_writes(self, thread: str, text: str, at: datetime) -> None:
        """By mail, which the shop joins to the thread by the tags of its subject."""
        plain = unescape(sub("<[^>]*>", " ", text)) if text.startswith("<html") else text
        known = self.shop.threads[int(thread)]
        subject = f"Re: Your order #ct{known.id} #tc{known.token}"
        self.shop.mail_comes(subject, " ".join(plain.split()), self._at(at))

    def agent_answers(self, thread: str, text: str, at: datetime) -> None:
        self.shop.employee_writes(int(thread), text, at=self._at(at))

    def agent_asks_marketplace(self, thread: str, text: str, at: datetime) -> None:
        """The agent leaves a note for a colleague: the customer sees nothing of it."""
        self.shop.employee_writes(int(thread), text, private=True, at=self._at(at))

    def marketplace_writes(self, thread: str, text: str, at: datetime) -> None:
        """A colleague leaves a note."""
        self.shop.employee_writes(int(thread), text, private=True, employee=2, at=self._at(at))

    def agent_sees_no_need(self, thread: str, at: datetime) -> None:
        """The agent closes it without a word: no answer, whatever its status says."""
        self.shop.set_status(int(thread), "closed", at=self._at(at))

    def open_case(self, thread: str, at: datetime) -> None:
        """The agent puts it off."""
        self.shop.set_status(int(thread), "pending1", at=self._at(at))

    def close_case(self, thread: str, at: datetime) -> None:
        self.shop.set_status(int(thread), "closed", at=self._at(at))

    def forget(self, thread: str) -> None:
        self.shop.forget(int(thread))

    def _at(self, at: datetime) -> datetime:
        return self.sandbox.faults.shown(at)
