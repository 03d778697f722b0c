"""To which thread a letter belongs, and what has to be remembered to say so. Pure.

Every mail of Amazon's is a fresh one: References and subjects join nothing (trap 4). In this order
count the case (two cases of one buyer stay two, trap 5), the order with the buyer, the buyer with a
family of subjects within some days.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from core.transport import subjects
from core.transport.filing import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connectors.amazon.addresses import Alias

T = TypeVar("T")

MOST = 5_000
"""Families, dossiers and cases that are remembered, each: the newest. Where they are more, the
oldest tenth goes at once: to look for the oldest alone costs as much."""

_VARIES = re.compile(r"\([^()]{0,80}\)|[\d#-]+|\s+")


class Asking(NamedTuple):
    """A dossier that asks: the newest letter that does, and until when it is to be answered.

    *due_at* is None where only our own promise says it; *said_at* is the letter whose own sentence
    names it, None where we took a published number.
    """

    at: datetime
    due_at: datetime | None = None
    said_at: datetime | None = None


class Seen(NamedTuple):
    """A thread, and the newest instant that was seen of it."""

    thread: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Memory:
    """What earlier letters left behind: part of the cursor. It holds no name and no address.

    *families* are the threads of letters without case and order, by buyer and family of subjects;
    *dossiers* the claims, returns and cancellations that still ask, by thread; *closed* when what
    is about an order, or a claim alone, was closed last, by order or thread: the letter that asks
    may be read after the one that closes; *cases* the threads of letters whose alias does not carry
    their case, by letter: an answer to it cannot either, and a letter that is read again belongs
    where it was.
    """

    families: Mapping[str, Seen] = field(default_factory=dict)
    dossiers: Mapping[str, Asking] = field(default_factory=dict)
    closed: Mapping[str, datetime] = field(default_factory=dict)
    cases: Mapping[str, Seen] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> Memory:
        """What `write` wrote; nothing where there is none."""
        said: dict[str, Any] = json.loads(text) if text else {}
        return cls(
            _seen(said.get("families", {})),
            {
                name: Asking(_instant(at), due and _instant(due), told and _instant(told))
                for name, (at, due, told) in said.get("dossiers", {}).items()
            },
            {name: _instant(at) for name, at in said.get("closed", {}).items()},
            _seen(said.get("cases", {})),
        )

    def write(self) -> str:
        """As text, the same for the same memory."""
        said = {
            "families": _told(self.families),
            "dossiers": {
                name: [at and at.isoformat() for at in one] for name, one in self.dossiers.items()
            },
            "closed": {name: at.isoformat() for name, at in self.closed.items()},
            "cases": _told(self.cases),
        }
        return json.dumps(said, sort_keys=True)

    def with_family(self, key: str, seen: Seen) -> Memory:
        """With *seen* as the newest of its family."""
        return replace(self, families=_with(self.families, key, seen))

    def with_case(self, message: str, seen: Seen) -> Memory:
        """With *seen* as the thread of *message*, which its alias does not tell."""
        return replace(self, cases=_with(self.cases, digest(message), seen))

    def answered(self, reference: str) -> str | None:
        """The thread of the letter that *reference* names, where its alias does not tell it."""
        known = self.cases.get(digest(reference.strip().removeprefix("<").removesuffix(">")))
        return known.thread if known else None

    def since(self, at: datetime) -> Memory:
        """Without families, cases and closings of before *at*."""
        families = {key: seen for key, seen in self.families.items() if seen.at >= at}
        cases = {key: seen for key, seen in self.cases.items() if seen.at >= at}
        closed = {name: when for name, when in self.closed.items() if when >= at}
        return replace(self, families=families, cases=cases, closed=closed)

    def with_dossier(self, thread: str, asking: Asking) -> Memory:
        """With *thread* as one that asks."""
        dossiers = {**self.dossiers, thread: asking}
        return replace(self, dossiers=_newest(dossiers, lambda one: one.at))

    def with_closed(self, name: str, at: datetime) -> Memory:
        """With what the order or thread *name* is about closed at *at*."""
        closed = {**self.closed, name: max(at, self.closed.get(name, at))}
        return replace(self, closed=_newest(closed, lambda at: at))

    def without_dossier(self, thread: str, at: datetime) -> Memory:
        """Without *thread*, unless it asked again since *at*."""
        left = {name: one for name, one in self.dossiers.items() if name != thread or one.at >= at}
        return replace(self, dossiers=left)


def _with(known: Mapping[str, Seen], key: str, seen: Seen) -> dict[str, Seen]:
    """*known* with *seen*, without the oldest where they are too many."""
    found = {**known, key: seen}
    return _newest(found, lambda one: one.at)


def _newest(found: dict[str, T], at: Callable[[T], datetime]) -> dict[str, T]:
    """*found* where it is not too large, else the newest of it; *at* says when one was seen."""
    if len(found) <= MOST:
        return found
    names = sorted(found, key=lambda name: (at(found[name]), name))
    return {name: found[name] for name in names[len(found) - MOST + MOST // 10 :]}


def _told(known: Mapping[str, Seen]) -> dict[str, list[str]]:
    return {key: [seen.thread, seen.at.isoformat()] for key, seen in known.items()}


def _seen(told: Mapping[str, list[str]]) -> dict[str, Seen]:
    return {key: Seen(thread, _instant(at)) for key, (thread, at) in told.items()}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def family(subject: str) -> str:
    """What subjects of one conversation have in common: no "Re:", order, number or spacing."""
    return _VARIES.sub("", subjects.bare(subject)).casefold()


def of_message(
    alias: Alias,
    case: str | None,
    orders: tuple[str, ...],
    subject: str,
    message: str,
    at: datetime,
    memory: Memory,
    within: timedelta,
) -> tuple[str, Memory]:
    """The thread of a letter from or to the buyer *alias*, and the memory after it.

    *case* is the uuid that the letter names beside the alias. *memory* matters only for a letter
    without case and order: it joins one of its family that is no further away than *within*.
    """
    if uuid := alias.uuid or case:
        return f"case:{uuid}", memory
    if alias.case:
        return f"case:{alias.digest}:{alias.case}", memory
    if orders:
        return of_order(orders[0], alias), memory
    if was := memory.answered(message):
        return was, memory
    key = f"{alias.digest}:{digest(family(subject), 8)}"
    known = memory.families.get(key)
    joins = known is not None and abs(at - known.at) <= within
    seen = (
        Seen(known.thread, max(at, known.at))
        if known and joins
        else Seen(f"buyer:{key}:{digest(message, 8)}", at)
    )
    return seen.thread, memory.with_family(
        key, seen
    ) if not known or seen.at >= known.at else memory


def of_order(order: str, alias: Alias | None) -> str:
    """The thread of an order with its buyer, or of an order whose buyer is not told."""
    return f"order:{order}:{alias.digest}" if alias else f"order:{order}"


def of_dossier(kind: str, order: str | None, message: str) -> str:
    """The thread of a claim, return or cancellation: one for each order, else for each letter."""
    return f"{kind}:{order}" if order else f"{kind}:letter:{digest(message)}"


def of_letter(message: str) -> str:
    """The thread of a letter that belongs to nothing."""
    return f"letter:{digest(message)}"
