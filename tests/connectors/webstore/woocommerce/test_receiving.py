"""Pushes: who is believed, what they mean, and whether the webhooks are there."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.webstore.woocommerce import offer, receiving
from connectors.webstore.woocommerce.sandbox.shop import SYSTEM
from core.errors import BadCredentials
from core.pushes import PushRequest
from tests.connectors.webstore.woocommerce.conftest import SECRET

RECORDED = Path(__file__).parent / "recorded"
DELIVERY = "0123456789abcdef0123456789abcdef"
CHANGED = "2026-11-20T11:59:00"


def told(**more):
    content = json.loads((RECORDED / "push.json").read_text(encoding="utf-8"))
    return json.dumps({**content, "date_modified_gmt": CHANGED, **more}).encode()


def noted(order):
    arg = {"order_id": order, "customer_note": "Words"}
    return json.dumps({"action": "woocommerce_new_customer_note", "arg": arg}).encode()


def signed(body, secret=SECRET, topic=offer.UPDATED):
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {
        "x-wc-webhook-signature": base64.b64encode(digest).decode(),
        "x-wc-webhook-topic": topic,
        "x-wc-webhook-delivery-id": DELIVERY,
    }


@pytest.fixture
def take(opened, optioned, push, clock):
    """`await take(body)`: what a push with this body and these headers becomes."""
    connector, options = opened(**push), optioned(**push)

    async def take(body, headers=None, *, method="POST", accounts=None):
        request = PushRequest(
            method, "/push/webstore/toys", {}, signed(body) if headers is None else headers, body,
            {"toys": options} if accounts is None else accounts,
        )  # fmt: skip
        return await connector.receive(request, clock.now)

    return take


async def test_an_order_is_read_from_the_push_itself(sandbox, take):
    receipt = await take(told())

    assert (receipt.status, receipt.outcome) == (200, "stored")
    (message,) = receipt.pages["toys"].messages
    assert (message.id, message.body) == (
        "order-727", "Please leave it at the neighbour's, no. 3.\r\nThanks!",
    )  # fmt: skip
    assert receipt.wake == {"toys"}
    assert receipt.pushed.topic == offer.UPDATED
    assert receipt.pushed.published_at.isoformat() == f"{CHANGED}+00:00"
    assert list(sandbox.heard) == []


async def test_an_order_without_a_remark_only_wakes_the_walk(take):
    receipt = await take(told(customer_note=""))

    assert receipt.pages["toys"].threads == ()
    assert receipt.wake == {"toys"}


@pytest.mark.parametrize(
    ("spoil", "outcome"),
    [
        (lambda h, b: ({}, b), "no_signature"),
        (lambda h, b: ({**h, receiving.SIGNATURE: ""}, b), "no_signature"),
        (lambda h, b: ({**h, receiving.SIGNATURE: "AAAA"}, b), "bad_signature"),
        (lambda h, b: ({**h, receiving.SIGNATURE: "\udcff"}, b), "bad_signature"),
        (lambda h, b: ({**h, receiving.SIGNATURE: as_hex(h)}, b), "bad_signature"),
        (lambda h, b: ({**h, receiving.SIGNATURE: f"sha256={h[receiving.SIGNATURE]}"}, b),
         "bad_signature"),
        (lambda h, b: (signed(b, "another"), b), "bad_signature"),
        (lambda h, b: (h, json.dumps(json.loads(b), indent=1).encode()), "bad_signature"),
        (lambda h, b: (h, b + b" "), "bad_signature"),
    ],
    ids=["none", "empty", "wrong", "no text", "hex", "prefixed", "another secret",
         "written anew", "one byte more"],
)  # fmt: skip
async def test_trap_15_what_is_not_signed_over_its_bytes_is_refused(sandbox, take, spoil, outcome):
    body = told()
    headers, body = spoil(signed(body), body)
    receipt = await take(body, headers)

    assert (receipt.status, receipt.outcome) == (401, outcome)
    assert receipt.pages == {}
    assert receipt.wake == frozenset()
    assert list(sandbox.heard) == []


def as_hex(headers):
    return base64.b64decode(headers[receiving.SIGNATURE]).hex()


@pytest.mark.parametrize("body", [b"webhook_id=143", b"webhook_id=1\n"])
async def test_the_ping_of_a_webhook_that_is_saved_is_answered_and_means_nothing(take, body):
    receipt = await take(body, {"content-type": "application/x-www-form-urlencoded"})

    assert (receipt.status, receipt.outcome) == (200, "challenge")
    assert (receipt.pages, receipt.wake, receipt.pushed) == ({}, frozenset(), None)


@pytest.mark.parametrize("body", [b"webhook_id=", b"webhook_id=1&id=2", b"x=1", b"", b"{}"])
async def test_what_only_looks_like_a_ping_is_refused(take, body):
    assert (await take(body, {})).status == 401


async def test_two_pushes_of_one_second_are_two(take):
    first, other = await take(told()), await take(told(id=728))
    again = await take(told())

    assert first.pushed.id != other.pushed.id
    assert first.pushed.id == again.pushed.id


@pytest.mark.parametrize("days", [7, 90])
async def test_a_state_that_is_months_old_is_not_believed(take, clock, days):
    at = (clock.now - timedelta(days=days)).replace(tzinfo=None)
    receipt = await take(told(date_modified_gmt=at.isoformat()))

    assert (receipt.status, receipt.outcome) == (200, "stale")
    assert (receipt.pages, receipt.wake) == ({}, frozenset())


async def test_hours_of_wp_cron_are_no_age(take, clock):
    at = (clock.now - timedelta(hours=30)).replace(tzinfo=None)

    assert (await take(told(date_modified_gmt=at.isoformat()))).outcome == "stored"


@pytest.mark.parametrize(
    ("body", "topic", "outcome"),
    [
        (b"no json", offer.UPDATED, "unreadable"),
        (b"[]", offer.UPDATED, "unreadable"),
        (b'{"id":1}', offer.UPDATED, "unreadable"),
        (b'{"id":"x"}', offer.CREATED, "unreadable"),
        (b'{"action":"x","arg":7}', offer.NOTED, "unreadable"),
        (told(), "product.updated", "unknown_topic"),
        (told(), "", "unknown_topic"),
    ],
)
async def test_what_says_nothing_to_us_is_acknowledged_and_counted(take, body, topic, outcome):
    receipt = await take(body, signed(body, topic=topic))

    assert (receipt.status, receipt.outcome) == (200, outcome)
    assert receipt.pages == {}


async def test_a_question_is_no_push(take):
    assert (await take(b"", method="GET")).status == receiving.NO_SUCH_METHOD


async def test_every_account_of_the_shop_learns_of_it(take, optioned, push):
    ours = optioned(**push)
    other = optioned(**push, base_url="https://other.example")
    receipt = await take(told(), accounts={"a": ours, "b": ours, "c": other})

    assert set(receipt.pages) == {"a", "b"}


# Notes


async def test_that_somebody_wrote_to_a_buyer_has_the_notes_read(shop, take):
    order = shop.add_order("Gift, please")
    shop.note(order.id, "Gladly.")
    body = noted(order.id)
    receipt = await take(body, signed(body, topic=offer.NOTED))

    assert sorted(m.body for m in receipt.pages["toys"].messages) == ["Gift, please", "Gladly."]
    assert receipt.pushed.topic == offer.NOTED


async def test_what_a_push_says_of_a_note_is_not_believed(shop, take):
    order = shop.add_order("Gift, please")
    shop.note(order.id, "Thank you for your order!", author=SYSTEM)
    body = noted(order.id)
    receipt = await take(body, signed(body, topic=offer.NOTED))

    assert "Words" not in {m.body for m in receipt.pages["toys"].messages}


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_trap_14_notes_that_cannot_be_read_now_do_not_count_as_a_failure(
    sandbox, shop, take, status
):
    order = shop.add_order("Gift, please")
    sandbox.faults.order("status", status=status)
    body = noted(order.id)
    receipt = await take(body, signed(body, topic=offer.NOTED))

    assert (receipt.status, receipt.outcome) == (200, "failed")
    assert receipt.wake == {"toys"}


# Whether the webhooks are there


async def test_trap_14_a_webhook_that_was_switched_off_or_removed_is_told(
    shop, opened, push, clock
):
    connector = opened(**push)

    async def troubles():
        return (await connector.fetch("hooks", None, None, clock.now)).pushes

    assert await troubles() == ("destination_missing",)
    first = shop.add_hook(offer.CREATED, push["push"]["endpoint"], SECRET)
    assert await troubles() == ("subscription_missing",)
    for topic in (offer.UPDATED, offer.NOTED):
        shop.add_hook(topic, push["push"]["endpoint"], SECRET)
    assert await troubles() == ()
    for status in ("disabled", "paused"):
        first.status = status
        assert await troubles() == ("destination_disabled",)
    first.url = "https://elsewhere.example/"
    assert await troubles() == ("subscription_missing",)


async def test_a_key_that_may_not_read_webhooks_costs_only_that_stream(
    sandbox, opened, push, clock
):
    sandbox.faults.order("status", status=403, operation="hooks")
    with pytest.raises(BadCredentials) as caught:
        await opened(**push).fetch("hooks", None, None, clock.now)
    assert caught.value.alone


async def test_more_webhooks_than_a_page_holds_are_looked_through(shop, opened, push, clock):
    for number in range(105):
        shop.add_hook("product.updated", f"https://{number}.example/", "s")
    for topic in offer.TOPICS:
        shop.add_hook(topic, push["push"]["endpoint"], SECRET)

    assert (await opened(**push).fetch("hooks", None, None, clock.now)).pushes == ()


async def test_subscribing_makes_mends_and_leaves(shop, opened, push, clock):
    connector, endpoint = opened(**push), push["push"]["endpoint"]

    async def states():
        lines = [line async for line in connector.subscribe(None, clock.now)]
        assert SECRET not in "".join(lines)
        return [line.partition(f"{endpoint}: ")[2] for line in lines]

    assert await states() == ["registered now"] * 3
    assert [(one.topic, one.url, one.secret, one.status) for one in shop.hooks.values()] == [
        (topic, endpoint, SECRET, "active") for topic in offer.TOPICS
    ]
    assert await states() == ["registered"] * 3
    shop.hooks[next(iter(shop.hooks))].status = "disabled"
    for hook in shop.hooks.values():
        hook.secret = "an older one"
    assert await states() == ["switched on again", "registered", "registered"]
    assert {(one.status, one.secret) for one in shop.hooks.values()} == {("active", SECRET)}
    assert len(shop.hooks) == 3
