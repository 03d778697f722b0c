from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from core import store
from core.errors import StoreUnavailable
from core.measuring.facts import Counted
from core.web import count
from core.web.count import Count
from tests.core import seeds

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


class Turning:
    """A count whose loop the test turns by hand."""

    def __init__(self, pool: store.Pool) -> None:
        self.count = Count()
        self._pool = pool

    async def looked(self, now: datetime = NOW) -> Counted:
        """What somebody sees who looks while the loop turns."""
        looking = asyncio.create_task(self.count.latest())
        await asyncio.sleep(0)
        if self.count.asked.is_set():
            self.count.asked.clear()
            await self.count.once(self._pool, now)
        return await looking


@pytest.fixture
async def turning(pool):
    async with pool.acquire() as db:
        await seeds.put_account(db, NOW)
        await seeds.put_thread(db, NOW)
    return Turning(pool)


def test_who_looks_waits_for_a_quick_count_only():
    assert count.patience(0.0) == count.patience(count.PATIENCE) == count.PATIENCE
    assert count.patience(count.PATIENCE * 1.01) == 0


async def test_nothing_is_counted_while_nobody_looks(turning, pool):
    await turning.count.once(pool, NOW)

    assert not turning.count.asked.is_set()
    assert turning.count._last == Counted()


async def test_who_looks_sees_the_clocks_as_they_are(turning, pool):
    assert (await turning.looked()).clocks == {}
    async with pool.acquire() as db:
        await seeds.put_clock(db, NOW + timedelta(hours=9))
    await asyncio.sleep(0.5)

    found = await turning.looked(LATER)

    assert found.at == LATER.timestamp()
    assert found.clocks["mk"].bands == (1, 0, 0, 0)


async def test_a_count_rests_nine_times_as_long_as_it_took(turning, pool, monkeypatch):
    monkeypatch.setattr(count, "PATIENCE", 0.05)
    async with pool.acquire() as db, db.transaction():
        await db.execute("lock table clock in access exclusive mode")
        looking = asyncio.create_task(turning.looked())
        await asyncio.sleep(0.2)
    assert (await looking).at == 0
    counted, began = await turning.count.latest(), time.monotonic()

    while not turning.count.asked.is_set():
        assert await turning.count.latest() == counted
        await asyncio.sleep(0.05)

    assert counted.at == NOW.timestamp()
    assert 1.5 < time.monotonic() - began < 6


async def test_many_who_look_cost_one_count(turning, pool):
    looking = [asyncio.create_task(turning.count.latest()) for _ in range(8)]
    await asyncio.sleep(0)
    await turning.count.once(pool, NOW)

    assert {found.at for found in await asyncio.gather(*looking)} == {NOW.timestamp()}
    assert turning.count._coming is None


async def test_a_count_that_failed_leaves_the_last_one_standing_with_its_instant(turning, address):
    await turning.looked()
    await asyncio.sleep(0.5)
    gone = await store.open_pool(address, size=1)
    await gone.close()

    looking = asyncio.create_task(turning.count.latest())
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable):
        await turning.count.once(gone, LATER)

    assert (await looking).at == NOW.timestamp()


async def test_who_looks_while_nobody_counts_waits_a_moment_and_no_longer(turning, monkeypatch):
    monkeypatch.setattr(count, "PATIENCE", 0.05)
    began = time.monotonic()

    assert await turning.count.latest() == Counted()

    assert 0.04 < time.monotonic() - began < 0.5
