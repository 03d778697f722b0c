"""Pushes: who is believed, what becomes of what they say, and what of what cannot be read."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import timedelta

import pytest

from connectors.webstore.generic.sandbox import deliveries
from core.pushes import PushRequest
from tests.connectors.webstore.generic.shapes import FLAT, RAW, SHAPES, WHOLE, changed


def signed(body):
    return {"x-lamps-signature": b64encode(hmac.digest(RAW, body, "sha256")).decode()}


def told(number=1, **more):
    payload = {
        "uuid": number,
        "conversation": {"number": 7},
        "author": {"type": "customer", "name": "Ada", "email": "ada@buyers.example"},
        "content": {"text": "Where is it?"},
        "created": 1795176000000,
    }
    return json.dumps({"event": "message.created", "payload": payload | more}).encode()


@pytest.fixture
def take(placed, clock):
    """`await take(body)`: what a push to a store of the first shape becomes."""
    place = placed(FLAT)
    connector = place.opened()

    async def take(body, headers=None, *, method="POST", accounts=None, now=None):
        request = PushRequest(
            method, "/push/webstore/lamps", {}, signed(body) if headers is None else headers, body,
            {"lamps": place.options} if accounts is None else accounts,
        )  # fmt: skip
        return await connector.receive(request, now or clock.now)

    take.options = place.options
    return take


async def test_a_push_is_read_and_has_the_list_read(take, clock):
    receipt = await take(told())

    assert (receipt.status, receipt.outcome) == (200, "stored")
    assert [(m.id, m.body) for m in receipt.pages["lamps"].messages] == [("1", "Where is it?")]
    assert receipt.wake == {"lamps"}
    assert (receipt.pushed.topic, receipt.pushed.published_at) == ("message", clock.now)


@pytest.mark.parametrize("name", SHAPES)
async def test_the_same_message_by_push_and_by_poll_is_one(placed, clock, name):
    place = placed(SHAPES[name])
    asked = place.shop.asks("Where is it?", at=clock.now - timedelta(minutes=5))
    push = place.sandbox.deliveries.push(place.shop, asked)
    told = deliveries.signed(push, clock.now)
    headers = {header.lower(): text for header, text in told.items()}
    request = PushRequest("POST", "/", {}, headers, push.body, {"a": place.options})
    receipt = await place.opened().receive(request, clock.now)
    polled = await place.read()

    assert receipt.outcome == "stored"
    assert {m.id: m for m in receipt.pages["a"].messages} == polled.messages
    assert {t.id: t for t in receipt.pages["a"].threads} == polled.threads


@pytest.mark.parametrize(
    ("spoil", "outcome"),
    [
        (lambda h, b: ({}, b), "no_signature"),
        (lambda h, b: ({"x-lamps-signature": ""}, b), "no_signature"),
        (lambda h, b: ({"x-lamps-signature": "AAAA"}, b), "bad_signature"),
        (lambda h, b: ({"x-lamps-signature": as_hex(b)}, b), "bad_signature"),
        (lambda h, b: (h, json.dumps(json.loads(b), indent=1).encode()), "bad_signature"),
        (lambda h, b: (h, b + b"\n"), "bad_signature"),
    ],
    ids=["none", "empty", "wrong", "hex", "written anew", "one byte more"],
)
async def test_trap_15_what_is_refused_leaves_nothing(take, spoil, outcome):
    headers, body = spoil(signed(told()), told())
    receipt = await take(body, headers)

    assert (receipt.status, receipt.outcome) == (401, outcome)
    assert (receipt.pages, receipt.wake, receipt.pushed) == ({}, frozenset(), None)


def as_hex(body):
    return hmac.new(RAW, body, hashlib.sha256).hexdigest()


async def test_a_replay_is_known_by_what_it_says_whatever_else_it_brings(take, clock):
    first = await take(told())
    replayed = await take(
        told(), signed(told()) | {"x-request-id": "another", "x-delivery": "2"},
        now=clock.now + timedelta(hours=1),
    )  # fmt: skip

    assert replayed.pushed.id == first.pushed.id
    assert (await take(told(2))).pushed.id != first.pushed.id


async def test_what_is_dated_is_refused_when_it_comes_months_late(placed, clock):
    place = placed(WHOLE)
    push = place.sandbox.deliveries.push(place.shop, place.shop.asks())
    headers = {n.lower(): t for n, t in deliveries.signed(push, clock.now).items()}
    request = PushRequest("POST", "/", {}, headers, push.body, {"a": place.options})
    receipt = await place.opened().receive(request, clock.now + timedelta(days=90))

    assert (receipt.status, receipt.outcome, receipt.pages) == (412, "stale", {})


async def test_what_is_not_dated_is_read_when_it_comes_months_late(take, clock):
    receipt = await take(told(), now=clock.now + timedelta(days=90))

    (message,) = receipt.pages["lamps"].messages
    assert message.sent_at == clock.now


async def test_pushes_in_the_wrong_order_are_the_same_thread(take):
    newer = await take(told(2, created=1795176600000, conversation={"number": 7, "topic": "New"}))
    older = await take(told(1, conversation={"number": 7, "topic": "Old"}))

    (after,), (before,) = newer.pages["lamps"].threads, older.pages["lamps"].threads
    assert after.id == before.id
    assert before.as_of < after.as_of


@pytest.mark.parametrize(
    ("body", "outcome", "aside"),
    [
        (b"no json", "unreadable", 1),
        (b"", "unreadable", 1),
        (b"\xff\xfe\x00", "unreadable", 1),
        (b"[" * 100_000, "unreadable", 1),
        (b'{"event": "message.created"}', "unreadable", 1),
        (b'{"event": "message.created", "payload": "text"}', "unreadable", 1),
        (b'{"event": "message.created", "payload": {"x": 1}}', "stored", 1),
        (b'{"event": "message.created", "payload": [1, null]}', "stored", 2),
        (b'{"event": "order.created", "payload": {}}', "unknown_topic", 0),
        (b"{}", "unknown_topic", 0),
        (b"null", "unknown_topic", 0),
    ],
)
async def test_what_is_signed_and_cannot_be_read_is_kept_aside(take, body, outcome, aside):
    receipt = await take(body)

    assert (receipt.status, receipt.outcome) == (200, outcome)
    kept = [one for page in receipt.pages.values() for one in page.set_aside]
    assert len(kept) == aside
    assert not [m for page in receipt.pages.values() for m in page.messages]
    assert all(one.source_id for one in kept)


async def test_a_question_is_no_push(take):
    receipt = await take(b"", method="GET")

    assert (receipt.status, receipt.outcome) == (405, "no_challenge")


async def test_only_the_account_that_it_was_sent_to_gets_it(take, placed):
    other = placed(changed(FLAT, tenant="other")).options
    receipt = await take(told(), accounts={"a": take.options, "b": other})

    assert set(receipt.pages) == {"a"}


async def test_a_store_that_only_pushes_has_nothing_to_be_read(placed, clock):
    place = placed({name: told for name, told in FLAT.items() if name != "poll"})
    request = PushRequest("POST", "/", {}, signed(told()), told(), {"a": place.options})
    receipt = await place.opened().receive(request, clock.now)

    assert set(receipt.pages) == {"a"}
    assert receipt.wake == frozenset()
