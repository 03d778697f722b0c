"""What an explanation looks at: a clock, and all that it was computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sla import wording
from sla.given import age, split

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

    @property
    def readings(self) -> list[Given]:
        """What the marketplace said of this deadline, oldest first; empty for a policy's clock."""
        kind, _, act = self.clock.promise.removeprefix("given:").partition(":")
        deadlines, _ = split(self.given)
        return sorted(deadlines.get((kind, act), ()), key=age)

    @property
    def wants_message(self) -> bool:
        """Whether it asked last for what a message can give."""
        asked = [reading for reading in self.readings if reading.asks]
        return bool(asked) and asked[-1].by_message

    def when(self, at: datetime) -> str:
        """*at* on the wall of the calendar's zone, with its name."""
        return f"{self.short(at)} ({self.calendar.zone})"

    def short(self, at: datetime) -> str:
        """*at* on the wall of the calendar's zone."""
        return wording.on_the_wall(self.calendar.local(at))

    def elapsed(self, begin: datetime, end: datetime) -> str:
        """The working time between the two, in words."""
        return wording.duration(self.calendar.elapsed(begin, end))
