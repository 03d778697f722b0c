"""What of a push, and of a conversation, becomes ours. Pure.

A message that is read is the same as when it was pushed: times are of whole seconds, as far as both
tell them, and files are named by what is read alone. A chat is numbered by the person in it, whom
Meta calls by an id that is of this page alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from connectors.webstore import orders
from connectors.webstore.meta import envelope, window
from connectors.webstore.meta.envelope import Told
from connectors.webstore.meta.pages import offer
from connectors.webstore.meta.pages.payload import Entry
from core.model import MAX_LINE, Attachment, Message, Page, Thread
from core.payload import instant
from core.transport import salvage
from sla.clock import Delivery, Kind
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from connectors.webstore.meta.envelope import Envelope
    from connectors.webstore.meta.pages.payload import Conversation, File, Happening, Said
    from core.model import SetAside

KEYS = ("mid", "id")
A_SECOND = 1000


def told(found: Envelope, word: str, homes: Mapping[str, str], own: str) -> Told:
    """What *found* holds for the accounts in *homes*, by the seller's id; *own* keeps the rest."""
    result, aside = Told(), {own: list(found.aside)}
    messages: dict[str, dict[str, Message]] = {}
    for content in found.entries:
        try:
            read = salvage.read(Entry, content, KEYS)
        except ValidationError:
            aside[own].append(salvage.set_aside("", "entry: misshapen", content))
            continue
        account = homes.get(read.value.id)
        if account is None:
            result.strange += 1
            continue
        aside.setdefault(account, []).extend(read.aside)
        for event in (*(read.value.messaging or ()), *(read.value.standby or ())):
            message = _happened(event, read.value.id)
            result.topics.add(_topic(message))
            if message is not None:
                messages.setdefault(account, {})[message.id] = message
    result.pages = _pages(word, messages, aside)
    return result


def _pages(
    word: str,
    messages: Mapping[str, Mapping[str, Message]],
    aside: Mapping[str, Sequence[SetAside]],
) -> dict[str, Page]:
    """A page for each account; of chats it tells nothing but that they are: who is in them is read.

    So such a state gives way to any other.
    """
    pages = {}
    for account in messages.keys() | aside.keys():
        those = tuple(messages.get(account, {}).values())
        chats = {m.thread: _chat(word, m.thread) for m in those}
        page = Page(those, tuple(chats.values()), set_aside=tuple(aside.get(account, ())))
        if page.messages or page.set_aside:
            pages[account] = page
    return pages


def _topic(message: Message | None) -> str:
    if message is None:
        return offer.MORE
    return offer.MESSAGES if message.party is Party.BUYER else offer.ECHOES


def _happened(event: Happening, own: str) -> Message | None:
    """The message that *event* tells; None: reactions, reads, deliveries, and what was taken back.

    What was taken back still counts as it was sent: it was read or pushed before.
    """
    at = envelope.instant(event.timestamp, A_SECOND)
    at = None if at is None else at.replace(microsecond=0)
    said = event.message
    if said is not None and not said.is_deleted:
        is_ours = bool(said.is_echo) or event.sender.id == own
        person = event.recipient.id if is_ours else event.sender.id
        return _message(said.mid, person, at, said.text or "", is_ours=is_ours)
    pressed = event.postback
    if pressed is not None:
        return _message(pressed.mid, event.sender.id, at, pressed.title or "", is_ours=False)
    return None


def page(
    conversations: Sequence[Conversation],
    word: str,
    own: str,
    now: datetime,
    pattern: str | None = None,
) -> tuple[tuple[Message, ...], tuple[Thread, ...]]:
    """The messages and the chats of *conversations*; *pattern* finds the orders that they name."""
    messages: dict[str, Message] = {}
    threads: dict[str, Thread] = {}
    for one in conversations:
        person = _person(one, own)
        if not person:
            continue
        listed = one.messages.data or () if one.messages is not None else ()
        found = [_read(said, person, own) for said in listed]
        messages |= {m.id: m for m in found}
        state = _state(one, word, person, own, found, now)
        theirs = [m.body for m in found if m.party is Party.BUYER]
        named = orders.named(theirs, pattern)
        threads[person] = state.model_copy(update={"order_ids": named})
    return tuple(messages.values()), tuple(threads.values())


def updated(conversation: Conversation) -> datetime | None:
    """When something happened in it last."""
    return instant(conversation.updated_time)


def _person(one: Conversation, own: str) -> str:
    """Who is in it beside the seller."""
    listed = one.participants.data or () if one.participants is not None else ()
    ids = [party.id for party in listed if party.id != own]
    said = one.messages.data or () if one.messages is not None else ()
    ids += [m.sender.id for m in said if m.sender is not None and m.sender.id != own]
    for message in said:
        to = message.to.data or () if message.to is not None else ()
        ids += [party.id for party in to if party.id != own]
    return ids[0] if ids else ""


def _read(said: Said, person: str, own: str) -> Message:
    is_ours = said.sender is not None and said.sender.id == own
    at = instant(said.created_time)
    at = None if at is None else at.replace(microsecond=0)
    files = said.attachments.data or () if said.attachments is not None else ()
    return _message(
        said.id, person, at, said.message or "", is_ours=is_ours, files=tuple(map(_file, files))
    )


def _message(
    id_: str,
    person: str,
    at: datetime | None,
    text: str,
    *,
    is_ours: bool,
    files: tuple[Attachment, ...] = (),
) -> Message:
    return Message(
        id=id_,
        thread=person,
        party=Party.SELLER if is_ours else Party.BUYER,
        kind=Kind.MESSAGE,
        to=frozenset({Party.BUYER if is_ours else Party.SELLER}),
        delivery=Delivery.CONFIRMED if is_ours else None,
        sent_at=at,
        body=text,
        attachments=files,
    )


def _state(
    one: Conversation,
    word: str,
    person: str,
    own: str,
    found: Sequence[Message],
    now: datetime,
) -> Thread:
    told = (window.dated(m.sent_at, now) for m in found if m.party is Party.BUYER)
    asked = max(filter(None, told), default=None)
    more = one.messages is not None and one.messages.paging is not None
    return Thread(
        id=person,
        kind=ThreadKind.CHAT,
        buyer=_name(one, own)[:MAX_LINE],
        as_of=window.dated(updated(one), now) or now,
        incomplete=more and bool(one.messages and one.messages.paging and one.messages.paging.next),
        reply_to=_reached(word, person) | window.kept(asked),
    )


def _chat(word: str, person: str) -> Thread:
    return Thread(
        id=person, kind=ThreadKind.CHAT, as_of=window.FAINT, reply_to=_reached(word, person)
    )


def _reached(word: str, person: str) -> dict[str, str]:
    return {"kind": word, "to": person}


def _name(one: Conversation, own: str) -> str:
    """The name that is shown of whoever is in it beside the seller."""
    listed = one.participants.data or () if one.participants is not None else ()
    theirs = [party for party in listed if party.id != own]
    said = one.messages.data or () if one.messages is not None else ()
    theirs += [m.sender for m in said if m.sender is not None and m.sender.id != own]
    names = [party.name or (f"@{party.username}" if party.username else "") for party in theirs]
    return next(filter(None, names), "")


def _file(one: File) -> Attachment:
    name, kind = one.name or "", one.mime_type
    size = one.size if one.size is None or 0 <= one.size < 2**53 else None
    return Attachment(id=one.id, name=name[:MAX_LINE], size=size, media_type=_line(kind))


def _line(text: str | None) -> str | None:
    return None if text is None else text[:MAX_LINE]
