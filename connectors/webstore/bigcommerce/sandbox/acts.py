"""What happens in a store, to order by HTTP: `POST /_sandbox/acts/<act>`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.bigcommerce.sandbox import api
from connectors.webstore.bigcommerce.sandbox.store import Habits, Message, Order, Store
from core.sandbox import control

if TYPE_CHECKING:
    from connectors.webstore.bigcommerce.sandbox.deliveries import Deliveries

DELIVERIES: web.AppKey[Deliveries] = web.AppKey("deliveries")
ACTS = ("add_order", "customer_writes", "staff_writes", "mark_read", "forget")


def routes() -> list[web.RouteDef]:
    """Orders, and what is there."""
    return [
        web.get(f"{control.PREFIX}/", index),
        web.get(f"{control.PREFIX}/pushes", pushes),
        web.post(f"{control.PREFIX}/acts/{{act}}", act),
    ]


async def act(request: web.Request) -> web.Response:
    """Do it: the JSON names `store`, and what the act takes."""
    try:
        how = json.loads(await request.read() or b"{}")
        done = _do(request, request.match_info["act"], how)
    except (ValueError, TypeError, AttributeError, LookupError) as wrong:
        return control.refuse(f"{type(wrong).__name__}: {wrong}")
    return control.answer(_shown(done), 201)


async def index(request: web.Request) -> web.Response:
    """Stores, and how many orders wait; no tokens and no secrets."""
    return control.answer([_summary(one) for one in request.app[api.STORES].values()])


async def pushes(request: web.Request) -> web.Response:
    """How the last pushes went."""
    tried = list(request.app[DELIVERIES].tried)[-1000:]
    return control.answer([asdict(one) for one in tried])


def _do(request: web.Request, name: str, how: dict[str, Any]) -> Any:
    if name == "hold":
        request.app[DELIVERIES].is_held = bool(how.get("held", True))
        return None
    store = request.app[api.STORES][str(how.pop("store", ""))]
    if name == "habits":
        for key, value in how.items():
            if key not in Habits.__dataclass_fields__:
                raise ValueError(f"no such habit: {key}")
            setattr(store.habits, key, value)
        return None
    if name == "deactivate":
        for hook in store.hooks.values():
            hook.is_active = False
        return None
    if name not in ACTS:
        raise ValueError(f"no such act: {name}")
    if how.get("at"):
        how["at"] = datetime.fromisoformat(how["at"])
    return getattr(store, name)(**how)


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
