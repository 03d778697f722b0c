"""What happens in a store, to order by HTTP: `POST /_sandbox/acts/<act>`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.generic.sandbox.shop import Conversation, Habits, Message, Shop
from core.sandbox import control

if TYPE_CHECKING:
    from connectors.webstore.generic.sandbox.deliveries import Deliveries

SHOPS: web.AppKey[dict[str, Shop]] = web.AppKey("shops")
DELIVERIES: web.AppKey[Deliveries] = web.AppKey("deliveries")
ACTS = ("add_conversation", "writes", "asks", "close", "forget")


def routes() -> list[web.RouteDef]:
    """Orders, and what is there."""
    return [
        web.get(f"{control.PREFIX}/", index),
        web.get(f"{control.PREFIX}/pushes", pushes),
        web.post(f"{control.PREFIX}/acts/{{act}}", act),
    ]


async def act(request: web.Request) -> web.Response:
    """Do it: the JSON names `shop`, and what the act takes."""
    try:
        how = json.loads(await request.read() or b"{}")
        done = _do(request, request.match_info["act"], how)
    except (ValueError, TypeError, AttributeError, LookupError) as wrong:
        return control.refuse(f"{type(wrong).__name__}: {wrong}")
    return control.answer(_shown(done), 201)


async def index(request: web.Request) -> web.Response:
    """Stores, and how many conversations wait."""
    return control.answer([_summary(*one) for one in request.app[SHOPS].items()])


async def pushes(request: web.Request) -> web.Response:
    """How the last pushes went."""
    tried = list(request.app[DELIVERIES].tried)[-1000:]
    return control.answer([asdict(one) for one in tried])


def _do(request: web.Request, name: str, how: dict[str, Any]) -> Any:
    if name == "hold":
        request.app[DELIVERIES].is_held = bool(how.get("held", True))
        return None
    shop = request.app[SHOPS][str(how.pop("shop", ""))]
    if name == "habits":
        for key, value in how.items():
            if key not in Habits.__dataclass_fields__:
                raise ValueError(f"no such habit: {key}")
            setattr(shop.habits, key, value)
        return None
    if name not in ACTS:
        raise ValueError(f"no such act: {name}")
    if how.get("at"):
        how["at"] = datetime.fromisoformat(how["at"])
    return getattr(shop, name)(**how)


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
