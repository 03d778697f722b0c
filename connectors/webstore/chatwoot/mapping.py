"""Chatwoot's conversations to our words. Pure: what its fields mean for a clock stands here.

Whose answer counts is Chatwoot's own rule (app/models/message.rb, `human_response?`, read
2026-11-22): an outgoing message of a user, or one that was written in the channel's own app, and
neither of an automation nor of a campaign. What is unknown is open: it ends nothing, and is counted
as set aside so that a person looks at it.
"""

from __future__ import annotations

import json
import math
import mimetypes
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from connectors.webstore import contacts, orders
from connectors.webstore.chatwoot.answering import CAN_REPLY, NO
from core import languages
from core.model import MAX_ID, MAX_LINE, Attachment, Message, Page, Thread
from core.payload import instant
from core.transport import salvage
from sla.clock import Delivery, Kind
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.webstore.chatwoot.options import ChatwootOptions
    from connectors.webstore.chatwoot.payload import Conversation, Entry, File
    from core.model import SetAside

KIND = "chatwoot"
INCOMING, OUTGOING, ACTIVITY, TEMPLATE = "incoming", "outgoing", "activity", "template"
TYPES = {"0": INCOMING, "1": OUTGOING, "2": ACTIVITY, "3": TEMPLATE}
"""As a number where a conversation is read, as a word in a webhook."""

LANGUAGE, BROWSERS = "conversation_language", "browser_language"

BOTS = frozenset({"agentbot", "captainassistant"})
BUYER = frozenset({Party.BUYER})

LEAD = timedelta(hours=1)
"""A stamp further ahead than this is none: it would freeze what it dates for ever."""

UNDATED = datetime(2000, 1, 1, tzinfo=UTC)
"""Of a push, which tells a thread's state less well than the walk that it pulls forward."""

ENDS_IN_UTC = " UTC"

_Turn = tuple[Party, Kind, frozenset[Party]]


@dataclass(frozen=True, slots=True)
class Read:
    """A conversation with what was read of it; *incomplete*: Chatwoot holds more of it."""

    conversation: Conversation
    entries: tuple[Entry, ...]
    incomplete: bool = False


@dataclass(slots=True)
class _Doubts:
    """What was read but means something that is not documented: counted, never dropped."""

    found: list[SetAside] = field(default_factory=list)

    def add(self, reason: str, entry: Entry, thread: str) -> None:
        content = entry.model_dump()
        self.found.append(salvage.set_aside(entry.id, reason, content, within=thread))


def page(read: Iterable[Read], options: ChatwootOptions, now: datetime) -> Page:
    """These conversations as a page without a cursor."""
    doubts, messages, threads = _Doubts(), dict[str, Message](), dict[str, Thread]()
    for one in read:
        threads[one.conversation.id] = _thread(one, options, now)
        for entry in one.entries:
            made = _message(entry, one.conversation.id, doubts)
            if made is not None:
                about = order_ids(replace(one, entries=(entry,)), options)
                spoken = language(one.conversation) if made.party is Party.BUYER else None
                told = {"order_id": next(iter(about), None), "language": spoken}
                messages[made.id] = made.model_copy(update=told)
    return Page(
        messages=tuple(messages.values()),
        threads=tuple(threads.values()),
        set_aside=tuple(doubts.found),
    )


def pushed(
    conversation: Conversation, entries: tuple[Entry, ...], options: ChatwootOptions, now: datetime
) -> Page:
    """What a webhook tells: the same messages that the next walk reads."""
    told = page([Read(conversation, entries, incomplete=True)], options, now)
    thread = told.threads[0].model_copy(update={"as_of": UNDATED})
    return Page(messages=told.messages, threads=(thread,), set_aside=told.set_aside)


def language(conversation: Conversation) -> str | None:
    """What a conversation is said to be in: by the shop's page, or else by the buyer's browser."""
    told = conversation.additional_attributes or {}
    return languages.tag(told.get(LANGUAGE)) or languages.tag(told.get(BROWSERS))


