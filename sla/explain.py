"""Why a deadline is what it is, step by step, for people. Pure; English; no text of a message.

Messages are named by their ids; instants stand in the calendar's zone, the deadline in UTC too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sla.calendar import Calendar
from sla.case import Case
from sla.clock import DATES_DIFFER, SUPERSEDED, UNCERTAIN, UNSEEN
from sla.counting import counted
from sla.given import DUE_UNCERTAIN
from sla.since import PREFIX, SAYS_ANSWERED
from sla.steps import CALENDAR_ENDED
from sla.turn import EARLIEST, Kind, instant, is_delivered, is_uncertain
from sla.undone import not_ended, not_started, told_act
from sla.waitings import LAPSED, allowed
from sla.wording import duration, in_utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sla.clock import Clock
    from sla.policy import Policy
    from sla.turn import Given, Turn


@dataclass(frozen=True, slots=True)
class Line:
    """One step of an explanation: what it is about, and the sentence."""

    topic: str
    text: str


def explain(
    clock: Clock,
    turns: Sequence[Turn],
    policies: Sequence[Policy],
    given: Sequence[Given] = (),
    *,
    now: datetime,
) -> tuple[Line, ...]:
    """Why *clock* is due when it is, what ended it and what did not, as seen at *now*.

    *turns*, *policies* and *given* are those from which the clock was computed.
    """
    policy = next(
        (p for p in policies if (p.name, p.version) == (clock.promise, clock.policy_version)), None
    )
    calendar = policy.calendar if policy else Calendar.always()
    if CALENDAR_ENDED in clock.flags:
        calendar = Calendar.always(calendar.zone)
    case = Case(clock, {turn.id: turn for turn in turns}, policy, given, calendar, now)
    return tuple(Line(topic, text) for topic, text in _story(case))


def _story(case: Case) -> Iterator[tuple[str, str]]:
    yield "promise", _promise(case)
    if case.policy:
        yield "promise", _version(case.policy)
        yield from (("start", text) for text in _start(case))
        if CALENDAR_ENDED not in case.clock.flags:
            yield from (("time", text) for text in counted(case.policy, case.clock))
    else:
        yield from (("reading", text) for text in _readings(case))
    yield "due", _due(case)
    if case.clock.steps[:-1]:
        warnings = ", ".join(case.short(step) for step in case.clock.steps[:-1])
        yield "warnings", f"Warnings at {warnings}."
    yield from (("counts not", text) for text in not_ended(case))
    yield "end", _end(case)
    yield from (("note", text) for text in _notes(case))


def _promise(case: Case) -> str:
    clock, policy = case.clock, case.policy
    who = f"The {clock.waits_for} waits"
    if policy is None and clock.due_from == "agent":
        return f"{who} for the follow-up that an agent promised ({clock.promise})."
    if policy is None:
        return f"{who}; the marketplace itself says until when ({clock.promise})."
    which = "first reply" if clock.metric == "first_reply" else "further reply"
    kind = "contract of the marketplace" if policy.role == "contract" else "goal of our own"
    within = duration(allowed(policy, first=clock.metric == "first_reply"))
    return f"{who} for a {which}, promised within {within} by {policy.name}, a {kind}."


def _version(policy: Policy) -> str:
    begin, end = policy.effective_from, policy.effective_to
    parts = [f"Version {policy.version} was in force when the waiting began"]
    if begin or end:
        since = f"from {in_utc(begin)}" if begin else "from the beginning"
        parts.append(f"{since} until {in_utc(end)}" if end else f"{since} on")
    if policy.source:
        parts.append(f"source: {policy.source}")
    if policy.checked_on:
        parts.append(f"checked on {policy.checked_on.isoformat()}")
    if policy.review_after:
        parts.append(f"to be checked again after {policy.review_after.isoformat()}")
    return "; ".join(parts) + "."


def _start(case: Case) -> Iterator[str]:
    clock = case.clock
    turn = case.turns.get(clock.started_by)
    began = case.when(clock.started_at)
    if turn is None:
        yield f"It starts {began}: since then, the marketplace says, a reply is needed."
    elif case.counts_latest:
        yield f"It starts {began} with message {turn.id}, the latest one: each one moves it."
    else:
        yield f"It starts {began} with message {turn.id}, the oldest unanswered one."
    if turn and is_uncertain(turn):
        yield f"Its own stamp cannot be: it {_fault(turn)}. It counts from when we saw it."
    elif turn and turn.seen_at > clock.started_at:
        yield f"We saw it {duration(turn.seen_at - clock.started_at)} after it was written."
    yield from _others(case)
    answer = _answer_before(case)
    if answer:
        yield f"Before that, message {answer.id} had answered on {case.short(instant(answer))}."
    yield from not_started(case)


def _fault(turn: Turn) -> str:
    if turn.sent_at is None:
        return "cannot be read"
    return "lies before 2000" if turn.sent_at < EARLIEST else "lies after the instant of our sight"


def _others(case: Case) -> Iterator[str]:
    """The other members of the waiting."""
    clock = case.clock
    for name in clock.members:
        if name == clock.started_by:
            continue
        turn = case.turns.get(name)
        if turn is None and name.startswith(PREFIX):
            yield f"The marketplace dates its begin {_date(case, name)}; that is kept with it."
        elif turn and instant(turn) < clock.started_at and not case.counts_latest:
            yield f"Message {name} came before; a mark says that it needs no reply."
        elif turn:
            yield f"Message {name} ({case.short(instant(turn))}) waits with it."


def _date(case: Case, name: str) -> str:
    """The date in a member's id (``since:<date>``, where it was asked again ``/<by>`` follows)."""
    date, _, _ = name.removeprefix(PREFIX).partition("/")
    return case.short(datetime.fromisoformat(date))


