"""Cases: eBay stepped in, and decides. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.ebay.dossiers import claims
from connectors.ebay.dossiers.dossier import (
    REFUND,
    RESPOND,
    Asked,
    Dossier,
    Doubts,
    instant,
    last_at,
    order,
    since,
    words,
)
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.ebay.dossiers.dossier import Line
    from connectors.ebay.dossiers.payload import Case, CaseDetail, Steps

OVER = frozenset({"CLOSED", "CS_CLOSED"})
OTHERS = frozenset({"WAITING_CS", "WAITING_DELIVERY"})
"""The states in which eBay or the carrier is waited for; in any other one the seller (trap 46)."""
KNOWN = OVER | OTHERS | {"OPEN", "ON_HOLD", "REFUND_AGREED_BUT_FAILED", "OTHER"}
FAILED = "REFUND_AGREED_BUT_FAILED"


def is_over(told: Case) -> bool:
    """Whether eBay says that it is closed."""
    return told.case_status_enum in OVER


def dossier(
    told: Case | None, detail: CaseDetail | None, steps: Steps | None, doubts: Doubts
) -> Dossier:
    """A case of the search, with its detail, or either of them."""
    del steps
    one = detail or told
    assert one is not None  # noqa: S101  # a caller has read something
    id_ = one.case_id
    status = (detail.status if detail else None) or (told.case_status_enum if told else None)
    if status not in KNOWN:
        doubts.add(id_, "case status: unknown", one)
    found = claims.lines(detail.case_history_details if detail else None)
    opened_at = instant(one.creation_date)
    opening, by, lines = claims.parted(found, opened_at)
    over = status in OVER
    return Dossier(
        id=f"case:{id_}",
        kind=ThreadKind.CLAIM,
        subject=f"Case {words(detail.case_type if detail else None)}".strip(),
        buyer=(told.buyer if told else None) or (detail.buyer if detail else None),
        order_id=order(one.item_id, one.transaction_id),
        opened_at=opened_at,
        opened_by=by,
        opening=opening,
        lines=lines,
        asked=() if over else _asked(told, detail, status, lines, opened_at, doubts),
        is_over=over,
        over_at=last_at(found) if over else None,
        outcome=claims.outcome(found) if over else None,
        is_whole=detail is not None and detail.case_history_details is not None,
        is_odd=status not in KNOWN,
        is_partial=detail is None,
    )


def _asked(
    told: Case | None,
    detail: CaseDetail | None,
    status: str | None,
    lines: tuple[Line, ...],
    opened_at: datetime | None,
    doubts: Doubts,
) -> tuple[Asked, ...]:
    """What the date of the search means; the money, where eBay has set a date for it."""
    if status in OTHERS:
        return ()
    due = doubts.date(told.case_id, "respondByDate", told.respond_by_date, told) if told else None
    money: tuple[Asked, ...] = ()
    if detail:
        told_by = detail.case_details.refund_deadline_date
        money = claims.refund(detail.case_id, told_by, detail, doubts)
    begun = since(lines, opened_at) if detail else None
    if status == FAILED:
        until = next((one.due_at for one in money if one.due_at), due)
        return (Asked(REFUND, until, begun),)
    return (Asked(RESPOND, due, begun), *money)
