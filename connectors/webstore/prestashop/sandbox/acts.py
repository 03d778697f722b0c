"""What happens in a shop, to order by HTTP: `POST /_sandbox/acts/<act>`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.prestashop.sandbox import webservice
from connectors.webstore.prestashop.sandbox.shop import Message, Shop, Thread
from core.sandbox import acts, control

if TYPE_CHECKING:
    from collections.abc import Callable

    Letters = Callable[[], list[dict[str, str]]]

LETTERS: web.AppKey[Letters] = web.AppKey("letters")
ACTS = (
    "open_thread", "customer_writes", "employee_writes", "set_status", "mail_comes", "forget",
    "remove_message",
)  # fmt: skip


def routes() -> list[web.RouteDef]:
    """Orders, and what is there."""
    return [
        web.get(f"{control.PREFIX}/", index),
        web.get(f"{control.PREFIX}/threads", threads),
        web.get(f"{control.PREFIX}/letters", letters),
        acts.route(_do, _shown),
    ]


async def index(request: web.Request) -> web.Response:
    """Shops, and how many wait; no keys."""
    shops = request.app[webservice.SHOPS].values()
    return control.answer([_summary(one) for one in shops])


async def threads(request: web.Request) -> web.Response:
    """Every thread in short, without its text."""
    shops = request.app[webservice.SHOPS].values()
    return control.answer([_shown(one) for shop in shops for one in shop.threads.values()])


async def letters(request: web.Request) -> web.Response:
    """The letters that left by the mail server: envelope and subject."""
    return control.answer(request.app[LETTERS]())


def _do(request: web.Request, name: str, how: dict[str, Any]) -> Any:
    """What is ordered: the JSON names `shop`, and what the act takes."""
    shop = request.app[webservice.SHOPS][str(how.pop("shop", ""))]
    if name == "habits":
        return acts.change(shop.habits, how)
    if name not in ACTS:
        raise ValueError(f"no such act: {name}")
    if how.get("at"):
        how["at"] = datetime.fromisoformat(how["at"])
    if name == "open_thread" and how.get("order"):
        how["order"] = shop.add_order(str(how["order"]))
    return getattr(shop, name)(**how)


def _summary(shop: Shop) -> dict[str, Any]:
    return {
        "shop": shop.name,
        "zone": shop.zone.key,
        "threads": len(shop.threads),
        "waiting": sum(one.is_waiting() for one in shop.threads.values()),
        "habits": asdict(shop.habits),
    }


def _shown(done: Any) -> dict[str, Any]:
    if isinstance(done, Message):
        return {"message": done.id, "thread": done.thread.id}
    if isinstance(done, Thread):
        return {
            "thread": done.id,
            "status": done.status,
            "messages": len(done.messages),
            "waiting": done.is_waiting(),
        }
    return {"done": True}
