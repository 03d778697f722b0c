"""One shop, as the people of a scene use it."""

from __future__ import annotations

from dataclasses import dataclass
from html import unescape
from re import sub
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.magento.sandbox.server import Sandbox
    from connectors.webstore.magento.sandbox.shop import Shop
    from core.sandbox.people import Buyer, Letter


@dataclass(frozen=True, slots=True)
class ShopStage:
    """Satisfies `core.sandbox.scene.Stage`; a thread is the number of its order."""

    sandbox: Sandbox
    shop: Shop

    def open(self, buyer: Buyer, order: str, letter: Letter, at: datetime) -> str:
        """Somebody orders and remarks something; the shop numbers orders as marketplaces do."""
        phone = buyer.phone or f"+48 {self.shop.random.randrange(10**8, 10**9)}"
        text = letter.text
        plain = unescape(sub("<[^>]*>", " ", text)) if text.startswith("<html") else text
        remark = " ".join(plain.split())
        bought = self.shop.add_order(
            remark, buyer.email, buyer.name, phone=phone, increment=order, at=self._at(at)
        )
        return str(bought.id)

    def is_waiting(self, thread: str) -> bool:
        return self.shop.orders[int(thread)].is_waiting()

    def buyer_writes(self, thread: str, text: str, at: datetime) -> None:
        """An order takes no second remark: whoever presses writes a mail."""

    def agent_answers(self, thread: str, text: str, at: datetime) -> None:
        self.shop.comment(int(thread), text, at=self._at(at))

    def agent_asks_marketplace(self, thread: str, text: str, at: datetime) -> None:
        """The agent asks a colleague, by a comment for the staff."""
        self.shop.comment(int(thread), text, notified=0, visible=0, at=self._at(at))

    def marketplace_writes(self, thread: str, text: str, at: datetime) -> None:
        """A module of the shop writes to the buyer."""
        del text
        said = "You notified customer about invoice #1."
        self.shop.comment(int(thread), said, at=self._at(at))

    def agent_sees_no_need(self, thread: str, at: datetime) -> None:
        """The agent says so to colleagues, which is no answer."""
        said = "Nothing to do."
        self.shop.comment(int(thread), said, notified=None, visible=0, at=self._at(at))

    def open_case(self, thread: str, at: datetime) -> None:
        self.shop.change(int(thread), "holded", at=self._at(at))

    def close_case(self, thread: str, at: datetime) -> None:
        self.shop.change(int(thread), "processing", at=self._at(at))

    def forget(self, thread: str) -> None:
        self.shop.forget(int(thread))

    def _at(self, at: datetime) -> datetime:
        return self.sandbox.faults.shown(at)
