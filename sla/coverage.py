"""Structural holes: when a message may come that nobody is there to answer before it is due.

A promise runs by its calendar, the team is there by another. Over a weekend, a holiday or a night
the deadline may pass before enough time has passed in which somebody is there, whatever anybody
does. Such stretches of arrival are found here, exactly, not by trying instants.

Between two neighbouring points at which something opens or closes (for the arrival or for its
deadline) the staffed time that is left is a straight line: it grows, stands or falls by a second a
second. So one look at both ends of each piece says where in it the time is too short.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from sla import steps
from sla.calendar import NeverOpenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sla.calendar import Calendar
    from sla.policy import Policy

INSTANT = timedelta(microseconds=1)
"""The smallest step of time: instants are whole microseconds."""
BEYOND = timedelta(days=14)
"""A hole that reaches further over an edge of what is looked at is cut there."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Arrivals from *begin* (inclusive) to *end* (exclusive) that come due too soon.

    *first_due_at* and *last_due_at* are the deadlines of the first and the last of them; *staffed*
    is the shortest time in which somebody is there before such a deadline.
    """

    begin: datetime
    end: datetime
    first_due_at: datetime
    last_due_at: datetime
    staffed: timedelta


def shortest(policy: Policy) -> timedelta:
    """The shorter of the working times for a first and for a further reply: either may come."""
    return min(policy.reply_within, policy.next_reply_within or policy.reply_within)


def needed(policy: Policy, least: timedelta) -> timedelta:
    """The staffed time that an answer needs: *least*, or what is promised where that is less."""
    return min(least, shortest(policy))


def staffed_before_due(policy: Policy, team: Calendar, at: datetime) -> timedelta:
    """How long *team* is there between an arrival *at* an instant and its deadline."""
    return team.elapsed(at, _due_at(policy, at))


def holes(
    policy: Policy, team: Calendar, least: timedelta, begin: datetime, end: datetime
) -> list[Hole]:
    """The holes of *policy* from *begin* to *end* where *team* is there, in order.

    Looked at are arrivals while this version of the promise is in force; an arrival is in a hole
    where `staffed_before_due` is less than `needed`.
    """
    begin = max(begin, policy.effective_from or begin)
    end = min(end, policy.effective_to or end)
    if begin >= end:
        return []
    need = needed(policy, least)
    points = sorted({begin, end, *_turning_points(policy, team, begin, end)})
    found = (part for piece in pairwise(points) for part in _parts(policy, team, need, *piece))
    return list(_joined(found))


def whole(
    policy: Policy, team: Calendar, least: timedelta, begin: datetime, end: datetime
) -> list[Hole]:
    """As `holes`, those at the edges not cut but whole, unless they go on for weeks beyond."""
    first, last = begin - BEYOND, end + BEYOND
    found: list[Hole] = []
    for hole in holes(policy, team, least, first, last):
        if hole.end <= begin or hole.begin >= end:
            continue
        if first < hole.begin and hole.end < last:
            found.append(hole)
        else:
            cut = max(hole.begin, begin), min(hole.end, end)
            found += holes(policy, team, least, *cut)
    return found


def _due_at(policy: Policy, at: datetime) -> datetime:
    return steps.deadline(policy, shortest(policy), at)[0]


def _turning_points(
    policy: Policy, team: Calendar, begin: datetime, end: datetime
) -> Iterator[datetime]:
    """Arrivals at which the line of the time that is left may bend or jump.

    Where a calendar opens or closes, and where the deadline reaches such a point, by the promise's
    calendar or (where that has ended) round the clock.
    """
    within, last = shortest(policy), _due_at(policy, end)
    for at in _edges((policy.calendar, team), begin, last):
        for point in (at, at - within, _leading_to(policy.calendar, at, within)):
            if point is not None and begin < point < end:
                yield point


def _edges(calendars: Iterable[Calendar], begin: datetime, end: datetime) -> set[datetime]:
    spans = chain.from_iterable(calendar.spans(begin, end) for calendar in calendars)
    return set(chain.from_iterable(spans))


def _leading_to(calendar: Calendar, at: datetime, within: timedelta) -> datetime | None:
    """The first arrival whose deadline is *at*; None where there is none."""
    try:
        return calendar.add(at, -within)
    except (NeverOpenError, OverflowError):
        return None


def _parts(
    policy: Policy, team: Calendar, need: timedelta, begin: datetime, end: datetime
) -> Iterator[Hole]:
    """The holes of a piece: at its begin, for the deadline may jump there, and inside it."""
    at_begin = staffed_before_due(policy, team, begin)
    if at_begin < need:
        yield _hole(policy, begin, begin + INSTANT, at_begin)
    first, last = begin + INSTANT, end - INSTANT
    if first > last:
        return
    left, right = (staffed_before_due(policy, team, at) for at in (first, last))
    if left >= need:
        first += left - need + INSTANT
    if right >= need:
        last -= right - need + INSTANT
    if min(left, right) < need:
        yield _hole(policy, first, last + INSTANT, min(left, right))


def _hole(policy: Policy, begin: datetime, end: datetime, staffed: timedelta) -> Hole:
    return Hole(begin, end, _due_at(policy, begin), _due_at(policy, end - INSTANT), staffed)


def _joined(parts: Iterable[Hole]) -> Iterator[Hole]:
    """*parts* in order: those that touch are one."""
    current: Hole | None = None
    for part in parts:
        if current is not None and part.begin == current.end:
            staffed = min(current.staffed, part.staffed)
            current = replace(current, end=part.end, last_due_at=part.last_due_at, staffed=staffed)
            continue
        if current is not None:
            yield current
        current = part
    if current is not None:
        yield current
