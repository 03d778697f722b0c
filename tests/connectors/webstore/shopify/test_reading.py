"""Walks and looks: what is found, whose note it is, and what Shopify refuses with a 200."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from connectors.webstore.shopify import reading
from connectors.webstore.shopify.sandbox.shop import DISPUTES, ORDERS
from core.errors import BadCredentials, BadPayload, RateLimited, Unreachable

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


async def test_a_remark_is_found_with_its_buyer(shop, read, clock):
    order = shop.buys("Ring twice", at=clock.now - MINUTE)
    shop.buys(None, at=clock.now - MINUTE)
    found = await read()

    assert [m.body for m in found.messages.values()] == ["Ring twice"]
    assert found.threads[str(order.id)].order_ids == ("1001",)


async def test_the_first_walk_goes_back_as_far_as_the_look_back(shop, read, opened, clock):
    shop.buys("Old", at=clock.now - 31 * DAY)
    shop.buys("Young", at=clock.now - 29 * DAY)

    assert [m.body for m in (await read()).messages.values()] == ["Young"]
    longer = await read(by=opened(look_back="40d"))
    assert [m.body for m in longer.messages.values()] == ["Old", "Young"]


async def test_a_note_that_comes_later_is_not_the_buyers(shop, read, clock):
    order = shop.buys(None, at=clock.now - DAY)
    first = await read()
    clock.advance(hours=1)
    shop.changes(order.id, note="Customer called, wants blue")

    assert (await read(first.cursor)).messages == {}


async def test_a_remark_stays_what_the_buyer_wrote_though_the_staff_goes_on(shop, read, clock):
    order = shop.buys("Ring twice", at=clock.now - HOUR)
    first = await read()
    clock.advance(hours=1)
    shop.changes(order.id, note="Ring twice -- told the carrier")

    assert (await read(first.cursor)).messages == {}


async def test_what_was_bought_while_nobody_read_is_new_however_long_that_was(shop, read, clock):
    first = await read()
    bought = clock.advance(hours=1)
    order = shop.buys("Ring twice", at=bought)
    clock.advance(days=3)
    shop.changes(order.id)
    found = await read(first.cursor)

    assert [m.sent_at for m in found.messages.values()] == [bought]


async def test_a_clock_of_ours_that_is_ahead_leaves_no_gap(shop, read, shopify, clock):
    ahead = clock.now + HOUR
    first = await shopify.fetch("orders", None, None, ahead)
    clock.advance(minutes=30)
    shop.buys("Ring twice", at=clock.now)
    found = await shopify.fetch("orders", first.cursor, None, clock.now + HOUR)

    assert [m.body for m in found.messages] == ["Ring twice"]


async def test_a_walk_that_broke_off_begins_anew_and_loses_nothing(
    sandbox, shop, read, shopify, clock
):
    for number in range(150):
        shop.buys(f"Remark {number}", at=clock.now - HOUR + timedelta(seconds=number))
    begun = await shopify.fetch("orders", None, None, clock.now)
    assert begun.more
    assert begun.cursor is None
    sandbox.faults.order("status", status=500)
    with pytest.raises(Unreachable):
        await shopify.fetch("orders", None, begun.position, clock.now)
    sandbox.faults.lift()

    assert len((await read()).messages) == 150


async def test_an_order_that_moves_under_the_walk_is_found(shop, shopify, clock):
    orders = [
        shop.buys(f"Remark {n}", at=clock.now - HOUR + timedelta(seconds=n)) for n in range(150)
    ]
    first = await shopify.fetch("orders", None, None, clock.now)
    shop.changes(orders[120].id, at=clock.now)
    shop.changes(orders[3].id, at=clock.now)
    second = await shopify.fetch("orders", None, first.position, clock.now)

    assert not second.more
    assert len({m.id for m in (*first.messages, *second.messages)}) == 150


async def test_a_list_that_ends_after_25000_is_asked_for_anew(shop, read, shopify, clock):
    for number in range(101):
        shop.buys(f"Remark {number}", at=clock.now - HOUR + timedelta(seconds=number))
    far = json.dumps({"new_from": (clock.now - DAY).isoformat(),
                      "since": (clock.now - DAY).isoformat(), "after": None,
                      "pages": reading.MOST_PAGES - 1})  # fmt: skip
    first = await shopify.fetch("orders", None, far, clock.now)
    told = json.loads(first.position)
    second = await shopify.fetch("orders", None, first.position, clock.now)

    assert (told["after"], told["pages"]) == (None, 0)
    assert len({m.id for m in (*first.messages, *second.messages)}) == 101


async def test_an_overlap_that_is_read_again_changes_nothing(shop, read, clock):
    shop.buys("Ring twice", at=clock.now - MINUTE)
    first = await read()
    clock.advance(minutes=5)
    again = await read(first.cursor)

    assert again.messages == first.messages


async def test_customers_who_are_hidden_are_read_without_keys(shop, read, clock):
    shop.habits.hides_customers = True
    order = shop.buys("Ring twice", at=clock.now - MINUTE)
    found = await read()

    assert found.threads[str(order.id)].reply_to == {
        "kind": "shopify", "order": f"gid://shopify/Order/{order.id}",
    }  # fmt: skip
    assert len(found.messages) == 1


async def test_points_that_are_used_up_are_told_by_a_200_and_say_how_long(shop, shopify, clock):
    shop.habits.points, shop.habits.restores = 310.0, 50.0
    for _ in range(reading.ORDERS):
        shop.buys(None)
    await shopify.fetch("orders", None, None, clock.now)

    with pytest.raises(RateLimited) as caught:
        await shopify.fetch("orders", None, None, clock.now)
    assert caught.value.retry_after == pytest.approx((302 - 8) / 50)
    clock.advance(seconds=6)
    await shopify.fetch("orders", None, None, clock.now)


@pytest.mark.parametrize(
    ("scopes", "stream", "lacks"),
    [([DISPUTES], "orders", "read_orders"), ([ORDERS], "disputes", DISPUTES)],
)
async def test_a_scope_that_is_missing_stops_its_stream_alone(
    shop, opened, clock, scopes, stream, lacks
):
    with pytest.raises(BadCredentials, match=lacks) as caught:
        await opened(shop.add_token(*scopes)).fetch(stream, None, None, clock.now)

    assert caught.value.alone


async def test_another_version_that_answers_is_told(shop, read, clock):
    shop.habits.answered_by = "2027-01"
    first = await read()
    (aside,) = first.pages[0].set_aside

    assert "2026-10 is not served any more" in aside.reason
    assert json.loads(aside.raw) == {"asked": "2026-10", "answered_by": "2027-01"}


async def test_an_error_of_shopifys_own_is_a_bad_moment(sandbox, opened, shop, clock):
    bad = b'{"errors":[{"message":"Internal error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}'
    sandbox.faults.error = lambda _: json.loads(bad)
    sandbox.faults.order("status", status=200, operation="graphql")

    with pytest.raises(Unreachable):
        await opened().fetch("orders", None, None, clock.now)


async def test_a_question_that_is_refused_says_why(sandbox, opened, clock):
    wrong = {"errors": [{"message": "no", "extensions": {"code": "undefinedField"}}]}
    sandbox.faults.error = lambda _: wrong
    sandbox.faults.order("status", status=200, operation="graphql")

    with pytest.raises(BadPayload, match="undefinedField"):
        await opened().fetch("orders", None, None, clock.now)


async def test_a_store_that_is_not_active_is_told(sandbox, opened, clock):
    wrong = {"errors": [{"message": "x", "extensions": {"code": "SHOP_INACTIVE"}}]}
    sandbox.faults.error = lambda _: wrong
    sandbox.faults.order("status", status=200, operation="graphql")

    with pytest.raises(BadCredentials) as caught:
        await opened().fetch("orders", None, None, clock.now)
    assert not caught.value.alone


@pytest.mark.parametrize(("status", "hint"), [(402, "frozen"), (404, "store right"),
                                              (423, "locked")])  # fmt: skip
async def test_a_store_that_does_not_answer_says_what_to_look_at(
    sandbox, shopify, clock, status, hint
):
    sandbox.faults.order("status", status=status)

    with pytest.raises(BadPayload, match=hint):
        await shopify.fetch("orders", None, None, clock.now)


async def test_disputes_are_read_whole_each_time(shop, read, clock):
    order = shop.buys(None, at=clock.now - DAY)
    dispute = shop.disputed(order.id, due_by=date(2026, 11, 28), at=clock.now - HOUR)
    first = await read(of="disputes")
    clock.advance(hours=1)
    shop.becomes(dispute.id, "UNDER_REVIEW", sent_on=clock.now.date())
    later = await read(first.cursor, of="disputes")

    assert [given.asks for page in first.pages for _, given in page.given] == [False, True]
    assert [given.asks for page in later.pages for _, given in page.given] == [False]


async def test_many_disputes_come_in_pages(shop, read, clock):
    order = shop.buys(None, at=clock.now - DAY)
    for _ in range(reading.DISPUTES + 3):
        shop.disputed(order.id, due_by=date(2026, 11, 28))
    shop.disputed(order.id, at=clock.now - reading.BACK - DAY)
    found = await read(of="disputes")

    assert len(found.threads) == reading.DISPUTES + 3
    assert len(found.pages) == 2


async def test_a_look_shows_orders_and_disputes(shop, shopify, clock):
    order = shop.buys("Ring twice", at=clock.now - DAY)
    dispute = shop.disputed(order.id, due_by=date(2026, 11, 28))
    names = [str(order.id), f"dispute:{dispute.id}", "dispute:x", "99", "no-such-thread"]
    found = await shopify.look(names, clock.now)

    assert {t.id for t in found.threads} == {str(order.id), f"dispute:{dispute.id}"}
    assert [given.asks for _, given in found.given] == [False, True]


async def test_a_look_leaves_the_buyers_words_where_the_staff_wrote_over_them(shop, shopify, clock):
    order = shop.buys("Ring twice", at=clock.now - DAY)
    assert len((await shopify.look([str(order.id)], clock.now)).messages) == 1
    shop.changes(order.id, note="Customer called, wants blue")
    found = await shopify.look([str(order.id)], clock.now)

    assert [t.id for t in found.threads] == [str(order.id)]
    assert found.messages == ()


async def test_a_token_of_the_day_is_renewed_when_it_ends(shop, opened, clock):
    shop.buys("Ring twice", at=clock.now - MINUTE)
    account = opened(access_token=None, client_id=shop.client_id)
    await account.fetch("orders", None, None, clock.now)
    shop.grant()  # somebody else of the app asked: ours ends
    found = await account.fetch("orders", None, None, clock.now)

    assert len(found.messages) == 1
    assert shop.granted == 3


async def test_credentials_that_are_wrong_are_told_as_such(sandbox, opened, clock):
    account = opened(access_token=None, client_id="x", client_secret="wrong")

    with pytest.raises(BadCredentials, match="invalid_client"):
        await account.fetch("orders", None, None, clock.now)


async def test_a_check_says_what_the_app_may_not_do(shop, opened):
    lines = await opened(shop.add_token(ORDERS), look_back="90d").check()

    assert [line.partition(":")[0] for line in lines] == ["disputes", "look_back"]
    assert await opened().check() == ()
    with pytest.raises(BadCredentials, match="read_orders"):
        await opened(shop.add_token(DISPUTES)).check()


async def test_a_check_tells_another_store_and_another_version(sandbox, shop, opened):
    shop.habits.answered_by = "2027-01"
    assert [line.partition(":")[0] for line in await opened().check()] == ["api_version"]
    with pytest.raises(BadPayload, match="is store right"):
        await opened(store="another.myshopify.com").check()


async def test_without_the_right_to_all_orders_sixty_days_are_shown(shop, read, opened, clock):
    shop.buys("Old", at=clock.now - 61 * DAY)
    account = opened(shop.add_token(ORDERS), look_back="90d")

    assert (await read(by=account)).messages == {}
    assert len((await read(by=opened(look_back="90d"))).messages) == 1
