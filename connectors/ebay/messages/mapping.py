"""From conversations to pages. Pure: all knowledge of eBay's words about messages stands here.

Who wrote is told by the names of sender and recipient alone, never by the conversation's type, and
a name may be an immutable id: members are opaque (trap 29). No id holds one.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from connectors.ebay.messages import body
from connectors.ebay.messages.payload import Pushed
from core.errors import BadPayload
from core.model import MAX_ID, MAX_LINE, Attachment, Message, Page, Thread
from core.payload import instant
from core.transport import salvage
from sla.clock import Delivery, Kind
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connectors.ebay.messages.payload import Entry, Media
    from core.model import SetAside

MEMBERS, EBAY = "FROM_MEMBERS", "FROM_EBAY"
TYPE = "conversation_type"
"""Under which `Thread.reply_to` keeps the type: eBay wants it with every call about one."""

LEAD = timedelta(hours=1)
"""A stamp further ahead than this is no stamp: it would freeze what it dates for ever."""

UNDATED = datetime(2000, 1, 1, tzinfo=UTC)
"""As of when a push describes its conversation: it opens one that is unknown, and whatever was read
of a known one stands, for a push tells neither its title nor what else stands in it."""

NAMES = ("messageId", "conversationId")
"""The fields by which what is set aside is known."""

NEITHER = "sender and recipient: neither is the seller (is its immutable id among seller_ids?)"

MEDIA_TYPES = {
    "IMAGE": "image/*",
    "PDF": "application/pdf",
    "DOC": "application/msword",
    "TXT": "text/plain",
}


@dataclass(frozen=True, slots=True)
class Read:
    """A conversation with what was read of it; *incomplete*: eBay holds more messages of it."""

    id: str
    type: str
    entries: tuple[Entry, ...]
    title: str | None = None
    created: Any = None
    incomplete: bool = False


@dataclass(slots=True)
class _Doubts:
    """What was read but means something that is not documented: counted, never dropped."""

    found: list[SetAside] = field(default_factory=list)

    def add(self, reason: str, entry: Entry, thread: str) -> None:
        content = entry.model_dump(by_alias=True)
        self.found.append(salvage.set_aside(entry.id, reason, content, within=thread))


def page(read: Iterable[Read], own: frozenset[str], now: datetime) -> Page:
    """These conversations as a page without a cursor; *own* are the seller's names, casefolded."""
    doubts, messages, threads = _Doubts(), dict[str, Message](), list[Thread]()
    for one in read:
        threads.append(_thread(one, own, now))
        for entry in one.entries:
            known = messages.setdefault(entry.id, _message(entry, one, own, doubts))
            if known.thread != one.id:
                doubts.add("messageId: in two conversations", entry, one.id)
    return Page(
        messages=tuple(messages.values()),
        threads=tuple(threads),
        set_aside=tuple(doubts.found),
    )


def pushed(data: Mapping[str, Any], own: frozenset[str], now: datetime) -> Page:
    """The data of a push ``NEW_MESSAGE``: the same message that the next poll reads.

    *own* are the seller's names, casefolded.

    Raises:
        BadPayload: it lacks the id of its message or of its conversation.
    """
    try:
        got = salvage.read(Pushed, deepcopy(dict(data)), NAMES)
    except ValidationError:
        raise BadPayload("NEW_MESSAGE: no message of a conversation", detail="misshapen") from None
    entry = got.value
    one = Read(entry.conversation, entry.type or MEMBERS, (entry,), incomplete=True)
    told = page([one], own, now)
    thread = told.threads[0].model_copy(update={"as_of": UNDATED})
    return Page(messages=told.messages, threads=(thread,), set_aside=(*got.aside, *told.set_aside))


def is_undecided(one: Read, own: frozenset[str]) -> bool:
    """Whether neither side of some message is the seller, as far as *own* names are known."""
    return any(
        own.isdisjoint(name.casefold() for name in (entry.sender, entry.recipient) if name)
        for entry in one.entries
    )


