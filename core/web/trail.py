"""The audit trail: who looked at what, did what, and was refused what."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from core.access import Act
from core.store import audit, transaction
from core.web import deeds, pages
from core.web.ways import Way, parts, who

if TYPE_CHECKING:
    from aiohttp import web

PATH = "/audit"
LINES = 100
FILTERS = ("who", "act", "account", "thread")
MOST = 300


async def show(request: web.Request) -> web.Response:
    """The newest lines that a filter leaves, of accounts that one sees."""
    asks = who(request)
    given = {key: value[:MOST] for key in FILTERS if (value := request.query.get(key, "").strip())}
    before = request.query.get("before", "")
    asked = audit.Asked(
        **given, before=int(before) if before.isdecimal() and len(before) < 19 else None
    )
    async with transaction(parts(request).pool()) as db:
        lines = await audit.lines(db, asked, asks.accounts, asks.name, LINES + 1)
    older = None
    if len(lines) > LINES:
        lines = lines[:LINES]
        older = f"{PATH}?{urlencode({**given, 'before': lines[-1].id})}"
    return pages.page(
        request, "audit.html", lines=lines, older=older, given=given, details=deeds.details
    )


WAYS = (Way("GET", PATH, show, Act.AUDIT),)
