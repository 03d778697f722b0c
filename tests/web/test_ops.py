from __future__ import annotations

import asyncio
import gzip
import re
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_open_metrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from core import loops, store
from core.configuration.sections import Ops
from core.errors import SettingsError, StoreImpaired
from core.loops import Pulse
from core.measuring.facts import Names
from core.metrics import Metrics
from core.store import embedded, migrate
from core.web import app, count, ops
from tests.core import seeds

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NAMES = Names(accounts=(("conrad", "conrad-de"),), notifiers=("log",))
ANYWHERE = Ops(listen="127.0.0.1:0")
OPEN_METRICS = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"


@pytest.fixture
def watched():
    metrics = Metrics()
    metrics.declare(NAMES)
    metrics.built("0.1.0", "abc")
    metrics.stock()
    return ops.Watched(metrics, Pulse(), lambda: NOW, names=NAMES)


@pytest.fixture
async def counting(watched, pool):
    """The loop that counts, over a database that is reached."""
    watched.pool, stop = pool, asyncio.Event()
    once = partial(watched.count.once, pool)
    task = asyncio.create_task(loops.every("count", once, stop, wake=watched.count.asked))
    yield watched.count
    stop.set()
    await task


@pytest.fixture
async def served_at(watched):
    async with app.served("ops", ANYWHERE, ops.application(watched)) as address:
        yield address


@pytest.fixture
async def web():
    async with aiohttp.ClientSession(
        auto_decompress=False, skip_auto_headers=["Accept-Encoding"]
    ) as session:
        yield session


@pytest.fixture
async def page(web, served_at):
    async def page(path, **headers):
        async with web.get(served_at + path, headers=headers) as answer:
            return answer.status, await answer.read(), answer.headers

    return page


def counted(body: bytes) -> float:
    of = rb"^replyby_open_clocks_counted_timestamp_seconds (.*)$"
    (at,) = re.findall(of, body, re.MULTILINE)
    return float(at)


async def test_metrics_are_read_in_both_formats(page, counting):
    status, body, headers = await page("/metrics")
    assert (status, headers["Content-Type"].split(";")[0]) == (200, "text/plain")
    text = {f.name for f in parse_text(body.decode())}
    status, body, headers = await page("/metrics", Accept=OPEN_METRICS)
    assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {f.name for f in parse_open_metrics(body.decode())}

    for name in ("replyby_open_clocks", "replyby_polls", "replyby_database_up", "python_info"):
        assert name in text, name
        assert name in families or name.removesuffix("_info") in families, name


async def test_metrics_are_packed_for_who_accepts_it(page):
    _, plain, _ = await page("/metrics")
    _, packed, headers = await page("/metrics", **{"Accept-Encoding": "gzip"})

    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 4


async def test_many_scrapers_cost_one_rendering(page):
    bodies = await asyncio.gather(*(page("/metrics") for _ in range(8)))

    assert len({body for _, body, _ in bodies}) == 1


async def test_a_second_later_the_numbers_are_new(page, watched, monkeypatch):
    monkeypatch.setattr(ops, "FRESH", 0.0)
    await page("/metrics")
    watched.metrics.polls.labels("conrad", "conrad-de", "success").inc()

    _, body, _ = await page("/metrics")

    assert b'outcome="success"} 1.0' in body


async def test_before_the_database_is_reached_we_are_alive_and_not_ready(page):
    assert (await page("/livez"))[:2] == (200, b"alive\n")
    assert (await page("/readyz"))[:2] == (503, b"database: not reached yet\n")
    status, body, _ = await page("/metrics")
    assert status == 200
    assert b"replyby_database_up 0.0\n" in body


async def test_with_the_schema_right_we_are_ready_until_we_stop(page, watched, pool):
    watched.pool = pool
    assert (await page("/readyz"))[:2] == (200, b"ready\n")

    watched.stopping = True

    assert (await page("/readyz"))[:2] == (503, b"stopping\n")


async def test_a_migration_that_is_missing_is_named(page, watched, pool):
    watched.pool = pool
    async with pool.acquire() as db:
        await db.execute("delete from schema_migration where version = 1")

    status, body, _ = await page("/readyz")

    assert (status, body) == (503, b"schema: 0001_initial.sql is not applied\n")


async def test_while_loops_cannot_write_we_are_not_ready_and_alive(page, watched, pool):
    watched.pool = pool
    watched.pulse.broke(StoreImpaired("DiskFullError: No space left on device"), 1.0)

    status, body, _ = await page("/readyz")
    assert (status, (await page("/livez"))[0]) == (503, 200)
    assert body == b"database: store_impaired (DiskFullError: No space left on device)\n"


