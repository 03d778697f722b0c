"""What the kind offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.webstore.bigcommerce.options import FLOOR
from connectors.webstore.letters import LONGEST, MOST_ENCLOSED, MOST_FILES, SHORTEST
from core.connector import Capabilities
from core.model import Stream
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.bigcommerce.options import BigCommerceOptions

MESSAGES, HOOKS = "messages", "hooks"
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)

READ_ORDERS, READ_ORDER, READ_MESSAGES = "orders", "order", "order_messages"
READ_HOOKS, ADD_HOOK, CHANGE_HOOK = "hooks", "create_hook", "update_hook"
OPERATIONS = (READ_ORDERS, READ_ORDER, READ_MESSAGES, READ_HOOKS, ADD_HOOK, CHANGE_HOOK)
"""The words that name our calls in metrics."""

CREATED = "store/order/message/created"
"""What we subscribe to."""
TOPICS = (CREATED,)

MESSAGE = Policy(
    name="webstore-bigcommerce-message",
    version=1,
    role="goal",
    applies_to=frozenset({ThreadKind.MESSAGE}),
    waits_for=frozenset({Party.BUYER}),
    reply_within=timedelta(hours=24),
    calendar=Calendar.always(),
    source="our own: who writes to a store about an order is answered within a day; nobody outside"
    " sets it",
    checked_on=date(2026, 11, 22),
    review_after=date(2027, 11, 22),
)


def goals(_: BigCommerceOptions) -> tuple[Policy, ...]:
    """Our own promise: BigCommerce makes none for us."""
    return (MESSAGE,)


def streams(options: BigCommerceOptions) -> tuple[Stream, ...]:
    """What is read by itself."""
    floor = SECOND if options.is_near else FLOOR
    messages = Stream(
        MESSAGES,
        options.poll_every,
        ascending=True,
        floor=min(floor, options.poll_every),
        kinds=frozenset({ThreadKind.MESSAGE}),
        pushed=options.push is not None,
    )
    if options.push is None:
        return (messages,)
    hooks = Stream(
        HOOKS,
        MINUTE if options.is_near else HOUR,
        carries_clocks=False,
        floor=floor,
        kinds=frozenset(),
    )
    return (messages, hooks)


def can(options: BigCommerceOptions) -> Capabilities:
    """What it can beyond reading. What we mail, BigCommerce does not show."""
    receives = options.push is not None
    if options.mail is None:
        return Capabilities(looks=True, receives=receives, sees_replies="copies")
    return Capabilities(
        replies=True,
        looks=True,
        receives=receives,
        sees_replies="copies",
        shortest_reply=SHORTEST,
        longest_reply=LONGEST,
        most_enclosed=MOST_ENCLOSED,
        most_files=MOST_FILES,
    )
