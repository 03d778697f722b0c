"""A marketplace's inbox on loopback, as fast as a server can be: its pages are rendered ahead.

    python -m benchmarks.inbox.server --threads 20000 --shops 8 --whole

Prints its address as the first line. ``GET /api/messages?limit=100&page_token=..&updated_since=..``
answers ``{"data": [message ...], "next_page_token": ..}``, 100 threads a page, gzip; those of one
shop with ``&shop=3``. ``GET /touch?n=200`` edits as many threads; their time is then the newest.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
from bisect import bisect_left
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING

from aiohttp import web

from benchmarks.inbox import invented

if TYPE_CHECKING:
    from collections.abc import Mapping

GZIP = 6
LIMIT = 100


class Inbox:
    """The conversations of one shop (or of all of them), by the time of their last change."""

    def __init__(self, threads: list[invented.Thread], changed: list[int]) -> None:
        self.threads = threads
        self.changed = changed
        self._rendered: dict[tuple[int, int, int], bytes] = {}

    def page(self, limit: int, offset: int, since: int) -> bytes:
        """One page, packed; the second time it is taken from memory."""
        key = (limit, offset, since)
        if key not in self._rendered:
            self._rendered[key] = gzip.compress(self._render(*key), GZIP)
        return self._rendered[key]

    def _render(self, limit: int, offset: int, since: int) -> bytes:
        begin = bisect_left(self.changed, since) + offset
        shown = self.threads[begin : begin + limit]
        page: dict[str, object] = {"data": [m for thread in shown for m in thread["messages"]]}
        if begin + limit < len(self.threads):
            page["next_page_token"] = str(offset + limit)
        return json.dumps(page, ensure_ascii=False, separators=(",", ":")).encode()

    def render(self) -> None:
        """Render what a walk from the beginning reads."""
        for offset in range(0, len(self.threads), LIMIT):
            self.page(LIMIT, offset, 0)

    def touch(self, thread: invented.Thread, at: int) -> None:
        """Let *thread* be the one that was changed last."""
        place = bisect_left(self.changed, thread["changed"])
        self.threads.append(self.threads.pop(place))
        del self.changed[place]
        self.changed.append(at)
        self._rendered.clear()


class Marketplace:
    """All shops, and each by itself."""

    def __init__(self, threads: int, size: int, shops: int, *, whole: bool) -> None:
        by = Random(3)
        made = [invented.thread(by, number, size) for number in range(threads)]
        times = [invented.BASE + number for number in range(threads)]
        self.whole = Inbox(made[:], times[:])
        self.shops = [Inbox(made[n::shops], times[n::shops]) for n in range(shops)]
        self.last = invented.BASE + threads
        self.requests = 0
        self.ahead = [self.whole, *self.shops] if whole else self.shops
        self._render()

    def touch(self, count: int) -> None:
        """Edit *count* threads: every message of theirs says one more word."""
        by = Random(self.last)
        for thread in by.sample(self.whole.threads, count):
            self.last += 1
            for message in thread["messages"]:
                message["date_updated"] = invented.stamp(self.last)
                message["body"] += " edited"
            for inbox in (self.whole, self.shops[thread["number"] % len(self.shops)]):
                inbox.touch(thread, self.last)
            thread["changed"] = self.last
        self._render()

    def _render(self) -> None:
        for inbox in self.ahead:
            inbox.render()

    async def messages(self, request: web.Request) -> web.Response:
        """A page of messages."""
        self.requests += 1
        asked = request.query
        inbox = self.shops[int(asked["shop"])] if "shop" in asked else self.whole
        body = inbox.page(
            int(asked.get("limit", LIMIT)), int(asked.get("page_token", 0)), _seconds(asked)
        )
        packed = {"Content-Encoding": "gzip"}
        return web.Response(body=body, content_type="application/json", headers=packed)

    async def touched(self, request: web.Request) -> web.Response:
        """Edit some threads."""
        self.touch(int(request.query["n"]))
        return web.json_response({"now": invented.stamp(self.last)})

    async def stats(self, _: web.Request) -> web.Response:
        """How often it was asked."""
        return web.json_response({"requests": self.requests})


def _seconds(asked: Mapping[str, str]) -> int:
    since = asked.get("updated_since")
    return int(datetime.fromisoformat(since.replace(" ", "+")).timestamp()) if since else 0


async def serve(market: Marketplace) -> None:
    """Serve on a free port of loopback until ended."""
    app = web.Application()
    app.router.add_get("/api/messages", market.messages)
    app.router.add_get("/touch", market.touched)
    app.router.add_get("/stats", market.stats)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=20_000)
    parser.add_argument("--messages", type=int, default=2)
    parser.add_argument("--shops", type=int, default=8)
    parser.add_argument("--whole", action="store_true", help="render the whole ahead, too")
    asked = parser.parse_args()
    asyncio.run(serve(Marketplace(asked.threads, asked.messages, asked.shops, whole=asked.whole)))


if __name__ == "__main__":
    main()
