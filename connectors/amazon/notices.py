"""What Amazon itself writes to a seller, and what follows from it. Pure.

None of it is a buyer's message, and none starts the 24 hours (traps 10, 11). A claim, a return and
a cancellation are dossiers of their own, with a deadline where the letter gives one. What is not
proven may open a dossier, one for each letter, so that it cannot move another's deadline; it never
closes one, and never says that a reply of ours arrived (trap 47). Only a buyer's letter describes a
buyer's thread: Amazon's own stand in it without saying whom to answer, and how.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.amazon import addresses, deadlines, identity, kinds, policies
from connectors.amazon.deadlines import Asked
from connectors.amazon.identity import Asking
from connectors.amazon.kinds import Sort, Standing
from connectors.amazon.letter import Pieces, buyer
from core.model import Verdict
from core.transport import filing
from sla.clock import Delivery, Given, Kind
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from connectors.amazon.identity import Memory
    from connectors.amazon.letter import Letter
    from core.model import Thread

DOSSIERS = {
    Sort.CLAIM: ThreadKind.CLAIM,
    Sort.RETURN: ThreadKind.RETURN,
    Sort.CANCELLATION: ThreadKind.CANCELLATION,
    Sort.CHARGEBACK: ThreadKind.DISPUTE,
}
ACT = "answer"
BY_REFUND = (ThreadKind.CLAIM, ThreadKind.RETURN, ThreadKind.CANCELLATION)

_BY_ITSELF = re.compile(r"\bautom[aá]t|自動", re.IGNORECASE)


def of(one: Letter, memory: Memory) -> Pieces:
    """What comes of a letter of Amazon's own, or of one that came back.

    One that would end something and is doubtful is shown, no more.
    """
    if one.doubt and one.found.sort in kinds.ENDING:
        return shown(one, memory)
    return EFFECTS.get(one.found.sort, shown)(one, memory)


def shown(one: Letter, memory: Memory) -> Pieces:
    """A letter that a person should see, and nothing more: of a type that nobody knows, say."""
    thread = _general(one)
    return Pieces(messages=(one.message(thread),), threads=_state(one, thread), memory=memory)


def copied(one: Letter, memory: Memory) -> Pieces:
    """The copy of an answer that the seller gave, here or at Amazon (trap 10).

    It ends nothing by itself (`internal`, to nobody): the verdict says which reply it confirms, or
    that it is an answer given elsewhere, once the thread is found by order, name and time. An
    unproven copy says nothing: a forged one must never end a waiting.
    """
    if one.found.standing is not Standing.PROVEN:
        return shown(one, memory)
    thread = _general(one)
    message = one.message(thread, Party.SELLER, Kind.INTERNAL, None, text=one.words.text)
    verdict = Verdict(
        id=one.id,
        delivery=Delivery.CONFIRMED,
        at=one.at,
        buyer=one.alias.digest if one.alias else None,
        order_id=one.order,
        text=f"{one.mail.subject}\n{one.notice}\n{one.words.text}",  # quoted or not
        is_copy=True,
    )
    message = message.model_copy(update={"delivery": Delivery.CONFIRMED})
    return Pieces((message,), _state(one, thread), verdicts=(verdict,), memory=memory)


def opted_out(one: Letter, memory: Memory) -> Pieces:
    """A message of ours that was not delivered (trap 14): the clock goes on from its own start.

    Believed also where nobody checked it: a false one costs a look, a missed one the deadline.
    """
    alias = one.alias or _named(one)
    thread = identity.of_order(one.order, alias) if one.order else _general(one)
    verdict = Verdict(
        id=one.id,
        delivery=Delivery.REFUSED,
        at=one.at,
        buyer=alias.digest if alias else None,
        order_id=one.order,
        text=one.notice,
    )
    return Pieces((one.message(thread),), verdicts=(verdict,), memory=memory)


def turned_away(one: Letter, memory: Memory) -> Pieces:
    """A message of ours that the relay did not take: from an address not approved, say (trap 15).

    It names our Message-ID. Its wording is not known, so the shape counts: nothing else answers.
    """
    named = one.mail.header("in-reply-to").split()[0].removeprefix("<").removesuffix(">")
    verdict = Verdict(
        id=one.id, delivery=Delivery.REFUSED, at=one.at, message_id=named, order_id=one.order,
        text=one.notice,
    )  # fmt: skip
    pieces = shown(one, memory)
    return replace(pieces, verdicts=(verdict,))


def bounced(one: Letter, memory: Memory) -> Pieces:
    """A delivery report. What failed is a refusal, by our Message-ID or by whom it did not reach.

    A delay is none. A report of a letter that went to no buyer is none of ours.
    """
    alias = one.alias
    nameless = any(each.message_id and not each.recipient for each in one.mail.reports)
    if alias is None and not nameless:
        aside = one.aside("foreign: a report of another letter", quiet=True)
        return Pieces(set_aside=(aside,), memory=memory)
    thread = f"case:{alias.uuid}" if alias and alias.uuid else None
    forged = one.found.standing is Standing.FORGED
    failed = [each for each in one.mail.reports if each.action == "failed"]
    verdicts = tuple(
        Verdict(
            id=f"{one.id}/{number}" if number else one.id,
            delivery=Delivery.REFUSED,
            at=one.at,
            message_id=each.message_id,
            buyer=alias.digest if alias and not forged else None,
            thread=None if forged else thread,
        )
        for number, each in enumerate(failed)
        if each.message_id or not forged
    )
    where = thread or identity.of_letter(one.id)
    return Pieces((one.message(where),), verdicts=verdicts, memory=memory)


def asked(one: Letter, memory: Memory) -> Pieces:
    """A claim, a return, a cancellation or a chargeback: a dossier that asks for an answer.

    Until when is read from its own sentence. Where it says nothing, a claim has the shorter
    published number and a return the recommendation; for a cancellation Amazon publishes none, so
    that it has a deadline only where the letter names one. A letter that is read after the one that
    closes it opens it and closes it again.
    """
    kind = DOSSIERS[one.found.sort]
    proven = one.found.standing is Standing.PROVEN
    thread = identity.of_dossier(kind, one.order if proven else None, one.id)
    readings, memory = ((), memory) if _is_settled(one) else _asks(one, kind, thread, memory)
    return Pieces(
        messages=(one.message(thread),),
        threads=(one.thread(thread, kind, buyer(one.mail) if one.alias else ""),),
        given=tuple((thread, reading) for reading in readings),
        memory=memory,
    )


def _asks(
    one: Letter, kind: ThreadKind, thread: str, memory: Memory
) -> tuple[tuple[Given, ...], Memory]:
    """What the dossier *thread* asks after the letter *one*, and the memory after it.

    A date that a letter names is moved by a later letter that names one, and by nothing else; where
    none does, the earliest of the published numbers counts: a reminder puts nothing off. It asks
    again all the same.
    """
    guess = _within(kind)
    said = deadlines.read(one.mail.text, one.at, one.where, guess)
    due = said or (Asked(one.at + guess, "", uncertain=True) if guess else None)
    if due is None and kind is not ThreadKind.RETURN:
        return (), memory
    closed = _closed_at(one, kind, thread, memory)
    if closed and one.at < closed:
        return (_reading(one, kind, due, one.at), _settled(one, kind, closed)), memory
    known = memory.dossiers.get(thread)
    asking = Asking(one.at, due.due_at if due else None, one.at if said else None)
    if known is None or _counts(asking, known):
        at = max(one.at, known.at) if known else one.at
        reading = _reading(one, kind, due, at)
        return (reading,), memory.with_dossier(thread, asking._replace(at=at))
    if one.at <= known.at:
        return (), memory
    again = replace(_reading(one, kind, None, one.at), starts_at=None)
    return (again,), memory.with_dossier(thread, known._replace(at=one.at))


def _counts(new: Asking, known: Asking) -> bool:
    """Whether the deadline of *new* takes the place of the one that is *known*."""
    if new.due_at is None or known.due_at is None:
        return new.due_at is not None or (known.due_at is None and new.at > known.at)
    if new.said_at and known.said_at and new.said_at != known.said_at:
        return new.said_at > known.said_at
    if bool(new.said_at) != bool(known.said_at):
        return new.said_at is not None
    return new.due_at < known.due_at


def _closed_at(one: Letter, kind: ThreadKind, thread: str, memory: Memory) -> datetime | None:
    """When *thread* was closed last, by a decision or by a refund of its order."""
    is_orders = one.order is not None and thread == identity.of_dossier(kind, one.order, one.id)
    names = [thread, *([one.order] if one.order and is_orders and kind in BY_REFUND else [])]
    return max((memory.closed[name] for name in names if name in memory.closed), default=None)


def decided(one: Letter, memory: Memory) -> Pieces:
    """A claim was decided: it asks no more. An appeal is the seller's right, not a deadline."""
    thread = identity.of_dossier(ThreadKind.CLAIM, one.order, one.id)
    if one.found.standing is not Standing.PROVEN or one.order is None:
        return shown(one, memory)
    return Pieces(
        messages=(one.message(thread),),
        threads=(one.thread(thread, ThreadKind.CLAIM),),
        given=((thread, _settled(one, ThreadKind.CLAIM, one.at)),),
        memory=memory.without_dossier(thread, one.at).with_closed(thread, one.at),
    )


