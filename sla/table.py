"""The table behind a calendar: its open spans as UTC instants, laid out once and shared.

It covers some years, and grows on demand in both directions. The rows are replaced whole, never
changed, so that a reader always has a table that fits together.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from sla.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

FIRST_YEAR, LAST_YEAR = 1900, 2299
NEAR = 8
"""How many spans ahead are looked at before the whole table is."""
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


class NeverOpenError(ValueError):
    """The calendar has no open time left on that side, so that no instant can be computed."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Open from *start* to *end*, wall times in the calendar's zone, on the day of the start.

    An end that is not after the start lies on the next day, so that ``00:00`` is midnight.
    """

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("a span holds wall times; the zone is the calendar's")


WHOLE_DAY = (Span(time(0), time(0)),)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a calendar says; equal rules share a table."""

    zone: str
    hours: tuple[tuple[int, tuple[Span, ...]], ...]
    exceptions: tuple[tuple[date, tuple[Span, ...]], ...]
    holidays: frozenset[date]


Rows = tuple[dict[int, int], list[datetime], list[datetime], list[datetime], list[timedelta]]
"""The open spans of whole years (in UTC): days, starts, ends, base, worked.

The first span is empty: it is where the table begins. *days* says, by ordinal of a UTC day, which
span is the last to start before the day is over; *worked* is the open time up to a span's end, and
*base* its start less the open time before it, so that ``base + open time`` is an instant. *worked*
has a wall behind its last. A plain tuple, for it is unpacked at each question.
"""

_NO_ROWS: Rows = ({}, [], [], [], [])


