"""The clocks of a thread as its page shows them: those that run first, with reasons. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from core.store import queue
from core.web.lettering import line
from sla.clock import SUPERSEDED, UNCERTAIN, UNSEEN
from sla.since import SAYS_ANSWERED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from core.desk.explaining import Change, Explained
    from core.model import ClockRow
    from core.store.elsewhere import Beside
    from core.web.lines import Place

ENDED = 10
"""Clocks that have ended and are explained at first, the last ones."""
TOLD_FLAGS = (UNCERTAIN, UNSEEN, SAYS_ANSWERED, SUPERSEDED)
"""Flags that say how far a deadline is to be believed."""

Value = datetime | str | None


@dataclass(frozen=True, slots=True)
class Changed:
    """One value that changed: the column's name, what it was, what it is."""

    name: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Step:
    """What changed at once."""

    at: datetime
    changed: tuple[Changed, ...]


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock. *band* is one of `core.labels.BANDS`, None once it has ended or where none is told.

    *next_at* is when that changes by time alone. *why* are sentences in English; *state* is
    `sla.clock.State`.
    """

    row: ClockRow
    state: str
    band: str | None
    next_at: datetime | None
    why: tuple[str, ...]
    history: tuple[Step, ...]
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sibling:
    """Another thread of the same buyer, and how its clocks and those here stand to each other.

    *word*: `answered_there` (there, since the buyer waits here), `runs_there` (while it was
    answered here), `waits_there`, or nothing.
    """

    beside: Beside
    place: Place
    subject: str
    word: str


def chosen(rows: Iterable[ClockRow], *, every: bool) -> tuple[list[ClockRow], int]:
    """The clocks to show, those that run by deadline first, then ended ones, the last first.

    Also how many ended ones are not among them, unless *every* one is asked for.
    """
    known = list(rows)
    running = sorted((row for row in known if row.clock.ended is None), key=_urgency)
    ended = [row for row in reversed(known) if row.clock.ended is not None]
    kept = ended if every else ended[:ENDED]
    return [*running, *kept], len(ended) - len(kept)


def _urgency(row: ClockRow) -> tuple[bool, datetime]:
    return not row.clock.steps, row.clock.due_at


def clocks(explained: Iterable[Explained], now: datetime) -> list[Clock]:
    """*explained* as they are shown at *now*."""
    return [
        Clock(
            one.row,
            one.row.clock.state(now),
            band := _band(one.row, now),
            _next(one.row, now) if band else None,
            tuple(line(step.text, 2000) for step in one.why),
            tuple(_steps(one.history)),
            tuple(flag for flag in TOLD_FLAGS if flag in one.row.clock.flags),
        )
        for one in explained
    ]


def _band(row: ClockRow, now: datetime) -> str | None:
    clock = row.clock
    if clock.ended is not None or row.history or not clock.steps:
        return None
    return queue.band(clock.due_at, clock.steps, now)


def _next(row: ClockRow, now: datetime) -> datetime | None:
    return min((step for step in row.clock.steps if step >= now), default=None)


def _steps(history: Iterable[Change]) -> Iterator[Step]:
    """What changed, oldest first; what differs by a part of a second only is left out."""
    for change in history:
        pairs = ((name, _value(a), _value(b)) for name, (a, b) in change.changes.items())
        changed = tuple(Changed(name, a, b) for name, a, b in pairs if a != b)
        if changed:
            yield Step(change.at, changed)


def _value(told: object) -> Value:
    if told is None:
        return None
    try:
        return datetime.fromisoformat(str(told)).replace(microsecond=0)
    except ValueError:
        return line(str(told).replace("_", " "))


def siblings(
    beside: Iterable[Beside], rows: Sequence[ClockRow], places: dict[str, Place]
) -> list[Sibling]:
    """The threads *beside* one of which *rows* are the clocks; *places* by account."""
    waits_since = min((r.clock.started_at for r in rows if _runs(r)), default=None)
    answered = any(row.is_replied for row in rows)
    return [
        Sibling(one, places[one.account], line(one.subject), _relation(one, waits_since, answered))
        for one in beside
    ]


def _runs(row: ClockRow) -> bool:
    return row.clock.ended is None and not row.history and bool(row.clock.steps)


def _relation(one: Beside, waits_since: datetime | None, answered: bool) -> str:  # noqa: FBT001  # a fact
    if one.due_at is not None:
        return "runs_there" if waits_since is None and answered else "waits_there"
    if waits_since and one.answered_at and one.answered_at >= waits_since:
        return "answered_there"
    return ""
