from __future__ import annotations

import asyncio

import pytest

from core.errors import StoreUnavailable
from core.loops import Bell
from core.metrics import Metrics
from core.running.worker import Worker
from core.store import streams, transaction, wake
from tests.core import asked, seeds
from tests.core.seeds import SECOND


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
async def worker(address, pool, metrics):
    worker = Worker(address, {name: Bell() for name in wake.LOOPS}, metrics)
    yield worker
    await worker.leave(pool)


async def lease(pool, now, holder):
    async with transaction(pool) as db:
        await seeds.put_account(db, now)
        await seeds.put_stream(db, now)
        await db.execute("update stream set next_due = now()")
        return await streams.claim(db, holder, 1, 60 * SECOND)


def test_a_worker_without_its_lock_has_no_number(metrics):
    with pytest.raises(StoreUnavailable, match="not registered"):
        _ = Worker({}, {}, metrics).id


async def test_a_round_registers_and_keeps_the_number(worker, pool, now):
    again = await worker.once(pool, now)
    number = worker.id
    await worker.once(pool, now)

    assert worker.id == number
    assert again == now + 5 * SECOND


async def test_a_round_without_news_is_one_statement(worker, address, now):
    async with asked.remembering(address) as (pool, said):
        await worker.once(pool, now)
        await worker.once(pool, now)

    assert len(said) == 2


async def test_workers_look_at_each_other_as_soon_as_there_are_two(
    worker, address, pool, now, metrics
):
    await worker.once(pool, now)
    ear = worker._bells["worker"].ear()
    other = Worker(address, {}, metrics)
    await other.register()

    await asyncio.wait_for(ear.wait(), 5)
    assert await worker.once(pool, now) == now + SECOND / 2

    await other.leave(pool)
    assert await worker.once(pool, now) == now + 5 * SECOND


async def test_who_died_is_looked_at_until_its_leases_are_free(worker, address, pool, now, metrics):
    dead = Worker(address, {}, metrics)
    await dead.register()
    await lease(pool, now, dead.id)
    async with transaction(pool) as stopped:
        await stopped.execute("select from stream for no key update")
        dead._connection.terminate()
        assert await worker.once(pool, now) == now + SECOND / 2
    async with asyncio.timeout(5):
        while await worker.once(pool, now) != now + 5 * SECOND:
            pass

    assert await pool.fetchval("select holder from stream") is None


async def test_the_leases_of_the_dead_are_freed_told_and_counted(
    worker, address, pool, now, metrics
):
    dead = Worker(address, {}, metrics)
    await dead.register()
    await lease(pool, now, dead.id)
    ear = worker._bells["poll"].ear()
    await worker.register()
    ear.clear()
    dead._connection.terminate()

    async with asyncio.timeout(5):
        while not metrics.registry.get_sample_value("replyby_leases_taken_over_total"):
            await worker.once(pool, now)
        await ear.wait()

    assert await pool.fetchval("select holder from stream") is None


async def test_a_lost_connection_takes_the_number_and_a_round_brings_another(worker, pool, now):
    await worker.register()
    first = worker.id
    ear, lost = worker._bells["watch"].ear(), worker._bells["worker"].ear()
    await pool.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where application_name = 'replyby worker' and datname = current_database()"
    )
    await asyncio.wait_for(lost.wait(), 5)

    with pytest.raises(StoreUnavailable):
        _ = worker.id
    await worker.once(pool, now)

    assert worker.id != first
    assert ear.is_set()


async def test_who_leaves_hands_its_leases_back(address, pool, now, metrics):
    worker = Worker(address, {}, metrics)
    await worker.register()
    await lease(pool, now, worker.id)

    await worker.leave(pool)

    assert await pool.fetchrow("select holder, leased_until from stream") == (None, None)
    assert await pool.fetchval("select count(*) from worker") == 0


async def test_leaving_a_lost_database_ends(address, pool, metrics):
    worker = Worker(address, {}, metrics)
    await worker.register()
    await pool.close()

    await asyncio.wait_for(worker.leave(pool), 3)


async def test_what_a_clock_that_was_set_back_has_put_off_is_due_again(worker, pool, now):
    await worker.once(pool, now)
    async with transaction(pool) as db:
        await seeds.put_account(db, now)
        await seeds.put_stream(db, now)
        await db.execute("update stream set next_due = now() + interval '1 h', health = 'ok'")
    await worker.once(pool, now)
    assert await pool.fetchval("select next_due > now() + interval '59 min' from stream")

    at, seen = worker._clock
    worker._clock = at + 3600 * SECOND, seen - 5
    await worker.once(pool, now)

    assert await pool.fetchval("select next_due < now() + interval '2 min' from stream")
