"""A dossier in our words, whatever its kind, and the page that it comes to. Pure.

Each reading tells what eBay asks of the seller at an instant: each act with its date, and (`REST`)
that nothing else is asked, where it could know that. What the history dates is told as of its own
instant, so that an outage moves nothing: the seller's acts, and the end.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from connectors.ebay.messages import body
from core import payload
from core.model import MAX_LINE, Message, Page, Thread
from core.transport import salvage
from sla.clock import REST, Delivery, Given, Kind
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydantic import BaseModel

    from core.model import SetAside
    from sla.turn import Outcome

LEAD = timedelta(minutes=5)
"""How far eBay's clock may be ahead of ours: a stamp beyond it would freeze what it dates."""

AT_ONCE = timedelta(minutes=1)
"""What is dated so near to the opening is the opening."""

RESPOND, REFUND = "SELLER_RESPOND", "SELLER_ISSUE_REFUND"
"""Acts where eBay names none itself: an answer, the money."""

OTHER = "OTHER"
ACT = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
ORDER = re.compile(r"[\w.!-]{1,100}", re.ASCII)

PARTIES = {
    "BUYER": Party.BUYER,
    "SELLER": Party.SELLER,
    "CSR": Party.MARKETPLACE,
    "CS_AGENT": Party.MARKETPLACE,
    "EBAY": Party.MARKETPLACE,
    "SYSTEM": Party.MARKETPLACE,
}

Weight = Literal["acts", "says", "shown"]
"""What a line of history is: somebody did what such dossiers ask, wrote, or it is shown alone."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a dossier's history; *act* is eBay's word or phrase, *text* what was written."""

    at: datetime | None
    party: Party
    act: str
    text: str = ""
    weight: Weight = "shown"
    to_state: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What eBay asks of the seller; *starts_at* is since when, where eBay dates that.

    *by_message*: a plain message may be what is asked.
    """

    act: str
    due_at: datetime | None
    starts_at: datetime | None = None
    by_message: bool = False


@dataclass(frozen=True, slots=True)
class Dossier:
    """One dossier as it was read; *is_whole*: with its history.

    *is_over*: eBay says so in a word that is documented, and asks nothing; every other state is
    open (trap 46). Where its state *is_odd*, what it leaves unsaid is no end of anything; nor where
    what was read is *partial*: some acts stand in the detail alone.
    """

    id: str
    kind: ThreadKind
    subject: str
    buyer: str | None = None
    order_id: str | None = None
    opened_at: datetime | None = None
    opened_by: Party = Party.BUYER
    opening: str = ""
    lines: tuple[Line, ...] = ()
    asked: tuple[Asked, ...] = ()
    is_over: bool = False
    over_at: datetime | None = None
    outcome: Outcome | None = None
    is_whole: bool = False
    is_odd: bool = False
    is_partial: bool = False

    @property
    def tells_all(self) -> bool:
        """Whether it knows that nothing else is asked; an end says so where it says how."""
        is_ended = self.is_over and self.outcome is not None
        return not self.is_odd and (not self.is_partial or is_ended)


@dataclass(slots=True)
class Doubts:
    """What was read but means something that is not documented: counted, never dropped."""

    found: list[SetAside] = field(default_factory=list)

    def add(self, source_id: str, reason: str, item: BaseModel) -> None:
        content = item.model_dump(by_alias=True)
        self.found.append(salvage.set_aside(source_id, reason, content))

    def date(self, source_id: str, name: str, said: Any, item: BaseModel) -> datetime | None:
        """*said* as an instant; it is doubtful where it is told and cannot be read."""
        at = instant(said)
        if at is None and said not in (None, {}):
            self.add(source_id, f"{name}: no date", item)
        return at

    def act(self, source_id: str, said: str | None, item: BaseModel) -> str:
        """*said* as the name of an act; any word that eBay may come to use, but no phrase."""
        if said and ACT.fullmatch(said):
            return said
        if said:
            self.add(source_id, "activityDue: no word", item)
        return OTHER if said else RESPOND


def instant(said: Any) -> datetime | None:
    """A date as Post-Order wraps it, or plain; UTC where it names no zone; None when it is none."""
    return payload.instant(said.get("value") if isinstance(said, dict) else said)


def party(word: str | None, text: str) -> Party:
    """Who *word* is; somebody unknown who writes waits as a buyer does."""
    known = PARTIES.get(word or "")
    return known or (Party.BUYER if text else Party.MARKETPLACE)


def words(code: str | None) -> str:
    """An enum's word for people to read."""
    return (code or "").replace("_", " ").strip().lower()


def order(item: str | None, transaction: str | None) -> str | None:
    """The id of an order's line as the older interfaces write it."""
    return f"{item}-{transaction}" if item and transaction else None


def oldest_first(lines: Iterable[Line]) -> list[Line]:
    """By their instants; those without a readable one come last."""
    return sorted(lines, key=lambda line: (line.at is None, _at(line)))


def last_at(found: Sequence[Line]) -> datetime | None:
    """The instant of the last dated line of *found*, which are in order."""
    return next((e.at for e in reversed(found) if e.at), None)


def since(lines: Iterable[Line], opened_at: datetime | None) -> datetime | None:
    """Since when the seller is asked to answer: what first came after his own last line.

    A buyer's line counts before eBay's own; where the seller has done nothing, the opening counts.
    """
    dated = oldest_first(e for e in lines if e.at)
    own = [n for n, e in enumerate(dated) if e.party is Party.SELLER]
    if not own:
        return opened_at
    after = dated[own[-1] + 1 :]
    first = next((e for e in after if e.party is Party.BUYER), after[0] if after else None)
    return first.at if first else None


