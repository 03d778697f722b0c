"""Escalation ladders as the settings write them: who is told when nobody acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Rung:
    """So long *after* the first telling, if nobody has acted, these targets are told."""

    after: timedelta
    tell: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs in the order of their times, each later than the one before."""

    name: str
    rungs: tuple[Rung, ...]
