"""What a request brings: no more than its way takes, said beforehand, and nothing unreadable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.http import HttpProcessingError

from core.web.ways import MOST_BYTES, OPEN

if TYPE_CHECKING:
    from core.access import Who
    from core.web.ways import Way

MOST_STRANGE = 16 * 2**10
"""Bytes of what is open to everybody: a name and a password."""
LENIENT = frozenset({"text", "body"})
"""Fields whose every sign is judged where they are written: a bad one is told beside the text."""
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def expect_little(request: web.Request, way: Way, who: Who | None) -> None:
    """Take no more of a body than its way needs, before any of it is read.

    Raises:
        HTTPRequestEntityTooLarge: it is more, or does not say how long it is where it has to.
        HTTPUnsupportedMediaType: it is compressed, and nobody knows to what it unfolds.
    """
    if not request.body_exists:
        return
    if "Content-Encoding" in request.headers:
        raise web.HTTPUnsupportedMediaType
    most = MOST_STRANGE if who is None or way.act == OPEN else way.most
    length = request.content_length
    if (length or 0) > most or (length is None and most < MOST_BYTES):
        raise web.HTTPRequestEntityTooLarge(most, length or 0)


async def read(request: web.Request) -> None:
    """Read a form, once, for whoever answers it.

    Raises:
        HTTPBadRequest: it cannot be read, or holds what no database stores.
    """
    try:
        form = await request.post()
    except (LookupError, ValueError, RuntimeError, AssertionError, HttpProcessingError):
        raise web.HTTPBadRequest from None
    for key, value in form.items():
        told = (key,) if key in LENIENT or not isinstance(value, str) else (key, value)
        if not all(map(is_storable, told)):
            raise web.HTTPBadRequest


def expect_storable(request: web.Request) -> None:
    """Expect an address that can name something.

    Raises:
        HTTPNotFound: nothing can be called so.
        HTTPBadRequest: what it asks for can be nothing.
    """
    if not is_storable(request.path):
        raise web.HTTPNotFound
    if not all(is_storable(said) for pair in request.query.items() for said in pair):
        raise web.HTTPBadRequest


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold *text*."""
    return UNSTORABLE.search(text) is None
