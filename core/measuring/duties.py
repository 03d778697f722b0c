"""Who is on duty, as metrics: whether anybody is, and whether their calendars can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from core.instruments import Shelf


class Duties:
    """By the duty's name in the settings; nothing of one that left them is shown any more."""

    def __init__(self, of: Shelf) -> None:
        self._people = of.gauge(
            "duty_people",
            "How many are on duty by the settings or the calendar; 0: the fallback is told.",
            "duty",
        )
        self._fresh = of.gauge(
            "duty_calendar_fresh",
            "0 while the calendar file of a duty cannot be read, and what was read before counts.",
            "duty",
        )
        self._vacant = of.counter(
            "duty_vacant",
            "Messages to the fallback, since nobody was on duty.",
            "duty",
        )
        self._known: frozenset[str] = frozenset()

    def adopt(self, names: Collection[str]) -> None:
        """Show these duties, and no others."""
        for each in (self._people, self._fresh):
            each.forget()
            each.create(duty=names)
        self._vacant.create(duty=names)
        self._known = frozenset(names)
        for name in names:
            self._fresh.labels(name).set(1)

    def seen(self, on: Mapping[str, int], unread: Collection[str]) -> None:
        """How many are *on* each duty, and the calendars of which are *unread*."""
        for name, n in on.items():
            self._people.labels(name).set(n)
            self._fresh.labels(name).set(name not in unread)

    def vacant(self, names: Collection[str]) -> None:
        """A message went to the fallback of these duties."""
        for name in self._known.intersection(names):
            self._vacant.labels(name).inc()
