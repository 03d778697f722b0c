"""A stand-in's pushes to who is still starting."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientTimeout, web
from aiohttp.test_utils import TestServer

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


async def test_what_was_opened_while_all_was_held_is_sent_once_it_is_let_go(receiver, send):
    with sending.held() as let_go:
        early = asyncio.create_task(send(b"early"))

    assert await send(b"another's") == 200
    assert not early.done()
    let_go()

    assert await early == 200
    assert receiver.heard == ["another's", "early"]


async def test_once_let_go_nothing_is_held(send):
    with sending.held() as let_go:
        let_go()
        assert await asyncio.create_task(send(b"later")) == 200
