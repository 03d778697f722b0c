"""How our address and our subscription stand at eBay."""

from __future__ import annotations

import pytest

from connectors.ebay.push import registered
from connectors.ebay.push.pushes import Pushes
from connectors.ebay.sandbox.destinations import Destination, Subscription
from core.errors import BadCredentials, BadPayload
from tests.connectors.ebay.conftest import NOON
from tests.connectors.ebay.push.conftest import TOKEN


@pytest.fixture
def set_up(seller, endpoint):
    """An application that pushes the seller's messages to our address."""
    subscribed = seller.application.subscribed
    place = Destination("D1", "replyby", endpoint.url, TOKEN)
    topic = Subscription("S1", "NEW_MESSAGE", seller, "D1", "1.0", NOON)
    subscribed.destinations["D1"], subscribed.subscriptions["S1"] = place, topic
    return subscribed


@pytest.fixture
def troubles(pushes):
    async def troubles():
        return (await pushes.fetch(None, None, NOON)).pushes

    return troubles


async def test_all_is_well(troubles, set_up):
    assert await troubles() == ()


@pytest.mark.parametrize(
    ("status", "trouble"),
    [("DISABLED", ("destination_disabled",)), ("MARKED_DOWN", ("destination_down",)),
     ("OF_TOMORROW", ())],
)  # fmt: skip
async def test_an_address_that_gets_nothing_is_told(troubles, set_up, status, trouble):
    set_up.destinations["D1"].status = status

    assert await troubles() == trouble


async def test_an_address_that_is_not_registered_is_told(troubles, set_up):
    set_up.destinations["D1"].endpoint += "/"

    assert await troubles() == ("destination_missing",)


async def test_a_subscription_that_is_gone_is_told(troubles, set_up):
    set_up.subscriptions.clear()

    assert await troubles() == ("subscription_missing",)


async def test_a_subscription_that_is_switched_off_is_told(troubles, set_up):
    set_up.subscriptions["S1"].status = "DISABLED"

    assert await troubles() == ("subscription_disabled",)


async def test_a_subscription_to_another_address_is_none(troubles, set_up, endpoint):
    set_up.destinations["D2"] = Destination("D2", "other", "https://other.example/", TOKEN)
    set_up.subscriptions["S1"].destination = "D2"

    assert await troubles() == ("subscription_missing",)


async def test_a_subscription_of_another_seller_is_none_of_ours(troubles, set_up, sandbox):
    set_up.subscriptions["S1"].seller = sandbox.market.add_seller("shop-z")

    assert await troubles() == ("subscription_missing",)


async def test_an_error_is_never_a_missing_subscription(troubles, set_up, sandbox):
    sandbox.faults.order("status", operation="getSubscriptions", status=403)

    with pytest.raises(BadCredentials) as refused:
        await troubles()
    assert refused.value.alone


async def test_every_page_of_a_list_is_read(troubles, set_up, monkeypatch):
    monkeypatch.setattr(registered, "LIMIT", "10")
    mine = set_up.destinations.pop("D1")
    for number in range(25):
        name = f"D{number + 100}"
        set_up.destinations[name] = Destination(name, "x", f"https://x.example/{number}", TOKEN)
    set_up.destinations["D1"] = mine

    assert await troubles() == ()


async def test_a_list_that_does_not_end_is_an_error(troubles, set_up, sandbox, monkeypatch):
    monkeypatch.setattr(registered, "LIMIT", "10")
    monkeypatch.setattr(registered, "MOST_PAGES", 2)
    for number in range(40):
        name = f"D{number + 100}"
        set_up.destinations[name] = Destination(name, "x", f"https://x.example/{number}", TOKEN)

    with pytest.raises(BadPayload):
        await troubles()


async def test_where_trading_reads_nothing_is_asked(access, optioned, endpoint, sandbox):
    push = {"endpoint": endpoint.url, "verification_token": TOKEN}
    pushes = Pushes(access, optioned(messages_by="trading", push=push))

    assert (await pushes.fetch(None, None, NOON)).pushes == ()
    assert list(sandbox.received) == []
