"""Payment disputes: the buyer's bank wants the money back. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.ebay.dossiers.dossier import (
    Asked,
    Dossier,
    Doubts,
    Line,
    instant,
    oldest_first,
    party,
    words,
)
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.ebay.dossiers.dossier import Weight
    from connectors.ebay.dossiers.payload import Dispute, DisputeDetail, Step, Steps

CLOSED, OPEN = "CLOSED", "OPEN"
NEEDED = "ACTION_NEEDED"
KNOWN = frozenset({CLOSED, OPEN, NEEDED})
RESPOND, EVIDENCE = "CONTEST_OR_ACCEPT", "PROVIDE_EVIDENCE"
OPENED = "DISPUTE_OPENED"
SILENT = frozenset({"EVIDENCE_REQUEST_OVERDUE", "SELLER_RESPONSE_OVERDUE"})
"""What a seller has not done, told as if he had."""


def is_over(told: Dispute) -> bool:
    """Whether eBay says that it is closed."""
    return told.payment_dispute_status == CLOSED


def dossier(
    told: Dispute | None, detail: DisputeDetail | None, steps: Steps | None, doubts: Doubts
) -> Dossier:
    """A dispute of the list, with its detail and its history, or any of them."""
    one = detail or told
    assert one is not None  # noqa: S101  # a caller has read something
    id_, status = one.payment_dispute_id, one.payment_dispute_status
    if status not in KNOWN:
        doubts.add(id_, "paymentDisputeStatus: unknown", one)
    found = oldest_first(_line(step) for step in (steps.activity if steps else None) or ())
    opened_at = instant(one.open_date)
    return Dossier(
        id=f"dispute:{id_}",
        kind=ThreadKind.DISPUTE,
        subject=f"Payment dispute {words(one.reason)}".strip(),
        buyer=one.buyer_username or (told.buyer_username if told else None),
        order_id=one.order_id,
        opened_at=opened_at,
        opening=(detail.buyer_provided.note if detail else None) or "",
        lines=tuple(e for e in found if e.act != OPENED),
        asked=_asked(one, detail, opened_at, doubts),
        is_over=status == CLOSED,
        over_at=instant(one.closed_date) if status == CLOSED else None,
        outcome="withdrawn" if status == CLOSED and steps else None,
        is_whole=steps is not None,
        is_odd=status not in KNOWN,
        is_partial=detail is None,
    )


def _line(step: Step) -> Line:
    act = step.activity_type or ""
    who = party(step.actor, "")
    weight: Weight = "acts" if who is Party.SELLER and act not in SILENT else "shown"
    return Line(instant(step.activity_date), who, act, "", weight)


def _asked(
    one: Dispute, detail: DisputeDetail | None, opened_at: datetime | None, doubts: Doubts
) -> tuple[Asked, ...]:
    """The answer while it is needed; afterwards what evidence eBay still wants, dated or not."""
    if one.payment_dispute_status == CLOSED:
        return ()
    if one.payment_dispute_status != OPEN or one.respond_by_date:
        due = doubts.date(one.payment_dispute_id, "respondByDate", one.respond_by_date, one)
        return (Asked(RESPOND, due, opened_at),)
    wanted = (detail.evidence_requests if detail else None) or ()
    if not wanted:
        return ()
    dates = [at for each in wanted if (at := instant(each.respond_by_date))]
    if len(dates) < len(wanted):
        doubts.add(one.payment_dispute_id, "evidenceRequests: no date", one)
    asked_at = [at for each in wanted if (at := instant(each.request_date))]
    return (Asked(EVIDENCE, min(dates, default=None), min(asked_at, default=None)),)
