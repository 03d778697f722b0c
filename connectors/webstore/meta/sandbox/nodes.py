"""What the Graph API tells of a node: a number, a page, and the conversations of a page."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.meta.sandbox import api, errors
from connectors.webstore.meta.sandbox.api import VERSION
from connectors.webstore.meta.sandbox.errors import Wrong
from connectors.webstore.meta.sandbox.graph import OBJECTS

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.meta.sandbox.graph import Line, Person, Said

DETAILED = 20
"""Of so many messages of a conversation the details are told: the newest."""
SHOWN = frozenset({"text", "attachment", "postback"})


def routes() -> list[web.RouteDef]:
    """Whatever has an id is asked for by it alone."""
    return [
        web.get(f"{VERSION}/{{id}}/conversations", conversations, name="conversations"),
        web.get(f"{VERSION}/{{id}}/message_templates", templates, name="message_templates"),
        web.get(f"{VERSION}/{{id}}", node, name="node"),
    ]


async def node(request: web.Request) -> web.Response:
    """What is asked for, by its id."""
    line, id_ = api.holder(request), request.match_info["id"]
    if id_ == line.id:
        return web.json_response(_line(line) | _addresses(line))
    raise errors.unknown(id_)


async def conversations(request: web.Request) -> web.Response:
    """The chats of a page or profile, the newest first; or the one with a person."""
    line, asked = api.holder(request), request.query
    if request.match_info["id"] != line.id or line.kind == "whatsapp":
        raise errors.unknown(request.match_info["id"])
    if asked.get("platform", "messenger") != line.kind:
        raise Wrong(400, 100, "Param platform must be the one that the token is of")
    people = [p for p in line.people.values() if line.with_(p)]
    people.sort(key=lambda person: (line.with_(person)[-1].at, person.id), reverse=True)
    if "user_id" in asked:
        people = [p for p in people if p.id == asked["user_id"]]
    begin, limit = int(asked.get("after", "0")), int(asked.get("limit", "25"))
    shown = people[begin : begin + limit]
    told: dict[str, Any] = {"data": [_conversation(line, person) for person in shown]}
    if shown:
        told["paging"] = {"cursors": {"before": str(begin), "after": str(begin + limit)}}
        if begin + limit < len(people):
            told["paging"]["next"] = str(request.url.update_query(after=str(begin + limit)))
    return web.json_response(told)


async def templates(request: web.Request) -> web.Response:
    """The templates of a WhatsApp account, those of one status where it is asked for."""
    line, asked = api.holder(request), request.query
    if request.match_info["id"] != line.node or line.kind != "whatsapp":
        raise errors.unknown(request.match_info["id"])
    fit = [one for one in line.templates if asked.get("status", one.status) == one.status]
    names = [*asked.get("fields", "name,language,category,status").split(","), "id"]
    listed = [{"id": str(number), **asdict(one)} for number, one in enumerate(fit, 1)]
    shown = [{name: one[name] for name in names if name in one} for one in listed]
    return web.json_response({"data": shown[: int(asked.get("limit", "25"))]})


def _addresses(line: Line) -> dict[str, Any]:
    """Where news of a number go to, as it is told of each of whom it may be asked."""
    if line.kind != "whatsapp":
        return {}
    app = line.app.subscriptions.get(OBJECTS[line.kind])
    known = {
        "phone_number": line.own_override,
        "whatsapp_business_account": line.override,
        "application": app.callback_url if app else None,
    }
    return {"webhook_configuration": {name: url for name, url in known.items() if url}}


def _line(line: Line) -> dict[str, str]:
    if line.kind != "whatsapp":
        return {"id": line.id, "name": "Example Shop"}
    return {
        "id": line.id,
        "quality_rating": line.quality,
        "messaging_limit_tier": "TIER_1K",
        "status": "CONNECTED",
    }


def _conversation(line: Line, person: Person) -> dict[str, Any]:
    listed = [one for one in line.with_(person) if one.type in SHOWN]
    messages: dict[str, Any] = {
        "data": [_said(line, one) for one in reversed(listed[-DETAILED:])],
    }
    if len(listed) > DETAILED:
        messages["paging"] = {"next": "https://graph.facebook.com/older", "cursors": {}}
    return {
        "id": f"t_{person.id}",
        "updated_time": _stamp(line.with_(person)[-1].at),
        "participants": {"data": [_party(line, person), _party(line, None)]},
        "messages": messages,
    }


def _said(line: Line, one: Said) -> dict[str, Any]:
    is_own = one.author != "person"
    sender, to = _party(line, one.person), _party(line, None)
    sender, to = (to, sender) if is_own else (sender, to)
    told: dict[str, Any] = {
        "id": one.id,
        "created_time": _stamp(one.at),
        "from": sender,
        "to": {"data": [to]},
        "message": one.more.get("title", one.text),
    }
    if one.more.get("files"):
        told["attachments"] = {"data": one.more["files"]}
    return told


def _party(line: Line, person: Person | None) -> dict[str, str]:
    name = "username" if line.kind == "instagram" else "name"
    if person is None:
        return {name: "Example Shop", "id": line.own}
    return {name: person.name, "id": person.id}


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")
