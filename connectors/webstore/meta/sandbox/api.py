"""The calls of the Graph API: nodes, messages, subscriptions, tokens."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.meta.sandbox import errors, pushes
from connectors.webstore.meta.sandbox.errors import Wrong
from connectors.webstore.meta.sandbox.graph import HUMAN, OBJECTS, WINDOW, Graph, Subscription
from connectors.webstore.meta.sandbox.pushes import Pushes

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.meta.sandbox.graph import App, Line, Person

GRAPH = web.AppKey("graph", Graph)
PUSHES = web.AppKey("pushes", Pushes)

LONGEST_TEXT, LONGEST_MARK = 4096, 512
LONGEST_PAGE = {"messenger": 2000, "instagram": 1000}
"""How long a text may be: characters at Messenger, bytes at Instagram."""
VERSION = r"/{version:v\d+\.\d+}"


def routes() -> list[web.RouteDef]:
    """Named as Meta's pages name them."""
    return [
        web.get(f"{VERSION}/debug_token", debug_token, name="debug_token"),
        web.get(f"{VERSION}/{{id}}/subscriptions", app_subscriptions, name="app_subscriptions"),
        web.post(f"{VERSION}/{{id}}/subscriptions", subscribe_app, name="subscribe_app"),
        web.get(f"{VERSION}/{{id}}/subscribed_apps", subscribed_apps, name="subscribed_apps"),
        web.post(f"{VERSION}/{{id}}/subscribed_apps", subscribe, name="subscribe"),
        web.post(f"{VERSION}/{{id}}/messages", send, name="send_message"),
    ]


def holder(request: web.Request) -> Line:
    """Whose token the call carries.

    Raises:
        Wrong: nobody's, or it ended.
    """
    graph = request.app[GRAPH]
    line = graph.holder(_key(request))
    if line is None or not line.token.is_good(graph.clock()):
        raise errors.token(graph.habits.token_status)
    return line


def _key(request: web.Request) -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key if scheme == "Bearer" else ""


def _app(request: web.Request) -> App:
    """The app that calls as itself.

    Raises:
        Wrong: none does, or another than is asked for.
    """
    app = request.app[GRAPH].apps.get(request.match_info["id"])
    if app is None or _key(request) != app.key:
        raise Wrong(400, 190, "Invalid OAuth access token signature.")
    return app


async def debug_token(request: web.Request) -> web.Response:
    """What is known of a token, to the app that it is of."""
    graph = request.app[GRAPH]
    if _key(request) not in {app.key for app in graph.apps.values()}:
        raise Wrong(400, 190, "Invalid OAuth access token signature.")
    line = graph.holder(request.query.get("input_token", ""))
    if line is None or _key(request) != line.app.key:
        raise Wrong(400, 100, "The access token could not be decrypted")
    ends = line.token.expires_at
    return web.json_response({
        "data": {
            "app_id": line.app.id,
            "type": "SYSTEM_USER" if line.kind == "whatsapp" else "PAGE",
            "expires_at": 0 if ends is None else int(ends.timestamp()),
            "is_valid": line.token.is_good(graph.clock()),
            "data_access_expires_at": 0,
            "scopes": [],
        }
    })  # fmt: skip


async def app_subscriptions(request: web.Request) -> web.Response:
    """What the app is pushed, and to where."""
    listed = [
        {
            "object": name,
            "callback_url": one.callback_url,
            "active": one.active,
            "fields": [{"name": field, "version": "v25.0"} for field in sorted(one.fields)],
        }
        for name, one in _app(request).subscriptions.items()
    ]
    return web.json_response({"data": listed})


async def subscribe_app(request: web.Request) -> web.Response:
    """Register an address, which is asked for a challenge first."""
    app, asked = _app(request), await _content(request)
    name, place = str(asked.get("object", "")), str(asked.get("callback_url", ""))
    if name not in OBJECTS.values() or not place:
        raise Wrong(400, 100, "Param object must be one of {...}")
    challenge = str(int(token_hex(4), 16))
    if not await pushes.is_proven(place, str(asked.get("verify_token", "")), challenge):
        raise Wrong(400, 2200, "(#2200) callback verification failed")
    fields = set(filter(None, str(asked.get("fields", "")).split(",")))
    app.subscriptions[name] = Subscription(place, fields)
    return web.json_response({"success": True})


async def subscribed_apps(request: web.Request) -> web.Response:
    """Which apps are pushed what concerns a node; told otherwise of an account than of a page."""
    line = _node(request)
    if line.fields is None:
        return web.json_response({"data": []})
    about = {"id": line.app.id, "name": "Shop", "link": "https://www.facebook.com/games/"}
    if line.kind == "whatsapp":
        told: dict[str, Any] = {"whatsapp_business_api_data": about}
        if line.override:
            told["override_callback_uri"] = line.override
    else:
        told = {**about, "subscribed_fields": sorted(line.fields)}
    return web.json_response({"data": [told]})


