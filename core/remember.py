"""One stored clock meets its recomputed one: what of the watcher's memory changes, what is told.

The memory (`revision`, `step`, `breached_at`, `corrected_at`, `correction`) is no part of what is
computed. It changes only where clock.md, section 7, says so: a deadline that moved, a refusal, a
correction, a breach first seen together with its reply. Pure; `core.agree` puts the rows together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from core import keys
from core.model import ClockRow, Notice, NoticeKind
from sla.clock import DATES_DIFFER, SUPERSEDED, UNCERTAIN, reached
from sla.turn import Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from sla.clock import Clock

GONE, MERGED, RETIRED = "gone", "merged", "account_retired"
NOT_TAKEN_BACK = ("erased", RETIRED)
"""Reasons that end a clock and say nothing of a breach that was told before."""

_MARKED = Level.MARKED.value
_NOT_REOPENED = (GONE, MERGED, RETIRED)

Line = tuple[str, "Mapping[str, object]", "Mapping[str, object]"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for a whole call: see `core.agree.agree`."""

    account: str
    now: datetime
    monitored_since: datetime
    sure: bool


class Outcome(NamedTuple):
    """The row as it is to be, and what follows; *reshaped*: what was told of it stands."""

    row: ClockRow
    lines: tuple[Line, ...] = ()
    drop: str | None = None
    notice: Notice | None = None
    correction: Notice | None = None
    results: tuple[str, ...] = ()
    reshaped: bool = False


def is_history(clock: Clock, monitored_since: datetime, before: ClockRow | None = None) -> bool:
    """Whether the deadline had passed before the account was watched, so that nothing is counted.

    A clock whose start is uncertain never is. What was watched once stays so: a counted breach,
    and what belongs to an earlier time of watching the account (it had left, and returned).
    """
    if clock.due_at >= monitored_since or UNCERTAIN in clock.flags:
        return False
    if before is None or before.history or before.clock.reason == RETIRED:
        return True
    earlier = before.clock.due_at < monitored_since and UNCERTAIN not in before.clock.flags
    return before.breached_at is None and not earlier


def begun(thread: str, clock: Clock, terms: Terms) -> Outcome:
    """A clock without a row. One that was late at first sight is counted at once, and not told."""
    history = is_history(clock, terms.monitored_since)
    counted = not history and SUPERSEDED not in clock.flags
    breached = counted and clock.ended == "late" and terms.sure
    row = ClockRow(
        None,
        terms.account,
        thread,
        clock,
        breached_at=clock.due_at if breached else None,
        history=history,
        counted=counted,
    )
    lines = (_since_line(clock),) if DATES_DIFFER in clock.flags else ()
    return Outcome(row, lines, results=_first_results(row))


def recomputed(
    old: ClockRow, thread: str, clock: Clock, refused: AbstractSet[str], terms: Terms
) -> Outcome:
    """The row *old* as *clock* now is; *refused* are the ids of replies that were refused."""
    if old.clock.reason == RETIRED and clock.ended is None and not _has_returned(old, terms):
        clock = clock._replace(ended="void", reason=RETIRED, stopped_at=old.clock.stopped_at)
    moved = _moved(old.clock, clock)
    cause = _taken_back(old, clock, moved, terms)
    refusal = _refusal(old.clock, clock, refused)
    afresh = _is_afresh(old, clock, moved, refusal, terms)
    another_shape = not afresh and _is_another_shape(old, clock)
    row = _breached(old, clock, cause, terms)._replace(
        thread=thread,
        clock=clock,
        revision=old.revision + (afresh or another_shape),
        step=_step(old, clock, terms, afresh=afresh, refusal=bool(refusal)),
        history=is_history(clock, terms.monitored_since, old),
    )
    row = row._replace(counted=old.counted or _is_counted(row))
    return Outcome(
        row,
        tuple(_lines(old, row)),
        _drop(old, row, afresh=afresh),
        _notice(old, row, refusal, terms),
        _correction(old, cause, clock.due_at, terms) if cause else None,
        tuple(_results(old, row)),
        another_shape,
    )


def unclaimed(old: ClockRow, reason: str, terms: Terms, kept: Clock | None = None) -> Outcome:
    """A row that no computed clock is: it ends as void, for its waiting is gone or merged.

    *kept* is the clock that it was merged into; where that one is late too, a breach lives on there
    and nothing is taken back.
    """
    if old.clock.ended == "void" and old.clock.reason in (GONE, MERGED):
        return Outcome(old)
    lives_on = kept is not None and _is_late(kept, terms.now)
    cause = None
    if _stands(old) and not lives_on:
        cause = "start_moved" if kept else "reclassified"
    clock = old.clock._replace(ended="void", reason=reason, stopped_at=terms.now, stopped_by=None)
    row = _breached(old, clock, cause, terms)._replace(clock=clock)
    told = _correction(old, cause, clock.due_at, terms) if cause else None
    lines, results = tuple(_lines(old, row)), tuple(_results(old, row))
    return Outcome(row, lines, _drop(old, row, afresh=False), None, told, results)


