"""A roster from a calendar file (RFC 5545): its events name who is on duty.

Events repeat, are left out and moved as the standard says (RRULE, RDATE, EXDATE, RECURRENCE-ID), by
the package recurring-ical-events. An attendee, else the summary, names the person. Times without a
zone, and whole days, are of the calendar's X-WR-TIMEZONE, else of the duty's own zone.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from core.errors import Unfit
from core.people.duty import Span
from sla import zones

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from icalendar import Calendar

    from core.people.person import Person

Event = Any
"""An event of the package icalendar: a mapping of properties, each of dozens of types."""

BEHIND, AHEAD = timedelta(days=2), timedelta(days=35)
"""So far around the reading it is laid out; outside of that nobody is on duty."""

MOST_BYTES, MOST_EVENTS, MOST_OCCURRENCES = 4 * 2**20, 5_000, 2_000
PLACING = frozenset(
    {"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"}
)
"""The properties that say when an event is."""
TOO_OFTEN = frozenset({"SECONDLY", "MINUTELY"})
_MISSING = "needs the package recurring-ical-events: pip install 'replyby[duty]'"


class Stamp(NamedTuple):
    """By what a changed file is known."""

    modified: int
    size: int
    inode: int


@dataclass(frozen=True, slots=True)
class Rota:
    """Who is on duty, as a calendar said when it was read, laid out from *begin* to *end*.

    *turns* is what is on from each instant of *edges* to the next. *held* are all spans; those
    without people are events that name nobody who is known, each as *unnamed* tells it.
    """

    begin: datetime
    end: datetime
    edges: tuple[datetime, ...]
    turns: tuple[tuple[str, ...], ...]
    held: tuple[Span, ...]
    unnamed: tuple[tuple[datetime, str], ...]
    path: Path
    stamp: Stamp

    def on(self, at: datetime) -> tuple[str, ...]:
        """Everybody of whom an event holds this instant, each once."""
        place = bisect_right(self.edges, at) - 1
        return self.turns[place] if place >= 0 else ()

    def spans(self, begin: datetime, end: datetime) -> Iterator[Span]:
        """The events between *begin* and *end*, as far as they are laid out."""
        for span in self.held:
            if span.begin < end and span.end > begin:
                yield Span(max(span.begin, begin), min(span.end, end), span.people)


@dataclass(frozen=True, slots=True)
class Unread:
    """A calendar file that could not be read, and why: nobody is on duty until it can be."""

    path: Path
    fault: str

    def on(self, at: datetime) -> tuple[str, ...]:  # noqa: ARG002  # as every roster
        """Nobody."""
        return ()

    def spans(self, begin: datetime, end: datetime) -> tuple[Span, ...]:  # noqa: ARG002  # as above
        """Nothing."""
        return ()


class _Named(NamedTuple):
    begin: datetime
    end: datetime
    people: tuple[str, ...]
    said: str


def stamp(path: Path) -> Stamp:
    """What the file at *path* is known by now.

    Raises:
        Unfit: there is none, or it may not be looked at.
    """
    try:
        found = path.stat()
    except OSError as fault:
        raise Unfit(f"cannot be read ({fault.strerror or 'fault'}); name a calendar file") from None
    return Stamp(found.st_mtime_ns, found.st_size, found.st_ino)


def read(path: Path, zone: str, people: Iterable[Person], now: datetime) -> Rota:
    """The calendar in the file at *path*, around *now*. It may take a second: not on the loop.

    Raises:
        Unfit: it is no such file, or holds what cannot be understood: what, and how to mend it.
    """
    known = stamp(path)
    if known.size > MOST_BYTES:
        raise Unfit(f"is larger than {MOST_BYTES // 2**20} MiB; export fewer years of it")
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise Unfit(f"cannot be read ({fault.strerror or 'fault'}); name a calendar file") from None
    begin, end = now - BEHIND, now + AHEAD
    named = _occurrences(_parsed(raw), zone, Names(people), begin, end)
    held, edges, turns = _laid_out(named, begin, end)
    unnamed = tuple((each.begin, each.said) for each in named if not each.people)
    return Rota(begin, end, edges, turns, held, unnamed, path, known)


def read_or_not(path: Path, zone: str, people: Iterable[Person], now: datetime) -> Rota | Unread:
    """As `read`; what cannot be read is said instead."""
    try:
        return read(path, zone, people, now)
    except Unfit as fault:
        return Unread(path, str(fault))


def _parsed(raw: bytes) -> Calendar:
    """The one calendar of a file.

    Raises:
        Unfit: as above.
    """
    try:
        import icalendar  # noqa: PLC0415  # an extra: only who names a calendar file needs it
        import recurring_ical_events  # noqa: F401, PLC0415  # as above: missing is told here
    except ModuleNotFoundError:
        raise Unfit(_MISSING) from None
    text = raw.decode("utf-8-sig", "replace").strip()
    if not (text.startswith("BEGIN:VCALENDAR") and text.endswith("END:VCALENDAR")):
        raise Unfit("is no whole calendar, from BEGIN:VCALENDAR to END:VCALENDAR; fetch it again")
    try:
        found = icalendar.Calendar.from_ical(text)
    except (ValueError, LookupError, TypeError):
        raise Unfit("holds what is no calendar (RFC 5545); export it again") from None
    events = found.walk("VEVENT")
    if len(events) > MOST_EVENTS:
        raise Unfit(f"holds more than {MOST_EVENTS} events; export fewer years of it")
    for event in events:
        if fault := _fault(event):
            raise Unfit(f"has an event ({_called(event)}) that {fault}")
    return found


def _fault(event: Event) -> str | None:
    """Why *event* cannot be placed in time; None: it can."""
    begin = event.get("DTSTART")
    if unread := {str(name).upper() for name, _ in event.errors} & PLACING:
        return f"has a {min(unread)} that is none (RFC 5545); export it again"
    try:
        at = begin.dt
    except (AttributeError, ValueError):
        return "has no time at which it begins; give it DTSTART"
    if isinstance(at, datetime) and at.tzinfo is None and begin.params.get("TZID"):
        return "is in a zone that nobody knows; write a zone such as Europe/Berlin"
    for rule in _several(event.get("RRULE")):
        if TOO_OFTEN & {str(each).upper() for each in rule.get("FREQ", ())}:
            return "repeats every minute or oftener; nobody's duty does"
    return None


def _several(value: Any) -> list[Any]:
    """A property that may stand once, several times, or not at all."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _called(event: Event) -> str:
    """An event as a person finds it again: the day is enough, its words are not shown in errors."""
    try:
        return f"of {event['DTSTART'].dt:%Y-%m-%d}"
    except (AttributeError, KeyError, ValueError):
        return "without a day"


