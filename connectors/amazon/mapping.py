"""Letters to our words. Pure: whatever a letter is, it becomes a message, a notice or a set-aside.

What starts the 24 hours is a buyer's message alone, and what ends them is a letter that left from
here: no copy, no notice and no stranger does (traps 10, 11, 47).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.amazon import body, identity, letter, marketplaces, notices
from connectors.amazon.identity import Seen
from connectors.amazon.kinds import MARKETPLACE, Sort, Standing
from connectors.amazon.letter import Pieces
from core.transport import filing, quotes
from sla.clock import Delivery, Kind
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from connectors.amazon.identity import Memory
    from connectors.amazon.letter import Arrival, Letter
    from connectors.amazon.options import AmazonOptions
    from core.model import Message
    from sla.clock import Given

BY_PEOPLE_TOO = frozenset(
    {
        "suppress_auto_response", "no_reply_sender", "no_return_path", "loop_header",
        "list_unsubscribe", "feedback_id",
    }
)  # fmt: skip
"""Signs of automatics that mail programs and senders' services put into people's letters too."""


def pieces(
    arrivals: Iterable[Arrival], options: AmazonOptions, memory: Memory, now: datetime
) -> Pieces:
    """What comes of *arrivals*, in the order in which they arrived, read at *now*.

    A letter that comes twice, or lies in two folders, is one message, of its earliest instant. One
    at which this fails is set aside, with the places in our code: those behind it are read.
    """
    every: list[Pieces] = []
    for arrival in arrivals:
        try:
            every.append(_of(letter.read(arrival, options, now), memory))
        except Exception as bug:  # noqa: BLE001  # one letter nobody foresaw must not stop a mailbox
            every.append(Pieces(set_aside=(filing.unforeseen(arrival.mail, bug),), memory=memory))
        memory = every[-1].memory
    return joined(every, memory)


def joined(every: Sequence[Pieces], memory: Memory) -> Pieces:
    """What comes of letters, each by itself, as one; *memory* is what they left behind."""
    return Pieces(
        messages=_once(message for each in every for message in each.messages),
        threads=tuple(thread for each in every for thread in each.threads),
        given=_stated(reading for each in every for reading in each.given),
        set_aside=tuple(aside for each in every for aside in each.set_aside),
        verdicts=tuple({one.id: one for each in every for one in each.verdicts}.values()),
        links={id_: link for each in every for id_, link in each.links.items()},
        memory=memory,
    )


def _stated(given: Iterable[tuple[str, Given]]) -> tuple[tuple[str, Given], ...]:
    """Readings, one of each instant: the last, which corrects what was read before it."""
    found = {(thread, g.kind, g.act, g.as_of, g.read_at): (thread, g) for thread, g in given}
    return tuple(found.values())


def _once(messages: Iterable[Message]) -> tuple[Message, ...]:
    found: dict[str, Message] = {}
    for message in messages:
        known = found.setdefault(message.id, message)
        if message.sent_at and known.sent_at and message.sent_at < known.sent_at:
            found[message.id] = message
    return tuple(found.values())


def _of(one: Letter, memory: Memory) -> Pieces:
    sort, standing = one.found.sort, one.found.standing
    if sort is Sort.FOREIGN:
        aside = one.aside("foreign: no letter of Amazon's", quiet=True)
        return Pieces(set_aside=(aside,), memory=memory)
    if sort is Sort.SENT:
        return _sent(one, memory)
    if sort is Sort.LOOK_ALIKE or (standing is Standing.FORGED and sort is not Sort.BOUNCE):
        return _suspicious(one, memory)
    if _is_elsewheres(one):
        return Pieces(set_aside=(one.aside("foreign: of another region"),), memory=memory)
    found = _bought(one, memory) if sort is Sort.BUYER else notices.of(one, memory)
    if not one.doubt:
        return found
    return replace(found, set_aside=(*found.set_aside, one.aside(f"doubtful: {one.doubt}")))


def _is_elsewheres(one: Letter) -> bool:
    """Whether the letter names a marketplace of a region in which this account has none."""
    named = marketplaces.BY_ID.get(one.mail.header(MARKETPLACE).strip())
    return named is not None and named.region != one.options.region


def _bought(one: Letter, memory: Memory) -> Pieces:
    """A buyer's message: it starts the 24 hours, or joins them.

    Where nobody checked the signature it counts from its arrival, never from its own date. An
    automatic answer of the buyer's asks nothing (trap 16).
    """
    alias = one.alias
    if alias is None:  # of a buyer's type, but there is nobody to answer to
        message = one.message(identity.of_letter(one.id), Party.BUYER, Kind.MESSAGE)
        aside = one.aside("no alias: a buyer's message that cannot be answered from here")
        return Pieces((message,), set_aside=(aside,), memory=memory)
    thread, memory = identity.of_message(
        alias, one.words.case, one.orders, one.mail.subject, one.id, one.at, memory,
        one.options.same_subject,
    )  # fmt: skip
    if alias.uuid is None:
        memory = memory.with_case(one.id, Seen(thread, one.at))
    kind = Kind.AUTOMATIC if one.mail.automatic in {"reply", "receipt"} else Kind.MESSAGE
    link = one.words.no_reply_link
    return Pieces(
        messages=(one.message(thread, Party.BUYER, kind, text=one.words.text),),
        threads=(
            one.thread(thread, buyer=letter.buyer(one.mail)).model_copy(
                update={"reply_to": _reply_to(one, alias.address, alias.digest)}
            ),
        ),
        links={one.id: link} if link and one.found.standing is Standing.PROVEN else {},
        memory=memory,
    )


def _reply_to(one: Letter, address: str, buyer: str) -> dict[str, str]:
    """What an answer needs: the whole alias (trap 3), and the letter that it answers.

    Not the buyer's words: these stand in the message alone, where they can be erased (trap 26).
    """
    told = {"alias": address, "buyer": buyer}
    return told if one.id.startswith("made:") else {**told, "message_id": one.id}


def _sent(one: Letter, memory: Memory) -> Pieces:
    """A letter that left for a buyer: ours, where its id is one of ours, else a colleague's.

    It is accepted, no more (trap 14): a copy confirms it, a notice or a report refuses it. From an
    address that Amazon may not have approved (trap 15) it ends nothing until a copy confirms it.
    Where the buyer's alias carries no case, what it answers tells: a reference of our own is to be
    trusted, unlike those of Amazon's letters.
    """
    alias = one.alias
    if alias is None:
        aside = one.aside("foreign: no letter to a buyer", quiet=True)
        return Pieces(set_aside=(aside,), memory=memory)
    thread, memory = identity.of_message(
        alias, None, one.orders, one.mail.subject, one.id, one.at, memory, one.options.same_subject
    )
    if alias.uuid is None:
        thread = memory.answered(one.mail.header("in-reply-to")) or thread
    sender = one.mail.sender.address.lower() if one.mail.sender else ""
    kind = Kind.AUTOMATIC if set(one.mail.signs) - BY_PEOPLE_TOO else Kind.MESSAGE
    delivery = Delivery.ACCEPTED if sender in one.options.own else Delivery.UNKNOWN
    text = body.without_tokens(quotes.written(one.mail.text[: body.MOST])).strip()
    message = one.message(thread, Party.SELLER, kind, Party.BUYER, text=text)
    return Pieces((message.model_copy(update={"delivery": delivery}),), memory=memory)


def _suspicious(one: Letter, memory: Memory) -> Pieces:
    """A letter that pretends to be Amazon's, or whose signature does not hold (trap 47).

    It is shown in a thread of its own, where it can neither join, move nor end what is real, under
    an id of its own, so that it cannot take the place of a real letter; and a person is told at
    once. Whoever finds it real corrects its kind: its clock then counts from its arrival. It has no
    way to answer, and none of its links.
    """
    own = f"suspect:{filing.digest(one.id)}"
    party = Party.BUYER if one.alias else Party.MARKETPLACE
    id_ = f"suspect:{filing.digest(one.id, 32)}"
    message = one.message(own, party, text=one.words.text, id_=id_)
    aside = one.aside(f"suspicious: {one.found.sort.value} without a signature of Amazon's")
    thread = one.thread(own, buyer=letter.buyer(one.mail))
    return Pieces((message,), (thread,), set_aside=(aside,), memory=memory)
