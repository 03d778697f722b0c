"""Who may see what: Basic with a token or a key, Twilio's errors, and its pages."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from core.sandbox import spoil

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from connectors.webstore.twilio.sandbox.desk import Account, Desk

DESK: web.AppKey[Desk] = web.AppKey("desk")
USUAL, MOST = 50, 1000


class Refusal(Exception):
    """The call is answered with this status, this number of an error and this sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def error(status: int) -> Any:
    """An error's body."""
    return {"code": 20000 + status, "message": "An ordered error", "status": status}


async def forms(
    request: web.Request, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """What a route raises, as Twilio says it."""
    try:
        return await answer(request)
    except Refusal as refusal:
        content = {"code": refusal.code, "message": str(refusal), "status": refusal.status}
        return reply(content, refusal.status)
    except web.HTTPException as unknown:
        return reply({"code": 20404, "message": unknown.reason, "status": unknown.status},
                     unknown.status)  # fmt: skip


def reply(content: Any, status: int = 200) -> web.Response:
    """JSON."""
    return web.Response(status=status, body=spoil.encode(content), content_type="application/json")


def account(request: web.Request) -> Account:
    """The account of the path, for whoever enters it.

    Raises:
        Refusal: 401, Twilio's error 20003.
    """
    found = request.app[DESK].accounts.get(request.match_info["account"])
    if found is None or _entering(request) not in {
        (found.sid, found.token), (found.key, found.secret)
    }:  # fmt: skip
        raise Refusal(401, 20003, "Authenticate")
    return found


def _entering(request: web.Request) -> tuple[str, str]:
    scheme, _, word = request.headers.get("Authorization", "").partition(" ")
    try:
        user, _, secret = b64decode(word, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return (user, secret) if scheme == "Basic" else ("", "")


def bound(request: web.Request, name: str, default: datetime) -> datetime:
    """A date in the query: a day, or an instant.

    Raises:
        Refusal: 400, it is none.
    """
    text = request.query.get(name)
    if text is None:
        return default
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise Refusal(400, 20001, f"Invalid {name}") from None


def page(request: web.Request, name: str, items: Sequence[dict[str, Any]]) -> web.Response:
    """One page of *items*: where it begins the token says, which names the item before it.

    Raises:
        Refusal: 400, the token is of no item.
    """
    query = dict(request.query)
    size = min(int(query.get("PageSize", USUAL)), MOST)
    token, number = query.get("PageToken"), int(query.get("Page", 0))
    begin = 0
    if token is not None:
        place = next((n for n, one in enumerate(items) if f"PA{one['sid']}" == token), None)
        if place is None:
            raise Refusal(400, 20006, "Page token is invalid")
        begin = place + 1
    shown = items[begin : begin + size]
    onward = None
    if begin + size < len(items):
        more = {"PageSize": size, "Page": number + 1, "PageToken": f"PA{shown[-1]['sid']}"}
        onward = f"{request.path}?{urlencode({**query, **more})}"
    return reply({name: shown, "page": number, "page_size": size, "start": begin,
                  "end": begin + len(shown), "uri": request.path_qs, "first_page_uri": request.path,
                  "next_page_uri": onward, "previous_page_uri": None})  # fmt: skip
