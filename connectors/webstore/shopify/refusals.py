"""What an answer of GraphQL refuses: HTTP says 200 of nearly all of it. Pure.

Sources: shopify.dev/docs/api/admin-graphql (status and error codes: ``THROTTLED``,
``ACCESS_DENIED``, ``SHOP_INACTIVE``, ``INTERNAL_SERVER_ERROR`` in ``errors[].extensions.code``),
shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits (``extensions.cost``).
"""

from __future__ import annotations

import re
from typing import Any

from core.errors import BadCredentials, BadPayload, ConnectorError, RateLimited, Unreachable

THROTTLED, DENIED = "THROTTLED", "ACCESS_DENIED"
CLOSED, BROKEN = "SHOP_INACTIVE", "INTERNAL_SERVER_ERROR"
SCOPE = re.compile(r"`([a-z_]{1,60})`")
CODE = re.compile(r"[A-Za-z_]{1,60}")
DEEP = 1
"""A field that stands deeper than what was asked for may be left out: its place is null."""

HINTS = {
    "402": "the store is frozen: its plan is unpaid",
    "404": "is store right, and api_version one that is served?",
    "423": "the store is locked",
}


def fault(content: dict[str, Any], operation: str) -> ConnectorError | None:
    """Why *content* cannot be used; None where it can, in part at least.

    A field of a customer that the app is not approved for is null, and no fault.
    """
    told = content.get("errors")
    if not told:
        return None
    errors = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    if content.get("data") and errors and all(map(_is_hidden, errors)):
        return None
    codes = [_code(one) for one in errors]
    if THROTTLED in codes:
        return RateLimited(f"{operation}: the app's points are used up", retry_after=_wait(content))
    if DENIED in codes:
        return _denied(errors, operation)
    return _other(codes, operation)


def _other(codes: list[str], operation: str) -> ConnectorError:
    if CLOSED in codes:
        return BadCredentials(f"{operation}: the store is not active", detail=CLOSED.lower())
    if BROKEN in codes:
        return Unreachable(f"{operation}: an error of Shopify's own", detail="500")
    known = next((code for code in codes if CODE.fullmatch(code)), "without a code")
    return BadPayload(f"{operation}: the question is refused ({known})", detail="error")


def hinted(fault: BadPayload) -> BadPayload:
    """*fault* with what to look at, where its status says so."""
    hint = HINTS.get(fault.detail)
    return BadPayload(f"{fault}; {hint}", raw=fault.raw, detail=fault.detail) if hint else fault


def _code(error: dict[str, Any]) -> str:
    extensions = error.get("extensions")
    told = extensions.get("code") if isinstance(extensions, dict) else None
    return told if isinstance(told, str) else ""


def _is_hidden(error: dict[str, Any]) -> bool:
    """Whether it says no more than that one field of what was asked for is not shown."""
    path = error.get("path")
    return _code(error) == DENIED and isinstance(path, list) and len(path) > DEEP


def _denied(errors: list[dict[str, Any]], operation: str) -> BadCredentials:
    """The token is good, and may not do this: the scopes that Shopify names."""
    told = " ".join(str(one.get("message")) for one in errors)
    scopes = sorted(set(SCOPE.findall(told)))
    wanted = f"the scope {' or '.join(scopes)}" if scopes else "approval for customers' data"
    said = f"{operation}: the token is good, and may not do this; the app lacks {wanted}"
    return BadCredentials(said, detail="403", alone=True)


def _wait(content: dict[str, Any]) -> float | None:
    """Seconds until the points suffice for what was asked; None where Shopify does not tell."""
    try:
        cost = content["extensions"]["cost"]
        status = cost["throttleStatus"]
        lacking = float(cost["requestedQueryCost"]) - float(status["currentlyAvailable"])
        return max(0.0, lacking / float(status["restoreRate"]))
    except (LookupError, TypeError, ValueError, ZeroDivisionError):
        return None
