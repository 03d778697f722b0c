"""The store's items to our words, as the table ``mapping`` says. Pure.

What is unknown is open: a word that the table lacks is a buyer's, and is counted as set aside so
that a person looks at it. An item that has no id, or is of no conversation, is set aside alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from connectors.webstore import contacts
from connectors.webstore.generic import moments
from connectors.webstore.generic.answering import BY_API, BY_MAIL, WAY, as_id
from connectors.webstore.generic.meaning import MESSAGE, THREAD
from connectors.webstore.generic.paths import find
from connectors.webstore.remarks import placed
from core.errors import BadPayload
from core.model import MAX_LINE, Attachment, Message, Page, Thread
from core.transport import salvage
from sla.clock import Delivery, Kind
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.webstore.generic.meaning import Meaning, Word
    from connectors.webstore.generic.options import GenericOptions
    from core.model import SetAside

KIND = "generic"
BUYER = frozenset({Party.BUYER})
MOST_FILES, MOST_ORDERS = 100, 100

UNDATED = datetime(2000, 1, 1, tzinfo=UTC)
"""Of a state that tells nothing of its buyer: any that does is newer."""

_TURNS: dict[Word, tuple[Party, Kind, frozenset[Party]]] = {
    "buyer": (Party.BUYER, Kind.MESSAGE, frozenset()),
    "seller": (Party.SELLER, Kind.MESSAGE, BUYER),
    "automatic": (Party.SELLER, Kind.AUTOMATIC, BUYER),
    "private": (Party.SELLER, Kind.INTERNAL, frozenset()),
    "system": (Party.MARKETPLACE, Kind.SYSTEM, frozenset()),
}


@dataclass(frozen=True, slots=True)
class Read:
    """An item and the message that it became; *changed_at* is the newest instant that it names."""

    item: Any
    message: Message
    changed_at: datetime | None


@dataclass(slots=True)
class Translated:
    """What items became, and what of them did not: *odd* says why, in the words of the table."""

    read: list[Read] = field(default_factory=list)
    odd: list[SetAside] = field(default_factory=list)
    came: int = 0

    def __iadd__(self, more: Translated) -> Self:
        self.read += more.read
        self.odd += more.odd
        self.came += more.came
        return self

    def doubt(self, key: str, why: str, item: Any, id_: str = "") -> None:
        """Set *item* aside, because of the expression *key*."""
        self.odd.append(salvage.set_aside(id_, f"mapping.{key}: {why}", item))


def listed(document: Any, path: str) -> list[Any]:
    """The items of a list.

    Raises:
        BadPayload: there is none, as where an error comes as a good answer.
    """
    found = find(path, document)
    if isinstance(found, list):
        return found
    raise BadPayload("poll: no list where poll.items says", detail="misshapen")


def pushed(document: Any, path: str) -> list[Any]:
    """The items of a push, or the one that it is about.

    Raises:
        BadPayload: there is none.
    """
    found = find(path, document)
    if isinstance(found, list | dict):
        return found if isinstance(found, list) else [found]
    raise BadPayload("webhook: no items where webhook.items says", detail="misshapen")


def translated(found: Sequence[Any], meaning: Meaning) -> Translated:
    """What each item says, by itself: an odd one costs no other."""
    made = Translated()
    for each in found:
        for item in _unfolded(each, meaning, made):
            made.came += 1
            _translate(item, meaning, made)
    return made


def mark(item: Any, meaning: Meaning) -> str:
    """What an item of a list is known by, though what it says may change."""
    if meaning.messages is not None:
        named = as_id(find(meaning.thread, {THREAD: item}))
    else:
        named = as_id(find(meaning.id, item))
    return named or salvage.set_aside("", "", item).source_id


def page(made: Translated, options: GenericOptions, now: datetime) -> Page:
    """What was translated, as a page without a cursor. Of a message that came twice the last."""
    messages = {one.message.id: one.message for one in made.read}
    threads: dict[str, list[Read]] = {}
    for one in made.read:
        threads.setdefault(one.message.thread, []).append(one)
    return Page(
        messages=tuple(messages.values()),
        threads=tuple(_thread(name, read, options, now) for name, read in threads.items()),
        set_aside=tuple(made.odd),
    )


def _unfolded(item: Any, meaning: Meaning, made: Translated) -> list[Any]:
    """The item, or what it holds: each message with the conversation that it is in."""
    if meaning.messages is None:
        return [item]
    inner = find(meaning.messages, item)
    if not isinstance(inner, list):
        made.came += 1
        made.doubt("messages", "no list", item)
        return []
    return [{THREAD: item, MESSAGE: each} for each in inner]


def _translate(item: Any, meaning: Meaning, made: Translated) -> None:
    id_ = as_id(find(meaning.id, item))
    if id_ is None:
        made.doubt("id", "no id", item)
        return
    thread = id_ if meaning.thread is None else as_id(find(meaning.thread, item))
    if thread is None:
        made.doubt("thread", "no id", item, id_)
        return
    word = meaning.parties.get(_word(find(meaning.party, item)))
    if word is None:
        made.doubt("party", "a word that parties lacks", item, id_)
    sent_at = _instant(meaning.sent_at, item, meaning)
    if sent_at is None:
        made.doubt("sent_at", _why_no_instant(find(meaning.sent_at, item), meaning), item, id_)
    message = _message(id_, thread, _TURNS[word or "buyer"], sent_at, item, meaning)
    told = (sent_at, _instant(meaning.updated_at, item, meaning))
    changed_at = max((one for one in told if one is not None), default=None)
    made.read.append(Read(item, message, changed_at))


def _message(
    id_: str,
    thread: str,
    turn: tuple[Party, Kind, frozenset[Party]],
    sent_at: datetime | None,
    item: Any,
    meaning: Meaning,
) -> Message:
    party, kind, to = turn
    return Message(
        id=id_,
        thread=thread,
        party=party,
        kind=kind,
        to=to,
        delivery=Delivery.CONFIRMED if party is Party.SELLER else None,
        sent_at=sent_at,
        language=find(meaning.language, item) if party is Party.BUYER else None,
        subject=_line(find(meaning.subject, item)) or None,
        body=_text(find(meaning.text, item)),
        order_id=next(iter(_orders(item, meaning)), None),
        attachments=_attachments(item, meaning),
    )


def _thread(name: str, read: Sequence[Read], options: GenericOptions, now: datetime) -> Thread:
    """Its state by its newest items. Who the buyer is only a buyer's own items tell."""
    meaning = options.mapping
    newest = sorted(read, key=lambda one: one.changed_at or UNDATED, reverse=True)
    theirs = [one.item for one in newest if one.message.party is Party.BUYER]
    every = [one.item for one in newest]
    as_of = _as_of(newest, now) if theirs else UNDATED
    return Thread(
        id=name,
        kind=ThreadKind(options.conversation),
        subject=_first(every, meaning.subject) or None,
        buyer=_first(theirs, meaning.buyer),
        order_ids=next((found for one in every if (found := _orders(one, meaning))), ()),
        url=_first(every, meaning.link) or None,
        as_of=as_of,
        closed_at=as_of if _is_closed(every, meaning) else None,
        reply_to=_reply_to(theirs, options),
    )


