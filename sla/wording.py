"""Instants and durations in words: to the second, and the same in every locale."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_UNITS = (("h", timedelta(hours=1)), ("min", timedelta(minutes=1)), ("s", timedelta(seconds=1)))


def duration(length: timedelta) -> str:
    """*length* without its sign, in whole seconds, rounded down: ``26 h 5 min``."""
    left, parts = abs(length), []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or ("less than 1 s" if left else "0 s")


def weekday(day: date) -> str:
    """``Mon 2026-05-25``."""
    return f"{_DAYS[day.weekday()]} {day.isoformat()}"


def time_of_day(wall: datetime) -> str:
    """``09:00``, with seconds where there are any."""
    return f"{wall:%H:%M:%S}" if wall.second or wall.microsecond else f"{wall:%H:%M}"


def on_the_wall(wall: datetime) -> str:
    """``Mon 2026-05-25 09:00``."""
    return f"{weekday(wall.date())} {time_of_day(wall)}"


def in_utc(at: datetime) -> str:
    """*at* in UTC: ``2026-05-25 07:00 UTC``."""
    utc = at.astimezone(UTC)
    return f"{utc.date().isoformat()} {time_of_day(utc)} UTC"
