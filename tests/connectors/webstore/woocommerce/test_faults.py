"""What an error of a WordPress means, and what one of something that stands before it."""

from __future__ import annotations

import pytest

from connectors.webstore.woocommerce import connector, faults
from connectors.webstore.woocommerce.sandbox.shop import CLERK, READ
from core.errors import BadCredentials, BadPayload, OutcomeUnknown, Refused, Unreachable


async def test_a_header_that_the_server_does_not_hand_on_is_told(shop, woocommerce):
    shop.habits.hands_on = False

    with pytest.raises(BadCredentials, match="does the server hand on the header") as caught:
        await woocommerce.check()
    assert not caught.value.alone


async def test_a_key_that_nobody_knows_takes_the_account_down(opened):
    with pytest.raises(BadCredentials) as caught:
        await opened(("ck_none", "cs_none")).check()
    assert not caught.value.alone


async def test_a_user_who_may_not_see_orders_blinds_the_stream_alone(shop, opened, clock):
    with pytest.raises(BadCredentials, match="Shop manager") as caught:
        await opened(shop.add_key(role=CLERK)).fetch("orders", None, None, clock.now)
    assert caught.value.alone


async def test_a_firewall_before_the_shop_is_no_bad_key(sandbox, woocommerce, clock):
    sandbox.faults.order("html", status=403)

    with pytest.raises(Unreachable, match="security plugin"):
        await woocommerce.fetch("orders", None, None, clock.now)


async def test_a_page_in_place_of_the_api_says_so(sandbox, woocommerce, clock):
    sandbox.faults.order("html", status=200)

    with pytest.raises(BadPayload, match="maintenance page"):
        await woocommerce.fetch("orders", None, None, clock.now)


async def test_a_shop_with_plain_permalinks_says_which_option_it_needs(shop, opened, clock):
    pretty = opened()
    shop.habits.permalinks = False

    with pytest.raises(BadPayload, match="permalinks = false"):
        await pretty.check()
    assert (await opened().fetch("orders", None, None, clock.now)).cursor


async def test_an_api_that_is_not_there_is_no_order_that_is_gone(sandbox, shop, woocommerce, clock):
    order = shop.add_order("Hello?")
    sandbox.faults.order("html", status=404, operation="order")

    with pytest.raises(BadPayload):
        await woocommerce.look([str(order.id)], clock.now)


async def test_a_key_that_may_only_read_says_so_when_it_writes(shop, opened, read, draft, clock):
    order = shop.add_order("Hello?")
    thread = (await read()).threads[str(order.id)]

    with pytest.raises(BadCredentials, match="Read/Write"):
        await opened(shop.add_key(READ)).reply(thread, draft("Hi!", order.id), clock.now)


async def test_a_firewall_that_takes_no_note_refused_it(
    sandbox, shop, woocommerce, read, draft, clock
):
    order = shop.add_order("Hello?")
    thread = (await read()).threads[str(order.id)]
    sandbox.faults.order("html", status=403, operation="create_note")

    with pytest.raises(Refused, match="security plugin"):
        await woocommerce.reply(thread, draft("Hi!", order.id), clock.now)


async def test_a_page_in_place_of_a_note_leaves_open_whether_it_was_written(
    sandbox, shop, woocommerce, read, draft, clock
):
    order = shop.add_order("Hello?")
    thread = (await read()).threads[str(order.id)]
    sandbox.faults.order("html", status=200, operation="create_note")

    with pytest.raises(OutcomeUnknown, match="not shown"):
        await woocommerce.reply(thread, draft("Hi!", order.id), clock.now)


async def test_a_check_says_that_notes_are_mailed_to_nobody(shop, woocommerce):
    assert list(await woocommerce.check()) == []
    shop.habits.mails = False

    assert list(await woocommerce.check()) == [connector.UNMAILED]


async def test_a_check_says_what_it_could_not_see(sandbox, woocommerce):
    sandbox.faults.order("status", status=403, operation="note_mail")

    assert list(await woocommerce.check()) == [connector.UNSEEN]


def test_no_word_of_wordpress_is_none():
    assert not faults.is_gone(BadPayload("x", raw=b"<html>", detail="404"))
    assert not faults.is_gone(BadPayload("x", raw=b'{"code":"rest_no_route"}', detail="404"))
    gone = b'{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID."}'
    assert faults.is_gone(BadPayload("x", raw=gone, detail="404"))
    assert not faults.is_gone(BadPayload("x", raw=gone, detail="400"))
