"""What happens in a shop, to order by HTTP: `POST /_sandbox/acts/<act>`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.magento.sandbox import api
from connectors.webstore.magento.sandbox.shop import Entry, Order
from core.sandbox import acts, control

if TYPE_CHECKING:
    from connectors.webstore.magento.sandbox.shop import Shop

ACTS = ("add_order", "comment", "change", "forget")


def routes() -> list[web.RouteDef]:
    """Orders, and what is there."""
    return [
        web.get(f"{control.PREFIX}/", index),
        web.get(f"{control.PREFIX}/letters", letters),
        acts.route(_do, _shown),
    ]


async def index(request: web.Request) -> web.Response:
    """Shops, and how many orders wait; no tokens."""
    return control.answer([_summary(one) for one in request.app[api.SHOPS].values()])


async def letters(request: web.Request) -> web.Response:
    """To whom comments were mailed, and about which order."""
    shops = request.app[api.SHOPS].values()
    return control.answer(
        [{"to": one.recipient, "order": one.order} for shop in shops for one in shop.letters]
    )


def _do(request: web.Request, name: str, how: dict[str, Any]) -> Any:
    """What is ordered: the JSON names `shop`, and what the act takes."""
    shop = request.app[api.SHOPS][str(how.pop("shop", ""))]
    return acts.done_by(shop, name, how, ACTS)


def _summary(shop: Shop) -> dict[str, Any]:
    return {
        "shop": shop.name,
        "orders": len(shop.orders),
        "waiting": sum(one.is_waiting() for one in shop.orders.values()),
        "habits": asdict(shop.habits),
    }


def _shown(done: Any) -> dict[str, Any]:
    if isinstance(done, Entry):
        return {"entry": done.id}
    if isinstance(done, Order):
        return {"order": done.id, "number": done.increment, "waiting": done.is_waiting()}
    return {"done": True}
