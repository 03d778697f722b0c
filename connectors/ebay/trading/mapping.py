"""From exchanges and letters to pages. Pure: all knowledge of their words stands here.

A thread is one exchange (a question with its answers), or a letter that is no exchange. Of an
answer eBay tells the words alone: its id is made of them, and its instant is the exchange's last
change where there is one answer, else that of the letter sent with the same words.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING

from connectors.ebay.messages import body
from connectors.ebay.messages.mapping import LEAD
from core.model import MAX_ID, MAX_LINE, Attachment, Message, Page, Thread
from core.payload import instant
from core.transport import salvage
from sla.clock import Delivery, Kind
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from connectors.ebay.trading.payload import Exchange, File, Letter
    from core.model import SetAside

EXCHANGE, LETTER = "exchange:", "letter:"
"""What the ids of threads begin with; a question's or a letter's own id follows."""

ITEM, FROM = "item", "from"
"""Under which `Thread.reply_to` keeps the listing, and who writes where it is no member."""

MARKETPLACE = "ebay"


def page(
    exchanges: Iterable[Exchange], sent: Sequence[Letter], own: frozenset[str], now: datetime
) -> Page:
    """These exchanges as a page without a cursor; *sent* are letters with the seller's words.

    *own* are the seller's names, casefolded.
    """
    every = list(exchanges)
    messages = [message for one in every for message in _exchanged(one, sent, own)]
    return Page(
        messages=tuple(messages),
        threads=tuple(_thread(one, own, now) for one in every),
        set_aside=tuple(_undated(every, now)),
    )


def letters(
    received: Iterable[Letter],
    answers: Iterable[tuple[Letter, Letter]],
    own: frozenset[str],
    now: datetime,
) -> Page:
    """Letters that no exchange tells; *answers* are pairs of one and what was sent upon it."""
    every, pairs = list(received), list(answers)
    said = [_letter(one, place(one), own) for one in every]
    said += [_letter(sent, place(upon), own) for upon, sent in pairs]
    begun = {one.id: one for one in (*every, *(upon for upon, _ in pairs))}
    threads = tuple(_of_letter(one, now) for one in begun.values())
    return Page(messages=tuple(said), threads=threads)


def place(one: Letter) -> str:
    """The thread of a letter received: that of the question that it is, or its own."""
    return EXCHANGE + one.external if one.external else LETTER + one.id


def is_many(one: Exchange) -> bool:
    """Whether its answers need letters to be dated."""
    return len(one.answers) > 1


def changed_at(one: Exchange) -> datetime | None:
    """When it was asked or last answered; None where that is unreadable."""
    return instant(one.changed) or instant(one.created)


def other(one: Exchange, own: frozenset[str]) -> str:
    """Who is the other party, by name or immutable id as told."""
    asked = one.question
    return asked.recipient if asked.sender.casefold() in own else asked.sender


def is_about(letter: Letter, one: Exchange, own: frozenset[str]) -> bool:
    """Whether a letter that was sent may be an answer in this exchange."""
    same = letter.recipient.casefold() == other(one, own).casefold()
    return same and (not letter.item or letter.item == one.item.id)


def answers(letter: Letter, one: Exchange) -> bool:
    """Whether the letter's words are one of the exchange's answers."""
    return words(letter) in {_folded(each) for each in one.answers}


def words(letter: Letter) -> str:
    """What a letter says, whitespace folded."""
    return _folded(letter.content or letter.text)


def is_from_ebay(letter: Letter) -> bool:
    """Whether eBay itself wrote it: shown, and without a clock (trap 44)."""
    return letter.sender.casefold() == MARKETPLACE


def _exchanged(one: Exchange, sent: Sequence[Letter], own: frozenset[str]) -> list[Message]:
    asked = one.question
    by_seller = asked.sender.casefold() in own
    question = Message(
        id=asked.id,
        thread=EXCHANGE + asked.id,
        party=Party.SELLER if by_seller else Party.BUYER,
        to=frozenset({Party.BUYER if by_seller else Party.SELLER}),
        delivery=Delivery.CONFIRMED if by_seller else None,
        sent_at=instant(one.created),
        body=body.text(asked.body),
        attachments=_files(one.files),
        raw=_raw(asked.body),
    )
    dates = _dates(one, [letter for letter in sent if is_about(letter, one, own)])
    return [question, *_answers(one, dates)]


def _answers(one: Exchange, dates: Sequence[datetime | None]) -> list[Message]:
    """The seller's; the same words twice are two answers."""
    thread, seen = EXCHANGE + one.question.id, Counter[str]()
    made = []
    for said, at in zip(one.answers, dates, strict=True):
        seen[said] += 1
        digest = sha256(f"{seen[said]}/{said}".encode("utf-8", "replace")).hexdigest()[:16]
        made.append(
            Message(
                id=f"{thread}:{digest}"[:MAX_ID],
                thread=thread,
                party=Party.SELLER,
                to=frozenset({Party.BUYER}),
                delivery=Delivery.CONFIRMED,
                sent_at=at,
                body=body.text(said),
                raw=_raw(said),
            )
        )
    return made


