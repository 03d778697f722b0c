"""Of a thread that a page opens nothing is read back: its rows are those of a recomputation."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone

import pytest

from core import ingest
from core.store import transaction
from sla.clock import Given, Kind
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, mark, seller, stored, thread

PARIS = timezone(2 * HOUR)
DAY = 24 * HOUR
PROMISES = {
    "mk": (
        seeds.policy("reply-24h"),
        seeds.policy("window", counts_from="latest", reply_within=2 * HOUR),
        seeds.policy("ours", role="goal", reply_within=4 * HOUR),
    )
}


@pytest.fixture
def rules():
    return seeds.rules(policies=PROMISES)


@pytest.fixture
async def pool(pool, now):
    await pages.monitored(pool, now - 30 * DAY)
    return pool


async def agrees(pool, rules, now, *threads):
    """Recompute from what is stored; nothing is to be changed by that."""
    before = await pages.rows(pool, "clock"), await pages.rows(pool, "clock_entry")
    async with transaction(pool) as db:
        await ingest.recompute(db, rules, "mk", threads, now)
    assert (await pages.rows(pool, "clock"), await pages.rows(pool, "clock_entry")) == before
    return before[0]


async def test_a_page_of_new_threads_gives_the_clocks_of_what_it_stored(pool, rules, now):
    await stored(
        pool, now,
        thread("T1", as_of=now), buyer("M1", now - HOUR), seller("M2", now - MINUTE),
        thread("T2", as_of=now, incomplete=True), seller("M3", now - HOUR, "T2"),
        thread("T3", as_of=now), buyer("M4", now + HOUR, "T3"), buyer("M5", None, "T3"),
        thread("T4", as_of=now), buyer("M6", datetime.max.replace(tzinfo=UTC), "T4"),
        thread("T5", as_of=now), buyer("M7", now - DAY, "T5"), mark("M8", now, "T5"),
        thread("T6", as_of=now),
        of=rules,
    )  # fmt: skip

    rows = await agrees(pool, rules, now, "T1", "T2", "T3", "T4", "T5", "T6")
    assert {row["thread"] for row in rows} == {"T1", "T3", "T4", "T5"}


async def test_an_instant_of_another_zone_is_stored_and_told_as_any(pool, rules, now):
    sent = (now - HOUR).astimezone(PARIS)

    done = await stored(pool, now, thread(as_of=now), buyer("M1", sent), of=rules)

    assert done.received == 1
    assert (await agrees(pool, rules, now, "T1"))[0]["started_at"] == sent


@pytest.mark.parametrize("ends", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
async def test_an_instant_that_no_other_zone_can_name_costs_no_neighbour(pool, rules, now, ends):
    odd = datetime.fromisoformat(ends)

    done = await stored(
        pool, now, thread(as_of=now), buyer("M1", odd), buyer("M2", now - HOUR), of=rules
    )

    assert done.received == 2
    await agrees(pool, rules, now, "T1")


async def test_a_known_message_that_moves_into_a_new_thread_counts_there(pool, rules, now):
    await stored(pool, now, thread(as_of=now), buyer("M1", now - HOUR), of=rules)

    await stored(
        pool, now, thread("T2", as_of=now), buyer("M1", now - HOUR, "T2"),
        buyer("M2", now - MINUTE, "T2"), of=rules,
    )  # fmt: skip

    rows = await agrees(pool, rules, now, "T1", "T2")
    assert {(row["thread"], row["started_by"]) for row in rows if row["ended"] is None} == {
        ("T2", "M1"), ("T2", "M2"),
    }  # fmt: skip


async def test_a_date_told_of_a_new_thread_counts_at_once(pool, rules, now):
    since = Given("message", "", asks=True, as_of=now, read_at=now, starts_at=now - 2 * HOUR)

    await stored(pool, now, thread(as_of=now), buyer("M1", now - HOUR), ("T1", since), of=rules)

    rows = await agrees(pool, rules, now, "T1")
    assert {row["started_at"] for row in rows if row["promise"] == "reply-24h"} == {now - 2 * HOUR}


@pytest.mark.parametrize("seed", range(12))
async def test_random_pages_of_new_and_known_threads_need_no_second_look(pool, rules, now, seed):
    chance = random.Random(seed)
    names = [f"T{n}" for n in range(6)]
    for round_ in range(3):
        at = now + round_ * HOUR
        told = [turn(chance, f"M{round_}-{n}", at, chance.choice(names)) for n in range(12)]
        opened = [thread(name, as_of=at) for name in names if chance.random() < 0.6]
        await stored(pool, at, *opened, *told, of=rules)
        await agrees(pool, rules, at, *names)


def turn(chance, id_, now, thread):
    made = chance.choice((buyer, buyer, seller, mark))
    at = now - timedelta(minutes=chance.choice((0, 1, 30, 200, 3000, -10)))
    told = made(id_, at.astimezone(chance.choice((UTC, PARIS))), thread)
    kinds = (Kind.AUTOMATIC, Kind.SYSTEM, Kind.UNANSWERABLE, Kind.ERASED)
    odd = {"kind": chance.choice(kinds)} if made is not mark and chance.random() < 0.2 else {}
    return told.model_copy(update=odd)