class Table:
    """The spans of every calendar with the same rules."""

    __slots__ = (
        "__weakref__",
        "always",
        "exceptions",
        "holidays",
        "hours",
        "reach",
        "rows",
        "years",
        "zone",
    )

    def __init__(self, rules: Rules) -> None:
        self.zone = zone(rules.zone)
        self.hours = dict(rules.hours)
        self.exceptions = dict(rules.exceptions)
        self.holidays = rules.holidays
        whole = len(self.hours) == 7 and all(spans == WHOLE_DAY for spans in self.hours.values())
        self.always = whole and not self.exceptions and not self.holidays
        self.years = self._years()
        self.reach = (LAST_YEAR, FIRST_YEAR)
        self.rows = _NO_ROWS

    def _years(self) -> tuple[int, int]:
        """The first and the last year in which something may open."""
        if self.hours:
            return FIRST_YEAR, LAST_YEAR
        open_days = [day.year for day, spans in self.exceptions.items() if spans]
        return min(open_days, default=LAST_YEAR) - 1, max(open_days, default=FIRST_YEAR) + 1

    def around(self, begin: datetime, end: datetime) -> None:
        """Cover both instants, with a year to spare.

        Raises:
            OverflowError: they lie beyond the years that a table may cover.
        """
        first, last = sorted((begin.year, end.year))
        if first <= FIRST_YEAR or last >= LAST_YEAR:
            raise OverflowError(f"calendars reach from {FIRST_YEAR} to {LAST_YEAR}")
        self._cover(min(first - 1, self.reach[0]), max(last + 1, self.reach[1]))

    def later(self) -> None:
        """Cover as many years again, ahead.

        Raises:
            NeverOpenError: nothing more will open.
        """
        first, last = self.reach
        if last >= self.years[1]:
            raise NeverOpenError(f"the calendar has no open time left after {last}")
        self._cover(first, min(2 * last - first + 1, LAST_YEAR))

    def earlier(self) -> None:
        """Cover as many years again, back.

        Raises:
            NeverOpenError: nothing was open before.
        """
        first, last = self.reach
        if first <= self.years[0]:
            raise NeverOpenError(f"the calendar has no open time before {first}")
        self._cover(max(2 * first - last - 1, FIRST_YEAR), last)

    def _cover(self, first_year: int, last_year: int) -> None:
        begin = datetime(first_year, 1, 1, tzinfo=UTC)
        end = datetime(last_year + 1, 1, 1, tzinfo=UTC)
        self.rows = _lay_out(list(self.spans(begin, end)), begin, end)
        self.reach = first_year, last_year

    def spans_of(self, day: date) -> tuple[Span, ...]:
        """The spans that start on *day*; an exception wins over a holiday."""
        if day in self.exceptions:
            return self.exceptions[day]
        return () if day in self.holidays else self.hours.get(day.weekday(), ())

    def bounds(self, day: date) -> tuple[datetime, datetime]:
        """The instants at which *day* begins and ends; a midnight that is doubled is the first."""
        return self._midnight(day), self._midnight(day + _DAY)

    def _midnight(self, day: date) -> datetime:
        return _instant(self.zone, datetime.combine(day, time(0)), fold=0)

    def spans(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open spans from *begin* to *end* as instants: merged, in order, cut to size."""
        days = range(begin.toordinal() - 2, end.toordinal() + 3)
        pieces = (
            opened(self.zone, day, span)
            for day in map(date.fromordinal, days)
            for span in self.spans_of(day)
        )
        return _merged((max(start, begin), min(close, end)) for start, close in pieces)


_tables: WeakValueDictionary[Rules, Table] = WeakValueDictionary()


def table(rules: Rules) -> Table:
    """The one table for *rules*, made at the first call."""
    known = _tables.get(rules)
    if known is None:
        known = _tables[rules] = Table(rules)
    return known


def _lay_out(spans: list[tuple[datetime, datetime]], begin: datetime, end: datetime) -> Rows:
    spans = [(begin, begin), *spans]
    base, worked = [], []
    total = timedelta(0)
    for start, close in spans:
        base.append(start - total)
        total += close - start
        worked.append(total)
    starts = [start for start, _ in spans]
    days = {
        (midnight := begin + _DAY * day).toordinal(): bisect_left(starts, midnight + _DAY) - 1
        for day in range((end - begin).days)
    }
    worked += [timedelta.max] * NEAR
    return days, starts, [close for _, close in spans], base, worked


def _merged(pieces: Iterable[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    """*pieces* in order: those that overlap or touch are one, empty ones are dropped."""
    current: tuple[datetime, datetime] | None = None
    for start, close in sorted(piece for piece in pieces if piece[0] < piece[1]):
        if current is None:
            current = start, close
        elif start <= current[1]:
            current = current[0], max(close, current[1])
        else:
            yield current
            current = start, close
    if current is not None:
        yield current


def opened(place: ZoneInfo, day: date, span: Span) -> tuple[datetime, datetime]:
    """The instants between which *span* of *day* is open in the zone *place*.

    A wall time that a clock change skips is the instant of the change; one that happens twice is
    the first for a start and the second for an end.
    """
    last_day = day if span.end > span.start else day + _DAY
    start = _instant(place, datetime.combine(day, span.start), fold=0)
    return start, _instant(place, datetime.combine(last_day, span.end), fold=1)


def _instant(place: ZoneInfo, wall: datetime, fold: int) -> datetime:
    first = place.utcoffset(wall)
    second = place.utcoffset(wall.replace(fold=1))
    if first is None or second is None:  # no zone of tzdata is without an offset
        raise AssertionError(wall)
    if second > first:
        return _change(place, wall.replace(tzinfo=UTC) - second, second)
    return wall.replace(tzinfo=UTC) - (second if fold else first)


def _change(place: ZoneInfo, before: datetime, offset: timedelta) -> datetime:
    """The first whole second after *before* at which the zone's offset is *offset*."""
    low = before.replace(microsecond=0)
    return low + _SECOND * bisect_left(
        range(2 * 86400),
        True,  # noqa: FBT003 -- what is bisected for: the offset after the change
        key=lambda second: (low + _SECOND * second).astimezone(place).utcoffset() == offset,
    )
