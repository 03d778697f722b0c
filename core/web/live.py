"""`/live`: what changes in a queue, or in a thread, as server-sent events.

    lines     table rows that are new or have changed, and which are gone: `core.web.lines`
    counts    how many threads wait
    thread    the thread of this stream has changed: its page fetches the part of it that is live
    reload    what was shown is too old to be mended: load it anew
    now       the server's clock, as a stream begins and whenever nothing else is said for long

An event's id says what was shown with it. Who comes back says it (``Last-Event-ID``, or ``seen`` in
the address of the first stream of a page) and is told what has changed since.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING

from aiohttp import web

from core.access import Act
from core.errors import NotAllowed, StoreUnavailable
from core.store import audit, transaction
from core.web import filters, pages, queue, shown, wall
from core.web.hub import HUB, Full
from core.web.signing import identity
from core.web.signing.identity import Unknown
from core.web.streams import ALIVE, RELOAD, event
from core.web.thread import SAME_LOOK
from core.web.ways import Way, parts, who

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from core.access import Who
    from core.web.streams import Client

PATH = "/live"
KEEP_ALIVE = 15.0
"""Seconds of silence after which the time is told: proxies end what says nothing for a minute."""
CHECK_EVERY = 20.0
"""Seconds after which it is asked again who listens: a session ends, a role is taken away."""
UNREAD = 20.0
"""Seconds that a client may leave unread what was sent to it."""
SEEN, VIEW, THREAD = "seen", "view", "thread"
LONGEST_SEEN = 64
COME_AGAIN = {"Retry-After": "10"}
HEADERS = {
    **pages.HEADERS,
    "Content-Type": "text/event-stream; charset=utf-8",
    "X-Accel-Buffering": "no",
}


async def show(request: web.Request) -> web.StreamResponse:
    """Tell what changes until somebody goes, may not see it any more, or we stop.

    Raises:
        Mistaken: the address says what no view is.
        NotAllowed: the thread is of an account that is not theirs.
        HTTPServiceUnavailable: too many listen already.
        StoreUnavailable: that somebody looks on cannot be written down.
    """
    listener = who(request)
    try:
        with _entered(request, listener) as client:
            await _note(request, listener)
            return await _told(request, client, listener)
    except Full:
        raise web.HTTPServiceUnavailable(headers=COME_AGAIN) from None


def _entered(request: web.Request, listener: Who) -> AbstractContextManager[Client]:
    """A place among those who listen to what the address names."""
    query, hub = request.query, request.app[HUB]
    seen = (request.headers.get("Last-Event-ID") or query.get(SEEN) or "")[:LONGEST_SEEN] or None
    if THREAD in query:
        account = query.get("account", "")
        if not listener.may(Act.READ, account):
            raise NotAllowed("this account is not one of yours; ask whoever lets people in")
        return hub.watching((account, query[THREAD]), listener.name, seen)
    chosen = filters.of_queue(query, besides={SEEN, VIEW})
    is_wall = query.get(VIEW) == "wall"
    view = shown.View(
        filters.sought(chosen, listener, parts(request).rules().accounts),
        shown.reader(pages.audience(request)),
        wall.SHOWN if is_wall else queue.PAGE,
        is_wall=is_wall,
    )
    return hub.showing(view, listener.name, seen)


async def _note(request: web.Request, listener: Who) -> None:
    """Write down that somebody looks on at a queue in which buyers' words stand.

    A page in the background listens no more, and anew once it is shown: that is the same look.

    Raises:
        StoreUnavailable: it cannot be, so they are to come again.
    """
    query = request.query
    if THREAD in query or query.get(VIEW) == "wall" or not listener.may(Act.READ):
        return
    chosen, now = filters.of(query, besides={SEEN, VIEW}), parts(request).now()
    detail: dict[str, str | int] = {"filter": filters.query(chosen), "live": 1}
    async with transaction(parts(request).pool()) as db:
        if not await audit.looked(db, listener, "look", detail, now - SAME_LOOK):
            await audit.write(db, listener, "look", detail=detail, now=now)


async def _told(request: web.Request, client: Client, listener: Who) -> web.StreamResponse:
    response = web.StreamResponse(status=HTTPStatus.OK, headers=HEADERS)
    response.force_close()
    await response.prepare(request)
    with suppress(ConnectionError):
        await _tell(request, response, client, listener)
    return response


async def _tell(
    request: web.Request, response: web.StreamResponse, client: Client, listener: Who
) -> None:
    """Send what waits for *client*, and the time where nothing does: a page hears that it is live.

    Raises:
        ConnectionError: they are gone.
    """
    await write(request, response, ALIVE)
    checked = monotonic()
    while not client.is_over:
        chunk = await client.next(KEEP_ALIVE)
        if client.is_doubted or monotonic() - checked >= CHECK_EVERY or not chunk:
            checked, client.is_doubted = monotonic(), False
            if not await _is_still(request, listener):
                await write(request, response, RELOAD)
                return
        if chunk or not client.is_over:
            now = parts(request).now()
            await write(request, response, chunk or event("now", now.isoformat()))


async def _is_still(request: web.Request, listener: Who) -> bool:
    """Whether whoever listens is who they were, and may what they might; unknown means yes."""
    try:
        return await identity.of(request, api=False) == listener
    except Unknown:
        return False
    except StoreUnavailable:
        return True


async def write(request: web.Request, response: web.StreamResponse, chunk: bytes) -> None:
    """Send *chunk*; who does not read it in time is cut off.

    Raises:
        ConnectionError: they are gone.
    """
    try:
        async with asyncio.timeout(UNREAD):
            await response.write(chunk)
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionError("what was sent is left unread") from None


WAYS = (Way("GET", PATH, show, Act.LOOK),)
