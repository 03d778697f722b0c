"""What the kind offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.webstore.letters import LONGEST, MOST_ENCLOSED, MOST_FILES, SHORTEST
from connectors.webstore.prestashop.options import FLOOR
from core.connector import Capabilities
from core.model import Stream
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.prestashop.options import PrestaShopOptions

MESSAGES = "messages"

READ_MESSAGES, READ_THREADS, READ_ORDERS = "customer_messages", "customer_threads", "orders"
READ_CONFIGURATIONS, READ_RIGHTS, ADD_MESSAGE = "configurations", "rights", "add_customer_message"
OPERATIONS = (
    READ_MESSAGES, READ_THREADS, READ_ORDERS, READ_CONFIGURATIONS, READ_RIGHTS, ADD_MESSAGE,
)  # fmt: skip
"""The words that name our calls in metrics."""

FORM = Policy(
    name="webstore-prestashop-form",
    version=1,
    role="goal",
    applies_to=frozenset({ThreadKind.MESSAGE}),
    waits_for=frozenset({Party.BUYER}),
    reply_within=timedelta(hours=24),
    calendar=Calendar.always(),
    source="our own: who writes to a shop by its form is answered within a day; nobody outside"
    " sets it",
    checked_on=date(2026, 11, 22),
    review_after=date(2027, 11, 22),
)


def goals(_: PrestaShopOptions) -> tuple[Policy, ...]:
    """Our own promise: PrestaShop makes none for us."""
    return (FORM,)


def streams(options: PrestaShopOptions) -> tuple[Stream, ...]:
    """What is read by itself."""
    floor = timedelta(seconds=1) if options.is_near else FLOOR
    return (
        Stream(
            MESSAGES,
            options.poll_every,
            ascending=True,
            floor=min(floor, options.poll_every),
            kinds=frozenset({ThreadKind.MESSAGE}),
        ),
    )


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
