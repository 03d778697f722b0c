"""The wall: for a screen in the room. The next deadlines, how many there are; no buyer's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.access import Act
from core.store import board, transaction
from core.web import filters, lines, pages, queue
from core.web.filters import Filter
from core.web.glance import GLANCE
from core.web.ways import Way, parts, who

if TYPE_CHECKING:
    from aiohttp import web

SHOWN = 8
"""So many deadlines stand on the wall."""


async def show(request: web.Request) -> web.Response:
    """The wall as it is now.

    Raises:
        Mistaken: the address asks for what there is not.
        StoreUnavailable: the database does not answer.
    """
    asks, rules, now = who(request), parts(request).rules(), parts(request).now()
    chosen = filters.of_queue(request.query)
    seen = await request.app[GLANCE].of(asks, now)
    sought = filters.sought(chosen, asks, rules.accounts)
    async with transaction(parts(request).pool()) as db:
        found = await board.lines(db, sought, now, SHOWN)
    reader = pages.audience(request)
    return pages.page(
        request,
        "wall.html",
        rows=lines.rows(found, rules, now),
        troubles=seen.troubles,
        counts=seen.counts,
        band_links=queue.band_links(Filter(), seen.counts, reader.say),
        fields=queue.choices(chosen, rules, asks, found, reader),
        filtered=not chosen.is_plain,
        live=queue.live(chosen, found, "view=wall"),
    )


WAYS = (Way("GET", "/wall", show, Act.LOOK),)
