"""The ladders of a thread as its page shows them: who was told, who is next. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.people.directory import PERSON, TEAM

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from core.desk.climbs import Climb, Held
    from core.people.directory import Directory
    from core.store.escalations import Ended, Told


@dataclass(frozen=True, slots=True)
class Ladder:
    """A ladder called *name*; *told* are its rungs so far, each to a notifier.

    *rung* of *rungs* is next, *at* an instant, to those whom *to* names; *repeat*: how many times
    it is told again by then. *held* is what it waits for. *ended* is why it climbs no
    more; None: it does.
    """

    id: int
    name: str
    told: Sequence[Told]
    rung: int
    rungs: int
    repeat: int
    at: datetime | None
    to: str
    held: Held | None
    ended: Ended | None


def shown(climbs: Iterable[Climb], directory: Directory) -> list[Ladder]:
    """What a reader is to see of *climbs*: what climbs, and what has told anybody."""
    return [_ladder(one, directory) for one in climbs if one.told or one.escalation.ended is None]


def _ladder(one: Climb, directory: Directory) -> Ladder:
    stands = one.escalation
    rung, repeat = stands.ladder.place(stands.rung + 1)
    return Ladder(
        id=stands.id,
        name=stands.ladder.name,
        told=one.told,
        rung=rung,
        rungs=len(stands.ladder.rungs),
        repeat=repeat,
        at=one.next_at,
        to=", ".join(whom(target, directory) for target in one.targets),
        held=one.held,
        ended=stands.ended,
    )


def whom(target: str, directory: Directory) -> str:
    """Whom *target* means, as people call them: a title, else the name in the settings."""
    kind, _, name = target.partition(":")
    if kind == PERSON and name in directory.people:
        return directory.people[name].title
    if kind == TEAM and name in directory.teams:
        return directory.teams[name].title
    return name