def _at(line: Line) -> datetime:
    return line.at or datetime.min.replace(tzinfo=UTC)


def bought(one: Dossier) -> Dossier:
    """*one* where the buyer is ourselves: over for us, whoever acts in it."""
    return replace(
        one,
        lines=(),
        asked=(),
        is_over=True,
        over_at=None,
        outcome="withdrawn",
        is_odd=False,
        is_partial=False,
    )


def page(dossiers: Iterable[Dossier], now: datetime) -> Page:
    """These dossiers as a page without a cursor."""
    threads: list[Thread] = []
    messages: list[Message] = []
    given: list[tuple[str, Given]] = []
    for one in dossiers:
        said_at = as_of(one, now)
        threads.append(_thread(one, said_at))
        messages += _messages(one)
        given += [(one.id, reading) for reading in readings(one, now)]
    return Page(messages=tuple(messages), threads=tuple(threads), given=tuple(given))


def as_of(one: Dossier, now: datetime) -> datetime:
    """When eBay said this: when we asked, and not before the newest that it tells."""
    told = [one.opened_at, one.over_at, *(line.at for line in one.lines)]
    return max([now, *(at for at in told if at and at <= now + LEAD)])


def readings(one: Dossier, now: datetime) -> list[Given]:
    """What *one* says about its deadlines, now and by what its history dates."""
    said_at = as_of(one, now)
    acts = sorted({e.at for e in one.lines if _is_act(e) and e.at and e.at <= said_at})
    found = [_rest(one.kind, at, said_at, at, None) for at in acts if at < said_at]
    over_at = one.over_at if one.is_over else None
    if over_at and over_at < said_at and over_at not in acts:
        before = [at for at in acts if at <= over_at]
        found.append(_rest(one.kind, over_at, said_at, before[-1] if before else None, one.outcome))
    if one.tells_all:
        outcome = one.outcome or ("withdrawn" if one.is_whole else None)
        found.append(_rest(one.kind, said_at, said_at, acts[-1] if acts else None, outcome))
    return [*found, *(asking(one.kind, asked, said_at) for asked in one.asked)]


def asking(kind: ThreadKind, asked: Asked, said_at: datetime) -> Given:
    """A reading that asks."""
    return Given(
        kind=kind.value,
        act=asked.act,
        asks=True,
        as_of=said_at,
        read_at=said_at,
        due_at=asked.due_at,
        starts_at=asked.starts_at,
        by_message=asked.by_message,
    )


def _rest(
    kind: ThreadKind,
    said_at: datetime,
    read_at: datetime,
    acted_at: datetime | None,
    outcome: Outcome | None,
) -> Given:
    return Given(
        kind=kind.value,
        act=REST,
        asks=False,
        as_of=said_at,
        read_at=read_at,
        acted_at=acted_at,
        outcome=outcome,
    )


def _is_act(line: Line) -> bool:
    return line.party is Party.SELLER and line.weight == "acts"


def _order_id(one: Dossier) -> str | None:
    """The order, where it is called as orders are."""
    return one.order_id if one.order_id and ORDER.fullmatch(one.order_id) else None


def _thread(one: Dossier, said_at: datetime) -> Thread:
    return Thread(
        id=one.id,
        kind=one.kind,
        subject=one.subject[:MAX_LINE],
        buyer=(one.buyer or "")[:MAX_LINE],
        order_ids=(order_id,) if (order_id := _order_id(one)) else (),
        as_of=said_at,
        incomplete=not one.is_whole and not one.is_over,
        closed_at=(one.over_at or said_at) if one.is_over else None,
    )


def _messages(one: Dossier) -> Iterator[Message]:
    """The opening, each line of the history, and that nothing can be said any more."""
    yield _opening(one)
    seen: Counter[str] = Counter()
    for line in sorted(one.lines, key=lambda each: (_at(each), each.act, each.text)):
        stamp = line.at.isoformat() if line.at else "undated"
        stable = f"{stamp}:{line.party.value}"
        seen[stable] += 1
        yield _turn(one, line, f"{one.id}:{stable}:{seen[stable]}")
    if one.is_over:
        yield Message(
            id=f"{one.id}:over",
            thread=one.id,
            party=Party.MARKETPLACE,
            kind=Kind.UNANSWERABLE,
            sent_at=one.over_at,
            order_id=_order_id(one),
        )


def _opening(one: Dossier) -> Message:
    """The first turn: it stands for the buyer's waiting where eBay gives no date."""
    line = Line(one.opened_at, one.opened_by, one.subject, one.opening, "says")
    if one.opened_by is Party.SELLER:
        line = Line(one.opened_at, one.opened_by, one.subject, one.opening)
    return _turn(one, line, f"{one.id}:opened")


def _turn(one: Dossier, line: Line, id_: str) -> Message:
    who, kind, to = _meaning(line)
    return Message(
        id=id_,
        thread=one.id,
        party=who,
        kind=kind,
        to=to,
        delivery=Delivery.CONFIRMED if who is Party.SELLER else None,
        sent_at=line.at,
        body=body.text(line.text) if line.text else words(line.act).capitalize(),
        order_id=_order_id(one),
    )


def _meaning(line: Line) -> tuple[Party, Kind, frozenset[Party]]:
    """Who says what to whom: what a buyer only did is told by eBay, and asks nothing."""
    if line.party is Party.SELLER:
        if line.weight == "shown":
            return Party.SELLER, Kind.INTERNAL, frozenset()
        return Party.SELLER, Kind.MESSAGE, frozenset({Party.BUYER})
    if line.party is Party.BUYER and line.weight != "shown":
        return Party.BUYER, Kind.MESSAGE, frozenset({Party.SELLER})
    return Party.MARKETPLACE, Kind.SYSTEM, frozenset()
