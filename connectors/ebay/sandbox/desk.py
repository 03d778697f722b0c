"""All dossiers of one seller: how they begin, how one becomes another, and what goes wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from connectors.ebay.sandbox.cancellations import Cancellation
from connectors.ebay.sandbox.cases import Case
from connectors.ebay.sandbox.disputes import Dispute
from connectors.ebay.sandbox.dossiers import Dossier, Impossible
from connectors.ebay.sandbox.inquiries import Inquiry
from connectors.ebay.sandbox.returns import Return

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from connectors.ebay.sandbox.market import Member, Order, Seller

D = TypeVar("D", bound=Dossier)
Party = Literal["BUYER", "SELLER"]

Slip = Literal["error_inside", "empty", "hollow"]
"""What a search does wrong with status 200: an error in place of the page, nothing found, or
nothing listed of what it counts."""


@dataclass(slots=True)
class Desk:
    """The dossiers of *seller*, by id. *buyer* is one of an order that is made where none is given.

    *within* replaces what eBay usually gives to answer; *is_vague*: eBay tells no date.
    *slips* counts, by kind and slip, the searches that still go wrong.
    """

    seller: Seller
    dossiers: dict[str, Dossier] = field(default_factory=dict)
    slips: Counter[tuple[str, Slip]] = field(default_factory=Counter)

    def open_inquiry(
        self,
        text: str | None = None,
        *,
        buyer: Member | None = None,
        order: Order | None = None,
        within: timedelta | None = None,
        is_vague: bool = False,
        at: datetime | None = None,
    ) -> Inquiry:
        """A buyer says that nothing came: 3 working days to answer."""
        one = self._made(Inquiry, buyer, order, at, within=within, is_vague=is_vague)
        one.open(text, one.opened_at)
        return one

    def open_return(
        self,
        text: str | None = None,
        *,
        buyer: Member | None = None,
        order: Order | None = None,
        reason: str = "NOT_AS_DESCRIBED",
        within: timedelta | None = None,
        is_vague: bool = False,
        at: datetime | None = None,
    ) -> Return:
        """A buyer wants to send something back: 3 working days to decide, 2 to refund."""
        one = self._made(Return, buyer, order, at, within=within, is_vague=is_vague, reason=reason)
        one.open(text, one.opened_at)
        return one

    def open_cancellation(
        self,
        *,
        buyer: Member | None = None,
        order: Order | None = None,
        requestor: Party = "BUYER",
        within: timedelta | None = None,
        is_vague: bool = False,
        at: datetime | None = None,
    ) -> Cancellation:
        """Somebody wants an order undone: 3 days to answer."""
        how = {"within": within, "is_vague": is_vague, "requestor": requestor}
        one = self._made(Cancellation, buyer, order, at, **how)
        one.open(one.opened_at)
        return one

    def open_dispute(
        self,
        text: str | None = None,
        *,
        buyer: Member | None = None,
        order: Order | None = None,
        reason: str = "ITEM_NOT_RECEIVED",
        within: timedelta | None = None,
        is_vague: bool = False,
        at: datetime | None = None,
    ) -> Dispute:
        """A buyer's bank disputes a payment: 5 days to answer."""
        one = self._made(Dispute, buyer, order, at, within=within, is_vague=is_vague, reason=reason)
        one.open(text, one.opened_at)
        return one

    def open_case(
        self,
        text: str | None = None,
        *,
        buyer: Member | None = None,
        order: Order | None = None,
        by: Party = "BUYER",
        origin: Inquiry | Return | None = None,
        within: timedelta | None = None,
        is_vague: bool = False,
        at: datetime | None = None,
    ) -> Case:
        """Somebody lets eBay step in: 48 hours to answer."""
        one = self._made(Case, buyer, order, at, within=within, is_vague=is_vague, origin=origin)
        one.open(text, by, one.opened_at)
        return one

    def escalate(
        self,
        dossier: str,
        text: str | None = None,
        *,
        by: Party = "BUYER",
        within: timedelta | None = None,
        at: datetime | None = None,
    ) -> Case:
        """An inquiry or a return ends, and a case begins.

        Raises:
            Impossible: it is another kind, or closed.
        """
        one = self.dossiers[dossier]
        if not isinstance(one, Inquiry | Return):
            raise Impossible(f"A {one.KIND} cannot be escalated")
        one.require_open()
        at = at or one.now()
        case = self.open_case(
            text, buyer=one.buyer, order=one.order, by=by, origin=one, within=within, at=at
        )
        one.close_escalated(case.id, text, by, at)
        return case

    def slip(self, kind: str, slip: Slip, count: int = 1) -> None:
        """The next *count* searches of that kind go wrong."""
        self.slips[kind, slip] += count

    def slips_now(self, kind: str, slip: Slip) -> bool:
        """Whether this search goes wrong; counts it."""
        if not self.slips[kind, slip]:
            return False
        self.slips[kind, slip] -= 1
        return True

    def forget(self, dossier: str) -> None:
        """It is no longer shown; an unknown one is no fault."""
        self.dossiers.pop(dossier, None)

    def of(self, kind: type[D]) -> list[D]:
        """All of one kind, newest first, as they are by now."""
        found = [one for one in self.dossiers.values() if isinstance(one, kind)]
        for one in found:
            one.settle(one.now())
        return sorted(found, key=lambda one: (one.opened_at, one.id), reverse=True)

    def one(self, kind: type[D], dossier: str) -> D | None:
        """One as it is by now, None where that kind has none of this id."""
        found = self.dossiers.get(dossier)
        if not isinstance(found, kind):
            return None
        found.settle(found.now())
        return found

    def _made(
        self,
        kind: type[D],
        buyer: Member | None,
        order: Order | None,
        at: datetime | None,
        **more: Any,
    ) -> D:
        market = self.seller.market
        buyer = buyer or (order.buyer if order else market.add_member())
        at = at or market.clock()
        order = order or self.seller.sells(buyer, at)
        number = str(market.numbers.take("dossier"))
        made = kind(number, self.seller, buyer, order, at, at, **more)
        self.dossiers[made.id] = made
        return made
