"""The dashboard's page of a conversation: where a notice's link leads, and where people answer."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from aiohttp import web

from connectors.webstore.chatwoot.sandbox import access
from connectors.webstore.chatwoot.sandbox.access import Refusal

if TYPE_CHECKING:
    from connectors.webstore.chatwoot.sandbox.chats import Chat, Message

PATH = "/app/accounts/{account}/conversations/{conversation}"

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{inbox} - a sandbox: nobody here exists. Status: {status}</p>
<ol>{messages}</ol><form method="post"><textarea name="content" rows="4" cols="60"></textarea><br>
<button name="act" value="answer">Send</button>
<button name="act" value="note">Private note</button>
<button name="act" value="resolve">Resolve</button></form></body></html>"""


async def show(request: web.Request) -> web.Response:
    """The conversation, as an agent who is logged in sees it."""
    return web.Response(text=_page(_chat(request)), content_type="text/html")


async def act(request: web.Request) -> web.Response:
    """Somebody answers here, leaves a note, or resolves it."""
    chat, form = _chat(request), await request.post()
    text = form.get("content")
    if form.get("act") == "resolve":
        chat.set_status("resolved", by=chat.account.agents[0])
    elif isinstance(text, str) and text.strip():
        chat.agent_writes(text, private=form.get("act") == "note")
    return web.Response(status=303, headers={"Location": request.path})


def _chat(request: web.Request) -> Chat:
    told = request.match_info
    accounts = request.app[access.DESK].accounts
    account = next((one for one in accounts.values() if str(one.id) == told["account"]), None)
    chats = account.chats.values() if account else ()
    chat = next((one for one in chats if str(one.id) == told["conversation"]), None)
    if chat is None:
        raise Refusal(404, "Resource could not be found")
    return chat


def _page(chat: Chat) -> str:
    return PAGE.format(
        title=escape(f"Conversation with {chat.contact.name}"),
        inbox=escape(chat.inbox.name),
        status=chat.status,
        messages="".join(_entry(message) for message in chat.messages),
    )


def _entry(message: Message) -> str:
    name = message.sender.name if message.sender else "Chatwoot"
    note = ", private note" if message.private else ""
    who = escape(f"{name}{note}, {message.created_at:%H:%M:%S}")
    return f"<li><b>{who}</b><pre>{escape(message.content)}</pre></li>"
