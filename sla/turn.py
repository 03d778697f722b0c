"""What goes into the clock: the turns of a thread, and the dates that the marketplace gives.

Also when a turn counts (`instant`) and in which order turns are read (`in_order`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from operator import itemgetter
from typing import TYPE_CHECKING, Literal, Protocol

from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Iterable

Outcome = Literal["withdrawn", "escalated", "closed_by_buyer"]

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""A stamp before this instant cannot be: no marketplace here is older."""

REST = "*"
"""In place of an act: all of that kind of which the same reading says nothing else."""

_PLACE = itemgetter(0, 1, 2)
_MICROSECOND = timedelta(microseconds=1)


class Kind(StrEnum):
    """What a turn is; what each does to a waiting stands in `sla.waitings`."""

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
    with `starts_at`, a given start ("a reply is needed since"). One that asks nothing may have the
    act `REST`: where the marketplace tells all that it asks, the rest of that kind is asked no
    more. *copies* are turns that do nothing of what is asked: what was said before it was asked.
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
    sentence: str | None = None
    copies: frozenset[str] = frozenset()


def instant(turn: Turn) -> datetime:
    """When *turn* counts: as the marketplace says, but never later than it was seen.

    It is `seen_at` itself where `sent_at` cannot be: unreadable, before 2000, in the future.
    """
    sent, seen = turn.sent_at, turn.seen_at
    return seen if sent is None or sent > seen or sent < EARLIEST else sent


def is_uncertain(turn: Turn) -> bool:
    """Whether `sent_at` cannot be, so that the turn counts from the instant at which we saw it."""
    return turn.sent_at is None or turn.sent_at != instant(turn)


def accepted_at(now: datetime, turns: Iterable[Turn]) -> datetime:
    """When our own reply counts until it is read back: *now*, after everything in *turns*.

    *turns* are those stored when it left; *now* is its acceptance by our clock. It stands for
    `sent_at` and `seen_at` both: at the same instant as a question it would answer nothing.
    """
    newest = max((instant(turn) for turn in turns), default=None)
    return now if newest is None else max(now, newest + _MICROSECOND)


def is_delivered(turn: Turn) -> bool:
    """Whether a seller's turn has reached the other side, as far as anybody knows.

    "I answered there" is taken at its word (accepted) unless it was refused later.
    """
    if turn.delivery is None and turn.kind is _ANSWERED:
        return True
    return turn.delivery is _CONFIRMED or turn.delivery is _ACCEPTED


# Python 3.11 looks an enumeration's member up in ten times the time of a name.
_ANSWERED, _NOT_NEEDED = Kind.ANSWERED_ELSEWHERE, Kind.NO_REPLY_NEEDED
_ACCEPTED, _CONFIRMED, _SEEN_THERE = Delivery.ACCEPTED, Delivery.CONFIRMED, Level.CONFIRMED
_SELLER = Party.SELLER

Moment = tuple[datetime, int, str, Turn]
"""When a turn counts, its rank among turns of the same instant, its id, and the turn."""


def in_order(turns: Iterable[Turn]) -> list[Moment]:
    """The turns by (instant, seller first, id): at the same instant an answer cannot answer.

    A marketplace's own mark comes last: it covers messages that are not younger than it.
    """
    moments = [(instant(turn), _rank(turn), turn.id, turn) for turn in turns]
    moments.sort(key=_PLACE)
    return moments


def _rank(turn: Turn) -> int:
    if turn.level is _SEEN_THERE and turn.kind is _NOT_NEEDED:
        return 2
    return 0 if turn.party is _SELLER else 1


def covers(mark: Turn, at: datetime, asked_at: datetime, seen_at: datetime) -> bool:
    """Whether *mark*, made *at*, covers what was asked at *asked_at* and stored at *seen_at*.

    A marketplace's mark covers what is not younger than it; an agent's what was stored when it
    was made.
    """
    if mark.level is Level.CONFIRMED:
        return asked_at <= at
    return seen_at <= mark.seen_at
