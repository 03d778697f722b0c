"""What did not start a clock and what did not end it, and why: the questions that people ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sla.policy import Party
from sla.turn import Delivery, Kind, Level, instant, is_delivered
from sla.waitings import voids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sla.case import Case
    from sla.turn import Turn

_UNDELIVERED = {
    Delivery.SENDING: "is still being sent",
    Delivery.UNKNOWN: "may not have been sent: nobody said so",
    Delivery.REFUSED: "was refused",
    None: "has no proof of delivery",
}


def not_started(case: Case) -> Iterator[str]:
    """Turns of the one who waits, before the start, that counted for nothing."""
    for turn in _between(case, None, case.clock.started_at):
        if turn.party is not case.clock.waits_for or turn.id in case.clock.members:
            continue
        if turn.kind is Kind.AUTOMATIC and not _counts_automatic(case):
            yield f"Message {turn.id} before it is automatic: it starts nothing here."
        elif turn.kind is Kind.WITHDRAWN:
            yield f"Message {turn.id} before it was withdrawn: it counts no more."


def not_ended(case: Case) -> Iterator[str]:
    """Turns after the start that might have ended the clock and did not, each with the reason."""
    for turn in _between(case, case.clock.started_at, case.clock.stopped_at):
        if turn.id in {case.clock.stopped_by, told_act(case)} or turn.id in case.clock.members:
            continue
        why = _why_not(case, turn)
        if why:
            yield f"Message {turn.id} ({case.short(instant(turn))}) {why}."


def told_act(case: Case) -> str | None:
    """The message that is the act by which the marketplace says that it was met, if one is.

    It dates the act and names no message.
    """
    clock = case.clock
    if clock.stopped_by or clock.stopped_at is None or not case.wants_message:
        return None
    return next(
        (turn.id for turn in _between(case, clock.stopped_at, clock.stopped_at)
         if turn.party is Party.SELLER and turn.kind is Kind.MESSAGE
         and clock.waits_for in turn.to and is_delivered(turn)),
        None,
    )  # fmt: skip


def _between(case: Case, begin: datetime | None, end: datetime | None) -> list[Turn]:
    found = [
        turn for turn in case.turns.values()
        if (begin is None or instant(turn) >= begin) and (end is None or instant(turn) <= end)
    ]  # fmt: skip
    return sorted(found, key=lambda turn: (instant(turn), turn.id))


def _why_not(case: Case, turn: Turn) -> str | None:
    if turn.kind is Kind.NO_REPLY_NEEDED:
        return _why_no_mark(case, turn)
    if turn.kind in (Kind.CLOSED, Kind.REOPENED, Kind.SYSTEM):
        return "is a status: it answers nobody"
    if turn.kind is Kind.WITHDRAWN and turn.party is case.clock.waits_for:
        return "was withdrawn: it counts no more"
    if turn.party is not Party.SELLER:
        automatic = turn.kind is Kind.AUTOMATIC and turn.party is case.clock.waits_for
        return "is automatic: it starts nothing" if automatic else None
    return _why_no_answer(case, turn)


def _why_no_answer(case: Case, turn: Turn) -> str:
    waits_for = case.clock.waits_for
    if turn.kind is Kind.INTERNAL:
        return "is internal: nobody there reads it"
    if turn.kind is Kind.AUTOMATIC and not _counts_automatic(case):
        return "is automatic: it is no answer here"
    if waits_for not in turn.to:
        others = " and ".join(sorted(turn.to)) or "nobody"
        return f"is addressed to {others} only, not to the {waits_for}"
    return _why_no_end(case, turn) if is_delivered(turn) else _UNDELIVERED[turn.delivery]


def _why_no_end(case: Case, turn: Turn) -> str:
    if instant(turn) == case.clock.started_at:
        return "came at the same instant: it cannot answer"
    if case.policy is None and not case.wants_message:
        return "is no answer to what is asked for"
    if any(turn.id in reading.copies for reading in case.readings):
        return (
            "may be what was said here before, as the marketplace dates it: it does not end this; "
            "if somebody answered there, say so here"
        )
    return "did not end it: the marketplace went on asking"


def _why_no_mark(case: Case, turn: Turn) -> str:
    if turn.level is None or turn.level is Level.GUESSED:
        return "only guesses that no reply is needed"
    if case.policy is None:
        return "says that no reply is needed; this deadline asks for more than a reply"
    if not voids(case.policy, turn.level):
        return "decides it here only; this marketplace has a mark of its own, which is not set"
    return "does not cover the message that waits: it came in afterwards"


def _counts_automatic(case: Case) -> bool:
    return case.policy is not None and case.policy.counts_automatic
