"""What happens in a store, to order by HTTP: `POST /_sandbox/acts/<act>`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.shopify.sandbox import api
from connectors.webstore.shopify.sandbox.shop import Dispute, Habits, Order, Shop
from core.sandbox import control

if TYPE_CHECKING:
    from connectors.webstore.shopify.sandbox.deliveries import Deliveries

DELIVERIES: web.AppKey[Deliveries] = web.AppKey("deliveries")
ACTS = ("buys", "changes", "disputed", "becomes", "redacts", "forget")
DAYS = ("due_by", "sent_on", "finalized_on")


def routes() -> list[web.RouteDef]:
    """Acts, and what is there."""
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
    """Stores in short; no tokens and no secrets."""
    return control.answer([_summary(one) for one in request.app[api.SHOPS].values()])


async def pushes(request: web.Request) -> web.Response:
    """How the last pushes went."""
    tried = list(request.app[DELIVERIES].tried)[-1000:]
    return control.answer([asdict(one) for one in tried])


def _do(request: web.Request, name: str, how: dict[str, Any]) -> Any:
    if name == "hold":
        request.app[DELIVERIES].is_held = bool(how.get("held", True))
        return None
    shop = request.app[api.SHOPS][str(how.pop("store", "")).removesuffix(".myshopify.com")]
    if name == "habits":
        for key, value in how.items():
            if key not in Habits.__dataclass_fields__:
                raise ValueError(f"no such habit: {key}")
            setattr(shop.habits, key, value)
        return None
    if name == "unsubscribe":
        shop.hooks.clear()
        return None
    if name not in ACTS:
        raise ValueError(f"no such act: {name}")
    if how.get("at"):
        how["at"] = datetime.fromisoformat(how["at"])
    how |= {key: date.fromisoformat(how[key]) for key in DAYS if how.get(key)}
    return getattr(shop, name)(**how)


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
