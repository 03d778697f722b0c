"""Faults to order by HTTP, on the stand-in's own port: `/_sandbox/faults`, `/_sandbox/requests`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web
from pydantic import ValidationError

from core.sandbox import spoil
from core.sandbox.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.sandbox.faults import Faults, Order
    from core.sandbox.serve import Received

PREFIX = "/_sandbox"


def answer(content: Any, status: int = 200) -> web.Response:
    """JSON, instants as ISO 8601."""
    return web.Response(
        status=status, body=spoil.encode(_plain(content)), content_type="application/json"
    )


def refuse(message: str) -> web.Response:
    """What an order that makes no sense gets: 400 and why."""
    return answer({"message": message}, 400)


def routes(faults: Faults, received: Iterable[Received]) -> list[web.RouteDef]:
    """The routes under `PREFIX` that every stand-in has."""

    async def listed(_: web.Request) -> web.Response:
        return answer([_shown(order) for order in faults.orders.values()])

    async def order(request: web.Request) -> web.Response:
        try:
            fault = Fault.model_validate_json(await request.read())
        except ValidationError as wrong:
            return refuse(str(wrong))
        return answer({"id": faults.put(fault)}, 201)

    async def lift(request: web.Request) -> web.Response:
        number = request.match_info.get("number")
        faults.lift(int(number) if number else None)
        return web.Response(status=204)

    async def requests(_: web.Request) -> web.Response:
        return answer([asdict(one) for one in received])

    return [
        web.get(f"{PREFIX}/faults", listed),
        web.post(f"{PREFIX}/faults", order),
        web.delete(f"{PREFIX}/faults", lift),
        web.delete(PREFIX + r"/faults/{number:\d+}", lift),
        web.get(f"{PREFIX}/requests", requests),
    ]


def _shown(order: Order) -> dict[str, Any]:
    rule = order.fault.model_dump(exclude_defaults=True)
    return {"id": order.id, **rule, "until": order.until, "seen": order.seen, "hits": order.hits}


def _plain(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    return content.isoformat() if hasattr(content, "isoformat") else content
