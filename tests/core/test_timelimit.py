from __future__ import annotations

import asyncio

import pytest

from core.timelimit import TimeLimit


async def work(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


async def test_what_comes_in_time_comes_as_it_is():
    assert await TimeLimit(1.0).of(work(0)) == "done"


async def test_a_failure_comes_as_it_is():
    async def broken() -> None:
        raise KeyError("its own")

    with pytest.raises(KeyError):
        await TimeLimit(1.0).of(broken())


async def test_each_is_late_at_its_own_time():
    loop, limit = asyncio.get_running_loop(), TimeLimit(0.2)

    async def took(wait: float, seconds: float) -> tuple[object, float]:
        await asyncio.sleep(wait)
        began = loop.time()
        (said,) = await asyncio.gather(limit.of(work(seconds)), return_exceptions=True)
        return said, loop.time() - began

    early, quick, late = await asyncio.gather(took(0, 5), took(0.05, 0.01), took(0.1, 5))

    assert isinstance(early[0], TimeoutError)
    assert quick[0] == "done"
    assert isinstance(late[0], TimeoutError)
    assert min(early[1], late[1]) >= 0.19


async def test_it_counts_anew_after_all_have_ended():
    limit = TimeLimit(0.05)
    assert await limit.of(work(0)) == "done"
    await asyncio.sleep(0.1)
    with pytest.raises(TimeoutError):
        await limit.of(work(5))


async def test_what_ends_late_and_slowly_is_cut_once():
    async def stubborn() -> None:
        try:
            await asyncio.sleep(5)
        finally:
            await asyncio.sleep(0.15)

    limit = TimeLimit(0.05)
    ends = await asyncio.gather(limit.of(stubborn()), limit.of(stubborn()), return_exceptions=True)
    assert [type(end) for end in ends] == [TimeoutError, TimeoutError]


async def test_who_is_cancelled_from_outside_is_cancelled():
    task = asyncio.create_task(TimeLimit(5.0).of(work(5)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_one_timer_is_enough_for_all():
    loop, limit = asyncio.get_running_loop(), TimeLimit(5.0)
    made: list[float] = []
    call_at = loop.call_at
    loop.call_at = lambda when, *rest, **named: made.append(when) or call_at(when, *rest, **named)

    await asyncio.gather(*(limit.of(asyncio.sleep(0)) for _ in range(20)))

    assert len(made) == 1
