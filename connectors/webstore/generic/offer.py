"""What the kind offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.webstore import letters, offering
from connectors.webstore.generic.options import FLOOR
from core.connector import Capabilities
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.generic.options import GenericOptions
    from core.connector import SeesReplies
    from core.model import Stream
    from sla.policy import Policy

MESSAGES = "messages"

LIST, SEND = "messages", "send_message"
OPERATIONS = (LIST, SEND)
"""The words that name our calls in metrics."""

TOPICS = ("message",)
"""What is pushed, whatever the store calls it."""

MESSAGE = offering.goal(
    "webstore-generic-message",
    ThreadKind.MESSAGE,
    timedelta(hours=24),
    "who writes to a store is answered within a day",
    date(2026, 11, 23),
)
CHAT = offering.goal(
    "webstore-generic-chat",
    ThreadKind.CHAT,
    timedelta(minutes=5),
    "who opens a chat expects somebody within minutes",
    date(2026, 11, 23),
)


def goals(options: GenericOptions) -> tuple[Policy, ...]:
    """Our own promise, by what the settings say that a conversation is."""
    return (MESSAGE,) if options.conversation == "message" else (CHAT,)


def streams(options: GenericOptions) -> tuple[Stream, ...]:
    """The list, where there is one: what is only pushed is read by nobody."""
    if options.poll is None:
        return ()
    kind, pushed = ThreadKind(options.conversation), options.webhook is not None
    return (offering.read(MESSAGES, options, FLOOR, kind, pushed=pushed),)


def can(options: GenericOptions) -> Capabilities:
    """What it can beyond reading, by what the settings name."""
    receives = options.webhook is not None
    sees = _sees(options)
    if options.reply is not None:
        return Capabilities(
            replies=True,
            receives=receives,
            sees_replies=sees,
            shortest_reply=1,
            longest_reply=options.reply.longest,
        )
    if options.mail is None:
        return Capabilities(receives=receives, sees_replies=sees)
    return Capabilities(
        replies=True,
        receives=receives,
        sees_replies=sees,
        shortest_reply=letters.SHORTEST,
        longest_reply=letters.LONGEST,
        most_enclosed=letters.MOST_ENCLOSED,
        most_files=letters.MOST_FILES,
    )


def _sees(options: GenericOptions) -> SeesReplies:
    """What is mailed from here no store shows; what is only pushed may be lost."""
    if not options.mapping.sees_the_seller:
        return "never"
    return "always" if options.poll is not None and options.mail is None else "copies"
