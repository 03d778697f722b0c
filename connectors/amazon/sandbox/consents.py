"""Sellers who let an application of their own see their orders: the mailbox's and SP-API's meet."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connectors.amazon.sandbox.places import EU, FE, NA
from connectors.amazon.sandbox.spapi_market import Bought, Line, Waited

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.amazon.sandbox.seller import Seller
    from connectors.amazon.sandbox.spapi import SellingApi

REGIONS = {NA: "na", EU: "eu", FE: "fe"}
LOCALES = {
    "de": "de-DE", "fr": "fr-FR", "it": "it-IT", "es": "es-ES", "ja": "ja-JP", "pt": "pt-BR",
    "nl": "nl-NL", "pl": "pl-PL", "ko": "ko-KR",
}  # fmt: skip
REPORT_TAKES = timedelta(seconds=20)
"""So long Amazon takes for a report in the first run; in the wild minutes, at times hours."""

SECRET_AGE = timedelta(days=30)


def given(api: SellingApi, seller: Seller, marketplaces: Sequence[str]) -> dict[str, Any]:
    """Let *api* know *seller*'s orders and how he answered; the `sp_api` of his account."""
    selling = api.add_selling(REGIONS[seller.author.place.region], marketplaces)
    selling.find = lambda number: bought(seller, number)
    selling.contacts = lambda: [Waited(*one) for one in seller.contacts()]
    selling.report_takes = REPORT_TAKES
    made_on = (seller.clock() - SECRET_AGE).date()
    return {**selling.options(), "secret_made_on": made_on.isoformat()}


def bought(seller: Seller, number: str) -> Bought | None:
    """The order of that number as SP-API tells it."""
    order = seller.orders.get(number)
    if order is None:
        return None
    return Bought(
        order.id,
        order.place.id,
        order.at,
        lines=(Line(order.asin, "SKU-1", order.title),),
        locale=LOCALES.get(order.buyer.language, "en-GB"),
        buyer=order.buyer.name,
    )
