"""What happens in a store, to order by HTTP: `POST /_sandbox/acts/<act>`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.shopify.sandbox import api
from connectors.webstore.shopify.sandbox.shop import Dispute, Order, Shop
from core.sandbox import acts, control

if TYPE_CHECKING:
    from connectors.webstore.shopify.sandbox.deliveries import Deliveries

DELIVERIES: web.AppKey[Deliveries] = web.AppKey("deliveries")
ACTS = ("buys", "changes", "disputed", "becomes", "redacts", "forget")
DAYS = ("due_by", "sent_on", "finalized_on")


def routes() -> list[web.RouteDef]:
    """Acts, and what is there."""
    return [
        web.get(f"{control.PREFIX}/", index),
        acts.pushes(DELIVERIES),
        acts.route(_do, _shown, DELIVERIES),
    ]


async def index(request: web.Request) -> web.Response:
    """Stores in short; no tokens and no secrets."""
    return control.answer([_summary(one) for one in request.app[api.SHOPS].values()])


def _do(request: web.Request, name: str, how: dict[str, Any]) -> Any:
    """What is ordered: the JSON names `store`, and what the act takes."""
    shop = request.app[api.SHOPS][str(how.pop("store", "")).removesuffix(".myshopify.com")]
    if name == "unsubscribe":
        shop.hooks.clear()
        return None
    how |= {key: date.fromisoformat(how[key]) for key in DAYS if how.get(key)}
    return acts.done_by(shop, name, how, ACTS)


def _summary(shop: Shop) -> dict[str, Any]:
    return {
        "store": shop.domain,
        "orders": len(shop.orders),
        "remarks": sum(bool(one.note) for one in shop.orders.values()),
        "disputes": {str(one.id): one.status for one in shop.disputes.values()},
        "hooks": [{"topic": one.topic, "uri": one.uri} for one in shop.hooks.values()],
        "habits": asdict(shop.habits),
    }


def _shown(done: Any) -> dict[str, Any]:
    if isinstance(done, Order):
        return {"order": done.id, "name": done.called}
    if isinstance(done, Dispute):
        return {"dispute": done.id, "status": done.status}
    return {"done": True}