def _dates(one: Exchange, sent: Sequence[Letter]) -> list[datetime | None]:
    """When each answer was given; where no letter tells, at the last change: never too early."""
    last = changed_at(one)
    if not is_many(one):
        return [last for _ in one.answers]
    left = sorted(sent, key=lambda letter: letter.received)
    dates: list[datetime | None] = []
    for said in one.answers:
        letter = next((each for each in left if words(each) == _folded(said)), None)
        if letter is not None:
            left.remove(letter)
        dates.append((instant(letter.received) if letter else None) or last)
    return dates


def _thread(one: Exchange, own: frozenset[str], now: datetime) -> Thread:
    return Thread(
        id=EXCHANGE + one.question.id,
        subject=_line(one.question.subject or one.item.title),
        buyer=other(one, own)[:MAX_LINE],
        as_of=_as_of(changed_at(one), now),
        reply_to={ITEM: one.item.id[:MAX_LINE]},
    )


def _letter(one: Letter, thread: str, own: frozenset[str]) -> Message:
    by_seller, by_ebay = one.sender.casefold() in own, is_from_ebay(one)
    said = one.content or one.text
    party = Party.SELLER if by_seller else Party.MARKETPLACE if by_ebay else Party.BUYER
    return Message(
        id=one.external or one.id,
        thread=thread,
        party=party,
        kind=Kind.SYSTEM if by_ebay else Kind.MESSAGE,
        to=frozenset({Party.BUYER if by_seller else Party.SELLER}),
        delivery=Delivery.CONFIRMED if by_seller else None,
        sent_at=instant(one.received),
        subject=_line(one.subject),
        body=body.text(said),
        attachments=_files(one.files),
        raw=_raw(said),
    )


def _of_letter(one: Letter, now: datetime) -> Thread:
    by_ebay = is_from_ebay(one)
    return Thread(
        id=place(one),
        subject=_line(one.subject),
        buyer="" if by_ebay else one.sender[:MAX_LINE],
        as_of=_as_of(instant(one.received), now),
        reply_to={ITEM: one.item[:MAX_LINE], FROM: MARKETPLACE if by_ebay else "member"},
    )


def _undated(every: Iterable[Exchange], now: datetime) -> list[SetAside]:
    """Exchanges without a date that can be: shown as of now, and told."""
    return [
        salvage.set_aside(one.question.id, "CreationDate: no date", one.model_dump(by_alias=True))
        for one in every
        if (at := instant(one.created)) is None or at > now + LEAD
    ]


def _files(files: Sequence[File]) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(id=one.url[:MAX_ID], name=one.name[:MAX_LINE]) for one in files if one.url
    )


def _as_of(at: datetime | None, now: datetime) -> datetime:
    return at if at and at <= now + LEAD else now


def _line(text: str) -> str | None:
    return body.text(text)[:MAX_LINE] or None


def _raw(said: str) -> bytes | None:
    """What was written, where the text loses something of it."""
    return said.encode("utf-8", "replace") if body.text(said) != said else None


def _folded(said: str) -> str:
    return " ".join(body.text(said).split())
