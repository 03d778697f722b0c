"""A person, or a team of them: what they answer, by what they are told, and when they are quiet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from core.told import NoticeKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sla.calendar import Calendar

FAR = timedelta(days=60)
"""So far ahead the end of quiet hours is looked for; then it is looked again."""
NEAR = timedelta(days=3)
"""A weekend ends within it: so far is looked first."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the settings who may be told something.

    *languages* are those that they answer (``de``, ``pt-BR``); none: any. *notifiers* tell them.
    *quiet* is open while they do not want to be told, but for what *passes*: kinds, or numbers of
    warnings. *also* are other names that a duty calendar may call them by.
    """

    name: str
    title: str
    zone: str = "UTC"
    languages: tuple[str, ...] = ()
    notifiers: tuple[str, ...] = ()
    quiet: Calendar | None = None
    passes: frozenset[NoticeKind | int] = frozenset()
    also: tuple[str, ...] = ()

    def answers(self, language: str | None) -> bool:
        """Whether they can answer what is written in *language*; None: nobody knows in which."""
        return not self.languages or speaks(self.languages, language)

    def lets_pass(self, kind: NoticeKind, step: int | None = None) -> bool:
        """Whether they are told at any hour; *step* is the number of a warning.

        What is taken back is told whoever was told it: a correction passes as the breach does.
        """
        if kind is NoticeKind.CORRECTED and NoticeKind.BREACH in self.passes:
            return True
        return kind in self.passes or (kind is NoticeKind.WARNING and step in self.passes)

    def quiet_until(self, at: datetime) -> datetime | None:
        """When the quiet hours end that hold *at* this instant, `FAR` at most; None: none do."""
        if self.quiet is None or not self.quiet.is_open(at):
            return None
        near = _end(self.quiet, at, at + NEAR)
        return near if near < at + NEAR else _end(self.quiet, at, at + FAR)


def _end(calendar: Calendar, at: datetime, until: datetime) -> datetime:
    """When *calendar* closes that is open *at* this instant, *until* at most."""
    return next(end for _, end in calendar.spans(at, until))


@dataclass(frozen=True, slots=True)
class Team:
    """People who are told together: by the team's own *notifiers*, else each by their own."""

    name: str
    title: str
    members: tuple[str, ...] = ()
    notifiers: tuple[str, ...] = ()
    zone: str = "UTC"
    languages: tuple[str, ...] = ()

    def answers(self, language: str | None) -> bool:
        """Whether the team says that it can answer what is written in *language*."""
        return not self.languages or speaks(self.languages, language)


def speaks(known: Iterable[str], language: str | None) -> bool:
    """Whether *language* is one of those *known*: ``de`` holds ``de-AT``, and not the reverse.

    Tags are compared as BCP 47 says (RFC 4647, 3.3.1, basic filtering): without regard to case.
    """
    if not language:
        return False
    said = language.replace("_", "-").lower()
    return any(
        said == tag or said.startswith(f"{tag}-")
        for tag in (each.replace("_", "-").lower() for each in known)
    )
