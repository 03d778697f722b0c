"""Returns: the buyer wants to send back what he bought. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.ebay.dossiers.dossier import (
    Asked,
    Dossier,
    Doubts,
    Line,
    instant,
    last_at,
    oldest_first,
    order,
    party,
    since,
    words,
)
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.ebay.dossiers.dossier import Weight
    from connectors.ebay.dossiers.payload import Response, Return, ReturnDetail, ReturnParts, Steps
    from sla.turn import Outcome

CLOSED, ESCALATED = "CLOSED", "ESCALATED"
STATES = frozenset({
    "AUTO_REFUND_INITIATED", "CLOSED", "ESCALATED", "INITIAL", "ITEM_DELIVERED", "ITEM_KEPT",
    "ITEM_READY_TO_SHIP", "ITEM_SHIPPED", "LESS_THAN_A_FULL_REFUND_ISSUED", "PARTIAL_REFUNDED",
    "PARTIAL_REFUND_AS_PAYOUT_INITIATED", "PARTIAL_REFUND_DECLINED", "PARTIAL_REFUND_FAILED",
    "PARTIAL_REFUND_INITIATED", "PARTIAL_REFUND_NON_PAYPAL_INITIATED", "PARTIAL_REFUND_REQUESTED",
    "PAYOUT_INITIATED", "REFUND_INITIATED", "REFUND_SENT_PENDING_CONFIRMATION", "REFUND_TIMEOUT",
    "REPLACED", "REPLACEMENT_CLOSED", "REPLACEMENT_DELIVERED", "REPLACEMENT_LABEL_REQUESTED",
    "REPLACEMENT_LABEL_REQUESTED_TIMEOUT", "REPLACEMENT_REQUESTED", "REPLACEMENT_REQUEST_TIMEOUT",
    "REPLACEMENT_RMA_PENDING", "REPLACEMENT_SHIPPED", "REPLACEMENT_STARTED",
    "RETURN_LABEL_PENDING", "RETURN_LABEL_PENDING_TIMEOUT", "RETURN_LABEL_REQUESTED",
    "RETURN_LABEL_REQUESTED_TIMEOUT", "RETURN_REJECTED", "RETURN_REQUESTED",
    "RETURN_REQUEST_TIMEOUT", "RETURN_STARTED", "RMA_PENDING", "UNKNOWN",
})  # fmt: skip
"""The documented states (ReturnStateEnum, version 2.8.0); only CLOSED ends a return."""

CREATED, APPROVE = "BUYER_CREATE_RETURN", "SELLER_APPROVE_REQUEST"
WRITTEN = frozenset({"SELLER_SEND_MESSAGE", "REMINDER_SELLER_TO_RESPOND"})
"""What is asked for where a plain message is enough."""

BY_BUYER = frozenset({"BUYER_CLOSED", "BUYER_CLOSE"})
LABOUR = frozenset({
    "SUBMIT_FILE", "DELETE_FILE", "SELLER_VOID_LABEL", "SELLER_PRINT_SHIPPING_LABEL",
    "EMAIL_SHIPPING_LABEL",
})  # fmt: skip
"""What a seller does for a return without telling the buyer anything."""

ENDS = frozenset({"BUYER_CLOSE_RETURN", "BUYER_ESCALATE"})


def is_over(told: Return) -> bool:
    """Whether eBay says that it is closed, or goes on as a case."""
    if CLOSED in (told.state, told.status):
        return True
    return ESCALATED in (told.state, told.status) and told.seller_response_due is None


def dossier(
    told: Return | None, detail: ReturnDetail | None, steps: Steps | None, doubts: Doubts
) -> Dossier:
    """A return of the search, with its detail, or either of them."""
    del steps
    one = (detail.summary if detail else None) or told
    assert one is not None  # noqa: S101  # a caller has read something
    if one.state not in STATES:
        doubts.add(one.return_id, "return state: unknown", one)
    parts = detail.detail if detail else None
    opened_at = instant(one.creation_info.creation_date)
    found = _lines(parts)
    opening = next((e for e in found if e.act == CREATED), None)
    lines = tuple(e for e in found if e is not opening)
    over = is_over(one)
    return Dossier(
        id=f"return:{one.return_id}",
        kind=ThreadKind.RETURN,
        subject=f"Return {words(one.creation_info.reason)}".strip(),
        buyer=one.buyer_login_name,
        order_id=one.order_id
        or order(one.creation_info.item.item_id, one.creation_info.item.transaction_id),
        opened_at=opened_at or (opening.at if opening else None),
        opening=one.creation_info.comments or (opening.text if opening else ""),
        lines=lines,
        asked=() if over else _asked(one, lines, opened_at, doubts),
        is_over=over,
        over_at=_over_at(parts, found) if over else None,
        outcome=_outcome(one, parts, found) if over else None,
        is_whole=parts is not None and parts.response_history is not None,
        is_odd=one.state not in STATES and not over,
    )


def _lines(parts: ReturnParts | None) -> list[Line]:
    history = (parts.response_history if parts else None) or ()
    return oldest_first(_line(response) for response in history)


def _line(response: Response) -> Line:
    text, act = (response.notes or "").strip(), response.activity or ""
    who = party(response.author, text)
    return Line(
        instant(response.creation_date), who, act, text, _weight(who, act, text), response.to_state
    )


def _weight(who: Party, act: str, text: str) -> Weight:
    writes = act.endswith("SEND_MESSAGE")
    if who is Party.SELLER:
        return "says" if writes else "shown" if act in LABOUR and not text else "acts"
    return "says" if who is Party.BUYER and (text or writes) and act not in ENDS else "shown"


def _asked(
    one: Return, lines: tuple[Line, ...], opened_at: datetime | None, doubts: Doubts
) -> tuple[Asked, ...]:
    """What eBay names, by eBay's date; nothing where the seller is not waited for."""
    due = one.seller_response_due
    if due is None or (due.activity_due is None and due.respond_by_date is None):
        return ()
    act = doubts.act(one.return_id, due.activity_due, one)
    at = doubts.date(one.return_id, "respondByDate", due.respond_by_date, one)
    return (Asked(act, at, _since(act, one, lines, opened_at), by_message=act in WRITTEN),)


