"""One seller's account, as the people of a scene use it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, get_args

from connectors.amazon.sandbox import notices
from connectors.amazon.sandbox.author import Shape
from connectors.amazon.sandbox.buyers_letter import Style
from connectors.amazon.sandbox.post import INBOX, JUNK
from connectors.amazon.sandbox.strangers import Forgery
from connectors.amazon.sandbox.wording import Era
from core.sandbox import people

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from connectors.amazon.sandbox.cases import Case, Order
    from connectors.amazon.sandbox.seller import Seller
    from core.sandbox.people import Buyer, Letter

Dossier = Literal["claim", "return", "cancellation", "chargeback"]

DOSSIERS: dict[Dossier, int] = {"claim": 4, "return": 4, "cancellation": 1, "chargeback": 1}
AT_ONCE, HELD_BACK = (0.2, 3.0), (5.0, 30.0)
"""Seconds on the way: usually, and where a letter is late."""

# Of new cases and of letters; all but the first were seen to happen, none of them how often.
NO_ORDER, OPTED_OUT, LATE, TWICE, IN_JUNK, STRANGERS = 0.15, 0.1, 0.1, 0.05, 0.05, 0.08


@dataclass(frozen=True, slots=True)
class SellerStage:
    """Satisfies `core.sandbox.scene.Stage`; a thread is a case's id."""

    seller: Seller
    dossiers: dict[str, Dossier] = field(default_factory=dict)

    @property
    def random(self) -> Random:
        return self.seller.random

    def open(self, buyer: Buyer, order: str, letter: Letter, at: datetime) -> str:
        """A buyer writes for the first time, mostly about an order of a few days ago."""
        someone = self.seller.add_buyer(
            buyer.name, buyer.language, is_opted_out=self._happens(OPTED_OUT)
        )
        bought = None
        if not self._happens(NO_ORDER):
            bought = self.seller.add_order(someone, at - timedelta(days=4), order)
        case = self.seller.open_case(someone, bought)
        self._write(case, letter.text, at)
        if self._happens(STRANGERS):
            how = self.random.choice((None, *get_args(Forgery)))
            self.seller.stranger_writes(case if how else None, how, at)
        return case.id

    def is_waiting(self, thread: str) -> bool:
        return self._case(thread).is_waiting(self.seller.clock())

    def buyer_writes(self, thread: str, text: str, at: datetime) -> None:
        self._write(self._case(thread), text, at)

    def agent_answers(self, thread: str, text: str, at: datetime) -> None:
        """The pretend agent answers in Seller Central, or from a mail program."""
        if self._happens(0.5):
            self.seller.answers_at_amazon(self._case(thread), text, at)
        else:
            self.seller.answers_by_mail(self._case(thread), text, at, quotes=self._happens(0.7))

    def agent_asks_marketplace(self, thread: str, text: str, at: datetime) -> None:
        """The pretend agent answers in vain: to an alias without its case, or unapproved."""
        case = self._case(thread)
        if case.alias == case.bare:
            self.seller.answers_by_mail(case, text, at, sender="intern@shop.example")
        else:
            self.seller.answers_by_mail(case, text, at, to=case.bare)

    def marketplace_writes(self, thread: str, text: str, at: datetime) -> None:
        """Amazon's customer service writes for the buyer."""
        self.seller.customer_service_writes(self._case(thread), text, at, self._arrives(at))

    def agent_sees_no_need(self, thread: str, at: datetime) -> None:
        """The pretend agent sets Amazon's mark, of which no letter tells."""
        self.seller.marks_no_response_needed(self._case(thread), at)

    def open_case(self, thread: str, at: datetime) -> None:
        """The buyer claims, returns or cancels, or his bank disputes the payment."""
        kind = self.random.choices(list(DOSSIERS), list(DOSSIERS.values()))[0]
        self.dossiers[thread] = kind
        author, order = self.seller.author, self._order(thread, at)
        if kind == "claim":
            letter = notices.claim(author, order, at, says_until=self._happens(0.8))
        elif kind == "return":
            letter = notices.returned(author, order, at, by_amazon=self._happens(0.3))
        elif kind == "cancellation":
            letter = notices.cancellation(author, order, at)
        else:
            letter = notices.chargeback(author, order, at, says_until=self._happens(0.8))
        self.seller.posts(letter, self._arrives(at))

    def close_case(self, thread: str, at: datetime) -> None:
        """The claim is decided, or the buyer gets his money back; no letter ends a dispute."""
        kind, author = self.dossiers.pop(thread, None), self.seller.author
        if kind == "claim":
            letter = notices.decision(author, self._order(thread, at), at)
            self.seller.posts(letter, self._arrives(at))
        elif kind in ("return", "cancellation"):
            letter = notices.refund(author, self._order(thread, at), at)
            self.seller.posts(letter, self._arrives(at))

    def forget(self, thread: str) -> None:
        self.dossiers.pop(thread, None)
        self.seller.forget(self._case(thread))

    def writes_again(self, case: Case, at: datetime) -> None:
        """A buyer writes once more upon an answer."""
        order = case.order.id if case.order else ""
        said = people.letter(self.random, case.buyer.language, "thanks", order)
        self._write(case, said.text, at + timedelta(seconds=self.random.uniform(15, 45)))

    def _write(self, case: Case, words: str, at: datetime) -> None:
        if self._happens(TWICE):
            self.seller.post.twice += 1
        folder = JUNK if self._happens(IN_JUNK) else INBOX
        self.seller.buyer_writes(
            case, words, at, arrives=self._arrives(at), style=self._style(), folder=folder
        )

    def _style(self) -> Style:
        era = self.random.choices(get_args(Era), (3, 1))[0]
        shape = self.random.choices(get_args(Shape), (3, 1, 1))[0]
        return Style(era, shape, is_misread=era == "older" and self._happens(0.2))

    def _order(self, thread: str, at: datetime) -> Order:
        case = self._case(thread)
        if case.order is None:
            case.order = self.seller.add_order(case.buyer, at)
        return case.order

    def _arrives(self, at: datetime) -> datetime:
        seconds = HELD_BACK if self._happens(LATE) else AT_ONCE
        return at + timedelta(seconds=self.random.uniform(*seconds))

    def _happens(self, share: float) -> bool:
        return self.random.random() < share

    def _case(self, thread: str) -> Case:
        return self.seller.cases[thread]
