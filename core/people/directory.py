"""Whom a target means at an instant: ``person:anna``, ``team:desk``, ``duty:night``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from core.people.duty import Duty
    from core.people.person import Person, Team

PERSON, TEAM, DUTY, NOTIFIER = "person", "team", "duty", "notifier"
KINDS = (PERSON, TEAM, DUTY, NOTIFIER)
"""What a target may be of: the word before its colon."""


class Found(NamedTuple):
    """A *notifier* that is told, and the *person* for whom; None: whoever reads it, at any hour.

    *vacant* is the duty that nobody had, so that its fallback was found.
    """

    notifier: str
    person: str | None = None
    vacant: str | None = None


@dataclass(frozen=True, slots=True)
class Directory:
    """The people, teams and duties of the settings, by name."""

    people: Mapping[str, Person] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    duties: Mapping[str, Duty] = field(default_factory=dict)

    def reached(self, target: str, now: datetime, language: str | None = None) -> tuple[str, ...]:
        """The notifiers by which *target* is told at *now*, each once."""
        return tuple(dict.fromkeys(each.notifier for each in self.found(target, now, language)))

    def found(self, target: str, now: datetime, language: str | None = None) -> tuple[Found, ...]:
        """By what, and for whom, *target* is told at *now*.

        Of several people those are meant who answer *language*; where nobody does, all of them.
        A name that is not known reaches nobody: the settings refuse it.
        """
        kind, _, name = target.partition(":")
        if kind == NOTIFIER:
            return (Found(name),)
        if kind == DUTY:
            return self._on_duty(name, now, language)
        return tuple(self._team(name, language) if kind == TEAM else self._persons([name]))

    def _on_duty(self, name: str, now: datetime, language: str | None) -> tuple[Found, ...]:
        duty = self.duties.get(name)
        if duty is None:
            return ()
        found = tuple(self._persons(self._answering(duty.roster.on(now), language)))
        if found or duty.fallback.startswith(f"{DUTY}:"):
            return found
        instead = self.found(duty.fallback, now, language)
        return tuple(each._replace(vacant=name) for each in instead)

    def _team(self, name: str, language: str | None) -> Iterator[Found]:
        team = self.teams.get(name)
        if team is None:
            return
        if team.notifiers:
            yield from map(Found, team.notifiers)
        else:
            yield from self._persons(self._answering(team.members, language))

    def _persons(self, names: Iterable[str]) -> Iterator[Found]:
        for name in names:
            for notifier in self.people[name].notifiers if name in self.people else ():
                yield Found(notifier, name)

    def _answering(self, names: Iterable[str], language: str | None) -> list[str]:
        """Those of *names* who can be told, and answer *language*; all, where none of them does."""
        known = [name for name in names if name in self.people and self.people[name].notifiers]
        if language is None:
            return known
        return [name for name in known if self.people[name].answers(language)] or known
