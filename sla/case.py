"""What an explanation looks at: a clock, and all that it was computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sla import wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sla.calendar import Calendar
    from sla.clock import Clock
    from sla.policy import Policy
    from sla.turn import Given, Turn


@dataclass(frozen=True, slots=True)
class Case:
    """One clock to be explained. *calendar* is the policy's; UTC for a given deadline.

    *turns* stand by their ids.
    """

    clock: Clock
    turns: Mapping[str, Turn]
    policy: Policy | None
    given: Sequence[Given]
    calendar: Calendar
    now: datetime

    @property
    def counts_latest(self) -> bool:
        """Whether each further message moves the start."""
        return self.policy is not None and self.policy.counts_from == "latest"

    def when(self, at: datetime) -> str:
        """*at* on the wall of the calendar's zone, with its name."""
        return f"{self.short(at)} ({self.calendar.zone})"

    def short(self, at: datetime) -> str:
        """*at* on the wall of the calendar's zone."""
        return wording.on_the_wall(self.calendar.local(at))

    def elapsed(self, begin: datetime, end: datetime) -> str:
        """The working time between the two, in words."""
        return wording.duration(self.calendar.elapsed(begin, end))
