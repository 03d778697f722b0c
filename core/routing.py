"""Who is told what, and not before when: from a notice's subject to its notifiers. Pure.

An account's own routes are those that it names, and those that name it or its marketplace. What
none of them takes, or what reaches nobody by them, goes to the fallback.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from core.model import NoticeKind
from core.people.directory import Directory
from core.people.person import speaks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from core.people.ladders import Ladder
    from core.people.person import Person, Team

STEPPED = frozenset({NoticeKind.WARNING, NoticeKind.BREACH})
"""The kinds that tell a step of a clock."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a notice is about, as far as it matters to whom it goes.

    *language* is that of the thread: of the buyer's newest message whose language is known; None:
    of none. *policy* is the promise whose clock it tells of, *step* the number of a warning from 1.
    """

    kind: NoticeKind
    account: str
    language: str | None = None
    policy: str | None = None
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Which notices go to which *notifiers*, and to which targets (*tell*); no condition: all.

    *accounts* and *marketplaces* also make it a route of these accounts' own. *languages* are
    BCP 47 tags, *policies* names of promises, *steps* numbers of warnings, ``warning``, ``breach``.
    *ladder* is whom else to tell when nobody acts.
    """

    name: str
    notifiers: tuple[str, ...]
    kinds: frozenset[NoticeKind] = frozenset()
    fallback: bool = False
    tell: tuple[str, ...] = ()
    ladder: str | None = None
    marketplaces: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    languages: tuple[str, ...] = ()
    policies: frozenset[str] = frozenset()
    steps: frozenset[int | str] = frozenset()

    @property
    def targets(self) -> tuple[str, ...]:
        """Everything that it tells, as targets."""
        return (*(f"notifier:{name}" for name in self.notifiers), *self.tell)

    @property
    def plain(self) -> bool:
        """Whether kind and account alone say what goes this way, and it goes to notifiers only."""
        told = self.tell or self.ladder
        return not (told or self.languages or self.policies or self.steps)

    def is_for(self, account: str, marketplace: str | None) -> bool:
        """Whether the account is among those that it names; one that names none is for any."""
        return (not self.accounts or account in self.accounts) and (
            not self.marketplaces or marketplace in self.marketplaces
        )

    def takes(self, subject: Subject) -> bool:
        """Whether notices of *subject* go this way, of an account that it is for."""
        return next(self.unmet(subject), None) is None

    def unmet(self, subject: Subject) -> Iterator[str]:
        """The conditions that *subject* does not meet, by their keys in the settings."""
        if self.kinds and subject.kind not in self.kinds:
            yield "kinds"
        if self.languages and not speaks(self.languages, subject.language):
            yield "languages"
        if self.policies and not _is_of(subject.policy, self.policies):
            yield "policies"
        if self.steps and not _is_at(subject, self.steps):
            yield "steps"


class Way(NamedTuple):
    """By what a notice comes to a notifier: a *route*, perhaps for a *person*.

    *vacant* is the duty that nobody had, so that its fallback is told. Written ``desk/anna!night``.
    """

    route: str
    person: str | None = None
    vacant: str | None = None

    def __str__(self) -> str:
        whom = f"/{self.person}" if self.person else ""
        return f"{self.route}{whom}{f'!{self.vacant}' if self.vacant else ''}"

    @classmethod
    def of(cls, written: str) -> Way:
        """The way that was *written*."""
        named, _, vacant = written.partition("!")
        route, _, person = named.partition("/")
        return cls(route, person or None, vacant or None)


def vacancies(ways: Iterable[str]) -> frozenset[str]:
    """The duties that nobody had, so that a notice came by these *ways*."""
    return frozenset(vacant for way in ways if (vacant := Way.of(way).vacant))


@dataclass(frozen=True, slots=True)
class Aim:
    """A *notifier* that is to be told, *not_before* an instant at which quiet hours end.

    *ways* are by what it came; none: by routes alone, of which the settings say the same at any
    time.
    """

    notifier: str
    not_before: datetime | None = None
    ways: tuple[str, ...] = ()


def told_from(aims: Iterable[Aim], now: datetime) -> datetime:
    """When the first of *aims* is told of what is raised *now*: later only where all of them wait.

    Nobody can have acted before.
    """
    waits = [aim.not_before for aim in aims]
    ends = [at for at in waits if at is not None]
    return min(ends) if ends and len(ends) == len(waits) else now


