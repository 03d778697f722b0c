"""Who is on duty, who would be told of what, and why: for command and API alike. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from core import durations
from core.configuration.complaints import nearest
from core.errors import Mistaken
from core.model import NoticeKind
from core.people.directory import DUTY
from core.routing import STEPPED, Subject, Way

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from core.people.directory import Directory
    from core.people.duty import Duty
    from core.people.ladders import Ladder
    from core.routing import Aim, Route, Routing

AHEAD = timedelta(days=28)

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Asked:
    """A notice as somebody asks for it."""

    account: str
    kind: str
    language: str | None
    policy: str | None
    step: int | None


@dataclass(frozen=True, slots=True)
class Explained:
    """Every route that is asked, everybody who is told, and who is told next if nobody acts."""

    routes: Sequence[Row]
    told: Sequence[Row]
    ladder: Sequence[Row]


def on_duty(directory: Directory, duty: Duty, at: datetime) -> Row:
    """Who is on *duty* at an instant, until when, and by which notifiers they are told."""
    on, target = duty.roster.on(at), f"{DUTY}:{duty.name}"
    named = ", ".join(directory.people[name].title for name in on if name in directory.people)
    return {
        "duty": duty.name,
        "on_duty": named or f"nobody: {duty.fallback} is told",
        "people": list(on) if on else [],
        "until": duty.changes(at, at + AHEAD),
        "told_by": ", ".join(directory.reached(target, at)),
    }


def explain(routing: Routing, asked: Asked, when: datetime) -> Explained:
    """Who would be told of what is *asked* at an instant, and why.

    Raises:
        Mistaken: the kind is unknown.
    """
    subject = _subject(asked)
    ladder = routing.ladder(subject)
    return Explained(
        [_row(route, subject, routing) for route in _asked_of(routing, subject)],
        [_told(aim, routing) for aim in routing.told(subject, when)],
        [] if ladder is None else list(_rungs(*ladder, routing, subject, when)),
    )


def _subject(asked: Asked) -> Subject:
    if asked.kind not in set(NoticeKind):
        near, known = nearest(asked.kind, set(NoticeKind)), ", ".join(sorted(NoticeKind))
        raise Mistaken(f"there is no such kind of notice; {near} (there is: {known})")
    kind = NoticeKind.WARNING if asked.step is not None else NoticeKind(asked.kind)
    step = asked.step or (1 if kind is NoticeKind.WARNING else None)
    policy = asked.policy if kind in STEPPED or asked.policy else None
    return Subject(kind, asked.account, asked.language, policy, step)


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
