"""A page asks for what may stand in it: however many were erased who are called much alike."""

from __future__ import annotations

import json

import pytest

from core.arrival import erasing
from core.pushes import Member
from core.store import forgotten, transaction
from tests.core import pages, seeds
from tests.core.pages import HOUR, buyer, stored, thread

MANY = 3_000
READ = "explain (analyze, format json) " + forgotten.KNOWN


@pytest.fixture
async def pool(pool, now):
    await pages.monitored(pool, now - 900 * HOUR, pages.setup("mk"))
    async with transaction(pool) as db:
        gone = [Member(frozenset({f"user-{n}q{n}x"})) for n in range(MANY)]
        await erasing.ask(db, "mirakl", None, gone, now)
    return pool


def rows_read(plan):
    """The rows that the nodes of *plan* took from a table, those that they left out among them."""
    taken = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    mine = taken * plan["Actual Loops"] if plan["Node Type"] != "Append" else 0
    return mine + sum(map(rows_read, plan.get("Plans", ())))


@pytest.mark.parametrize("analyzed", [False, True])
async def test_a_word_that_thousands_begin_with_is_answered_by_one_row(pool, analyzed):
    """And an id by its own, with the statistics of the planner and before there are any."""
    if analyzed:
        async with pool.acquire() as db:
            await db.execute("analyze forgotten")
    async with transaction(pool) as db:
        made = await forgotten.digests(db, "mirakl")
        heads, ids = [made.of_head("user")], [made.of("user-17q17x"), made.of("user-none")]
        shapes = await forgotten.known(db, "mk", [], heads)
        [found] = await forgotten.known(db, "mk", ids, [])
        plans = [
            json.loads(await db.fetchval(READ, "mk", *given))[0]["Plan"]
            for given in (([], heads), (ids, []))
        ]

    assert [(one.pieces, one.lead, one.tail) for one in shapes] == [(2, 0, 0)]
    assert found.digest == ids[0]
    assert [rows_read(plan) <= 4 for plan in plans] == [True, True]


async def test_of_many_who_are_called_alike_a_page_loses_the_one_that_it_names(pool, now):
    text = "user-17q17x, user-17, user-none and every other user"
    told = thread(as_of=now, buyer="Other"), buyer("M1", now - HOUR, body=text)

    await stored(pool, now, *told, of=seeds.rules(accounts=("mk",)))

    [row] = await pages.rows(pool, "message")
    assert row["body"] == "[erased], user-17, user-none and every other user"


async def test_what_is_remembered_of_a_shape_is_as_old_as_the_last_who_is_of_it(pool, now):
    async with transaction(pool) as db:
        later = now + 29 * 24 * HOUR
        await erasing.ask(db, "mirakl", None, [Member(frozenset({"user-x1y-z"}))], later)
        await erasing.ask(db, "mirakl", None, [Member(frozenset({"user-x2y"}))], later)
        await forgotten.purge(db, now + HOUR)
        made = await forgotten.digests(db, "mirakl")
        shapes = await forgotten.known(db, "mk", [], [made.of_head("user")])

    assert sorted((one.pieces, one.at) for one in shapes) == [(2, later), (3, later)]
