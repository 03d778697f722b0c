"""`duty` and `routes explain`: who is on duty, who would be told, and why."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from core import durations, loops
from core.commands import opening, shown
from core.configuration.complaints import nearest
from core.errors import Mistaken, SettingsError, Unfit
from core.model import NoticeKind
from core.people import rota
from core.people.directory import DUTY
from core.people.rota import Rota
from core.routing import STEPPED, Subject, Way

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from core.people.directory import Directory
    from core.people.duty import Duty
    from core.people.ladders import Ladder
    from core.routing import Aim, Route, Routing

AHEAD = timedelta(days=28)

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Asked:
    """A notice as somebody asks for it, on the command line."""

    account: str
    kind: str
    language: str | None
    policy: str | None
    step: int | None


def duty(path: Path, name: str | None, at: datetime | None, *, as_json: bool) -> None:
    """Show who is on duty at an instant, None: now, until when, and who is told.

    Raises:
        Mistaken: there is no such duty.
        SettingsError: the settings cannot be used.
    """
    when = at or loops.utcnow()
    directory = _at(opening.read(path).routing, at).directory
    if name is not None and name not in directory.duties:
        raise Mistaken(f"there is no duty of that name; {nearest(name, directory.duties)}")
    chosen = directory.duties.values() if name is None else [directory.duties[name]]
    rows = [_on_duty(directory, each, when) for each in chosen]
    none = "no duty is planned: write [duty.NAME], see docs/settings.md"
    shown.rows(rows, as_json=as_json, none=none, hidden=("people",))


def _on_duty(directory: Directory, duty: Duty, at: datetime) -> Row:
    on, target = duty.roster.on(at), f"{DUTY}:{duty.name}"
    named = ", ".join(directory.people[name].title for name in on if name in directory.people)
    return {
        "duty": duty.name,
        "on_duty": named or f"nobody: {duty.fallback} is told",
        "people": list(on) if on else [],
        "until": duty.changes(at, at + AHEAD),
        "told_by": ", ".join(directory.reached(target, at)),
    }


def explain(path: Path, asked: Asked, at: datetime | None, *, as_json: bool) -> None:
    """Say who would be told of what is *asked* at an instant, None: now, and why.

    Raises:
        Mistaken: the account or the kind is unknown.
        SettingsError: the settings cannot be used.
    """
    configured, when = opening.read(path), at or loops.utcnow()
    opening.known(configured, asked.account)
    subject, routing = _subject(asked), _at(configured.routing, at)
    ways = [_row(route, subject, routing) for route in _asked_of(routing, subject)]
    told = [_told(aim, routing) for aim in routing.told(subject, when)]
    ladder = routing.ladder(subject)
    climbed = [] if ladder is None else list(_rungs(*ladder, routing, subject, when))
    if as_json:
        found: Mapping[str, Sequence[Row]] = {"routes": ways, "told": told, "ladder": climbed}
        shaped = {name: [shown.plain(row) for row in rows] for name, rows in found.items()}
        click.echo(json.dumps(shaped, indent=2, ensure_ascii=False))
        return
    _say(ways, told, climbed)


def _say(ways: Sequence[Row], told: Sequence[Row], climbed: Sequence[Row]) -> None:
    click.echo(shown.table(ways))
    click.echo("")
    click.echo(shown.table(told) if told else "Nobody is told: give the fallback route no kinds.")
    if climbed:
        click.echo("\nIf nobody acts:")
        click.echo(shown.table(climbed))


def _subject(asked: Asked) -> Subject:
    if asked.kind not in set(NoticeKind):
        raise Mistaken(f"there is no such kind of notice; {nearest(asked.kind, set(NoticeKind))}")
    kind = NoticeKind.WARNING if asked.step is not None else NoticeKind(asked.kind)
    step = asked.step or (1 if kind is NoticeKind.WARNING else None)
    policy = asked.policy if kind in STEPPED or asked.policy else None
    return Subject(kind, asked.account, asked.language, policy, step)


def _at(routing: Routing, at: datetime | None) -> Routing:
    """*routing* with the calendars of duties laid out around *at*; None: they are, around now.

    Raises:
        SettingsError: a calendar was lost meanwhile.
    """
    if at is None:
        return routing
    directory = routing.directory
    try:
        duties = {name: _laid_out(directory, duty, at) for name, duty in directory.duties.items()}
    except Unfit as fault:
        raise SettingsError([f"duty: a calendar {fault}"]) from None
    return replace(routing, directory=replace(directory, duties=duties))


def _laid_out(directory: Directory, duty: Duty, at: datetime) -> Duty:
    if not isinstance(duty.roster, Rota):
        return duty
    people = directory.people.values()
    return replace(duty, roster=rota.read(duty.roster.path, duty.zone, people, at))


def _asked_of(routing: Routing, subject: Subject) -> list[Route]:
    """Every route that is asked: the account's own, and the fallback where none of these takes."""
    own = routing.own(subject.account)
    fallback = [route for route in routing.routes.values() if route.fallback and route not in own]
    return [*own, *fallback]


def _row(route: Route, subject: Subject, routing: Routing) -> Row:
    """Whether *route* takes it, and if not, why not."""
    unmet, taken = list(route.unmet(subject)), routing.taken(subject)
    if route in taken:
        why = "takes it"
    elif unmet:
        why = f"does not: {', '.join(unmet)}"
    else:
        why = "is not asked: another route takes it" if taken else "takes it, as the fallback"
    return {"route": route.name, "this_notice": why, "tells": ", ".join(route.targets)}


def _told(aim: Aim, routing: Routing) -> Row:
    """How a notifier is told, for whom, and when."""
    ways = [Way.of(way) for way in aim.ways]
    return {
        "notifier": aim.notifier,
        "for": ", ".join(dict.fromkeys(_whom(way, routing) for way in ways)) or "its readers",
        "by_route": ", ".join(dict.fromkeys(way.route for way in ways)) or "-",
        "when": "at once" if aim.not_before is None else "after quiet hours",
        "not_before": aim.not_before,
    }


def _whom(way: Way, routing: Routing) -> str:
    person = routing.directory.people.get(way.person or "")
    whom = person.title if person else "its readers"
    return f"{whom} (nobody is on duty {way.vacant})" if way.vacant else whom


def _rungs(
    route: Route, ladder: Ladder, routing: Routing, subject: Subject, now: datetime
) -> Iterator[Row]:
    for rung in ladder.rungs:
        aims = routing.aims(route.name, rung.tell, subject, now + rung.after)
        yield {
            "after": durations.write(rung.after),
            "tells": ", ".join(rung.tell),
            "by": ", ".join(aim.notifier for aim in aims),
        }
