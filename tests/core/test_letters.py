"""Letters come twice, late and in any folder: their earliest instant counts, ours stay in place."""

from __future__ import annotations

import itertools

import pytest

from core import ingest
from core.store import transaction
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, page

LETTERS = {"letters": True}


@pytest.fixture
async def store(pool, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now)

    async def put(message, says):
        async with transaction(pool) as db:
            await ingest.page(db, seeds.rules(says=says), "mk", page(message), now, None)

    return put


@pytest.mark.parametrize("hours", list(itertools.permutations([3, 2, 1])))
async def test_a_letter_that_comes_several_times_is_of_its_earliest_instant(
    pool, store, now, hours
):
    for back in hours:
        at = now - back * HOUR
        await store(buyer("M1", at, visible_at=at + MINUTE), LETTERS)

    [row] = await pages.rows(pool, "message")
    assert (row["sent_at"], row["visible_at"]) == (now - 3 * HOUR, now - 3 * HOUR + MINUTE)
    [clock] = await pages.rows(pool, "clock")
    assert clock["started_at"] == now - 3 * HOUR


async def test_an_instant_that_an_api_corrects_counts_as_it_is_told_last(pool, store, now):
    for back in (3, 1):
        await store(buyer("M1", now - back * HOUR), {})

    [row] = await pages.rows(pool, "message")
    assert row["sent_at"] == now - HOUR


async def test_a_letter_that_changes_its_thread_moves_unless_we_wrote_it(pool, store, now):
    for origin, there in (("elsewhere", "T2"), ("ours", "T1")):
        id_ = f"M-{origin}"
        for thread in ("T1", "T2"):
            await store(buyer(id_, now - HOUR, thread, origin=origin), LETTERS)

        rows = {row["id"]: row["thread"] for row in await pages.rows(pool, "message")}
        assert rows[id_] == there
