"""One store, as the people of a scene use it: what they say they say while buying."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.shopify.sandbox.server import Sandbox
    from connectors.webstore.shopify.sandbox.shop import Shop
    from core.sandbox.people import Buyer, Letter

NOTICE = timedelta(days=9)


@dataclass(frozen=True, slots=True)
class ShopStage:
    """Satisfies `core.sandbox.scene.Stage`; a thread is the id of its order.

    *cases* are disputes by their order.
    """

    sandbox: Sandbox
    shop: Shop
    cases: dict[str, int] = field(default_factory=dict)

    def open(self, buyer: Buyer, order: str, letter: Letter, at: datetime) -> str:
        """Somebody buys, and remarks something; the store calls orders as marketplaces do."""
        made = self.shop.buys(
            letter.text,
            email=buyer.email,
            name=buyer.name,
            phone=buyer.phone or f"+48{self.shop.random.randrange(10**8, 10**9)}",
            called=f"#{order}",
            at=self._at(at),
        )
        return str(made.id)

    def is_waiting(self, thread: str) -> bool:
        """Nobody answers at Shopify: whether somebody waits only we know."""
        return int(thread) in self.shop.orders

    def buyer_writes(self, thread: str, text: str, at: datetime) -> None:
        """Buyers cannot write on an order: this one pays, which changes it."""
        del text
        self.shop.changes(int(thread), at=self._at(at))

    def agent_answers(self, thread: str, text: str, at: datetime) -> None:
        """By mail, which Shopify does not see; somebody adds to the note that it was done."""
        del text
        order = self.shop.orders[int(thread)]
        self.shop.changes(order.id, note=f"{order.note}\n-- answered", at=self._at(at))

    def agent_asks_marketplace(self, thread: str, text: str, at: datetime) -> None:
        """There is nobody to ask."""

    def marketplace_writes(self, thread: str, text: str, at: datetime) -> None:
        """Nobody else writes here."""

    def agent_sees_no_need(self, thread: str, at: datetime) -> None:
        """The order is packed, which changes it."""
        self.shop.changes(int(thread), at=self._at(at))

    def open_case(self, thread: str, at: datetime) -> None:
        """The buyer's bank wants the money back."""
        due = (at + NOTICE).date()
        self.cases[thread] = self.shop.disputed(int(thread), due_by=due, at=self._at(at)).id

    def close_case(self, thread: str, at: datetime) -> None:
        """The evidence is sent."""
        if (case := self.cases.get(thread)) is not None:
            self.shop.becomes(case, "UNDER_REVIEW", sent_on=at.date())

    def forget(self, thread: str) -> None:
        self.shop.forget(int(thread))

    def _at(self, at: datetime) -> datetime:
        return self.sandbox.faults.shown(at)
