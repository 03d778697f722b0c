"""What the kind offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.webstore.chatwoot.options import FLOOR
from core.connector import Capabilities
from core.model import Stream
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.chatwoot.options import ChatwootOptions

CONVERSATIONS, WEBHOOKS = "conversations", "webhooks"
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)

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

CHAT = Policy(
    name="webstore-chatwoot-chat",
    version=1,
    role="goal",
    applies_to=frozenset({ThreadKind.CHAT}),
    waits_for=frozenset({Party.BUYER}),
    reply_within=timedelta(minutes=5),
    calendar=Calendar.always(),
    source="our own: who opens a live chat expects somebody within minutes; nobody outside sets it",
    checked_on=date(2026, 11, 22),
    review_after=date(2027, 11, 22),
)


def goals(_: ChatwootOptions) -> tuple[Policy, ...]:
    """Our own promise: Chatwoot makes none for us."""
    return (CHAT,)


def streams(options: ChatwootOptions) -> tuple[Stream, ...]:
    """What is read by itself."""
    floor = SECOND if options.is_near else FLOOR
    chats = Stream(
        CONVERSATIONS,
        options.poll_every,
        floor=min(floor, options.poll_every),
        kinds=frozenset({ThreadKind.CHAT}),
        pushed=options.push is not None,
    )
    if options.push is None:
        return (chats,)
    hooks = Stream(
        WEBHOOKS,
        MINUTE if options.is_near else HOUR,
        carries_clocks=False,
        floor=floor,
        kinds=frozenset(),
        limited_alone=True,
    )
    return (chats, hooks)


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
