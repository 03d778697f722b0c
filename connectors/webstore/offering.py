"""What several kinds offer alike: a promise of our own, and what is read by itself. Light."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Protocol

from core.model import Stream
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
GOOD_FOR = timedelta(days=365)
"""So long after it was checked, a promise is to be looked at again."""


class Polled(Protocol):
    """Options of a kind that is read by asking; *is_near*: its server is on this machine."""

    @property
    def poll_every(self) -> timedelta: ...
    @property
    def is_near(self) -> bool: ...


def goal(name: str, kind: ThreadKind, within: timedelta, why: str, checked_on: date) -> Policy:
    """A promise of ours, at every hour of the day: nobody outside sets it."""
    return Policy(
        name=name,
        version=1,
        role="goal",
        applies_to=frozenset({kind}),
        waits_for=frozenset({Party.BUYER}),
        reply_within=within,
        calendar=Calendar.always(),
        source=f"our own: {why}; nobody outside sets it",
        checked_on=checked_on,
        review_after=checked_on + GOOD_FOR,
    )


def floored(options: Polled, floor: timedelta) -> timedelta:
    """The *floor* of a stream; on this machine a second."""
    return SECOND if options.is_near else floor


def read(
    name: str,
    options: Polled,
    floor: timedelta,
    kind: ThreadKind,
    *,
    ascending: bool = False,
    pushed: bool = False,
) -> Stream:
    """Threads of one *kind*, as often as the settings say."""
    return Stream(
        name,
        options.poll_every,
        ascending=ascending,
        floor=min(floored(options, floor), options.poll_every),
        kinds=frozenset({kind}),
        pushed=pushed,
    )


def watched(
    name: str, every: timedelta, options: Polled, floor: timedelta, *, limited_alone: bool = False
) -> Stream:
    """Whether we are still pushed to: *every* so often, on this machine each minute."""
    return Stream(
        name,
        MINUTE if options.is_near else every,
        carries_clocks=False,
        floor=floored(options, floor),
        kinds=frozenset(),
        limited_alone=limited_alone,
    )
