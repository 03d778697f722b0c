"""The marketplace's own page of a thread: where a notice's link leads, and where people answer."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from aiohttp import web

from connectors.mirakl.sandbox import access
from connectors.mirakl.sandbox.access import Refusal

if TYPE_CHECKING:
    from connectors.mirakl.sandbox.inbox import Message, Thread

PATH = "/mmp/shop/messages/{thread}"

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{shop} - a sandbox: nobody here exists.</p>
<p>A reply is needed since: {since}</p><ol>{messages}</ol>
<form method="post"><textarea name="body" rows="4" cols="60"></textarea><br>
<button name="act" value="answer">Answer the buyer</button>
<button name="act" value="no_need">No reply needed</button></form></body></html>"""


async def show(request: web.Request) -> web.Response:
    """The thread, as a person logged in at the marketplace sees it."""
    return web.Response(text=_page(_thread(request)), content_type="text/html")


async def act(request: web.Request) -> web.Response:
    """Somebody answers here, or says that no reply is needed."""
    thread = _thread(request)
    form = await request.post()
    text = form.get("body")
    if form.get("act") == "no_need":
        thread.click_no_reply_needed()
    elif isinstance(text, str) and text.strip():
        thread.shop_answers(text)
    return web.Response(status=303, headers={"Location": request.path})


def _thread(request: web.Request) -> Thread:
    thread = access.operator_of(request).threads.get(request.match_info["thread"])
    if thread is None:
        raise Refusal(404, "Not Found")
    return thread


def _page(thread: Thread) -> str:
    return PAGE.format(
        title=escape(thread.topic[1]),
        shop=escape(thread.shop.name),
        since=thread.reply_needed_since() or "nobody waits",
        messages="".join(_entry(message) for message in thread.messages),
    )


def _entry(message: Message) -> str:
    who = escape(f"{message.sender_name} ({message.sender_type}), {message.at:%H:%M:%S}")
    return f"<li><b>{who}</b><pre>{escape(message.body)}</pre></li>"