def _occurrences(
    calendar: Calendar, zone: str, names: Names, begin: datetime, end: datetime
) -> list[_Named]:
    """What is on between *begin* and *end*, cancelled events left out.

    Raises:
        Unfit: an event cannot be repeated as it says.
    """
    import recurring_ical_events  # noqa: PLC0415  # as above

    local = zones.zone(_zone_of(calendar, zone))
    try:
        found = recurring_ical_events.of(calendar).between(begin, end)
    except (ValueError, LookupError, TypeError, OverflowError):
        raise Unfit("has an event that repeats in a way that is no rule; export it again") from None
    if len(found) > MOST_OCCURRENCES:
        raise Unfit("holds more events than anybody's duty; name a calendar of duties alone")
    on = [event for event in found if str(event.get("STATUS", "")).upper() != "CANCELLED"]
    named = (
        _Named(_instant(e.start, local), _instant(e.end, local), names.of(e), _said(e)) for e in on
    )
    return sorted(each for each in named if each.begin < each.end)


def _zone_of(calendar: Calendar, zone: str) -> str:
    said = str(calendar.get("X-WR-TIMEZONE", ""))
    return said if said in zones.names() else zone


def _instant(at: date, local: ZoneInfo) -> datetime:
    """*at* in UTC: a day begins at its midnight, and what has no zone is *local*."""
    whole = at if isinstance(at, datetime) else datetime.combine(at, time(0))
    return (whole if whole.tzinfo else whole.replace(tzinfo=local)).astimezone(UTC)


def _said(event: Event) -> str:
    return " ".join(str(event.get("SUMMARY", "")).split())[:100]


def _laid_out(
    named: Sequence[_Named], begin: datetime, end: datetime
) -> tuple[tuple[Span, ...], tuple[datetime, ...], tuple[tuple[str, ...], ...]]:
    """What is held between two instants, and who is on from each change to the next."""
    cut = (Span(max(n.begin, begin), min(n.end, end), n.people) for n in named)
    held = tuple(span for span in cut if span.begin < span.end)
    edges = sorted({begin, *(span.begin for span in held), *(span.end for span in held)})
    return held, tuple(edges), tuple(_on(held, at) for at in edges)


def _on(held: Iterable[Span], at: datetime) -> tuple[str, ...]:
    now = (span.people for span in held if span.begin <= at < span.end)
    return tuple(dict.fromkeys(name for people in now for name in people))


class Names:
    """Finds people in the words of a calendar: by name, title, and what they are *also* called."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._known = {
            called.casefold(): person.name
            for person in people
            for called in (person.name, person.title, *person.also)
            if called.strip()
        }
        longest_first = sorted(self._known, key=lambda called: (-len(called), called))
        words = "|".join(map(re.escape, longest_first))
        self._pattern = re.compile(rf"(?<![\w@-])(?:{words})(?![\w@-])") if words else None

    def of(self, event: Event) -> tuple[str, ...]:
        """Whom *event* names: its attendees, if any is known, else its summary; in their order."""
        attending = self._attending(_several(event.get("ATTENDEE")))
        return attending or self._in(str(event.get("SUMMARY", "")))

    def _attending(self, attendees: Iterable[Any]) -> tuple[str, ...]:
        called = (
            each
            for attendee in attendees
            for each in (
                re.sub("^mailto:", "", str(attendee), flags=re.IGNORECASE),
                attendee.params.get("CN"),
            )
        )
        found = (self._known.get(str(each).casefold()) for each in called if each)
        return tuple(dict.fromkeys(name for name in found if name))

    def _in(self, text: str) -> tuple[str, ...]:
        """Everybody who is named as whole words of *text*; of overlapping names the longest."""
        found = self._pattern.findall(text.casefold()) if self._pattern else ()
        return tuple(dict.fromkeys(self._known[each] for each in found))
