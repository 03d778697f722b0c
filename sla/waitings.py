"""Waitings: one promise walks through one thread, from the first unanswered turn to the answer.

A *promise* is one policy name for one party that waits; each scans the whole thread by itself, so
that nothing depends on the order in which turns arrived.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from sla.policy import Party
from sla.steps import deadline
from sla.turn import Kind, Level, covers, is_delivered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sla.policy import Policy
    from sla.turn import Moment, Turn

Ended = Literal["met", "late", "void"]

LAPSED = "lapsed"
"""Why a window ended that counts from the latest message: the next message came after it."""

SAME = timedelta(seconds=60)
"""A marketplace's date and a message that are no further apart than this are the same."""

_SAYS_SOMETHING = (Kind.MESSAGE, Kind.AUTOMATIC, Kind.ANSWERED_ELSEWHERE)
_AUTOMATIC, _NOT_NEEDED = Kind.AUTOMATIC, Kind.NO_REPLY_NEEDED
_UNANSWERABLE, _ERASED = Kind.UNANSWERABLE, Kind.ERASED
_SELLER = Party.SELLER


class Start(NamedTuple):
    """What a waiting may count from: a turn, or (*given*) a date that the marketplace names."""

    at: datetime
    id: str
    seen_at: datetime
    uncertain: bool
    given: bool = False


@dataclass(slots=True)
class Waiting:
    """From the first unanswered turn to what ended it. Changes only while its scan runs.

    *counted* still ask for an answer; *members* are the ids of all that ever asked in it; *within*
    is the working time that the policy allows for this reply.
    """

    party: Party
    first: bool
    policy: Policy
    start: Start
    counted: list[Start]
    members: list[str]
    within: timedelta = field(init=False)
    due_at: datetime = field(init=False)
    calendar_ended: bool = field(init=False)
    stopped_at: datetime | None = None
    stopped_by: str | None = None
    ended: Ended | None = None
    reason: str | None = None
    flags: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._place()

    def join(self, start: Start, version: Policy | None) -> None:
        """Take one more into the waiting; the start moves only where the policy says so."""
        self.members.append(start.id)
        self.counted.append(start)
        if _goes_before(start, self.start, latest=self.policy.counts_from == "latest"):
            self.count_from(start, version)

    def count_from(self, start: Start, version: Policy | None) -> None:
        """Count from *start*, by the *version* in force then."""
        self.start = start
        self.policy = version or self.policy
        self._place()

    def _place(self) -> None:
        self.within = allowed(self.policy, first=self.first)
        self.due_at, self.calendar_ended = deadline(self.policy, self.within, self.start.at)


