"""A walk through the orders that changed: pages that repeat, answers that change nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore.magento import api, reading
from connectors.webstore.remarks import changes
from core.errors import BadCredentials, BadPayload, Unreachable
from core.stage import walk

SECOND = timedelta(seconds=1)


def bodies(found):
    return sorted(one.body for one in found.messages.values())


def asks(shop, clock, count=1, *, ago=timedelta(hours=1), apart=SECOND, **more):
    return [
        shop.add_order(f"Wish {number}", at=clock.now - ago + number * apart, **more)
        for number in range(count)
    ]


async def test_the_walk_goes_by_the_date_of_the_change_in_utc(sandbox, shop, clock, read):
    asks(shop, clock, 250)
    found = await read()
    asked = [one.query for one in sandbox.heard]

    assert len(found.threads) == 250
    assert {one["searchCriteria[pageSize]"] for one in asked} == {str(reading.PAGE)}
    assert {one["searchCriteria[sortOrders][0][field]"] for one in asked} == {"updated_at"}
    assert {one["searchCriteria[sortOrders][0][direction]"] for one in asked} == {"ASC"}
    assert {one["fields"] for one in asked} == {api.FIELDS}
    assert [one["searchCriteria[filter_groups][0][filters][0][value]"] for one in asked] == [
        "2026-10-21 11:59:59", "2026-11-20 11:01:38", "2026-11-20 11:03:17",
    ]  # fmt: skip
    assert all(page.cursor for page in found.pages)


@pytest.mark.parametrize("repeats", [True, False])
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200])
async def test_a_last_page_that_repeats_itself_ends_the_walk(
    sandbox, shop, clock, read, repeats, count
):
    shop.habits.repeats = repeats
    asks(shop, clock, count, apart=timedelta(0))
    found = await read()

    assert len(found.threads) == count
    assert len(sandbox.heard) == (1 if count <= reading.PAGE else 4)


async def test_comments_come_with_their_orders_and_cost_no_call(sandbox, shop, clock, read):
    for order in asks(shop, clock, 3):
        shop.comment(order.id, "Yes.")
    found = await read()

    assert bodies(found) == ["Wish 0", "Wish 1", "Wish 2", "Yes.", "Yes.", "Yes."]
    assert len(sandbox.heard) == 1


async def test_an_answer_that_changes_no_order_is_found_by_the_next_walk(
    sandbox, shop, clock, read
):
    (order,) = asks(shop, clock)
    first = await read()
    clock.advance(hours=5)
    shop.comment(order.id, "Of course.")
    later = await read(first.cursor)
    sandbox.heard.clear()
    last = await read(later.cursor)

    assert bodies(later) == ["Of course.", "Wish 0"]
    assert bodies(last) == []
    assert len(sandbox.heard) == 1


async def test_an_order_of_which_the_buyer_was_only_told_waits_on(sandbox, shop, clock, read):
    (order,) = asks(shop, clock)
    shop.comment(order.id, "You notified customer about invoice #1.")
    first = await read()
    sandbox.heard.clear()
    await read(first.cursor)

    assert len(sandbox.heard) == 2


async def test_many_who_wait_are_looked_after_in_turn(sandbox, shop, clock, read):
    orders = asks(shop, clock, 45)
    cursor, seen = (await read()).cursor, set()
    clock.advance(hours=1)
    for order in orders:
        shop.comment(order.id, "Yes.")
    for _ in range(3):
        found = await read(cursor)
        assert len(found.threads) <= changes.AGAIN
        cursor, seen = found.cursor, seen | set(found.threads)

    assert seen == {str(one.id) for one in orders}


async def test_an_order_that_was_removed_is_looked_after_no_more(shop, clock, read):
    (order,) = asks(shop, clock)
    first = await read()
    clock.advance(hours=1)
    shop.forget(order.id)
    later = await read(first.cursor)

    assert later.threads == {}
    assert '"waiting": {}' in later.cursor


async def test_one_store_of_a_shop_is_read_alone(shop, clock, opened):
    asks(shop, clock, 2)
    (other,) = asks(shop, clock, store=2)
    found = await walk(opened(store_id=2), "orders", None, clock.now)

    assert set(found.threads) == {str(other.id)}


async def test_the_first_walk_goes_back_as_far_as_the_look_back(shop, clock, opened):
    asks(shop, clock, ago=timedelta(days=10))
    near, far = opened(look_back="5d"), opened(look_back="20d")

    assert bodies(await walk(near, "orders", None, clock.now)) == []
    assert bodies(await walk(far, "orders", None, clock.now)) == ["Wish 0"]


async def test_a_cursor_names_nobody(shop, clock, read):
    asks(shop, clock, 3)
    cursor = (await read()).cursor

    assert "ada" not in cursor.lower()
    assert "Wish" not in cursor


async def test_the_token_goes_in_its_header(sandbox, shop, opened, clock):
    token = shop.add_token()
    await walk(opened(token), "orders", None, clock.now)

    assert {one.headers["Authorization"] for one in sandbox.heard} == {f"Bearer {token}"}
    assert token not in "".join(f"{one.path} {one.query}" for one in sandbox.heard)


# Looking


async def test_a_look_shows_orders_whole_and_leaves_out_the_unknown(shop, clock, magento):
    (order,) = asks(shop, clock)
    shop.comment(order.id, "Tomorrow.")
    page = await magento.look([str(order.id), "999", "no-number"], clock.now)

    assert [one.id for one in page.threads] == [str(order.id)]
    assert sorted(one.body for one in page.messages) == ["Tomorrow.", "Wish 0"]


async def test_a_look_at_nothing_asks_for_nothing(sandbox, magento, clock):
    assert (await magento.look(["no-number"], clock.now)).threads == ()
    assert list(sandbox.heard) == []


async def test_a_look_at_many_asks_for_a_hundred_at_once(sandbox, shop, clock, magento):
    orders = asks(shop, clock, 130)
    page = await magento.look([str(one.id) for one in orders], clock.now)

    assert len(page.threads) == 130
    assert len(sandbox.heard) == 2


# What an error means


async def test_a_token_that_may_not_be_used_alone_is_told(shop, magento):
    shop.habits.bearer = False

    with pytest.raises(BadCredentials, match="bearer token"):
        await magento.check()


async def test_a_firewall_before_the_shop_is_no_bad_token(sandbox, magento, clock):
    sandbox.faults.order("html", status=403)

    with pytest.raises(Unreachable, match="security plugin"):
        await magento.fetch("orders", None, None, clock.now)


async def test_a_page_in_place_of_the_api_says_so(sandbox, magento, clock):
    sandbox.faults.order("html", status=200)

    with pytest.raises(BadPayload, match="maintenance page"):
        await magento.fetch("orders", None, None, clock.now)


async def test_an_address_without_an_api_says_so(opened, sandbox):
    with pytest.raises(BadPayload, match="is base_url that of the shop"):
        await opened(base_url=f"{sandbox.url}/elsewhere").check()
