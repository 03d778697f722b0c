"""How working time passed, day by day: for people who check a deadline with a wall calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sla.calendar import Calendar

Why = Literal["hours", "day_off", "holiday", "exception"]

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the calendar's zone, as far as it lies between the two instants.

    *open* are the stretches that counted, in wall time of the zone; *worked* is their real length;
    *why* says which rule made the day; *change* is by how much the clocks were changed that day.
    """

    date: date
    open: tuple[tuple[datetime, datetime], ...]
    worked: timedelta
    why: Why
    change: timedelta


def days(calendar: Calendar, begin: datetime, end: datetime) -> Iterator[Day]:
    """The days from *begin* to *end*, one by one, each cut to what lies between."""
    day, last = calendar.local(begin).date(), calendar.local(end).date()
    while day <= last:
        yield _day(calendar, day, begin, end)
        day += _DAY


def _day(calendar: Calendar, day: date, begin: datetime, end: datetime) -> Day:
    midnight, next_midnight = calendar.bounds(day)
    counted = list(calendar.spans(max(midnight, begin), min(next_midnight, end)))
    return Day(
        day,
        tuple((calendar.local(start), calendar.local(close)) for start, close in counted),
        sum((close - start for start, close in counted), timedelta(0)),
        _why(calendar, day),
        _DAY - (next_midnight - midnight),
    )


def _why(calendar: Calendar, day: date) -> Why:
    if day in calendar.exceptions:
        return "exception"
    if day in calendar.holidays:
        return "holiday"
    return "hours" if calendar.spans_of(day) else "day_off"