@dataclass(frozen=True, slots=True)
class Routing:
    """Who is told what. *accounts* are the routes that each names, *marketplaces* where each is."""

    routes: Mapping[str, Route]
    accounts: Mapping[str, tuple[str, ...]]
    directory: Directory = field(default_factory=Directory)
    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    marketplaces: Mapping[str, str] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether kind and account alone say who is told, at any time."""
        return all(route.plain for route in self.routes.values())

    @property
    def asks_language(self) -> bool:
        """Whether it matters in which language a thread is."""
        return any(route.languages for route in self.routes.values()) or any(
            person.languages for person in self.directory.people.values()
        )

    def told(self, subject: Subject, now: datetime) -> tuple[Aim, ...]:
        """Who is told of *subject* at *now*: each notifier once, in the order of the settings."""
        return self._aims(self.taken(subject), subject, now) or self.fallback(subject, now)

    def fallback(self, subject: Subject, now: datetime) -> tuple[Aim, ...]:
        """Whom the fallback routes tell of *subject* at *now*."""
        return self._aims(self.fallbacks(subject), subject, now)

    def aims(
        self, route: str, targets: Iterable[str], subject: Subject, now: datetime
    ) -> tuple[Aim, ...]:
        """Who is told of *subject* where *targets* are to be told, as by a rung of a ladder."""
        ways = (each for target in targets for each in self._ways(route, target, subject, now))
        return self._joined(ways, subject, now)

    def ladder(self, subject: Subject) -> tuple[Route, Ladder] | None:
        """The ladder that *subject* climbs, and the route that has it; None: none.

        That of the first route that takes the subject and names one.
        """
        taken = self.taken(subject) or self.fallbacks(subject)
        named = ((route, self.ladders.get(route.ladder or "")) for route in taken)
        return next(((route, ladder) for route, ladder in named if ladder is not None), None)

    def own(self, account: str) -> tuple[Route, ...]:
        """The routes of *account*: those that it names, then those that name it."""
        marketplace = self.marketplaces.get(account)
        named = [self.routes[name] for name in self.accounts.get(account, ())]
        naming = (
            route
            for route in self.routes.values()
            if (route.accounts or route.marketplaces) and route not in named
        )
        return tuple(r for r in (*named, *naming) if r.is_for(account, marketplace))

    def taken(self, subject: Subject) -> tuple[Route, ...]:
        """The account's own routes that take *subject*."""
        return tuple(route for route in self.own(subject.account) if route.takes(subject))

    def fallbacks(self, subject: Subject) -> tuple[Route, ...]:
        """The fallback routes that take *subject*."""
        every = self.routes.values()
        return tuple(route for route in every if route.fallback and route.takes(subject))

    def reached(self) -> frozenset[str]:
        """Every notifier that something leads to, by a route, a rung, a person or a team."""
        people: list[Person | Team] = [*self.directory.people.values()]
        people += self.directory.teams.values()
        rungs = (rung for ladder in self.ladders.values() for rung in ladder.rungs)
        targets = (
            *(target for route in self.routes.values() for target in route.targets),
            *(target for rung in rungs for target in rung.tell),
            *(duty.fallback for duty in self.directory.duties.values()),
        )
        direct = {t.removeprefix("notifier:") for t in targets if t.startswith("notifier:")}
        return frozenset(direct | {name for one in people for name in one.notifiers})

    def ways(self, account: str, kind: NoticeKind, notifier: str) -> tuple[str, ...]:
        """The routes by which a notice comes to *notifier* of which nothing else was written down.

        What came by none of them (a correction follows the breach that it takes back, whatever the
        routes say of its kind) came by those that lead there at all, the account's own if any do.
        """
        subject, own = Subject(kind, account), self.own(account)
        groups = (
            [route for route in own if route.takes(subject)],
            self.fallbacks(subject),
            own,
            self.routes.values(),
        )
        ways = (tuple(r.name for r in group if notifier in r.notifiers) for group in groups)
        return next(filter(None, ways), ())

    def _aims(self, routes: Iterable[Route], subject: Subject, now: datetime) -> tuple[Aim, ...]:
        ways = (
            each
            for route in routes
            for target in route.targets
            for each in self._ways(route.name, target, subject, now)
        )
        return self._joined(ways, subject, now)

    def _ways(
        self, route: str, target: str, subject: Subject, now: datetime
    ) -> Iterator[tuple[str, Way]]:
        for found in self.directory.found(target, now, subject.language):
            yield found.notifier, Way(route, found.person, found.vacant)

    def _joined(
        self, ways: Iterable[tuple[str, Way]], subject: Subject, now: datetime
    ) -> tuple[Aim, ...]:
        """Several ways to one notifier are one: the first that is open tells it."""
        several: dict[str, list[Way]] = {}
        for notifier, way in ways:
            several.setdefault(notifier, []).append(way)
        return tuple(self._aim(name, each, subject, now) for name, each in several.items())

    def _aim(self, notifier: str, ways: Iterable[Way], subject: Subject, now: datetime) -> Aim:
        once = tuple(dict.fromkeys(ways))
        quiet = self.quiet_until((way.person for way in once), subject, now)
        return Aim(notifier, quiet, () if self.plain else tuple(map(str, once)))

    def quiet_until(
        self, people: Iterable[str | None], subject: Subject, now: datetime
    ) -> datetime | None:
        """Until when nobody of *people* is to be told; None: at once. None among them: anybody."""
        ends = list(self._quiet(people, subject, now))
        quiet = [end for end in ends if end is not None]
        return min(quiet) if quiet and len(quiet) == len(ends) else None

    def _quiet(
        self, people: Iterable[str | None], subject: Subject, now: datetime
    ) -> Iterator[datetime | None]:
        for name in people:
            person = self.directory.people.get(name or "")
            passes = person is None or person.lets_pass(subject.kind, subject.step)
            yield None if person is None or passes else person.quiet_until(now)


def _is_of(policy: str | None, named: frozenset[str]) -> bool:
    """Whether *policy* is one of those *named*.

    A goal on an account's own hours is of the goal before its ``@``; ``given`` and ``given:claim``
    are all given deadlines, or those of a kind.
    """
    if policy is None:
        return False
    parts = policy.split(":")
    wider = (
        {":".join(parts[:n]) for n in range(1, len(parts) + 1)} if parts[0] == "given" else {policy}
    )
    return not named.isdisjoint(wider | {policy.partition("@")[0]})


def _is_at(subject: Subject, steps: frozenset[int | str]) -> bool:
    if subject.kind not in STEPPED:
        return False
    return subject.kind.value in steps or (
        subject.kind is NoticeKind.WARNING and subject.step in steps
    )
