"""Duty: who is to be told at an instant, by times in the settings or by a calendar file."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sla.calendar import Calendar


class Span(NamedTuple):
    """These *people* are on duty from *begin* to *end*, which is not included."""

    begin: datetime
    end: datetime
    people: tuple[str, ...]


class Roster(Protocol):
    """Says who is on duty."""

    def on(self, at: datetime) -> tuple[str, ...]:
        """The names of those on duty *at* that instant; none: nobody is."""
        ...

    def spans(self, begin: datetime, end: datetime) -> Iterable[Span]:
        """Everybody's duty that overlaps *begin* to *end*, in no order; they may overlap."""
        ...


@dataclass(frozen=True, slots=True)
class Shift:
    """*people* are on duty while *hours* is open."""

    hours: Calendar
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shifts:
    """A roster of times in the settings."""

    shifts: tuple[Shift, ...]

    def on(self, at: datetime) -> tuple[str, ...]:
        """Everybody whose shift holds this instant, each once."""
        open_now = (shift for shift in self.shifts if shift.hours.is_open(at))
        return tuple(dict.fromkeys(name for shift in open_now for name in shift.people))

    def spans(self, begin: datetime, end: datetime) -> Iterator[Span]:
        """The shifts between *begin* and *end*."""
        for shift in self.shifts:
            for first, last in shift.hours.spans(begin, end):
                yield Span(first, last, shift.people)


@dataclass(frozen=True, slots=True)
class Duty:
    """Who is on duty by the *roster*; while nobody is, the target *fallback* is told instead.

    *zone* is where its times are told.
    """

    name: str
    roster: Roster
    fallback: str
    zone: str = "UTC"

    def changes(self, after: datetime, until: datetime) -> datetime | None:
        """The first instant *after* which others are on duty, or nobody; None: none by then."""
        spans = list(self.roster.spans(after, until))
        edges = sorted({at for span in spans for at in span[:2] if after < at < until})
        on = set(self.roster.on(after))
        return next((at for at in edges if set(self.roster.on(at)) != on), None)

    def gaps(self, begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """When nobody is on duty between *begin* and *end*, in order."""
        held = sorted((s.begin, s.end) for s in self.roster.spans(begin, end) if s.people)
        reached, edges = begin, [(begin, begin)]
        for first, last in held:
            edges.append((max(first, reached), max(last, reached)))
            reached = max(last, reached)
        edges.append((end, end))
        return [(a_end, b_begin) for (_, a_end), (b_begin, _) in pairwise(edges) if b_begin > a_end]
