"""Whom notices reach, and whom not: what `check` and every start say of people, duties and hours.

Looked at is what lies ahead, as far as duties are planned: whoever is told then is told by the same
functions as now.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from core import durations
from core.model import NoticeKind
from core.people.directory import DUTY, PERSON, TEAM
from core.people.rota import Rota, Unread
from core.routing import STEPPED, Subject
from core.spoken import some
from core.store import languages, statement
from sla import zones

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from core.configuration.configured import Configured
    from core.people.directory import Directory
    from core.people.duty import Duty
    from core.routing import Route, Routing
    from core.settings import Settings
    from core.store import Pool

AHEAD = timedelta(days=14)
LATELY = timedelta(days=30)
SHOWN = 3
UNROUTED = frozenset(
    {NoticeKind.TEST, NoticeKind.DIGEST, NoticeKind.ANSWERED, NoticeKind.ESCALATION}
)
"""A test names its route, a rung whom it tells; a digest stands for notices that have routes of
their own; what is closed goes to whom it was opened."""

Span = tuple["datetime", "datetime"]


def findings(settings: Settings, now: datetime) -> Iterator[str]:
    """A line for each thing that a person should look at."""
    routing = settings.routing
    yield from _deaf(settings, now)
    for duty in routing.directory.duties.values():
        yield from _vacant(duty, now)
    yield from _asleep(routing, settings.accounts, now)
    yield from _tongues(routing, now)
    yield from _unnamed(routing)


async def heard(pool: Pool, routing: Routing, now: datetime) -> list[str]:
    """Of the languages that buyers wrote in lately: a line for each that nobody answers."""
    if not any(person.languages for person in routing.directory.people.values()):
        return []
    async with statement(pool) as db:
        arrived = await languages.arrived(db, now - LATELY)
    return list(unspoken(routing, arrived, now))


def unspoken(
    routing: Routing, arrived: Mapping[str, Iterable[str]], now: datetime
) -> Iterator[str]:
    """Languages that have *arrived*, by account, which nobody answers of those who are told."""
    for account, tongues in sorted(arrived.items()):
        for language in sorted(tongues):
            subject = Subject(NoticeKind.BREACH, account, language)
            if _is_unspoken(
                routing, routing.taken(subject) or routing.fallbacks(subject), language, now
            ):
                yield (
                    f"accounts.{account}: buyers write in {language}, and nobody answers it who is"
                    " told; name it under somebody's languages, or route it to whoever does"
                )


def _deaf(settings: Settings, now: datetime) -> Iterator[str]:
    """Accounts and kinds of notices that reach nobody."""
    routing = settings.routing
    known: dict[tuple[object, ...], bool] = {}
    for name, found in settings.accounts.items():
        own = tuple(route.name for route in routing.own(name))

        def hears(asked: Subject, own: tuple[str, ...] = own) -> bool:
            """Whether anybody is told: the same for all accounts of the same routes."""
            key = own, asked.kind, asked.policy, asked.step
            if key not in known:
                known[key] = bool(routing.told(asked, now))
            return known[key]

        kinds = [kind for kind in NoticeKind if kind not in UNROUTED]
        deaf = [kind.value for kind in kinds if not all(map(hears, _subjects(found, kind)))]
        if deaf:
            yield (
                f"accounts.{name}: nobody is told of {', '.join(deaf)}; "
                "give the fallback route no kinds, or a route with them"
            )


def _subjects(found: Configured, kind: NoticeKind) -> list[Subject]:
    """What *kind* may be about in an account: every step of its promises, in no known language."""
    name = found.account.name
    if kind not in STEPPED or not found.promises:
        return [Subject(kind, name)]
    steps = range(1, 1 + max(len(promise.warn) for promise in found.promises))
    numbers = list(steps) if kind is NoticeKind.WARNING else [None]
    return [Subject(kind, name, None, p.name, n) for p in found.promises for n in numbers or [1]]


def unread(settings: Settings) -> list[str]:
    """Calendar files that cannot be read: faults to whoever checks, none that end a daemon."""
    return [
        f"duty.{duty.name}.ics: {duty.roster.fault}"
        for duty in settings.routing.directory.duties.values()
        if isinstance(duty.roster, Unread)
    ]


def _vacant(duty: Duty, now: datetime) -> Iterator[str]:
    """When nobody is on duty, and events that name nobody."""
    place = f"duty.{duty.name}"
    if isinstance(duty.roster, Unread):
        yield f"{place}.ics: {duty.roster.fault}; {duty.fallback} is told until it can be read"
        return
    gaps = duty.gaps(now, now + AHEAD)
    if gaps:
        yield (
            f"{place}: nobody is on duty {_when(gaps, duty.zone)}; {duty.fallback} is told then: "
            "fill it, if that is not meant"
        )
    if isinstance(duty.roster, Rota) and duty.roster.unnamed:
        told = [each for each in duty.roster.unnamed if now <= each[0] < now + AHEAD]
        if told:
            zone = zones.zone(duty.zone)
            days = ", ".join(sorted({f"{at.astimezone(zone):%Y-%m-%d}" for at, _ in told})[:SHOWN])
            yield (
                f"{place}.ics: {some(len(told), 'event names', 'events name')} nobody of [people] "
                f"({days}); write whom the calendar calls so under somebody's also"
            )


def _when(spans: list[Span], zone: str) -> str:
    """The first of *spans*, and how many more there are."""
    where = zones.zone(zone)
    begin, end = (f"{at.astimezone(where):%a %Y-%m-%d %H:%M}" for at in spans[0])
    more = f", and {some(len(spans) - 1, 'more time', 'more times')}" if len(spans) > 1 else ""
    days = durations.write(AHEAD)
    return f"from {begin} to {end} ({zone}){more} within {days}"


def _asleep(routing: Routing, accounts: Mapping[str, Configured], now: datetime) -> Iterator[str]:
    """Hours in which a breach waits, for all who would be told of it are quiet."""
    if not any(person.quiet for person in routing.directory.people.values()):
        return
    same: dict[tuple[Route, ...], list[str]] = {}
    for name in accounts:
        same.setdefault(routing.own(name), []).append(name)
    edges = _edges(routing.directory, now)
    for own, names in same.items():
        spans = next(
            filter(None, (_quiet(routing, s, edges) for s in _breaches(own, names[0]))), []
        )
        if spans:
            others = some(len(names) - 1, "account", "accounts")
            whose = f"{names[0]} (and {others} more)" if len(names) > 1 else names[0]
            yield (
                f"accounts.{whose}: a breach waits for the end of quiet hours "
                f'{_when(spans, "UTC")}; let it pass for somebody: quiet_lets_pass = ["breach"]'
            )


def _breaches(own: Iterable[Route], account: str) -> Iterator[Subject]:
    """Breaches of *account* that its *own* routes tell apart."""
    routes = tuple(own)
    for language in (None, *sorted({tag for route in routes for tag in route.languages})):
        for policy in (None, *sorted({name for route in routes for name in route.policies})):
            yield Subject(NoticeKind.BREACH, account, language, policy)


def _quiet(routing: Routing, subject: Subject, edges: Sequence[datetime]) -> list[Span]:
    """When between the *edges* whoever is told of *subject* is quiet."""
    found: list[Span] = []
    for begin, end in pairwise(edges):
        aims = routing.told(subject, begin)
        if aims and all(aim.not_before for aim in aims):
            joins = found and found[-1][1] == begin
            found[-1:] = [(found[-1][0], end)] if joins else [*found[-1:], (begin, end)]
    return found


def _edges(directory: Directory, now: datetime) -> list[datetime]:
    """Every instant until `AHEAD` from which on others may be told than before."""
    until = now + AHEAD
    quiet = (p.quiet.spans(now, until) for p in directory.people.values() if p.quiet is not None)
    duties = (
        (s.begin, s.end) for d in directory.duties.values() for s in d.roster.spans(now, until)
    )
    return sorted({now, until, *chain.from_iterable(chain(chain.from_iterable(quiet), duties))})


def _tongues(routing: Routing, now: datetime) -> Iterator[str]:
    """Languages of routes which nobody answers whom they tell."""
    for route in routing.routes.values():
        for language in route.languages:
            if _is_unspoken(routing, [route], language, now):
                yield (
                    f"routes.{route.name}.languages: nobody whom it tells answers {language}; name "
                    "it under the languages of somebody whom it tells"
                )


def _is_unspoken(routing: Routing, routes: Iterable[Route], language: str, now: datetime) -> bool:
    """Whether *routes* tell people only, and none who answers *language*: in the next days."""
    targets = [target for route in routes for target in route.targets]
    told = [
        each for target in targets for each in _answers(routing.directory, target, language, now)
    ]
    return bool(told) and not any(told)


def _answers(directory: Directory, target: str, language: str, now: datetime) -> Iterator[bool]:
    """Of each whom *target* may mean, whether they answer; a bare notifier: somebody may."""
    kind, _, name = target.partition(":")
    if kind == TEAM and directory.teams[name].notifiers:
        yield directory.teams[name].answers(language)
    elif kind == TEAM:
        yield from (
            directory.people[each].answers(language) for each in directory.teams[name].members
        )
    elif kind == PERSON:
        yield directory.people[name].answers(language)
    elif kind == DUTY:
        spans = directory.duties[name].roster.spans(now, now + AHEAD)
        people = {person for span in spans for person in span.people}
        yield from (directory.people[each].answers(language) for each in people)
    else:
        yield True


def _unnamed(routing: Routing) -> Iterator[str]:
    """Teams, duties and ladders that nothing leads to."""
    routes, ladders = routing.routes.values(), routing.ladders.values()
    named = {target for route in routes for target in route.tell}
    named |= {target for ladder in ladders for rung in ladder.rungs for target in rung.tell}
    named |= {duty.fallback for duty in routing.directory.duties.values()}
    for section, kind, names in (
        ("teams", TEAM, routing.directory.teams), ("duty", DUTY, routing.directory.duties),
    ):  # fmt: skip
        for name in names:
            if f"{kind}:{name}" not in named:
                yield f'{section}.{name}: no route tells it; write tell = ["{kind}:{name}"] in one'
    climbed = {route.ladder for route in routes}
    for name in routing.ladders:
        if name not in climbed:
            yield f'ladders.{name}: no route climbs it; write ladder = "{name}" in one'
