"""What the kind offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.webstore.magento.options import FLOOR
from core.connector import Capabilities
from core.model import Stream
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.magento.options import MagentoOptions

ORDERS = "orders"
SECOND = timedelta(seconds=1)

SHORTEST, LONGEST = 1, 10_000
"""How many characters an answer has: ours. A comment is a text of 65,535 bytes."""

READ_ORDERS, READ_STATUS, ADD_COMMENT = "orders", "status", "create_comment"
OPERATIONS = (READ_ORDERS, READ_STATUS, ADD_COMMENT)
"""The words that name our calls in metrics."""

REMARK = Policy(
    name="webstore-magento-remark",
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


def goals(_: MagentoOptions) -> tuple[Policy, ...]:
    """Our own promise: nobody makes one for us."""
    return (REMARK,)


def streams(options: MagentoOptions) -> tuple[Stream, ...]:
    """What is read by itself."""
    floor = min(SECOND if options.is_near else FLOOR, options.poll_every)
    kinds = frozenset({ThreadKind.MESSAGE})
    return (Stream(ORDERS, options.poll_every, ascending=True, floor=floor, kinds=kinds),)


def can(_: MagentoOptions) -> Capabilities:
    """What it can beyond reading. What is answered by mail Magento does not show."""
    return Capabilities(
        replies=True,
        looks=True,
        sees_replies="copies",
        shortest_reply=SHORTEST,
        longest_reply=LONGEST,
    )
