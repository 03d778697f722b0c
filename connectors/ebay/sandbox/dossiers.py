"""What all dossiers after a sale share: who, about what, their history, and until when one acts.

Each kind (`inquiries`, `returns`, `cancellations`, `cases`, `disputes`) is a small life cycle with
its own JSON; a `desk` holds those of one seller.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from connectors.ebay.sandbox.market import Member, Order, Seller

Actor = Literal["BUYER", "SELLER", "CSR", "SYSTEM"]

FRIDAY = 4


class Impossible(Exception):
    """What somebody wanted to do does not fit the state of the dossier."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a dossier's history. *text* is what somebody wrote."""

    at: datetime
    actor: Actor
    action: str
    text: str | None = None


@dataclass(slots=True)
class Dossier:
    """One dossier. *due_at* is when the seller has to have acted, None where eBay asks nothing.

    *refund_due_at* is when the money has to be back, which only a detail tells.
    *odd* are words in place of those that are documented, by field of its JSON. *is_vague*: eBay
    leaves out the date by which the seller has to act.
    """

    KIND: ClassVar[str] = ""

    id: str
    seller: Seller
    buyer: Member
    order: Order
    opened_at: datetime
    changed_at: datetime
    due_at: datetime | None = None
    refund_due_at: datetime | None = None
    closed_at: datetime | None = None
    history: list[Entry] = field(default_factory=list)
    odd: dict[str, Any] = field(default_factory=dict)
    is_vague: bool = False

    def now(self) -> datetime:
        """The time at eBay."""
        return self.seller.market.clock()

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.closed_at is None

    def settle(self, now: datetime) -> None:
        """Let happen what happens by itself until *now* (a timeout, a decision)."""

    def speak_oddly(self, **fields: Any) -> None:
        """Answer with these values from now on, whatever the dossier's state is."""
        self.odd.update(fields)
        self.changed_at = self.now()

    def note(self, actor: Actor, action: str, text: str | None, at: datetime | None) -> datetime:
        """A line of history; its instant, which is the dossier's last change."""
        at = at or self.now()
        self.history.append(Entry(at, actor, action, text))
        self.history.sort(key=lambda entry: entry.at)
        self.changed_at = max(self.changed_at, at)
        return at

    def require_open(self) -> None:
        """Refuse what a closed dossier does not take.

        Raises:
            Impossible: it is closed.
        """
        if not self.is_open:
            raise Impossible(f"The {self.KIND} is closed")

    def end(self, at: datetime) -> None:
        """It is over; nobody has to act any more."""
        self.closed_at, self.due_at, self.refund_due_at = at, None, None

    def told_due(self) -> datetime | None:
        """The date that eBay tells."""
        return None if self.is_vague else self.due_at


def business_days(start: datetime, days: int) -> datetime:
    """The end (UTC) of the *days*-th working day after the day of *start*; no holidays."""
    day = start.astimezone(UTC).date()
    while days:
        day += timedelta(days=1)
        days -= day.weekday() <= FRIDAY
    return datetime.combine(day, time(23, 59, 59), UTC)


def until(at: datetime, within: timedelta | None, days: int) -> datetime:
    """*within* after *at* where somebody orders it so, else the end of *days* working days."""
    return at + within if within is not None else business_days(at, days)


def stamp(at: datetime) -> str:
    """An instant as eBay writes it: UTC, milliseconds, ``Z``."""
    text = at.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def dated(at: datetime | None) -> dict[str, str] | None:
    """An instant as Post-Order wraps it."""
    if at is None:
        return None
    plain = at.astimezone(UTC).replace(microsecond=0)
    return {"value": stamp(at), "formattedValue": f"{plain:%b %d, %Y %H:%M:%S} GMT"}


def amount(value: str, currency: str) -> dict[str, Any]:
    """Money as Post-Order says it: a number, not a string."""
    return {"value": float(value), "currency": currency}


def wording(text: str | None, language: str = "en") -> dict[str, str] | None:
    """A text as Post-Order wraps it."""
    return None if text is None else {"content": text, "language": language}


def told(content: dict[str, Any], odd: dict[str, Any]) -> dict[str, Any]:
    """*content* without what is not there (None), and with the *odd* words at any depth."""
    return {
        key: odd.get(key, _told(value, odd))
        for key, value in content.items()
        if value is not None or key in odd
    }


def _told(value: Any, odd: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return told(value, odd)
    if isinstance(value, list):
        return [_told(one, odd) for one in value]
    return value
