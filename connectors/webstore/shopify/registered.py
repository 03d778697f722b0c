"""Whether we are subscribed to what we want, and how we come to be.

Shopify removes a subscription that was made by the API after eight failures in a row, within four
hours (trap 14). Subscriptions that stand in the app's own configuration it does not show here.
Source: shopify.dev/docs/api/admin-graphql/2026-10/queries/webhookSubscriptions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.shopify import offer
from core.model import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from connectors.webstore.shopify.api import Api
    from connectors.webstore.shopify.options import Push, ShopifyOptions
    from core.model import PushTrouble

FIELDS = (
    "id", "name", "note", "source_name", "created_at", "updated_at", "email", "phone",
    "billing_address",
)  # fmt: skip
"""What is to be told of an order: nothing that we do not read."""


async def page(api: Api, options: ShopifyOptions, push: Push, now: datetime) -> Page:
    """Why nothing can be pushed, if it cannot.

    Raises:
        ConnectorError: it could not be asked.
    """
    missing = await _missing(api, options, push)
    return Page(pushes=_troubles(missing, len(offer.wanted(options))), cursor=now.isoformat())


async def set_up(api: Api, options: ShopifyOptions, push: Push) -> AsyncIterator[str]:
    """One line for each topic as it stands; it looks first, so it may be done again.

    Raises:
        ConnectorError: Shopify refused one; those before it stand.
    """
    missing = await _missing(api, options, push)
    for topic in offer.wanted(options):
        if topic not in missing:
            yield f"{topic}: subscribed"
            continue
        hook: dict[str, object] = {"uri": push.endpoint}
        if topic in offer.ABOUT_ORDERS:
            hook["includeFields"] = list(FIELDS)
        await api.add_hook(enum(topic), hook)
        yield f"{topic}: subscribed now"
    told = ", ".join(offer.COMPLIANCE)
    yield f"{told}: write {push.endpoint} into the app's own settings (compliance webhooks)"


def enum(topic: str) -> str:
    """*topic* as GraphQL calls it: ``ORDERS_CREATE``."""
    return topic.upper().replace("/", "_")


async def _missing(api: Api, options: ShopifyOptions, push: Push) -> frozenset[str]:
    told = {one.topic for one in await api.hooks() if one.uri == push.endpoint}
    return frozenset(topic for topic in offer.wanted(options) if enum(topic) not in told)


def _troubles(missing: frozenset[str], wanted: int) -> tuple[PushTrouble, ...]:
    if not missing:
        return ()
    return ("destination_missing",) if len(missing) == wanted else ("subscription_missing",)
