"""What happens in a store, to order by HTTP: `POST /_sandbox/acts/<act>`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.bigcommerce.sandbox import api
from connectors.webstore.bigcommerce.sandbox.store import Message, Order, Store
from core.sandbox import acts, control

if TYPE_CHECKING:
    from connectors.webstore.bigcommerce.sandbox.deliveries import Deliveries

DELIVERIES: web.AppKey[Deliveries] = web.AppKey("deliveries")
ACTS = ("add_order", "customer_writes", "staff_writes", "mark_read", "forget")


def routes() -> list[web.RouteDef]:
    """Orders, and what is there."""
    return [
        web.get(f"{control.PREFIX}/", index),
        acts.pushes(DELIVERIES),
        acts.route(_do, _shown, DELIVERIES),
    ]


async def index(request: web.Request) -> web.Response:
    """Stores, and how many orders wait; no tokens and no secrets."""
    return control.answer([_summary(one) for one in request.app[api.STORES].values()])


def _do(request: web.Request, name: str, how: dict[str, Any]) -> Any:
    """What is ordered: the JSON names `store`, and what the act takes."""
    store = request.app[api.STORES][str(how.pop("store", ""))]
    if name == "deactivate":
        for hook in store.hooks.values():
            hook.is_active = False
        return None
    return acts.done_by(store, name, how, ACTS)


def _summary(store: Store) -> dict[str, Any]:
    return {
        "store": store.hash,
        "orders": len(store.orders),
        "waiting": sum(one.is_waiting() for one in store.orders.values()),
        "hooks": [
            {"destination": one.destination, "active": one.is_active}
            for one in store.hooks.values()
        ],
        "habits": asdict(store.habits),
    }


def _shown(done: Any) -> dict[str, Any]:
    if isinstance(done, Message):
        return {"message": done.id, "order": done.order.id}
    if isinstance(done, Order):
        return {"order": done.id, "messages": len(done.messages), "waiting": done.is_waiting()}
    return {"done": True}
