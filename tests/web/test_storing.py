"""Pushes that are stored together, when something goes wrong in the middle."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from core.connector import Member, Pushed, Receipt
from core.errors import StoreUnavailable
from core.metrics import Metrics
from core.store import open_pool, pushes, transaction
from core.web.storing import LANES, MOST, Means, Storing, Taken
from tests.core import pages, seeds


@pytest.fixture
async def storing(pool, now):
    await pages.monitored(pool, now, pages.setup("mk"), pages.setup("other"))
    means = Means(
        pool=lambda: storing.pool,
        rules=lambda: seeds.rules(accounts=("mk", "other")),
        metrics=Metrics(),
        now=lambda: now,
        sure=lambda: True,
        woken=lambda account: (),
    )
    storing = Storing(means)
    storing.pool = pool
    return storing


@pytest.fixture
def taken(now):
    def taken(number, account="mk"):
        thread = f"T{number}"
        item = pages.buyer(f"M{number}", now - timedelta(minutes=1), thread)
        page = pages.page(item, pages.thread(thread, as_of=now))
        receipt = Receipt(204, pages={account: page}, pushed=Pushed(f"N{number}", "T"))
        return Taken("shop", "mk", receipt)

    return taken


async def messages(pool):
    return {row["id"] for row in await pages.rows(pool, "message")}


async def test_more_than_fit_into_one_transaction_are_all_stored(storing, taken, pool):
    many = [storing.put(taken(number)) for number in range(2 * MOST + 5)]

    assert await asyncio.gather(*many) == [True] * (2 * MOST + 5)
    assert len(await messages(pool)) == 2 * MOST + 5


async def test_each_that_is_stored_has_its_clock(storing, taken, pool):
    await asyncio.gather(*(storing.put(taken(number)) for number in range(30)))

    clocks = await pages.clock_rows(pool)
    assert {started_by for _, started_by, _, _ in clocks} == {f"M{n}" for n in range(30)}


@pytest.mark.parametrize("after", [0.0, 0.02, 0.03, 0.05])
async def test_who_is_cut_off_takes_nobody_along(storing, taken, pool, after):
    tasks = [asyncio.create_task(storing.put(taken(number))) for number in range(10)]
    await asyncio.sleep(after)
    tasks[0].cancel()

    ends = await asyncio.gather(*tasks, return_exceptions=True)

    assert not [end for end in ends[1:] if not isinstance(end, bool)]  # False: it was stored before
    assert {f"M{n}" for n in range(1, 10)} <= await messages(pool)


async def test_while_the_database_is_away_nobody_is_told_that_it_is_stored(storing, taken, pool):
    storing.pool = None
    ends = await asyncio.gather(
        *(storing.put(taken(number)) for number in range(5)), return_exceptions=True
    )
    assert {type(end) for end in ends} == {StoreUnavailable}

    storing.pool = pool
    assert await asyncio.gather(*(storing.put(taken(n)) for n in range(5))) == [True] * 5


async def test_nothing_waits_on_when_all_is_stored(storing, taken):
    async with asyncio.timeout(10):
        for number in range(5):
            assert await storing.put(taken(number))
    for lane in storing._lanes:
        assert (lane.length, lane.gathers, lane.has("mk")) == (0, False, False)


async def test_what_comes_twice_has_one_lane_whoever_was_asked(storing, taken, pool):
    """Also where two lanes would do: a second one waits for the first's transaction."""
    one, two = taken(1), taken(1)

    assert sorted(await asyncio.gather(storing.put(one), storing.put(two))) == [False, True]
    assert LANES > 1


async def until_it_waits(pool):
    """Until a statement of ours waits for a lock."""
    waiting = "select exists (select from pg_stat_activity where wait_event_type = 'Lock')"
    async with asyncio.timeout(10):
        while not await pool.fetchval(waiting):  # noqa: ASYNC110  # the server sets no event
            await asyncio.sleep(0.01)


async def groups(pool):
    """How many pushes were stored in each transaction."""
    sql = "select count(*) as n from push group by push.xmin order by n"
    return [row["n"] for row in await pool.fetch(sql)]


async def test_who_comes_while_one_gathers_is_stored_with_it_whatever_the_account(
    storing, taken, pool
):
    many = (storing.put(taken(n, ("mk", "other")[n % 2])) for n in range(10))
    assert await asyncio.gather(*many) == [True] * 10

    assert await groups(pool) == [10]


