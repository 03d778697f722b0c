"""The instants at which something is told: the warnings, then the deadline itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from sla.calendar import Calendar, NeverOpenError
from sla.policy import WARN_SHARES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sla.policy import Policy

CALENDAR_ENDED = "calendar_ended"
"""The calendar does not open long enough for what is promised: the time counts round the clock."""

_NOTHING = timedelta(0)
_ROUND_THE_CLOCK = Calendar.always()
_LAST = datetime(9999, 12, 31, tzinfo=UTC)
"""Stands for a deadline that no date can say."""


def reached(steps: Sequence[datetime], now: datetime) -> int:
    """How many steps have passed at *now*; a step at *now* itself has not."""
    return sum(step < now for step in steps)


def next_alert_at(steps: Sequence[datetime], step: int) -> datetime | None:
    """The instant of the first step after *step*; None when all were told."""
    return steps[step] if step < len(steps) else None


def reach(calendar: Calendar, start: datetime, time: timedelta) -> datetime | None:
    """The instant that is *time* after *start* through *calendar*; None where it has none."""
    try:
        return calendar.add(start, time)
    except (NeverOpenError, OverflowError):
        return None


def _reach_each(calendar: Calendar, start: datetime, times: Iterable[timedelta]) -> list[datetime]:
    """`reach` for each of *times*, without those for which there is no instant."""
    try:
        return [calendar.add(start, time) for time in times]
    except (NeverOpenError, OverflowError):
        return [at for time in times if (at := reach(calendar, start, time))]


def deadline(policy: Policy, within: timedelta, started_at: datetime) -> tuple[datetime, bool]:
    """When *within* has passed through the calendar of *policy*, and whether it ended before.

    Where it did, the time counts round the clock: a promise that nobody can place must not cost
    the clock, nor the message that started it.
    """
    due_at = reach(policy.calendar, started_at, within)
    if due_at is not None:
        return due_at, False
    return reach(_ROUND_THE_CLOCK, started_at, within) or _LAST, True


def for_policy(
    policy: Policy,
    within: timedelta,
    started_at: datetime,
    due_at: datetime,
    *,
    calendar_ended: bool = False,
) -> tuple[datetime, ...]:
    """The warnings of *policy* through its calendar, then *due_at*.

    Shares are counted from *started_at*, durations backwards from *due_at*; *within* is the time
    allowed between the two. Where the calendar ended before, they count round the clock too.
    """
    calendar = _ROUND_THE_CLOCK if calendar_ended else policy.calendar
    after, before = _offsets(policy.warn, within)
    instants = _reach_each(calendar, started_at, after)
    instants += _reach_each(calendar, due_at, [-offset for offset in before]) if before else ()
    instants.sort()
    told, last = [], started_at
    for at in instants:
        if last < at < due_at:
            told.append(at)
            last = at
    told.append(due_at)
    return tuple(told)


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
