"""What the kind offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.webstore import offering
from connectors.webstore.woocommerce.options import FLOOR
from core.connector import Capabilities
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.woocommerce.options import WooCommerceOptions
    from core.model import Stream
    from sla.policy import Policy

ORDERS, HOOKS = "orders", "hooks"
HOUR = timedelta(hours=1)

SHORTEST, LONGEST = 1, 10_000
"""How many characters an answer has: ours. A note is a comment of WordPress, of 65,535 bytes."""

READ_ORDERS, READ_ORDER, READ_NOTES = "orders", "order", "notes"
ADD_NOTE, READ_LETTER = "create_note", "note_mail"
READ_HOOKS, ADD_HOOK, CHANGE_HOOK = "hooks", "create_hook", "update_hook"
OPERATIONS = (
    READ_ORDERS, READ_ORDER, READ_NOTES, ADD_NOTE, READ_LETTER, READ_HOOKS, ADD_HOOK, CHANGE_HOOK,
)  # fmt: skip
"""The words that name our calls in metrics."""

CREATED, UPDATED = "order.created", "order.updated"
NOTED = "action.woocommerce_new_customer_note"
TOPICS = (CREATED, UPDATED, NOTED)
"""What we subscribe to: one webhook each."""

REMARK = offering.goal(
    "webstore-woocommerce-remark",
    ThreadKind.MESSAGE,
    timedelta(hours=24),
    "who remarks something on an order is answered within a day",
    date(2026, 11, 23),
)


def goals(_: WooCommerceOptions) -> tuple[Policy, ...]:
    """Our own promise: nobody makes one for us."""
    return (REMARK,)


def streams(options: WooCommerceOptions) -> tuple[Stream, ...]:
    """What is read by itself."""
    pushed = options.push is not None
    found = offering.read(ORDERS, options, FLOOR, ThreadKind.MESSAGE, ascending=True, pushed=pushed)
    hooks = offering.watched(HOOKS, HOUR, options, FLOOR)
    return (found, hooks) if pushed else (found,)


def can(options: WooCommerceOptions) -> Capabilities:
    """What it can beyond reading. What is answered by mail WooCommerce does not show."""
    return Capabilities(
        replies=True,
        looks=True,
        receives=options.push is not None,
        sees_replies="copies",
        shortest_reply=SHORTEST,
        longest_reply=LONGEST,
    )
