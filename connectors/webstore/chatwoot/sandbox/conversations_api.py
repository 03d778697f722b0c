"""Conversations and their messages: list, show, read, write; and inboxes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from email import message_from_bytes
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import web

from connectors.webstore.chatwoot.sandbox import access, payload
from connectors.webstore.chatwoot.sandbox.access import Refusal
from connectors.webstore.chatwoot.sandbox.chats import Attachment

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.chatwoot.sandbox.chats import Chat, Message

PAGE = 25
BEFORE, AFTER = 20, 100
LONGEST = 150_000
MOST_FILES = 15
STATUSES = frozenset({"open", "resolved", "pending", "snoozed"})


@dataclass(frozen=True, slots=True)
class Reply:
    """A message that came by the API, for a test or a person to look at."""

    at: datetime
    account: int
    conversation: int
    message: int
    content: str
    private: bool
    files: tuple[str, ...]


REPLIES: web.AppKey[list[Reply]] = web.AppKey("replies")


async def listed(request: web.Request) -> web.Response:
    """A page, those with the last activity first; without a `status` the open ones alone."""
    chats = access.chats_of(request)
    inbox = access.whole(request, "inbox_id")
    status = request.query.get("status", "open")
    chosen = [
        one
        for one in chats
        if (inbox is None or one.inbox.id == inbox) and status in ("all", one.status)
    ]
    chosen.sort(key=lambda one: (one.last_activity_at, one.id), reverse=True)
    page = max(1, access.whole(request, "page", 1) or 1)
    shown = chosen[(page - 1) * PAGE : page * PAGE]
    shown = [one for one in shown for _ in range(request.app[access.DESK].habits.listed)]
    base = access.base(request)
    counts = {"mine_count": 0, "assigned_count": 0, "unassigned_count": len(chosen),
              "all_count": len(chosen)}  # fmt: skip
    return access.reply(
        {"data": {"meta": counts, "payload": [payload.conversation(c, base) for c in shown]}}
    )


async def shown(request: web.Request) -> web.Response:
    """One conversation."""
    return access.reply(payload.conversation(access.chat_of(request), access.base(request)))


async def messages(request: web.Request) -> web.Response:
    """The last 20, the 20 before a message, or the 100 after one: the oldest first."""
    chat, base = access.chat_of(request), access.base(request)
    after, before = access.whole(request, "after"), access.whole(request, "before")
    ordered = sorted(chat.messages, key=lambda one: (one.created_at, one.id))
    if after is not None:
        found = [one for one in ordered if one.id > after][:AFTER]
    else:
        found = [one for one in ordered if before is None or one.id < before][-BEFORE:]
    meta = {"labels": [], "additional_attributes": {}, "contact": {"id": chat.contact.id}}
    return access.reply({"meta": meta, "payload": [payload.message(m, base) for m in found]})


async def inbox(request: web.Request) -> web.Response:
    """One inbox."""
    _, account = access.caller(request)
    found = next(
        (one for one in account.inboxes.values() if str(one.id) == request.match_info["inbox"]),
        None,
    )
    if found is None:
        raise Refusal(404, "Resource could not be found")
    return access.reply({"id": found.id, "name": found.name, "channel_type": found.channel})


async def write(request: web.Request) -> web.Response:
    """An agent's message, as JSON or, with files, as a form."""
    agent, account = access.caller(request)
    chat = access.chat_of(request)
    is_form = request.content_type == "multipart/form-data"
    told, files = await (_form(request, chat) if is_form else _json(request))
    content = told.get("content")
    if not isinstance(content, str) or not (content or files):
        raise Refusal(422, "Validation failed: content is missing")
    if len(content) > LONGEST:
        raise Refusal(422, f"Validation failed: Content is too long (maximum is {LONGEST})")
    if len(files) > MOST_FILES:
        raise Refusal(422, "Validation failed: Attachments exceeded maximum allowed")
    if told.get("message_type", "outgoing") != "outgoing":
        raise Refusal(403, "Incoming messages are only allowed in Api inboxes")
    private = told.get("private") in (True, "true")
    made = chat.agent_writes(content, by=agent, private=private, attachments=files)
    request.app[REPLIES].append(_reply(account.id, chat, made))
    if not chat.can_reply and not private:
        chat.fail(made)
    return access.reply(payload.message(made, access.base(request)))


async def _json(request: web.Request) -> tuple[dict[str, Any], tuple[Attachment, ...]]:
    try:
        told = json.loads(await request.read())
    except ValueError:
        raise Refusal(400, "There was a problem in the JSON you submitted") from None
    if not isinstance(told, dict):
        raise Refusal(422, "param is missing")
    return told, ()


async def _form(request: web.Request, chat: Chat) -> tuple[dict[str, Any], tuple[Attachment, ...]]:
    """The fields of a form, and its ``attachments[]``."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    told: dict[str, Any] = {}
    files: list[Attachment] = []
    for part in message_from_bytes(head + await request.read()).walk():
        content = part.get_payload(decode=True)
        name, file = part.get_param("name", header="Content-Disposition"), part.get_filename()
        if not isinstance(content, bytes):
            continue
        if file is None:
            told[str(name)] = content.decode()
        elif name == "attachments[]":
            number = chat.account.desk.number()
            named = unquote(file)  # as Rack, the server's library, does
            files.append(Attachment(number, named, part.get_content_type(), content))
    return told, tuple(files)


def _reply(account: int, chat: Chat, made: Message) -> Reply:
    names = tuple(file.name for file in made.attachments)
    return Reply(made.created_at, account, chat.id, made.id, made.content, made.private, names)
