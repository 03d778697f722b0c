"""Reads calendar files of duties again when they change, and lays them out day by day.

A file that cannot be read any more changes nothing: what was read before counts on, the log says
why, once for each fault, and a metric shows it. It ends no start and no reload either: whoever
fetches it may just have failed, and somebody is told all the same, the fallback at least.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from core.errors import Unfit
from core.people import rota
from core.people.rota import Rota, Unread

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.people.directory import Directory
    from core.people.duty import Duty
    from core.rules import Rules
    from core.running.state import State

EVERY = timedelta(seconds=30)
AFRESH = timedelta(days=1)
"""So long a layout serves: it reaches further than that by weeks."""

log = structlog.get_logger()


@dataclass(slots=True)
class Place:
    """By duty, why its file could not be read, as it was told last."""

    told: dict[str, str] = field(default_factory=dict)


def kept(old: Rules, new: Rules) -> Rules:
    """*new* rules, with the calendars that were read under the *old* and cannot be read now."""
    known = old.routing.directory.duties
    again = {
        name: replace(duty, roster=before.roster)
        for name, duty in new.routing.directory.duties.items()
        if (before := known.get(name)) and _is_lost(before, duty)
    }
    return _with(new, again) if again else new


def _is_lost(before: Duty, duty: Duty) -> bool:
    had, has = before.roster, duty.roster
    return isinstance(had, Rota) and isinstance(has, Unread) and had.path == has.path


def _with(rules: Rules, duties: Mapping[str, Duty]) -> Rules:
    directory = rules.routing.directory
    found = replace(directory, duties={**directory.duties, **duties})
    return replace(rules, routing=replace(rules.routing, directory=found))


async def once(state: State, place: Place, now: datetime) -> datetime:
    """Take over what changed in calendar files; when to look again."""
    directory = state.rules.routing.directory
    read = {
        name: await _read(directory, duty, place, now) for name, duty in directory.duties.items()
    }
    anew = {name: duty for name, duty in read.items() if duty is not directory.duties[name]}
    if anew and state.rules.routing.directory is directory:  # no reload came between
        state.rules = _with(state.rules, anew)
    on = {name: len(duty.roster.on(now)) for name, duty in read.items()}
    state.metrics.duties.seen(on, place.told.keys() & on.keys())
    return now + EVERY


async def _read(directory: Directory, duty: Duty, place: Place, now: datetime) -> Duty:
    """*duty* by its file as it is now; itself, where nothing changed or nothing can be read."""
    roster = duty.roster
    if not isinstance(roster, Rota | Unread):
        return duty
    try:
        if isinstance(roster, Rota) and _is_as_read(roster, now):
            place.told.pop(duty.name, None)
            return duty
        people = tuple(directory.people.values())
        found = await asyncio.to_thread(rota.read, roster.path, duty.zone, people, now)
    except Unfit as fault:
        _say(place, duty.name, str(fault))
        return duty
    place.told.pop(duty.name, None)
    if isinstance(roster, Unread) or found.stamp != roster.stamp:
        log.info("duty calendar read", duty=duty.name, events=len(found.held))
    return replace(duty, roster=found)


def _is_as_read(roster: Rota, now: datetime) -> bool:
    """Whether the file is what it was, and its layout reaches far enough."""
    fresh = now < roster.begin + rota.BEHIND + AFRESH
    return fresh and rota.stamp(roster.path) == roster.stamp


def _say(place: Place, duty: str, fault: str) -> None:
    if place.told.get(duty) != fault:
        place.told[duty] = fault
        log.warning("duty calendar kept as it was", duty=duty, fault=fault)