def active_at(conversation: Conversation) -> datetime | None:
    """When something was last written in it, to the second; None where that cannot be read."""
    return at(conversation.last_activity_at) or at(conversation.timestamp)


def mark(conversation: Conversation) -> str:
    """What a list tells of a conversation: the same again, and nothing in it is new.

    A message that changes, a form that is filled in and a contact that is merged touch the
    conversation, which does not move for it. As a digest: it stands in cursors, where nothing may
    that names somebody.
    """
    last = next(iter(conversation.messages or ()), None)
    told = (
        conversation.last_activity_at,
        conversation.updated_at,
        conversation.status,
        conversation.can_reply,
        conversation.custom_attributes,
        (last.id, last.status) if last else (),
    )
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def order_ids(one: Read, options: ChatwootOptions) -> tuple[str, ...]:
    """The orders that its custom attribute names; else those that its contact does."""
    theirs = (said.content or "" for said in one.entries if _type(said) == INCOMING)
    return _attributed(one.conversation, options) or orders.named(theirs, options.order_pattern)


def _attributed(conversation: Conversation, options: ChatwootOptions) -> tuple[str, ...]:
    """The orders that its custom attribute names, apart by commas."""
    told = (conversation.custom_attributes or {}).get(options.order_attribute)
    if isinstance(told, bool) or not isinstance(told, str | int):
        return ()
    named = (one.strip() for one in str(told).replace("\0", "").split(","))
    return tuple(dict.fromkeys(one for one in named if one and len(one) <= MAX_ID))


def at(value: object) -> datetime | None:
    """An instant to the second: seconds since 1970, ISO 8601, or ``2026-03-02 13:05:57 UTC``.

    A conversation that is read tells seconds alone: what a webhook tells finer is the same message.
    """
    found = _seconds(value) or instant(value)
    if found is None and isinstance(value, str) and value.endswith(ENDS_IN_UTC):
        found = instant(value.removesuffix(ENDS_IN_UTC).replace(" ", "T"))
    return found.replace(microsecond=0) if found else None


