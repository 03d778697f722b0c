"""What a conversation is about stays known, also where its next state does not say it."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from core.store import threads
from tests.core import seeds
from tests.core.pages import buyer, stored, thread

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def shop(pool, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
    return pool


async def of(pool, id_="T1"):
    async with pool.acquire() as db:
        return await threads.of(db, "mk", id_)


def states(now):
    return (
        thread(as_of=now - MINUTE, order_ids=("O-1",), url="https://shop.example/O-1"),
        thread(as_of=now, url="https://shop.example/inbox", subject="newest"),
        thread(as_of=now - 2 * MINUTE, url="https://shop.example/inbox"),
    )


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("together", [True, False])
async def test_a_state_without_orders_empties_none_in_any_order(shop, now, order, together):
    told = [states(now)[place] for place in order]
    for page in [told] if together else [[one] for one in told]:
        await stored(shop, now, *page, buyer("M1", now))

    found = await of(shop)
    assert (found.order_ids, found.url) == (("O-1",), "https://shop.example/O-1")
    assert (found.subject, found.as_of) == ("newest", now)


async def test_another_order_takes_the_place_of_the_known_one(shop, now):
    await stored(shop, now, *states(now))
    await stored(shop, now, thread(as_of=now + MINUTE, order_ids=("O-2",), url=None))

    found = await of(shop)
    assert (found.order_ids, found.url) == (("O-2",), None)


async def test_what_else_a_newer_state_leaves_out_is_gone(shop, now):
    await stored(shop, now, thread(as_of=now, buyer="Ada", reply_to={"to": "a"}, subject="x"))
    await stored(shop, now, thread(as_of=now + MINUTE))

    found = await of(shop)
    assert (found.buyer, found.reply_to, found.subject) == ("", {}, None)


async def test_a_state_without_orders_that_comes_again_is_no_news(shop, now):
    await stored(shop, now, *states(now), buyer("M1", now))
    done = await stored(shop, now, states(now)[1], buyer("M1", now))

    assert (done.received, done.changed, done.repeated) == (0, 0, 1)
