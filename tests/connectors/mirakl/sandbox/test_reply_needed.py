"""`shop_reply_needed_since`, in every reading that Mirakl's documentation leaves open."""

from __future__ import annotations

from datetime import datetime

import pytest

from connectors.mirakl.sandbox.inbox import Habits


@pytest.fixture
def since(call, operator, clock):
    """Minutes from the thread's begin to the date that the marketplace gives, None without one."""
    begin = clock.now

    async def since(thread, habits=None):
        operator.habits = habits or Habits()
        metadata = (await call(f"/inbox/threads/{thread.id}"))[1]["metadata"]
        text = metadata["shop_reply_needed_since"]
        return (
            None
            if text is None
            else round((datetime.fromisoformat(text) - begin).total_seconds() / 60)
        )

    return since


@pytest.fixture
def thread(shop, clock):
    """A buyer wrote at 0 and at 10 minutes."""
    thread = shop.open_thread("first")
    clock.advance(minutes=10)
    thread.buyer_writes("second")
    clock.advance(minutes=10)
    return thread


@pytest.mark.parametrize(("mode", "expected"), [("first", 0), ("latest", 10)])
async def test_it_is_the_first_or_the_latest_unanswered_message(since, thread, mode, expected):
    assert await since(thread, Habits(since=mode)) == expected


async def test_a_reply_to_the_buyer_empties_it(since, thread, clock):
    thread.shop_answers("answer")
    empty = await since(thread)
    clock.advance(minutes=10)
    thread.buyer_writes("third")

    assert (empty, await since(thread)) == (None, 30)


@pytest.mark.parametrize(("clears", "expected"), [(False, 0), (True, None)])
async def test_a_reply_to_the_operator_alone_may_or_may_not_empty_it(
    since, thread, clears, expected
):
    thread.shop_answers("question to the operator", to=("OPERATOR",))

    assert await since(thread, Habits(any_reply_clears=clears)) == expected


@pytest.mark.parametrize(("clears", "expected"), [(False, 0), (True, None)])
@pytest.mark.parametrize("by", ["SHOP", "OPERATOR"])
async def test_a_click_is_listed_and_may_or_may_not_empty_it(
    since, call, thread, by, clears, expected
):
    thread.click_no_reply_needed(by=by)
    habits = Habits(click_clears=clears)

    assert await since(thread, habits) == expected
    body = (await call(f"/inbox/threads/{thread.id}"))[1]
    assert body["no_store_reply_needed"] == [{"date": "2026-03-02T12:20:01.500Z", "user_type": by}]
    assert body["date_updated"] == "2026-03-02T12:20:01.500Z"


async def test_a_message_after_the_click_waits_again(since, thread, clock):
    thread.click_no_reply_needed()
    clock.advance(minutes=10)
    thread.buyer_writes("third")

    assert await since(thread, Habits(click_clears=True)) == 30


async def test_an_operators_message_awaits_a_reply_only_where_that_is_the_habit(since, shop, clock):
    thread = shop.open_thread("from the operator", entity=("SELLER_OPERATOR", "2000"))

    assert await since(thread, Habits()) is None
    assert await since(thread, Habits(operator_asks=True)) == 0
    clock.advance(minutes=1)
    thread.shop_answers("to the operator", to=("OPERATOR",))
    assert await since(thread, Habits(operator_asks=True)) is None


async def test_a_reply_to_the_buyer_leaves_the_operator_waiting(since, thread):
    thread.operator_writes("please answer")
    thread.shop_answers("to the buyer")

    assert await since(thread, Habits(operator_asks=True)) == 20


async def test_the_last_sender_does_not_say_who_waits(since, thread):
    thread.operator_writes("we look into it", to=("CUSTOMER",))

    assert await since(thread, Habits(operator_asks=True)) == 0


async def test_a_message_not_for_the_shop_awaits_nothing(since, shop):
    thread = shop.open_thread()
    thread.buyer_writes("to the operator", to=("OPERATOR",))

    assert await since(thread) is None
