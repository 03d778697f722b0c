"""The API: who asks and with which rights, orders, notes, one setting, webhooks."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.woocommerce.sandbox.shop import MANAGER, PARIS, READ, SYSTEM, WRITE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from connectors.webstore.woocommerce.sandbox.deliveries import Deliveries
    from connectors.webstore.woocommerce.sandbox.shop import Hook, Key, Order, Shop

    Next = Callable[[web.Request], Awaitable[web.StreamResponse]]

SHOPS: web.AppKey[dict[str, Shop]] = web.AppKey("shops")
DELIVERIES: web.AppKey[Deliveries] = web.AppKey("deliveries")
NUMBER: web.RequestKey[str] = web.RequestKey("number", str)
MOST = 100
PAGE = "<!doctype html><html><title>Page not found</title><body>Nothing here.</body></html>"


class Refusal(Exception):
    """What is wrong, as WordPress tells it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def error(status: int, code: str = "ordered_fault", message: str = "fault") -> dict[str, Any]:
    """An error as WordPress tells it."""
    return {"code": code, "message": message, "data": {"status": status}}


async def forms(request: web.Request, answer: Next) -> web.StreamResponse:
    """The answer or the refusal."""
    try:
        return await answer(request)
    except Refusal as refusal:
        return _json(error(refusal.status, refusal.code, str(refusal)), refusal.status)


async def orders(request: web.Request) -> web.Response:
    """Orders as asked for; what the key's user may not see is left out of its page."""
    shop, _ = _allowed(request)
    asked, found = request.query, list(shop.orders.values())
    if "include" in asked:
        wanted = set(asked["include"].split(","))
        found = [one for one in found if str(one.id) in wanted]
    if after := asked.get("modified_after"):
        edge = _date(after, is_utc=asked.get("dates_are_gmt") == "true")
        found = [one for one in found if one.changed_at.replace(microsecond=0) > edge]
    if asked.get("orderby") == "modified":
        found.sort(key=lambda one: (one.changed_at.replace(microsecond=0), one.id))
    else:
        found.sort(key=lambda one: one.placed_at)
    if asked.get("order", "desc") == "desc":
        found.reverse()
    return _listed(request, [None if one.hidden else one.told(shop) for one in found])


async def order(request: web.Request) -> web.Response:
    """One order."""
    shop, _ = _allowed(request)
    return _json(_fields(request, _order(request, shop).told(shop)))


async def notes(request: web.Request) -> web.Response:
    """All notes about one order, the newest first, in one piece."""
    shop, _ = _allowed(request)
    return _json([one.told(shop) for one in reversed(_order(request, shop).notes)])


async def note_made(request: web.Request) -> web.Response:
    """A note; who wrote it is told only where that is asked for."""
    shop, key = _allowed(request, WRITE)
    about, told = _order(request, shop), await _told(request)
    if not isinstance(told.get("note"), str):
        raise Refusal(400, "rest_invalid_param", "Invalid parameter(s): note")
    author = key.user if told.get("added_by_user") is True else SYSTEM
    made = shop.note(
        about.id, told["note"], author=author, to_customer=told.get("customer_note") is True
    )
    return _json(made.told(shop), 201)


async def note_mail(request: web.Request) -> web.Response:
    """Whether notes to customers are mailed."""
    shop, key = _allowed(request)
    _managed(key)
    value = "yes" if shop.habits.mails else "no"
    return _json({"id": "enabled", "type": "checkbox", "default": "yes", "value": value})


async def hooks(request: web.Request) -> web.Response:
    """The shop's webhooks."""
    shop, key = _allowed(request)
    _managed(key)
    return _listed(request, [one.told() for one in shop.hooks.values()])


async def hook_made(request: web.Request) -> web.Response:
    """A new webhook, to which a ping goes before the answer does."""
    shop, key = _allowed(request, WRITE)
    _managed(key)
    told = await _told(request)
    url, topic = str(told.get("delivery_url", "")), str(told.get("topic", ""))
    if not re.fullmatch(r"(coupon|customer|order|product|action)\.\w+", topic):
        raise Refusal(400, "woocommerce_rest_shop_webhook_invalid_topic", "Webhook topic invalid.")
    if not url.startswith(("http://", "https://")):
        raise Refusal(
            400, "woocommerce_rest_shop_webhook_invalid_delivery_url", "Webhook delivery URL"
        )
    made = shop.add_hook(topic, url, str(told.get("secret", "")))
    made.status = str(told.get("status", "active"))
    await request.app[DELIVERIES].ping(made)
    return _json(made.told(), 201)


