"""Pushes: who is believed, what is read of what they name, and what comes when it cannot be."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from connectors.webstore.bigcommerce import offer, receiving
from core.pushes import PushRequest
from core.transport import webhooks

ID = "msg_1_2"


def told(order=250, **more):
    content = json.loads(
        '{"scope":"store/order/message/created","store_id":"1001","producer":"stores/store",'
        '"data":{"type":"order","id":0,"message":{"order_message_id":3}},"hash":"x"}'
    )
    content["data"]["id"] = order
    return json.dumps(content | more).encode()


def signed(body, secret, now, *, id_=ID):
    second = str(int(now.timestamp()))
    digest = hmac.new(secret.encode(), f"{id_}.{second}.".encode() + body, hashlib.sha256).digest()
    told = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": id_, "webhook-timestamp": second, "webhook-signature": told}


@pytest.fixture
def order(store):
    made = store.add_order()
    store.customer_writes(made.id, "Where is it?")
    return made


@pytest.fixture
def take(opened, optioned, push, store, clock):
    """`await take(body)`: what a push with this body and these headers becomes."""
    connector, options = opened(**push), optioned(**push)

    async def take(body, headers=None, *, method="POST", accounts=None):
        given = signed(body, store.client_secret, clock.now) if headers is None else headers
        request = PushRequest(
            method, "/push/webstore/toys", {}, given, body,
            {"toys": options} if accounts is None else accounts,
        )  # fmt: skip
        return await connector.receive(request, clock.now)

    return take


async def test_a_push_is_read_before_it_is_acknowledged(take, order, clock):
    receipt = await take(told(order.id))

    assert (receipt.status, receipt.outcome) == (200, "stored")
    assert [m.body for m in receipt.pages["toys"].messages] == ["Where is it?"]
    assert receipt.wake == {"toys"}
    assert receipt.pushed.id == ID
    assert receipt.pushed.topic == offer.CREATED
    assert receipt.pushed.published_at == clock.now


async def test_trap_15_our_signature_is_that_of_the_standard_over_the_raw_bytes(store, clock):
    body = told()
    headers = signed(body, store.client_secret, clock.now)

    assert webhooks.holds(store.client_secret.encode(), headers, body)


@pytest.mark.parametrize(
    ("spoil", "status", "outcome"),
    [
        (lambda h, b: ({}, b), 401, "no_signature"),
        (lambda h, b: ({**h, "webhook-signature": ""}, b), 401, "no_signature"),
        (lambda h, b: ({**h, "webhook-id": ""}, b), 401, "no_signature"),
        (lambda h, b: ({**h, "webhook-signature": "v1,AAAA"}, b), 401, "bad_signature"),
        (lambda h, b: ({**h, "webhook-signature": "\udcff"}, b), 401, "bad_signature"),
        (lambda h, b: ({**h, "webhook-id": "another"}, b), 401, "bad_signature"),
        (lambda h, b: ({**h, "webhook-timestamp": "0"}, b), 401, "bad_signature"),
        (lambda h, b: ({**h, "webhook-signature": as_hex(h)}, b), 401, "bad_signature"),
        (lambda h, b: ({**h, "webhook-signature": h["webhook-signature"][3:]}, b), 401,
         "bad_signature"),
        (lambda h, b: (h, json.dumps(json.loads(b), indent=1).encode()), 401, "bad_signature"),
        (lambda h, b: (h, b + b" "), 401, "bad_signature"),
    ],
    ids=["none", "empty", "no id", "wrong", "no text", "other id", "other time", "hex",
         "no version", "written anew", "one byte more"],
)  # fmt: skip
async def test_trap_15_what_is_not_signed_over_its_bytes_is_refused(
    sandbox, take, order, store, clock, spoil, status, outcome
):
    body = told(order.id)
    headers, body = spoil(signed(body, store.client_secret, clock.now), body)
    receipt = await take(body, headers)

    assert (receipt.status, receipt.outcome) == (status, outcome)
    assert receipt.pages == {}
    assert receipt.wake == frozenset()
    assert list(sandbox.heard) == []


def as_hex(headers):
    digest = base64.b64decode(headers["webhook-signature"].removeprefix("v1,"))
    return f"v1,{digest.hex()}"


async def test_another_secret_is_refused(take, order, clock):
    body = told(order.id)
    receipt = await take(body, signed(body, "another", clock.now))

    assert receipt.outcome == "bad_signature"


@pytest.mark.parametrize("away", [timedelta(minutes=6), timedelta(days=90), -timedelta(minutes=6)])
async def test_a_replay_is_refused_however_well_it_is_signed(take, order, store, clock, away):
    body = told(order.id)
    receipt = await take(body, signed(body, store.client_secret, clock.now - away))

    assert (receipt.status, receipt.outcome) == (412, "stale")


async def test_one_of_several_signatures_is_enough(take, order, store, clock):
    body = told(order.id)
    headers = signed(body, store.client_secret, clock.now)
    headers["webhook-signature"] = f"v1,AAAA {headers['webhook-signature']}"

    assert (await take(body, headers)).outcome == "stored"


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"no json", "unreadable"),
        (b"[]", "unreadable"),
        (told(scope="store/order/updated"), "unknown_topic"),
        (told(producer="stores/another"), "unknown_account"),
        (told(data=None), "unreadable"),
        (told(data={"id": "x"}), "unreadable"),
    ],
)
async def test_what_says_nothing_to_us_is_acknowledged_and_counted(take, sandbox, body, outcome):
    receipt = await take(body)

    assert (receipt.status, receipt.outcome) == (200, outcome)
    assert receipt.pages == {}
    assert list(sandbox.heard) == []


async def test_an_order_that_is_gone_is_acknowledged_with_nothing(take):
    receipt = await take(told(999))

    assert receipt.status == 200
    assert receipt.pages["toys"].messages == ()


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_what_cannot_be_read_now_comes_again(take, sandbox, order, status):
    sandbox.faults.order("status", status=status)
    receipt = await take(told(order.id))

    assert (receipt.status, receipt.outcome) == (503, "failed")
    assert receipt.pushed is None


async def test_a_question_is_no_push(take):
    assert (await take(b"", method="GET")).status == receiving.NO_SUCH_METHOD


async def test_every_account_of_the_store_learns_of_it(take, optioned, push, order):
    ours, other = optioned(**push), optioned(**push, store_hash="other")
    receipt = await take(told(order.id), accounts={"a": ours, "b": ours, "c": other})

    assert set(receipt.pages) == {"a", "b"}


# Whether the webhook is there


async def test_trap_14_a_webhook_that_was_switched_off_or_removed_is_told(
    store, opened, push, clock
):
    connector = opened(**push)

    async def troubles():
        return (await connector.fetch("hooks", None, None, clock.now)).pushes

    assert await troubles() == ("destination_missing",)
    hook = store.add_hook(offer.CREATED, push["push"]["endpoint"])
    assert await troubles() == ()
    hook.is_active = False
    assert await troubles() == ("destination_disabled",)
    hook.is_active, hook.destination = True, "https://elsewhere.example/"
    assert await troubles() == ("destination_missing",)


async def test_subscribing_makes_mends_and_leaves(store, opened, push, clock):
    connector = opened(**push)

    async def lines():
        return [line async for line in connector.subscribe(None, clock.now)]

    endpoint = push["push"]["endpoint"]
    assert await lines() == [f"webhook {endpoint}: registered now; it may take a minute to work"]
    (hook,) = store.hooks.values()
    assert (hook.scope, hook.destination, hook.is_active) == (offer.CREATED, endpoint, True)
    assert await lines() == [f"webhook {endpoint}: registered"]
    hook.is_active = False
    assert await lines() == [f"webhook {endpoint}: switched on again; it may take a minute to work"]
    assert hook.is_active
    assert len(store.hooks) == 1
