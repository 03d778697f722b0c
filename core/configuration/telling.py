"""What settings may say of who is told: people, teams, duties, ladders, routes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator

from core.configuration.sections import Day, Section, Zone
from core.durations import PositiveDuration
from core.errors import Unfit
from core.model import NoticeKind
from core.people.directory import KINDS
from core.routing import STEPPED

_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_KINDS = ", ".join(f'"{kind}:NAME"' for kind in KINDS)


def _language(text: str) -> str:
    if _TAG.fullmatch(text) is None:
        raise Unfit('is no language; write its code, such as "de" or "pt-BR" (BCP 47)')
    return text


def _target(text: str) -> str:
    kind, colon, name = text.partition(":")
    if kind not in KINDS or not colon or not name:
        raise Unfit(f"is nobody who can be told; write {_KINDS}")
    return text


def _warning(value: object) -> int | None:
    """The number of a warning, which pydantic would read from true and 1.0 too."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _step(value: object) -> int | str:
    if isinstance(value, str) and value in STEPPED:
        return value
    if (number := _warning(value)) is not None:
        return number
    raise Unfit('is no step; write "warning", "breach", or the number of a warning, from 1')


def _passing(value: object) -> NoticeKind | int:
    if isinstance(value, str) and value in set(NoticeKind):
        return NoticeKind(value)
    if (number := _warning(value)) is not None:
        return number
    raise Unfit('is no kind of notice, nor the number of a warning; write "breach", or 3')


def _file(path: object) -> object:
    if isinstance(path, str) and (not path.strip() or "://" in path):
        raise Unfit("is no file of this machine; fetch the calendar, and name where it lies")
    return path


Language = Annotated[str, AfterValidator(_language)]
Target = Annotated[str, AfterValidator(_target)]
Step = Annotated[int | str, PlainValidator(_step)]
Passing = Annotated[NoticeKind | int, PlainValidator(_passing)]
Hours = dict[str, tuple[str, ...]]
Exceptions = dict[Day, tuple[str, ...]]


class PersonSection(Section):
    """Somebody who is told. *quiet* are spans by day, as in a calendar, in the wall time of *zone*.

    On *quiet_holidays* all day is quiet; *quiet_exceptions* replace the spans of a date.
    """

    title: str = ""
    zone: Zone | None = None
    languages: tuple[Language, ...] = ()
    notifiers: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    quiet: Hours = Field(default_factory=dict)
    quiet_holidays: str | None = None
    quiet_exceptions: Exceptions = Field(default_factory=dict)
    quiet_lets_pass: frozenset[Passing] = frozenset()


class TeamSection(Section):
    """People who are told together, by *notifiers* of the team or by their own."""

    title: str = ""
    zone: Zone | None = None
    languages: tuple[Language, ...] = ()
    members: tuple[str, ...] = ()
    notifiers: tuple[str, ...] = ()


class ShiftSection(Section):
    """When these people are on duty, as a calendar says when it is open."""

    people: tuple[str, ...] = Field(min_length=1)
    hours: Hours
    holidays: str | None = None
    exceptions: Exceptions = Field(default_factory=dict)


class DutySection(Section):
    """Who is on duty: by *shifts*, or by the events of the file *ics*; else the *fallback*."""

    zone: Zone = "UTC"
    fallback: Target
    shifts: tuple[ShiftSection, ...] = ()
    ics: Annotated[Path, BeforeValidator(_file)] | None = None


class RungSection(Section):
    """Whom to tell so long *after* the first telling."""

    after: PositiveDuration
    tell: tuple[Target, ...] = Field(min_length=1)


class LadderSection(Section):
    """Whom to tell, one after the other, while nobody acts; the last again after *repeat*."""

    rungs: tuple[RungSection, ...] = Field(min_length=1, max_length=20)
    repeat: PositiveDuration | None = None


class RouteSection(Section):
    """Which notices go to which notifiers and targets: those that meet every condition."""

    notifiers: tuple[str, ...] = ()
    tell: tuple[Target, ...] = ()
    ladder: str | None = None
    kinds: frozenset[NoticeKind] = frozenset()
    marketplaces: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    languages: tuple[Language, ...] = ()
    policies: frozenset[str] = frozenset()
    steps: frozenset[Step] = frozenset()
    fallback: bool = False
