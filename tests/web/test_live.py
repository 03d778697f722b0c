"""Open boards over real HTTP: what they are told, who is told what, and what ends them."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from core.store import board as stored
from core.store import connect, open_pool, transaction
from core.store.board import Sought
from core.store.wake import ANYTHING
from core.web import live, shown
from core.web.streams import MOST, RELOAD, Client, event
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE
from tests.web import board
from tests.web.board import NOW
from tests.web.streaming import end, hearing, listening, opened, put

THREAD = "/live?account=mk&thread=T1"
KILL = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""
COUNT = re.compile(r'data-count="([^"]+)">(\d+)<')


@pytest.fixture
async def stage(pool):
    async with transaction(pool) as db:
        for account in ("mk", "other"):
            await seeds.put_account(db, NOW, account)
    return board.Stage(pool)


@pytest.fixture
async def base(stage, address):
    async with hearing(stage, address), board.served(stage) as base:
        yield base


async def test_what_changes_is_told_and_nothing_else(stage, base):
    await put(stage.pool)
    async with board.signed_in(stage, base) as browser, listening(browser) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["X-Accel-Buffering"] == "no"
        assert (await stream.next("now")).text == NOW.isoformat()
        first = await stream.next("lines")
        await put(stage.pool, "T2", due=2 * HOUR)
        second = await stream.next("lines")
        await end(stage.pool)
        third = await stream.next("lines")

    assert first.keys == ({"mk/T1"}, set())
    assert second.keys == ({"mk/T2"}, set())
    assert third.keys == (set(), {"mk/T1"})
    assert len({first.id, second.id, third.id}) == 3


async def test_who_looks_on_is_written_down_once(stage, base):
    await put(stage.pool)
    async with opened(stage, base, "/live?band=ok") as stream:
        await stream.next("lines")
        await put(stage.pool, "T2", due=2 * HOUR)
        await stream.next("lines")
        async with transaction(stage.pool) as db:
            said = await db.fetch("select who, act, detail from audit where act = 'look'")

    assert [tuple(row) for row in said] == [("anna", "look", {"filter": "band=ok", "live": 1})]


async def test_a_page_that_is_shown_again_is_the_same_look_for_a_quarter_of_an_hour(stage, base):
    await put(stage.pool)
    counts = []
    async with board.signed_in(stage, base) as browser:
        for minutes in (0, 14, 2):
            stage.clock.now += minutes * MINUTE
            async with listening(browser, "/live?band=ok") as stream:
                await stream.next("lines")
            async with transaction(stage.pool) as db:
                counts.append(await db.fetchval("select count(*) from audit where act = 'look'"))

    assert counts == [1, 1, 2]


async def test_whoever_comes_back_is_told_what_changed_since(stage, base):
    await put(stage.pool)
    async with board.signed_in(stage, base) as browser, listening(browser) as stream:
        first = await stream.next("lines")
        async with listening(browser) as other:  # the view is shown on, or it is forgotten
            await other.next("lines")
            await put(stage.pool, "T2", due=2 * HOUR)
            second = await stream.next("lines")
            async with listening(browser, **{"Last-Event-ID": first.id}) as back:
                again = await back.next("lines", "reload")
            async with listening(browser, **{"Last-Event-ID": "long-ago"}) as back:
                lost = await back.next("lines", "reload")
            async with listening(browser, f"/live?seen={second.id}") as back:
                await put(stage.pool, "T3", due=3 * HOUR)
                new = await back.next("lines", "reload")

    assert (again.name, again.id, again.keys) == ("lines", second.id, ({"mk/T2"}, set()))
    assert (lost.name, lost.id) == ("reload", second.id)
    assert (new.name, new.keys) == ("lines", ({"mk/T3"}, set()))


async def test_a_page_that_shows_what_is_so_is_told_nothing_of_it(stage, base):
    await put(stage.pool)
    async with transaction(stage.pool) as db:
        seen = shown.version(await stored.lines(db, Sought(), NOW, 50))
    async with opened(stage, base, f"/live?seen={seen}") as stream:
        await stream.next("counts")
        await put(stage.pool, "T2", due=2 * HOUR)
        told = await stream.next("lines", "reload")

    assert told.keys == ({"mk/T2"}, set())


async def test_nobody_is_told_of_an_account_that_is_not_theirs(stage, base):
    await put(stage.pool, "T1", "other")
    await put(stage.pool, "T2", "other")
    mine = board.signed_in(stage, base, accounts=frozenset({"mk"}), name="bo")
    async with mine as browser, listening(browser) as stream:
        seen = [await stream.next("counts")]
        await put(stage.pool, "T3", "other", due=2 * HOUR)
        await end(stage.pool, "T1", "other")
        await put(stage.pool, "T4", "mk", due=3 * HOUR)
        seen.append(await stream.next("lines", "reload"))
        seen.append(await stream.next("counts"))
        async with listening(browser, "/live?account=other") as asked:
            assert sum(int(n) for _, n in COUNT.findall((await asked.next("counts")).text)) == 2
        async with browser.session.get(f"{base}/live?account=other&thread=T1") as answer:
            assert answer.status == 403

    assert all("other" not in one.text for one in seen)
    assert seen[1].keys == ({"mk/T4"}, set())
    assert dict(COUNT.findall(seen[0].text))["band:ok"] == "0"
    assert dict(COUNT.findall(seen[2].text))["band:ok"] == "1"


async def test_a_threads_page_is_told_of_its_thread_alone(stage, base):
    await put(stage.pool)
    async with board.signed_in(stage, base) as browser:
        async with listening(browser, THREAD) as stream:
            assert (await stream.next("thread")).id  # it changed just before
            await put(stage.pool, "T2")
            await end(stage.pool)
            assert (await stream.next("thread")).text == "changed"
            stage.changes.tell(ANYTHING)
            assert await stream.next("thread")
        back = {"Last-Event-ID": "1"}
        async with listening(browser, "/live?account=mk&thread=T9", **back) as stream:
            assert await stream.next("thread")


async def test_a_wall_is_loaded_anew_when_it_changes(stage, base):
    await put(stage.pool)
    async with transaction(stage.pool) as db:
        seen = shown.version(await stored.lines(db, Sought(), NOW, 8))
    async with opened(stage, base, f"/live?view=wall&seen={seen}") as stream:
        await stream.next("counts")
        await put(stage.pool, "T2")
        told = await stream.next("lines", "reload")

    assert (told.name, told.text) == ("reload", "")


async def test_a_line_leaves_the_view_of_a_band_when_time_passes(stage, base):
    await put(stage.pool, due=HOUR, steps=[NOW + MINUTE / 60, NOW + HOUR])
    async with opened(stage, base, "/live?band=ok") as stream:
        assert (await stream.next("lines")).keys == ({"mk/T1"}, set())
        stage.clock.now += 2 * MINUTE
        assert (await stream.next("lines")).keys == (set(), {"mk/T1"})


@pytest.mark.parametrize("query", ["bnad=ok", "band=late", "after=x"])
async def test_an_address_that_says_no_view_is_a_clear_fault(stage, base, query):
    async with board.signed_in(stage, base) as browser:
        seen = await browser.get(f"/live?{query}")

    assert seen.status in (400, 422)


@pytest.fixture
def quick(monkeypatch):
    """Who listens is asked for again in a moment."""
    monkeypatch.setattr(live, "KEEP_ALIVE", 0.05)


@pytest.mark.parametrize(
    "change",
    [
        "update session set ended_at = now(), end_reason = 'ended'",
        "update person set role = 'lead'",
        "update person set accounts = '{other}'",
    ],
)
async def test_who_is_no_more_who_they_were_is_told_no_more(stage, base, quick, change):
    async with board.signed_in(stage, base) as browser, listening(browser) as stream:
        await stream.next("counts")
        async with transaction(stage.pool) as db:
            await db.execute(change)
        assert await stream.next("reload")
        assert await stream.ended()


async def test_streams_end_when_the_board_does(stage, address):
    async with AsyncExitStack() as kept, hearing(stage, address):
        async with board.served(stage) as base:
            browser = await kept.enter_async_context(board.signed_in(stage, base))
            queue = await kept.enter_async_context(listening(browser))
            thread = await kept.enter_async_context(listening(browser, THREAD))
            await queue.next("counts")
        assert await queue.ended()
        assert await thread.ended()


async def test_after_the_database_was_killed_a_board_is_right_again_by_itself(stage, address):
    async with board.served(stage) as base, board.signed_in(stage, base) as browser:
        await put(stage.pool)
        async with listening(browser) as queue, listening(browser, THREAD) as thread:
            assert (await queue.next("lines")).keys == ({"mk/T1"}, set())
            async with connected(address) as db:
                await db.execute(KILL)
            stage.pool = await open_pool(address)
            await put(stage.pool, "T2", due=2 * HOUR)  # while nobody listens
            async with hearing(stage, address):
                assert (await queue.next("lines", "reload")).keys == ({"mk/T2"}, set())
                assert await thread.next("thread")
        await stage.pool.close()


@asynccontextmanager
async def connected(address):
    connection = await connect(address)
    yield connection
    await connection.close()


def test_who_is_too_slow_is_told_to_begin_anew():
    client = Client()
    for n in range(3 * MOST):
        client.push(event("lines", str(n)))

    assert asyncio.run(client.next(1)).startswith(RELOAD)


async def test_who_is_too_slow_is_told_once_and_then_what_comes():
    client = Client()
    for n in range(MOST + 1):
        client.push(event("lines", str(n)))
    client.push(event("lines", "last"))
    client.end()

    assert await client.next(1) == RELOAD + event("lines", "last")
    assert client.is_over
    assert await client.next(1) == b""


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        ("", [""]),
        ("a\nb", ["a", "b"]),
        ("a\r\nb\rc", ["a", "b", "c"]),
        ("a\n\nevent: x\u2028y", ["a", "", "event: x\u2028y"]),
    ],
)
def test_no_text_is_taken_for_an_event_of_its_own(data, lines):
    assert event("lines", data, "7").decode() == "\n".join(
        ["event: lines", *(f"data: {line}" for line in lines), "id: 7", "", ""]
    )
