"""What other promises would have meant: the waitings of a thread under one and the other. Pure.

The turns are what they were: who wrote when is not another because a promise was. So what a replay
says is what would have been counted, not what people would have done.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

from sla.clock import SUPERSEDED
from sla.contract import Judged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sla.clock import Clock, State
    from sla.policy import Policy

Fate = Literal["met", "missed", "void", "running"]

_FATES: Mapping[State, Fate] = MappingProxyType(
    {"met": "met", "late": "missed", "overdue": "missed", "void": "void", "running": "running"}
)
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


class Change(NamedTuple):
    """One waiting under two promises of one name; None where it is none under one of them."""

    before: Clock | None
    after: Clock | None


def substituted(
    held: Sequence[Policy], other: Mapping[str, Sequence[Policy]]
) -> tuple[Policy, ...]:
    """*held* with the versions of *other*, by name, in the place of those of the same name.

    They rule while the promise was held at all, each within its own dates; one that was never held
    rules by its own dates alone.
    """
    kept = [policy for policy in held if policy.name not in other]
    for name, versions in other.items():
        own = [policy for policy in held if policy.name == name]
        begins = min((p.effective_from or _FIRST for p in own), default=_FIRST)
        ends = max((p.effective_to or _LAST for p in own), default=_LAST)
        kept += [found for policy in versions if (found := _within(policy, begins, ends))]
    return tuple(kept)


def paired(before: Iterable[Clock], after: Iterable[Clock]) -> Iterator[Change]:
    """The waitings of one thread, each as it was and as it would have been.

    It is the same where the same turn or date belongs to both; each is the other of one alone.
    """
    free: dict[tuple[str, str, str], Clock] = {}
    for clock in before:
        free.update(dict.fromkeys(_keys(clock), clock))
    for clock in after:
        was = next((found for key in _keys(clock) if (found := free.get(key))), None)
        if was is not None:
            for key in _keys(was):
                free.pop(key, None)
        yield Change(was, clock)
    yield from (Change(clock, None) for clock in {id(c): c for c in free.values()}.values())


def fate(clock: Clock, at: datetime) -> Fate:
    """What had become of *clock* by then: missed also where it ran past its deadline."""
    return _FATES[clock.state(at)]


def lateness(clock: Clock, at: datetime) -> timedelta:
    """How long after its deadline *clock* ended, or runs by then; negative: before it."""
    return (clock.stopped_at or at) - clock.due_at


def warned(clock: Clock, at: datetime) -> list[datetime]:
    """When it would have been warned of: the warnings that passed before it ended."""
    end = clock.stopped_at or at
    return [step for step in clock.steps[:-1] if step < end]


def judged(clock: Clock) -> Judged:
    """*clock* as a contract looks at it."""
    by_a_turn = clock.reason is None and clock.stopped_by is not None
    return Judged(
        clock.started_at,
        clock.due_at,
        clock.stopped_at,
        clock.ended,
        by_a_turn and clock.ended in ("met", "late"),
        superseded=SUPERSEDED in clock.flags,
    )


def _within(policy: Policy, begins: datetime, ends: datetime) -> Policy | None:
    first = max(policy.effective_from or _FIRST, begins)
    last = min(policy.effective_to or _LAST, ends)
    if first >= last:
        return None
    return replace(
        policy,
        effective_from=None if first == _FIRST else first,
        effective_to=None if last == _LAST else last,
    )


def _keys(clock: Clock) -> list[tuple[str, str, str]]:
    """What it is known by: its own start first, then whatever belongs to it."""
    members = dict.fromkeys((clock.started_by, *clock.members))
    return [(clock.promise, clock.waits_for, member) for member in members]
