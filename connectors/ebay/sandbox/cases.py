"""Cases: eBay stepped in, and decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from connectors.ebay.sandbox.dossiers import Dossier, amount, dated, told
from connectors.ebay.sandbox.inquiries import Inquiry, history
from connectors.ebay.sandbox.returns import Return

if TYPE_CHECKING:
    from datetime import datetime

ANSWER, DECISION = timedelta(hours=48), timedelta(hours=24)


@dataclass(slots=True)
class Case(Dossier):
    """OPEN while the seller may say something; then eBay's customer service decides."""

    KIND: ClassVar[str] = "case"

    status: str = "OPEN"
    origin: Inquiry | Return | None = None
    within: timedelta | None = None
    outcome: str | None = None

    def open(self, text: str | None, by: Literal["BUYER", "SELLER"], at: datetime) -> None:
        """Somebody asks eBay to step in."""
        self.note(by, "Case opened", text, at)
        self.due_at = at + (self.within or ANSWER)

    @property
    def is_about_return(self) -> bool:
        """Whether it began as a return, and not as an inquiry."""
        return isinstance(self.origin, Return)

    def settle(self, now: datetime) -> None:
        """Decide for the buyer where the seller has said nothing."""
        decided_at = self.due_at + DECISION if self.due_at else None
        if decided_at is not None and now > decided_at:
            self.ebay_decides("BUYER", at=decided_at)

    def seller_refunds(self, text: str | None = None, *, at: datetime | None = None) -> None:
        """The seller gives the money back, which ends it."""
        self.require_open()
        at = self.note("SELLER", "Seller issued a refund", text, at)
        self.status = "CLOSED"
        self.end(at)

    def seller_ships(
        self, carrier: str = "DHL", number: str = "00340434161094042557", *,
        at: datetime | None = None,
    ) -> None:  # fmt: skip
        """The seller shows that it was sent: now eBay has to look."""
        self.require_open()
        self.note("SELLER", "Seller provided tracking information", f"{carrier} {number}", at)
        self.status, self.due_at, self.refund_due_at = "WAITING_CS", None, None

    def ebay_asks(self, text: str, due_at: datetime, *, at: datetime | None = None) -> None:
        """Something is wanted of the seller by eBay."""
        self.require_open()
        self.note("CSR", "eBay asked the seller", text, at)
        self.status, self.due_at = "OPEN", due_at

    def wants_refund(self, due_at: datetime, *, at: datetime | None = None) -> None:
        """The money is due; the seller's answer is due by then where it was not before."""
        self.require_open()
        self.note("CSR", "Refund requested", None, at)
        self.status, self.refund_due_at = "OPEN", due_at
        self.due_at = self.due_at or due_at

    def ebay_decides(self, favour: str, *, at: datetime | None = None) -> None:
        """Customer service ends it."""
        self.require_open()
        at = self.note("CSR", f"Case closed in favour of the {favour.lower()}", None, at)
        self.status, self.outcome = "CS_CLOSED", favour
        self.end(at)


def summary(one: Case) -> dict[str, Any]:
    """What the search says; ids are numbers here, and strings in the detail."""
    content = {
        "caseId": int(one.id),
        "itemId": int(one.order.item),
        "transactionId": int(one.order.transaction),
        "buyer": one.buyer.told,
        "seller": one.seller.member.told,
        "caseStatusEnum": one.status,
        "claimAmount": amount(one.order.price, one.order.currency),
        "respondByDate": dated(one.told_due()),
        "creationDate": dated(one.opened_at),
        "lastModifiedDate": dated(one.changed_at),
    }
    return told(content, one.odd)


def detail(one: Case) -> dict[str, Any]:
    """What a look at one says: no date of answer, only days (an odd field, but so it is)."""
    left = max((one.due_at - one.now()).days, 0) if one.due_at and not one.is_vague else None
    content = {
        "caseId": one.id,
        "caseType": "RETURN" if one.is_about_return else "ITEM_NOT_RECEIVED",
        "itemId": one.order.item,
        "transactionId": one.order.transaction,
        "returnId": one.origin.id if one.origin and one.is_about_return else None,
        "claimAmount": amount(one.order.price, one.order.currency),
        "caseQuantity": 1,
        "initiator": one.history[0].actor if one.history else "BUYER",
        "buyer": one.buyer.told,
        "seller": one.seller.member.told,
        "creationDate": dated(one.opened_at),
        "lastModifiedDate": dated(one.changed_at),
        "status": one.status,
        "caseContentOnHold": False,
        "actionDeadlines": {"daysToExpireWithoutResponse": left},
        "caseDetails": {
            "creationDate": dated(one.opened_at),
            "escalationDate": dated(one.opened_at),
            "expirationDate": dated(one.opened_at + timedelta(days=30)),
            "refundDeadlineDate": dated(one.refund_due_at),
        },
        "caseHistoryDetails": {"history": history(one)},
    }
    return told(content, one.odd)
