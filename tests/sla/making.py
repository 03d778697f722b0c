"""What the tests of `sla` are made of: short words for turns, policies, readings and instants."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from sla.calendar import Calendar, Span
from sla.clock import Delivery, Given, Kind, Level
from sla.policy import Party, Policy, ThreadKind
from sla.zones import zone

BUYER, SELLER, MARKETPLACE = Party.BUYER, Party.SELLER, Party.MARKETPLACE
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
"""An ordinary week: 2 March 2026 is a Monday."""


def at(hours: float, start: datetime = MONDAY) -> datetime:
    """So many hours after the ordinary Monday began."""
    return start + timedelta(hours=hours)


def wall(text: str, place: str) -> datetime:
    """The wall time *text* in the zone *place*, the first where it happens twice."""
    return datetime.fromisoformat(text).replace(tzinfo=zone(place))


def span(text: str) -> Span:
    start, _, end = text.partition("-")
    return Span(time.fromisoformat(start), time.fromisoformat(end))


def spans(*texts: str) -> tuple[Span, ...]:
    return tuple(span(text) for text in texts)


def weekdays(*texts: str) -> dict[int, tuple[Span, ...]]:
    """The same spans from Monday to Friday."""
    return dict.fromkeys(range(5), spans(*texts))


def days(*texts: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(text) for text in texts)


@dataclass(frozen=True, slots=True)
class Said:
    """A turn."""

    id: str
    party: Party
    kind: Kind
    sent_at: datetime | None
    seen_at: datetime
    to: frozenset[Party] = frozenset()
    delivery: Delivery | None = None
    level: Level | None = None


def asked(name: str, sent: datetime | None, seen: datetime | None = None, **other) -> Said:
    """A buyer's message (or another party's)."""
    when = seen or (sent or MONDAY) + MINUTE
    other = {"party": BUYER, "kind": Kind.MESSAGE, "to": frozenset({SELLER}), **other}
    return Said(name, sent_at=sent, seen_at=when, **other)


def replied(name: str, sent: datetime, *to: Party, **other) -> Said:
    """A seller's message, to the buyer where nothing else is said."""
    other = {
        "party": SELLER, "kind": Kind.MESSAGE, "delivery": Delivery.CONFIRMED, "seen_at": sent,
        **other,
    }  # fmt: skip
    return Said(name, sent_at=sent, to=frozenset(to or {BUYER}), **other)


def marked(name: str, when: datetime, level: Level, **other) -> Said:
    """A "no reply needed": the marketplace's own where it is confirmed, else an agent's."""
    party = MARKETPLACE if level is Level.CONFIRMED else SELLER
    other = {"party": party, "seen_at": when, **other}
    return Said(name, kind=Kind.NO_REPLY_NEEDED, sent_at=when, level=level, **other)


def told(name: str, when: datetime, kind: Kind) -> Said:
    """Something that the marketplace says about the thread."""
    return Said(name, MARKETPLACE, kind, when, when)


def elsewhere(name: str, stated: datetime, said: datetime, *to: Party) -> Said:
    """ "I answered there, at ...", said by an agent."""
    receivers = frozenset(to or {BUYER})
    return Said(name, SELLER, Kind.ANSWERED_ELSEWHERE, stated, said, receivers, Delivery.ACCEPTED)


def policy(name: str = "contract", within: timedelta = 24 * HOUR, **other) -> Policy:
    """A contract of a day, round the clock, with the buyer who waits."""
    other = {
        "version": 1, "role": "contract", "applies_to": frozenset({ThreadKind.MESSAGE}),
        "waits_for": frozenset({BUYER}), "calendar": Calendar.always(), "warn": (0.5,), **other,
    }  # fmt: skip
    return Policy(name=name, reply_within=within, **other)


def goal(name: str = "goal", within: timedelta = 4 * HOUR, **other) -> Policy:
    return policy(name, within, role="goal", **other)


def reading(as_of: datetime, *, asks: bool = True, **other) -> Given:
    """A reading of a given start or deadline of the kind `message`."""
    other = {"kind": "message", "act": "reply", "read_at": as_of, **other}
    return Given(asks=asks, as_of=as_of, **other)


@dataclass
class Names:
    """Gives out fresh ids."""

    count: int = field(default=0)

    def __call__(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"
