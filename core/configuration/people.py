"""People, teams, duties and ladders from settings: built, and what they name is looked for."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from core.configuration import openinghours
from core.configuration.telling import (
    DutySection,
    LadderSection,
    PersonSection,
    ShiftSection,
    TeamSection,
)
from core.people import rota
from core.people.directory import DUTY, NOTIFIER, PERSON, TEAM, Directory
from core.people.duty import Duty, Shift, Shifts
from core.people.ladders import Ladder, Rung
from core.people.person import FAR, Person, Team
from sla.calendar import WHOLE_DAY, Calendar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path as File

    from core.configuration.complaints import Complaints, Path
    from core.notifier import NotifierOptions
    from core.people.duty import Roster

Tables = dict[str, dict[str, Any]]


class Tellings:
    """Reads who can be told. *notifiers* are all that are defined; files start from *base*."""

    def __init__(
        self, notifiers: Collection[str], complaints: Complaints, base: File, now: datetime
    ) -> None:
        self._complaints = complaints
        self._base = base
        self._now = now
        self._known: dict[str, Collection[str]] = {NOTIFIER: notifiers}
        self._people: dict[str, Person] = {}
        self._deaf: set[str] = set()

    def directory(self, people: Tables, teams: Tables, duties: Tables) -> Directory:
        """Everybody, those with faults left as far as they are understood."""
        self._known |= {PERSON: people, TEAM: teams, DUTY: duties}
        self._people = {name: self._person(name, table) for name, table in people.items()}
        found = {name: self._team(name, table) for name, table in teams.items()}
        self._deaf |= {f"{PERSON}:{name}" for name, p in self._people.items() if not p.notifiers}
        self._deaf |= {f"{TEAM}:{name}" for name, team in found.items() if not self._hears(team)}
        on = {name: self._duty(name, table) for name, table in duties.items()}
        standing = {name: duty for name, duty in on.items() if duty is not None}
        return Directory(self._people, found, standing)

    def ladders(self, tables: Tables) -> dict[str, Ladder]:
        """The ladders, by name."""
        return {name: self._ladder(name, table) for name, table in tables.items()}

    def check_targets(self, targets: Iterable[str], path: Path) -> None:
        """Complain of *targets* at *path* that do not exist, or that nothing tells."""
        for target in targets:
            kind, _, name = target.partition(":")
            if name not in self._known[kind]:
                self._complaints.unknown(path, kind, name, self._known[kind])
            elif target in self._deaf:
                whose = "has no notifiers" if kind == PERSON else "has nobody who has notifiers"
                fault = f"{target} {whose}; write them under {_SECTIONS[kind]}.{name}.notifiers"
                self._complaints.add(path, fault)

    def check_notifiers(self, names: Iterable[str], path: Path) -> None:
        """Complain of notifiers at *path* that do not exist."""
        if self._complaints.any_at(path[:-1], path[-1:]):
            return
        for name in names:
            if name not in self._known[NOTIFIER]:
                self._complaints.unknown(path, NOTIFIER, name, self._known[NOTIFIER])

    def _person(self, name: str, table: Mapping[str, Any]) -> Person:
        path = ("people", name)
        section, _ = self._complaints.read_on(PersonSection, table, path)
        self.check_notifiers(section.notifiers, (*path, "notifiers"))
        return Person(
            name=name,
            title=section.title or name,
            zone=section.zone or "UTC",
            languages=section.languages,
            notifiers=section.notifiers,
            quiet=self._quiet(section, path),
            passes=section.quiet_lets_pass,
            also=section.also,
        )

    def _quiet(self, section: PersonSection, path: Path) -> Calendar | None:
        """When a person is not to be told; None: never, or what is written has faults."""
        if not (section.quiet or section.quiet_holidays or section.quiet_exceptions):
            return None
        before = len(self._complaints.lines)
        if section.zone is None:
            fault = 'is missing: quiet hours are on somebody\'s wall; write zone = "Europe/Berlin"'
            self._complaints.add((*path, "zone"), fault)
        week = openinghours.week(section.quiet, (*path, "quiet"), self._complaints)
        closed = openinghours.public_holidays(
            section.quiet_holidays, (*path, "quiet_holidays"), self._complaints
        )
        days = openinghours.days(
            section.quiet_exceptions, (*path, "quiet_exceptions"), self._complaints
        )
        if len(self._complaints.lines) > before:
            return None
        quiet = Calendar(section.zone or "UTC", week, dict.fromkeys(closed, WHOLE_DAY) | days)
        if next(quiet.spans(self._now, self._now + FAR), None) == (self._now, self._now + FAR):
            fault = f"never ends within {FAR.days} days; leave an hour in which they may be told"
            self._complaints.add((*path, "quiet"), fault)
        return quiet

    def _team(self, name: str, table: Mapping[str, Any]) -> Team:
        path = ("teams", name)
        section, _ = self._complaints.read_on(TeamSection, table, path)
        self.check_notifiers(section.notifiers, (*path, "notifiers"))
        self._check_people(section.members, (*path, "members"))
        return Team(
            name=name,
            title=section.title or name,
            members=section.members,
            notifiers=section.notifiers,
            zone=section.zone or "UTC",
            languages=section.languages,
        )

    def _hears(self, team: Team) -> bool:
        members = (self._people.get(name) for name in team.members)
        return bool(team.notifiers) or any(member and member.notifiers for member in members)

    def _check_people(self, names: Iterable[str], path: Path) -> None:
        for name in names:
            if name not in self._known[PERSON]:
                self._complaints.unknown(path, PERSON, name, self._known[PERSON])

    def _duty(self, name: str, table: Mapping[str, Any]) -> Duty | None:
        path = ("duty", name)
        section, _ = self._complaints.read_on(DutySection, table, path, {"fallback": "notifier:-"})
        if not self._complaints.any_at(path, ("fallback",)):
            self._check_fallback(section.fallback, (*path, "fallback"))
        roster = self._roster(section, path)
        return Duty(name, roster, section.fallback, section.zone) if roster else None

    def _check_fallback(self, fallback: str, path: Path) -> None:
        if fallback.startswith(f"{DUTY}:"):
            fault = "is a duty, which may be empty too; name a person, a team or a notifier"
            self._complaints.add(path, fault)
        else:
            self.check_targets([fallback], path)

    def _roster(self, section: DutySection, path: Path) -> Roster | None:
        if bool(section.shifts) == bool(section.ics):
            if not self._complaints.any_at(path, ("shifts", "ics")):
                fault = "says when by nothing, or by two things; write either shifts or ics"
                self._complaints.add(path, fault)
            return None
        if section.ics is None:
            return Shifts(tuple(self._shifts(section, path)))
        file = self._base / section.ics.expanduser()
        return rota.read_or_not(file, section.zone, self._people.values(), self._now)

    def _shifts(self, section: DutySection, path: Path) -> Iterator[Shift]:
        for number, shift in enumerate(section.shifts):
            here = (*path, "shifts", str(number))
            for name in shift.people:
                if f"{PERSON}:{name}" in self._deaf:
                    self.check_targets([f"{PERSON}:{name}"], (*here, "people"))
            self._check_people(shift.people, (*here, "people"))
            yield Shift(self._hours(shift, section.zone, here), shift.people)

    def _hours(self, shift: ShiftSection, zone: str, path: Path) -> Calendar:
        table = shift.model_dump(exclude={"people"}) | {"zone": zone}
        found = openinghours.build(table, path, self._complaints, self._now)
        return found or Calendar(zone, {})

    def _ladder(self, name: str, table: Mapping[str, Any]) -> Ladder:
        path = ("ladders", name)
        section, _ = self._complaints.read_on(LadderSection, table, path, _NO_RUNGS)
        if self._complaints.any_at(path, ("rungs",)):
            return Ladder(name, ())
        for number, rung in enumerate(section.rungs):
            self.check_targets(rung.tell, (*path, "rungs", str(number), "tell"))
        times = [rung.after for rung in section.rungs]
        if any(later <= earlier for earlier, later in pairwise(times)):
            fault = "do not come one after the other; let each come later than the one before"
            self._complaints.add((*path, "rungs"), fault)
        rungs = tuple(Rung(rung.after, rung.tell) for rung in section.rungs)
        return Ladder(name, rungs, section.repeat)


_SECTIONS = {PERSON: "people", TEAM: "teams"}
_NO_RUNGS = {"rungs": [{"after": "1m", "tell": [f"{NOTIFIER}:-"]}]}


def zoned(
    notifiers: Mapping[str, NotifierOptions | None], directory: Directory
) -> dict[str, NotifierOptions]:
    """The sound *notifiers*: one that names no zone has that of the people whom it tells.

    Where these differ in it, or nobody has it, it stays what it is without.
    """
    return {
        name: _zoned(name, options, directory)
        for name, options in notifiers.items()
        if options is not None
    }


def _zoned(name: str, options: NotifierOptions, directory: Directory) -> NotifierOptions:
    whose: list[Person | Team] = [*directory.people.values(), *directory.teams.values()]
    found = {one.zone for one in whose if name in one.notifiers}
    if "zone" in options.model_fields_set or len(found) != 1:
        return options
    return options.model_copy(update={"zone": found.pop()})
