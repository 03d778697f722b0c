"""What the kind offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.webstore import offering
from connectors.webstore.magento.options import FLOOR
from core.connector import Capabilities
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.magento.options import MagentoOptions
    from core.model import Stream
    from sla.policy import Policy

ORDERS = "orders"

SHORTEST, LONGEST = 1, 10_000
"""How many characters an answer has: ours. A comment is a text of 65,535 bytes."""

READ_ORDERS, READ_STATUS, ADD_COMMENT = "orders", "status", "create_comment"
OPERATIONS = (READ_ORDERS, READ_STATUS, ADD_COMMENT)
"""The words that name our calls in metrics."""

REMARK = offering.goal(
    "webstore-magento-remark",
    ThreadKind.MESSAGE,
    timedelta(hours=24),
    "who remarks something on an order is answered within a day",
    date(2026, 11, 23),
)


def goals(_: MagentoOptions) -> tuple[Policy, ...]:
    """Our own promise: nobody makes one for us."""
    return (REMARK,)


def streams(options: MagentoOptions) -> tuple[Stream, ...]:
    """What is read by itself."""
    return (offering.read(ORDERS, options, FLOOR, ThreadKind.MESSAGE, ascending=True),)


def can(_: MagentoOptions) -> Capabilities:
    """What it can beyond reading. What is answered by mail Magento does not show."""
    return Capabilities(
        replies=True,
        looks=True,
        sees_replies="copies",
        shortest_reply=SHORTEST,
        longest_reply=LONGEST,
    )
