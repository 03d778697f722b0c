"""From one thread to the next: who has answered goes on to the nearest deadline that is theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from core.access import Act
from core.store import board, transaction
from core.web import filters, pages
from core.web.filters import Filter
from core.web.ways import Way, parts, who

if TYPE_CHECKING:
    from datetime import datetime

    from core.access import Who
    from core.store.board import Line

LOOKED_AT = 50
"""So many of the nearest deadlines are looked at; where none of them waits, there is the queue."""
LEAVING = frozenset({"queued", "sending"})


async def lead(request: web.Request) -> web.StreamResponse:
    """Lead to the thread that is due next, but for the one that stands in the query.

    Nothing of it is shown here: its page is a look of its own.

    Raises:
        HTTPSeeOther: always; to the queue where nothing waits for who asks.
    """
    asks, now = who(request), parts(request).now()
    sought = filters.sought(Filter(), asks, parts(request).rules().accounts)
    async with transaction(parts(request).pool()) as db:
        found = await board.lines(db, sought, now, LOOKED_AT)
    here = request.query.get("account", ""), request.query.get("thread", "")
    others = (one for one in found if (one.account, one.thread) != here)
    next_ = next((one for one in others if waits(one, asks, now)), None)
    raise web.HTTPSeeOther("/" if next_ is None else pages.thread_path(next_.account, next_.thread))


def waits(line: Line, asks: Who, now: datetime) -> bool:
    """Whether somebody is to see to *line* and *asks* may be who: no other has claimed it.

    Where a reply is on its way there is nothing to do just now.
    """
    held = line.claimed_until is not None and now < line.claimed_until
    return line.reply_state not in LEAVING and not (held and line.claimed_by != asks.name)


WAYS = (Way("GET", "/next", lead, Act.LOOK),)
