"""Whatever happens to one part of a list, nothing crashes and its neighbours are read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.webstore.woocommerce import mapping, offer, receiving
from connectors.webstore.woocommerce.mapping import Read
from connectors.webstore.woocommerce.options import WooCommerceOptions
from connectors.webstore.woocommerce.payload import Notes, Orders
from core.errors import BadPayload
from core.pushes import PushRequest, Receipt
from core.transport import answers, salvage
from tests.connectors.spoiling import anything, changed, places

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RECORDED = Path(__file__).parent / "recorded"
NOTES = {"items": json.loads((RECORDED / "notes.json").read_text(encoding="utf-8"))}
ORDERS = {"items": json.loads((RECORDED / "orders.json").read_text(encoding="utf-8"))}
PUSH = json.loads((RECORDED / "push.json").read_text(encoding="utf-8"))
JSON = anything("system", "checkout-draft", "2026-11-05T09:15:30", "+33478000000")
IN_A_NOTE = [p for p in places(NOTES["items"][:1]) if p]
IN_AN_ORDER = [p for p in places(ORDERS["items"][:1]) if p]
OPTIONS = WooCommerceOptions(
    kind="woocommerce", base_url="https://shop.example", consumer_key="k", consumer_secret="s",
    push={"endpoint": "https://push.shop.example/", "secret": "s"},
)  # fmt: skip


def page(notes, orders):
    told = salvage.read(Notes, deepcopy(notes)).value
    of = salvage.read(Orders, deepcopy(orders)).value
    read = [Read(one, tuple(told.items)) for one in of.items]
    assert all(isinstance(mapping.waits(one), bool) for one in read)
    return mapping.page(read, "https://shop.example", NOW)


@settings(max_examples=300)
@given(st.sampled_from(IN_A_NOTE), JSON, st.booleans())
def test_whatever_one_note_is_the_others_are_read(path, value, drop):
    found = page(changed(NOTES, ("items", *path), value, drop=drop), ORDERS)

    assert "Carrier asked; they can." in {m.body for m in found.messages}
    assert {m.thread for m in found.messages} <= {t.id for t in found.threads}


@settings(max_examples=300)
@given(st.sampled_from(IN_AN_ORDER), JSON, st.booleans())
def test_whatever_one_order_is_the_other_is_read(path, value, drop):
    found = page(NOTES, changed(ORDERS, ("items", *path), value, drop=drop))

    assert "729" in {t.id for t in found.threads}


def pushed(body, topic):
    digest = hmac.new(b"s", body, hashlib.sha256).digest()
    headers = {
        receiving.SIGNATURE: base64.b64encode(digest).decode(), receiving.TOPIC: topic,
        receiving.DELIVERY: "x",
    }  # fmt: skip
    request = PushRequest("POST", "/", {}, headers, body, {"toys": OPTIONS})
    return receiving.receive(request, OPTIONS, OPTIONS.push, NOW)


@settings(max_examples=300)
@given(st.sampled_from([p for p in places(PUSH) if p]), JSON, st.booleans(),
       st.sampled_from([*offer.TOPICS, "x"]))  # fmt: skip
def test_whatever_is_pushed_it_is_answered(path, value, drop, topic):
    found = pushed(json.dumps(changed(PUSH, path, value, drop=drop)).encode(), topic)

    assert isinstance(found, receiving.Asked) or found.status == 200


@settings(max_examples=200)
@given(st.binary(max_size=100), st.dictionaries(st.sampled_from(
    [receiving.SIGNATURE, receiving.TOPIC, receiving.DELIVERY]), st.text(max_size=40)))  # fmt: skip
def test_whatever_is_sent_without_the_secret_is_stored_nowhere(body, headers):
    request = PushRequest("POST", "/", {}, headers, body, {"toys": OPTIONS})
    found = receiving.receive(request, OPTIONS, OPTIONS.push, NOW)

    assert isinstance(found, Receipt)
    assert (found.pages, found.wake) == ({}, frozenset())
    assert found.status == 401 or found.outcome == "challenge"


@settings(max_examples=200)
@given(st.binary(max_size=200).filter(lambda body: b"]" not in body))
def test_whatever_bytes_come_the_error_is_one_of_ours(body):
    with pytest.raises(BadPayload, match=r"^orders: "):
        answers.salvaged(answers.Answer(200, {}, b'{"items":' + body), Orders, "orders", ("id",))
