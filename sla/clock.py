"""Turns to clocks: which buyer waits since when, until when, and what ended it.

`clocks` is pure and total: the same turns in any order of arrival give the same list.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sla.policy import Party, Policy, ThreadKind

Metric = Literal["first_reply", "next_reply", "given"]
DueFrom = Literal["policy", "marketplace", "agent"]
Ended = Literal["met", "late", "void"]
State = Literal["running", "overdue", "met", "late", "void"]
Outcome = Literal["withdrawn", "escalated", "closed_by_buyer"]


class Kind(StrEnum):
    """What a turn is; the effect of each stands in `waitings`."""

    MESSAGE = "message"
    AUTOMATIC = "automatic"
    INTERNAL = "internal"
    NO_REPLY_NEEDED = "no_reply_needed"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    SYSTEM = "system"
    CLOSED = "closed"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"
    UNANSWERABLE = "unanswerable"
    ERASED = "erased"


class Delivery(StrEnum):
    """How far a seller's turn got. `sending` and `unknown` end nothing; `refused` wins over all."""

    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class Level(StrEnum):
    """How sure a "no reply needed" is: a hint, our agent's click, said of theirs, seen there."""

    GUESSED = "guessed"
    DECIDED = "decided"
    MARKED = "marked"
    CONFIRMED = "confirmed"


class Turn(Protocol):
    """A message as the clock sees it; read-only, so that frozen models satisfy it."""

    @property
    def id(self) -> str: ...
    @property
    def party(self) -> Party: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def sent_at(self) -> datetime | None: ...
    @property
    def seen_at(self) -> datetime: ...
    @property
    def to(self) -> frozenset[Party]: ...
    @property
    def delivery(self) -> Delivery | None: ...
    @property
    def level(self) -> Level | None: ...


@dataclass(frozen=True, slots=True)
class Given:
    """One reading of a date that the marketplace itself gives; appended, never overwritten.

    With `due_at` anywhere among the readings of (kind, act) it is a given deadline; without, and
    with `starts_at`, a given start ("a reply is needed since").
    """

    kind: str
    act: str
    asks: bool
    as_of: datetime
    read_at: datetime
    due_at: datetime | None = None
    starts_at: datetime | None = None
    by_message: bool = False
    acted_at: datetime | None = None
    outcome: Outcome | None = None
    uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """One waiting of one promise.

    *members* are the ids of the turns (and of given readings, ``since:<date>``) of the waiting.
    *steps* are the instants of the warnings, then `due_at`; empty where nothing is to be told.
    *policy_version* is None for a given deadline.
    """

    promise: str
    waits_for: Party
    metric: Metric
    policy_version: int | None
    members: tuple[str, ...]
    started_by: str
    started_at: datetime
    due_at: datetime
    due_from: DueFrom
    steps: tuple[datetime, ...]
    stopped_at: datetime | None = None
    stopped_by: str | None = None
    ended: Ended | None = None
    reason: str | None = None
    flags: frozenset[str] = frozenset()

    def state(self, now: datetime) -> State:
        """The state at *now*: exactly at `due_at` is still running."""
        if self.ended is not None:
            return self.ended
        return "overdue" if now > self.due_at else "running"


def clocks(
    turns: Iterable[Turn],
    policies: Sequence[Policy],
    given: Sequence[Given] = (),
    *,
    kind: ThreadKind | None = None,
) -> list[Clock]:
    """Every waiting of every promise in one thread, in the order in which they started.

    *policies* are those that apply to the thread's kind, in all their versions. *kind* is the
    thread's; None means the kind that the policies apply to.
    """
    raise NotImplementedError


def reached(steps: Sequence[datetime], now: datetime) -> int:
    """How many steps have passed at *now*; a step at *now* itself has not."""
    raise NotImplementedError


def next_alert_at(steps: Sequence[datetime], step: int) -> datetime | None:
    """The instant of the first step after *step*; None when all were told."""
    return steps[step] if step < len(steps) else None
