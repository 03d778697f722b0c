"""What eBay's Message API and Media API send, as far as it is read; extra fields are ignored.

Every enum is a string and every date whatever it is. One letter differs between a question's answer
(`senderUsername`) and what is posted or pushed (`senderUserName`): both are read (trap 28).
"""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, ConfigDict, Field

from core import payload
from core.payload import Id, Many, Word


class Payload(payload.Payload):
    """What arrives; an id may be a number."""

    model_config = ConfigDict(
        coerce_numbers_to_str=True, validate_by_name=True, validate_by_alias=True
    )


def _name(of: str) -> Any:
    """A member's name, in either spelling; it may be an immutable id."""
    return Field(default=None, validation_alias=AliasChoices(f"{of}Username", f"{of}UserName"))


class Media(Payload):
    """A file of a message: *mediaType* is IMAGE, PDF, DOC or TXT."""

    name: Word = Field(default=None, alias="mediaName")
    type: Word = Field(default=None, alias="mediaType")
    url: Word = Field(default=None, alias="mediaUrl")


class Entry(Payload):
    """A message of a conversation."""

    id: Id = Field(alias="messageId")
    created: Any = Field(default=None, alias="createdDate")
    body: Word = Field(default=None, alias="messageBody")
    media: Many[Media] = Field(default=None, alias="messageMedia")
    sender: Word = _name("sender")
    recipient: Word = _name("recipient")
    subject: Word = None


class Conversation(Payload):
    """A conversation as it is listed, with its newest message alone."""

    id: Id = Field(alias="conversationId")
    type: Word = Field(default=None, alias="conversationType")
    title: Word = Field(default=None, alias="conversationTitle")
    created: Any = Field(default=None, alias="createdDate")
    latest: Entry | None = Field(default=None, alias="latestMessage")


class Conversations(Payload):
    """A page of conversations; *next* is the address of the one after it."""

    conversations: list[Conversation]
    next: Word = None
    offset: int | None = None
    total: int | None = None


class Entries(Payload):
    """A page of a conversation's messages; it does not name its conversation."""

    messages: list[Entry]
    type: Word = Field(default=None, alias="conversationType")
    title: Word = Field(default=None, alias="conversationTitle")
    next: Word = None
    offset: int | None = None
    total: int | None = None


class Pushed(Entry):
    """The data of a push ``NEW_MESSAGE``: a message with the conversation in which it stands."""

    conversation: Id = Field(alias="conversationId")
    type: Word = Field(default=None, alias="conversationType")


class Taken(Payload):
    """What an accepted reply is answered with, as far as it is needed."""

    id: Id | None = Field(default=None, alias="messageId")


class Picture(Payload):
    """An image that eBay's Media API has taken."""

    url: Word = Field(default=None, alias="imageUrl")


class Update(Payload):
    """What became of one conversation of a bulk."""

    id: Id = Field(alias="conversationId")
    status: Word = Field(default=None, alias="updateStatus")


class Updates(Payload):
    """What became of a bulk: 200 does not say that all of it was done (trap 37)."""

    updates: list[Update] = Field(alias="conversationsResponse")
