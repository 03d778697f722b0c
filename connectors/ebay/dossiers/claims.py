"""What inquiries and cases share: a history of phrases, told by whom. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.ebay.dossiers.dossier import AT_ONCE, Event, instant, party
from sla.policy import Party

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.ebay.dossiers.payload import Entry, History

ENDS = ("closed the request", "closed the case", "escalated", "case opened")
"""Phrases of a buyer who writes nothing that could be answered."""


def events(history: History | None) -> list[Event]:
    """The lines, oldest first; whatever the seller did answers the buyer."""
    entries = (history.history if history else None) or ()
    found = [_event(entry) for entry in entries]
    return sorted(found, key=lambda e: (e.at is None, e.at))


def parted(found: list[Event], opened_at: datetime | None) -> tuple[str, Party, tuple[Event, ...]]:
    """What the opening says, by whom, and the other lines."""
    if not found:
        return "", Party.BUYER, ()
    first, *rest = found
    is_opening = first.at and opened_at and abs(first.at - opened_at) <= AT_ONCE
    if not is_opening:
        return "", Party.BUYER, tuple(found)
    who = first.party if first.party is Party.SELLER else Party.BUYER
    return first.text, who, tuple(rest)


def _event(entry: Entry) -> Event:
    text = (entry.description or "").strip()
    who = party(entry.actor, text)
    act = (entry.action or "").strip()
    if who is Party.SELLER:
        return Event(instant(entry.date), who, act, text, "acts")
    ends = any(phrase in act.lower() for phrase in ENDS)
    says = who is Party.BUYER and text and not ends
    return Event(instant(entry.date), who, act, text, "says" if says else "shown")


def closer(found: list[Event]) -> Party | None:
    """Who wrote the last line."""
    return found[-1].party if found else None
