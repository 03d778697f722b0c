"""What both kinds offer: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.webstore.meta import registered, subscribing, window
from connectors.webstore.meta.pages.options import FLOOR
from connectors.webstore.meta.registered import Wanted
from core.connector import Capabilities
from core.model import Stream
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.meta.pages.options import PageOptions
    from connectors.webstore.meta.pages.platform import Platform
    from sla.policy import Policy

CONVERSATIONS, STANDING = "conversations", "standing"
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)

SHOW, LIST, SEND = "page", "conversations", "send_message"
OPERATIONS = (SHOW, LIST, SEND, *registered.OPERATIONS, *subscribing.OPERATIONS)
"""The words that name our calls in metrics."""

MESSAGES, ECHOES, MORE = "messages", "echoes", "more"
TOPICS = (MESSAGES, ECHOES, MORE)
"""What is pushed: by the first of these that is in a push."""


def within(options: PageOptions) -> timedelta:
    """How long after the person's last message an answer may leave."""
    return window.WEEK if options.human_agent else window.DAY


def policies(options: PageOptions, platform: Platform) -> tuple[Policy, ...]:
    """Meta's own: afterwards nothing may be sent, until the person writes again."""
    return (window.contract(platform.word, within(options), platform.source),)


def goals(platform: Platform) -> tuple[Policy, ...]:
    """Our own: an answer within the hour."""
    return (window.goal(platform.word),)


def streams(options: PageOptions) -> tuple[Stream, ...]:
    """The conversations, under what is pushed; and how the subscription and the token stand."""
    floor = SECOND if options.is_near else FLOOR
    return (
        Stream(
            CONVERSATIONS,
            options.poll_every,
            floor=min(floor, options.poll_every),
            kinds=frozenset({ThreadKind.CHAT}),
            pushed=True,
        ),
        Stream(
            STANDING,
            MINUTE if options.is_near else HOUR,
            carries_clocks=False,
            floor=floor,
            kinds=frozenset(),
            limited_alone=True,
        ),
    )


def can(platform: Platform, window: timedelta | None = None) -> Capabilities:
    """Answers leave here, and whatever was answered elsewhere is read."""
    return Capabilities(
        replies=True,
        looks=True,
        receives=True,
        reports=True,
        shortest_reply=1,
        longest_reply=platform.longest,
        longest_in=platform.unit,
        window=window,
    )


def wanted(options: PageOptions, platform: Platform) -> Wanted:
    """What is to be pushed."""
    return Wanted(platform.object, platform.fields, options.page_id)
