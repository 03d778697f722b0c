"""Cancellations: somebody wants an order undone before it is sent. Pure."""

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
    party,
    words,
)
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.ebay.dossiers.dossier import Weight
    from connectors.ebay.dossiers.payload import (
        Activity,
        Cancellation,
        CancellationDetail,
        Steps,
    )
    from sla.turn import Outcome

DECIDE = "SELLER_DECIDE"
REQUESTED = "CANCEL_REQUESTED"
REJECTED = "CANCEL_REJECTED"
PENDING = "APPROVAL_PENDING"
CREATED = frozenset({"BUYER_CREATE_CANCEL", "SELLER_CREATE_CANCEL"})
STATES = frozenset({
    "INITIAL", "APPROVAL_PENDING", "CLOSED", "CONFIRM_REFUND_PENDING", "OTHER",
    "REFUND_FAILED_RETRY", "REFUND_INITIATED", "REFUND_PENDING",
})  # fmt: skip
DECIDED = frozenset({"CONFIRM_REFUND_PENDING", "REFUND_INITIATED", "REFUND_PENDING"})
"""The states after the seller's decision; in any other open one it may be asked for (trap 46)."""

CLOSED = "CANCEL_CLOSED_"


def is_over(told: Cancellation) -> bool:
    """Whether eBay says that it is closed."""
    status = told.cancel_status or ""
    return told.cancel_state == "CLOSED" or status == REJECTED or status.startswith(CLOSED)


def dossier(
    told: Cancellation | None,
    detail: CancellationDetail | None,
    steps: Steps | None,
    doubts: Doubts,
) -> Dossier:
    """A cancellation of the search, with its detail, or either of them."""
    del steps
    one = detail.cancel_detail if detail else told
    assert one is not None  # noqa: S101  # a caller has read something
    if one.cancel_state not in STATES:
        doubts.add(one.cancel_id, "cancelState: unknown", one)
    found = oldest_first(_line(line) for line in one.activity_histories or ())
    opened_at = instant(one.cancel_request_date)
    over = is_over(one)
    buyer = one.buyer_login_name or (told.buyer_login_name if told else None)
    return Dossier(
        id=f"cancellation:{one.cancel_id}",
        kind=ThreadKind.CANCELLATION,
        subject=f"Cancellation {words(one.cancel_reason)}".strip(),
        buyer=buyer,
        order_id=one.legacy_order_id,
        opened_at=opened_at,
        opened_by=Party.SELLER if one.requestor_type == "SELLER" else Party.BUYER,
        lines=tuple(e for e in found if e.act not in CREATED),
        asked=() if over else _asked(one, opened_at, doubts),
        is_over=over,
        over_at=_over_at(one, found) if over else None,
        outcome=_outcome(one) if over and found else None,
        is_whole=one.activity_histories is not None,
        is_odd=one.cancel_state not in STATES and not over,
    )


def _line(line: Activity) -> Line:
    act = line.activity_type or ""
    who = party(line.activity_party, "")
    weight: Weight = "acts" if who is Party.SELLER and act not in CREATED else "shown"
    return Line(instant(line.action_date), who, act, "", weight)


def _asked(one: Cancellation, opened_at: datetime | None, doubts: Doubts) -> tuple[Asked, ...]:
    """The decision: eBay tells a date only while the seller is waited for."""
    due = doubts.date(one.cancel_id, "sellerResponseDueDate", one.seller_response_due_date, one)
    waits = one.requestor_type != "SELLER" and one.cancel_state not in DECIDED
    if due is None and not waits:
        return ()
    return (Asked(DECIDE, due, opened_at),)


def _over_at(one: Cancellation, found: list[Line]) -> datetime | None:
    told = instant(one.cancel_close_date)
    return told or last_at(found)


def _outcome(one: Cancellation) -> Outcome:
    reason = one.cancel_close_reason or ""
    return "closed_by_buyer" if reason.startswith("BUYER") else "withdrawn"
