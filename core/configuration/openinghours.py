"""Calendars from settings: days, spans, holidays of a country, exceptions."""

from __future__ import annotations

import re
from datetime import time, timedelta
from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from core import durations
from core.configuration.complaints import Complaints, nearest
from core.configuration.sections import CalendarSection
from sla.calendar import Calendar, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from core.configuration.complaints import Path

FAR = timedelta(days=60)
"""So much later what is due is probably not meant."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST_YEAR, LAST_YEAR = 2020, 2040
"""Holidays are laid out for these years: a fixed range, so that a promise stays the same text."""

_SPAN = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d|24:00)")


def build(
    table: Mapping[str, Any], path: Path, complaints: Complaints, now: datetime
) -> Calendar | None:
    """The calendar that *table* writes; None where it has faults, each complained of."""
    before = len(complaints.lines)
    section, _ = complaints.read_on(CalendarSection, table, path, {"zone": "UTC", "hours": {}})
    hours = week(section.hours, (*path, "hours"), complaints)
    exceptions = days(section.exceptions, (*path, "exceptions"), complaints)
    holidays = public_holidays(section.holidays, (*path, "holidays"), complaints)
    if len(complaints.lines) > before:
        return None
    calendar = Calendar(section.zone, hours, exceptions, holidays)
    if calendar.first_open(now) is None:
        complaints.add(path, "never opens within two years; give it hours")
        return None
    return calendar


def week(
    written: Mapping[str, Iterable[str]], path: Path, complaints: Complaints
) -> dict[int, tuple[Span, ...]]:
    """Spans by weekday, Monday is 0, as ``{ mon-fri = ["09:00-12:30"] }`` writes them."""
    hours: dict[int, tuple[Span, ...]] = {}
    for key, texts in written.items():
        spans = _spans(texts, (*path, key), complaints)
        for day in _days(key, (*path, key), complaints):
            if day in hours:
                complaints.add((*path, key), f"names {DAYS[day]} a second time; name each day once")
            hours[day] = spans
    return hours


def days(
    written: Mapping[date, Iterable[str]], path: Path, complaints: Complaints
) -> dict[date, tuple[Span, ...]]:
    """Spans by date, as ``{ 2026-12-24 = ["09:00-12:00"] }`` writes them."""
    return {
        day: _spans(spans, (*path, day.isoformat()), complaints) for day, spans in written.items()
    }


def _days(key: str, path: Path, complaints: Complaints) -> list[int]:
    """Weekdays of ``mon`` or ``fri-mon``; none where the key is neither."""
    first, _, last = key.lower().partition("-")
    last = last or first
    unknown = [day for day in (first, last) if day not in DAYS]
    if unknown:
        complaints.add(path, f"is no day; write mon, or mon-fri ({nearest(unknown[0], DAYS)})")
        return []
    begin, end = DAYS.index(first), DAYS.index(last)
    return [(begin + n) % 7 for n in range((end - begin) % 7 + 1)]


def _spans(texts: Iterable[str], path: Path, complaints: Complaints) -> tuple[Span, ...]:
    spans = tuple(s for text in texts if (s := _span(text, path, complaints)) is not None)
    ordered = sorted(map(_minutes, spans))
    if any(later < end for (_, end), (later, _) in pairwise(ordered)):
        complaints.warn(path, "its spans overlap; they count as one, so write one")
    return spans


def _minutes(span: Span) -> tuple[int, int]:
    """Begin and end in minutes from the day's midnight; an end on the next day is beyond 1440."""
    begin, end = (at.hour * 60 + at.minute for at in (span.start, span.end))
    return begin, end if end > begin else end + 1440


def _span(text: str, path: Path, complaints: Complaints) -> Span | None:
    """``22:00-06:00`` runs into the next day; ``24:00`` is its midnight."""
    found = _SPAN.fullmatch(text)
    if found is None:
        complaints.add(path, 'holds no span of the day; write it as "09:00-12:30"')
        return None
    end = "00:00" if found[2] == "24:00" else found[2]
    return Span(time.fromisoformat(found[1]), time.fromisoformat(end))


def public_holidays(code: str | None, path: Path, complaints: Complaints) -> frozenset[date]:
    """The public holidays of ``FR``, or of a part of a country: ``DE-BE``."""
    if code is None:
        return frozenset()
    try:
        import holidays  # noqa: PLC0415  # an extra: only who names holidays needs it
    except ModuleNotFoundError:
        complaints.add(path, "needs the package holidays: pip install 'replyby[holidays]'")
        return frozenset()
    country, _, part = code.partition("-")
    known = holidays.list_supported_countries()
    if country not in known:
        complaints.add(path, f"is no country that is known; {_country(code, known)}")
        return frozenset()
    if part and part not in known[country] and part.upper() in known[country]:
        complaints.add(path, f"is no part of that country; did you mean {country}-{part.upper()}?")
        return frozenset()
    if part and part not in known[country]:
        complaints.add(path, f"is no part of that country; {nearest(part, known[country])}")
        return frozenset()
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=years))


def _country(said: str, known: Mapping[str, Iterable[str]]) -> str:
    """How to mend a country that is written in small letters, by its name, or not at all so."""
    from holidays.registry import COUNTRIES  # noqa: PLC0415  # as above

    country, dash, part = said.upper().partition("-")
    if country in known:
        return f"did you mean {country}{dash}{part}?"
    name = re.sub(r"\W+", "_", said.strip().lower())
    for close in get_close_matches(name, COUNTRIES, 1, cutoff=0.8):
        return f"did you mean {COUNTRIES[close][1]}?"
    return "write its code of two letters (ISO 3166), such as DE or FR"


def far(calendar: Calendar, start: datetime, within: timedelta, due_at: datetime) -> str | None:
    """What to think of *within* on *calendar*: due on a day that nobody can have meant; else None.

    A promise that is long by itself is none of these.
    """
    if due_at - start <= max(FAR, 2 * within):
        return None
    day = calendar.local(due_at).date()
    return f"hardly opens: {durations.write(within)} that begin now end on {day}"
