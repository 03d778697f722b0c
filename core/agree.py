"""Makes stored clocks agree with computed ones. Pure: `core.store.clocks.put` acts on the answer.

Identity, ends and the watcher's memory follow clock.md: section 3 says which row is which clock,
section 7 what of the memory may change (a deadline that moved, a refusal, a correction, a breach
first seen together with its reply). No row is ever removed.

The seam. `put` reads the rows of all the threads that are recomputed together (locked), calls
`agree` once an account, writes `Changes` in batches, and does nothing else: what is not in
`Changes` does not happen. So it can be tried on a million threads without a database.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from core import remember
from core.remember import GONE, MERGED, Outcome, Terms
from sla.since import PREFIX
from sla.turn import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from core.model import ClockRow, Notice
    from sla.clock import Clock
    from sla.turn import Turn


class Computed(NamedTuple):
    """What one thread comes to now: its turns as stored, and the clocks computed from them.

    *kind* is the thread's, *language* that of the buyer's newest message of which one is known.
    """

    turns: Sequence[Turn]
    clocks: Sequence[Clock]
    kind: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line in the history of the clock with this id: *before* and *after* are JSON values.

    A negative id stands for a row that has none yet: -1 is the first of `Changes.new`, and so on.
    """

    clock: int
    what: str
    before: Mapping[str, object]
    after: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Changes:
    """All that is to be written, in one transaction.

    *new* have no id yet, so nothing is told about them; *changed* are the rows as they
    are to be, whole. *drop* maps a clock to the word (`core.labels.SUPPRESSED`) with
    which its unsent warnings and breaches are kept back. *reshaped* are clocks whose revision rose,
    though what was told of them stands. *notices* go by the routes, *corrections*
    to those who were told the breach. *counts* are added to the tally, by (metric, result): a
    result is one of `core.labels.RESULTS`.
    """

    new: Sequence[ClockRow] = ()
    changed: Sequence[ClockRow] = ()
    entries: Sequence[Entry] = ()
    drop: Mapping[int, str] = field(default_factory=dict)
    reshaped: Sequence[int] = ()
    notices: Sequence[Notice] = ()
    corrections: Sequence[Notice] = ()
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)


def agree(
    account: str,
    rows: Sequence[ClockRow],
    computed: Mapping[str, Computed],
    now: datetime,
    *,
    monitored_since: datetime,
    sure: bool = True,
) -> Changes:
    """What is to be written so that *rows* are the clocks in *computed*, which is by thread.

    *rows* are all stored clocks of these threads, ended ones included; where messages moved, both
    threads are recomputed together. *monitored_since* divides history from what is watched.
    Without *sure* (the host's clock is not believed) no breach is counted.
    """
    terms = Terms(account, now, monitored_since, sure)
    new: list[Outcome] = []
    if not rows:
        for thread, came_to in computed.items():
            new += [remember.begun(thread, clock, terms) for clock in came_to.clocks]
        return _changes(new, [])
    match = _Match(rows)
    changed: list[tuple[ClockRow, Outcome]] = []
    for thread, came_to in computed.items():
        refused = _Refused(came_to.turns)
        for clock in came_to.clocks:
            row, others = match.take(thread, clock)
            if row is None:
                new.append(remember.begun(thread, clock, terms))
            elif not _is_settled(row, thread, clock, now):
                changed.append((row, remember.recomputed(row, thread, clock, refused.ids, terms)))
            changed += [(o, remember.unclaimed(o, MERGED, terms, clock)) for o in others]
    left = match.left(computed)
    changed += [(row, remember.unclaimed(row, GONE, terms)) for row in left]
    return _changes(new, [outcome for row, outcome in changed if outcome.row != row])


class _Refused:
    """The refused replies of a thread; looked for only where somebody asks."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._turns = turns

    @cached_property
    def ids(self) -> frozenset[str]:
        return frozenset(t.id for t in self._turns if t.delivery is Delivery.REFUSED)


class _Match:
    """Which row is which clock. Rule: clock.md, section 3."""

    def __init__(self, rows: Iterable[ClockRow]) -> None:
        self._free: dict[tuple[str, ...], list[ClockRow]] = {}
        for row in rows:
            self._free.setdefault(_key(row.thread, row.clock, row.clock.started_by), []).append(row)

    def take(self, thread: str, clock: Clock) -> tuple[ClockRow | None, list[ClockRow]]:
        """The row of *clock*, and the other rows of its waiting.

        It is the row that the clock's own start began, else the live one, else the earliest.
        """
        found: list[ClockRow] = []
        for member in clock.members or (clock.started_by,):
            found += self._free.pop(_key(thread, clock, member), ())
        if len(found) > 1:
            found.sort(key=lambda row: _preference(row, clock))
        return (found[0], found[1:]) if found else (None, [])

    def left(self, threads: Mapping[str, Computed]) -> Iterator[ClockRow]:
        """The rows of these threads that no clock has claimed."""
        for rows in self._free.values():
            yield from (row for row in rows if row.thread in threads)


def _key(thread: str, clock: Clock, member: str) -> tuple[str, ...]:
    """What makes a row a clock's: the thread for a given deadline, else one of its members.

    A date is a member in its own thread only: another thread may have the same.
    """
    if clock.metric == "given":
        return clock.promise, thread
    place = thread if member.startswith(PREFIX) else ""
    return clock.promise, clock.waits_for, member, place


def _preference(row: ClockRow, clock: Clock) -> tuple[bool, bool, datetime, int]:
    own = row.clock.started_by == clock.started_by
    return not own, row.clock.ended is not None, row.clock.started_at, row.id or 0


def _is_settled(row: ClockRow, thread: str, clock: Clock, now: datetime) -> bool:
    """Whether nothing is to be done: the same clock, and no breach that waits for a better clock.

    While the host's clock was not believed, one that ended late was not counted, and before that
    one may have been told before its time.
    """
    if row.thread != thread or row.clock != clock:
        return False
    if clock.ended == "late":
        return row.breached_at is not None
    return clock.ended is not None or not row.step or clock.due_at < now


def _changes(new: Sequence[Outcome], changed: Sequence[Outcome]) -> Changes:
    entries = [Entry(-1 - n, *line) for n, outcome in enumerate(new) for line in outcome.lines]
    entries += [Entry(o.row.id or 0, *line) for o in changed for line in o.lines]
    return Changes(
        new=[outcome.row for outcome in new],
        changed=[outcome.row for outcome in changed],
        entries=entries,
        drop={o.row.id: o.drop for o in changed if o.drop and o.row.id is not None},
        reshaped=[o.row.id for o in changed if o.reshaped and o.row.id is not None],
        notices=[o.notice for o in changed if o.notice],
        corrections=[o.correction for o in changed if o.correction],
        counts=Counter([(o.row.clock.metric, r) for o in [*new, *changed] for r in o.results]),
    )
