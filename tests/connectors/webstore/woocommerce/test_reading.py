"""A walk through the orders that changed: pages, orders that hide, answers that change nothing."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from connectors.webstore.remarks import changes
from connectors.webstore.woocommerce import api, reading
from connectors.webstore.woocommerce.sandbox.shop import SYSTEM
from core.stage import walk

SECOND = timedelta(seconds=1)


def bodies(found):
    return sorted(one.body for one in found.messages.values())


def asks(shop, clock, count=1, *, ago=timedelta(hours=1), apart=SECOND):
    return [
        shop.add_order(f"Wish {number}", at=clock.now - ago + number * apart)
        for number in range(count)
    ]


def calls(sandbox, operation):
    return [one for one in sandbox.heard if one.operation == operation]


async def test_the_walk_goes_by_the_date_of_the_change_in_utc(sandbox, shop, clock, read):
    asks(shop, clock, 120)
    found = await read()
    asked = [one.query for one in calls(sandbox, "orders")]

    assert len(found.threads) == 120
    assert {one["orderby"] for one in asked} == {"modified"}
    assert {one["order"] for one in asked} == {"asc"}
    assert {one["dates_are_gmt"] for one in asked} == {"true"}
    assert {one["per_page"] for one in asked} == {str(reading.PAGE)}
    assert {one["_fields"] for one in asked} == {api.FIELDS}
    assert [one["modified_after"] for one in asked] == [
        "2026-10-21T11:59:59", "2026-11-20T11:00:48", "2026-11-20T11:01:37",
    ]  # fmt: skip
    assert all(page.cursor for page in found.pages)


async def test_orders_that_the_user_may_not_see_end_no_walk(shop, clock, read):
    for number, order in enumerate(asks(shop, clock, 120)):
        order.hidden = number < 60

    assert len((await read()).threads) == 60


async def test_only_orders_with_a_remark_cost_a_call(sandbox, shop, clock, read):
    for _ in range(3):
        shop.add_order("", at=clock.now - timedelta(hours=1))
    asks(shop, clock)
    found = await read()

    assert len(found.threads) == 1
    assert len(calls(sandbox, "notes")) == 1


async def test_only_what_changed_is_read_again(sandbox, shop, clock, read):
    orders = asks(shop, clock, 5)
    for order in orders:
        shop.note(order.id, "Yes.", at=clock.now - timedelta(minutes=30))
    first = await read()
    clock.advance(minutes=30)
    shop.change(orders[0].id, "completed")
    sandbox.heard.clear()
    later = await read(first.cursor)

    assert set(later.threads) == {str(orders[0].id)}
    assert len(calls(sandbox, "notes")) == 1


async def test_an_answer_that_changes_no_order_is_found_by_the_next_walk(
    sandbox, shop, clock, read
):
    (order,) = asks(shop, clock)
    first = await read()
    clock.advance(hours=5)
    shop.note(order.id, "Of course.")
    later = await read(first.cursor)
    sandbox.heard.clear()
    last = await read(later.cursor)

    assert bodies(later) == ["Of course.", "Wish 0"]
    assert bodies(last) == []
    assert calls(sandbox, "notes") == []


@pytest.mark.parametrize(
    "how", [{"to_customer": False}, {"author": SYSTEM}, {"author": SYSTEM, "to_customer": False}]
)
async def test_whom_no_person_answered_is_looked_after_again(sandbox, shop, clock, read, how):
    (order,) = asks(shop, clock)
    shop.note(order.id, "Hm.", **how)
    first = await read()
    sandbox.heard.clear()
    await read(first.cursor)

    assert len(calls(sandbox, "notes")) == 1


async def test_many_who_wait_are_looked_after_in_turn(sandbox, shop, clock, read):
    orders = asks(shop, clock, 45)
    cursor, seen = (await read()).cursor, set()
    clock.advance(hours=1)
    for order in orders:
        shop.note(order.id, "Yes.")
    for _ in range(3):
        sandbox.heard.clear()
        found = await read(cursor)
        cursor, seen = found.cursor, seen | set(found.threads)
        assert len(calls(sandbox, "notes")) <= changes.AGAIN

    assert seen == {str(one.id) for one in orders}


async def test_an_order_that_was_removed_is_looked_after_no_more(sandbox, shop, clock, read):
    (order,) = asks(shop, clock)
    first = await read()
    clock.advance(hours=1)
    shop.forget(order.id)
    later = await read(first.cursor)

    assert later.threads == {}
    assert json.loads(later.cursor)["waiting"] == {}


async def test_a_draft_is_an_order_once_it_is_placed(shop, clock, read):
    draft = shop.add_order("Gift, please", status="checkout-draft")
    first = await read()
    clock.advance(minutes=5)
    shop.change(draft.id, "processing")
    later = await read(first.cursor)

    assert first.threads == {}
    assert bodies(later) == ["Gift, please"]


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


async def test_keys_stand_in_no_address(sandbox, shop, opened, clock):
    key, secret = shop.add_key()
    asks(shop, clock)
    await walk(opened((key, secret)), "orders", None, clock.now)
    pair = base64.b64encode(f"{key}:{secret}".encode()).decode()

    assert {one.headers["Authorization"] for one in sandbox.heard} == {f"Basic {pair}"}
    told = "".join(f"{one.path} {one.query}" for one in sandbox.heard)
    assert key not in told
    assert secret not in told


async def test_an_order_that_is_gone_costs_no_other(sandbox, shop, clock, read):
    asks(shop, clock, 3)
    sandbox.faults.error = lambda _: {"code": "woocommerce_rest_shop_order_invalid_id"}
    sandbox.faults.order("status", status=404, operation="notes", count=1)

    assert len((await read()).threads) == 2


# Looking


async def test_a_look_shows_orders_whole_and_leaves_out_the_unknown(shop, clock, woocommerce):
    (order,) = asks(shop, clock)
    shop.note(order.id, "Tomorrow.")
    page = await woocommerce.look([str(order.id), "999", "no-number"], clock.now)

    assert [one.id for one in page.threads] == [str(order.id)]
    assert sorted(one.body for one in page.messages) == ["Tomorrow.", "Wish 0"]