def refunded(one: Letter, memory: Memory) -> Pieces:
    """A refund of an order: what was open about it asks no more, also what is read only later."""
    pieces = shown(one, memory)
    if one.found.standing is not Standing.PROVEN or one.order is None:
        return pieces
    named = [(kind, identity.of_dossier(kind, one.order, one.id)) for kind in BY_REFUND]
    closed = [
        (kind, thread)
        for kind, thread in named
        if (known := memory.dossiers.get(thread)) and known.at < one.at
    ]
    for _, thread in closed:
        memory = memory.without_dossier(thread, one.at)
    given = tuple((thread, _settled(one, kind, one.at)) for kind, thread in closed)
    return replace(pieces, given=given, memory=memory.with_closed(one.order, one.at))


EFFECTS: Mapping[Sort, Callable[[Letter, Memory], Pieces]] = {
    Sort.COPY: copied,
    Sort.OPT_OUT: opted_out,
    Sort.REFUSAL: turned_away,
    Sort.BOUNCE: bounced,
    Sort.CLAIM: asked,
    Sort.RETURN: asked,
    Sort.CANCELLATION: asked,
    Sort.CHARGEBACK: asked,
    Sort.DECISION: decided,
    Sort.REFUND: refunded,
}


def _general(one: Letter) -> str:
    """The thread of a letter that is about an order, or about nothing that we know."""
    if one.order is None:
        return identity.of_letter(one.id)
    return identity.of_order(one.order, one.alias)


