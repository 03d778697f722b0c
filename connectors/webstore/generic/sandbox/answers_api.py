"""The call that answers: what it says is found by following its template backwards."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from aiohttp import web

from connectors.webstore.generic.sandbox import writing
from connectors.webstore.generic.sandbox.listing import Refusal
from core.sandbox import spoil

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.webstore.generic.sandbox.shop import Shop

PLACE = re.compile(r"\{([a-z_]+)\}")


async def answered(shop: Shop, request: web.Request) -> web.Response:
    """A message of the shop's to the buyer."""
    reply = shop.options.reply
    if reply is None or request.method != reply.method:
        raise Refusal(405, "nobody is answered here")
    try:
        told = json.loads(await request.read())
    except ValueError:
        raise Refusal(400, "no JSON") from None
    found = dict(_found(reply.body, told))
    found |= dict(_taken(urlsplit(reply.url).path, request.match_info["tail"]))
    named = found.get("thread") or found.get("thread_number") or ""
    if not found.get("text") or not named.isdigit() or int(named) not in shop.conversations:
        raise Refusal(404, "no such conversation")
    made = shop.writes(int(named), "seller", found["text"])
    document = writing.put(reply.id, made.id, {})
    return web.Response(status=201, body=spoil.encode(document), content_type="application/json")


def _found(template: Any, told: Any) -> Iterator[tuple[str, str]]:
    """The places of a body, and what stands there."""
    if isinstance(template, dict):
        for name, inner in template.items():
            yield from _found(inner, told.get(name) if isinstance(told, dict) else None)
    elif isinstance(template, list):
        for number, inner in enumerate(template):
            yield from _found(inner, told[number] if isinstance(told, list) else None)
    elif isinstance(template, str) and isinstance(told, str | int):
        yield from _taken(template, str(told))


def _taken(template: str, told: str) -> Iterator[tuple[str, str]]:
    names = PLACE.findall(template)
    fixed = [re.escape(part) for part in re.split(r"\{[a-z_]+\}", template)]
    match = re.fullmatch("(.*?)".join(fixed), told, re.DOTALL)
    if match is not None:
        yield from zip(names, map(unquote, match.groups()), strict=True)
