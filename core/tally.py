"""What of notices that leave together counts, and as what. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from core.model import NoticeKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from core.model import Dispatch

COUNTED: Mapping[NoticeKind, tuple[str, str]] = {
    NoticeKind.BREACH: ("breaches", "late"),
    NoticeKind.ESCALATION: ("escalations", "still open"),
    NoticeKind.WARNING: ("warnings", "due soon"),
    NoticeKind.DEADLINE_MOVED: ("moved", "moved nearer"),
    NoticeKind.CORRECTED: ("corrected", "taken back"),
    NoticeKind.PARKED: ("parked", "not delivered"),
}
"""By kind, the name of its number among the facts, and what is said of it."""

_OF_A_DEADLINE = frozenset({NoticeKind.BREACH, NoticeKind.ESCALATION, NoticeKind.WARNING})


def highest(parts: Sequence[Dispatch]) -> list[Dispatch]:
    """*parts* without steps of a clock that a higher one stands for: the breach, or the last."""
    steps = {NoticeKind.WARNING, NoticeKind.BREACH}
    ranks: dict[int | None, tuple[bool, datetime, str]] = {}
    for part in parts:
        if part.notice.kind in steps:
            rank = ranks.get(part.notice.clock)
            ranks[part.notice.clock] = max(_rank(part), rank) if rank else _rank(part)
    return [
        part
        for part in parts
        if part.notice.kind not in steps
        or part.notice.clock is None
        or ranks[part.notice.clock] == _rank(part)
    ]


def _rank(part: Dispatch) -> tuple[bool, datetime, str]:
    notice = part.notice
    return notice.kind is NoticeKind.BREACH, notice.raised_at, notice.key


def waiting(parts: Sequence[Dispatch]) -> list[Dispatch]:
    """Those of which somebody waits, the most urgent first."""
    told = {NoticeKind.CORRECTED, NoticeKind.PARKED}
    waiting = [part for part in parts if part.notice.kind not in told]
    return sorted(waiting, key=lambda part: part.notice.due_at or part.notice.raised_at)


def counts(parts: Sequence[Dispatch], now: datetime) -> str:
    """``2 late, 10 due soon``; what did not happen is left out, except of a deadline.

    A deadline of which a rung of a ladder tells counts as what it is by *now*, and as still open.
    """
    climbing = {each.notice.clock: _by_now(each, now) for each in parts if _climbs(each)}
    kinds = Counter(climbing.values())
    kinds[NoticeKind.ESCALATION] = len(climbing)
    kinds.update(
        part.notice.kind
        for part in parts
        if part.notice.kind not in _OF_A_DEADLINE or part.notice.clock not in climbing
    )
    always = {NoticeKind.BREACH, NoticeKind.WARNING}
    shown = [kind for kind in COUNTED if kinds[kind] or kind in always]
    return ", ".join(f"{kinds[kind]} {COUNTED[kind][1]}" for kind in shown)


def _climbs(part: Dispatch) -> bool:
    return part.notice.kind is NoticeKind.ESCALATION


def _by_now(part: Dispatch, now: datetime) -> NoticeKind:
    due_at = part.notice.due_at
    return NoticeKind.BREACH if due_at is not None and due_at <= now else NoticeKind.WARNING


def each_once(parts: Sequence[Dispatch]) -> list[Dispatch]:
    """The first of *parts* of each deadline: a step and a rung may tell of the same."""
    first: dict[object, Dispatch] = {}
    for part in parts:
        of_a_deadline = part.notice.kind in _OF_A_DEADLINE
        first.setdefault(part.notice.clock if of_a_deadline else part.notice.key, part)
    return list(first.values())
