"""Turns to clocks: which buyer waits since when, until when, and what ended it.

`clocks` is pure and total: the same turns in any order of arrival give the same list. What goes in
stands in `sla.turn`; how a waiting opens and ends in `sla.waitings` (turns), `sla.since` (a start
that the marketplace gives) and `sla.given` (a deadline that it gives).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from sla import steps
from sla.given import FOLLOW_UP, Deadline, deadline, split
from sla.policy import Party
from sla.since import Dates, since
from sla.steps import CALENDAR_ENDED, next_alert_at, reached
from sla.turn import (
    REST,
    Delivery,
    Given,
    Kind,
    Level,
    Outcome,
    Turn,
    accepted_at,
    in_order,
    instant,
)
from sla.waitings import SAME, Ended, Scan, Waiting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sla.policy import CountsFrom, Policy, ThreadKind

__all__ = [
    "REST",
    "Clock",
    "Delivery",
    "Given",
    "Kind",
    "Level",
    "Outcome",
    "Turn",
    "accepted_at",
    "clocks",
    "instant",
    "next_alert_at",
    "reached",
]

Metric = Literal["first_reply", "next_reply", "given"]
DueFrom = Literal["policy", "marketplace", "agent"]
State = Literal["running", "overdue", "met", "late", "void"]

UNCERTAIN = "start_uncertain"
UNSEEN = "unseen_in_time"
SUPERSEDED = "superseded"
DATES_DIFFER = "since_differs"

_NO_FLAGS: frozenset[str] = frozenset()


class Clock(NamedTuple):
    """One waiting of one promise.

    *members* are the ids of the turns (and of given readings, ``since:<date>``) of the waiting.
    *steps* are the instants of the warnings, then `due_at`; empty where nothing is to be told.
    *policy_version* is None for a given deadline.

    Neither stored nor compared: *counts_from*; and, where the marketplace gives a start, the oldest
    message that waits (*message_since*) and the oldest such date (*given_since*).
    """

    promise: str
    waits_for: Party
    metric: Metric
    policy_version: int | None
    members: tuple[str, ...]
    started_by: str
    started_at: datetime
    due_at: datetime
    due_from: DueFrom
    steps: tuple[datetime, ...]
    stopped_at: datetime | None = None
    stopped_by: str | None = None
    ended: Ended | None = None
    reason: str | None = None
    flags: frozenset[str] = frozenset()
    counts_from: CountsFrom = "oldest"
    message_since: datetime | None = None
    given_since: datetime | None = None

    def __eq__(self, other: object) -> bool:
        """Whether all that is stored is the same."""
        return isinstance(other, Clock) and self[:_STORED] == other[:_STORED]

    def __ne__(self, other: object) -> bool:
        """Whether something that is stored differs."""
        return not self == other

    def __hash__(self) -> int:
        """Of what is stored."""
        return hash(self[:_STORED])

    def state(self, now: datetime) -> State:
        """The state at *now*: exactly at `due_at` is still running."""
        if self.ended is not None:
            return self.ended
        return "overdue" if now > self.due_at else "running"


_STORED = Clock._fields.index("counts_from")


class Promises:
    """Policies as `clocks` reads them, one promise after the other: made once for many threads.

    A promise is one policy name, in all its versions, for one party that waits.
    """

    __slots__ = ("each",)

    def __init__(self, policies: Iterable[Policy]) -> None:
        by_name: dict[str, list[Policy]] = {}
        for policy in policies:
            by_name.setdefault(policy.name, []).append(policy)
        self.each: list[tuple[Party, tuple[Policy, ...]]] = []
        for versions in by_name.values():
            versions.sort(key=_takes_effect)
            for party in {party for policy in versions for party in policy.waits_for}:
                self.each.append((party, tuple(p for p in versions if party in p.waits_for)))


def clocks(
    turns: Iterable[Turn],
    policies: Sequence[Policy] | Promises,
    given: Sequence[Given] = (),
    *,
    kind: ThreadKind | None = None,
    incomplete: bool = False,
) -> list[Clock]:
    """Every waiting of every promise in one thread, in the order in which they started.

    *policies* are those that apply to the thread's kind, in all their versions, as they are or made
    ready for many threads (`Promises`). *kind* is the
    thread's; None means the kind that the policies apply to. *incomplete* says that the beginning
    of the thread is missing, so that a waiting before the first reply may be older than it looks.
    """
    promises = policies if isinstance(policies, Promises) else Promises(policies)
    moments = in_order(turns)
    groups, starts = split(given) if given else ({}, [])
    deadlines = [d for group in groups.values() if (d := deadline(group, moments))]
    dates = Dates(starts, moments) if starts else None
    found = [_of_deadline(d) for d in deadlines]
    for party, versions in promises.each:
        scan = Scan(versions, party)
        if dates:
            dates.read(scan)
        else:
            scan.read(moments)
        for number, waiting in enumerate(scan.found()):
            unsure = incomplete and number == 0 and waiting.first
            over = bool(deadlines) and _is_superseded(waiting, deadlines, kind)
            found.append(_of_waiting(waiting, unsure=unsure, superseded=over))
    if len(found) > 1:
        found.sort(key=_place)
    return found


def _place(clock: Clock) -> tuple[datetime, str, str]:
    return clock.started_at, clock.promise, clock.waits_for


def _takes_effect(policy: Policy) -> tuple[float, int]:
    begins = policy.effective_from
    return (begins.timestamp() if begins else float("-inf")), policy.version


def _is_superseded(
    waiting: Waiting, deadlines: Iterable[Deadline], kind: ThreadKind | None
) -> bool:
    """Whether a given deadline of the thread's kind stands in the contract's place.

    What matters is the clock's end, or the present while it runs.
    """
    if waiting.policy.role != "contract":
        return False
    kinds = waiting.policy.applies_to if kind is None else {kind}
    return any(d.kind in kinds and d.asks_at(waiting.stopped_at) for d in deadlines)


def _of_waiting(waiting: Waiting, *, unsure: bool, superseded: bool) -> Clock:
    policy, start, due_at = waiting.policy, waiting.start, waiting.due_at
    message_since, given_since = _since(waiting)
    flags = waiting.flags
    if start.uncertain or unsure:
        flags.add(UNCERTAIN)
    if start.seen_at > due_at and waiting.ended in (None, "late"):
        flags.add(UNSEEN)
    if superseded:
        flags.add(SUPERSEDED)
    if waiting.calendar_ended:
        flags.add(CALENDAR_ENDED)
    if message_since and given_since and abs(message_since - given_since) > SAME:
        flags.add(DATES_DIFFER)
    told = () if superseded else _steps(waiting)
    return Clock(
        policy.name,
        waiting.party,
        "first_reply" if waiting.first else "next_reply",
        policy.version,
        tuple(waiting.members),
        start.id,
        start.at,
        due_at,
        "policy",
        told,
        waiting.stopped_at,
        waiting.stopped_by,
        waiting.ended,
        waiting.reason,
        frozenset(flags) if flags else _NO_FLAGS,
        policy.counts_from,
        message_since,
        given_since,
    )


def _steps(waiting: Waiting) -> tuple[datetime, ...]:
    return steps.for_policy(
        waiting.policy,
        waiting.within,
        waiting.start.at,
        waiting.due_at,
        calendar_ended=waiting.calendar_ended,
    )


def _since(waiting: Waiting) -> tuple[datetime | None, datetime | None]:
    """The oldest unanswered message, and the oldest date that the marketplace gives, if it does."""
    dates = [start.at for start in waiting.counted if start.given]
    if not dates:
        return None, None
    messages = [start.at for start in waiting.counted if not start.given]
    return min(messages, default=None), min(dates)


def _of_deadline(found: Deadline) -> Clock:
    stop = found.stop
    ended = stop and (stop.ended or ("met" if stop.at <= found.due_at else "late"))
    return Clock(
        promise=found.promise,
        waits_for=Party.BUYER,
        metric="given",
        policy_version=None,
        members=(),
        started_by=since(found.started_at),
        started_at=found.started_at,
        due_at=found.due_at,
        due_from="agent" if found.kind == FOLLOW_UP else "marketplace",
        steps=steps.for_given(found.started_at, found.due_at),
        stopped_at=stop.at if stop else None,
        stopped_by=stop.by if stop else None,
        ended=ended,
        reason=stop.reason if stop else None,
        flags=found.flags,
    )
