"""The calendar's part of an explanation: which days counted, and how much of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sla import daybook
from sla.wording import duration, time_of_day, weekday

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from sla.clock import Clock
    from sla.daybook import Day
    from sla.policy import Policy

MOST_DAYS = 62
"""A longer wait is told by its first and its last days."""

_CLOSED = {
    "day_off": "closed, as on every such weekday",
    "holiday": "closed, a holiday",
    "exception": "closed, an exception",
    "hours": "nothing more to count",
}


def counted(policy: Policy, clock: Clock) -> Iterator[str]:
    """Each day between start and deadline: what counted, and how much time was left after it."""
    calendar = policy.calendar
    days = list(daybook.days(calendar, clock.started_at, clock.due_at))
    left = calendar.elapsed(clock.started_at, clock.due_at)
    yield f"{duration(left)} of working time count, in the zone {calendar.zone}:"
    for number, day in enumerate(days):
        left -= day.worked
        if MOST_DAYS // 2 <= number < len(days) - MOST_DAYS // 2:
            if number == MOST_DAYS // 2:
                yield f"... and so on for {len(days) - MOST_DAYS} days ..."
            continue
        yield _line(day, left)


def _line(day: Day, left: timedelta) -> str:
    name, change = weekday(day.date), _change(day)
    if not day.worked:
        return f"{name}: {_CLOSED[day.why]}{change}."
    stretches = ", ".join(f"{time_of_day(a)}-{_until(day, b)}" for a, b in day.open)
    why = {"exception": " (an exception)", "holiday": " (a holiday; the night before runs on)"}
    rest = f"{duration(left)} left" if left else "used up"
    return (
        f"{name}: {stretches} counts{why.get(day.why, '')}, {duration(day.worked)}, {rest}{change}."
    )


def _until(day: Day, end: datetime) -> str:
    """The end of a stretch; the midnight after the day is its 24:00."""
    return "24:00" if end.date() > day.date else time_of_day(end)


def _change(day: Day) -> str:
    if not day.change:
        return ""
    if day.change.days == 1:
        return "; this day was skipped there"
    way = "forward" if day.change > -day.change else "back"
    return f"; the clocks go {way} by {duration(day.change)}"
