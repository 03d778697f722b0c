"""The API: who asks and with which scope, the quota, orders, messages, webhooks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiohttp import web

from connectors.webstore.bigcommerce.sandbox.store import ORDERS, SETTINGS, WINDOW

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from connectors.webstore.bigcommerce.sandbox.store import Hook, Order, Store

    Next = Callable[[web.Request], Awaitable[web.StreamResponse]]

STORES: web.AppKey[dict[str, Store]] = web.AppKey("stores")
MOST = 250


class Refusal(Exception):
    """What is wrong, as an HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def error(status: int, message: str = "ordered fault") -> list[dict[str, Any]]:
    """An error as v2 tells it: in a list."""
    return [{"status": status, "message": message}]


async def forms(request: web.Request, answer: Next) -> web.StreamResponse:
    """The answer or the refusal, with what the quota leaves."""
    store = request.app[STORES].get(request.match_info.get("store", ""))
    left = store.left() if store is not None else 0
    if left < 0:
        response: web.StreamResponse = _json(error(429, "Too many requests"), 429)
    else:
        response = await _formed(request, answer)
    milliseconds = str(int(WINDOW.total_seconds() * 1000))
    response.headers["X-Rate-Limit-Requests-Left"] = str(max(0, left))
    response.headers["X-Rate-Limit-Time-Reset-Ms"] = milliseconds
    response.headers["X-Rate-Limit-Time-Window-Ms"] = milliseconds
    if left < 0:
        response.headers["Retry-After"] = str(int(WINDOW.total_seconds()))
    return response


async def _formed(request: web.Request, answer: Next) -> web.StreamResponse:
    try:
        return await answer(request)
    except Refusal as refusal:
        return _json(error(refusal.status, str(refusal)), refusal.status)


async def orders(request: web.Request) -> web.Response:
    """Orders from a date on, the first change first where that is asked for."""
    store = _store(request, ORDERS)
    since = _date(request.query.get("min_date_modified"))
    found = [one for one in store.orders.values() if since is None or one.changed_at >= since]
    if request.query.get("sort") == "date_modified:asc":
        found.sort(key=lambda one: one.changed_at)
    return _listed(request, [one.told() for one in found])


async def order(request: web.Request) -> web.Response:
    """One order."""
    return _json(_order(request).told())


async def messages(request: web.Request) -> web.Response:
    """Messages about one order, the newest first."""
    store, about = _store(request, ORDERS), _order(request)
    told = [one.told() for one in reversed(store.shown(about))]
    return _listed(request, told)


async def hooks(request: web.Request) -> web.Response:
    """The API account's webhooks."""
    store, scope = _store(request, SETTINGS), request.query.get("scope")
    found = [one.told(store) for one in store.hooks.values() if scope in {None, one.scope}]
    return _json({"data": found, "meta": {"pagination": {"total": len(found)}}})


async def hook_made(request: web.Request) -> web.Response:
    """A new webhook."""
    store, told = _store(request, SETTINGS), await _told(request)
    made = store.add_hook(str(told["scope"]), str(told["destination"]))
    return _json({"data": made.told(store), "meta": {}})


async def hook_changed(request: web.Request) -> web.Response:
    """What is named of it changes: so it is switched on again."""
    store, told = _store(request, SETTINGS), await _told(request)
    found: Hook | None = store.hooks.get(int(request.match_info["hook"]))
    if found is None:
        raise Refusal(404, "The resource was not found.")
    found.is_active = bool(told.get("is_active", found.is_active))
    found.destination, found.scope = str(told["destination"]), str(told["scope"])
    return _json({"data": found.told(store), "meta": {}})


def _store(request: web.Request, scope: str) -> Store:
    store = request.app[STORES].get(request.match_info["store"])
    token = request.headers.get("X-Auth-Token", "")
    if store is None or token not in store.tokens:
        raise Refusal(401, "You are not authorized to access this resource.")
    if scope not in store.tokens[token]:
        raise Refusal(403, "You don't have a required scope to access the endpoint")
    return store


def _order(request: web.Request) -> Order:
    found = _store(request, ORDERS).orders.get(int(request.match_info["order"]))
    if found is None:
        raise Refusal(404, "The requested resource was not found.")
    return found


def _date(text: str | None) -> datetime | None:
    """A date in ISO 8601 or RFC 2822."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = parsedate_to_datetime(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _listed(request: web.Request, items: Sequence[dict[str, Any]]) -> web.Response:
    """A page; where nothing is on it there is no content at all."""
    count = min(MOST, int(request.query.get("limit", "50")))
    first = (int(request.query.get("page", "1")) - 1) * count
    shown = list(items[first : first + count])
    return _json(shown) if shown else web.Response(status=204)


async def _told(request: web.Request) -> dict[str, Any]:
    try:
        told = json.loads(await request.read())
        is_safe = urlsplit(told["destination"]).scheme in {"http", "https"}
    except (ValueError, KeyError, TypeError):
        raise Refusal(422, "scope and destination are required") from None
    if not is_safe or not isinstance(told.get("scope"), str):
        raise Refusal(422, "scope or destination is invalid")
    return dict(told)


def _json(content: Any, status: int = 200) -> web.Response:
    body = json.dumps(content, ensure_ascii=False).encode()
    return web.Response(status=status, body=body, content_type="application/json")
