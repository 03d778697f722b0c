"""Working time: when the clock counts, and when it stands still.

A calendar's open spans are laid out once as UTC instants (`sla.table`), so that a question costs
two short bisections whatever lies in between: nights, holidays, clock changes. Every answer is
exact to the microsecond; there are no floats.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from sla.table import NEAR, WHOLE_DAY, NeverOpenError, Rules, Span, Table, table
from sla.zones import UnknownZoneError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sla.table import Rows

__all__ = ["WHOLE_DAY", "Calendar", "NeverOpenError", "Span", "UnknownZoneError"]

TWO_YEARS = timedelta(days=731)
WEEKEND = (5, 6)
_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """When time counts: spans by weekday (Monday is 0) in the wall time of *zone*.

    *exceptions* give a date spans of its own (none: closed) and win over *holidays*, which are
    closed; both replace the spans that start on that date, and leave the tail of the night before.
    Equal calendars share one table.

    Raises:
        UnknownZoneError: the pinned tzdata has no such zone.
        ValueError: a weekday is not 0..6.
    """

    zone: str
    hours: Mapping[int, tuple[Span, ...]]
    exceptions: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()
    _table: Table = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not set(self.hours) <= set(range(7)):
            raise ValueError("weekdays are numbers from 0 (Monday) to 6 (Sunday)")
        hours = {day: tuple(self.hours[day]) for day in sorted(self.hours) if self.hours[day]}
        exceptions = {day: tuple(self.exceptions[day]) for day in sorted(self.exceptions)}
        holidays = frozenset(self.holidays)
        rules = Rules(self.zone, tuple(hours.items()), tuple(exceptions.items()), holidays)
        object.__setattr__(self, "hours", MappingProxyType(hours))
        object.__setattr__(self, "exceptions", MappingProxyType(exceptions))
        object.__setattr__(self, "holidays", holidays)
        object.__setattr__(self, "_table", table(rules))

    @classmethod
    def always(cls, zone: str = "UTC") -> Calendar:
        """Round the clock; *zone* only says how to show it."""
        return cls(zone, dict.fromkeys(range(7), WHOLE_DAY))

    @classmethod
    def clock_hours_without(
        cls, zone: str, weekend: Iterable[int] = WEEKEND, holidays: Iterable[date] = ()
    ) -> Calendar:
        """Clock hours that stand still on the days of *weekend* and on *holidays*.

        "24 clock hours, not counting weekends and public holidays": from midnight to midnight in
        *zone*, not office hours.
        """
        days = (day for day in range(7) if day not in frozenset(weekend))
        return cls(zone, dict.fromkeys(days, WHOLE_DAY), {}, frozenset(holidays))

    def add(self, start: datetime, working_time: timedelta) -> datetime:
        """The instant at which *working_time* has passed since *start*, in UTC.

        Exactly filling a span ends at its closing; nothing to add is the first open instant at or
        after *start*; a negative time is the earliest instant from which it leads up to *start*.

        Raises:
            NeverOpenError: the calendar does not open long enough.
            OverflowError: beyond the years of `sla.table`.
        """
        if start.tzinfo is not UTC:
            start = _utc(start)
        known = self._table
        if known.always:
            return start + working_time
        days, starts, ends, base, worked = known.rows
        try:
            here = days[start.toordinal()]
        except KeyError:
            known.around(start, start)
            return self.add(start, working_time)
        while starts[here] > start:
            here -= 1
        if working_time <= _NOTHING:
            rows = days, starts, ends, base, worked
            return self._back(rows, here, start, working_time)
        if start > (close := ends[here]):
            start = close
        wanted = start - base[here] + working_time
        there = bisect_left(worked, wanted, here, far := here + NEAR)
        if there == far:
            there = bisect_left(worked, wanted, far)
        try:
            return base[there] + wanted
        except IndexError:
            known.later()
            return self.add(start, working_time)

    def _back(self, rows: Rows, here: int, start: datetime, working_time: timedelta) -> datetime:
        _, starts, ends, base, worked = rows
        inside = start < ends[here]
        if not working_time and (inside or here + 1 < len(base)):
            return start if inside else starts[here + 1]
        if not working_time:
            self._table.later()
            return self.add(start, working_time)
        wanted = min(start, ends[here]) - base[here] + working_time
        if wanted <= _NOTHING:
            self._table.earlier()
            return self.add(start, working_time)
        there = bisect_left(worked, wanted, 0, here + 1)
        return base[there] + wanted

    def elapsed(self, begin: datetime, end: datetime) -> timedelta:
        """The working time from *begin* to *end*; negative where *end* lies before."""
        if begin.tzinfo is not UTC:
            begin = _utc(begin)
        if end.tzinfo is not UTC:
            end = _utc(end)
        known = self._table
        if known.always:
            return end - begin
        days, starts, ends, base, _ = known.rows
        try:
            here, there = days[begin.toordinal()], days[end.toordinal()]
        except KeyError:
            known.around(begin, end)
            return self.elapsed(begin, end)
        while starts[here] > begin:
            here -= 1
        while starts[there] > end:
            there -= 1
        if begin > (close := ends[here]):
            begin = close
        if end > (close := ends[there]):
            end = close
        return (end - base[there]) - (begin - base[here])

    def first_open(self, after: datetime, within: timedelta = TWO_YEARS) -> datetime | None:
        """The first open instant at or after *after*; None where there is none *within* that time.

        `check` refuses a calendar without one in two years.
        """
        return next((start for start, _ in self.spans(after, after + within)), None)

    def is_open(self, at: datetime) -> bool:
        """Whether time counts *at* that instant; at a closing it does not any more."""
        try:
            return self.add(at, _NOTHING) == at
        except (NeverOpenError, OverflowError):
            return False

    def spans(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open spans from *begin* to *end* as UTC instants: merged, in order, cut to size."""
        return self._table.spans(_utc(begin), _utc(end))

    def spans_of(self, day: date) -> tuple[Span, ...]:
        """The spans that start on *day*, in wall time."""
        return self._table.spans_of(day)

    def bounds(self, day: date) -> tuple[datetime, datetime]:
        """The instants at which *day* begins and ends in the zone; equal for a day it skipped."""
        return self._table.bounds(day)

    def local(self, instant: datetime) -> datetime:
        """*instant* as the wall clock of the calendar's zone shows it."""
        return instant.astimezone(self._table.zone)

    def __eq__(self, other: object) -> bool:
        return self._table is other._table if isinstance(other, Calendar) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._table)

    def __reduce__(self) -> tuple[type[Calendar], tuple[object, ...]]:
        return Calendar, (self.zone, dict(self.hours), dict(self.exceptions), self.holidays)


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant without a zone: every instant is aware")
    return instant.astimezone(UTC)
