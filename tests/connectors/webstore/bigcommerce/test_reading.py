"""A walk through the orders that changed: pages, quotas, orders that change under it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from connectors.webstore.bigcommerce import api, reading
from core.errors import BadCredentials, BadPayload, RateLimited
from core.stage import walk

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def bodies(found):
    return sorted(one.body for one in found.messages.values())


def asks(store, clock, count=1, *, ago=timedelta(hours=1), apart=SECOND):
    for number in range(count):
        at = clock.now - ago + number * apart
        order = store.add_order(at=at)
        store.customer_writes(order.id, f"Question {number}", at=at)
    return order


async def test_an_empty_list_has_no_content(sandbox, store, read):
    found = await read()

    assert found.messages == {}
    assert found.cursor
    assert [one.status for one in sandbox.heard] == [204]


async def test_an_order_without_a_message_is_no_thread(sandbox, store, read):
    store.add_order()
    found = await read()

    assert found.threads == {}
    assert [one.status for one in sandbox.heard] == [200, 204]


async def test_only_orders_that_changed_are_asked_for_their_messages(sandbox, store, clock, read):
    asks(store, clock, 5)
    first = await read()
    order = next(iter(store.orders.values()))
    clock.advance(minutes=30)
    store.customer_writes(order.id, "Hello?")
    sandbox.heard.clear()
    later = await read(first.cursor)

    assert len(first.messages) == 5
    assert bodies(later) == ["Hello?", "Question 0"]
    assert [one.path.rpartition("/v2/")[2] for one in sandbox.heard] == [
        "orders", f"orders/{order.id}/messages",
    ]  # fmt: skip


async def test_the_walk_goes_by_the_date_of_the_change(sandbox, store, clock, read):
    asks(store, clock, 45)
    found = await read()
    asked = [one.query for one in sandbox.heard if one.operation == "orders"]

    assert len(found.messages) == 45
    assert {one["sort"] for one in asked} == {"date_modified:asc"}
    assert {one["page"] for one in asked} == {"1"}
    assert {one["limit"] for one in asked} == {str(reading.PAGE)}
    assert [one["min_date_modified"] for one in asked] == [
        "2026-10-21T11:59:59+00:00", "2026-11-20T11:00:18+00:00", "2026-11-20T11:00:36+00:00",
    ]  # fmt: skip
    assert all(page.cursor for page in found.pages)


async def test_more_orders_than_a_page_of_one_second_are_read_by_page(store, clock, read):
    asks(store, clock, 55, apart=timedelta(0))
    found = await read()

    assert len(found.messages) == 55


async def test_an_order_that_changes_under_the_walk_hides_no_other(store, clock, bigcommerce):
    asks(store, clock, 45)
    first = await bigcommerce.fetch("messages", None, None, clock.now)
    moved = next(iter(store.orders.values()))
    store.customer_writes(moved.id, "Moved to the end")
    seen, page = dict.fromkeys(m.body for m in first.messages), first
    while page.more:
        page = await bigcommerce.fetch("messages", None, page.position, clock.now)
        seen |= dict.fromkeys(m.body for m in page.messages)

    assert set(seen) == {f"Question {number}" for number in range(45)} | {"Moved to the end"}


@pytest.mark.parametrize("after", [2, 3])
@pytest.mark.parametrize("count", [1, reading.PAGE])
async def test_what_leaves_a_second_of_several_pages_hides_no_other(
    store, clock, bigcommerce, after, count
):
    """What is left of the second moves forward, to pages that were read already."""
    store.habits.quota = 1000
    asks(store, clock, 3 * reading.PAGE + 1, apart=timedelta(0))
    page = await bigcommerce.fetch("messages", None, None, clock.now)
    seen = {message.body for message in page.messages}
    for number in range(2, 40):
        if number == after + 1:
            for order in list(store.orders.values())[:count]:
                store.customer_writes(order.id, "Moved to the end")
        page = await bigcommerce.fetch("messages", None, page.position, clock.now)
        seen |= {message.body for message in page.messages}
        if not page.more:
            break
    later = await walk(bigcommerce, "messages", page.cursor, clock.now)

    assert not page.more
    assert seen >= {f"Question {number}" for number in range(3 * reading.PAGE + 1)}
    assert "Moved to the end" in {*seen, *bodies(later)}


async def test_what_comes_in_the_second_of_a_walk_is_found_by_the_next(store, clock, read):
    order = store.add_order()
    store.customer_writes(order.id, "First")
    first = await read()
    store.customer_writes(order.id, "Of the same second")
    later = await read(first.cursor)

    assert bodies(first) == ["First"]
    assert bodies(later) == ["First", "Of the same second"]


async def test_the_first_walk_goes_back_as_far_as_the_look_back(store, clock, opened):
    asks(store, clock, ago=timedelta(days=10))
    near, far = opened(look_back="5d"), opened(look_back="20d")

    assert bodies(await walk(near, "messages", None, clock.now)) == []
    assert bodies(await walk(far, "messages", None, clock.now)) == ["Question 0"]


async def test_a_clock_ahead_of_ours_moves_no_cursor_past_our_time(store, clock, read):
    asks(store, clock, ago=-timedelta(hours=2))
    found = await read()

    assert json.loads(found.cursor)["since"] < clock.now.isoformat()
    store.customer_writes(next(iter(store.orders)), "And now")
    assert "And now" in bodies(await read(found.cursor))


async def test_a_cursor_stays_small_and_names_nobody(store, clock, read):
    asks(store, clock, 60, apart=MINUTE / 2, ago=timedelta(hours=2))
    cursor = (await read()).cursor

    assert len(json.loads(cursor)["seen"]) == 31
    assert "ada" not in cursor.lower()


async def test_many_messages_about_one_order_are_read_by_page(sandbox, store, clock, read):
    order = asks(store, clock)
    for number in range(api.MOST + 10):
        store.customer_writes(order.id, f"Again {number}", at=clock.now)
    found = await read()

    assert len(found.messages) == api.MOST + 11
    assert [one.query["page"] for one in sandbox.heard if one.operation == "order_messages"] == [
        "1", "2",
    ]  # fmt: skip


async def test_an_order_that_is_gone_costs_no_other(sandbox, store, clock, read):
    asks(store, clock, 3)
    sandbox.faults.order("status", status=404, operation="order_messages", count=1)

    assert len((await read()).messages) == 2


async def test_the_token_goes_in_its_header(sandbox, store, opened, clock):
    token = store.add_token()
    asks(store, clock)
    await walk(opened(token), "messages", None, clock.now)

    assert {one.headers["X-Auth-Token"] for one in sandbox.heard} == {token}
    assert {one.headers["Accept"] for one in sandbox.heard} == {"application/json"}


# Quota and rights


async def test_the_last_calls_of_the_quota_are_left_to_others(sandbox, store, clock, read):
    asks(store, clock, 30)
    store.habits.quota = 20

    with pytest.raises(RateLimited) as caught:
        await read()
    assert caught.value.retry_after == 30
    assert len(sandbox.heard) == 20 - api.FEW + 1


async def test_a_quota_that_is_used_up_says_when_it_is_not(sandbox, store, clock, read):
    asks(store, clock)
    store.habits.quota = 0

    with pytest.raises(RateLimited) as caught:
        await read()
    assert caught.value.retry_after == 30


async def test_a_scope_that_is_missing_blinds_the_stream_alone(store, opened, clock, push):
    narrow = opened(store.add_token("settings"), **push)

    with pytest.raises(BadCredentials, match="scopes Orders") as caught:
        await narrow.fetch("messages", None, None, clock.now)
    assert caught.value.alone
    assert (await narrow.fetch("hooks", None, None, clock.now)).pushes == ("destination_missing",)


async def test_a_token_that_nobody_knows_takes_the_account_down(opened):
    with pytest.raises(BadCredentials) as caught:
        await opened("nothing").check()
    assert not caught.value.alone


async def test_a_check_of_another_store_says_what_to_look_at(sandbox, opened):
    sandbox.faults.order("status", status=404)

    with pytest.raises(BadPayload, match="is store_hash right"):
        await opened().check()


# Looking


async def test_a_look_shows_orders_whole_and_leaves_out_the_unknown(store, clock, bigcommerce):
    order = asks(store, clock)
    store.staff_writes(order.id, "Tomorrow.")
    page = await bigcommerce.look([str(order.id), "999", "no-number"], clock.now)

    assert [one.id for one in page.threads] == [str(order.id)]
    assert sorted(one.body for one in page.messages) == ["Question 0", "Tomorrow."]
