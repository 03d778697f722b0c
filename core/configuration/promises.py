"""Promises from settings: goals of our own, and contracts that replace a connector's."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from core.configuration import openinghours
from core.configuration.sections import PolicySection
from core.durations import parse
from core.errors import Unfit
from sla import steps
from sla.policy import Contract, Policy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from core.configuration.complaints import Complaints, Path
    from sla.calendar import Calendar

_STAND_IN = timedelta(minutes=1)

ALWAYS = "always"
"""The calendar that counts round the clock; it need not be defined."""


def build(
    name: str,
    table: Mapping[str, Any],
    calendars: Mapping[str, Calendar | None],
    complaints: Complaints,
    now: datetime,
) -> tuple[Policy, ...]:
    """Every dated version of the promise *name*; none where it has faults, each complained of.

    A calendar that is None is defined but faulty: complained of where it stands. *now* is when
    a calendar must open for as long as is promised on it.
    """
    path: Path = ("policies", name)
    before = len(complaints.lines)
    sections = _sections(table, path, complaints)
    for where, section, written in sections:
        _warned(section, written, where, complaints)
        if section.calendar not in calendars:
            key = (*where, "calendar")
            complaints.unknown(key, "calendar", section.calendar, calendars)
        elif (calendar := calendars[section.calendar]) is not None:
            _reachable(section, calendar, where, complaints, now)
    if not any(
        complaints.any_at(where, ("effective_from", "effective_to")) for where, _, _ in sections
    ):
        _dates([section for _, section, _ in sections], path, complaints)
    if len(complaints.lines) > before:
        return ()
    ordered = sorted((s for _, s, _ in sections), key=_begin)
    return tuple(
        _policy(name, number, section, calendar)
        for number, section in enumerate(ordered, 1)
        if (calendar := calendars[section.calendar]) is not None
    )


def _warned(section: PolicySection, written: object, path: Path, complaints: Complaints) -> None:
    """Complain of warnings that lie outside the time that is promised, beside faulty ones too."""
    if complaints.any_at(path, ("reply_within", "next_reply_within")):
        return
    longest = max(section.reply_within, section.next_reply_within or section.reply_within)
    for number, text in enumerate(written if isinstance(written, list) else ()):
        if (before := _before(text)) is not None and before >= longest:
            fault = "lies before the waiting begins; write less than reply_within"
            complaints.add((*path, "warn", number), fault)


def _before(text: object) -> timedelta | None:
    """A warning so long before the deadline; None for one that is none, or a share."""
    try:
        return parse(text) if isinstance(text, str) else None
    except Unfit:
        return None


def _reachable(
    section: PolicySection, calendar: Calendar, path: Path, complaints: Complaints, now: datetime
) -> None:
    """Complain of what its calendar does not open for, from *now* or its later begin on.

    And warn of what it opens for in months alone.
    """
    if section.effective_to is not None and section.effective_to <= now:
        return
    start = max(now, section.effective_from or now)
    for key in ("reply_within", "next_reply_within"):
        within = getattr(section, key)
        if within is None:
            continue
        due_at = steps.reach(calendar, start, within)
        if due_at is None:
            fault = "its calendar does not open for that long; give the calendar hours, or less"
            complaints.add((*path, key), fault)
        elif doubt := openinghours.far(calendar, start, within, due_at):
            complaints.warn((*path, key), f"its calendar {doubt}; give the calendar more hours")


def _sections(
    table: Mapping[str, Any], path: Path, complaints: Complaints
) -> list[tuple[Path, PolicySection, object]]:
    """The table as one version, or its `versions`, each on top of what they share.

    The third is what stands there as the warnings, faulty ones included.
    """
    shared = {key: value for key, value in table.items() if key != "versions"}
    versions = table.get("versions")
    if versions is None:
        return [(path, _section(shared, path, complaints), shared.get("warn"))]
    if not isinstance(versions, list) or not all(isinstance(v, dict) for v in versions):
        complaints.add((*path, "versions"), "is no list; write [[policies.name.versions]]")
        return []
    places = [(*path, "versions", str(number)) for number in range(len(versions))]
    tables = [{**shared, **version} for version in versions]
    return [
        (place, _section(each, place, complaints), each.get("warn"))
        for place, each in zip(places, tables, strict=True)
    ]


def _section(table: Mapping[str, Any], path: Path, complaints: Complaints) -> PolicySection:
    """As far as it has no fault; a stand-in for what is promised fits into every calendar."""
    return complaints.read_on(PolicySection, table, path, {"reply_within": _STAND_IN})[0]


def _begin(section: PolicySection) -> tuple[bool, float]:
    begin = section.effective_from
    return begin is not None, begin.timestamp() if begin else 0.0


def _dates(sections: Sequence[PolicySection], path: Path, complaints: Complaints) -> None:
    ordered = sorted(sections, key=_begin)
    for section in ordered:
        begin, end = section.effective_from, section.effective_to
        if begin is not None and end is not None and end <= begin:
            complaints.add((*path, "effective_to"), "is not after effective_from; swap the dates")
    for earlier, later in pairwise(ordered):
        if _overlap(earlier.effective_to, later.effective_from):
            fault = "two versions are in force at once; end one where the next begins"
            complaints.add((*path, "versions"), f"their dates overlap: {fault}")


def _overlap(end: datetime | None, begin: datetime | None) -> bool:
    return end is None or begin is None or begin < end


def _policy(name: str, version: int, section: PolicySection, calendar: Calendar) -> Policy:
    shared = section.model_dump(exclude={"calendar", "judged_by"})
    judged = tuple(Contract(**judged.model_dump()) for judged in section.judged_by)
    return Policy(name=name, version=version, calendar=calendar, judged_by=judged, **shared)
