"""What shows that something hangs: the loops' last rounds, walks under way, slow statements."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import isnan
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from core import labels, loops, store
from core.errors import StoreUnavailable
from core.loops import Pulse
from core.measuring.inflight import InFlight
from core.metrics import Metrics
from core.running import redating, timing
from core.store import tally

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def value(metrics):
    def read(name, **of):
        return metrics.registry.get_sample_value(f"replyby_{name}", of)

    return read


async def test_a_round_that_ends_well_is_dated():
    stop, pulse, dated = asyncio.Event(), Pulse(), []

    async def once(now):
        dated.append((now.timestamp(), dict(pulse.ended)))
        if len(dated) == 2:
            stop.set()

    await loops.every("poll", once, stop, pulse=pulse, tick=0.01)

    (_, at_first), (second, before) = dated
    assert before["poll"] > at_first["poll"]
    assert second >= before["poll"]
    assert pulse.ended == {}


async def test_a_round_that_hangs_or_fails_leaves_the_last_instant_as_it_was():
    stop, pulse, seen = asyncio.Event(), Pulse(), []

    async def once(now):
        seen.append(pulse.ended["poll"])
        if len(seen) == 2:
            stop.set()
        raise StoreUnavailable("away")

    await loops.every("poll", once, stop, pulse=pulse, tick=0.01)

    assert seen[0] == seen[1] > 0


async def test_one_that_is_not_let_in_says_nothing_of_the_one_that_is():
    """Of several that do the same only one looks: the others' rest may not hide that it hangs."""

    class Closed:
        next_turn = None

        def is_on(self, now):
            stop.set()
            return False

    stop, pulse = asyncio.Event(), Pulse()
    pulse.passed("poll", NOW)

    await loops.every("poll", lambda _: pytest.fail("turned"), stop, pulse=pulse, gate=Closed())

    assert pulse.stuck(0) == []
    assert "poll" not in pulse.turned


def test_of_several_loops_of_a_kind_the_slowest_is_shown(metrics, value):
    metrics.turned({"poll": 30.0, "deliver log": 20.0, "deliver chat": 10.0})

    assert value("loop_last_turn_timestamp_seconds", loop="poll") == 30
    assert value("loop_last_turn_timestamp_seconds", loop="deliver") == 10
    assert isnan(value("loop_last_turn_timestamp_seconds", loop="purge"))


def test_a_loop_that_has_ended_on_purpose_is_not_shown_as_one_that_hangs(metrics, value):
    """A notifier that left the settings has no loop any more; NaN is never too old."""
    metrics.turned({"deliver log": 20.0, "poll": 10.0})
    metrics.turned({"poll": 30.0})

    assert isnan(value("loop_last_turn_timestamp_seconds", loop="deliver"))
    assert value("loop_last_turn_timestamp_seconds", loop="poll") == 30


def test_each_loop_of_the_daemon_has_a_name_of_its_own_among_the_labels():
    text = "".join((ROOT / "core" / "running" / n).read_text() for n in ("crew.py", "rounds.py"))
    named = set(re.findall(r'_loop\(\s*group,\s*f?"(\w+)', text))

    assert named | {redating.LOOP} == set(labels.LOOPS)


def test_walks_under_way_are_shown_with_the_instant_of_the_oldest(metrics, value):
    polling = metrics.polling
    assert isinstance(polling, InFlight)

    def shown():
        return value("polls_in_flight"), value("poll_oldest_started_timestamp_seconds")

    first, second = polling.one(NOW), polling.one(NOW + MINUTE)
    assert shown() == (0, 0)
    with first:
        with second:
            assert shown() == (2, NOW.timestamp())
        assert shown() == (1, NOW.timestamp())
    with suppress(TimeoutError), polling.one(NOW + MINUTE):
        assert shown() == (1, (NOW + MINUTE).timestamp())
        raise TimeoutError
    assert shown() == (0, 0)


async def test_the_time_of_a_statement_counts_under_its_table(address, metrics, value):
    pool = await store.open_pool(address, size=1, told=timing.of_statements(metrics))
    name = "database_query_duration_seconds_count"
    before = value(name, statement="transaction")

    async with store.transaction(pool) as db:
        await db.fetch("select 1")
        await tally.counts(db)
    await asyncio.sleep(0)
    await pool.close()

    assert (before, value(name, statement="transaction")) == (0, 2)
    assert value(name, statement="tally") == 1
    assert value(name, statement="clocks") == 0
    assert value(name, statement="other") >= 1


async def test_a_statement_that_fails_counts_too(address, metrics, value):
    pool = await store.open_pool(address, size=1, told=timing.of_statements(metrics))
    before = value("database_query_duration_seconds_count", statement="other")

    async with pool.acquire() as db:
        with pytest.raises(store.asyncpg.PostgresError):
            await db.fetch("select 1 / 0")
    await asyncio.sleep(0)
    await pool.close()

    assert value("database_query_duration_seconds_count", statement="other") > before


def test_no_text_of_a_statement_is_a_label(metrics):
    told = timing.of_statements(metrics)

    class Said:
        query, elapsed = "select body from message where buyer = 'Zenobia Quill'", 0.1

    told(Said())

    assert "Zenobia" not in generate_latest(metrics.registry).decode()
