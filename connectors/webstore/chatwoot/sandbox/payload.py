"""Conversations and messages as Chatwoot's JSON: read by the API, and told by a webhook."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from connectors.webstore.chatwoot.sandbox.chats import ACTIVITY, WORDS, Bot, Contact

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.chatwoot.sandbox.chats import Attachment, Chat, Message
    from connectors.webstore.chatwoot.sandbox.desk import Agent, Habits, Webhook


def message(one: Message, base: str) -> dict[str, Any]:
    """As a conversation's messages are read: numbers, and the sender without its class."""
    told = {
        "id": one.id,
        "content": one.content or None,
        "inbox_id": one.chat.inbox.id,
        "conversation_id": one.chat.id,
        "message_type": one.type,
        "content_type": one.content_type,
        "status": one.status,
        "content_attributes": one.content_attributes,
        "created_at": _unix(one.created_at),
        "private": one.private,
        "source_id": None,
    }
    if one.additional_attributes:
        told["additional_attributes"] = one.additional_attributes
    if one.sender is not None:
        told["sender"] = _sender(one.sender)
    return {**told, **_attached(one, base)}


def listed(one: Message, base: str) -> dict[str, Any]:
    """As a conversation shows its last message: with the sender's class, and more."""
    return {
        **message(one, base),
        "account_id": one.chat.account.id,
        "sender_type": _class(one.sender),
        "sender_id": one.sender.id if one.sender else None,
        "updated_at": _iso(one.created_at),
        "external_source_ids": {},
        "additional_attributes": one.additional_attributes,
        "processed_message_content": one.content,
        "sentiment": {},
        "conversation": {"assignee_id": None, "unread_count": 0,
                         "last_activity_at": _unix(one.chat.last_activity_at)},
    }  # fmt: skip


def conversation(chat: Chat, base: str) -> dict[str, Any]:
    """As it is listed and shown."""
    last = chat.messages[-1:]
    spoken = [one for one in chat.messages if one.type != ACTIVITY][-1:]
    return {
        "meta": {
            "sender": _contact(chat.contact),
            "channel": chat.inbox.channel,
            "hmac_verified": False,
        },
        "id": chat.id,
        "messages": [listed(one, base) for one in last],
        "account_id": chat.account.id,
        "uuid": f"00000000-0000-4000-8000-{chat.id:012d}",
        "additional_attributes": chat.additional_attributes,
        "agent_last_seen_at": 0,
        "assignee_last_seen_at": 0,
        "can_reply": chat.can_reply,
        "contact_last_seen_at": 0,
        "custom_attributes": chat.custom_attributes,
        "inbox_id": chat.inbox.id,
        "labels": [],
        "muted": False,
        "snoozed_until": None,
        "status": chat.status,
        "created_at": _unix(chat.created_at),
        "updated_at": chat.updated_at.timestamp(),
        "timestamp": _unix(chat.last_activity_at),
        "first_reply_created_at": _first_reply(chat),
        "unread_count": 0,
        "last_non_activity_message": listed(spoken[0], base) if spoken else None,
        "last_activity_at": _unix(chat.last_activity_at),
        "priority": None,
        "waiting_since": 0,
    }


def told(event: str, chat: Chat, one: Message | None, habits: Habits, base: str) -> dict[str, Any]:
    """A webhook's body: the conversation, or a message with the conversation in it."""
    whole = _pushed(chat, base)
    if one is None:
        return {**whole, "event": event, "changed_attributes": []}
    return {
        "account": {"id": chat.account.id, "name": chat.account.name},
        "additional_attributes": one.additional_attributes,
        "content_attributes": one.content_attributes,
        "content_type": one.content_type,
        "content": one.content,
        "conversation": whole,
        "created_at": _dated(one.created_at, habits),
        "id": one.id,
        "inbox": {"id": chat.inbox.id, "name": chat.inbox.name},
        "message_type": WORDS[one.type],
        "private": one.private,
        "sender": _told_sender(one.sender),
        "source_id": None,
        **_attached(one, base),
        "event": event,
    }


