"""What the kind offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.webstore import offering
from connectors.webstore.letters import LONGEST, MOST_ENCLOSED, MOST_FILES, SHORTEST
from connectors.webstore.shopify.options import FLOOR
from core.connector import Capabilities
from core.model import Stream
from core.transport import oauth
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.shopify.options import ShopifyOptions
    from sla.policy import Policy

ORDERS, DISPUTES, HOOKS = "orders", "disputes", "hooks"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DISPUTES_EVERY = timedelta(minutes=15)
"""A dispute gives days, and is pushed: the walk is the net."""

READ_ORDERS, LOOK_ORDERS = "orders", "order_nodes"
READ_DISPUTES, LOOK_DISPUTES = "disputes", "dispute_nodes"
READ_APP, READ_HOOKS, ADD_HOOK = "app", "webhook_subscriptions", "webhook_subscription_create"
OPERATIONS = (
    oauth.OPERATION, READ_ORDERS, LOOK_ORDERS, READ_DISPUTES, LOOK_DISPUTES, READ_APP, READ_HOOKS,
    ADD_HOOK,
)  # fmt: skip
"""The words that name our calls in metrics."""

ORDER_CREATED, ORDER_UPDATED = "orders/create", "orders/updated"
DISPUTE_CREATED, DISPUTE_UPDATED = "disputes/create", "disputes/update"
REDACT_CUSTOMER, REDACT_SHOP = "customers/redact", "shop/redact"
REQUEST_DATA = "customers/data_request"
ABOUT_ORDERS = (ORDER_CREATED, ORDER_UPDATED)
ABOUT_DISPUTES = (DISPUTE_CREATED, DISPUTE_UPDATED)
COMPLIANCE = (REDACT_CUSTOMER, REQUEST_DATA, REDACT_SHOP)
"""What Shopify pushes to every app of its store; subscribed to in the app's settings alone."""
TOPICS = (*ABOUT_ORDERS, *ABOUT_DISPUTES, *COMPLIANCE)

MESSAGE = offering.goal(
    "webstore-shopify-message",
    ThreadKind.MESSAGE,
    timedelta(hours=24),
    "who remarks something on an order is answered within a day",
    date(2026, 11, 23),
)


def goals(_: ShopifyOptions) -> tuple[Policy, ...]:
    """Our own promise; the dates of disputes are Shopify's, and need none."""
    return (MESSAGE,)


def wanted(options: ShopifyOptions) -> tuple[str, ...]:
    """What is to be pushed, as far as a store can be asked for it."""
    return (*ABOUT_ORDERS, *(ABOUT_DISPUTES if options.disputes else ()))


def streams(options: ShopifyOptions) -> tuple[Stream, ...]:
    """What is read by itself."""
    pushed = options.push is not None
    orders = offering.read(ORDERS, options, FLOOR, ThreadKind.MESSAGE, pushed=pushed)
    disputes = Stream(
        DISPUTES,
        MINUTE if options.is_near else DISPUTES_EVERY,
        floor=offering.floored(options, FLOOR),
        kinds=frozenset({ThreadKind.DISPUTE}),
        pushed=pushed,
    )
    hooks = offering.watched(HOOKS, HOUR, options, FLOOR)
    return (orders, *((disputes,) if options.disputes else ()), *((hooks,) if pushed else ()))


def can(options: ShopifyOptions) -> Capabilities:
    """What it can beyond reading: nobody sees what is answered elsewhere."""
    receives = options.push is not None
    if options.mail is None:
        return Capabilities(looks=True, receives=receives, sees_replies="never")
    return Capabilities(
        replies=True,
        looks=True,
        receives=receives,
        sees_replies="never",
        shortest_reply=SHORTEST,
        longest_reply=LONGEST,
        most_enclosed=MOST_ENCLOSED,
        most_files=MOST_FILES,
    )
