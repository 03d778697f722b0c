"""The federal holidays of the United States (5 U.S.C. 6103), on the days they are observed."""

from __future__ import annotations

from datetime import date, timedelta

JUNETEENTH_SINCE = 2021
MONDAY, THURSDAY = 0, 3
SATURDAY, SUNDAY = 5, 6


def federal(first: int, last: int) -> frozenset[date]:
    """The days on which offices are closed in the years from *first* to *last*.

    The next year's New Year may be observed on 31 December: it belongs to the year it falls in.
    """
    days = {_observed(day) for year in range(first, last + 2) for day in _named(year)}
    return frozenset(day for day in days if first <= day.year <= last)


def _named(year: int) -> list[date]:
    juneteenth = [date(year, 6, 19)] if year >= JUNETEENTH_SINCE else []
    return [
        date(year, 1, 1),
        _nth(year, 1, MONDAY, 3),
        _nth(year, 2, MONDAY, 3),
        _last(year, 5, MONDAY),
        *juneteenth,
        date(year, 7, 4),
        _nth(year, 9, MONDAY, 1),
        _nth(year, 10, MONDAY, 2),
        date(year, 11, 11),
        _nth(year, 11, THURSDAY, 4),
        date(year, 12, 25),
    ]


def _observed(day: date) -> date:
    """On Friday where it falls on a Saturday, on Monday where it falls on a Sunday."""
    if day.weekday() == SATURDAY:
        return day - timedelta(days=1)
    return day + timedelta(days=1) if day.weekday() == SUNDAY else day


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _last(year: int, month: int, weekday: int) -> date:
    end = date(year, month + 1, 1) - timedelta(days=1)
    return end - timedelta(days=(end.weekday() - weekday) % 7)
