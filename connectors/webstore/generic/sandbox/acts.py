"""What happens in a store, to order by HTTP: `POST /_sandbox/acts/<act>`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.generic.sandbox.shop import Conversation, Message, Shop
from core.sandbox import acts, control

if TYPE_CHECKING:
    from connectors.webstore.generic.sandbox.deliveries import Deliveries

SHOPS: web.AppKey[dict[str, Shop]] = web.AppKey("shops")
DELIVERIES: web.AppKey[Deliveries] = web.AppKey("deliveries")
ACTS = ("add_conversation", "writes", "asks", "close", "forget")


def routes() -> list[web.RouteDef]:
    """Orders, and what is there."""
    return [
        web.get(f"{control.PREFIX}/", index),
        acts.pushes(DELIVERIES),
        acts.route(_do, _shown, DELIVERIES),
    ]


async def index(request: web.Request) -> web.Response:
    """Stores, and how many conversations wait."""
    return control.answer([_summary(*one) for one in request.app[SHOPS].items()])


def _do(request: web.Request, name: str, how: dict[str, Any]) -> Any:
    """What is ordered: the JSON names `shop`, and what the act takes."""
    shop = request.app[SHOPS][str(how.pop("shop", ""))]
    return acts.done_by(shop, name, how, ACTS)


def _summary(number: str, shop: Shop) -> dict[str, Any]:
    return {
        "shop": number,
        "conversations": len(shop.conversations),
        "waiting": sum(one.is_waiting() for one in shop.conversations.values()),
        "habits": asdict(shop.habits),
    }


def _shown(done: Any) -> dict[str, Any]:
    if isinstance(done, Message):
        return {"message": done.id, "conversation": done.conversation.id}
    if isinstance(done, Conversation):
        return {"conversation": done.id, "waiting": done.is_waiting()}
    return {"done": True}
