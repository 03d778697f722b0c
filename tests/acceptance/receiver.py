"""The other end of a webhook: keeps what it was told, and can be as bad as one likes."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(slots=True)
class Receiver:
    """*told* is every accepted dispatch in the order of arrival.

    *status* is how it answers, *delay* how many seconds later.
    """

    told: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    delay: float = 0.0
    url: str = ""

    def keys(self) -> Counter[str]:
        """How often each notice was told."""
        return Counter(notice["key"] for notice in list(self.told))

    def kinds(self) -> Counter[str]:
        """How many notices of each kind were told."""
        return Counter(notice["kind"] for notice in list(self.told))

    async def take(self, request: web.Request) -> web.Response:
        """Keep a notice, unless *status* is an error."""
        notice = json.loads(await request.read())
        if self.status < 300:
            self.told.append({**notice, "webhook_id": request.headers["webhook-id"]})
        await asyncio.sleep(self.delay)
        return web.Response(status=self.status)


@asynccontextmanager
async def received() -> AsyncIterator[Receiver]:
    """A receiver that listens on loopback."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"http://{host}:{port}/"
    try:
        yield receiver
    finally:
        await runner.cleanup()
