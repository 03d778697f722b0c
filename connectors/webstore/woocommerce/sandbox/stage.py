"""One shop, as the people of a scene use it."""

from __future__ import annotations

from dataclasses import dataclass
from html import unescape
from re import sub
from typing import TYPE_CHECKING

from connectors.webstore.woocommerce.sandbox.shop import SYSTEM

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.woocommerce.sandbox.server import Sandbox
    from connectors.webstore.woocommerce.sandbox.shop import Shop
    from core.sandbox.people import Buyer, Letter


@dataclass(frozen=True, slots=True)
class ShopStage:
    """Satisfies `core.sandbox.scene.Stage`; a thread is the number of its order."""

    sandbox: Sandbox
    shop: Shop

    def open(self, buyer: Buyer, order: str, letter: Letter, at: datetime) -> str:
        """Somebody orders and remarks something; a plugin numbers orders as marketplaces do."""
        phone = buyer.phone or f"+48 {self.shop.random.randrange(10**8, 10**9)}"
        text = letter.text
        plain = unescape(sub("<[^>]*>", " ", text)) if text.startswith("<html") else text
        bought = self.shop.add_order(
            " ".join(plain.split()),
            buyer.email,
            buyer.name,
            phone=phone,
            number=order,
            at=self._at(at),
        )
        return str(bought.id)

    def is_waiting(self, thread: str) -> bool:
        return self.shop.orders[int(thread)].is_waiting()

    def buyer_writes(self, thread: str, text: str, at: datetime) -> None:
        """An order takes no second remark: whoever presses writes a mail."""

    def agent_answers(self, thread: str, text: str, at: datetime) -> None:
        self.shop.note(int(thread), text, at=self._at(at))

    def agent_asks_marketplace(self, thread: str, text: str, at: datetime) -> None:
        """The agent asks a colleague, by a note for the staff."""
        self.shop.note(int(thread), text, to_customer=False, at=self._at(at))

    def marketplace_writes(self, thread: str, text: str, at: datetime) -> None:
        """A plugin writes to the buyer."""
        self.shop.note(int(thread), text, author=SYSTEM, at=self._at(at))

    def agent_sees_no_need(self, thread: str, at: datetime) -> None:
        """The agent says so to colleagues, which is no answer."""
        self.shop.note(int(thread), "Nothing to do.", to_customer=False, at=self._at(at))

    def open_case(self, thread: str, at: datetime) -> None:
        self.shop.change(int(thread), "on-hold", at=self._at(at))

    def close_case(self, thread: str, at: datetime) -> None:
        self.shop.change(int(thread), "processing", at=self._at(at))

    def forget(self, thread: str) -> None:
        self.shop.forget(int(thread))

    def _at(self, at: datetime) -> datetime:
        return self.sandbox.faults.shown(at)
