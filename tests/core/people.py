"""People, teams and duties that tests about who is told start from."""

from __future__ import annotations

from datetime import time

from core.people.directory import Directory
from core.people.duty import Duty, Shift, Shifts
from core.people.person import Person, Team
from sla.calendar import Calendar, Span

BERLIN = "Europe/Berlin"


def span(text):
    begin, end = text.split("-")
    return Span(time.fromisoformat(begin), time.fromisoformat("00:00" if end == "24:00" else end))


def hours(zone=BERLIN, **days):
    """A calendar of spans by day: ``hours(mon="09:00-17:00")``."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return Calendar(zone, {names.index(day): (span(text),) for day, text in days.items()})


def nights(zone=BERLIN):
    """Quiet from 22 o'clock to 7, every day."""
    return Calendar(zone, dict.fromkeys(range(7), (span("22:00-07:00"),)))


def person(name, *notifiers, **more):
    return Person(name, more.pop("title", name.title()), notifiers=notifiers, **more)


def duty(name, fallback, *shifts, zone=BERLIN):
    """A duty of (calendar, people)."""
    return Duty(name, Shifts(tuple(Shift(when, people) for when, people in shifts)), fallback, zone)


def directory(*people, teams=(), duties=()):
    return Directory(
        {one.name: one for one in people},
        {one.name: one for one in teams},
        {one.name: one for one in duties},
    )


def team(name, *members, notifiers=(), languages=()):
    return Team(name, name.title(), members, notifiers, languages=languages)
