"""What the kind offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.webstore import offering
from connectors.webstore.chatwoot.options import FLOOR
from core.connector import Capabilities
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.chatwoot.options import ChatwootOptions
    from core.model import Stream
    from sla.policy import Policy

CONVERSATIONS, WEBHOOKS = "conversations", "webhooks"
HOUR = timedelta(hours=1)

SHORTEST, LONGEST = 1, 150_000
"""How many characters a message has (chatwoot: app/models/message.rb, read 2026-11-22)."""

MOST_FILES = 15
"""Of one message (as above)."""

MOST_ENCLOSED = 40 * 10**6
"""Bytes: the largest file that Chatwoot takes where its setting was not changed."""

LIST, SHOW, MESSAGES, SEND = "conversations", "conversation", "messages", "send_message"
INBOX, HOOKS, ADD_HOOK, CHANGE_HOOK = "inbox", "webhooks", "create_webhook", "update_webhook"
OPERATIONS = (LIST, SHOW, MESSAGES, SEND, INBOX, HOOKS, ADD_HOOK, CHANGE_HOOK)
"""The words that name our calls in metrics."""

WANTED = (
    "conversation_created", "conversation_status_changed", "message_created", "message_updated",
)  # fmt: skip
"""What we subscribe to."""

CHAT = offering.goal(
    "webstore-chatwoot-chat",
    ThreadKind.CHAT,
    timedelta(minutes=5),
    "who opens a live chat expects somebody within minutes",
    date(2026, 11, 22),
)


def goals(_: ChatwootOptions) -> tuple[Policy, ...]:
    """Our own promise: Chatwoot makes none for us."""
    return (CHAT,)


def streams(options: ChatwootOptions) -> tuple[Stream, ...]:
    """What is read by itself."""
    pushed = options.push is not None
    found = offering.read(CONVERSATIONS, options, FLOOR, ThreadKind.CHAT, pushed=pushed)
    hooks = offering.watched(WEBHOOKS, HOUR, options, FLOOR, limited_alone=True)
    return (found, hooks) if pushed else (found,)


def can(options: ChatwootOptions) -> Capabilities:
    """What Chatwoot offers beyond reading."""
    return Capabilities(
        replies=True,
        looks=True,
        receives=options.push is not None,
        shortest_reply=SHORTEST,
        longest_reply=LONGEST,
        most_enclosed=MOST_ENCLOSED,
        most_files=MOST_FILES,
    )
