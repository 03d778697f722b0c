"""A slot that reads: who takes long holds a place, and holds up nobody."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from core.errors import StoreUnavailable
from core.reading.slots import Slots


@dataclass(frozen=True)
class Lease:
    """As much of a lease as slots look at."""

    stream: str


class Reading:
    """Walks that end when they are told to."""

    def __init__(self):
        self.ends = {}
        self.begun = []
        self.fault = None

    async def __call__(self, lease):
        self.begun.append(lease.stream)
        end = self.ends.get(lease.stream)
        if end is not None:
            await end.wait()
        if self.fault is not None:
            raise self.fault

    def is_slow(self, stream):
        self.ends[stream] = asyncio.Event()
        return self.ends[stream]


async def read(slots, reading, *names):
    leases = [Lease(name) for name in names]
    slots.reading.update(leases)
    await slots.read(leases, reading)


async def test_a_slot_waits_for_all_that_end_in_time():
    slots, reading = Slots(patience=5.0), Reading()
    await read(slots, reading, "A", "B")

    assert reading.begun == ["A", "B"]
    assert slots.reading == set()


async def test_a_slot_does_not_wait_for_who_takes_long():
    rings = []
    slots, reading = Slots(patience=0.05, places=2, claimed=lambda: rings.append(1)), Reading()
    end = reading.is_slow("A")
    await read(slots, reading, "A", "B")
    assert slots.reading == {Lease("A")}
    assert (slots.room(4), rings) == (1, [])

    end.set()
    await asyncio.sleep(0.01)
    assert (slots.room(4), rings) == (2, [1])


async def test_without_a_patience_all_are_read_to_their_end():
    slots, reading = Slots(), Reading()
    end = reading.is_slow("A")
    asyncio.get_running_loop().call_later(0.1, end.set)
    await read(slots, reading, "A", "B")

    assert slots.reading == set()


async def test_the_places_bound_what_is_read_at_once():
    slots, reading = Slots(patience=0.01, places=3), Reading()
    ends = [reading.is_slow(name) for name in "ABC"]
    await read(slots, reading, "A", "B")
    assert slots.room(4) == 1
    await read(slots, reading, "C")
    assert slots.room(4) == 0
    for end in ends:
        end.set()
    await asyncio.sleep(0.01)


@pytest.mark.parametrize("slow", [False, True])
async def test_a_lost_database_is_not_forgotten(slow):
    slots, reading = Slots(patience=0.02), Reading()
    reading.fault = StoreUnavailable("away")
    end = reading.is_slow("A") if slow else None
    if end is None:
        with pytest.raises(StoreUnavailable):
            await read(slots, reading, "A")
    else:
        await read(slots, reading, "A")
        assert not slots.forgot
        end.set()
        await asyncio.sleep(0.01)

    assert (slots.forgot, slots.reading) == (True, set())


async def test_what_a_walk_broke_off_by_that_nobody_waited_for_is_told_once(pool):
    """Else nobody would wait it out: the stream would be due, and read, again at once."""
    slots, reading = Slots(patience=0.01), Reading()
    end = reading.is_slow("A")
    await read(slots, reading, "A")
    reading.fault = StoreUnavailable("the disk is full")
    end.set()
    await asyncio.sleep(0.05)

    with pytest.raises(StoreUnavailable, match="full"):
        await slots.claim(pool, 1, 4)
    assert await slots.claim(pool, 1, 4) == []


async def test_the_others_go_on_where_one_loses_the_database():
    slots, reading = Slots(patience=0.02), Reading()
    end = reading.is_slow("A")
    await read(slots, reading, "A")
    reading.fault = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable):
        await read(slots, reading, "B")
    assert slots.reading == {Lease("A")}
    reading.fault = None
    end.set()
    await asyncio.sleep(0.01)
    assert slots.reading == set()


async def test_what_nobody_expected_comes_out():
    slots, reading = Slots(patience=1.0), Reading()
    reading.fault = KeyError("a bug")
    with pytest.raises(KeyError):
        await read(slots, reading, "A")
    assert slots.reading == set()


async def test_who_stops_a_slot_stops_what_it_waits_for():
    slots, reading = Slots(patience=5.0), Reading()
    reading.is_slow("A")
    slot = asyncio.create_task(read(slots, reading, "A"))
    await asyncio.sleep(0.01)
    slot.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slot

    assert slots.reading == set()
    assert len(asyncio.all_tasks()) == 1
