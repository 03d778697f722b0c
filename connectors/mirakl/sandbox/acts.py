"""What people do at the marketplace, to order by HTTP: `POST /_sandbox/acts/<act>`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from connectors.mirakl.sandbox import access, replies_api
from connectors.mirakl.sandbox.access import Refusal
from connectors.mirakl.sandbox.inbox import Habits, Thread
from connectors.mirakl.sandbox.market import Line, Operator, Order, Shop
from core.sandbox import control

if TYPE_CHECKING:
    from aiohttp import web

OF_THREAD = (
    "buyer_writes",
    "operator_writes",
    "shop_answers",
    "somebody_writes",
    "click_no_reply_needed",
    "change_topic",
)
OF_ORDER = ("open_incident", "close_incident")
OF_SHOP = ("open_thread", "add_order")
OF_OPERATOR = ("revoke", "forget")
INSTANTS = ("at", "updated_at")


async def act(request: web.Request) -> web.Response:
    """Do it: the JSON names `operator`, `shop`, `thread` or `order`, and what the act takes."""
    try:
        how = json.loads(await request.read() or b"{}")
        done = _do(request.app[access.MARKET], request.match_info["act"], how)
    except Refusal as refusal:
        return control.answer({"message": str(refusal)}, refusal.status)
    except (ValueError, TypeError, IndexError, AttributeError) as wrong:
        return control.refuse(f"{type(wrong).__name__}: {wrong}")
    return control.answer(_shown(done), 201)


async def index(request: web.Request) -> web.Response:
    """What is here: operators, shops and how much is in them; no keys."""
    return control.answer([_summary(one) for one in request.app[access.MARKET].values()])


async def threads(request: web.Request) -> web.Response:
    """Every thread in short, without its text."""
    operators = request.app[access.MARKET].values()
    return control.answer([_shown(one) for o in operators for one in o.threads.values()])


async def replies(request: web.Request) -> web.Response:
    """The answers that came by the API."""
    return control.answer([asdict(one) for one in request.app[replies_api.REPLIES]])


def _do(market: dict[str, Operator], name: str, how: dict[str, Any]) -> Any:
    operator = _found(market, how.pop("operator", None), "operator")
    how = {key: _value(key, value) for key, value in how.items()}
    if name == "habits":
        operator.habits = Habits(**how)
        return operator
    target: Any = operator
    if name in OF_THREAD:
        target = _found(operator.threads, how.pop("thread", None), "thread")
    elif name in OF_ORDER:
        target = _found(operator.orders, how.pop("order", None), "order")
    elif name in OF_SHOP:
        target = _found(operator.shops, how.pop("shop", None), "shop")
    elif name not in OF_OPERATOR:
        raise Refusal(404, f"no such act: {name}")
    return getattr(target, name)(**how)


def _found(known: dict[Any, Any], name: Any, what: str) -> Any:
    if name not in known:
        raise Refusal(404, f"no such {what}: {name}")
    return known[name]


def _value(key: str, value: Any) -> Any:
    if key in INSTANTS and value is not None:
        return datetime.fromisoformat(value)
    return tuple(value) if isinstance(value, list) else value


def _summary(operator: Operator) -> dict[str, Any]:
    shops = [{"id": shop.id, "name": shop.name} for shop in operator.shops.values()]
    waiting = [one for one in operator.threads.values() if one.reply_needed_since()]
    return {
        "operator": operator.name,
        "habits": asdict(operator.habits),
        "shops": shops,
        "threads": len(operator.threads),
        "waiting": len(waiting),
        "incidents": sum(order.has_incident() for order in operator.orders.values()),
    }


def _shown(done: Any) -> dict[str, Any]:
    if isinstance(done, Thread):
        return {
            "operator": done.shop.operator.name,
            "shop": done.shop.id,
            "thread": done.id,
            "entities": done.entities,
            "messages": len(done.messages),
            "updated_at": done.updated_at,
            "reply_needed_since": done.reply_needed_since(),
        }
    if isinstance(done, Order):
        return {"order": done.id, "lines": [line.id for line in done.lines]}
    if isinstance(done, Line):
        return {"line": done.id, "state": done.state}
    return {"done": True} if done is None or isinstance(done, Operator | Shop) else {"id": done.id}
