"""What the kind offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.webstore.woocommerce.options import FLOOR
from core.connector import Capabilities
from core.model import Stream
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.woocommerce.options import WooCommerceOptions

ORDERS, HOOKS = "orders", "hooks"
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)

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

REMARK = Policy(
    name="webstore-woocommerce-remark",
    version=1,
    role="goal",
    applies_to=frozenset({ThreadKind.MESSAGE}),
    waits_for=frozenset({Party.BUYER}),
    reply_within=timedelta(hours=24),
    calendar=Calendar.always(),
    source="our own: who remarks something on an order is answered within a day; nobody outside"
    " sets it",
    checked_on=date(2026, 11, 23),
    review_after=date(2027, 11, 23),
)


def goals(_: WooCommerceOptions) -> tuple[Policy, ...]:
    """Our own promise: nobody makes one for us."""
    return (REMARK,)


def streams(options: WooCommerceOptions) -> tuple[Stream, ...]:
    """What is read by itself."""
    floor = SECOND if options.is_near else FLOOR
    orders = Stream(
        ORDERS,
        options.poll_every,
        ascending=True,
        floor=min(floor, options.poll_every),
        kinds=frozenset({ThreadKind.MESSAGE}),
        pushed=options.push is not None,
    )
    if options.push is None:
        return (orders,)
    hooks = Stream(
        HOOKS,
        MINUTE if options.is_near else HOUR,
        carries_clocks=False,
        floor=floor,
        kinds=frozenset(),
    )
    return (orders, hooks)


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
