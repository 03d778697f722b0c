"""What the kind offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.webstore import offering
from connectors.webstore.bigcommerce.options import FLOOR
from connectors.webstore.letters import LONGEST, MOST_ENCLOSED, MOST_FILES, SHORTEST
from core.connector import Capabilities
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.bigcommerce.options import BigCommerceOptions
    from core.model import Stream
    from sla.policy import Policy

MESSAGES, HOOKS = "messages", "hooks"
HOUR = timedelta(hours=1)

READ_ORDERS, READ_ORDER, READ_MESSAGES = "orders", "order", "order_messages"
READ_HOOKS, ADD_HOOK, CHANGE_HOOK = "hooks", "create_hook", "update_hook"
OPERATIONS = (READ_ORDERS, READ_ORDER, READ_MESSAGES, READ_HOOKS, ADD_HOOK, CHANGE_HOOK)
"""The words that name our calls in metrics."""

CREATED = "store/order/message/created"
"""What we subscribe to."""
TOPICS = (CREATED,)

MESSAGE = offering.goal(
    "webstore-bigcommerce-message",
    ThreadKind.MESSAGE,
    timedelta(hours=24),
    "who writes to a store about an order is answered within a day",
    date(2026, 11, 22),
)


def goals(_: BigCommerceOptions) -> tuple[Policy, ...]:
    """Our own promise: BigCommerce makes none for us."""
    return (MESSAGE,)


def streams(options: BigCommerceOptions) -> tuple[Stream, ...]:
    """What is read by itself."""
    pushed = options.push is not None
    found = offering.read(
        MESSAGES, options, FLOOR, ThreadKind.MESSAGE, ascending=True, pushed=pushed
    )
    hooks = offering.watched(HOOKS, HOUR, options, FLOOR)
    return (found, hooks) if pushed else (found,)


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
