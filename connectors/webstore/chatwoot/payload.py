"""What Chatwoot sends, as far as it is read; extra fields are ignored.

A message looks alike in a list, in a conversation and in a webhook but for two fields, which are
taken as they come: `message_type` is a number or a word, `created_at` a number or a date.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator

from core import payload
from core.payload import EXACT, Many, Word

Number = Annotated[str, Field(pattern=r"^[0-9]{1,19}$"), EXACT]
"""An id: a number, which a webhook's example writes as text."""


class Payload(payload.Payload):
    """What arrives; ids are numbers."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class Sender(Payload):
    """Who wrote: *type* is ``user``, ``contact``, ``agent_bot`` or ``captain_assistant``."""

    type: Word = None


class File(Payload):
    """An attachment; its bytes are at *data_url*."""

    id: Number
    file_type: Word = None
    data_url: Word = None
    file_size: int | None = None
    fallback_title: Word = None


class Entry(Payload):
    """A message: ``User``, ``Contact``, ``AgentBot``, ``Captain::Assistant`` is a `sender_type`."""

    id: Number
    content: Word = None
    message_type: Any = None
    created_at: Any = None
    private: bool | None = None
    status: Word = None
    content_type: Word = None
    content_attributes: dict[str, Any] | None = None
    additional_attributes: dict[str, Any] | None = None
    sender_type: Word = None
    sender: Sender | None = None
    attachments: Many[File] = None


class Contact(Payload):
    """The buyer."""

    name: Word = None
    email: Word = None
    phone_number: Word = None


class Meta(Payload):
    sender: Contact | None = None


class Conversation(Payload):
    """A conversation; *messages* is its last message at most."""

    id: Number
    inbox_id: Number | None = None
    status: Word = None
    can_reply: bool | None = None
    custom_attributes: dict[str, Any] | None = None
    additional_attributes: dict[str, Any] | None = None
    meta: Meta | None = None
    messages: Many[Entry] = None
    created_at: Any = None
    updated_at: Any = None
    timestamp: Any = None
    last_activity_at: Any = None


class Counts(Payload):
    all_count: int | None = None


class Listed(Payload):
    meta: Counts = Counts()
    payload: list[Conversation]


class Conversations(Payload):
    """A page of conversations."""

    data: Listed


class Messages(Payload):
    """Some messages of a conversation, the oldest first."""

    payload: list[Entry]


class Inbox(Payload):
    """An inbox, of which only its being there counts."""

    id: Number


class Account(Payload):
    id: Number | None = None


class Told(Payload):
    """What a webhook says: its kind, whose it is, and where the conversation stands in it.

    With a message the conversation is a part of it; else it is the whole.
    """

    event: str
    account: Account | None = None
    inbox: Account | None = None
    inbox_id: Number | None = None


class MessageTold(Entry):
    """A message with its conversation."""

    conversation: Conversation


class Webhook(Payload):
    """A webhook of the account; *secret* is None where the server does not sign."""

    id: Number
    url: Word = None
    subscriptions: list[str] | None = None
    secret: Word = None


class Webhooks(Payload):
    """All webhooks: documented as a list, and sent in an envelope."""

    webhooks: list[Webhook]

    @model_validator(mode="before")
    @classmethod
    def _unwrapped(cls, told: Any) -> Any:
        inner = told.get("payload", told) if isinstance(told, dict) else told
        return {"webhooks": inner} if isinstance(inner, list) else inner


class OneWebhook(Payload):
    """What was made of one: documented plain, and sent in an envelope."""

    webhook: Webhook

    @model_validator(mode="before")
    @classmethod
    def _unwrapped(cls, told: Any) -> Any:
        inner = told.get("payload", told) if isinstance(told, dict) else told
        is_plain = isinstance(inner, dict) and "webhook" not in inner
        return {"webhook": inner} if is_plain else inner


class Sent(Payload):
    """What a message became."""

    id: Number


class Complaint(Payload):
    """An error, in one of the shapes that its source shows."""

    error: Word = None
    message: Word = None
