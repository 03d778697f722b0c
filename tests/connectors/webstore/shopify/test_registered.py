"""Subscriptions: made once, read back, told when Shopify removed them."""

from __future__ import annotations

import json

import pytest

from connectors.webstore.shopify import offer, registered
from connectors.webstore.shopify.sandbox.shop import DISPUTES, ORDERS
from core.errors import Refused
from tests.connectors.webstore.shopify.conftest import ENDPOINT


async def lines(connector, now):
    return [line async for line in connector.subscribe(None, now)]


async def troubles(connector, now):
    return (await connector.fetch("hooks", None, None, now)).pushes


async def test_what_is_wanted_is_subscribed_to_once(shop, opened, push, clock):
    account = opened(**push)
    first, again = await lines(account, clock.now), await lines(account, clock.now)

    assert [hook.topic for hook in shop.hooks.values()] == list(offer.wanted(account._options))
    assert [line.partition(": ")[2] for line in first[:4]] == ["subscribed now"] * 4
    assert [line.partition(": ")[2] for line in again[:4]] == ["subscribed"] * 4
    assert "customers/redact" in again[4]
    assert ENDPOINT in again[4]
    assert await troubles(account, clock.now) == ()


async def test_of_an_order_no_more_is_told_than_is_read(shop, opened, push, clock, sandbox):
    await lines(opened(**push), clock.now)
    shop.buys("Ring twice")
    told = json.loads(sandbox.deliveries.made[0].body)

    assert set(told) == set(registered.FIELDS)


async def test_trap_14_a_subscription_that_was_removed_is_told(shop, opened, push, clock):
    account = opened(**push)
    assert await troubles(account, clock.now) == ("destination_missing",)
    await lines(account, clock.now)
    gone = next(number for number, hook in shop.hooks.items() if hook.topic == "orders/updated")
    del shop.hooks[gone]
    assert await troubles(account, clock.now) == ("subscription_missing",)
    assert (await lines(account, clock.now))[1] == "orders/updated: subscribed now"
    assert await troubles(account, clock.now) == ()


async def test_another_address_is_not_ours(shop, opened, push, clock):
    for topic in offer.ABOUT_ORDERS:
        shop.subscribe(topic, "https://elsewhere.example/hook")

    assert await troubles(opened(**push), clock.now) == ("destination_missing",)


async def test_a_store_without_disputes_is_not_subscribed_to_them(shop, opened, push, clock):
    account = opened(shop.add_token(ORDERS), disputes=False, **push)
    await lines(account, clock.now)

    assert {hook.topic for hook in shop.hooks.values()} == set(offer.ABOUT_ORDERS)
    assert await troubles(account, clock.now) == ()


async def test_what_shopify_does_not_want_says_why(shop, opened, push, clock):
    account = opened(shop.add_token(ORDERS, DISPUTES), **push)

    with pytest.raises(Refused, match="Invalid topic"):
        await account._api.add_hook("NO_SUCH_TOPIC", {"uri": ENDPOINT})
