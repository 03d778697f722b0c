"""What the kind offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.webstore import offering
from connectors.webstore.letters import LONGEST, MOST_ENCLOSED, MOST_FILES, SHORTEST
from connectors.webstore.prestashop.options import FLOOR
from core.connector import Capabilities
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.prestashop.options import PrestaShopOptions
    from core.model import Stream
    from sla.policy import Policy

MESSAGES = "messages"

READ_MESSAGES, READ_THREADS, READ_ORDERS = "customer_messages", "customer_threads", "orders"
READ_CONFIGURATIONS, READ_RIGHTS, ADD_MESSAGE = "configurations", "rights", "add_customer_message"
OPERATIONS = (
    READ_MESSAGES, READ_THREADS, READ_ORDERS, READ_CONFIGURATIONS, READ_RIGHTS, ADD_MESSAGE,
)  # fmt: skip
"""The words that name our calls in metrics."""

FORM = offering.goal(
    "webstore-prestashop-form",
    ThreadKind.MESSAGE,
    timedelta(hours=24),
    "who writes to a shop by its form is answered within a day",
    date(2026, 11, 22),
)


def goals(_: PrestaShopOptions) -> tuple[Policy, ...]:
    """Our own promise: PrestaShop makes none for us."""
    return (FORM,)


def streams(options: PrestaShopOptions) -> tuple[Stream, ...]:
    """What is read by itself."""
    return (offering.read(MESSAGES, options, FLOOR, ThreadKind.MESSAGE, ascending=True),)


def can(options: PrestaShopOptions) -> Capabilities:
    """What it can beyond reading; it answers where it can mail."""
    if options.mail is None:
        return Capabilities(looks=True)
    return Capabilities(
        replies=True,
        looks=True,
        shortest_reply=SHORTEST,
        longest_reply=LONGEST,
        most_enclosed=MOST_ENCLOSED,
        most_files=MOST_FILES,
    )
