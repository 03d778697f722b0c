"""Who may call what, how often: tokens, the name of the application, rates, Amazon's errors."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.amazon.sandbox.spapi_market import LASTS, SELLINGS
from core.sandbox import faults

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from connectors.amazon.sandbox.spapi_market import Selling

CLOCK: web.AppKey[Any] = web.AppKey("clock", object)
SELLING: web.RequestKey[Any] = web.RequestKey("selling", object)

AGENT = re.compile(
    r"[^\s/()=;]+/[^\s/()=;]+ \(Language=(?:\\.|[^\\/()=;])+(?:; ?\w+=(?:\\.|[^\\/()=;])+)*\)"
)
"""What Amazon asks of a ``User-Agent``; signs that mean something are escaped."""
LONGEST_AGENT = 500


class Refusal(Exception):
    """The call is answered with this status and these words."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.details = status, code, details


def error(status: int, message: str = "", code: str = "", details: str = "") -> Any:
    """An error's body."""
    codes = {429: "QuotaExceeded", 403: "Unauthorized", 404: "NotFound", 400: "InvalidInput"}
    word = code or codes.get(status, "InternalFailure")
    return {"errors": [{"code": word, "message": message or "Refused.", "details": details}]}


def answered(content: Any, status: int = 200, form: str = "application/json") -> web.Response:
    """JSON, instants as Amazon writes them."""
    body = json.dumps(content, ensure_ascii=False, default=_stamp).encode()
    return web.Response(status=status, body=body, content_type=form)


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


async def forms(
    request: web.Request, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """The answer with what goes with every one; what a route raises, as Amazon says it."""
    try:
        if "region" in request.match_info:
            _let_in(request)
        response = await answer(request)
    except Refusal as refusal:
        said = error(refusal.status, str(refusal), refusal.code, refusal.details)
        response = answered(said, refusal.status)
    except web.HTTPException as unknown:
        response = answered(error(unknown.status, unknown.reason), unknown.status)
    selling: Selling | None = request.get(SELLING)
    rate = selling.rates.get(faults.operation(request)) if selling else None
    if selling is not None and selling.tells_rate and rate is not None:
        response.headers["x-amzn-RateLimit-Limit"] = str(rate[0])
    response.headers["x-amzn-RequestId"] = "00000000-0000-0000-0000-000000000000"
    return response


async def token(request: web.Request) -> web.Response:
    """Login with Amazon: a token against a seller's consent."""
    asked = await request.post()
    client = [s for s in request.app[SELLINGS] if s.client_id == asked.get("client_id")]
    known = [s for s in client if s.client_secret == asked.get("client_secret")]
    if not known:
        return answered({"error": "invalid_client", "error_description": "Unknown client"}, 401)
    if asked.get("grant_type") != "refresh_token":
        return answered({"error": "unsupported_grant_type"}, 400)
    selling = next((s for s in known if s.refresh_token == asked.get("refresh_token")), None)
    if selling is None:
        return answered({"error": "invalid_grant", "error_description": "Not valid"}, 400)
    made = f"Atza|{selling.word()}"
    selling.tokens[made] = request.app[CLOCK]() + LASTS
    return answered(
        {
            "access_token": made,
            "token_type": "bearer",
            "expires_in": int(LASTS.total_seconds()),
            "refresh_token": selling.refresh_token,
        }
    )


def selling_of(request: web.Request) -> Selling:
    """Whose call it is."""
    selling: Selling = request[SELLING]
    return selling


def _let_in(request: web.Request) -> None:
    """Find whose call it is.

    Raises:
        Refusal: nobody's, not with this name, not here, not now.
    """
    agent = request.headers.get("User-Agent", "")
    if not AGENT.fullmatch(agent) or len(agent) > LONGEST_AGENT:
        raise Refusal(400, "InvalidInput", "The User-Agent header is missing or malformed.")
    given, now = request.headers.get("x-amz-access-token", ""), request.app[CLOCK]()
    selling = next((s for s in request.app[SELLINGS] if given in s.tokens), None)
    denied = "Access to requested resource is denied."
    if selling is None:
        raise Refusal(403, "Unauthorized", denied, "The access token you provided is not valid.")
    if now >= selling.tokens[given]:
        raise Refusal(403, "Unauthorized", denied, "The access token you provided has expired.")
    request[SELLING] = selling
    operation = faults.operation(request)
    if request.match_info["region"] != selling.region or operation in selling.barred:
        raise Refusal(403, "Unauthorized", denied)
    _spend(selling, operation, now)


def _spend(selling: Selling, operation: str, now: datetime) -> None:
    """Take one of what is left in the bucket of this call.

    Raises:
        Refusal: nothing is left.
    """
    if operation not in selling.rates:
        return
    rate, burst = selling.rates[operation]
    left, at = selling.buckets.get(operation, (burst, now))
    left = min(burst, left + (now - at).total_seconds() * rate)
    if left < 1:
        selling.buckets[operation] = (left, now)
        raise Refusal(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")
    selling.buckets[operation] = (left - 1, now)