def _has_returned(old: ClockRow, terms: Terms) -> bool:
    """Whether the account is watched again since the clock ended with it."""
    ended_at = old.clock.stopped_at
    return ended_at is None or terms.monitored_since >= ended_at


def _is_counted(row: ClockRow) -> bool:
    return not row.history and SUPERSEDED not in row.clock.flags


def _is_late(clock: Clock, now: datetime) -> bool:
    if SUPERSEDED in clock.flags:
        return False
    return clock.ended == "late" or (clock.ended is None and clock.due_at < now)


def _was_told(old: ClockRow) -> bool:
    """Whether the breach step was told (or muted by what stood for it)."""
    return bool(old.clock.steps) and old.step >= len(old.clock.steps)


def _stands(old: ClockRow) -> bool:
    """Whether a breach was counted, or told, and not taken back since."""
    if old.breached_at is not None:
        return old.corrected_at is None
    void_for_other_reasons = (MERGED, *NOT_TAKEN_BACK)
    ended = old.clock.ended in (None, "late") or old.clock.reason in void_for_other_reasons
    return _was_told(old) and ended


def _moved(old: Clock, clock: Clock) -> str | None:
    """Why `due_at` is another: the marketplace, a re-date or a newer message; else the start."""
    if old.due_at == clock.due_at:
        return None
    same_start = old.started_at == clock.started_at
    if same_start or clock.metric == "given" or clock.counts_from == "latest":
        return "deadline_moved"
    return "start_moved"


def _taken_back(old: ClockRow, clock: Clock, moved: str | None, terms: Terms) -> str | None:
    """Why a breach that was counted or told is none, as is now known; None where it stands."""
    if not _stands(old) or clock.reason in NOT_TAKEN_BACK:
        return None
    if SUPERSEDED in clock.flags:
        return "deadline_moved"
    if clock.ended == "late":
        return None
    if clock.ended is None:
        return (moved or "host_clock") if _is_ahead(clock, moved, terms) else None
    too_late_before = clock.stopped_at is not None and clock.stopped_at > old.clock.due_at
    if moved and too_late_before:
        return moved
    return "answered_elsewhere" if clock.ended == "met" else "marked"


def _is_ahead(clock: Clock, moved: str | None, terms: Terms) -> bool:
    """Whether the deadline is still to come: the marketplace's own, or by a clock that is sure.

    What was seen while the host's clock was behind begins too early, and so moves a start.
    """
    return clock.due_at >= terms.now and (moved == "deadline_moved" or terms.sure)


def _is_afresh(
    old: ClockRow, clock: Clock, moved: str | None, refusal: str | None, terms: Terms
) -> bool:
    """Whether telling starts afresh: another deadline, or the same one back in its place.

    So it does where a breach was told and taken back, and is one after all: what had ended the
    clock counts no more. Of a *refusal* its own notice tells.
    """
    if moved == "deadline_moved":
        return True
    if SUPERSEDED in clock.flags:
        return False
    if SUPERSEDED in old.clock.flags:
        return True
    if clock.ended is not None or not _was_told(old):
        return False
    was_over = old.clock.ended is not None and not _stands(old)
    late_after_all = was_over and refusal is None and _is_late(clock, terms.now)
    return late_after_all or _is_ahead(clock, moved, terms)


def _is_another_shape(old: ClockRow, clock: Clock) -> bool:
    """Whether the numbers of the steps mean something else now, so that keys must not repeat."""
    before, after = len(old.clock.steps), len(clock.steps)
    return bool(old.step and before and after) and before != after


def _breached(old: ClockRow, clock: Clock, cause: str | None, terms: Terms) -> ClockRow:
    """*old* with its memory of breaches as *clock* leaves it.

    A counted breach stays counted: it is corrected, stands again, or is counted anew after a later
    deadline.
    """
    counted = old.breached_at
    if cause and counted is not None:
        return old._replace(corrected_at=terms.now, correction=cause)
    if cause or not _is_late(clock, terms.now):
        return old
    if counted is not None and clock.due_at <= counted:
        return old._replace(corrected_at=None, correction=None)
    fresh = counted is None or old.corrected_at is not None
    watched = not is_history(clock, terms.monitored_since, old)
    if clock.ended == "late" and fresh and watched and terms.sure:
        return old._replace(breached_at=clock.due_at, corrected_at=None, correction=None)
    return old


def _step(old: ClockRow, clock: Clock, terms: Terms, *, afresh: bool, refusal: bool) -> int:
    """The highest step told or muted: it stays, but for a new deadline and after a refusal."""
    steps = clock.steps
    if not steps:
        return old.step
    if afresh:
        return reached(steps[:-1], terms.now)
    if _was_told(old):
        return len(steps)
    told = min(old.step, len(steps) - 1)
    passed = reached(steps if terms.sure else steps[:-1], terms.now)
    return max(told, passed) if refusal else told


def _refusal(old: Clock, clock: Clock, refused: AbstractSet[str]) -> str | None:
    """The refused reply that had ended the clock, which now runs again."""
    if old.ended in ("met", "late") and clock.ended is None and old.stopped_by in refused:
        return old.stopped_by
    return None


