"""What inquiries and cases share: a history of phrases, told by whom. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.ebay.dossiers.dossier import (
    AT_ONCE,
    REFUND,
    Asked,
    Line,
    instant,
    oldest_first,
    party,
)
from sla.policy import Party

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.ebay.dossiers.dossier import Doubts
    from connectors.ebay.dossiers.payload import ClaimDetail, Entry, History
    from sla.turn import Outcome

ENDS = ("closed the request", "closed the case", "escalated", "case opened")
"""Phrases of a buyer who writes nothing that could be answered."""


def lines(history: History | None) -> list[Line]:
    """The lines, oldest first; whatever the seller did answers the buyer."""
    entries = (history.history if history else None) or ()
    return oldest_first(_line(entry) for entry in entries)


def parted(found: list[Line], opened_at: datetime | None) -> tuple[str, Party, tuple[Line, ...]]:
    """What the opening says, by whom, and the other lines."""
    if not found:
        return "", Party.BUYER, ()
    first, *rest = found
    is_opening = first.at and opened_at and abs(first.at - opened_at) <= AT_ONCE
    if not is_opening:
        return "", Party.BUYER, tuple(found)
    who = first.party if first.party is Party.SELLER else Party.BUYER
    return first.text, who, tuple(rest)


def refund(name: str, said: Any, detail: ClaimDetail, doubts: Doubts) -> tuple[Asked, ...]:
    """The money, where eBay has set a date for it: it is asked for though that cannot be read."""
    told = said.get("value") if isinstance(said, dict) else said
    if told in (None, ""):
        return ()
    return (Asked(REFUND, doubts.date(name, "refundDeadlineDate", said, detail)),)


def _line(entry: Entry) -> Line:
    text = (entry.description or "").strip()
    who = party(entry.actor, text)
    act = (entry.action or "").strip()
    if who is Party.SELLER:
        return Line(instant(entry.date), who, act, text, "acts")
    ends = any(phrase in act.lower() for phrase in ENDS)
    says = who is Party.BUYER and text and not ends
    return Line(instant(entry.date), who, act, text, "says" if says else "shown")


def outcome(found: list[Line]) -> Outcome | None:
    """What an end means, by who wrote the last line; None where nobody did."""
    if not found:
        return None
    return "closed_by_buyer" if found[-1].party is Party.BUYER else "withdrawn"
