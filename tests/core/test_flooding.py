from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import NoticeKind
from core.reading import flooding
from core.reading.flooding import FEWEST, LOOK_EVERY, OVER_AFTER, TIMES, Place
from core.store import floods, transaction
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE

DAY = 24 * HOUR
SECOND = timedelta(seconds=1)


class Form:
    """An account with a contact form, beside another one; *now* moves on."""

    def __init__(self, pool, now):
        self.pool, self.now, self.place = pool, now, Place()
        self.rules = seeds.rules(accounts=("mk", "other"))
        self.n = 0

    async def is_filled_in(self, times, *, at=None, account="mk"):
        """So many letters of as many senders, in batches as a walk stores them."""
        numbers = range(self.n, self.n + times)
        self.n += times
        for begin in range(numbers.start, numbers.stop, 200):
            batch = numbers[begin - numbers.start : begin - numbers.start + 200]
            items = []
            for n in batch:
                items += [
                    pages.buyer(f"M{n}", at or self.now, f"T{n}"),
                    pages.thread(f"T{n}", as_of=self.now),
                ]
            await pages.stored(self.pool, self.now, *items, of=self.rules, account=account)

    async def looks(self, length=LOOK_EVERY, *, place=None):
        end = self.now + length
        while self.now < end:
            self.now += LOOK_EVERY
            await flooding.once(self.pool, self.rules, place or self.place, self.now)

    async def told(self):
        found = await pages.rows(self.pool, "notice", "id")
        kind = NoticeKind.FLOODED
        return [(row["account"], row["facts"]) for row in found if row["kind"] == kind]


@pytest.fixture
async def form(pool, now):
    await pages.monitored(pool, now - 99 * DAY, pages.setup("mk"), pages.setup("other"))
    form = Form(pool, now)
    await form.looks()
    return form


@given(st.integers(0, 10_000), st.floats(0, 1_000))
def test_a_flood_is_many_and_many_times_what_is_usual(written, usual):
    is_flood = flooding.is_flood(written, usual)

    assert is_flood == (written >= FEWEST and written >= TIMES * usual)


@pytest.mark.parametrize(
    ("busiest", "weeks", "usual"), [(0, 4, 0.0), (48, 4, 2.0), (6, 0, 1.0), (6, 1, 1.0)]
)
def test_usual_is_what_ten_minutes_of_the_busiest_hour_bring(busiest, weeks, usual):
    assert flooding.usual(busiest, weeks * timedelta(weeks=1)) == usual


async def test_a_form_that_a_robot_fills_in_is_told_once_with_how_many_came(form):
    began = form.now
    for _ in range(10):
        await form.is_filled_in(250)
        await form.looks()
    await form.looks(10 * MINUTE)

    assert await form.told() == [("mk", {"since": began.isoformat(), "n": 2500})]


async def test_all_of_it_is_stored_and_each_has_its_clock(form):
    await form.is_filled_in(1000)
    await form.looks(MINUTE)

    assert len(await pages.rows(form.pool, "message")) == 1000
    clocks = await pages.clock_rows(form.pool)
    assert sorted(thread for thread, *_ in clocks) == sorted(f"T{n}" for n in range(1000))


async def test_one_that_goes_on_is_told_after_five_minutes(form):
    began = form.now
    for _ in range(4 * 6):
        await form.is_filled_in(20)
        await form.looks()

    ((account, facts),) = await form.told()
    assert (account, facts["since"]) == ("mk", began.isoformat())
    assert 20 * 4 * 5 <= facts["n"] <= 20 * 4 * 6


async def test_a_few_are_none(form):
    for _ in range(10):
        await form.is_filled_in(9)
        await form.looks(MINUTE)

    assert await form.told() == []


async def test_what_was_written_long_ago_and_is_read_now_is_none(form):
    """After an outage, or at a first reading: it was written over days."""
    for hours in range(40):
        await form.is_filled_in(10, at=form.now - hours * HOUR)
    await form.looks(10 * MINUTE)

    assert await form.told() == []


async def test_what_is_usual_for_a_busy_account_is_none(form):
    for week in (1, 2, 3, 4):
        await form.is_filled_in(200, at=form.now - week * 7 * DAY)
    await form.looks()
    await form.is_filled_in(200)
    await form.looks(5 * MINUTE)
    assert await form.told() == []

    await form.is_filled_in(200)
    await form.looks(5 * MINUTE)
    assert len(await form.told()) == 1


async def test_a_second_one_is_told_anew_and_not_before_the_first_is_over(form):
    await form.is_filled_in(300)
    await form.looks(5 * MINUTE)
    await form.is_filled_in(300)
    await form.looks(OVER_AFTER + 5 * MINUTE)
    assert len(await form.told()) == 1

    await form.is_filled_in(300)
    await form.looks(5 * MINUTE)
    assert len(await form.told()) == 2, "what came in the first is not what is usual"


async def test_it_is_over_where_it_ended_not_when_that_was_seen(form):
    await form.is_filled_in(300)
    ended = form.now
    await form.looks(OVER_AFTER + 5 * MINUTE)

    (flood,) = await pages.rows(form.pool, "flood")
    assert ended <= flood["until"] <= ended + 2 * MINUTE


async def test_two_processes_tell_it_once_and_one_that_was_killed_tells_it_all_the_same(form):
    other, third = Place(), Place()
    await form.looks(place=other)
    await form.is_filled_in(300)
    for _ in range(3):
        form.now += LOOK_EVERY
        await asyncio.gather(
            *(
                flooding.once(form.pool, form.rules, place, form.now)
                for place in (form.place, other)
            )
        )
    await form.looks(MINUTE, place=third)

    assert len(await form.told()) == 1


async def test_another_account_has_none(form):
    await form.is_filled_in(300)
    await form.is_filled_in(20, account="other")
    await form.looks(5 * MINUTE)

    assert [account for account, _ in await form.told()] == ["mk"]


async def test_floods_of_last_year_are_forgotten(form):
    await form.is_filled_in(300)
    await form.looks(OVER_AFTER + 5 * MINUTE)
    async with transaction(form.pool) as db:
        assert await floods.purge(db, form.now - DAY) == 0
        assert await floods.purge(db, form.now + DAY) == 1


WEEKS = """
    insert into message
        (account, id, thread, party, kind, addressed_to, origin, sent_at, seen_at, body, hash)
    select account, account || n, n::text, 'buyer', 'message', '{seller}', 'elsewhere',
           $1::timestamptz - n * interval '15 minutes', $1, repeat('x', 300), ''
    from unnest('{mk,other}'::text[]) as account, generate_series(1, 20000) as n
"""


@pytest.mark.parametrize(
    ("sql", "length"), [(floods.WRITTEN, flooding.WINDOW), (floods.USUAL, flooding.LEARNT_FROM)]
)
async def test_a_look_reads_no_more_than_the_account_and_the_time_it_asks_of(
    pool, now, sql, length
):
    """While a robot writes, all that was ever written is not read every few seconds."""
    async with pool.acquire() as db:
        await db.execute(WEEKS, now)
        await db.execute("analyze message")
        plan = "\n".join(
            row[0] for row in await db.fetch(f"explain {sql}", "mk", now - length, now)
        )

    assert "message_written" in plan
    assert "Seq Scan on message" not in plan
