from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from core import loops, poll
from core.loops import Bell, Pulse
from core.metrics import Metrics
from core.running.lookout import LONGEST, Lookout
from core.running.rounds import Rounds
from core.running.state import State
from core.running.worker import Worker
from core.store import wake
from core.web.ops import Watched
from tests.core import asked, seeds

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def bell():
    return Bell()


@pytest.fixture
def lookout(bell):
    return Lookout(bell)


def test_at_the_start_one_slot_looks_and_the_others_do_not(lookout):
    assert [lookout.is_on(NOW) for _ in range(4)] == [True, False, False, False]


def test_who_found_nothing_looks_next(lookout):
    lookout.is_on(NOW)

    assert lookout.ends(NOW, NOW + 2 * SECOND) == NOW + 2 * SECOND
    assert not lookout.is_on(NOW + SECOND)
    assert lookout.is_on(NOW + 2 * SECOND)
    assert not lookout.is_on(NOW + 2 * SECOND)


def test_somebody_looks_every_few_seconds_whatever_is_due(lookout):
    lookout.is_on(NOW)

    assert lookout.ends(NOW, NOW + timedelta(hours=1)) == NOW + LONGEST
    assert lookout.is_on(NOW + LONGEST)


def test_a_clock_that_goes_back_keeps_nobody_from_looking(lookout):
    lookout.is_on(NOW)
    lookout.ends(NOW, NOW + 2 * SECOND)

    before = NOW - timedelta(hours=1)
    assert [lookout.is_on(before) for _ in range(3)] == [True, False, False]


def test_a_ring_of_the_bell_makes_one_of_them_look_at_once(lookout, bell):
    lookout.is_on(NOW)
    lookout.ends(NOW, NOW + 4 * SECOND)

    bell.set()

    assert [lookout.is_on(NOW + SECOND) for _ in range(3)] == [True, False, False]


def test_while_one_reads_what_it_found_another_looks_on(lookout, bell):
    lookout.is_on(NOW)
    bell.set()  # as whoever claimed something does

    assert lookout.is_on(NOW)
    assert lookout.ends(NOW, NOW + 3 * SECOND) == NOW + 3 * SECOND
    assert lookout.ends(NOW + SECOND, NOW + SECOND) == NOW + SECOND
    assert lookout.is_on(NOW + SECOND)


def test_what_a_later_look_says_puts_off_no_earlier_one(lookout, bell):
    lookout.is_on(NOW)
    bell.set()
    lookout.is_on(NOW)
    lookout.ends(NOW, NOW + 2 * SECOND)
    lookout.ends(NOW, NOW + 4 * SECOND)

    assert lookout.is_on(NOW + 2 * SECOND)


def test_after_a_look_that_broke_off_whoever_turns_next_looks(lookout):
    lookout.is_on(NOW)
    lookout.fails()

    assert [lookout.is_on(NOW) for _ in range(2)] == [True, False]


def test_whoever_is_woken_too_early_knows_when_to_look(lookout):
    """The clock went back an hour while one looked, and both have been rung for."""
    hour = timedelta(hours=1)
    lookout.is_on(NOW + hour)
    lookout.fails()  # a ring: the other looks too
    assert lookout.is_on(NOW + hour)
    assert lookout.next_turn is None
    lookout.ends(NOW + hour, NOW + hour + SECOND)
    lookout.ends(NOW, NOW + hour)

    assert not lookout.is_on(NOW)
    assert lookout.next_turn == NOW + LONGEST


async def test_all_slots_hear_the_bell(bell, lookout):
    ears = [bell.ear() for _ in range(4)]

    bell.set()

    async with asyncio.timeout(1):
        await asyncio.gather(*(ear.wait() for ear in ears))


async def test_slots_that_rest_ask_the_database_once(address):
    worker = Worker(address, {}, Metrics())
    await worker.register()
    async with asked.remembering(address) as (pool, said):
        watched = Watched(Metrics(), Pulse(), lambda: NOW, pool=pool)
        state = State(None, watched.metrics, watched.pulse, watched, rules=seeds.rules())
        state.worker = worker
        rounds = Rounds(state, {name: Bell() for name in wake.LOOPS})
        stop = asyncio.Event()

        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                slot = loops.every("poll", rounds.poll, stop, tick=60, gate=rounds.lookout)
                group.create_task(slot)
            await asyncio.sleep(0.3)
            stop.set()

        assert len(said) == 2  # what to claim; when something is due
        await worker.leave(pool)


async def test_whoever_finds_something_says_so_before_it_reads(pool):
    said: list[int] = []
    slots = poll.Slots(claimed=lambda: said.append(1))
    assert await slots.claim(pool, 7, 4) == []
    assert said == []
    async with pool.acquire() as db:
        await seeds.put_account(db, NOW)
        await seeds.put_stream(db, NOW)
        await db.execute("update stream set next_due = now()")

    assert len(await slots.claim(pool, 7, 4)) == 1
    assert said == [1]