async def subscribe(request: web.Request) -> web.Response:
    """Let the app be pushed what concerns the node: all numbers of an account together."""
    line, asked = _node(request), await _content(request)
    fields = set(filter(None, str(asked.get("subscribed_fields", "")).split(",")))
    if line.kind != "whatsapp" and not fields:
        raise Wrong(400, 100, "The parameter subscribed_fields is required.")
    graph = request.app[GRAPH]
    for one in graph.lines.values():
        if (one.node, one.app.id) == (line.node, line.app.id):
            one.fields = fields
    return web.json_response({"success": True})


async def send(request: web.Request) -> web.Response:
    """Take a message, to be delivered later, or refuse it."""
    line, graph = holder(request), request.app[GRAPH]
    asked = await _content(request)
    if request.match_info["id"] != line.id:
        raise errors.unknown(request.match_info["id"])
    if line.kind == "whatsapp":
        return _taken(graph, line, asked)
    person, text, mark = _to_a_person(graph, line, asked)
    if _is_late(line, person, asked, graph.clock()):
        raise Wrong(400, 10, "This message is sent outside of allowed window.", 2018278)
    said = graph.takes(line, person, text, mark, tag=str(asked.get("tag", "")))
    return web.json_response({"recipient_id": person.id, "message_id": said.id})


def _taken(graph: Graph, line: Line, asked: dict[str, Any]) -> web.Response:
    """Take a message to a number; one outside the window is refused at once, or by its status."""
    person, text, mark = _to_a_number(graph, line, asked)
    is_late = _is_late(line, person, asked, graph.clock())
    if is_late and graph.habits.refuses_at == "once":
        raise Wrong(400, 131047, "Re-engagement message")
    said = graph.takes(line, person, text, mark, fails_with=131047 if is_late else None)
    told = {"input": str(asked.get("to") or asked.get("recipient")), "wa_id": person.id}
    return web.json_response({
        "messaging_product": "whatsapp",
        "contacts": [told],
        "messages": [{"id": said.id, "message_status": "accepted"}],
    })  # fmt: skip


def _is_late(line: Line, person: Person, asked: dict[str, Any], now: datetime) -> bool:
    within = HUMAN if asked.get("tag") == "HUMAN_AGENT" else WINDOW
    shuts = line.shuts_at(person, within)
    return shuts is None or now > shuts


def _to_a_number(graph: Graph, line: Line, asked: dict[str, Any]) -> tuple[Person, str, str]:
    if asked.get("messaging_product") != "whatsapp" or asked.get("type") != "text":
        raise Wrong(400, 100, "Invalid parameter")
    person = graph.find(line, str(asked.get("to", "")).lstrip("+"), asked.get("recipient"))
    if person is None or asked.get("to") == person.user_id:
        raise Wrong(400, 131026, "Message undeliverable")
    text, mark = _part(asked, "text").get("body"), asked.get("biz_opaque_callback_data", "")
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_TEXT or len(mark) > LONGEST_MARK:
        raise Wrong(400, 100, "Param text['body'] must be at most 4096 characters long.")
    return person, text, mark


def _to_a_person(graph: Graph, line: Line, asked: dict[str, Any]) -> tuple[Person, str, str]:
    person = graph.find(line, _part(asked, "recipient").get("id"))
    if person is None:
        raise Wrong(400, 100, "No matching user found", 2018001)
    is_tagged = asked.get("messaging_type") == "MESSAGE_TAG"
    if is_tagged != bool(asked.get("tag")) or asked.get("tag", "HUMAN_AGENT") != "HUMAN_AGENT":
        raise Wrong(400, 100, "(#100) Tag is invalid")
    if asked.get("messaging_type") not in {"RESPONSE", "MESSAGE_TAG"}:
        raise Wrong(400, 100, "Param messaging_type is required")
    message = _part(asked, "message")
    text, mark = message.get("text"), str(message.get("metadata", ""))
    most = LONGEST_PAGE[line.kind]
    length = len(str(text)) if line.kind == "messenger" else len(str(text).encode())
    if not isinstance(text, str) or not 0 < length <= most or len(mark) > 1000:
        raise Wrong(400, 100, "Length of param message[text] must be less than or equal to 2000")
    return person, text, mark


def _part(asked: dict[str, Any], name: str) -> dict[str, Any]:
    part = asked.get(name)
    return part if isinstance(part, dict) else {}


def _node(request: web.Request) -> Line:
    line, id_ = holder(request), request.match_info["id"]
    if id_ != line.node:
        raise errors.unknown(id_)
    return line


async def _content(request: web.Request) -> dict[str, Any]:
    content = await request.json()
    if not isinstance(content, dict):
        raise Wrong(400, 100, "Invalid parameter")
    return content
