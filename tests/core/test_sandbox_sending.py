"""A stand-in's pushes to who is still starting."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientTimeout, web
from aiohttp.test_utils import TestServer

from core import loops
from core.sandbox import sending

PATIENCE = ClientTimeout(total=10)


@pytest.fixture
async def receiver():
    """A server on loopback; its `heard` are the bodies that have come."""
    heard = []

    async def take(request):
        heard.append(await request.text())
        return web.Response()

    application = web.Application()
    application.router.add_post("/push", take)
    async with TestServer(application) as server:
        server.heard = heard
        yield server


@pytest.fixture
async def send(receiver):
    async with sending.Sender() as sender:
        yield lambda body: sender.send(str(receiver.make_url("/push")), body, {}, PATIENCE)


async def test_what_was_opened_at_the_start_sends_only_when_all_has_started(receiver, send):
    with loops.starting() as started:
        early = asyncio.create_task(send(b"early"))

    assert await send(b"another's") == 200
    assert not early.done()
    started()

    assert await early == 200
    assert receiver.heard == ["another's", "early"]


async def test_once_all_has_started_nothing_waits(send):
    with loops.starting() as started:
        started()
        assert await asyncio.create_task(send(b"later")) == 200