def _seconds(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return None
    try:
        return datetime.fromtimestamp(math.floor(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _as_of(conversation: Conversation, now: datetime) -> datetime:
    told = (at(conversation.updated_at), active_at(conversation), at(conversation.created_at))
    return max((one for one in told if one and one <= now + LEAD), default=now)


def _thread(one: Read, options: ChatwootOptions, now: datetime) -> Thread:
    conversation = one.conversation
    as_of = _as_of(conversation, now)
    page_ = f"/app/accounts/{options.account_id}/conversations/{conversation.id}"
    return Thread(
        id=conversation.id,
        kind=ThreadKind.CHAT,
        subject=_line((conversation.additional_attributes or {}).get("mail_subject")),
        buyer=_buyer(conversation),
        order_ids=order_ids(one, options),
        url=f"{options.base_url}{page_}",
        as_of=as_of,
        incomplete=one.incomplete,
        closed_at=as_of if conversation.status == "resolved" else None,
        reply_to=_reply_to(conversation),
    )


def _buyer(conversation: Conversation) -> str:
    contact = conversation.meta and conversation.meta.sender
    names = (contact.name, contact.email, contact.phone_number) if contact else ()
    return next((name[:MAX_LINE] for name in names if name), "")


def _reply_to(conversation: Conversation) -> dict[str, str]:
    """What answering needs, and by what the buyer is known elsewhere."""
    found = {"kind": KIND}
    if conversation.can_reply is False:
        found[CAN_REPLY] = NO
    contact = conversation.meta and conversation.meta.sender
    if contact and (mail := contacts.mail(contact.email)):
        found["mail"] = mail
    if contact and (phone := contacts.phone(contact.phone_number)):
        found["phone"] = phone
    return found


def _message(entry: Entry, thread: str, doubts: _Doubts) -> Message | None:
    """A message; None where nobody knows who says it."""
    turn = _turn(entry, thread, doubts)
    if turn is None:
        return None
    party, kind, to = turn
    sent_at = at(entry.created_at)
    if sent_at is None:
        doubts.add("messages.created_at: no date", entry, thread)
    return Message(
        id=entry.id,
        thread=thread,
        party=party,
        kind=kind,
        to=to,
        delivery=_delivery(entry) if party is Party.SELLER else None,
        sent_at=sent_at,
        subject=_line(_mail_of(entry).get("subject")),
        body=entry.content or "",
        attachments=tuple(_attachment(file) for file in entry.attachments or ()),
    )


def _turn(entry: Entry, thread: str, doubts: _Doubts) -> _Turn | None:
    """Who says what to whom."""
    type_ = _type(entry)
    if type_ == INCOMING:
        is_automatic = _mail_of(entry).get("auto_reply") is True
        return Party.BUYER, Kind.AUTOMATIC if is_automatic else Kind.MESSAGE, frozenset()
    if type_ == OUTGOING:
        return _outgoing(entry, thread, doubts)
    if type_ == ACTIVITY:
        return Party.MARKETPLACE, Kind.SYSTEM, frozenset()
    if type_ == TEMPLATE:
        return Party.SELLER, Kind.AUTOMATIC, BUYER
    doubts.add("messages.message_type: unknown", entry, thread)
    return (Party.BUYER, Kind.MESSAGE, frozenset()) if _who(entry) == "contact" else None


def _outgoing(entry: Entry, thread: str, doubts: _Doubts) -> _Turn:
    """A note is for nobody, a bot's answer is none, and a call that was placed answers nothing."""
    attributes, who = entry.content_attributes or {}, _who(entry)
    if entry.private:
        return Party.SELLER, Kind.INTERNAL, frozenset()
    if entry.content_type == "voice_call":
        return Party.MARKETPLACE, Kind.SYSTEM, frozenset()
    campaign = (entry.additional_attributes or {}).get("campaign_id")
    if who in BOTS or attributes.get("automation_rule_id") or campaign:
        return Party.SELLER, Kind.AUTOMATIC, BUYER
    if who == "user" or attributes.get("external_echo"):
        return Party.SELLER, Kind.MESSAGE, BUYER
    doubts.add("messages.sender: unknown", entry, thread)
    return Party.SELLER, Kind.AUTOMATIC, BUYER


def is_outgoing(entry: Entry) -> bool:
    """Whether it is one of those that may fail."""
    return _type(entry) == OUTGOING


def _type(entry: Entry) -> str:
    told = entry.message_type
    if isinstance(told, bool) or not isinstance(told, str | int):
        return ""
    return TYPES.get(str(told), str(told))


def _who(entry: Entry) -> str:
    """The sender's type in one spelling: ``AgentBot`` in a list, ``agent_bot`` elsewhere."""
    told = entry.sender_type or (entry.sender.type if entry.sender else None) or ""
    return re.sub("[^a-z]", "", told.lower())


def _delivery(entry: Entry) -> Delivery:
    """What stands there has got there, unless its channel says that it failed."""
    return Delivery.REFUSED if entry.status == "failed" else Delivery.CONFIRMED


def _mail_of(entry: Entry) -> dict[str, Any]:
    """What an inbox of mail tells of a letter."""
    told = (entry.content_attributes or {}).get("email")
    return told if isinstance(told, dict) else {}


def _line(told: object) -> str | None:
    return told[:MAX_LINE] if isinstance(told, str) and told else None


def _attachment(file: File) -> Attachment:
    name = _name(file)
    return Attachment(
        id=file.id,
        name=name[:MAX_LINE],
        size=file.file_size,
        media_type=mimetypes.guess_type(name)[0],
    )


def _name(file: File) -> str:
    """The file's name, which its address ends in."""
    try:
        named = unquote(urlsplit(file.data_url or "").path.rpartition("/")[2])
    except ValueError:
        named = ""
    return named or file.fallback_title or file.file_type or ""
