"""The API: who asks and with which resource, orders by search criteria, comments."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.magento.sandbox.shop import COMMENT, VIEW

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from connectors.webstore.magento.sandbox.shop import Order, Shop

    Next = Callable[[web.Request], Awaitable[web.StreamResponse]]

SHOPS: web.AppKey[dict[str, Shop]] = web.AppKey("shops")
GONE = "The entity that was requested doesn't exist. Verify the entity and try again."
DENIED = "The consumer isn't authorized to access %resources."
FILTER = re.compile(r"searchCriteria\[filter_groups\]\[(\d+)\]\[filters\]\[0\]\[(\w+)\]")


class Refusal(Exception):
    """What is wrong, as Magento tells it."""

    def __init__(self, status: int, message: str, **parameters: str) -> None:
        super().__init__(message)
        self.status, self.parameters = status, parameters


def error(status: int, message: str = "ordered fault", **parameters: str) -> dict[str, Any]:
    """An error as Magento tells it."""
    del status
    return {"message": message} | ({"parameters": parameters} if parameters else {})


async def forms(request: web.Request, answer: Next) -> web.StreamResponse:
    """The answer or the refusal."""
    try:
        return await answer(request)
    except Refusal as refusal:
        told = error(refusal.status, str(refusal), **refusal.parameters)
        return _json(told, refusal.status)


async def orders(request: web.Request) -> web.Response:
    """Orders that fit all filters; behind the last page comes that page again."""
    shop, query = _allowed(request, VIEW), request.query
    found = [one for one in shop.orders.values() if _fits(one, _filters(query))]
    if query.get("searchCriteria[sortOrders][0][field]") == "updated_at":
        found.sort(key=lambda one: (one.changed_at.replace(microsecond=0), one.id))
    if query.get("searchCriteria[sortOrders][0][direction]") == "DESC":
        found.reverse()
    size = int(query.get("searchCriteria[pageSize]", "20"))
    page = int(query.get("searchCriteria[currentPage]", "1"))
    last = max(1, -(-len(found) // size))
    if page > last and shop.habits.repeats:
        page = last
    shown = [one.told() for one in found[(page - 1) * size : page * size]]
    told = {"items": shown, "search_criteria": {"page_size": size}, "total_count": len(found)}
    return _json(told if shown else told | {"items": None})


async def status(request: web.Request) -> web.Response:
    """The order's status, as bare JSON."""
    return _json(_order(request, _allowed(request, VIEW)).status)


async def comment_made(request: web.Request) -> web.Response:
    """A comment; who is notified gets it by mail. The answer names no id."""
    shop = _allowed(request, COMMENT)
    about = _order(request, shop)
    try:
        told = json.loads(await request.read())["statusHistory"]
        text, state = str(told["comment"]), told.get("status")
    except (ValueError, TypeError, KeyError):
        raise Refusal(
            400, '"%fieldName" is required. Enter and try again.', fieldName="statusHistory"
        ) from None
    if shop.habits.strict and state != about.status:
        raise Refusal(400, "Unable to add comment: The status value is missing or wrong.")
    notified = int(bool(told.get("is_customer_notified")))
    visible = int(bool(told.get("is_visible_on_front")))
    shop.comment(about.id, text, notified=notified, visible=visible, status=state)
    return _json(data=True)


def _allowed(request: web.Request, resource: str) -> Shop:
    shop = request.app[SHOPS].get(request.match_info["shop"])
    if shop is None:
        raise web.HTTPNotFound(text="<html>404 Not Found</html>", content_type="text/html")
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    has = shop.tokens.get(token, set()) if scheme == "Bearer" and shop.habits.bearer else set()
    if resource not in has:
        raise Refusal(401, DENIED, resources=resource)
    return shop


def _order(request: web.Request, shop: Shop) -> Order:
    found = shop.orders.get(int(request.match_info["order"]))
    if found is None:
        raise Refusal(404, GONE)
    return found


def _filters(query: Mapping[str, str]) -> list[dict[str, str]]:
    told: dict[str, dict[str, str]] = {}
    for name, value in query.items():
        if found := FILTER.fullmatch(name):
            told.setdefault(found[1], {})[found[2]] = value
    return list(told.values())


def _fits(order: Order, filters: list[dict[str, str]]) -> bool:
    return all(_fit(order, **one) for one in filters)


def _fit(order: Order, field: str, value: str, condition_type: str = "eq") -> bool:
    if field == "updated_at" and condition_type == "gt":
        edge = datetime.fromisoformat(value).replace(tzinfo=UTC)
        return order.changed_at.replace(microsecond=0) > edge
    if field == "entity_id" and condition_type == "in":
        return str(order.id) in value.split(",")
    if field == "store_id" and condition_type == "eq":
        return str(order.store) == value
    raise Refusal(400, "The filter is not known to this stand-in: %field", field=field)


def _json(data: Any, status: int = 200) -> web.Response:
    body = json.dumps(data, ensure_ascii=False).encode()
    return web.Response(status=status, body=body, content_type="application/json")