def written_at(entry: Entry | None, now: datetime) -> datetime | None:
    """When *entry* was written; None where that is unreadable or cannot be."""
    at = instant(entry.created) if entry is not None else None
    return at if at and at <= now + LEAD else None


def other(entries: Sequence[Entry], own: frozenset[str]) -> str:
    """The name of the other party: there is no field for it. Empty where nobody else is named."""
    for entry in entries:
        for name in (entry.sender, entry.recipient):
            if name and name.casefold() not in own:
                return name
    return ""


def _thread(one: Read, own: frozenset[str], now: datetime) -> Thread:
    dated = [at for entry in one.entries if (at := written_at(entry, now))]
    title = one.title or next((entry.subject for entry in one.entries if entry.subject), None)
    return Thread(
        id=one.id,
        subject=_cut(body.text(title)) if title else None,
        buyer="" if one.type == EBAY else _cut(other(one.entries, own)),
        as_of=max(dated, default=None) or _created(one, now) or now,
        incomplete=one.incomplete,
        reply_to={TYPE: one.type[:MAX_LINE]},
    )


def _created(one: Read, now: datetime) -> datetime | None:
    at = instant(one.created)
    return at if at and at <= now + LEAD else None


def _message(entry: Entry, one: Read, own: frozenset[str], doubts: _Doubts) -> Message:
    """The same whichever call tells it: a subject that only some of them tell is the thread's."""
    party = _party(entry, one, own, doubts)
    sent_at = instant(entry.created)
    if sent_at is None:
        doubts.add("createdDate: no date", entry, one.id)
    said = entry.body or ""
    shown = body.text(said)
    from_ebay = one.type == EBAY
    return Message(
        id=entry.id,
        thread=one.id,
        party=party,
        kind=Kind.SYSTEM if party is Party.MARKETPLACE else Kind.MESSAGE,
        to=_addressed(party, from_ebay=from_ebay),
        delivery=Delivery.CONFIRMED if party is Party.SELLER else None,
        sent_at=sent_at,
        body=shown,
        attachments=_attachments(entry),
        raw=None if shown == said else said.encode("utf-8", "replace"),
    )


def _party(entry: Entry, one: Read, own: frozenset[str], doubts: _Doubts) -> Party:
    """Who wrote: whoever is not the seller waits, known or not (trap 29); eBay asks nothing."""
    if entry.sender and entry.sender.casefold() in own:
        return Party.SELLER
    if one.type == EBAY:
        return Party.MARKETPLACE
    if not entry.sender:
        doubts.add("senderUsername: missing", entry, one.id)
    elif entry.recipient and entry.recipient.casefold() not in own:
        doubts.add(NEITHER, entry, one.id)
    if one.type != MEMBERS:
        doubts.add("conversationType: unknown", entry, one.id)
    return Party.BUYER


def _addressed(party: Party, *, from_ebay: bool) -> frozenset[Party]:
    if party is not Party.SELLER:
        return frozenset({Party.SELLER})
    return frozenset({Party.MARKETPLACE if from_ebay else Party.BUYER})


def _attachments(entry: Entry) -> tuple[Attachment, ...]:
    return tuple(
        _attachment(file, f"{entry.id[: MAX_ID - 20]}:{number}")
        for number, file in enumerate(entry.media or ())
    )


def _attachment(file: Media, number: str) -> Attachment:
    """A file; its id is its address, under which anybody gets it."""
    url = file.url or ""
    is_fit = 0 < len(url) <= MAX_ID and not salvage.UNFIT.search(url)
    return Attachment(
        id=url if is_fit else number,
        name=_cut(file.name or ""),
        media_type=MEDIA_TYPES.get(file.type or ""),
    )


def _cut(text: str) -> str:
    return text[:MAX_LINE]