class Scan:
    """One promise walking through one thread, and the waitings that it found on the way."""

    __slots__ = ("done", "marks", "open", "party", "replied", "versions")

    def __init__(self, versions: Sequence[Policy], party: Party) -> None:
        self.versions = versions
        self.party = party
        self.open: Waiting | None = None
        self.done: list[Waiting] = []
        self.replied = False
        self.marks: list[tuple[datetime, Turn]] = []

    def found(self) -> list[Waiting]:
        """The waitings in the order in which they opened; the last may still be open."""
        return [*self.done, self.open] if self.open else self.done

    def read(self, moments: Iterable[Moment]) -> None:
        """Walk through turns, in their order."""
        for at, _, _, turn in moments:
            self.turn(at, turn)

    def turn(self, at: datetime, turn: Turn) -> None:
        """Let one turn have its effect."""
        kind = turn.kind
        if kind in _SAYS_SOMETHING:
            if kind is _AUTOMATIC and not self._counts_automatic(at):
                return
            if turn.party is self.party:
                self.ask(Start(at, turn.id, turn.seen_at, turn.sent_at != at))
            elif turn.party is _SELLER and self.party in turn.to and is_delivered(turn):
                self.replied = True
                self.answer(at, turn.id)
        elif kind is _NOT_NEEDED:
            self._marked(at, turn)
        elif kind is _UNANSWERABLE or kind is _ERASED:
            self._shut(at, turn)

    def ask(self, start: Start) -> None:
        """Open a waiting at *start*, or let it join the one that is open."""
        waiting = self.open
        if waiting and waiting.policy.counts_from == "latest" and start.at > waiting.due_at:
            self.close("late", start.at, start.id, LAPSED)
        version = in_force(self.versions, start.at)
        if self.open:
            self.open.join(start, version)
        elif version:
            first = not self.replied
            self.open = Waiting(self.party, first, version, start, [start], [start.id])

    def answer(self, at: datetime, by: str | None) -> None:
        """End the open waiting by an answer; exactly at its deadline is in time."""
        if self.open:
            self.close("met" if at <= self.open.due_at else "late", at, by)

    def close(self, ended: Ended, at: datetime, by: str | None, reason: str | None = None) -> None:
        """End the open waiting."""
        if self.open:
            waiting, self.open = self.open, None
            waiting.ended, waiting.reason = ended, reason
            waiting.stopped_at, waiting.stopped_by = at, by
            self.done.append(waiting)

    def _counts_automatic(self, at: datetime) -> bool:
        """Whether automatic turns count, by the policy of the waiting or the one in force."""
        policy = self.open.policy if self.open else in_force(self.versions, at)
        return policy is not None and policy.counts_automatic

    def _marked(self, at: datetime, turn: Turn) -> None:
        self.marks.append((at, turn))
        waiting = self.open
        if waiting is None or not voids(waiting.policy, turn.level):
            return
        left = [start for start in waiting.counted if not _covered(start, at, turn, waiting)]
        if not left:
            self.close("void", at, turn.id, turn.level)
        elif len(left) < len(waiting.counted):
            waiting.counted = left
            start = max(left) if waiting.policy.counts_from == "latest" else min(left)
            waiting.count_from(start, in_force(self.versions, start.at))

    def _shut(self, at: datetime, turn: Turn) -> None:
        """No answer is possible any more, or the buyer was erased (others still wait)."""
        if self.open is None or (turn.kind is Kind.ERASED and self.party is not Party.BUYER):
            return
        too_late = turn.kind is Kind.UNANSWERABLE and at > self.open.due_at
        self.close("late" if too_late else "void", at, turn.id, turn.kind)


def in_force(versions: Sequence[Policy], at: datetime) -> Policy | None:
    """The version whose dates hold *at* (from inclusive, to exclusive), the last where several do.

    *versions* stand in the order in which they take effect.
    """
    found = None
    for policy in versions:
        if policy.is_in_force(at):
            found = policy
    return found


def allowed(policy: Policy, *, first: bool) -> timedelta:
    """The working time that *policy* allows for a first or for a later reply."""
    return policy.reply_within if first else policy.next_reply_within or policy.reply_within


def voids(policy: Policy, level: Level | None) -> bool:
    """Whether a "no reply needed" of this *level* ends a clock of *policy*.

    What an agent decided here ends our goals, and contracts of marketplaces without a mark of
    their own; what the marketplace marked, or an agent says it did, ends every clock.
    """
    if level is Level.DECIDED:
        return policy.role == "goal" or not policy.marketplace_mark
    return level is Level.MARKED or level is Level.CONFIRMED


def _covered(start: Start, at: datetime, mark: Turn, waiting: Waiting) -> bool:
    """Whether *mark* covers *start*, or (a marketplace's date) the message that it stands for."""
    if covers(mark, at, start.at, start.seen_at):
        return True
    return start.given and any(
        covers(mark, at, other.at, other.seen_at)
        for other in waiting.counted
        if not other.given and abs(other.at - start.at) <= SAME
    )


def _goes_before(new: Start, old: Start, *, latest: bool) -> bool:
    """Whether the waiting counts from *new* rather than *old*; a message wins over a date."""
    if new.at == old.at:
        return old.given and not new.given
    return new.at > old.at if latest else new.at < old.at
