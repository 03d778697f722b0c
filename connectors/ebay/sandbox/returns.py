"""Returns: the buyer wants to send back what he bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from connectors.ebay.sandbox.dossiers import (
    Dossier,
    Impossible,
    amount,
    dated,
    told,
    until,
    wording,
)

if TYPE_CHECKING:
    from datetime import datetime, timedelta

ANSWER_DAYS, REFUND_DAYS, SHIP_DAYS = 3, 2, 15
APPROVE, REFUND, WRITE = "SELLER_APPROVE_REQUEST", "SELLER_ISSUE_REFUND", "SELLER_SEND_MESSAGE"
TIMED_OUT = "TIME_OUT_FOR_AUTHORIZE"


@dataclass(slots=True)
class Return(Dossier):
    """Asked for, approved, sent, delivered, refunded. *act* is what the seller has to do."""

    KIND: ClassVar[str] = "return"

    state: str = "RETURN_REQUESTED"
    status: str = "RETURN_REQUESTED"
    reason: str = "NOT_AS_DESCRIBED"
    act: str | None = None
    within: timedelta | None = None
    buyer_act: str | None = None
    buyer_due_at: datetime | None = None
    case_id: str | None = None

    def open(self, text: str | None, at: datetime) -> None:
        """The buyer asks."""
        self.note("BUYER", "BUYER_CREATE_RETURN", text, at)
        self._ask(APPROVE, at, ANSWER_DAYS)

    def settle(self, now: datetime) -> None:
        """Say that the seller has not decided in time; from then on the buyer may escalate.

        Where the buyer does nothing for too long it is closed.
        """
        if self.buyer_due_at is not None and now > self.buyer_due_at:
            at = self.buyer_due_at
            self.note("SYSTEM", "SYSTEM_CLOSE_RETURN", None, at)
            self._close(at)
        due = self.due_at
        late = due is not None and now > due and self.act == APPROVE
        if due is not None and late and self.status == "RETURN_REQUESTED":
            self.note("SYSTEM", TIMED_OUT, None, due)
            self.status = "RETURN_REQUESTED_TIMEOUT"

    def buyer_writes(self, text: str, *, at: datetime | None = None) -> None:
        """The buyer writes; where nothing else is asked, the seller has to answer."""
        self.require_open()
        at = self.note("BUYER", "BUYER_SEND_MESSAGE", text, at)
        if self.act is None:
            self._ask(WRITE, at, ANSWER_DAYS)

    def seller_writes(self, text: str, *, at: datetime | None = None) -> None:
        """The seller writes: no decision, and no refund."""
        self.require_open()
        self.note("SELLER", WRITE, text, at)
        if self.act == WRITE:
            self._ask(None)

    def seller_decides(
        self, decision: str, text: str | None = None, *, at: datetime | None = None
    ) -> None:
        """The seller approves, declines, offers a part of the money, or names an RMA."""
        self.require_open()
        if self.act != APPROVE:
            raise Impossible("The return does not wait for a decision")
        activity, state, status = DECISIONS[decision]
        at = self.note("SELLER", activity, text, at)
        self._move(state, status, at)

    def buyer_answers_offer(self, *, accepts: bool, at: datetime | None = None) -> None:
        """The buyer takes a part of the money and keeps it, or asks for a decision again."""
        self._step("PARTIAL_REFUND_REQUESTED")
        if accepts:
            at = self.note("BUYER", "BUYER_ACCEPTS_PARTIAL_REFUND", None, at)
            self._close(at, "LESS_THAN_A_FULL_REFUND_ISSUED")
        else:
            at = self.note("BUYER", "BUYER_DECLINE_PARTIAL_REFUND", None, at)
            self._move("PARTIAL_REFUND_DECLINED", "PARTIAL_REFUND_DECLINED", at)
            self._ask(APPROVE, at, ANSWER_DAYS)

    def buyer_ships(self, *, at: datetime | None = None) -> None:
        """It is on its way back."""
        self._step("ITEM_READY_TO_SHIP")
        at = self.note("BUYER", "BUYER_PROVIDE_TRACKING_INFO", None, at)
        self._move("ITEM_SHIPPED", "ITEM_SHIPPED", at)

    def is_delivered(self, *, at: datetime | None = None) -> None:
        """It came back: the seller has to refund."""
        self._step("ITEM_SHIPPED")
        at = self.note("SYSTEM", "NOTIFIED_DELIVERED", None, at)
        self._move("ITEM_DELIVERED", "ITEM_DELIVERED", at)
        self._ask(REFUND, at, REFUND_DAYS)

    def seller_refunds(self, text: str | None = None, *, at: datetime | None = None) -> None:
        """The seller gives the money back, which ends it."""
        self.require_open()
        at = self.note("SELLER", REFUND, text, at)
        self._close(at)

    def buyer_closes(self, text: str | None = None, *, at: datetime | None = None) -> None:
        """The buyer keeps it."""
        self.require_open()
        at = self.note("BUYER", "BUYER_CLOSE_RETURN", text, at)
        self._close(at)

    def moves(self, due_at: datetime, *, at: datetime | None = None) -> None:
        """Another date for the seller, given by eBay."""
        self.require_open()
        self.changed_at = max(self.changed_at, at or self.now())
        self.due_at = due_at

    def close_escalated(self, case_id: str, text: str | None, by: str, at: datetime) -> None:
        """A case goes on where this ends, for eBay steps in."""
        buyers = by == "BUYER"
        self.note("BUYER" if buyers else "SELLER", f"{by}_ESCALATE", text, at)
        self.case_id = case_id
        self._close(at, "ESCALATED")

    def _ask(self, act: str | None, at: datetime | None = None, days: int = 0) -> None:
        self.act = act
        self.due_at = until(at, self.within, days) if act and at else None

    def _step(self, state: str) -> None:
        self.require_open()
        if self.state != state:
            raise Impossible(f"The return is not {state}")

    def _move(self, state: str, status: str, at: datetime) -> None:
        self._ask(None)
        self.state, self.status = state, status
        self.buyer_act = WAITED_FOR.get(state)
        self.buyer_due_at = until(at, None, SHIP_DAYS) if self.buyer_act else None
        if state == "CLOSED":
            self._close(at)

    def _close(self, at: datetime, status: str = "CLOSED") -> None:
        self.state = self.status = status
        self.act = self.buyer_act = self.buyer_due_at = None
        self.end(at)


DECISIONS: dict[str, tuple[str, str, str]] = {
    "APPROVE": (APPROVE, "ITEM_READY_TO_SHIP", "READY_FOR_SHIPPING"),
    "DECLINE": ("SELLER_DECLINE_REQUEST", "CLOSED", "CLOSED"),
    "OFFER_PARTIAL_REFUND": (
        "SELLER_OFFER_PARTIAL_REFUND", "PARTIAL_REFUND_REQUESTED", "PARTIAL_REFUND_REQUESTED",
    ),
    "PROVIDE_RMA": ("SELLER_PROVIDE_RMA", "ITEM_READY_TO_SHIP", "READY_FOR_SHIPPING"),
}  # fmt: skip
"""By decision: the activity, and the state and status that follow."""

WAITED_FOR = {
    "ITEM_READY_TO_SHIP": "BUYER_PROVIDE_TRACKING_INFO",
    "PARTIAL_REFUND_REQUESTED": "BUYER_ACCEPTS_PARTIAL_REFUND",
}


def summary(one: Return) -> dict[str, Any]:
    """What the search says, and the detail beside more."""
    order = one.order
    content = {
        "returnId": one.id,
        "orderId": order.id,
        "buyerLoginName": one.buyer.told,
        "sellerLoginName": one.seller.member.told,
        "currentType": "MONEY_BACK",
        "state": one.state,
        "status": one.status,
        "creationInfo": _creation(one),
        "sellerTotalRefund": {"estimatedRefundAmount": amount(order.price, order.currency)},
        "sellerResponseDue": _due(one.act, one.told_due()),
        "buyerResponseDue": _due(one.buyer_act, one.buyer_due_at),
        "escalationInfo": {
            "buyerEscalationEligibilityInfo": {"eligible": TIMED_OUT in _activities(one)},
            "sellerEscalationEligibilityInfo": {"eligible": False},
            "caseId": one.case_id,
        },
        "sellerAvailableOptions": _options(one),
        "timeoutDate": dated(one.told_due()),
    }
    return told(content, one.odd)


def detail(one: Return) -> dict[str, Any]:
    """What a look at one says."""
    content = {
        "summary": summary(one),
        "detail": {
            "buyerLoginName": one.buyer.told,
            "sellerLoginName": one.seller.member.told,
            "closeInfo": {"returnCloseDate": dated(one.closed_at)} if one.closed_at else None,
            "itemDetail": _item(one),
            "responseHistory": [
                {
                    "activity": entry.action,
                    "author": "EBAY" if entry.actor == "CSR" else entry.actor,
                    "creationDate": dated(entry.at),
                    "notes": entry.text,
                }
                for entry in one.history
            ],
        },
    }
    return told(content, one.odd)


def _creation(one: Return) -> dict[str, Any]:
    words = one.history[0].text if one.history else None
    return {
        "creationDate": dated(one.opened_at),
        "reason": one.reason,
        "type": "MONEY_BACK",
        "item": {**_item(one), "returnQuantity": 1},
        "comments": wording(words),
    }


def _item(one: Return) -> dict[str, Any]:
    return {"itemId": one.order.item, "transactionId": one.order.transaction}


def _due(act: str | None, due_at: datetime | None) -> dict[str, Any] | None:
    return {"activityDue": act, "respondByDate": dated(due_at)} if act else None


def _activities(one: Return) -> set[str]:
    return {entry.action for entry in one.history}


def _options(one: Return) -> list[dict[str, str]]:
    wanted = [WRITE, *([one.act] if one.act and one.act != WRITE else [])] if one.is_open else []
    return [{"actionType": name, "actionURL": f"/return/{one.id}"} for name in wanted]
