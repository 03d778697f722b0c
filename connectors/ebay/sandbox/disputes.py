"""Payment disputes: the buyer's bank wants the money back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from connectors.ebay.sandbox.dossiers import Dossier, Impossible, stamp, told

if TYPE_CHECKING:
    from datetime import datetime

ANSWER, DECISION = timedelta(days=5), timedelta(days=30)
CHOICES = ("CONTEST", "ACCEPT")


@dataclass(slots=True)
class Dispute(Dossier):
    """ACTION_NEEDED until the seller contests or accepts; then the bank decides.

    *evidence* is what the bank still wants: since when, and until when.
    """

    KIND: ClassVar[str] = "payment dispute"

    status: str = "ACTION_NEEDED"
    reason: str = "ITEM_NOT_RECEIVED"
    revision: int = 1
    within: timedelta | None = None
    seller_response: str | None = None
    won: bool | None = None
    note_of_buyer: str | None = None
    evidence: list[tuple[datetime, datetime]] = field(default_factory=list)

    def open(self, text: str | None, at: datetime) -> None:
        """The bank asks."""
        self.note_of_buyer = text
        self.note("BUYER", "DISPUTE_OPENED", text, at)
        self.due_at = at + (self.within or ANSWER)

    def settle(self, now: datetime) -> None:
        """It is lost where the seller has said nothing, and decided after a month else."""
        due = self.due_at
        if due is not None and now > due:
            self.is_decided(won=False, at=due)
        elif self.is_open and due is None and now > self.changed_at + DECISION:
            self.is_decided(won=True, at=self.changed_at + DECISION)

    def seller_responds(
        self, choice: Literal["CONTEST", "ACCEPT"], revision: int, *, at: datetime | None = None
    ) -> None:
        """The seller contests or accepts, knowing the newest revision.

        Raises:
            Impossible: it is not his turn, or he has seen an older revision.
        """
        if self.status != "ACTION_NEEDED":
            raise Impossible("Invalid payment dispute state")
        if revision != self.revision:
            raise Impossible("There was a change in payment dispute attributes")
        at = self.note("SELLER", f"SELLER_{choice}ED", None, at)
        self.revision += 1
        self.seller_response, self.due_at = choice, None
        self.status = "OPEN"
        if choice == "ACCEPT":
            self.is_decided(won=False, at=at)

    def wants_evidence(self, due_at: datetime, *, at: datetime | None = None) -> None:
        """The bank asks for more of a seller who contests.

        Raises:
            Impossible: he has not contested, or it is over.
        """
        if self.status != "OPEN":
            raise Impossible("Invalid payment dispute state")
        at = self.note("SYSTEM", "EVIDENCE_REQUESTED", None, at)
        self.evidence.append((at, due_at))

    def provides_evidence(self, *, at: datetime | None = None) -> None:
        """The seller gives all that the bank wants.

        Raises:
            Impossible: it wants nothing.
        """
        if not self.evidence:
            raise Impossible("No evidence is requested")
        self.note("SELLER", "EVIDENCE_PROVIDED", None, at)
        self.evidence.clear()

    def is_decided(self, *, won: bool, at: datetime | None = None) -> None:
        """The bank has decided."""
        self.require_open()
        at = self.note("SYSTEM", "DISPUTE_CLOSED", None, at)
        self.status, self.won = "CLOSED", won
        self.evidence.clear()
        self.revision += 1
        self.end(at)


def summary(one: Dispute) -> dict[str, Any]:
    """What the list says: plain dates, and none to answer by once the seller has answered."""
    content = {
        "paymentDisputeId": one.id,
        "orderId": one.order.id,
        "buyerUsername": one.buyer.told,
        "amount": {"value": one.order.price, "currency": one.order.currency},
        "openDate": stamp(one.opened_at),
        "closedDate": stamp(one.closed_at) if one.closed_at else None,
        "paymentDisputeStatus": one.status,
        "reason": one.reason,
        "respondByDate": _due(one),
    }
    return told(content, one.odd)


def detail(one: Dispute) -> dict[str, Any]:
    """What a look at one says."""
    content = {
        **summary(one),
        "availableChoices": list(CHOICES) if one.status == "ACTION_NEEDED" else None,
        "buyerProvided": {"note": one.note_of_buyer, "contentOnHold": False},
        "evidenceRequests": [_wanted(*dates) for dates in one.evidence] or None,
        "lineItems": [{"itemId": one.order.item, "lineItemId": one.order.transaction}],
        "revision": one.revision,
        "sellerResponse": one.seller_response,
        "resolution": _resolution(one),
    }
    return told(content, one.odd)


def activities(one: Dispute) -> dict[str, Any]:
    """What happened until now."""
    return {
        "activity": [
            {
                "activityDate": stamp(entry.at),
                "activityType": entry.action,
                "actor": "CS_AGENT" if entry.actor == "CSR" else entry.actor,
            }
            for entry in one.history
        ]
    }


def _wanted(since: datetime, due_at: datetime) -> dict[str, str]:
    return {
        "evidenceId": f"{since:%Y%m%d%H%M%S}",
        "evidenceType": "PROOF_OF_DELIVERY",
        "requestDate": stamp(since),
        "respondByDate": stamp(due_at),
    }


def _due(one: Dispute) -> str | None:
    due = one.told_due()
    return stamp(due) if due else None


def _resolution(one: Dispute) -> dict[str, str] | None:
    if one.won is None:
        return None
    protected = "PROTECTED" if one.won else "NOT_PROTECTED"
    return {
        "protectionStatus": protected,
        "reasonForClosure": "SELLER_WON" if one.won else "SELLER_LOST",
    }
