"""Instants and how far they are, as a person reads them. Pure: *now* is handed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from babel import dates
from markupsafe import Markup

from core.web import words
from sla import zones

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

MINUTE, HOUR, DAY = 60, 3_600, 86_400
SOON = 600
"""Nearer than so many seconds, seconds are shown."""

UNITS = {
    "ds": words.phrase("{d} d {h} h"),
    "hm": words.phrase("{h} h {m} min"),
    "m": words.phrase("{m} min"),
    "mss": words.phrase("{m} min {s} s"),
    "in": words.phrase("in {time}"),
    "late": words.phrase("{time} late"),
    "ago": words.phrase("{time} ago"),
}
"""How spans of time are written, by a key that `static/board.js` knows too."""


@dataclass(frozen=True, slots=True)
class Times:
    """How one person reads times: in *language*, in the zone called *zone*, at *now*."""

    language: str
    zone: str
    now: datetime
    say: Callable[[str], str]

    def units(self) -> Mapping[str, str]:
        """How spans are written, for the script that counts down."""
        return {key: self.say(text) for key, text in UNITS.items()}

    def span(self, seconds: float) -> str:
        """So long, rounded down: never more than there is."""
        whole = int(abs(seconds))
        parts = {"d": whole // DAY, "h": whole // HOUR, "m": whole // MINUTE, "s": whole % MINUTE}
        if whole >= DAY:
            return self._written("ds", d=parts["d"], h=f"{parts['h'] % 24:02}")
        if whole >= HOUR:
            return self._written("hm", h=parts["h"], m=f"{parts['m'] % 60:02}")
        if whole >= SOON:
            return self._written("m", m=parts["m"])
        return self._written("mss", m=parts["m"], s=f"{parts['s']:02}")

    def _written(self, key: str, **numbers: object) -> str:
        return self.say(UNITS[key]).format(**numbers)

    def away(self, at: datetime) -> str:
        """How far a deadline is: ``in 2 h 05 min`` or ``12 min late``."""
        seconds = (at - self.now).total_seconds()
        return self._written("late" if seconds < 0 else "in", time=self.span(seconds))

    def since(self, at: datetime) -> str:
        """How long ago something was: ``12 min ago``."""
        return self._written("ago", time=self.span((self.now - at).total_seconds()))

    def ago(self, at: datetime, name: str = "") -> Markup:
        """`since`, as an element called *name* that the browser keeps right."""
        return Markup('<time class="ago"{} data-ago="{}" datetime="{}">{}</time>').format(
            Markup(' id="{}"').format(name) if name else "",
            at.isoformat(),
            at.isoformat(),
            self.since(at),
        )

    def left(self, at: datetime) -> Markup:
        """`away`, as an element that the browser keeps right."""
        return Markup('<time class="left" data-due="{}" datetime="{}">{}</time>').format(
            at.isoformat(), at.isoformat(), self.away(at)
        )

    def clock(self, at: datetime, zone: str | None = None, *, whole: bool = False) -> str:
        """The wall time in *zone*: of today the time alone, else (or *whole*) with the day."""
        place = zones.zone(zone or self.zone)
        here, locale = at.astimezone(place), words.locale(self.language)
        time = dates.format_time(here, "HH:mm", locale=locale)
        if not whole and here.date() == self.now.astimezone(place).date():
            return time
        skeleton = "MMMEd" if here.year == self.now.astimezone(place).year else "yMMMEd"
        return f"{dates.format_skeleton(skeleton, here, locale=locale)} {time}"

    def instant(self, at: datetime, zone: str | None = None, *, whole: bool = False) -> Markup:
        """The wall time in the person's zone; on a closer look with both zones.

        *zone* is the marketplace's own, where it is known.
        """
        both = dict.fromkeys(name for name in (self.zone, zone) if name)
        title = "; ".join(f"{self.clock(at, name, whole=True)} ({name})" for name in both)
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            at.isoformat(), title, self.clock(at, whole=whole)
        )
