"""One seller's account, as the people of a scene use it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Literal

from connectors.ebay.sandbox.cancellations import Cancellation
from connectors.ebay.sandbox.cases import Case
from connectors.ebay.sandbox.disputes import Dispute
from connectors.ebay.sandbox.dossiers import Impossible
from connectors.ebay.sandbox.inquiries import Inquiry
from connectors.ebay.sandbox.returns import Return

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from connectors.ebay.sandbox.conversations import Conversation
    from connectors.ebay.sandbox.dossiers import Dossier
    from connectors.ebay.sandbox.market import Market, Seller
    from connectors.ebay.sandbox.server import Sandbox
    from core.sandbox.people import Buyer, Letter

Kind = Literal["return", "inquiry", "cancellation", "dispute", "case"]

FIRST: tuple[Kind, ...] = ("return", "inquiry", "return", "cancellation")
KINDS: dict[Kind, int] = {"return": 4, "inquiry": 4, "cancellation": 2, "dispute": 1, "case": 1}
SOON = (45.0, 150.0)
"""Seconds to answer a dossier whose date is to be seen passing."""

OPAQUE, HTML = 0.1, 0.2
"""How many members are told by id alone, and letters are HTML."""


@dataclass(slots=True)
class SellerStage:
    """Satisfies `core.sandbox.scene.Stage`; a thread is a conversation's id.

    The first dossier is a return with the working days that eBay gives; others come due while one
    watches. *dossiers* are those of conversations, *coming* the kinds of the next ones.
    """

    sandbox: Sandbox
    seller: Seller
    dossiers: dict[str, Dossier] = field(default_factory=dict)
    coming: list[Kind] = field(default_factory=lambda: list(FIRST))

    @property
    def market(self) -> Market:
        return self.seller.market

    @property
    def random(self) -> Random:
        return self.market.random

    def open(self, buyer: Buyer, order: str, letter: Letter, at: datetime) -> str:
        """A buyer writes for the first time, about an order of a few days ago."""
        at = self._at(at)
        name = buyer.email.partition("@")[0]
        member = self.market.add_member(name, is_opaque=self._happens(OPAQUE))
        bought = self.seller.sells(member, at - timedelta(days=4), f"Sample article {order}")
        made = self.seller.asked(member, letter.text, title=letter.subject, order=bought, at=at)
        return made.id

    def is_waiting(self, thread: str) -> bool:
        return self._conversation(thread).is_waiting()

    def buyer_writes(self, thread: str, text: str, at: datetime) -> None:
        """Now and then in HTML, of which nothing tells."""
        if self._happens(HTML) and "<" not in text:
            text = f'<div dir="ltr">{escape(text)}<br /></div>'
        self.seller.buyer_writes(self._conversation(thread), text, at=self._at(at))

    def agent_answers(self, thread: str, text: str, at: datetime) -> None:
        """The pretend agent answers on eBay's own page."""
        self.seller.answers(self._conversation(thread), escape(text), at=self._at(at))

    def agent_asks_marketplace(self, thread: str, text: str, at: datetime) -> None:
        """The pretend agent writes into the dossier, where the conversation does not see it."""
        dossier = self.dossiers.get(thread)
        if isinstance(dossier, Inquiry | Return):
            with suppress(Impossible):
                dossier.seller_writes(text, at=self._at(at))

    def marketplace_writes(self, thread: str, text: str, at: datetime) -> None:
        """A notice of eBay's own; and some stranger closes the account at eBay."""
        title = self._conversation(thread).title
        self.seller.ebay_writes(text, title=title, at=self._at(at))
        self.sandbox.pushes.deletion(self.market.add_member())

    def agent_sees_no_need(self, thread: str, at: datetime) -> None:  # noqa: ARG002  # no mark, no date
        """The pretend agent reads it and puts it away; eBay has no mark that would say why."""
        one = self._conversation(thread)
        one.mark(is_read=True)
        one.status = "ARCHIVE"

    def open_case(self, thread: str, at: datetime) -> None:
        """The buyer opens a dossier about the order, or the buyer's bank does."""
        one, at = self._conversation(thread), self._at(at)
        order = next(known for known in self.seller.orders.values() if known.item == one.item)
        is_first = len(self.coming) == len(FIRST)
        within = None if is_first else timedelta(seconds=self.random.uniform(*SOON))
        kind = self.coming.pop(0) if self.coming else self._kind()
        desk, text = self.seller.desk, "It is not as described."
        if kind == "return":
            made: Dossier = desk.open_return(text, order=order, within=within, at=at)
        elif kind == "inquiry":
            made = desk.open_inquiry("It has not arrived.", order=order, within=within, at=at)
        elif kind == "cancellation":
            made = desk.open_cancellation(order=order, within=within, at=at)
        elif kind == "dispute":
            made = desk.open_dispute(text, order=order, within=within, at=at)
        else:
            made = desk.open_case(text, order=order, within=within, at=at)
        self.dossiers[thread] = made

    def close_case(self, thread: str, at: datetime) -> None:
        """The pretend agent does what is asked; somebody real, or the date, may have been first."""
        dossier, at = self.dossiers.get(thread), self._at(at)
        if dossier is None:
            return
        dossier.settle(at)
        with suppress(Impossible):
            if isinstance(dossier, Return):
                dossier.seller_decides("APPROVE", at=at)
            elif isinstance(dossier, Inquiry | Case):
                dossier.seller_refunds(at=at)
            elif isinstance(dossier, Cancellation):
                dossier.seller_approves(at=at)
            elif isinstance(dossier, Dispute):
                dossier.seller_responds("CONTEST", dossier.revision, at=at)

    def forget(self, thread: str) -> None:
        """The conversation, its order and its dossier are no longer shown."""
        one = self.seller.mailbox.find(thread)
        if one is not None:
            self.seller.mailbox.forget(one)
            gone = [name for name, known in self.seller.orders.items() if known.item == one.item]
            for name in gone:
                del self.seller.orders[name]
        dossier = self.dossiers.pop(thread, None)
        if dossier is not None:
            self.seller.desk.forget(dossier.id)

    def _kind(self) -> Kind:
        return self.random.choices(list(KINDS), list(KINDS.values()))[0]

    def _happens(self, share: float) -> bool:
        return self.random.random() < share

    def _conversation(self, thread: str) -> Conversation:
        return self.seller.mailbox.live[int(thread)]

    def _at(self, at: datetime) -> datetime:
        return self.sandbox.faults.shown(at)
