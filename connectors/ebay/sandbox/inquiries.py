"""Inquiries: the buyer has not received what he bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from connectors.ebay.sandbox.dossiers import (
    Dossier,
    amount,
    business_days,
    dated,
    told,
    until,
)

if TYPE_CHECKING:
    from datetime import datetime, timedelta

ANSWER_DAYS = 3
EXPIRY_DAYS = 21


@dataclass(slots=True)
class Inquiry(Dossier):
    """OPEN until somebody answers; then one waits for the other until it is closed."""

    KIND: ClassVar[str] = "inquiry"

    status: str = "OPEN"
    within: timedelta | None = None
    last_buyer_at: datetime | None = None
    tracking: tuple[str, str] | None = None
    case_id: str | None = None

    def open(self, text: str | None, at: datetime) -> None:
        """The buyer says that nothing came."""
        self.note("BUYER", "Buyer opened a request", text, at)
        self.last_buyer_at = at
        self.due_at = until(at, self.within, ANSWER_DAYS)

    def settle(self, now: datetime) -> None:
        """Close it once nobody has acted for too long."""
        expires_at = self.expires_at
        if self.is_open and now >= expires_at:
            self.note("SYSTEM", "Case expired.", None, expires_at)
            self._close("CLOSED", expires_at)

    @property
    def expires_at(self) -> datetime:
        """When it closes by itself."""
        return business_days(self.changed_at, EXPIRY_DAYS)

    def buyer_writes(self, text: str, *, at: datetime | None = None) -> None:
        """The buyer writes again: the seller has to answer."""
        self.require_open()
        at = self.note("BUYER", "Buyer sent a message", text, at)
        self.last_buyer_at = at
        self.status = "WAITING_SELLER_RESPONSE"
        self.due_at = self.due_at or until(at, self.within, ANSWER_DAYS)

    def seller_writes(self, text: str, *, at: datetime | None = None) -> None:
        """The seller answers, here or on eBay's own pages."""
        self._answered("Seller sent a message", text, at)

    def seller_ships(
        self, carrier: str = "DHL", number: str = "00340434161094042557", *,
        at: datetime | None = None,
    ) -> None:  # fmt: skip
        """The seller says by whom it was sent."""
        self._answered("Seller provided tracking information", None, at)
        self.tracking = (carrier, number)

    def seller_refunds(self, text: str | None = None, *, at: datetime | None = None) -> None:
        """The seller gives the money back, which ends it."""
        self.require_open()
        at = self.note("SELLER", "Seller issued a refund", text, at)
        self._close("CLOSED", at)

    def buyer_closes(self, text: str | None = None, *, at: datetime | None = None) -> None:
        """The buyer got it after all."""
        self.require_open()
        at = self.note("BUYER", "Buyer closed the request", text, at)
        self._close("CLOSED", at)

    def ebay_closes(self, *, at: datetime | None = None) -> None:
        """Customer service ends it."""
        self.require_open()
        at = self.note("CSR", "eBay closed the request", None, at)
        self._close("CS_CLOSED", at)

    def moves(self, due_at: datetime, *, at: datetime | None = None) -> None:
        """Another date for the seller, given by eBay."""
        self.require_open()
        self.note("SYSTEM", "Response date changed", None, at)
        self.due_at = due_at

    def wants_refund(self, due_at: datetime, *, at: datetime | None = None) -> None:
        """The money is due; the seller's answer is due by then where it was not before."""
        self.require_open()
        self.note("SYSTEM", "Refund requested", None, at)
        self.status, self.refund_due_at = "WAITING_SELLER_RESPONSE", due_at
        self.due_at = self.due_at or due_at

    def close_escalated(self, case_id: str, text: str | None, by: str, at: datetime) -> None:
        """A case goes on where this ends, for eBay steps in."""
        self.note("BUYER" if by == "BUYER" else "SELLER", "Request escalated to a case", text, at)
        self.case_id = case_id
        self._close("CLOSED_WITH_ESCALATION", at)

    def _answered(self, action: str, text: str | None, at: datetime | None) -> None:
        self.require_open()
        self.note("SELLER", action, text, at)
        self.status, self.due_at, self.refund_due_at = "WAITING_BUYER_RESPONSE", None, None

    def _close(self, status: str, at: datetime) -> None:
        self.status = status
        self.end(at)


def summary(one: Inquiry) -> dict[str, Any]:
    """What the search says; ids are numbers here, and strings in the detail."""
    price = amount(one.order.price, one.order.currency)
    content = {
        "inquiryId": int(one.id),
        "itemId": int(one.order.item),
        "transactionId": int(one.order.transaction),
        "buyer": one.buyer.told,
        "seller": one.seller.member.told,
        "inquiryStatusEnum": one.status,
        "claimAmount": price,
        "respondByDate": dated(one.told_due()),
        "creationDate": dated(one.opened_at),
        "lastModifiedDate": dated(one.changed_at),
    }
    return told(content, one.odd)


def detail(one: Inquiry) -> dict[str, Any]:
    """What a look at one says."""
    order = one.order
    content = {
        "inquiryId": one.id,
        "itemId": order.item,
        "transactionId": order.transaction,
        "claimAmount": amount(order.price, order.currency),
        "inquiryQuantity": 1,
        "initiator": "BUYER",
        "creationReason": "NOT_RECEIVED",
        "buyer": one.buyer.told,
        "seller": one.seller.member.told,
        "sellerMakeItRightByDate": dated(one.told_due()),
        "inquiryClosureDate": dated(one.closed_at),
        "inquiryContentOnHold": False,
        "inquiryDetails": _dates(one),
        "inquiryHistoryDetails": {
            "history": history(one),
            "shipmentTrackingDetails": _tracking(one),
        },
        "itemDetails": {"itemTitle": order.title},
        "state": "OPEN" if one.is_open else "CLOSED",
        "status": one.status,
    }
    return told(content, one.odd)


def history(one: Dossier) -> list[dict[str, Any]]:
    """The lines as inquiries and cases tell them."""
    return [
        {
            "action": entry.action,
            "actor": entry.actor,
            "date": dated(entry.at),
            "description": entry.text,
        }
        for entry in one.history
    ]


def _dates(one: Inquiry) -> dict[str, Any]:
    escalated = one.closed_at if one.case_id else None
    return {
        "creationDate": dated(one.opened_at),
        "escalationDate": dated(escalated),
        "expirationDate": dated(one.expires_at),
        "lastBuyerRespDate": dated(one.last_buyer_at),
        "refundDeadlineDate": dated(one.refund_due_at),
        "totalAmount": amount(one.order.price, one.order.currency),
    }


def _tracking(one: Inquiry) -> dict[str, Any] | None:
    if one.tracking is None:
        return None
    carrier, number = one.tracking
    return {"carrier": carrier, "trackingNumber": number, "currentStatus": "IN_TRANSIT"}