def _answer_before(case: Case) -> Turn | None:
    """The last answer before the waiting began."""
    said = [
        turn for turn in case.turns.values()
        if turn.kind in (Kind.MESSAGE, Kind.ANSWERED_ELSEWHERE) and turn.party == "seller"
        and case.clock.waits_for in turn.to and is_delivered(turn)
        and instant(turn) <= case.clock.started_at
    ]  # fmt: skip
    return max(said, key=instant, default=None)


def _readings(case: Case) -> Iterator[str]:
    clock, readings = case.clock, case.readings
    for reading in readings:
        yield _reading(case, reading)
        if reading.sentence:
            yield f'It was read from these words: "{_shown(reading.sentence)}".'
    if readings and readings[-1].asks and clock.stopped_by and clock.due_from != "agent":
        yield "That was before it ended; what the marketplace says since then is not read yet."
    yield f"It counts from {case.when(clock.started_at)}."


def _reading(case: Case, reading: Given) -> str:
    """One of them; a reading asks no more because the seller acted, or because of its outcome."""
    asks = "asks" if reading.asks else "no longer asks"
    due = f", until {case.short(reading.due_at)}" if reading.due_at else ""
    acted = f"; the seller acted on {case.short(reading.acted_at)}" if reading.acted_at else ""
    is_idle = reading.outcome is None or (reading.acted_at and reading.outcome == "withdrawn")
    outcome = "" if is_idle else f"; {str(reading.outcome).replace('_', ' ')}"
    return f"As of {case.short(reading.as_of)} it {asks}{due}{acted}{outcome}."


def _shown(sentence: str) -> str:
    """Somebody else's words in one line, without what a terminal would obey."""
    return " ".join("".join(c if c.isprintable() else " " for c in sentence).split())


def _due(case: Case) -> str:
    due_at = case.clock.due_at
    return f"Due {case.when(due_at)}, that is {in_utc(due_at)}."


def _end(case: Case) -> str:
    clock = case.clock
    if clock.stopped_at is None:
        return _running(case)
    stopped_by = clock.stopped_by or told_act(case)
    at, by = case.when(clock.stopped_at), f" by {stopped_by}" if stopped_by else ""
    if clock.ended == "void":
        return f"Ended {at}{by} without a reply owed: {_REASONS.get(str(clock.reason), 'void')}."
    used = case.elapsed(clock.started_at, clock.stopped_at)
    if clock.ended == "met":
        left = case.elapsed(clock.stopped_at, clock.due_at)
        return f"Met {at}{by}: after {used}, with {left} left."
    late = case.elapsed(clock.due_at, clock.stopped_at)
    why = f" ({_LATE[clock.reason]})" if clock.reason in _LATE else ""
    return f"Late{why} {at}{by}: after {used}, {late} after the deadline."


def _running(case: Case) -> str:
    due_at, now = case.clock.due_at, case.now
    if now <= due_at:
        return f"Not ended yet: {case.elapsed(now, due_at)} left at {case.when(now)}."
    return f"Not ended yet: {case.elapsed(due_at, now)} overdue at {case.when(now)}."


_REASONS = {
    "decided": "an agent decided here that none is needed",
    "marked": "an agent says that the marketplace was told that none is needed",
    "confirmed": "the marketplace shows the mark that none is needed",
    "unanswerable": "no answer is possible there any more",
    "erased": "the buyer was erased",
    "withdrawn": "it was withdrawn, or is asked no more",
    "escalated": "it was escalated",
    "closed_by_buyer": "the buyer closed it",
    "merged": "its waiting is part of another",
    "gone": "its waiting is no more",
    "account_retired": "the account is read no more",
    LAPSED: "a further message came after the window",
}

_LATE = {
    **_REASONS,
    "withdrawn": "unanswered: the marketplace asks no more",
    "escalated": "unanswered: it was escalated",
    "closed_by_buyer": "unanswered: the buyer closed it",
}
"""What ended a clock after its deadline: whoever closed it, nobody here had acted in time."""


_NOTES = {
    UNCERTAIN: "When it began is uncertain.",
    UNSEEN: "It was first seen after its deadline.",
    SUPERSEDED: "A deadline that the marketplace gives stands in its place: nothing is told of it.",
    SAYS_ANSWERED: "The marketplace says that it was answered; we see no answer, so it runs on.",
    DATES_DIFFER: "The marketplace dates the waiting otherwise than the message that we see.",
    CALENDAR_ENDED: "Its calendar does not open for that long: the time counts round the clock.",
    DUE_UNCERTAIN: "The marketplace did not state the date: the shortest published time was taken.",
}


def _notes(case: Case) -> Iterator[str]:
    yield from (_NOTES[flag] for flag in sorted(case.clock.flags) if flag in _NOTES)
