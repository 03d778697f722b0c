"""To which conversation a letter belongs. Pure but for the memory, which it changes.

In this order: an id of a reply of ours, or our address with its thread in it; the letters that it
answers, the nearest first; the provider's own thread, an order's number, the subject, each with the
same address. What is new is named by the oldest letter that it tells of, so that a letter and the
one that it answers meet, whichever is read first.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.webstore.mailbox import letter as letters
from connectors.webstore.mailbox import proof, sorts
from connectors.webstore.mailbox.sorts import Sort
from core.transport import subjects
from core.transport.filing import digest, made

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from connectors.webstore.mailbox.letter import Letter
    from connectors.webstore.mailbox.memory import Memory, Tie
    from connectors.webstore.mailbox.options import MailboxOptions
    from core.transport.letter import Address

PREFIX = "mail:"
TOKEN = re.compile(r"\+([0-9a-f]{16})@")
PERSON, ANYBODY, OTHER = "person", "anybody", "other"
BESIDE, ANSWERED = "beside", "answered"


def named(one: Letter, memory: Memory) -> Letter:
    """*one* under an id of its own, where a letter that is not the same has that id already."""
    known = memory.letter(one.id)
    if known is None or known.mark in {"", one.mark}:
        return one
    return replace(one, id=made(f"{one.id}\n{one.mark}"))


def by_letters(one: Letter, memory: Memory, options: MailboxOptions) -> str | None:
    """The thread that it belongs to by what it answers; a letter that is read again stays."""
    known = memory.letter(one.id)
    if known is not None and known.mark:
        return known.thread
    if token := sorts.own_token(one.answers) or _addressed(one, options):
        return token
    if thread := _answered(one, memory):
        return thread
    return known.thread if known is not None else None


def by_people(one: Letter, memory: Memory, within: timedelta) -> str | None:
    """The thread that it belongs to by who wrote it, or to whom it goes; nobody who is forged."""
    if one.is_forged:
        return None
    for words in _lasting(one):
        if tie := memory.tie(*words):
            return tie.thread
    near = (memory.tie(*words) for words in _passing(one))
    return next((tie.thread for tie in near if tie and _is_near(tie, one.at, within)), None)


def is_answer(one: Letter, thread: str, memory: Memory, within: timedelta) -> bool:
    """Whether a letter that left answers in *thread*, and does not only name its order.

    Shops send such letters by themselves: an invoice, that the parcel has left.
    """
    if one.answers or subjects.answers(one.mail.subject):
        return True
    ties = [memory.tie(*words) for words in _provided(one)]
    near = (memory.tie(*words) for words in _passing(one))
    ties += [tie for tie in near if tie and _is_near(tie, one.at, within)]
    return any(tie and tie.thread == thread for tie in ties)


def anew(one: Letter) -> str:
    """The thread that begins with it, or with the oldest letter that it tells of.

    Of each person another: many answer a letter that went to many, and name it alone.
    """
    who = one.people[0].address.lower() if one.people else ""
    return digest(f"{one.answers[-1] if one.answers else one.id}\n{who}")


def note(one: Letter, thread: str, memory: Memory) -> None:
    """Remember that *one* belongs to *thread*, and so do those that it answers."""
    memory.note_letter(one.id, thread, one.at, one.mark)
    for each in one.answers:
        memory.note_unread(each, thread, one.at)


def note_ties(one: Letter, thread: str, memory: Memory) -> None:
    """Remember what ties letters of the same people to *thread*; nothing of who is forged.

    Who gets a copy of a letter that left is nobody whom it ties there.
    """
    if one.is_forged:
        return
    if one.sort is Sort.SENT and len(one.people) > 1:
        who = (each for each in one.people if _is_known(each, thread, memory))
        one = replace(one, people=tuple(who))
    for words in (*_lasting(one), *_passing(one)):
        memory.note_tie(thread, one.at, *words)


def note_buyer(one: Letter, thread: str, memory: Memory) -> None:
    """Remember who waits in *thread*."""
    for who in one.people:
        memory.note_tie(thread, one.at, PERSON, thread, who.address.lower())
        memory.note_tie(thread, one.at, ANYBODY, thread)


def note_answered(one: Letter, thread: str, memory: Memory) -> None:
    """Remember to whom an answer of *thread* went; where to several, nobody knows who asked."""
    memory.note_tie(thread, one.at, ANSWERED, thread)
    for who in one.people:
        memory.note_tie(thread, one.at, ANSWERED, who.address.lower())
        if len(one.people) == 1:
            memory.note_tie(thread, one.at, ANSWERED, thread, who.address.lower())


def note_beside(one: Letter, thread: str, memory: Memory) -> None:
    """Remember that *one*, which left, went to others than the buyer of *thread* too."""
    if len(one.people) < 2 and memory.tie(ANYBODY, thread) is None:
        return
    if not all(_is_known(who, thread, memory) for who in one.people):
        memory.note_tie(thread, one.at, BESIDE, one.id)


def note_others(one: Letter, thread: str, memory: Memory) -> None:
    """Remember to whom *one*, of *thread*, was passed on."""
    for who in one.people:
        memory.note_tie(thread, one.at, OTHER, thread, who.address.lower())


def is_by_another(one: Letter, thread: str, memory: Memory) -> bool:
    """Whether somebody writes in *thread* to whom it was passed on, and who is not its buyer."""
    told = [who.address.lower() for who in one.people]
    return any(
        memory.tie(OTHER, thread, each) and not memory.tie(PERSON, thread, each) for each in told
    )


def is_to_its_buyer(one: Letter, thread: str, memory: Memory) -> bool:
    """Whether a letter that left goes to somebody who wrote in *thread*.

    Where nobody is known to have written there, its question has not been read yet, or is
    forgotten: it counts, unless its subject says that it passes something on.
    """
    if memory.tie(ANYBODY, thread) is None:
        return not subjects.passes_on(one.mail.subject)
    return any(_is_known(who, thread, memory) for who in one.people)


def was_answered(address: str, memory: Memory) -> bool:
    """Whether an answer went to *address*, in whichever thread."""
    return memory.tie(ANSWERED, address.lower()) is not None


def is_buyers(address: str, thread: str, memory: Memory) -> bool:
    """Whether mail to *address* is mail to who waits in *thread*, as far as that is known."""
    if memory.tie(ANYBODY, thread) is None:
        return True
    return memory.tie(PERSON, thread, address.lower()) is not None


def _is_known(who: Address, thread: str, memory: Memory) -> bool:
    """Whether *who* wrote in *thread*."""
    return memory.tie(PERSON, thread, who.address.lower()) is not None


def _answered(one: Letter, memory: Memory) -> str | None:
    """The thread of the nearest letter that it answers; none of another buyer's.

    Who is not known there may be its buyer under another address, where he answers a letter that
    was read, and that went to nobody else. A form answers nothing: what it names is its own.
    """
    for each in one.answers:
        told = memory.letter(each)
        if told is None:
            continue
        if one.sort is Sort.OWN or _is_at_home(one, told.thread, memory):
            return told.thread
        went_beside = memory.tie(BESIDE, each) is not None
        if told.mark and not went_beside and one.sort is not Sort.FORM:
            return told.thread
        if told.mark and went_beside and one.sort is not Sort.SENT:
            return None
    return None


def _is_at_home(one: Letter, thread: str, memory: Memory) -> bool:
    """Whether who wrote *one*, or to whom it went, is known in *thread*, or nobody is.

    Where nobody is known to have written there, those are whom an answer went to.
    """
    told = [who.address.lower() for who in one.people]
    if memory.tie(ANYBODY, thread) is not None:
        return any(memory.tie(word, thread, each) for each in told for word in (PERSON, OTHER))
    if memory.tie(ANSWERED, thread) is not None:
        return any(memory.tie(ANSWERED, thread, each) for each in told)
    return True


def _addressed(one: Letter, options: MailboxOptions) -> str | None:
    """The thread that stands in our address, as answers to us are asked to be sent."""
    own = {proof.domain(each) for each in options.own}
    told = (*(each.address.lower() for each in sorts.recipients(one.mail)), *one.mail.envelope)
    for address in told:
        found = TOKEN.search(address.lower())
        if found and proof.domain(address) in own:
            return found[1]
    return None


def _lasting(one: Letter) -> Iterator[tuple[str, ...]]:
    """What ties letters of one address together for as long as they are remembered."""
    yield from _provided(one)
    for who in one.people:
        for order in one.orders:
            yield "order", order, who.address.lower()


def _provided(one: Letter) -> Iterator[tuple[str, ...]]:
    """The provider's own conversation."""
    for who in one.people:
        for name in one.provider:
            yield "provider", name, who.address.lower()


def _passing(one: Letter) -> Iterator[tuple[str, ...]]:
    """What ties them together for some days."""
    subject = letters.base(one)
    for who in one.people:
        yield "subject", subject, who.address.lower()


def _is_near(tie: Tie, at: datetime, within: timedelta) -> bool:
    return abs(at.timestamp() - tie.at) <= within.total_seconds()
