"""Reads calendar files of duties again when they change, and lays them out day by day.

A file that cannot be read any more changes nothing: what was read before counts on, the log says
why, once for each state of the file, and a metric shows it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from core.errors import Unfit
from core.people import rota
from core.people.rota import Rota

if TYPE_CHECKING:
    from datetime import datetime

    from core.people.directory import Directory
    from core.people.duty import Duty
    from core.running.state import State

EVERY = timedelta(seconds=30)
AFRESH = timedelta(days=1)
"""So long a layout serves: it reaches further than that by weeks."""

log = structlog.get_logger()


@dataclass(slots=True)
class Place:
    """By duty, why its file could not be read, as it was told last."""

    told: dict[str, str] = field(default_factory=dict)


async def once(state: State, place: Place, now: datetime) -> datetime:
    """Take over what changed in calendar files; when to look again."""
    directory = state.rules.routing.directory
    read = {
        name: await _read(directory, duty, place, now) for name, duty in directory.duties.items()
    }
    anew = {name: duty for name, duty in read.items() if duty is not directory.duties[name]}
    if anew and state.rules.routing.directory is directory:  # no reload came between
        _adopt(state, replace(directory, duties={**directory.duties, **anew}))
    on = {name: len(duty.roster.on(now)) for name, duty in read.items()}
    state.metrics.duties.seen(on, place.told.keys() & on.keys())
    return now + EVERY


def _adopt(state: State, directory: Directory) -> None:
    state.rules = replace(state.rules, routing=replace(state.rules.routing, directory=directory))


async def _read(directory: Directory, duty: Duty, place: Place, now: datetime) -> Duty:
    """*duty* by its file as it is now; itself, where nothing changed or nothing can be read."""
    roster = duty.roster
    if not isinstance(roster, Rota):
        return duty
    people = tuple(directory.people.values())
    try:
        if rota.stamp(roster.path) == roster.stamp and now < roster.begin + rota.BEHIND + AFRESH:
            place.told.pop(duty.name, None)
            return duty
        found = await asyncio.to_thread(rota.read, roster.path, duty.zone, people, now)
    except Unfit as fault:
        _say(place, duty.name, str(fault))
        return duty
    place.told.pop(duty.name, None)
    if found.stamp != roster.stamp:
        log.info("duty calendar read", duty=duty.name, events=len(found.held))
    return replace(duty, roster=found)


def _say(place: Place, duty: str, fault: str) -> None:
    if place.told.get(duty) != fault:
        place.told[duty] = fault
        log.warning("duty calendar kept as it was", duty=duty, fault=fault)
