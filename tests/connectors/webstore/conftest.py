"""What several kinds need to be pushed to."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

pytest.register_assert_rewrite("tests.connectors.webstore.doors")


@pytest.fixture
async def door():
    """A daemon's door that keeps what comes: the address before an account's name, and a queue."""
    came = asyncio.Queue()

    async def answer(request):
        headers = {name.lower(): value for name, value in request.headers.items()}
        await came.put((headers, await request.read()))
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/push/webstore/{name}", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/push/webstore", came
    await runner.cleanup()
