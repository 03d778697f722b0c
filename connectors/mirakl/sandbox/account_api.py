"""V01, RE01, A01 and A21: the version, the reasons, the shop and its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import TYPE_CHECKING, Any

from connectors.mirakl.sandbox import access, payload
from connectors.mirakl.sandbox.access import Refusal

if TYPE_CHECKING:
    from aiohttp import web

    from connectors.mirakl.sandbox.inbox import Thread
    from connectors.mirakl.sandbox.market import Shop

VERSION = "3.0.0-sandbox"


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason of RE01; *labels* by the first two letters of the locale."""

    code: str
    type: str
    labels: dict[str, str]
    is_shop_right: bool = True


REASONS = (
    Reason("26", "ORDER_MESSAGING", {"en": "Where is my order?", "fr": "Où est ma commande ?"}),
    Reason("27", "ORDER_MESSAGING", {"en": "Invoice", "fr": "Facture", "de": "Rechnung"}),
    Reason(
        "30", "OFFER_MESSAGING", {"en": "Question about the article", "de": "Frage zum Artikel"}
    ),
    Reason("40", "MMP_SELLER_MESSAGING", {"en": "Question to the operator"}),
    Reason("14", "INCIDENT_OPEN", {"en": "Item not received"}, is_shop_right=False),
    Reason("8", "INCIDENT_CLOSE", {"en": "Problem solved", "fr": "Problème résolu"}),
    Reason("15", "REFUND", {"en": "Goodwill"}),
)

PERIODS = {
    "ALL_SINCE_BEGINNING": None,
    "LAST_MONTH": timedelta(days=30),
    "LAST_THREE_MONTHS": timedelta(days=91),
    "LAST_SIX_MONTHS": timedelta(days=182),
    "LAST_YEAR": timedelta(days=365),
}


async def v01(request: web.Request) -> web.Response:
    """The version; only its status says anything."""
    access.shop_of(request)
    return access.reply({"version": VERSION})


async def re01(request: web.Request) -> web.Response:
    """Reasons, labelled in the `locale` asked for where it is known, else in English."""
    access.shop_of(request)
    language = request.query.get("locale", "en")[:2]
    return access.reply({"reasons": [_shown(reason, language) for reason in REASONS]})


async def a01(request: web.Request) -> web.Response:
    """The shop; its mean reply time is as old as the last night, and absent without a reply."""
    shop = access.shop_of(request)
    content: dict[str, Any] = {
        "shop_id": shop.id,
        "shop_name": shop.name,
        "shop_state": "OPEN",
        "currency_iso_code": "EUR",
        "channels": sorted({order.channel for order in shop.operator.orders.values()}),
        "last_updated_date": payload.stamp(shop.now(), shop.operator.habits),
    }
    mean = published(shop)
    if mean is not None:
        content["order_messages_response_delay"] = mean
    return access.reply(payload.grown(content, shop.operator.habits))


async def a21(request: web.Request) -> web.Response:
    """The shop's numbers by period, computed now."""
    shop = access.shop_of(request)
    wanted = access.listed(request.query.get("periods")) or frozenset(PERIODS)
    if not wanted <= set(PERIODS):
        raise Refusal(400, "periods holds a period that is not known")
    values = [
        {"period": period, "value": mean_delay(shop, PERIODS[period])}
        for period in PERIODS
        if period in wanted
    ]
    stamp = payload.stamp(shop.now(), shop.operator.habits)
    content = {"last_updated_date": stamp, "order_messages_response_delay": values}
    return access.reply(payload.grown(content, shop.operator.habits))


def published(shop: Shop) -> int | None:
    """The mean of A01: computed once a day of UTC, when somebody first asks."""
    today = shop.now().astimezone(UTC).date()
    if shop.published is None or shop.published[0] != today:
        shop.published = (today, mean_delay(shop))
    return shop.published[1]


def mean_delay(shop: Shop, period: timedelta | None = None) -> int | None:
    """The mean, in whole seconds, from a buyer's first open message to the reply to him.

    Order threads only, round the clock, the unanswered left out: one way to read what Mirakl says.
    """
    since = shop.now() - period if period else None
    threads = [one for one in shop.operator.threads.values() if one.shop is shop]
    delays = [
        (answered - asked).total_seconds()
        for one in threads
        if one.entities[0][0] == "MMP_ORDER"
        for asked, answered in exchanges(one)
        if since is None or asked >= since
    ]
    return round(fmean(delays)) if delays else None


def exchanges(thread: Thread) -> list[tuple[datetime, datetime]]:
    """When the buyer began to wait, and when the shop answered him."""
    pairs: list[tuple[datetime, datetime]] = []
    waiting: datetime | None = None
    for message in thread.messages:
        if message.sender_type == "CUSTOMER_USER" and waiting is None:
            waiting = message.at
        elif message.sender_type == "SHOP_USER" and message.is_for("CUSTOMER") and waiting:
            pairs.append((waiting, message.at))
            waiting = None
    return pairs


def _shown(reason: Reason, language: str) -> dict[str, Any]:
    return {
        "code": reason.code,
        "type": reason.type,
        "label": reason.labels.get(language, reason.labels["en"]),
        "is_customer_right": True,
        "is_shop_right": reason.is_shop_right,
    }
