"""Inquiries: the buyer has not received what he bought. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.ebay.dossiers import claims
from connectors.ebay.dossiers.dossier import (
    RESPOND,
    Asked,
    Dossier,
    Doubts,
    instant,
    last_at,
    order,
    since,
)
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.ebay.dossiers.dossier import Line
    from connectors.ebay.dossiers.payload import Inquiry, InquiryDetail, Steps
    from sla.turn import Outcome

OVER = frozenset({"CLOSED", "CLOSED_WITH_ESCALATION", "CS_CLOSED"})
ESCALATED = "CLOSED_WITH_ESCALATION"
KNOWN = OVER | {"OPEN", "WAITING_SELLER_RESPONSE", "WAITING_BUYER_RESPONSE", "PENDING", "OTHER"}
BUYERS = frozenset({"WAITING_BUYER_RESPONSE"})
"""The states in which it is not the seller's turn; in any other one it is (trap 46)."""


def is_over(told: Inquiry) -> bool:
    """Whether eBay says that it is closed."""
    return told.inquiry_status_enum in OVER


def dossier(
    told: Inquiry | None, detail: InquiryDetail | None, steps: Steps | None, doubts: Doubts
) -> Dossier:
    """An inquiry of the search, with its detail, or either of them."""
    del steps
    one = detail or told
    assert one is not None  # noqa: S101  # a caller has read something
    id_ = one.inquiry_id
    status = (detail.status if detail else None) or (told.inquiry_status_enum if told else None)
    if status not in KNOWN:
        doubts.add(id_, "inquiry status: unknown", one)
    found = claims.lines(detail.inquiry_history_details if detail else None)
    opened_at = _opened_at(told, detail)
    opening, by, lines = claims.parted(found, opened_at)
    over = status in OVER
    return Dossier(
        id=f"inquiry:{id_}",
        kind=ThreadKind.INQUIRY,
        subject="Item not received",
        buyer=(told.buyer if told else None) or (detail.buyer if detail else None),
        order_id=order(one.item_id, one.transaction_id),
        opened_at=opened_at,
        opened_by=by,
        opening=opening,
        lines=lines,
        asked=() if over else _asked(told, detail, status, lines, opened_at, doubts),
        is_over=over,
        over_at=_over_at(detail, found) if over else None,
        outcome=_outcome(status, found) if over else None,
        is_whole=detail is not None and detail.inquiry_history_details is not None,
        is_odd=status not in KNOWN,
        is_partial=detail is None,
    )


def _opened_at(told: Inquiry | None, detail: InquiryDetail | None) -> datetime | None:
    at = instant(told.creation_date) if told else None
    return at or (instant(detail.inquiry_details.creation_date) if detail else None)


def _asked(
    told: Inquiry | None,
    detail: InquiryDetail | None,
    status: str | None,
    lines: tuple[Line, ...],
    opened_at: datetime | None,
    doubts: Doubts,
) -> tuple[Asked, ...]:
    """An answer, and the money once it is due; eBay's own dates alone (trap 36)."""
    if status in BUYERS:
        return ()
    due = (
        doubts.date(told.inquiry_id, "respondByDate", told.respond_by_date, told) if told else None
    )
    money: tuple[Asked, ...] = ()
    if detail:
        said = detail.seller_make_it_right_by_date
        due = due or doubts.date(detail.inquiry_id, "sellerMakeItRightByDate", said, detail)
        told_by = detail.inquiry_details.refund_deadline_date
        money = claims.refund(detail.inquiry_id, told_by, detail, doubts)
    begun = since(lines, opened_at) if detail else None
    return (Asked(RESPOND, due, begun, by_message=True), *money)


def _over_at(detail: InquiryDetail | None, found: list[Line]) -> datetime | None:
    if detail is None:
        return None
    told = instant(detail.inquiry_closure_date)
    escalated = instant(detail.inquiry_details.escalation_date)
    return told or escalated or last_at(found)


def _outcome(status: str | None, found: list[Line]) -> Outcome | None:
    return "escalated" if status == ESCALATED else claims.outcome(found)
