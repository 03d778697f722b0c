"""Who may see what: the token in the header, the account in the path, and Chatwoot's errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from core.sandbox import spoil

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from connectors.webstore.chatwoot.sandbox.chats import Chat
    from connectors.webstore.chatwoot.sandbox.desk import Account, Agent, Desk

DESK: web.AppKey[Desk] = web.AppKey("desk")
TOKEN = "api_access_token"  # noqa: S105  # a header's name


class Refusal(Exception):
    """The call is answered with this status and this sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def error(status: int) -> Any:
    """An error's body."""
    return {"error": {401: "Invalid Access Token"}.get(status, "Something went wrong")}


async def forms(
    request: web.Request, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """What a route raises, as Chatwoot says it."""
    try:
        return await answer(request)
    except Refusal as refusal:
        return reply({"error": str(refusal)}, refusal.status)
    except web.HTTPException as unknown:
        return reply({"error": unknown.reason}, unknown.status)


def reply(content: Any, status: int = 200) -> web.Response:
    """JSON."""
    return web.Response(status=status, body=spoil.encode(content), content_type="application/json")


def base(request: web.Request) -> str:
    """The server's own address."""
    return f"{request.url.scheme}://{request.url.authority}"


def caller(request: web.Request) -> tuple[Agent, Account]:
    """Who calls, and the account of the path.

    Raises:
        Refusal: 401 for a token that nobody has, or of another account.
    """
    known = request.app[DESK].tokens.get(request.headers.get(TOKEN, ""))
    if known is None:
        raise Refusal(401, "Invalid Access Token")
    agent, account = known
    if request.match_info["account"] != str(account.id):
        raise Refusal(401, "You are not authorized to access this account")
    return agent, account


def administrator(request: web.Request) -> Account:
    """The account, for an administrator.

    Raises:
        Refusal: 401, as Chatwoot says it of a right that a user lacks.
    """
    agent, account = caller(request)
    if agent.role != "administrator":
        raise Refusal(401, "You are not authorized to do this action")
    return account


def chats_of(request: web.Request) -> list[Chat]:
    """The conversations that the caller sees."""
    agent, account = caller(request)
    all_ = agent.role == "administrator"
    return [one for one in account.chats.values() if all_ or one.inbox.id in agent.inboxes]


def chat_of(request: web.Request) -> Chat:
    """The conversation of the path.

    Raises:
        Refusal: 404, there is none that the caller sees.
    """
    wanted = request.match_info["conversation"]
    found = next((one for one in chats_of(request) if str(one.id) == wanted), None)
    if found is None:
        raise Refusal(404, "Resource could not be found")
    return found


def whole(request: web.Request, name: str, default: int | None = None) -> int | None:
    """A whole number in the query; as Ruby reads it, anything else is 0."""
    text = request.query.get(name)
    if text is None:
        return default
    return int(text) if text.isdigit() else 0
