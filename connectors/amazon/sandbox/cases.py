"""Who writes about what: orders, buyers, and the cases in which they talk with a seller."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.amazon.sandbox.composing import File
    from connectors.amazon.sandbox.places import Place

Carries = Literal["sender", "envelope", "footer", "short", "nowhere"]
"""Where a case's letters tell which case they are about.

In the sender's alias (``+uuid``), in the original recipient only, in the footer's link only, in the
alias as eight digits, or nowhere (older letters).
"""

SHARES: dict[Carries, int] = {"sender": 12, "envelope": 2, "footer": 4, "short": 2, "nowhere": 4}
"""How often a new case does: half of them carry the uuid in the sender, a few in the envelope."""


@dataclass(slots=True)
class Buyer:
    """Somebody who does not exist.

    *local* is his alias's part before the ``+``, the same for all that he writes to one seller.
    *is_opted_out*: he wants no unsolicited mail of sellers.
    """

    name: str
    local: str
    language: str = "en"
    is_opted_out: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody bought, at *place*."""

    id: str
    buyer: Buyer
    place: Place
    title: str
    asin: str
    at: datetime


class Entry(NamedTuple):
    """One message of a case as Amazon keeps it. *counts* says that it answers the buyer."""

    at: datetime
    by: Literal["buyer", "seller"]
    text: str
    message_id: str
    files: tuple[File, ...] = ()
    counts: bool = True


class Contact(NamedTuple):
    """A buyer who waited: since when, and until when; or it was marked as needing no response."""

    asked_at: datetime
    answered_at: datetime | None
    is_marked: bool


@dataclass(slots=True)
class Case:
    """A conversation in Seller Central. *id* is its uuid."""

    id: str
    buyer: Buyer
    place: Place
    carries: Carries
    order: Order | None = None
    subject: str = ""
    entries: list[Entry] = field(default_factory=list)
    marks: list[datetime] = field(default_factory=list)

    @property
    def alias(self) -> str:
        """The whole address to which an answer belongs."""
        tag = {"sender": self.id, "envelope": self.id, "short": self.id[:8]}.get(self.carries)
        return f"{self.buyer.local}+{tag}@{self.place.relay}" if tag else self.bare

    @property
    def bare(self) -> str:
        """The buyer's alias without a case."""
        return f"{self.buyer.local}@{self.place.relay}"

    @property
    def sender(self) -> str:
        """The address that stands in ``From``."""
        return self.bare if self.carries == "envelope" else self.alias

    def contacts(self, now: datetime) -> list[Contact]:
        """Each time that the buyer waited until *now*, the oldest unanswered message counting."""
        found: list[Contact] = []
        asked: datetime | None = None
        for at, what in self._acts(now):
            if what == "asks":
                asked = asked or at
            elif asked is not None:
                found.append(Contact(asked, at if what == "answers" else None, what == "marks"))
                asked = None
        return [*found, Contact(asked, None, is_marked=False)] if asked else found

    def is_waiting(self, now: datetime) -> bool:
        """Whether Amazon counts the buyer as waiting for the seller."""
        contacts = self.contacts(now)
        return bool(contacts) and contacts[-1].answered_at is None and not contacts[-1].is_marked

    def _acts(self, now: datetime) -> list[tuple[datetime, str]]:
        names = {"buyer": "asks", "seller": "answers"}
        acts = [(one.at, names[one.by]) for one in self.entries if one.counts]
        acts += [(at, "marks") for at in self.marks]
        return sorted((act for act in acts if act[0] <= now), key=lambda act: act[0])
