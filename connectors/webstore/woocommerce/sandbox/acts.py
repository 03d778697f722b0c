"""What happens in a shop, to order by HTTP: `POST /_sandbox/acts/<act>`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.woocommerce.sandbox import api
from connectors.webstore.woocommerce.sandbox.shop import Note, Order
from core.sandbox import acts, control

if TYPE_CHECKING:
    from connectors.webstore.woocommerce.sandbox.shop import Shop

ACTS = ("add_order", "note", "change", "forget")


def routes() -> list[web.RouteDef]:
    """Orders, and what is there."""
    return [
        web.get(f"{control.PREFIX}/", index),
        acts.pushes(api.DELIVERIES),
        web.get(f"{control.PREFIX}/letters", letters),
        acts.route(_do, _shown, api.DELIVERIES),
    ]


async def index(request: web.Request) -> web.Response:
    """Shops, and how many orders wait; no keys and no secrets."""
    return control.answer([_summary(one) for one in request.app[api.SHOPS].values()])


async def letters(request: web.Request) -> web.Response:
    """To whom notes were mailed, and about which order."""
    shops = request.app[api.SHOPS].values()
    return control.answer(
        [{"to": one.recipient, "order": one.order} for shop in shops for one in shop.letters]
    )


def _do(request: web.Request, name: str, how: dict[str, Any]) -> Any:
    """What is ordered: the JSON names `shop`, and what the act takes."""
    shop = request.app[api.SHOPS][str(how.pop("shop", ""))]
    if name == "deactivate":
        for hook in shop.hooks.values():
            hook.status = "disabled"
        return None
    return acts.done_by(shop, name, how, ACTS)


def _summary(shop: Shop) -> dict[str, Any]:
    return {
        "shop": shop.name,
        "orders": len(shop.orders),
        "waiting": sum(one.is_waiting() for one in shop.orders.values()),
        "hooks": [{"topic": one.topic, "status": one.status} for one in shop.hooks.values()],
        "habits": asdict(shop.habits),
    }


def _shown(done: Any) -> dict[str, Any]:
    if isinstance(done, Note):
        return {"note": done.id, "order": done.order.id}
    if isinstance(done, Order):
        return {"order": done.id, "waiting": done.is_waiting()}
    return {"done": True}
