"""What the kind offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.webstore import letters
from connectors.webstore.generic.options import FLOOR
from core.connector import Capabilities
from core.model import Stream
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.generic.options import GenericOptions
    from core.connector import SeesReplies

MESSAGES = "messages"
SECOND = timedelta(seconds=1)

LIST, SEND = "messages", "send_message"
OPERATIONS = (LIST, SEND)
"""The words that name our calls in metrics."""

TOPICS = ("message",)
"""What is pushed, whatever the store calls it."""


def _goal(kind: ThreadKind, within: timedelta, why: str) -> Policy:
    return Policy(
        name=f"webstore-generic-{kind.value}",
        version=1,
        role="goal",
        applies_to=frozenset({kind}),
        waits_for=frozenset({Party.BUYER}),
        reply_within=within,
        calendar=Calendar.always(),
        source=f"our own: {why}; nobody outside sets it",
        checked_on=date(2026, 11, 23),
        review_after=date(2027, 11, 23),
    )


MESSAGE = _goal(
    ThreadKind.MESSAGE, timedelta(hours=24), "who writes to a store is answered within a day"
)
CHAT = _goal(
    ThreadKind.CHAT, timedelta(minutes=5), "who opens a chat expects somebody within minutes"
)


def goals(options: GenericOptions) -> tuple[Policy, ...]:
    """Our own promise, by what the settings say that a conversation is."""
    return (MESSAGE,) if options.conversation == "message" else (CHAT,)


def streams(options: GenericOptions) -> tuple[Stream, ...]:
    """The list, where there is one: what is only pushed is read by nobody."""
    if options.poll is None:
        return ()
    floor = SECOND if options.is_near else FLOOR
    return (
        Stream(
            MESSAGES,
            options.poll_every,
            floor=min(floor, options.poll_every),
            kinds=frozenset({ThreadKind(options.conversation)}),
            pushed=options.webhook is not None,
        ),
    )


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
