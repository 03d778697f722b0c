"""Cancellations: somebody wants the order undone before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from connectors.ebay.sandbox.dossiers import Dossier, Impossible, amount, dated, told

if TYPE_CHECKING:
    from datetime import datetime

ANSWER, REFUND = timedelta(days=3), timedelta(hours=1)


@dataclass(slots=True)
class Cancellation(Dossier):
    """Asked for; then approved and refunded, or rejected, or closed because nobody answered."""

    KIND: ClassVar[str] = "cancellation"

    requestor: Literal["BUYER", "SELLER"] = "BUYER"
    status: str = "CANCEL_REQUESTED"
    state: str = "APPROVAL_PENDING"
    reason: str = "BUYER_ASKED_CANCEL"
    within: timedelta | None = None
    moved: tuple[tuple[str, str], ...] = ()

    def open(self, at: datetime) -> None:
        """The buyer asks, or the seller undoes it by himself."""
        self._go(self.requestor, f"{self.requestor}_CREATE_CANCEL", self.state, at)
        if self.requestor == "BUYER":
            self.due_at = at + (self.within or ANSWER)
        else:
            self.status, self.state = "CANCEL_PENDING", "REFUND_PENDING"

    def settle(self, now: datetime) -> None:
        """Close it where the seller has let the date pass; let the money arrive."""
        due, back = self.due_at, self.changed_at + REFUND
        if self.status == "CANCEL_PENDING" and now >= back:
            self.is_refunded(at=back)
        if due is not None and now > due:
            self._go("SYSTEM", "SYSTEM_TIME_OUT", "CLOSED", due)
            self._close("CANCEL_CLOSED_NO_REFUND", due)

    def seller_approves(self, *, at: datetime | None = None) -> None:
        """The seller agrees; the money goes back."""
        self._wait_for_seller()
        self._go("SELLER", "SELLER_APPROVE", "REFUND_PENDING", at)
        self.status, self.due_at = "CANCEL_PENDING", None

    def seller_rejects(self, *, at: datetime | None = None) -> None:
        """The seller has sent it already."""
        self._wait_for_seller()
        at = self._go("SELLER", "SELLER_REJECT", "CLOSED", at)
        self._close("CANCEL_REJECTED", at)

    def is_refunded(self, *, at: datetime | None = None) -> None:
        """The money is back."""
        self.require_open()
        at = self._go("SYSTEM", "SYSTEM_NOTIFY_REFUND_STATUS", "CLOSED", at)
        self._close("CANCEL_CLOSED_WITH_REFUND", at)

    def moves(self, due_at: datetime, *, at: datetime | None = None) -> None:
        """Another date for the seller, given by eBay."""
        self._wait_for_seller()
        self.changed_at = max(self.changed_at, at or self.now())
        self.due_at = due_at

    def _wait_for_seller(self) -> None:
        if self.status != "CANCEL_REQUESTED":
            raise Impossible("The cancellation does not wait for the seller")

    def _go(
        self, actor: Literal["BUYER", "SELLER", "SYSTEM"], action: str, state: str,
        at: datetime | None,
    ) -> datetime:  # fmt: skip
        before = self.state if self.history else "INITIAL"
        self.moved = (*self.moved, (before, state))
        self.state = state
        return self.note(actor, action, None, at)

    def _close(self, status: str, at: datetime) -> None:
        self.status, self.state = status, "CLOSED"
        self.end(at)


def summary(one: Cancellation) -> dict[str, Any]:
    """What the search says, and the detail beside more."""
    content = {
        "cancelId": one.id,
        "marketplaceId": "EBAY_DE",
        "legacyOrderId": one.order.id,
        "requestorType": one.requestor,
        "cancelState": one.state,
        "cancelStatus": one.status,
        "cancelReason": one.reason,
        "paymentStatus": "PAID",
        "requestRefundAmount": amount(one.order.price, one.order.currency),
        "buyerLoginName": one.buyer.told,
        "sellerLoginName": one.seller.member.told,
        "cancelRequestDate": dated(one.opened_at),
        "cancelCloseDate": dated(one.closed_at),
        "sellerResponseDueDate": dated(one.told_due()),
    }
    return told(content, one.odd)


def detail(one: Cancellation) -> dict[str, Any]:
    """What a look at one says."""
    activities = [
        {
            "activityType": entry.action,
            "activityParty": entry.actor,
            "actionDate": dated(entry.at),
            "cancelStateFrom": before,
            "cancelStateTo": after,
        }
        for entry, (before, after) in zip(one.history, one.moved, strict=True)
    ]
    return {"cancelDetail": {**summary(one), "activityHistories": activities}}
