"""What a notice says to a person: marketplace, account, how long is left, what to do next. Pure.

Worded at the moment of sending, so that "2 h left" is true and a late notice says "late". Nothing
of a buyer is known here: a notice has closed words, numbers and instants only.

Facts by kind (instants in ISO 8601; whatever is missing is left unsaid):

    warning, breach       promise, waits_for, metric, due_from, started_at, read_at
    corrected             promise, correction
    deadline_moved        promise, before
    reply_refused         promise, reason, waits_for
    reply_unknown         -
    history_summary       waiting
    blind                 streams, seen_through, expected, earliest, reason
    account_down          since, polled
    account_up            since, blind_since
    push_silent           since, trouble, polled, usual, limit
    push_heard            since, polled
    flooded               since, n
    credential_expiring   expires_at, credential
    policy_review         promise, version, day
    payload_set_aside     stream, reason, others, n
    account_retired       ended
    digest                breaches, corrected, moved, notices, parked, since, warnings
    parked                kind, notifier, reason
    test                  route
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from core import spoken
from core.model import NoticeKind
from core.notifier import Words
from core.spoken import asked, by, instant, span
from core.told import ANSWERS, REFUSALS
from sla import zones

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from core.model import Account, Notice
    from core.rules import Rules

_CORRECTIONS = {
    "answered_elsewhere": "it was answered at the marketplace in time",
    "deadline_moved": "the marketplace moved the deadline",
    "start_moved": "the buyer's waiting began at another time than we knew",
    "marked": "no reply was needed",
    "reclassified": "a message was classified anew",
    "host_clock": "the clock of our own machine was wrong",
}


@dataclass(frozen=True, slots=True)
class _Told:
    """A notice with all that its words are made of."""

    notice: Notice
    account: Account | None
    role: str | None
    zone: ZoneInfo
    now: datetime
    url: str | None

    def fact(self, name: str) -> str:
        value = dict(self.notice.facts).get(name)
        return "" if value is None else str(value)

    def at(self, name: str) -> datetime | None:
        text = self.fact(name)
        return datetime.fromisoformat(text) if text else None

    def when(self, at: datetime) -> str:
        return instant(at, self.zone)

    @property
    def title(self) -> str:
        """The account as people know it."""
        return self.account.title if self.account else self.notice.account

    @property
    def left(self) -> timedelta | None:
        """Until the deadline; negative when it has passed."""
        return self.notice.due_at - self.now if self.notice.due_at else None

    @property
    def asked(self) -> str | None:
        """What the marketplace asks for by a date of its own; None where a reply is waited for."""
        return asked(self.fact("promise"))

    @property
    def is_late(self) -> bool:
        left = self.left
        return left is not None and left.total_seconds() < 0

    @property
    def thread(self) -> str:
        """Account and thread as a command takes them."""
        words = (self.notice.account, self.notice.thread or "")
        return shlex.join(("--", *words) if words[1].startswith("-") else words)

    @property
    def answering(self) -> list[str]:
        """How the thread is answered where the notice leads to no page of it."""
        account = None if self.url else self.account
        return spoken.answering(account, self.thread, self.fact("waits_for"))


_Spoken = tuple[str, "list[str]"]


def render(notice: Notice, rules: Rules, *, url: str | None, zone: str, now: datetime) -> Words:
    """The words for *notice*, worded at *now* for a reader in *zone*."""
    told = _told(notice, rules, zone, now, url)
    subject, lines = _SAY[notice.kind](told)
    return _words(told, subject, [*lines, *_place(told)], url)


def _told(notice: Notice, rules: Rules, zone: str, now: datetime, url: str | None) -> _Told:
    promise = dict(notice.facts).get("promise")
    roles = {p.name: p.role for p in rules.policies.get(notice.account, ())}
    account = rules.accounts.get(notice.account)
    return _Told(notice, account, roles.get(str(promise)), zones.zone(zone), now, url)


def _words(told: _Told, subject: str, lines: Sequence[str], url: str | None) -> Words:
    whole = f"{subject}: {told.title}" if told.title else subject
    return Words(" ".join(whole.split()), "\n".join(line for line in lines if line), url, told.now)


def _place(told: _Told) -> list[str]:
    """Where it is: marketplace, account, thread, in which promise."""
    account, notice = told.account, told.notice
    lines = [f"Marketplace: {account.marketplace}"] if account else []
    if notice.account:
        named = f"{told.title} ({notice.account})" if account else notice.account
        lines.append(f"Account: {' '.join(named.split())}")
    if notice.thread:
        lines.append(f"Thread: {notice.thread}")
    if told.fact("promise") and notice.clock is not None:
        lines.append(f"Promise: {told.fact('promise')}{_role(told)}")
    return lines


def _role(told: _Told) -> str:
    if told.asked:
        return " (a date that the marketplace gives)"
    return {"contract": " (the marketplace's contract)", "goal": " (our own goal)"}.get(
        told.role or "", ""
    )


def _deadline(told: _Told) -> list[str]:
    due_at, left = told.notice.due_at, told.left
    if due_at is None or left is None:
        return []
    if told.is_late:
        return [f"The deadline was {told.when(due_at)}: late by {span(left)}."]
    return [f"{'Act' if told.asked else 'Reply'} by {told.when(due_at)}: {span(left)} left."]


def _waiting(told: _Told) -> str:
    who = "The marketplace" if told.fact("waits_for") == "marketplace" else "A buyer"
    began = told.at("started_at")
    since = f" since {told.when(began)}" if began else ""
    if told.asked:
        return f"The marketplace has been asking for {told.asked}{since}."
    return f"{who} has been waiting for a reply{since}."


def _next(told: _Told) -> list[str]:
    place, *here = told.answering
    done = [f"answer {place}.", *here, f"If no reply is needed: replyby mark {told.thread} decided"]
    if told.asked:
        done = [f"do it {place}; a reply alone may not be what is asked for."]
    return [
        f"What to do: {done[0]}",
        *done[1:],
        f"Why this deadline: replyby explain {told.thread}",
    ]


def _step(told: _Told) -> _Spoken:
    """A warning or a breach, by how late it is now: a warning may have been held up."""
    left = told.left
    what, thing = ("act", "Action") if told.asked else ("reply", "Reply")
    ahead = None if left is None or told.is_late else f"{span(left)} left to {what}"
    subject = ahead or f"{thing} overdue"
    lines = [_waiting(told), *_deadline(told)]
    if told.notice.kind is NoticeKind.BREACH:
        lines.append(spoken.reading(told.account, told.at("read_at"), told.now))
    return subject, [*lines, *_next(told)]


def _corrected(told: _Told) -> _Spoken:
    why = _CORRECTIONS.get(told.fact("correction"), "we know more now")
    return "Taken back: not late", [
        f"We told you that a deadline was missed. We take it back: {why}.",
        *(_deadline(told) if told.fact("correction").endswith("_moved") else []),
        "What to do: nothing.",
    ]


def _moved(told: _Told) -> _Spoken:
    before = told.at("before")
    was = f" It was {told.when(before)}." if before else ""
    return "Deadline moved nearer", [
        f"The marketplace moved a deadline.{was}",
        *_deadline(told),
        *_next(told),
    ]


def _refused(told: _Told) -> _Spoken:
    why = REFUSALS.get(told.fact("reason"), "the marketplace refused it")
    subject = "Reply refused, deadline passed" if told.is_late else "Reply refused"
    whom = "the marketplace" if told.fact("waits_for") == "marketplace" else "the buyer"
    again = "answer again, at the marketplace if it refuses this way"
    return subject, [
        f"A reply from here did not reach {whom}: {why}. The original deadline stands.",
        *_deadline(told),
        f"What to do: {ANSWERS.get(told.fact('reason'), again)}.",
    ]


def _unknown(told: _Told) -> _Spoken:
    return "Reply perhaps not sent", [
        "A reply left here and the marketplace did not say whether it took it.",
        "It is not sent again by itself. The clock runs on until the reply is seen there.",
        *_deadline(told),
        "What to do: look at the thread there; answer if the reply is missing.",
    ]


def _history(told: _Told) -> _Spoken:
    waiting = told.fact("waiting") or "Some"
    wait = by(waiting, "old thread still waits", "old threads still wait")
    passed = by(waiting, "Its deadline", "Their deadlines")
    return f"{waiting} {wait}", [
        f"{passed} had passed before this account was watched: none is counted or warned of.",
        "What to do: replyby threads --history",
    ]


def _blind(told: _Told) -> _Spoken:
    seen, earliest = told.at("seen_through"), told.at("earliest")
    streams = told.fact("streams")
    which = f"streams {streams}" if "," in streams else f"stream {streams or 'of messages'}"
    forbidden = told.fact("reason") == "forbidden"
    why = "may not be read: our key does not allow it" if forbidden else "cannot be read in time"
    lines = [f"The {which} {why}."]
    lines.append(f"Last read completely: {told.when(seen)}." if seen else "It was never read.")
    if told.fact("expected"):
        lines.append(f"Messages probably unseen: {float(told.fact('expected')):.0f}.")
    if earliest:
        lines.append(f"A promise may break unseen from {told.when(earliest)} on.")
    mend = " replyby check tells what the key lacks." if forbidden else ""
    until = "look at the marketplace's own page until this ends"
    return "Blind", [*lines, f"What to do: {until}.{mend}"]


def _down(told: _Told) -> _Spoken:
    since = told.at("since") or told.notice.raised_at
    return "Account is down", [
        spoken.refused(told.fact, told.when(since)),
        "What to do: replyby check tells what is refused: a password, a key, the seller's consent.",
        "Renew that, then reload (a restart for env:).",
        f"If the old one is right again: {_poll(told)}",
    ]


def _poll(told: _Told) -> str:
    return shlex.join(("replyby", "poll", told.notice.account, "--once"))


def _up(told: _Told) -> _Spoken:
    since, blind_since = told.at("since") or told.notice.raised_at, told.at("blind_since")
    again = f"The marketplace accepts our key again since {told.when(since)}."
    if blind_since:
        again = f"Every stream is read again since {told.when(since)}."
    return "Account is read again", [
        again,
        f"It was blind for {span(since - blind_since)}." if blind_since else "",
        "What to do: nothing.",
    ]


def _silent(told: _Told) -> _Spoken:
    since = told.at("since") or told.notice.raised_at
    mend = f"{shlex.join(('replyby', 'subscribe', told.notice.account))} says what is amiss."
    return "No pushes arrive", [
        spoken.silence(told.fact, told.when(since)),
        f"What to do: {mend} {spoken.unheard(told.fact, is_over=False)}",
    ]


def _heard(told: _Told) -> _Spoken:
    since = told.at("since") or told.notice.raised_at
    return "Pushes arrive again", [
        f"There were none since {told.when(since)}.",
        f"What to do: {spoken.unheard(told.fact, is_over=True)}",
    ]


def _flooded(told: _Told) -> _Spoken:
    return spoken.flood(told.fact("n"), told.when(told.at("since") or told.notice.raised_at))


def _expiring(told: _Told) -> _Spoken:
    expires_at, name = told.at("expires_at"), told.fact("credential") or "key"
    if expires_at is not None and expires_at <= told.now:
        return "Key has expired", [
            f"The {name} of this account expired on {told.when(expires_at)}.",
            "What to do: renew it, then reload (a restart for env:).",
        ]
    when = f" on {told.when(expires_at)}" if expires_at else " soon"
    return "Key expires", [f"The {name} of this account expires{when}.", "What to do: renew it."]


def _review(told: _Told) -> _Spoken:
    return f"Review the promise {told.fact('promise')}", [
        f"Version {told.fact('version')} was to be checked again by {told.fact('day')}.",
        "What to do: read the source again; write a new version, or a new date of review.",
    ]


def _set_aside(told: _Told) -> _Spoken:
    return spoken.set_aside(told.fact)


def _retired(told: _Told) -> _Spoken:
    ended = told.fact("ended") or "0"
    clocks = by(ended, "running clock was", "running clocks were")
    return "Account is no longer read", [
        f"It left the settings; {'no' if ended == '0' else ended} {clocks} ended.",
        "What to do: nothing, if this was meant.",
    ]


def _parked(told: _Told) -> _Spoken:
    kind = told.fact("kind").replace("_", " ")
    return f"Not delivered: {kind}", [
        f"A notice ({kind}) could not be delivered by {told.fact('notifier')}.",
        f"Reason: {told.fact('reason').replace('_', ' ')}.",
        *_deadline(told),
        "What to do: mend that notifier, then: replyby notices retry",
    ]


def _test(told: _Told) -> _Spoken:
    return "Test", [
        f"A person asked for this notice at {told.when(told.notice.raised_at)}.",
        "It has reached you. What to do: nothing.",
    ]


def _digest(told: _Told) -> _Spoken:
    return "Digest", [f"{told.fact('breaches')} late, {told.fact('warnings')} due soon."]


_SAY: Mapping[NoticeKind, Callable[[_Told], _Spoken]] = {
    NoticeKind.WARNING: _step,
    NoticeKind.BREACH: _step,
    NoticeKind.CORRECTED: _corrected,
    NoticeKind.REPLY_REFUSED: _refused,
    NoticeKind.REPLY_UNKNOWN: _unknown,
    NoticeKind.DEADLINE_MOVED: _moved,
    NoticeKind.HISTORY_SUMMARY: _history,
    NoticeKind.BLIND: _blind,
    NoticeKind.ACCOUNT_DOWN: _down,
    NoticeKind.ACCOUNT_UP: _up,
    NoticeKind.PUSH_SILENT: _silent,
    NoticeKind.PUSH_HEARD: _heard,
    NoticeKind.FLOODED: _flooded,
    NoticeKind.CREDENTIAL_EXPIRING: _expiring,
    NoticeKind.POLICY_REVIEW: _review,
    NoticeKind.PAYLOAD_SET_ASIDE: _set_aside,
    NoticeKind.ACCOUNT_RETIRED: _retired,
    NoticeKind.DIGEST: _digest,
    NoticeKind.PARKED: _parked,
    NoticeKind.TEST: _test,
}