async def test_an_account_for_which_the_database_lets_us_wait_holds_up_no_other(
    storing, taken, pool
):
    assert await storing.put(taken(1))
    more = pages.buyer("M1b", taken(1).receipt.pages["mk"].messages[0].sent_at, "T1")
    stuck = Taken("shop", "mk", Receipt(204, pages={"mk": pages.page(more)}))
    async with transaction(pool) as db:
        await db.execute("select from thread where id = 'T1' for update")
        waits = asyncio.create_task(storing.put(stuck))
        await until_it_waits(pool)
        same = asyncio.create_task(storing.put(taken(2)))
        async with asyncio.timeout(5):
            for number in range(10, 10 + 2 * LANES):
                assert await storing.put(taken(number, "other"))
        assert not waits.done()
        assert not same.done()

    assert await asyncio.gather(waits, same) == [True, True]


async def test_a_fault_of_one_is_only_its_own(storing, taken, pool):
    broken = Taken("shop", "mk", Receipt(204, pages={"mk": "no page"}))
    ends = await asyncio.gather(
        storing.put(taken(1)), storing.put(broken), storing.put(taken(2)), return_exceptions=True
    )

    assert (ends[0], ends[2]) == (True, True)
    assert isinstance(ends[1], AttributeError)
    assert await messages(pool) == {"M1", "M2"}


async def test_two_accounts_are_stored_side_by_side(storing, taken, pool):
    with suppress(TimeoutError):
        async with asyncio.timeout(10):
            ends = await asyncio.gather(
                *(storing.put(taken(n, "mk" if n % 2 else "other")) for n in range(20))
            )
    assert ends == [True] * 20


async def test_who_waits_too_long_for_a_lock_costs_no_neighbour(storing, taken, pool, address):
    assert await storing.put(taken(1))
    one = Taken("shop", "mk", replace(taken(1).receipt, pushed=Pushed("N1 again", "T")))
    item = pages.buyer("M1b", taken(1).receipt.pages["mk"].messages[0].sent_at, "T1")
    one = replace(one, receipt=replace(one.receipt, pages={"mk": pages.page(item)}))
    storing.pool = await open_pool({**address, "command_timeout": 0.5})
    try:
        async with transaction(pool) as db:
            await db.execute("select from thread where id = 'T1' for update")
            many = (storing.put(taken(2)), storing.put(one), storing.put(taken(3)))
            ends = await asyncio.gather(*many, return_exceptions=True)
    finally:
        await storing.pool.close()

    assert (ends[0], ends[2]) == (True, True)
    assert isinstance(ends[1], StoreUnavailable)
    assert await messages(pool) == {"M1", "M2", "M3"}


async def test_what_was_given_up_for_anothers_sake_is_stored_again_at_once(storing, taken, pool):
    await pool.execute("""
        create sequence tried;
        create function deadlock() returns trigger language plpgsql as $$ begin
            if nextval('tried') = 1 then
                raise exception 'deadlock detected' using errcode = '40P01';
            end if;
            return new;
        end $$;
        create trigger deadlock before insert on push for each row execute function deadlock();
    """)

    assert await storing.put(taken(1))


async def test_what_is_to_be_erased_holds_up_no_message(storing, taken, pool, now):
    member = Member(frozenset({"someone"}))
    notice = Receipt(204, erase=(member,), pushed=Pushed("E1", "D"), outcome="erasure")
    async with transaction(pool) as db:
        await pushes.note(db, [("mk", "E1", "D")], now)
        erasing = asyncio.create_task(storing.put(Taken("shop", "mk", notice)))
        await until_it_waits(pool)
        async with asyncio.timeout(10):
            assert await storing.put(taken(1))
        assert not erasing.done()

    assert await erasing is False


async def test_what_is_to_be_erased_in_one_account_is_asked_for_there_alone(storing, pool):
    notice = Receipt(
        200,
        erase=(Member(frozenset({"ada@mail.example"})),),
        erase_in=frozenset({"mk", "other"}),
        pushed=Pushed("E1", "D"),
        outcome="erasure",
    )

    assert await storing.put(Taken("shop", "mk", notice))
    assert not await storing.put(Taken("shop", "mk", notice))

    asked = await pages.rows(pool, "erasure")
    assert sorted((row["account"], row["push"]) for row in asked) == [
        ("mk", "E1/mk"), ("other", "E1/other"),
    ]  # fmt: skip
    assert {row["account"] for row in await pages.rows(pool, "forgotten")} == {"mk", "other"}


async def test_a_push_that_only_says_that_something_is_there_was_heard_too(storing, pool, now):
    await storing.put(Taken("shop", "mk", Receipt(204, wake=frozenset({"other"}))))

    async with transaction(pool) as db:
        assert await pushes.states(db) == {"other": (now, False)}
    (hour,) = await pages.rows(pool, "push_hour")
    assert (hour["account"], hour["slots"].bit_count()) == ("other", 1)