def _as_of(newest: Sequence[Read], now: datetime) -> datetime:
    told = [one.changed_at for one in newest if one.changed_at is not None]
    return next((at for at in told if at <= now + placed.LEAD), UNDATED)


def _is_closed(newest: Sequence[Any], meaning: Meaning) -> bool:
    told = [find(meaning.status, one) for one in newest[:1]]
    return any(_word(one) in meaning.closed for one in told)


def _reply_to(theirs: Sequence[Any], options: GenericOptions) -> dict[str, str]:
    """What answering needs, and by what the buyer is known elsewhere."""
    found = {"kind": KIND}
    if options.reply is not None or options.mail is not None:
        found[WAY] = BY_API if options.reply is not None else BY_MAIL
    if mail := contacts.mail(_first(theirs, options.mapping.mail)):
        found["mail"] = mail
    if phone := contacts.phone(_first(theirs, options.mapping.phone)):
        found["phone"] = phone
    return found


def _first(newest: Sequence[Any], path: str | None) -> str:
    """What the newest item that says anything at *path* says, as one line."""
    return next((told for one in newest if (told := _line(find(path, one)))), "")


def _instant(path: str | None, item: Any, meaning: Meaning) -> datetime | None:
    return None if path is None else moments.instant(find(path, item), meaning.time, meaning.zone)


def _why_no_instant(value: object, meaning: Meaning) -> str:
    """Why *value* is no instant, as far as a zone is all that it lacks (trap 23)."""
    lacks_a_zone = meaning.zone is None and moments.takes_zone(meaning.time)
    if lacks_a_zone and moments.instant(value, meaning.time, "UTC") is not None:
        return "a time without an offset; write zone"
    return "no instant"


def _word(value: object) -> str:
    """A word of the store's as the table spells it: ``true``, ``0`` and ``null`` are words too."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    try:
        return str(value)
    except ValueError:  # more digits than Python writes
        return ""


def _line(value: object) -> str:
    return " ".join(_text(value).split())[:MAX_LINE]


def _orders(item: Any, meaning: Meaning) -> tuple[str, ...]:
    """The orders that an item names, one or a list."""
    found = find(meaning.orders, item)
    named = found[:MOST_ORDERS] if isinstance(found, list) else [found]
    known = (as_id(_stripped(one)) for one in named)
    return tuple(dict.fromkeys(one for one in known if one))


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _attachments(item: Any, meaning: Meaning) -> tuple[Attachment, ...]:
    """Names of files; their bytes stay at the store."""
    found = find(meaning.attachments, item)
    named = found[:MOST_FILES] if isinstance(found, list) else [found]
    lines = [line for one in named if (line := _line(one))]
    return tuple(Attachment(id=str(n), name=line) for n, line in enumerate(lines, 1))
