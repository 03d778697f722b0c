"""A clock that stands, connectors and answers for the kinds; what they need to be pushed to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from aiohttp import web

from connectors.webstore import spec
from core.connector import Transport
from core.model import Draft
from core.transport.http import Http
from core.transport.smtp import Smtp
from tests.connectors.standing import QUICK, Clock

pytest.register_assert_rewrite(
    "tests.connectors.webstore.doors", "tests.connectors.webstore.mailed"
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    return Clock(NOON)


@pytest.fixture
def opened(optioned, session):
    """A connector with options of its own: `opened(overlap="1h")`; *whose* is up to the kind."""

    def opened(*whose, limits=QUICK, **more):
        transport = Transport(Http(session, limits=limits), smtp=Smtp())
        return spec.open(optioned(*whose, **more), transport)

    return opened


@pytest.fixture
def draft(clock):
    """An answer: `draft("Sorry!", thread.id)`."""

    def draft(body, thread, number=1, **more):
        return Draft(
            id=number, account="a", thread=str(thread), body=body, queued_at=clock.now, **more
        )

    return draft


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
