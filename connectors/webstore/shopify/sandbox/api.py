"""The Admin API: who asks, in which version, for how many points; and where tokens come from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.shopify.sandbox import schema
from connectors.webstore.shopify.sandbox.graphql import Answering, Reader, Wrong, denied

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.webstore.shopify.sandbox.graphql import Asked
    from connectors.webstore.shopify.sandbox.shop import Shop

SHOPS: web.AppKey[dict[str, Shop]] = web.AppKey("shops")
A_DAY = 86399


def error(status: int) -> dict[str, str]:
    """An error as HTTP tells it: a line, no list."""
    return {"errors": f"[API] ordered fault {status}"}


async def graphql(request: web.Request) -> web.Response:
    """One question: nearly whatever is wrong with it, the status is 200."""
    shop = request.app[SHOPS].get(request.match_info["shop"])
    token = request.headers.get("X-Shopify-Access-Token", "")
    if shop is None:
        return answer({"errors": "Not Found"}, 404)
    if token not in shop.tokens:
        return answer({"errors": "[API] Invalid API key or access token"}, 401)
    try:
        told = json.loads(await request.read())
        content = _answered(shop, shop.tokens[token], told["query"], told.get("variables") or {})
    except (ValueError, TypeError, LookupError):
        return answer({"errors": {"query": "Required parameter missing or invalid"}}, 400)
    version = shop.habits.answered_by or request.match_info["version"]
    return answer(content, headers={"X-Shopify-API-Version": version})


async def token(request: web.Request) -> web.Response:
    """A token for a day, to the app that owns the store."""
    shop, form = request.app[SHOPS].get(request.match_info["shop"]), await request.post()
    if shop is None:
        return answer({"errors": "Not Found"}, 404)
    if form.get("grant_type") != "client_credentials":
        return answer({"error": "unsupported_grant_type"}, 400)
    if (form.get("client_id"), form.get("client_secret")) != (shop.client_id, shop.client_secret):
        return answer({"error": "invalid_client"}, 400)
    told = {"access_token": shop.grant(), "scope": ",".join(sorted(shop.scopes))}
    return answer({**told, "expires_in": A_DAY})


def answer(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """*content* as JSON."""
    body = json.dumps(content, ensure_ascii=False).encode()
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def _answered(
    shop: Shop, scopes: frozenset[str], text: str, variables: Mapping[str, Any]
) -> dict[str, Any]:
    try:
        kind, asked = Reader(text, variables).read()
        points = sum(schema.cost(one.arguments) for one in asked)
        if not shop.affords(points):
            return _throttled(shop, points)
        content = _content(shop, scopes, kind, asked)
        spent = sum(schema.spent(one.arguments, content["data"].get(one.name)) for one in asked)
        shop.spends(spent)
        return content | _extensions(shop, points, spent)
    except Wrong as wrong:
        if wrong.code == "ACCESS_DENIED":
            name = str(wrong).removeprefix("Access denied for ").split(" ")[0]
            return {"data": None, "errors": [denied(str(wrong), [name])]}
        return {"errors": [{"message": str(wrong), "extensions": {"code": wrong.code}}]}


def _content(
    shop: Shop, scopes: frozenset[str], kind: str, asked: Sequence[Asked]
) -> dict[str, Any]:
    root = schema.mutation(shop) if kind == "mutation" else schema.query(shop, scopes)
    answering = Answering()
    data = answering.of(root, asked)
    return {"data": data} | ({"errors": answering.errors} if answering.errors else {})


def _throttled(shop: Shop, points: float) -> dict[str, Any]:
    """HTTP says 200, and there is no data."""
    wrong = {
        "message": "Throttled",
        "extensions": {
            "code": "THROTTLED",
            "documentation": "https://shopify.dev/api/usage/rate-limits",
        },
    }
    return {"errors": [wrong]} | _extensions(shop, points, None)


def _extensions(shop: Shop, points: float, spent: float | None) -> dict[str, Any]:
    status = {
        "maximumAvailable": shop.habits.points,
        "currentlyAvailable": shop.left,
        "restoreRate": shop.habits.restores,
    }
    told = {"requestedQueryCost": points, "actualQueryCost": spent, "throttleStatus": status}
    return {"extensions": {"cost": told}}
