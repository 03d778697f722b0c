"""Pushes: who is believed, what a body means, and for which store."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from connectors.webstore.shopify import mapping, offer
from core.pushes import PushRequest

ID = "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"
ORDER = {
    "id": 450789469, "name": "#1001", "note": "Ring twice", "source_name": "web",
    "created_at": "2026-11-20T11:00:00+00:00", "updated_at": "2026-11-20T11:00:05+00:00",
    "email": "ada@buyers.example", "phone": None, "billing_address": {"name": "Ada Sample"},
}  # fmt: skip


def body_of(**more):
    return json.dumps(ORDER | more).encode()


def redaction(domain="store.myshopify.com", **more):
    told = {
        "shop_id": 954889, "shop_domain": domain, "orders_to_redact": [450789469],
        "customer": {"id": 191167, "email": "ada@buyers.example", "phone": "+441234567890"},
    }  # fmt: skip
    return json.dumps(told | more).encode()


def signed(body, secret, now, *, topic=offer.ORDER_CREATED, store="store.myshopify.com", id_=ID):
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {
        "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
        "x-shopify-topic": topic,
        "x-shopify-shop-domain": store,
        "x-shopify-webhook-id": id_,
        "x-shopify-event-id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
        "x-shopify-triggered-at": now.isoformat(),
        "x-shopify-api-version": "2026-10",
    }


@pytest.fixture
def take(opened, optioned, push, shop, clock):
    """`await take(body)`: what a push with this body and these headers becomes."""
    connector, options = opened(**push), optioned(**push)

    async def take(body, headers=None, *, method="POST", accounts=None, **more):
        given = signed(body, shop.client_secret, clock.now, **more) if headers is None else headers
        request = PushRequest(
            method, "/push/webstore/toys", {}, given, body,
            {"toys": options} if accounts is None else accounts,
        )  # fmt: skip
        return await connector.receive(request, clock.now)

    return take


async def test_a_remark_is_stored_as_it_is_pushed_without_a_call(take, sandbox, clock):
    receipt = await take(body_of())

    assert (receipt.status, receipt.outcome) == (200, "stored")
    assert [m.body for m in receipt.pages["toys"].messages] == ["Ring twice"]
    assert receipt.wake == {"toys"}
    assert (receipt.pushed.id, receipt.pushed.topic) == (ID, "orders/create")
    assert receipt.pushed.published_at == clock.now
    assert list(sandbox.heard) == []


@pytest.mark.parametrize(
    ("spoil", "outcome"),
    [
        (lambda h, b: ({}, b), "no_signature"),
        (lambda h, b: ({**h, "x-shopify-hmac-sha256": ""}, b), "no_signature"),
        (lambda h, b: ({**h, "x-shopify-hmac-sha256": "AAAA"}, b), "bad_signature"),
        (lambda h, b: ({**h, "x-shopify-hmac-sha256": "\udcff"}, b), "bad_signature"),
        (lambda h, b: ({**h, "x-shopify-hmac-sha256": as_hex(h)}, b), "bad_signature"),
        (lambda h, b: (h, json.dumps(json.loads(b), indent=1).encode()), "bad_signature"),
        (lambda h, b: (h, b + b" "), "bad_signature"),
    ],
    ids=["none", "empty", "wrong", "no text", "hex", "written anew", "one byte more"],
)
async def test_trap_15_what_is_not_signed_over_its_bytes_is_refused(
    take, shop, clock, spoil, outcome
):
    headers, body = spoil(signed(body_of(), shop.client_secret, clock.now), body_of())
    receipt = await take(body, headers)

    assert (receipt.status, receipt.outcome) == (401, outcome)
    assert (receipt.pages, receipt.wake, receipt.erase) == ({}, frozenset(), ())


def as_hex(headers):
    return base64.b64decode(headers["x-shopify-hmac-sha256"]).hex()


async def test_another_secret_is_refused(take, clock):
    assert (await take(body_of(), signed(body_of(), "another", clock.now))).status == 401


async def test_a_question_is_no_push(take):
    assert (await take(b"", method="GET")).status == 405


async def test_one_address_serves_each_store_of_the_app(take, sandbox, optioned, push):
    other = sandbox.add_shop("books")
    accounts = {
        "toys": optioned(**push), "books": optioned(of=other, **push),
        "foreign": optioned(of=other, **push, client_secret="another app's"),
    }  # fmt: skip
    receipt = await take(body_of(), accounts=accounts, store="books.myshopify.com")

    assert set(receipt.pages) == set(receipt.wake) == {"books"}
    assert receipt.pages["books"].threads[0].url.startswith("https://books.myshopify.com/")


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"store": "nobody.myshopify.com"}, "unknown_account"),
        ({"store": ""}, "unknown_account"),
        ({"topic": "products/update"}, "unknown_topic"),
        ({"topic": ""}, "unknown_topic"),
        ({"topic": offer.REDACT_SHOP}, "unknown_topic"),
        ({"topic": offer.REQUEST_DATA}, "unknown_topic"),
    ],
)
async def test_what_is_none_of_ours_is_acknowledged_and_stored_nowhere(take, more, outcome):
    receipt = await take(body_of(), **more)

    assert (receipt.status, receipt.outcome) == (200, outcome)
    assert (receipt.pages, receipt.wake, receipt.erase) == ({}, frozenset(), ())


@pytest.mark.parametrize(
    ("topic", "placed", "count"),
    [
        (offer.ORDER_CREATED, timedelta(seconds=1), 1),
        (offer.ORDER_CREATED, timedelta(days=3), 1),
        (offer.ORDER_UPDATED, timedelta(minutes=59), 1),
        (offer.ORDER_UPDATED, timedelta(minutes=61), 0),
    ],
)
async def test_a_note_that_changes_later_is_not_the_buyers(take, clock, topic, placed, count):
    made = {"created_at": (clock.now - placed).isoformat(), "updated_at": clock.now.isoformat()}
    receipt = await take(body_of(**made), topic=topic)

    assert len(receipt.pages["toys"].messages) == count
    assert receipt.wake == ({"toys"} if count else frozenset())


async def test_updates_that_come_in_the_wrong_order_do_not_set_the_state_back(take, clock):
    later = (await take(body_of(updated_at="2026-11-20T11:40:00Z"), topic="orders/updated")).pages
    first = (await take(body_of(), topic="orders/create")).pages

    assert first["toys"].threads[0].as_of < later["toys"].threads[0].as_of
    assert first["toys"].messages == later["toys"].messages


async def test_a_dispute_is_looked_at_sooner(take):
    receipt = await take(b'{"id": 1}', topic=offer.DISPUTE_UPDATED)

    assert receipt.wake == set(receipt.pages) == {"toys"}
    assert receipt.pages["toys"].messages == ()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"note": "x"}', b"\xff"])
async def test_what_cannot_be_read_is_acknowledged_and_looked_at(take, body):
    receipt = await take(body)

    assert (receipt.status, receipt.outcome, receipt.wake) == (200, "unreadable", {"toys"})


async def test_a_customer_who_is_to_be_forgotten_is_at_this_store_alone(take):
    receipt = await take(redaction(), topic=offer.REDACT_CUSTOMER)

    assert (receipt.status, receipt.outcome, receipt.erase_in) == (200, "erasure", {"toys"})
    assert receipt.erase[0].ids == {
        "ada@buyers.example", "+441234567890", f"{mapping.CUSTOMER}191167",
        f"{mapping.ORDER}450789469",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (redaction("other.myshopify.com"), "unknown_account"),
        (redaction(orders_to_redact=None), "unreadable"),
        (redaction(orders_to_redact=[], customer=None), "unreadable"),
        (body_of(), "unreadable"),
        (json.dumps({"shop_domain": "store.myshopify.com", "customer": {"id": 1, "email": "a@b.c"},
                     "orders_requested": [1], "data_request": {"id": 9}}).encode(), "unreadable"),
    ],
    ids=["another store's", "no orders", "nobody", "an order", "a data request replayed"],
)  # fmt: skip
async def test_nobody_is_forgotten_whom_a_signed_body_does_not_name_for_this_store(
    take, body, outcome
):
    """Topic and store stand in headers, which are not signed."""
    receipt = await take(body, topic=offer.REDACT_CUSTOMER)

    assert (receipt.status, receipt.outcome, receipt.erase) == (200, outcome, ())


async def test_a_delivery_without_an_id_is_known_by_what_it_says(take):
    receipts = [await take(body_of(note=note), id_="") for note in ("a", "b")]

    assert len({r.pushed.id for r in receipts}) == 2
    assert all(r.pushed.id.startswith("sha256:") for r in receipts)
