from __future__ import annotations

from datetime import UTC, datetime

import aiohttp
import pytest

from core.configuration.sections import Web
from core.loops import Pulse
from core.metrics import Metrics
from core.store import mutes
from core.web import app, count, front, ops
from tests.core import pages, seeds

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def watched():
    return ops.Watched(Metrics(), Pulse(), lambda: NOW)


@pytest.fixture
async def page(pool, watched):
    rules = seeds.rules(accounts=("mk", "<b>"))
    showing = front.application(front.Front(watched, lambda: rules, lambda: "http://ops.example"))
    listener = Web(listen="127.0.0.1:0")
    async with (
        app.served("web", listener, showing) as served,
        aiohttp.ClientSession() as session,
    ):

        async def page(path="/", *, reached=True):
            watched.pool = pool if reached else None
            async with session.get(served + path) as answer:
                return answer.status, await answer.text(), answer.headers

        yield page


async def test_a_person_sees_how_each_account_is_and_where_to_look(page, pool):
    await pages.monitored(pool, NOW)

    status, text, headers = await page()

    assert status == 200
    assert "Ready." in text
    assert "Empik PL" in text
    assert "http://ops.example/metrics" in text
    assert "default-src 'none'" in headers["Content-Security-Policy"]


async def test_a_person_sees_as_of_when_the_clocks_were_counted(page, pool, watched, monkeypatch):
    monkeypatch.setattr(count, "PATIENCE", 0.0)
    await pages.monitored(pool, NOW)
    _, text, _ = await page()
    assert "Running clocks are just counted." in text
    assert "<td>empik</td><td>-</td><td>-</td><td>-</td><td>-</td><td>-</td>" in text

    await watched.count.once(pool, NOW)

    _, text, _ = await page()
    assert "Running clocks as of 2026-11-21 12:00:00 UTC." in text
    assert "<td>empik</td><td>0</td><td>0</td><td>0</td><td>0</td><td>-</td>" in text


async def test_a_page_without_database_says_so(page):
    status, text, _ = await page(reached=False)

    assert status == 503
    assert "database: not reached yet" in text


async def test_there_is_one_page_only(page):
    assert (await page("/livez"))[0] == 404


async def test_a_person_sees_what_is_muted(page, pool):
    await pages.monitored(pool, NOW)
    async with pool.acquire() as db:
        assert "Muted" not in (await page())[1]
        end = await db.fetchval("select now() + interval '1 hour'")
        await mutes.put(db, "account", "mk", end, "mara", "<their API is down>")

    _, text, _ = await page()

    said = f"account mk until {end:%Y-%m-%d %H:%M:%S} UTC"
    assert f"<p>Muted, while its clocks run on: {said}.</p>" in text
    assert "down" not in text
