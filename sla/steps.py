"""The instants at which something is told: the warnings, then the deadline itself."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from sla.policy import WARN_SHARES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sla.policy import Policy

_NOTHING = timedelta(0)


def reached(steps: Sequence[datetime], now: datetime) -> int:
    """How many steps have passed at *now*; a step at *now* itself has not."""
    return sum(step < now for step in steps)


def next_alert_at(steps: Sequence[datetime], step: int) -> datetime | None:
    """The instant of the first step after *step*; None when all were told."""
    return steps[step] if step < len(steps) else None


def for_policy(
    policy: Policy, within: timedelta, started_at: datetime, due_at: datetime
) -> tuple[datetime, ...]:
    """The warnings of *policy* through its calendar, then *due_at*.

    Shares are counted from *started_at*, durations backwards from *due_at*; *within* is the time
    allowed between the two.
    """
    add = policy.calendar.add
    after, before = _offsets(policy.warn, within)
    warnings = {add(started_at, offset) for offset in after}
    if before:
        warnings.update([add(due_at, -offset) for offset in before])
    return (*sorted(warnings), due_at)


def for_given(started_at: datetime, due_at: datetime) -> tuple[datetime, ...]:
    """The usual shares of the real time between request and deadline, then *due_at*."""
    allowed = due_at - started_at
    warnings = {started_at + allowed * share for share in WARN_SHARES}
    return (*sorted(w for w in warnings if started_at < w < due_at), due_at)


@lru_cache(maxsize=1024)
def _offsets(
    warn: tuple[float | timedelta, ...], within: timedelta
) -> tuple[tuple[timedelta, ...], tuple[timedelta, ...]]:
    """*warn* as times after the start, and as times before the deadline.

    What is not between the two is left out: no warning stands before the start, and one at the
    deadline is the deadline.
    """
    before = (w for w in warn if isinstance(w, timedelta))
    after = (within * w for w in warn if not isinstance(w, timedelta))
    return _between(after, within), _between(before, within)


def _between(times: Iterable[timedelta], within: timedelta) -> tuple[timedelta, ...]:
    return tuple(time for time in times if _NOTHING < time < within)