def _notice(old: ClockRow, row: ClockRow, refusal: str | None, terms: Terms) -> Notice | None:
    """What people must know now: the reply that was refused, the deadline that came nearer."""
    clock = row.clock
    if row.id is None or row.history or clock.ended is not None:
        return None
    if refusal:
        facts: dict[str, str | None] = {"reason": None, "waits_for": clock.waits_for}
        return _tell(row, NoticeKind.REPLY_REFUSED, keys.refused(row.id, refusal), facts, terms)
    before = old.clock.due_at
    if clock.metric == "given" and clock.due_at < before and row.revision > old.revision:
        facts = {"before": before.isoformat()}
        return _tell(row, NoticeKind.DEADLINE_MOVED, keys.moved(row.id, row.revision), facts, terms)
    return None


def _correction(old: ClockRow, cause: str, due_at: datetime, terms: Terms) -> Notice | None:
    if old.id is None:
        return None
    key = keys.corrected(old.id, old.revision)
    told = _tell(old, NoticeKind.CORRECTED, key, {"correction": cause}, terms)
    return replace(told, due_at=due_at)


def _tell(
    row: ClockRow, kind: NoticeKind, key: str, facts: Mapping[str, str | None], terms: Terms
) -> Notice:
    return Notice(
        key=key,
        kind=kind,
        account=row.account,
        raised_at=terms.now,
        thread=row.thread,
        clock=row.id,
        due_at=row.clock.due_at,
        facts=(("promise", row.clock.promise), *facts.items()),
    )


def _drop(old: ClockRow, row: ClockRow, *, afresh: bool) -> str | None:
    """With which word unsent warnings and breaches are kept back: they are true no more.

    What ended late without a reply is told all the same: nobody knows of it yet. So is what stands
    under other steps to the same deadline: unless telling starts *afresh*, it is not told again.
    """
    if old.clock.ended is not None or not old.step:
        return None
    if row.clock.ended == "late":
        return "answered" if row.is_replied else None
    if row.clock.ended == "met":
        return "answered"
    if row.clock.ended == "void" or SUPERSEDED in row.clock.flags:
        return "ended"
    return "moved" if afresh else None


_ENTERED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("metric", ("metric",)),
    ("started", ("started_by", "started_at", "policy_version")),
    ("due_at", ("due_at",)),
    ("ended", ("ended", "reason", "stopped_at", "stopped_by")),
)


def _lines(old: ClockRow, row: ClockRow) -> Iterator[Line]:
    """The entries: what was, and what is."""
    if old.thread != row.thread:
        yield "thread", {"thread": old.thread}, {"thread": row.thread}
    for what, names in _ENTERED:
        if any(getattr(old.clock, name) != getattr(row.clock, name) for name in names):
            yield what, _values(old.clock, names), _values(row.clock, names)
    if DATES_DIFFER in row.clock.flags - old.clock.flags:
        yield _since_line(row.clock)
    if old.breached_at != row.breached_at:
        before = _values(old, ("breached_at", "corrected_at", "correction"))
        yield "breached", before, _values(row, ("breached_at",))
    elif old.corrected_at != row.corrected_at:
        names = ("corrected_at", "correction")
        yield "corrected", _values(old, names), _values(row, names)


def _since_line(clock: Clock) -> Line:
    """The entry for a start that the marketplace dates otherwise: our date, and then theirs."""
    ours, theirs = clock.message_since, clock.given_since
    before, after = ours and ours.isoformat(), theirs and theirs.isoformat()
    return "since_differs", {"since": before}, {"since": after}


def _values(of: object, names: Sequence[str]) -> dict[str, object]:
    found = ((name, getattr(of, name)) for name in names)
    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in found}


def _first_results(row: ClockRow) -> tuple[str, ...]:
    """What is counted of a clock that had no row: see `core.labels.RESULTS`."""
    if not row.counted:
        return ("history",) if row.history else ()
    end = _end(row)
    results = ("started", end) if end else ("started",)
    return results if row.breached_at is None else (*results, "breached")


def _results(old: ClockRow, row: ClockRow) -> Iterator[str]:
    """What is counted of a change: see `core.labels.RESULTS`."""
    if row.history and not old.history:
        yield "history"
    if not _is_counted(row):
        return
    known = old if old.counted else None
    if known is None:
        yield "started"
    result = _end(row)
    same = known is not None and _end(known) and known.clock.ended == row.clock.ended
    if result and not same:
        yield result
    if row.breached_at != old.breached_at:
        yield "breached"
    if row.corrected_at and row.corrected_at != old.corrected_at:
        yield "corrected"
    was_over = known and known.clock.ended and known.clock.reason not in _NOT_REOPENED
    if was_over and not row.clock.ended:
        yield "reopened"


def _end(row: ClockRow) -> str | None:
    """What is counted of the end: late only where a reply came, an agent's `marked` apart."""
    clock = row.clock
    if clock.ended == "late":
        return "late" if row.is_replied else None
    return "marked" if clock.reason == _MARKED else clock.ended
