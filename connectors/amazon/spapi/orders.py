"""Amazon's orders in our words. Pure.

`BUYER` and `RECIPIENT` are never asked for: no role for personal data is needed, and no restricted
token (trap 22: never Orders v0). A gift message may stand in what comes; it is not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from core.model import MAX_LINE, Item, Order

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from connectors.amazon.spapi.payload import OrderItem, OrderPayload, Window

PATH = "/orders/2026-01-01/orders/"
INCLUDED = "FULFILLMENT,PACKAGES,CANCELLATION,PROCEEDS"

_PARTIES: dict[str, Literal["seller", "marketplace"]] = {
    "MERCHANT": "seller",
    "AMAZON": "marketplace",
}


def order(told: OrderPayload, as_of: datetime) -> Order:
    """What an agent wants to see of an order."""
    fulfilled, money = told.fulfillment, told.proceeds and told.proceeds.grand_total
    return Order(
        id=told.order_id,
        as_of=as_of,
        status=_word(fulfilled.fulfillment_status) if fulfilled else "",
        bought_at=told.created_time,
        ship_by=_latest(fulfilled.ship_by_window) if fulfilled else None,
        shipped_at=min((p.ship_time for p in told.packages if p.ship_time), default=None),
        deliver_by=_latest(fulfilled.deliver_by_window) if fulfilled else None,
        fulfilled_by=_PARTIES.get(fulfilled.fulfilled_by) if fulfilled else None,
        parcels=tuple(_word(p.package_status.status) for p in told.packages if p.package_status),
        cancel_asked=any(map(_is_cancel_asked, told.order_items)),
        items=tuple(_items(told.order_items)),
        total=_line(money.amount) if money else None,
        currency=_line(money.currency_code) if money else None,
    )


def marketplace(told: OrderPayload) -> str | None:
    """The id of the marketplace in which it was bought."""
    return told.sales_channel.marketplace_id if told.sales_channel else None


def _items(told: Iterable[OrderItem]) -> Iterable[Item]:
    for one in told:
        product = one.product
        yield Item(
            product=_line(product.asin),
            sku=_line(product.seller_sku),
            title=_line(product.title) or "",
            quantity=one.quantity_ordered,
        )


def _is_cancel_asked(item: OrderItem) -> bool:
    request = item.cancellation.cancellation_request if item.cancellation else None
    return request is not None and request.requester == "BUYER"


def _latest(window: Window | None) -> datetime | None:
    return window.latest_date_time if window else None


def _word(text: str) -> str:
    return text.lower()[:MAX_LINE]


def _line(text: str | None) -> str | None:
    return None if text is None else text[:MAX_LINE]
