"""An account that is only pushed to, for the promises of every connector.

What it is pushed and what it asks for are read as one walk: asked first, so that a fault of the
source is one of the walk, then the pushes since the cursor, page by page, as core stores them.
"""

from __future__ import annotations

from dataclasses import replace

from core.model import merged
from core.stage import MOST_PAGES


class Pushed:
    """*connector* on *stage*, whose `requests` are the pushes that came so far, oldest first."""

    def __init__(self, connector, stage, at_once=100):
        self.connector, self.stage, self.at_once = connector, stage, at_once

    async def check(self):
        return await self.connector.check()

    async def reply(self, thread, draft, now):
        return await self.connector.reply(thread, draft, now)

    async def receive(self, request, now):
        return await self.connector.receive(request, now)

    async def fetch(self, stream, cursor, position, now):
        asked = await self.connector.fetch(stream, None, None, now)
        begin = int(position or cursor or 0)
        assert begin // self.at_once < MOST_PAGES
        requests = self.stage.requests[begin : begin + self.at_once]
        receipts = [await self.connector.receive(one, now) for one in requests]
        assert {r.status for r in receipts} <= {200}
        end = begin + len(requests)
        more = end < len(self.stage.requests)
        page = merged([asked, *(r.pages["shop"] for r in receipts if "shop" in r.pages)])
        return _ended(page, str(end), more=more)


def _ended(page, end, *, more):
    if more:
        return replace(page, position=end, cursor=None, more=True)
    return replace(page, cursor=end)
