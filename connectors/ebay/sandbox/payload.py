"""Conversations and messages as eBay's JSON spells them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from connectors.ebay.sandbox.instants import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.ebay.sandbox.conversations import Conversation, Message

Spelling = Literal["Username", "UserName"]
"""Lists and conversations write the one; the answer to a message that was sent, the other."""


def message(one: Message, spelling: Spelling = "Username") -> dict[str, Any]:
    """A message."""
    return {
        "messageId": one.id,
        "createdDate": stamp(one.at),
        f"sender{spelling}": one.sender.told,
        f"recipient{spelling}": one.recipient.told,
        "subject": one.subject,
        "messageBody": one.body,
        "readStatus": one.is_read,
        "messageMedia": [
            {"mediaName": media.name, "mediaType": media.type, "mediaUrl": media.url}
            for media in one.media
        ],
    }


def conversation(one: Conversation) -> dict[str, Any]:
    """A conversation as a list shows it: with its newest message alone, and without the other."""
    shown: dict[str, Any] = {
        "conversationId": one.id,
        "conversationType": one.type,
        "conversationStatus": one.status,
        "conversationTitle": one.title,
        "createdDate": stamp(one.created_at),
        "unreadCount": one.unread,
        "latestMessage": message(one.latest),
    }
    if one.item:
        shown |= {"referenceType": "LISTING", "referenceId": one.item}
    return shown


def thread(one: Conversation) -> dict[str, Any]:
    """What goes with the messages of one conversation; its id is not among it."""
    return {
        "conversationStatus": one.status,
        "conversationTitle": one.title,
        "conversationType": one.type,
    }


def pushed(conversation: Conversation, one: Message) -> dict[str, Any]:
    """A message as a push brings it."""
    about = {"conversationId": conversation.id, "conversationType": conversation.type}
    return {**about, **message(one, "UserName")}


def page(
    href: str, total: int, limit: int, offset: int, **items: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """One page of a walk; *href* is the address of the walk without `limit` and `offset`."""

    def at(place: int) -> str:
        return f"{href}&limit={limit}&offset={place}"

    return {
        "href": at(offset),
        "limit": limit,
        "offset": offset,
        "total": total,
        "next": at(offset + limit) if offset + limit < total else None,
        "prev": at(max(offset - limit, 0)) if offset else None,
        **items,
    }