def _since(
    act: str, one: Return, lines: tuple[Line, ...], opened_at: datetime | None
) -> datetime | None:
    """Since when *act* is asked: a message since the buyer's, else since the state came about."""
    if act in WRITTEN:
        return since(lines, opened_at)
    entered = [e.at for e in lines if e.to_state and e.to_state == one.state]
    if entered:
        return entered[-1]
    acted = [n for n, e in enumerate(lines) if e.party is Party.SELLER and e.weight == "acts"]
    after = [e.at for e in lines[acted[-1] + 1 if acted else 0 :] if _brings_about(e)]
    if after and act != APPROVE:
        return after[-1]
    return opened_at if act == APPROVE and not acted else None


def _brings_about(line: Line) -> bool:
    """Whether a line may be why eBay asks: no words, and no reminder of what was asked before."""
    is_reminder = line.act.startswith(("REMINDER_", "TIME_OUT_"))
    return line.party is not Party.SELLER and line.weight == "shown" and not is_reminder


def _over_at(parts: ReturnParts | None, found: list[Line]) -> datetime | None:
    told = instant(parts.close_info.return_close_date) if parts and parts.close_info else None
    return told or last_at(found)


def _outcome(one: Return, parts: ReturnParts | None, found: list[Line]) -> Outcome | None:
    reason = parts.close_info.return_close_reason if parts and parts.close_info else None
    if ESCALATED in (one.state, one.status, reason) or one.escalation_info.case_id:
        return "escalated"
    if reason in BY_BUYER or any(e.act == "BUYER_CLOSE_RETURN" for e in found):
        return "closed_by_buyer"
    return "withdrawn" if parts else None
