"""What was promised: to whom, within how long, on which calendar, said by which source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date, datetime, timedelta

    from sla.calendar import Calendar

Role = Literal["contract", "goal"]
CountsFrom = Literal["oldest", "latest"]

WARN_SHARES = (0.5, 0.75, 0.9)


class Party(StrEnum):
    """Who writes, who is written to, who waits."""

    BUYER = "buyer"
    SELLER = "seller"
    MARKETPLACE = "marketplace"


class ThreadKind(StrEnum):
    """What a thread is about, in the marketplace's own distinction; policies apply to some."""

    MESSAGE = "message"
    CLAIM = "claim"
    RETURN = "return"
    INQUIRY = "inquiry"
    CANCELLATION = "cancellation"
    DISPUTE = "dispute"
    INCIDENT = "incident"
    CHAT = "chat"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class Contract:
    """A number that the marketplace judges the seller by, in its own terms.

    *measure* ``share`` asks that `objective` (0..1) of the clocks end within `within`;
    ``mean`` that the mean reply time stays under `limit`; ``info`` is shown and judged by nobody.
    *windows* are the lengths that are looked at, half-open, in *zone*.
    """

    measure: Literal["share", "mean", "info"]
    windows: tuple[timedelta, ...]
    zone: str = "UTC"
    objective: float | None = None
    within: timedelta | None = None
    limit: timedelta | None = None
    alert_from: timedelta | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of one promise. A dated fact: never edited, only followed by another version.

    *warn* holds shares of the allowed time (0..1) and durations before `due_at`, both through
    the policy's own calendar. *marketplace_mark* says that this marketplace has a "no reply
    needed" mark of its own that we can see: an agent's mark here does not void that contract; None
    leaves it to the account, and counts as no.
    *effective_from* and *effective_to* are instants, half-open; None is without bound.
    *source* is where the rule was read, *checked_on* the day a person last did so.
    """

    name: str
    version: int
    role: Role
    applies_to: frozenset[ThreadKind]
    waits_for: frozenset[Party]
    reply_within: timedelta
    calendar: Calendar
    next_reply_within: timedelta | None = None
    counts_automatic: bool = False
    counts_from: CountsFrom = "oldest"
    warn: tuple[float | timedelta, ...] = WARN_SHARES
    marketplace_mark: bool | None = None
    judged_by: tuple[Contract, ...] = ()
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    source: str | None = None
    checked_on: date | None = None
    review_after: date | None = None

    def is_in_force(self, at: datetime) -> bool:
        """Whether this version's dates hold *at*: from inclusive, to exclusive."""
        begun = self.effective_from is None or self.effective_from <= at
        return begun and (self.effective_to is None or at < self.effective_to)
