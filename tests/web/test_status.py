"""How the accounts are, for who may look: nothing of buyers, and nothing of other accounts."""

from __future__ import annotations

import pytest

from core.access import Role
from core.store import mutes
from core.web import count
from tests.core import pages
from tests.web import board


@pytest.fixture
def stage(pool, monkeypatch):
    monkeypatch.setattr(count, "PATIENCE", 0.0)
    return board.Stage(pool)


async def test_a_person_sees_how_each_account_is(stage, base, pool):
    await pages.monitored(pool, board.NOW)
    async with board.signed_in(stage, base, Role.VIEWER) as browser:
        seen = await browser.get("/status")

    assert seen.status == 200
    assert "Ready." in seen.text
    assert "Empik PL" in seen.text
    assert "script-src 'self'" in seen.headers["Content-Security-Policy"]


async def test_a_person_sees_their_own_accounts_only(stage, base, pool):
    await pages.monitored(pool, board.NOW)
    async with pool.acquire() as db:
        end = await db.fetchval("select now() + interval '1 hour'")
        await mutes.put(db, "account", "mk", end, "mara", "<their API is down>")
        await mutes.put(db, "account", "other", end, "mara", None)
    async with board.signed_in(stage, base, Role.VIEWER, {"other"}) as browser:
        text = (await browser.get("/status")).text

    assert text.count('<tr><th scope="row">') == 1
    assert "account other" in text
    assert "account mk" not in text
    assert "down" not in text


async def test_a_page_without_database_says_so_and_is_no_500(stage, base):
    async with board.signed_in(stage, base) as browser:
        stage.pool = None
        seen = await browser.get("/status")
        door = await browser.get("/sign-in", headers={"Cookie": ""})

    assert (seen.status, seen.headers["Retry-After"]) == (503, "5")
    assert "database does not answer" in seen.text
    assert door.status == 503


async def test_the_board_has_nothing_of_the_other_listener_and_that_nothing_of_it(stage, base):
    async with board.signed_in(stage, base, Role.ADMIN) as browser:
        for path in ("/metrics", "/livez", "/readyz"):
            assert (await browser.get(path)).status == 404
    async with board.watched(stage) as machines, board.browsing(machines) as browser:
        assert (await browser.get("/livez")).status == 200
        for path in ("/", "/status", "/sign-in", "/people", "/audit", "/me", "/enter/x"):
            assert (await browser.get(path)).status == 404
