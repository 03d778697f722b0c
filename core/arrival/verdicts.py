"""Which seller's message a later word of the marketplace means. Pure, and total.

All verdicts and all messages that they may mean go in, in any order: what came first does not
matter, so that a copy read before the letter that it is of needs no special case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from sla.clock import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from core.model import Verdict

LAG = timedelta(hours=2)
"""A copy comes so much later than what it is a copy of left, at most."""

SKEW = timedelta(minutes=10)
"""Two clocks are so far apart, at most."""

SLIGHT = timedelta(minutes=1)
"""Two clocks that are kept right are so far apart, at most: nobody reads a refusal and answers
again in less."""

SHORTEST = 20
"""A text of fewer characters stands in another by chance."""


class Left(NamedTuple):
    """A seller's message to a buyer, with what is told of its thread.

    *delivery* is how far it got before any verdict; *key* is the thread's ``reply_to["buyer"]``;
    *is_said*: a person said at which instant it left.
    """

    id: str
    thread: str
    at: datetime
    delivery: Delivery | None
    body: str = ""
    buyer: str = ""
    key: str | None = None
    order_ids: tuple[str, ...] = ()
    is_said: bool = False


class Place(NamedTuple):
    """A thread in which a buyer asked first at *at*: an answer given elsewhere may belong there."""

    thread: str
    at: datetime
    buyer: str = ""
    key: str | None = None
    order_ids: tuple[str, ...] = ()


class Deed(NamedTuple):
    """Something was done about an order at *at*, beside replying.

    The buyer may have been written to, in words that nobody knows.
    """

    order_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """What the verdicts come to.

    *deliveries* are those of the messages that a verdict means, *elsewhere* the threads of copies
    that are answers given elsewhere. *unclear* are verdicts that mean several or nothing known: a
    person is told, and a copy among them ends nothing.
    """

    deliveries: Mapping[str, Delivery] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    unclear: frozenset[str] = frozenset()


def judge(
    verdicts: Iterable[Verdict],
    left: Iterable[Left],
    places: Iterable[Place] = (),
    deeds: Iterable[Deed] = (),
) -> Judged:
    """What *verdicts* come to for the messages that *left*, and for threads in which one asked.

    A refusal without a message's id means the newest not yet confirmed to that buyer and order;
    where several threads fit, the newest in each. A confirmation never lifts a refusal.

    A name is no proof: many buyers have the same. A copy that tells neither order nor buyer means
    only what left from here within `LAG`, to a buyer of that name, about no order, in the very
    words that it holds; else it is unclear, and ends nothing, even where one thread alone would
    fit. Neither does a copy so soon after one of *deeds* about its order, whose words are not those
    of a message that left: it is of that deed, or of an answer, and nobody can tell. A refusal that
    tells a name alone means what left within `LAG`.
    """
    case = _Case(sorted(left, key=lambda one: (one.at, one.id)), list(places), list(deeds))
    ordered = sorted(verdicts, key=lambda one: (one.at, one.id))
    case.find_by_words(ordered)
    for verdict in ordered:
        if verdict.delivery is Delivery.REFUSED:
            case.refuse(verdict)
        else:
            case.confirm(verdict)
    return Judged(case.deliveries, case.elsewhere, frozenset(case.unclear))


class _Case:
    """The messages of one call, and what was said of them so far."""

    def __init__(self, left: list[Left], places: list[Place], deeds: list[Deed]) -> None:
        self.left, self.places, self.deeds = left, places, deeds
        self.deliveries: dict[str, Delivery] = {}
        self.elsewhere: dict[str, str] = {}
        self.unclear: set[str] = set()
        self.copied: set[str] = set()
        self.by_words: dict[str, Left] = {}
        self.awaited: set[str] = set()
        self.refused: dict[tuple[object, ...], tuple[Verdict, list[Left]]] = {}

    def find_by_words(self, verdicts: Iterable[Verdict]) -> None:
        """Keep each message whose words stand in a copy for that copy, however late that comes.

        Else an answer given elsewhere just before takes the place of the one that left from here.
        """
        for verdict in verdicts:
            late = [] if verdict.delivery is Delivery.REFUSED else self._late(verdict)
            same = [one for one in late if one.id not in self.awaited]
            if same := [one for one in same if _holds(verdict.text, one.body)]:
                self.by_words[verdict.id] = one = _before(verdict, same)[-1]
                self.awaited.add(one.id)

    def refuse(self, verdict: Verdict) -> None:
        named = [one for one in self.left if one.id == verdict.message_id]
        fitting = self._late(verdict) if _is_nameless(verdict) else self._fitting(verdict)
        told = [one for one in fitting if self._may_be_meant(verdict, one)]
        before = self._told_before(verdict)
        if before is not None:
            told = [one for one in told if any(abs(one.at - it.at) <= SLIGHT for it in before)]
        fits = named or self._newest(_before(verdict, told))
        self.deliveries.update((one.id, Delivery.REFUSED) for one in fits)
        if before is None:
            self.refused[_saying(verdict)] = verdict, fits
        if len(fits) > 1 or not (fits or before):
            self.unclear.add(verdict.id)

    def _may_be_meant(self, refusal: Verdict, one: Left) -> bool:
        """Whether a *refusal* that names no message may mean *one*, by what is known of it.

        What left just after it may be meant, for two clocks tell the two instants; but not where a
        copy holds its words, so that it arrived, nor where a person said when it left.
        """
        if self._got(one) is Delivery.REFUSED:
            return False
        return one.at <= refusal.at or not (one.is_said or one.id in self.awaited)

    def _told_before(self, verdict: Verdict) -> list[Left] | None:
        """What a refusal in the same words meant just before: this one means it too.

        One notice may reach a mailbox as two letters. It means another message only where that left
        at about the same time.
        """
        first, fits = self.refused.get(_saying(verdict), (verdict, None))
        return fits if verdict.text and verdict.at - first.at <= SLIGHT else None

    def confirm(self, verdict: Verdict) -> None:
        """Find the message that *verdict* names, or is a copy of; one that was refused stays so."""
        named = [one for one in self.left if one.id == verdict.message_id]
        taken = self.copied | self.awaited
        fits = [one for one in self._late(verdict) if one.id not in taken]
        if named:
            self._copied(named[0])
        elif verdict.id in self.by_words:
            self._copied(self.by_words[verdict.id])
        elif _is_nameless(verdict) or self._follows_a_deed(verdict):
            self.unclear.add(verdict.id)
        elif len({one.thread for one in fits}) == 1:
            self._copied(_before(verdict, fits)[-1])
        elif fits:
            self.unclear.add(verdict.id)
        elif verdict.is_copy:
            self._answered(verdict)

    def _follows_a_deed(self, verdict: Verdict) -> bool:
        """Whether it may be a copy of what was written to the buyer with something else."""
        about = [one for one in self.deeds if one.order_id == verdict.order_id]
        return any(-SKEW <= verdict.at - one.at <= LAG for one in about)

    def _copied(self, one: Left) -> None:
        self.copied.add(one.id)
        if self._got(one) is not Delivery.REFUSED:
            self.deliveries[one.id] = Delivery.CONFIRMED

    def _answered(self, verdict: Verdict) -> None:
        """Find the thread in which it is an answer; a person decides between several.

        From then on it is a message that left, and may be refused like any other.
        """
        asked = [one for one in self.places if one.at < verdict.at]
        there = {one.thread: one for one in _about(verdict, asked)}
        if len(there) != 1:
            self.unclear.add(verdict.id)
            return
        ((thread, place),) = there.items()
        self.elsewhere[verdict.id] = thread
        self.copied.add(verdict.id)
        how, what = Delivery.CONFIRMED, verdict.text
        self.left.append(
            Left(verdict.id, thread, verdict.at, how, what, place.buyer, place.key, place.order_ids)
        )

    def _late(self, verdict: Verdict) -> list[Left]:
        return [one for one in self._fitting(verdict) if verdict.at - one.at <= LAG]

    def _fitting(self, verdict: Verdict) -> list[Left]:
        those = [one for one in self.left if one.at <= verdict.at + SKEW]
        if _is_nameless(verdict):
            those = [one for one in those if one.id not in self.elsewhere]
        return _about(verdict, those)

    def _newest(self, fits: list[Left]) -> list[Left]:
        """The newest of each thread: of those not confirmed, where there is one."""
        unsure = [one for one in fits if self._got(one) is not Delivery.CONFIRMED]
        return list({one.thread: one for one in unsure or fits}.values())

    def _got(self, one: Left) -> Delivery | None:
        return self.deliveries.get(one.id, one.delivery)


Fit = TypeVar("Fit", Left, Place)


def _about(verdict: Verdict, those: list[Fit]) -> list[Fit]:
    """Those to the buyer, about the order and in the thread that *verdict* tells.

    The name narrows down what an order leaves open; alone it counts where nothing else is told, and
    for a confirmation only where no order is. A thread without a key is anybody's, where the order
    is the same.
    """
    if verdict.thread is not None:
        return [one for one in those if one.thread == verdict.thread]
    fits = those
    if verdict.buyer is not None:
        keys = {verdict.buyer} if verdict.order_id is None else {verdict.buyer, None}
        fits = [one for one in fits if one.key in keys]
    if verdict.order_id is not None:
        fits = [one for one in fits if verdict.order_id in one.order_ids]
    named = [one for one in fits if _names(verdict.text, one.buyer)]
    if verdict.buyer is not None or verdict.order_id is not None:
        return named or fits
    if verdict.message_id is not None:
        return []
    return [one for one in named if verdict.delivery is Delivery.REFUSED or not one.order_ids]


def _is_nameless(verdict: Verdict) -> bool:
    """Whether only a name in its text can tell whom it is about."""
    told = (verdict.message_id, verdict.thread, verdict.order_id, verdict.buyer)
    return all(one is None for one in told)


def _saying(verdict: Verdict) -> tuple[object, ...]:
    """What two letters have in common that say the same of the same message."""
    told = (verdict.message_id, verdict.thread, verdict.order_id, verdict.buyer)
    return (*told, folded(verdict.text))


def _before(verdict: Verdict, those: list[Left]) -> list[Left]:
    """What left before *verdict*, oldest first; where nothing did, what left by another's clock."""
    told = sorted(those, key=lambda one: (one.at, one.id))
    return [one for one in told if one.at <= verdict.at + SLIGHT] or told


def _names(text: str, name: str) -> bool:
    """Whether *name* stands in *text*, as words of its own."""
    if not name.strip():
        return False
    words = rf"(?<!\w){re.escape(folded(name))}(?!\w)"
    return re.search(words, folded(text)) is not None


def _holds(text: str, body: str) -> bool:
    """Whether *body* stands in *text*, whatever became of its white space."""
    written = folded(body)
    return len(written) >= SHORTEST and written in folded(text)


def folded(text: str) -> str:
    """*text* as it is compared, and stored: in small letters, with single spaces."""
    storable = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return " ".join(storable.casefold().split())
