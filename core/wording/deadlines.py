"""What is said of a deadline: it comes near, it has passed, what became of a reply. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import spoken
from core.model import NoticeKind
from core.spoken import by, span
from core.told import ANSWERS, REFUSALS
from core.wording.told import deadline

if TYPE_CHECKING:
    from core.wording.told import Spoken, Told

_CORRECTIONS = {
    "answered_elsewhere": "it was answered at the marketplace in time",
    "deadline_moved": "the marketplace moved the deadline",
    "start_moved": "the buyer's waiting began at another time than we knew",
    "marked": "no reply was needed",
    "reclassified": "a message was classified anew",
    "host_clock": "the clock of our own machine was wrong",
}


_ENDS = {
    "met": ("Answered in time", "it was answered in time"),
    "late": ("Over, and late", "it ended after its time, and is counted as late"),
    "void": ("No reply is owed", "no reply is owed any more"),
    "taken_back": ("Taken back: not late", "it was not late, as we know now; its clock runs on"),
}


def _waiting(told: Told) -> str:
    who = "The marketplace" if told.fact("waits_for") == "marketplace" else "A buyer"
    began = told.at("started_at")
    since = f" since {told.when(began)}" if began else ""
    if told.asked:
        return f"The marketplace has been asking for {told.asked}{since}."
    return f"{who} has been waiting for a reply{since}."


def _next(told: Told) -> list[str]:
    place, *here = told.answering
    done = [f"answer {place}.", *here, f"If no reply is needed: replyby mark {told.thread} decided"]
    if told.asked:
        done = [f"do it {place}; a reply alone may not be what is asked for."]
    return [
        f"What to do: {done[0]}",
        *done[1:],
        f"Why this deadline: replyby explain {told.thread}",
    ]


def step(told: Told) -> Spoken:
    """A warning or a breach, by how late it is now: a warning may have been held up."""
    left = told.left
    what, thing = ("act", "Action") if told.asked else ("reply", "Reply")
    ahead = None if left is None or told.is_late else f"{span(left)} left to {what}"
    subject = ahead or f"{thing} overdue"
    lines = [_waiting(told), *deadline(told)]
    if told.notice.kind is NoticeKind.BREACH:
        lines.append(spoken.reading(told.account, told.at("read_at"), told.now))
    return subject, [*lines, *_next(told)]


def corrected(told: Told) -> Spoken:
    why = _CORRECTIONS.get(told.fact("correction"), "we know more now")
    return "Taken back: not late", [
        f"We told you that a deadline was missed. We take it back: {why}.",
        *(deadline(told) if told.fact("correction").endswith("_moved") else []),
        "What to do: nothing.",
    ]


def answered(told: Told) -> Spoken:
    subject, why = _ENDS.get(told.fact("ended"), ("Ended", "nobody waits for it any more"))
    return subject, [
        f"We told you of a deadline. It is closed: {why}.",
        "What to do: nothing.",
    ]


def moved(told: Told) -> Spoken:
    before = told.at("before")
    was = f" It was {told.when(before)}." if before else ""
    return "Deadline moved nearer", [
        f"The marketplace moved a deadline.{was}",
        *deadline(told),
        *_next(told),
    ]


def refused(told: Told) -> Spoken:
    why = REFUSALS.get(told.fact("reason"), "the marketplace refused it")
    subject = "Reply refused, deadline passed" if told.is_late else "Reply refused"
    whom = "the marketplace" if told.fact("waits_for") == "marketplace" else "the buyer"
    again = "answer again, at the marketplace if it refuses this way"
    return subject, [
        f"A reply from here did not reach {whom}: {why}. The original deadline stands.",
        *deadline(told),
        f"What to do: {ANSWERS.get(told.fact('reason'), again)}.",
    ]


def unknown(told: Told) -> Spoken:
    return "Reply perhaps not sent", [
        "A reply left here and the marketplace did not say whether it took it.",
        "It is not sent again by itself. The clock runs on until the reply is seen there.",
        *deadline(told),
        "What to do: look at the thread there; answer if the reply is missing.",
    ]


def history(told: Told) -> Spoken:
    waiting = told.fact("waiting") or "Some"
    wait = by(waiting, "old thread still waits", "old threads still wait")
    passed = by(waiting, "Its deadline", "Their deadlines")
    return f"{waiting} {wait}", [
        f"{passed} had passed before this account was watched: none is counted or warned of.",
        "What to do: replyby threads --history",
    ]