def webhook(hook: Webhook, account: int) -> dict[str, Any]:
    """A webhook, its secret with it."""
    return {
        "id": hook.id,
        "name": hook.name,
        "url": hook.url,
        "account_id": account,
        "subscriptions": hook.subscriptions,
        "secret": hook.secret,
    }


def _pushed(chat: Chat, base: str) -> dict[str, Any]:
    """The conversation as webhooks have it: its last message that is neither activity nor note."""
    shown = [one for one in chat.messages if one.type != ACTIVITY and not one.private][-1:]
    return {
        "additional_attributes": chat.additional_attributes,
        "can_reply": chat.can_reply,
        "channel": chat.inbox.channel,
        "id": chat.id,
        "inbox_id": chat.inbox.id,
        "messages": [listed(one, base) for one in shown],
        "labels": [],
        "meta": {
            "sender": {**_contact(chat.contact), "type": "contact"},
            "assignee": None,
            "hmac_verified": False,
        },
        "status": chat.status,
        "custom_attributes": chat.custom_attributes,
        "snoozed_until": None,
        "unread_count": 0,
        "first_reply_created_at": None,
        "priority": None,
        "waiting_since": 0,
        "agent_last_seen_at": 0,
        "contact_last_seen_at": 0,
        "last_activity_at": _unix(chat.last_activity_at),
        "timestamp": _unix(chat.last_activity_at),
        "created_at": _unix(chat.created_at),
        "updated_at": chat.updated_at.timestamp(),
    }


def _contact(contact: Contact) -> dict[str, Any]:
    return {
        "additional_attributes": {},
        "availability_status": "offline",
        "email": contact.email,
        "id": contact.id,
        "name": contact.name,
        "phone_number": contact.phone_number,
        "blocked": False,
        "identifier": None,
        "thumbnail": "",
        "custom_attributes": {},
    }


def _sender(sender: Contact | Agent | Bot) -> dict[str, Any]:
    if isinstance(sender, Contact):
        return {**_contact(sender), "type": "contact"}
    kind = {"AgentBot": "agent_bot", "Captain::Assistant": "captain_assistant"}
    type_ = kind[sender.type] if isinstance(sender, Bot) else "user"
    return {"id": sender.id, "name": sender.name, "type": type_, "thumbnail": ""}


def _told_sender(sender: Contact | Agent | Bot | None) -> dict[str, Any] | None:
    """In a webhook a contact does not say what it is."""
    if isinstance(sender, Contact):
        return {**_contact(sender), "account": {"id": 1, "name": "Shop"}}
    return None if sender is None else _sender(sender)


def _class(sender: Contact | Agent | Bot | None) -> str | None:
    if sender is None or isinstance(sender, Bot):
        return None if sender is None else sender.type
    return "Contact" if isinstance(sender, Contact) else "User"


def _attached(one: Message, base: str) -> dict[str, Any]:
    """Files, where there are any: else the field is left out."""
    if not one.attachments:
        return {}
    return {"attachments": [_attachment(file, one, base) for file in one.attachments]}


def _attachment(file: Attachment, one: Message, base: str) -> dict[str, Any]:
    kind = file.media_type.partition("/")[0]
    url = f"{base}/rails/active_storage/blobs/redirect/{file.id}/{quote(file.name)}"
    return {
        "id": file.id,
        "message_id": one.id,
        "file_type": kind if kind in ("image", "audio", "video") else "file",
        "account_id": one.chat.account.id,
        "extension": None,
        "data_url": url,
        "thumb_url": url,
        "file_size": len(file.content),
    }


def _first_reply(chat: Chat) -> int:
    return next((_unix(one.created_at) for one in chat.messages if one.answers()), 0)


def _unix(at: datetime) -> int:
    return int(at.timestamp())


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _dated(at: datetime, habits: Habits) -> str:
    return _iso(at) if habits.dates == "iso" else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
