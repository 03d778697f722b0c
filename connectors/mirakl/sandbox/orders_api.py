"""OR11 and OR64: orders, and the incidents that are states of their lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.mirakl.sandbox import access, payload
from connectors.mirakl.sandbox.access import Refusal
from connectors.mirakl.sandbox.account_api import REASONS
from connectors.mirakl.sandbox.market import INCIDENT_OPEN

if TYPE_CHECKING:
    from connectors.mirakl.sandbox.market import Line, Order, Shop

DEFAULT_MAX = 10
MAX_MAX = 100
MAX_IDS = 100


async def or11(request: web.Request) -> web.Response:
    """The shop's orders, the oldest first, by offset: what closes meanwhile shifts the rest."""
    shop = access.shop_of(request)
    orders = _chosen(request, shop)
    offset, most = access.whole(request, "offset", 0), access.whole(request, "max", DEFAULT_MAX)
    if not 1 <= most <= MAX_MAX or offset < 0:
        raise Refusal(400, f"max must be between 1 and {MAX_MAX}")
    page: dict[str, Any] = {
        "orders": [payload.order(one) for one in orders[offset : offset + most]],
        "total_count": len(orders),
    }
    answer = access.reply(payload.grown(page, shop.operator.habits))
    links = _links(request, offset, most, len(orders))
    if links:
        answer.headers["Link"] = ", ".join(links)
    return answer


async def or64(request: web.Request) -> web.Response:
    """The shop marks the incident of a line as solved."""
    shop = access.shop_of(request)
    order = shop.operator.orders.get(request.match_info["order"])
    if order is None or order.shop is not shop:
        raise Refusal(404, "Not Found")
    line = _open_line(order, request.match_info["line"])
    code = await _reason(request)
    order.close_incident(line=order.lines.index(line) + 1, reason_code=code)
    return web.Response(status=204)


def _chosen(request: web.Request, shop: Shop) -> list[Order]:
    ids = access.listed(request.query.get("order_ids"))
    if ids is not None and len(ids) > MAX_IDS:
        raise Refusal(400, f"order_ids holds more than {MAX_IDS}")
    incident = access.flag(request, "has_incident")
    since = access.instant(request.query.get("start_update_date"), "start_update_date")
    codes = access.listed(request.query.get("channel_codes"))
    orders = sorted(shop.operator.orders.values(), key=lambda one: (one.created_at, one.id))
    return [
        one
        for one in orders
        if one.shop is shop
        and (ids is None or one.id in ids)
        and (incident is None or one.has_incident() == incident)
        and (since is None or one.updated_at >= since)
        and (codes is None or one.channel in codes)
    ]


def _links(request: web.Request, offset: int, most: int, total: int) -> list[str]:
    pages = {"previous": offset - most, "next": offset + most}
    return [
        f'<{request.url.update_query(offset=str(begin), max=str(most))}>; rel="{name}"'
        for name, begin in pages.items()
        if 0 <= begin < total
    ]


def _open_line(order: Order, line_id: str) -> Line:
    line = next((one for one in order.lines if one.id == line_id), None)
    if line is None:
        raise Refusal(404, "Not Found")
    if line.state != INCIDENT_OPEN:
        raise Refusal(400, "The line has no open incident")
    return line


async def _reason(request: web.Request) -> str:
    try:
        code = json.loads(await request.read())["reason_code"]
    except (ValueError, KeyError, TypeError):
        raise Refusal(400, "reason_code is required") from None
    if not any(one.code == code and one.type == "INCIDENT_CLOSE" for one in REASONS):
        raise Refusal(400, "reason_code is not a reason to close an incident")
    return str(code)