async def hook_changed(request: web.Request) -> web.Response:
    """What is named of it changes: so it is switched on again."""
    shop, key = _allowed(request, WRITE)
    _managed(key)
    found: Hook | None = shop.hooks.get(int(_number(request)))
    if found is None:
        raise Refusal(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
    told = await _told(request)
    found.status = str(told.get("status", found.status))
    found.secret = str(told.get("secret", found.secret))
    return _json(found.told())


ROUTES: tuple[tuple[str, str, Callable[[web.Request], Awaitable[web.Response]], str], ...] = (
    ("GET", "orders", orders, "orders"),
    ("GET", r"orders/(\d+)", order, "order"),
    ("GET", r"orders/(\d+)/notes", notes, "notes"),
    ("POST", r"orders/(\d+)/notes", note_made, "create_note"),
    ("GET", "settings/email_customer_note/enabled", note_mail, "note_mail"),
    ("GET", "webhooks", hooks, "hooks"),
    ("POST", "webhooks", hook_made, "create_hook"),
    ("PUT", r"webhooks/(\d+)", hook_changed, "update_hook"),
)


def routes() -> list[web.RouteDef]:
    """The API under ``/<shop>/wp-json``, and where permalinks are plain under ``?rest_route=``."""
    pretty = [
        web.route(
            method, f"/{{shop}}/wp-json/wc/v3/{path.replace('(', '{number:').replace(')', '}')}",
            handler, name=name,
        )
        for method, path, handler, name in ROUTES
    ]  # fmt: skip
    return [*pretty, web.route("*", "/{shop}/", plain, name="plain")]


async def plain(request: web.Request) -> web.Response:
    """The shop's front, behind which the API stands as well."""
    told = request.query.get("rest_route", "")
    if not told:
        return web.Response(text=PAGE, content_type="text/html")
    for method, path, handler, _ in ROUTES:
        found = re.fullmatch(f"/wc/v3/{path}", told)
        if found and method == request.method:
            request[NUMBER] = next(iter(found.groups()), "")
            return await handler(request)
    raise Refusal(404, "rest_no_route", "No route was found matching the URL and request method.")


def _allowed(request: web.Request, permission: str = READ) -> tuple[Shop, Key]:
    """The shop and the key that asks; keys in the address count as well, which nobody should do."""
    shop = request.app[SHOPS].get(request.match_info["shop"])
    if shop is None or not (shop.habits.permalinks or "rest_route" in request.query):
        raise web.HTTPNotFound(text=PAGE, content_type="text/html")
    name, secret = _pair(request) if shop.habits.hands_on else ("", "")
    if not name:
        raise Refusal(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
    key = shop.keys.get(name)
    if key is None:
        raise Refusal(401, "woocommerce_rest_authentication_error", "Consumer key is invalid.")
    if key.secret != secret:
        raise Refusal(401, "woocommerce_rest_authentication_error", "Consumer secret is invalid.")
    if WRITE == permission != key.permission:
        raise Refusal(
            401, "woocommerce_rest_authentication_error",
            "The API key provided does not have write permissions.",
        )  # fmt: skip
    if key.role != MANAGER:
        _managed(key)
    return shop, key


def _managed(key: Key) -> None:
    if key.role != MANAGER:
        raise Refusal(403, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")


def _pair(request: web.Request) -> tuple[str, str]:
    scheme, _, told = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Basic":
        return request.query.get("consumer_key", ""), request.query.get("consumer_secret", "")
    name, _, secret = b64decode(told).decode().partition(":")
    return name, secret


def _number(request: web.Request) -> str:
    told = request.match_info.get("number", "")
    return told or str(request[NUMBER])


def _order(request: web.Request, shop: Shop) -> Order:
    found = shop.orders.get(int(_number(request)))
    if found is None:
        raise Refusal(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
    return found


def _date(text: str, *, is_utc: bool) -> datetime:
    """A date as a query names it: without a zone it is the shop's, or UTC where that is said."""
    found = datetime.fromisoformat(text)
    zone = UTC if is_utc else PARIS
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _listed(request: web.Request, items: Sequence[dict[str, Any] | None]) -> web.Response:
    """A page; how many there are stands in its headers."""
    count, page = int(request.query.get("per_page", "10")), int(request.query.get("page", "1"))
    if not 1 <= count <= MOST or page < 1:
        raise Refusal(400, "rest_invalid_param", "Invalid parameter(s): per_page")
    first, pages = (page - 1) * count, -(-len(items) // count)
    shown = [_fields(request, one) for one in items[first : first + count] if one is not None]
    response = _json(shown)
    response.headers["X-WP-Total"], response.headers["X-WP-TotalPages"] = (
        str(len(items)), str(pages),
    )  # fmt: skip
    if page < pages:
        response.headers["Link"] = f'<{request.url.update_query(page=page + 1)}>; rel="next"'
    return response


def _fields(request: web.Request, item: dict[str, Any]) -> dict[str, Any]:
    """*item* with the fields that are asked for."""
    asked = request.query.get("_fields")
    return item if asked is None else {k: v for k, v in item.items() if k in asked.split(",")}


async def _told(request: web.Request) -> dict[str, Any]:
    try:
        return dict(json.loads(await request.read()))
    except (ValueError, TypeError):
        raise Refusal(400, "rest_invalid_json", "Invalid JSON body passed.") from None


def _json(content: Any, status: int = 200) -> web.Response:
    body = json.dumps(content, ensure_ascii=False).encode()
    return web.Response(status=status, body=body, content_type="application/json")
