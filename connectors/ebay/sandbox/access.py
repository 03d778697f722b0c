"""Who may call what: tokens in the scheme that each path demands, calls a day, eBay's errors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import web

from connectors.ebay.sandbox.applications import SCOPE
from connectors.ebay.sandbox.instants import stamp
from connectors.ebay.sandbox.market import Market

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from connectors.ebay.sandbox.applications import Api, Application, Token
    from connectors.ebay.sandbox.market import Seller

Who = Literal["user", "application", "either"]

MARKET: web.AppKey[Market] = web.AppKey("market", Market)
HOST: web.AppKey[str] = web.AppKey("host", str)
CALLER: web.RequestKey[Any] = web.RequestKey("caller", object)


class Refusal(Exception):
    """The call is answered with this status and this error of eBay's."""

    def __init__(
        self,
        status: int,
        number: int,
        message: str,
        *,
        domain: str = "ACCESS",
        category: str = "REQUEST",
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.number = status, number
        self.domain, self.category, self.parameters = domain, category, parameters or {}


@dataclass(frozen=True, slots=True)
class Door:
    """What the paths under *prefix* demand of a call; *scope* of its token, beside being alive."""

    host: str
    prefix: str
    scheme: str
    who: Who
    api: Api
    scope: str = ""


NOTIFICATION = "/commerce/notification/v1"
DOORS = (
    Door("api", "/commerce/message/v1/", "Bearer", "user", ("commerce", "message"),
         f"{SCOPE}/commerce.message"),
    Door("api", f"{NOTIFICATION}/subscription", "Bearer", "either", ("commerce", "notification")),
    Door("api", f"{NOTIFICATION}/", "Bearer", "application", ("commerce", "notification")),
    Door("api", "/developer/analytics/v1_beta/rate_limit/", "Bearer", "application",
         ("developer", "analytics")),
    Door("api", "/developer/analytics/v1_beta/user_rate_limit/", "Bearer", "user",
         ("developer", "analytics")),
    Door("api", "/post-order/v2/", "IAF", "user", ("sell", "post-order")),
    Door("apiz", "/sell/fulfillment/v1/payment_dispute", "Bearer", "user", ("sell", "fulfillment"),
         f"{SCOPE}/sell.payment.dispute"),
    Door("apiz", "/commerce/identity/v1/", "Bearer", "user", ("commerce", "identity"),
         f"{SCOPE}/commerce.identity.readonly"),
    Door("apim", "/commerce/media/v1_beta/", "Bearer", "user", ("commerce", "media"),
         f"{SCOPE}/sell.inventory"),
)  # fmt: skip
"""The first that fits decides. The token endpoint and the Trading API look for themselves."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose call it is; *seller* is None where the application speaks for itself."""

    application: Application
    token: Token

    @property
    def seller(self) -> Seller | None:
        return self.token.seller


def error(
    status: int,
    message: str = "",
    number: int = 0,
    *,
    domain: str = "ACCESS",
    category: str = "REQUEST",
    parameters: Mapping[str, str] | None = None,
) -> Any:
    """An error's body."""
    shown = {
        "errorId": number or {401: 1001, 403: 1100, 404: 2002, 429: 2001}.get(status, 2003),
        "domain": domain,
        "category": category if status < 500 else "APPLICATION",
        "message": message or "Refused.",
        "longMessage": message or "The request was refused.",
    }
    if parameters:
        shown["parameters"] = [{"name": k, "value": v} for k, v in parameters.items()]
    return {"errors": [shown]}


def answered(content: Any, status: int = 200, **headers: str) -> web.Response:
    """JSON, instants as eBay writes them."""
    body = json.dumps(content, ensure_ascii=False, default=stamp).encode()
    return web.Response(
        status=status, body=body, content_type="application/json", headers=headers or None
    )


async def forms(
    request: web.Request, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """The answer for those who may have it; what a route raises, as eBay says it."""
    try:
        _let_in(request)
        return await answer(request)
    except Refusal as refusal:
        said = error(
            refusal.status,
            str(refusal),
            refusal.number,
            domain=refusal.domain,
            category=refusal.category,
            parameters=refusal.parameters,
        )
        return answered(said, refusal.status)
    except web.HTTPException as unknown:
        return answered(error(unknown.status, unknown.reason), unknown.status)


def here(request: web.Request) -> str:
    """The address that was called, without path: eBay's own would lead away from this machine."""
    return f"{request.scheme}://{request.host}"


def caller(request: web.Request) -> Caller:
    """Whose call it is; of a path behind a door."""
    found: Caller = request[CALLER]
    return found


def seller_of(request: web.Request) -> Seller:
    """The seller whose token it is.

    Raises:
        Refusal: the application speaks for itself.
    """
    seller = caller(request).seller
    if seller is None:
        raise denied()
    return seller


def denied() -> Refusal:
    """The token is alive, but it does not open this."""
    return Refusal(403, 1100, "Insufficient permissions to fulfill the request.")


def find(market: Market, given: str) -> Caller | None:
    """Who holds the access token *given*; None where it is unknown or has ended."""
    for application in market.applications.values():
        token = application.tokens.get(given)
        if token is not None and market.clock() < token.until:
            return Caller(application, token)
    return None


def spend(found: Caller, api: Api) -> None:
    """Count a call of this API.

    Raises:
        Refusal: 429, the day's calls are used up; no word about when there are more.
    """
    is_fine = found.application.spend(api, found.application.limits.get(api))
    if is_fine and found.seller is not None:
        whose = (found.seller.member.name, *api)
        is_fine = found.application.spend(whose, found.seller.limits.get(api))
    if not is_fine:
        raise Refusal(429, 2001, "The request limit has been reached for the resource.")


def _let_in(request: web.Request) -> None:
    """Find whose call it is.

    Raises:
        Refusal: 401 the wrong scheme or token, 403 it does not open this, 429 too many today.
    """
    host = request.app[HOST]
    door = next((d for d in DOORS if d.host == host and request.path.startswith(d.prefix)), None)
    if door is None:
        return
    found = find(request.app[MARKET], _token(request, door))
    if found is None:
        raise Refusal(401, 1001, "Invalid access token", domain="OAuth")
    kind = "application" if found.seller is None else "user"
    is_open = door.who in ("either", kind)
    if not is_open or (door.scope and door.scope not in found.token.scopes):
        raise denied()
    spend(found, door.api)
    request[CALLER] = found


def _token(request: web.Request, door: Door) -> str:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not given:
        raise Refusal(401, 1002, "Missing access token", domain="OAuth")
    if scheme != door.scheme:
        raise Refusal(401, 1001, f"Bad scheme: {scheme}", domain="OAuth")
    return given