def _state(one: Letter, thread: str) -> tuple[Thread, ...]:
    """The state of *thread*, where it is of Amazon's letters alone and of no buyer."""
    return () if one.order and one.alias else (one.thread(thread),)


def _named(one: Letter) -> addresses.Alias | None:
    """The buyer whom a notice names in a link to write to him, if it is one alone."""
    text = f"{one.mail.text}\n{one.mail.html or ''}"
    found = {each.buyer: each for each in addresses.aliases(text)}
    return next(iter(found.values())) if len(found) == 1 else None


def _is_settled(one: Letter) -> bool:
    """Whether Amazon authorised a return by itself: it asks nothing then."""
    if one.found.sort is not Sort.RETURN:
        return False
    lines = (line for line in one.notice.splitlines() if "amazon" in line.lower())
    return any(_BY_ITSELF.search(line) for line in lines)


def _within(kind: ThreadKind) -> timedelta | None:
    number = policies.numbers().get(kind)
    return number.within if number else None


def _reading(one: Letter, kind: ThreadKind, due: Asked | None, as_of: datetime) -> Given:
    return Given(
        kind=kind,
        act=ACT,
        asks=True,
        as_of=as_of,
        read_at=max(one.now, as_of),
        due_at=due.due_at if due else None,
        starts_at=one.at,
        uncertain=bool(due and due.uncertain) or one.found.standing is not Standing.PROVEN,
        sentence=filing.line(due.sentence) or None if due else None,
    )


def _settled(one: Letter, kind: ThreadKind, as_of: datetime) -> Given:
    return Given(kind=kind, act=ACT, asks=False, as_of=as_of, read_at=max(one.now, as_of))
