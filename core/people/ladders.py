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
    """Rungs in the order of their times, each later than the one before.

    The last is told again so long after it as *repeat* says, then ever more rarely; None: once.
    """

    name: str
    rungs: tuple[Rung, ...]
    repeat: timedelta | None = None

    def place(self, told: int) -> tuple[int, int]:
        """Which rung (from 1) is the *told*th to be told, and which repeat of it; 0: none. Pure."""
        rung = min(told, len(self.rungs))
        return rung, told - rung
