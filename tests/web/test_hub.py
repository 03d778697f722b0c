"""The hub behind open boards: one look for all of a view, room for pages, nobody who hangs."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from core.access import Role, Who
from core.configuration.access import Web
from core.store import board as stored
from core.store import open_pool, transaction
from core.store.board import Sought
from core.transport.http import Http
from core.web import app, hub, live, site
from core.web.hub import Full, Hub
from core.web.pages import Audience
from core.web.room import Limits
from core.web.shown import KEPT, Shown, View, reader, version
from core.web.signing.service import Signing
from core.web.streams import Client
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE
from tests.web import board
from tests.web.board import NOW
from tests.web.streaming import hearing, listening, put

BOARDS = 20
QUICK = Limits(most=60, head=0.2, body=0.2, unread=0.2, look=0.05)


def view(**changes):
    return View(Sought(**changes), Audience(None, "en", "UTC"), 50)


@pytest.fixture
async def stage(pool):
    async with transaction(pool) as db:
        await seeds.put_account(db, NOW)
    return board.Stage(pool)


@pytest.fixture
def idle(stage):
    return Hub(stage.parts(), None, 3)


async def test_many_boards_of_one_view_are_one_look(stage, address):
    asked = []
    stage.pool = await open_pool(address, told=lambda said: asked.append(said.query))
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(hearing(stage, address))
        base = await opened.enter_async_context(board.served(stage))
        browser = await opened.enter_async_context(board.signed_in(stage, base))
        streams = [await opened.enter_async_context(listening(browser)) for _ in range(BOARDS)]
        for stream in streams:
            await stream.next("counts")
        asked.clear()
        await put(stage.pool)
        for stream in streams:
            assert (await stream.next("lines")).keys == ({"mk/T1"}, set())
        looks = asked.count(stored.PAGE)
    await stage.pool.close()

    assert looks == 1


async def test_streams_leave_room_for_pages(idle):
    with idle.showing(view(), "anna", None), idle.showing(view(), "bo", None):
        with idle.watching(("mk", "T1"), "cyd", None):
            assert idle.streams == 3
            with pytest.raises(Full), idle.showing(view(), "dan", None):
                pass
        assert idle.streams == 2


async def test_one_person_does_not_take_all_of_it(stage):
    wide = Hub(stage.parts(), None, 1_000)
    with ExitStack() as opened:
        for _ in range(hub.MOST_EACH):
            opened.enter_context(wide.showing(view(), "anna", None))
        with pytest.raises(Full):
            opened.enter_context(wide.watching(("mk", "T1"), "anna", None))
        opened.enter_context(wide.showing(view(), "bo", None))


async def test_nobody_comes_in_once_it_is_closed(idle):
    with idle.showing(view(), "anna", None) as client:
        idle.close()
        assert client.is_over
        with pytest.raises(Full), idle.showing(view(), "bo", None):
            pass


async def test_a_stream_rests_longer_than_any_peer_may_take(stage, address, monkeypatch):
    monkeypatch.setattr(live, "KEEP_ALIVE", 0.1)
    parts = stage.parts()
    async with AsyncExitStack() as kept:
        await kept.enter_async_context(hearing(stage, address))
        outside = Http(await kept.enter_async_context(aiohttp.ClientSession()))
        showing = site.application(parts, Signing(parts, lambda: outside))
        base = await kept.enter_async_context(app.served("web", stage.web, showing, QUICK))
        browser = await kept.enter_async_context(board.signed_in(stage, base))
        stream = await kept.enter_async_context(listening(browser))
        await stream.next("counts")
        for _ in range(8):  # all of them later than a head or a body may be
            assert await stream.next("now")
        await put(stage.pool)
        assert (await stream.next("lines")).keys == ({"mk/T1"}, set())


async def test_who_reads_nothing_is_cut_off(monkeypatch):
    monkeypatch.setattr(live, "UNREAD", 0.1)
    cut = asyncio.Event()

    async def show(request):
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await live.write(request, response, bytes(2**20))
        except ConnectionError:
            cut.set()
        return response

    pages = web.Application()
    pages.router.add_get("/", show)
    async with app.served("web", Web(listen="127.0.0.1:0"), pages, QUICK) as base:
        place = urlsplit(base)
        _, deaf = await asyncio.open_connection(place.hostname, place.port, limit=2**10)
        deaf.write(f"GET / HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
        async with asyncio.timeout(20):
            await cut.wait()
        deaf.close()


def line(n, thread="T1", **changes):
    return stored.Line(
        n, "mk", thread, "message", "Where?", (), None, "p", "buyer", "first_reply", NOW,
        NOW + HOUR, (NOW + n * MINUTE, NOW + HOUR), (), **changes,
    )  # fmt: skip


async def told(client):
    return (await client.next(0)).decode()


async def test_what_stays_as_it_is_is_told_to_nobody():
    shown, client = Shown(view()), Client()
    shown.join(client)
    shown.take([line(1)], seeds.rules(), NOW)
    assert "mk/T1" in await told(client)

    shown.take([line(1)], seeds.rules(), NOW + MINUTE)
    assert await told(client) == ""
    claimed = line(1, claimed_by="bo", claimed_until=NOW + HOUR)
    shown.take([claimed], seeds.rules(), NOW + MINUTE)
    assert "bo" in await told(client)
    shown.take([], seeds.rules(), NOW + MINUTE)
    assert "data-gone" in await told(client)


async def test_who_was_away_for_long_begins_anew():
    shown, stays = Shown(view()), Client()
    shown.join(stays)
    first = [line(0)]
    for n in range(KEPT + 2):
        shown.take([line(n)] if n else first, seeds.rules(), NOW)
    back = Client(version(first))
    shown.join(back)
    shown.take([line(n)], seeds.rules(), NOW)

    assert "event: reload" in await told(back)


def test_the_name_of_a_version_is_of_what_is_shown_alone():
    assert version([line(1), line(2)]) == version([line(1), line(2)])
    assert version([line(1), line(2)]) != version([line(2), line(1)])
    assert version([line(1)]) != version([line(1, claimed_by="bo")])


def test_who_looks_makes_no_difference_but_what_they_may_see_does():
    def of(who):
        return reader(Audience(who, "en", "UTC"))

    mine = frozenset({"mk"})
    assert of(Who("anna", Role.AGENT, title="Anna")) == of(Who("bo", Role.AGENT))
    assert of(Who("anna", Role.AGENT)) != of(Who("anna", Role.AGENT, mine))
    assert of(Who("anna", Role.VIEWER)) != of(Who("anna", Role.AGENT))
    assert of(None) == Audience(None, "en", "UTC")
