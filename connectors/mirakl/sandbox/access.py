"""Who may see what: the key in the header, the shop in the query, and the marketplace's errors."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from core.sandbox import spoil

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from connectors.mirakl.sandbox.market import Operator, Shop

MARKET: web.AppKey[dict[str, Operator]] = web.AppKey("market", dict)
SECRETS_IN_QUERY = ("api_key", "apikey", "shop_api_key", "authorization", "access_token")


class Refusal(Exception):
    """The call is answered with this status and this sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def error(status: int, message: str = "") -> Any:
    """An error's body: a dead key looks different from everything else, as seen in the wild."""
    if status == 401:
        return {"code": 401, "message": message or "Unauthorized, the API key is not valid"}
    return {"status": status, "message": message or "Request refused"}


async def forms(
    request: web.Request, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """What a route raises, as the marketplace says it."""
    try:
        return await answer(request)
    except Refusal as refusal:
        return reply(error(refusal.status, str(refusal)), refusal.status)
    except web.HTTPException as unknown:
        return reply(error(unknown.status, unknown.reason), unknown.status)


def reply(content: Any, status: int = 200) -> web.Response:
    """JSON."""
    return web.Response(status=status, body=spoil.encode(content), content_type="application/json")


def operator_of(request: web.Request) -> Operator:
    """The instance whose address was called.

    Raises:
        Refusal: 404, there is none of that name.
    """
    operator = request.app[MARKET].get(request.match_info["operator"])
    if operator is None:
        raise Refusal(404, "Not Found")
    return operator


def shop_of(request: web.Request) -> Shop:
    """The shop that the call is about: `shop_id`, or the default shop of the key.

    Raises:
        Refusal: 401 without a living bare key in the header, 404 for a shop it does not open.
    """
    operator = operator_of(request)
    key = operator.keys.get(request.headers.get("Authorization", ""))
    in_query = any(name.lower() in SECRETS_IN_QUERY for name in request.query)
    if key is None or in_query:
        raise Refusal(401, "Unauthorized, the API key is missing or not valid")
    number = whole(request, "shop_id", key.default)
    if number not in key.shops:
        raise Refusal(404, f"Shop {number} not found")
    return operator.shops[number]


def whole(request: web.Request, name: str, default: int) -> int:
    """A whole number in the query.

    Raises:
        Refusal: 400, it is none.
    """
    text = request.query.get(name)
    try:
        return default if text is None else int(text)
    except ValueError:
        raise Refusal(400, f"{name} must be a number") from None


def flag(request: web.Request, name: str) -> bool | None:
    """``true`` or ``false`` in the query, None where it is not given.

    Raises:
        Refusal: 400, it is neither.
    """
    text = request.query.get(name)
    if text is not None and text not in ("true", "false"):
        raise Refusal(400, f"{name} must be true or false")
    return None if text is None else text == "true"


def instant(text: str | None, name: str) -> datetime | None:
    """An ISO 8601 instant with a zone, None where it is not given.

    Raises:
        Refusal: 400, it is none.
    """
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, f"{name} must be a date-time") from None
    if at.tzinfo is None:
        raise Refusal(400, f"{name} must have a zone")
    return at


def listed(text: str | None) -> frozenset[str] | None:
    """A comma list, None where it is not given."""
    return None if text is None else frozenset(part for part in text.split(",") if part)
