"""Instants and spans of time as a person reads them. Pure, and the same in every locale."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def instant(at: datetime, zone: ZoneInfo) -> str:
    """*at* on the reader's wall: ``Sat 2026-11-21 13:05 (Europe/Berlin)``."""
    local = at.astimezone(zone)
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{_DAYS[local.weekday()]} {local:%Y-%m-%d} {clock} ({zone.key})"


def by(n: object, one: str, several: str) -> str:
    """The word for *n* things."""
    return one if str(n) == "1" else several


def left(length: timedelta) -> str:
    """How long until a deadline; negative is late: ``2 h left``, ``late by 5 min``."""
    return f"{span(length)} left" if length.total_seconds() >= 0 else f"late by {span(length)}"


def asked(promise: str) -> str | None:
    """What a date asks for that is given to us (`sla.given.Deadline.promise`); else None.

    ``SELLER_APPROVE_REQUEST (return)``: the marketplace's own word, and what it is about.
    """
    given, _, rest = promise.partition(":")
    kind, _, act = rest.partition(":")
    return f"{act} ({kind})" if given == "given" and act else None


def span(length: timedelta) -> str:
    """How long, in its two largest units, rounded down and without a sign: ``2 h 5 min``."""
    left = int(abs(length).total_seconds())
    parts: list[tuple[int, str]] = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append((count, unit))
    shown = [f"{count} {unit}" for count, unit in parts[:2] if count]
    return " ".join(shown) or "0 s"