async def test_a_loop_that_does_not_turn_is_named(page, watched, monkeypatch):
    monkeypatch.setattr(ops, "STUCK_AFTER", 0.01)
    watched.pulse.beat("poll")
    await asyncio.sleep(0.05)

    assert (await page("/livez"))[:2] == (503, b"loop poll does not turn\n")


@pytest.mark.parametrize("path", ["/", "/healthz", "/health", "/metrics/x", "/ready"])
async def test_no_other_path_says_anything(page, path):
    status, _, _ = await page(path)

    assert status == 404


async def test_answers_carry_careful_headers(page):
    _, _, headers = await page("/livez")

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("name", "variable"), [("ops", "REPLYBY_OPS__LISTEN"), ("push", "REPLYBY_PUSH__LISTEN")]
)
async def test_a_taken_address_is_told_as_a_setting(served_at, watched, name, variable):
    taken = Ops(listen=served_at.removeprefix("http://"))
    told = rf"^{name}.listen: .* cannot be listened at .*; choose a free address .*{variable}$"

    with pytest.raises(SettingsError, match=told):
        async with app.served(name, taken, ops.application(watched)):
            pass


@pytest.mark.parametrize("host", ["a..b", "x" * 70])
async def test_an_address_that_cannot_be_is_told_as_a_setting(watched, host):
    with pytest.raises(SettingsError, match=r"^web.listen: .* cannot be listened at"):
        async with app.served("web", Ops(listen=f"{host}:0"), ops.application(watched)):
            pass


async def test_clocks_are_counted_at_the_scrape_while_that_is_quick(page, counting, pool):
    before = loops.utcnow().timestamp()
    _, body, _ = await page("/metrics")
    first = counted(body)
    assert first >= before
    assert b'replyby_open_clocks{marketplace="conrad",account="conrad-de",band="ok"} 0.0' in body

    async with pool.acquire() as db:
        await seeds.put_account(db, NOW, "conrad-de")
        await seeds.put_thread(db, NOW, account="conrad-de")
        await seeds.put_clock(db, loops.utcnow() + timedelta(hours=9), account="conrad-de")
    await asyncio.sleep(ops.FRESH)
    _, body, _ = await page("/metrics")

    assert counted(body) > first
    assert b'replyby_open_clocks{marketplace="conrad",account="conrad-de",band="ok"} 1.0' in body


async def test_a_count_that_takes_long_is_no_database_that_is_away(
    page, counting, pool, monkeypatch
):
    monkeypatch.setattr(ops, "FRESH", 0.0)
    monkeypatch.setattr(count, "PATIENCE", 0.1)
    first = counted((await page("/metrics"))[1])
    await asyncio.sleep(0.5)
    async with pool.acquire() as db, db.transaction():
        await db.execute("lock table clock in access exclusive mode")
        began = time.monotonic()
        bodies = [(await page("/metrics"))[1] for _ in range(3)]
        took = time.monotonic() - began

    for body in bodies:
        assert b"replyby_database_up 1.0\n" in body
        assert counted(body) == first
        assert b'account="conrad-de",band="ok"} 0.0' in body
    assert took < ops.QUERY_LIMIT


async def test_a_database_that_hangs_costs_two_seconds_and_no_scrape(page, watched, pool):
    watched.pool = pool
    async with pool.acquire() as db, db.transaction():
        await db.execute("lock table stream, schema_migration in access exclusive mode")
        began = time.monotonic()
        (status, body, _), ready = await asyncio.gather(page("/metrics"), page("/readyz"))
        took = time.monotonic() - began

    assert status == 200
    assert b"replyby_database_up 0.0\n" in body
    assert b"replyby_polls_total" in body
    assert ready[:2] == (503, b"database: no answer\n")
    assert 1.9 < took < 4


@pytest.mark.serial
async def test_whatever_the_database_says_a_scrape_is_answered(page, watched, pool):
    watched.pool = pool
    await pool.execute("drop table stream cascade")

    status, body, _ = await page("/metrics")

    assert (status, b"replyby_database_up 0.0" in body) == (200, True)


async def test_a_killed_database_is_told_and_its_return_too(page, watched, place, monkeypatch):
    monkeypatch.setattr(ops, "FRESH", 0.0)
    async with embedded.own(place / "var", elsewhere=place / "lib") as server:
        pool = await store.open_pool(server.address)
        watched.pool = pool
        async with pool.acquire() as db:
            await migrate.apply(db)
        assert (await page("/readyz"))[0] == 200

        await server.stop()
        assert (await page("/readyz"))[0] == 503
        assert b"replyby_database_up 0.0\n" in (await page("/metrics"))[1]
        assert (await page("/livez"))[0] == 200

        await server.start()
        assert (await page("/readyz"))[:2] == (200, b"ready\n")
        assert b"replyby_database_up 1.0\n" in (await page("/metrics"))[1]
        await pool.close()
