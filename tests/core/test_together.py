from __future__ import annotations

import asyncio

import pytest

from core.together import in_turn


class Works:
    """Works that note when they begin and end; *slow* ones end when they are let go."""

    def __init__(self):
        self.noted, self.go = [], asyncio.Event()

    async def quick(self, name):
        self.noted.append(f"{name} begins")
        await asyncio.sleep(0)
        self.noted.append(f"{name} ends")
        return name

    async def slow(self, name):
        self.noted.append(f"{name} begins")
        try:
            await self.go.wait()
        finally:
            self.noted.append(f"{name} ends")
        return name

    async def fails(self):
        raise ValueError("it failed")


async def test_what_is_quick_goes_one_after_the_other():
    works = Works()

    done = await in_turn((works.quick(name) for name in "AB"), 5)

    assert done == ["A", "B"]
    assert works.noted == ["A begins", "A ends", "B begins", "B ends"]


async def test_the_next_waits_for_a_slow_one_with_patience_and_no_longer():
    works = Works()
    going = asyncio.create_task(in_turn((w for w in (works.slow("A"), works.quick("B"))), 0.05))
    await asyncio.sleep(0.03)
    assert works.noted == ["A begins"]

    await asyncio.sleep(0.1)
    assert works.noted == ["A begins", "B begins", "B ends"]
    works.go.set()

    assert await going == ["A", "B"]


async def test_after_a_failure_none_begins():
    works = Works()

    with pytest.raises(ValueError, match="it failed"):
        await in_turn((make() for make in (works.fails, lambda: works.quick("B"))), 5)

    assert works.noted == []


async def test_when_cancelled_none_is_left_behind():
    works = Works()
    going = asyncio.create_task(in_turn((works.slow(name) for name in "AB"), 0.01))
    await asyncio.sleep(0.05)

    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going

    assert sorted(works.noted) == ["A begins", "A ends", "B begins", "B ends"]
