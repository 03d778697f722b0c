"""The wall: for a screen in the room. The next deadlines, how many there are; no buyer's word."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from core.access import Act
from core.errors import StoreUnavailable
from core.store import board, transaction
from core.web import filters, lines, pages, queue
from core.web.filters import Filter
from core.web.glance import GLANCE
from core.web.shown import version
from core.web.ways import Way, parts, who

if TYPE_CHECKING:
    from aiohttp import web

    from core.access import Who
    from core.store.board import Line

SHOWN = 8
"""So many deadlines stand on the wall."""


async def show(request: web.Request) -> web.Response:
    """The wall as it is now; 503 while the database is away."""
    asks, rules, now = who(request), parts(request).rules(), parts(request).now()
    chosen = filters.of(request.query)
    seen = await request.app[GLANCE].of(asks, now)
    found = await _found(request, asks, chosen)
    return pages.page(
        request,
        "wall.html",
        status=HTTPStatus.SERVICE_UNAVAILABLE if found is None else HTTPStatus.OK,
        rows=None if found is None else lines.rows(found, rules, now),
        troubles=seen.troubles,
        counts=seen.counts,
        band_links=queue.band_links(Filter(), seen.counts, pages.audience(request).say),
        live=None if found is None else f"{queue.LIVE}?view=wall&seen={version(found)}",
    )


async def _found(request: web.Request, asks: Who, chosen: Filter) -> list[Line] | None:
    of = parts(request)
    sought = filters.sought(chosen, asks, of.rules().accounts)
    try:
        async with transaction(of.pool()) as db:
            return await board.lines(db, sought, of.now(), SHOWN)
    except StoreUnavailable:
        return None


WAYS = (Way("GET", "/wall", show, Act.LOOK),)
