"""Whatever happens to one part of a list, nothing crashes and its neighbours are read."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.webstore.bigcommerce import mapping, receiving
from connectors.webstore.bigcommerce.mapping import Read
from connectors.webstore.bigcommerce.options import BigCommerceOptions
from connectors.webstore.bigcommerce.payload import Entries, Orders
from core.errors import BadPayload
from core.pushes import PushRequest, Receipt
from core.transport import answers, salvage, webhooks
from tests.connectors.spoiling import anything, changed, places

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RECORDED = Path(__file__).parent / "recorded"
ENTRIES = {"items": json.loads((RECORDED / "order_messages.json").read_text())}
ORDERS = {"items": json.loads((RECORDED / "orders.json").read_text())}
PUSH = json.loads((RECORDED / "push.json").read_text())
JSON = anything("0", "unread", "Thu, 05 Nov 2026 10:15:30 +0000", "+351210000000")
IN_AN_ENTRY = [p for p in places(ENTRIES["items"][:2]) if p]
IN_AN_ORDER = [p for p in places(ORDERS["items"][:1]) if p]
OPTIONS = BigCommerceOptions(
    kind="bigcommerce", store_hash="abc", access_token="t",
    push={"endpoint": "https://push.store.example/", "client_secret": "s"},
)  # fmt: skip


def page(entries, orders):
    told = salvage.read(Entries, deepcopy(entries)).value
    of = salvage.read(Orders, deepcopy(orders)).value
    return mapping.page([Read(one, tuple(told.items)) for one in of.items], NOW)


@settings(max_examples=400)
@given(st.sampled_from(IN_AN_ENTRY), JSON, st.booleans())
def test_whatever_one_message_is_the_others_are_read(path, value, drop):
    found = page(changed(ENTRIES, ("items", *path), value, drop=drop), ORDERS)

    assert "When does it leave?" in {m.body for m in found.messages}
    assert {m.thread for m in found.messages} <= {t.id for t in found.threads}


@settings(max_examples=300)
@given(st.sampled_from(IN_AN_ORDER), JSON, st.booleans())
def test_whatever_one_order_is_the_other_is_read(path, value, drop):
    assert "251" in {
        t.id for t in page(ENTRIES, changed(ORDERS, ("items", *path), value, drop=drop)).threads
    }


def pushed(body):
    second = str(int(NOW.timestamp()))
    headers = {
        "webhook-id": "m", "webhook-timestamp": second,
        "webhook-signature": webhooks.signature(b"s", "m", second, body),
    }  # fmt: skip
    request = PushRequest("POST", "/", {}, headers, body, {"toys": OPTIONS})
    return receiving.receive(request, OPTIONS, OPTIONS.push, NOW)


@settings(max_examples=300)
@given(st.sampled_from([p for p in places(PUSH) if p]), JSON, st.booleans())
def test_whatever_is_pushed_it_is_answered(path, value, drop):
    found = pushed(json.dumps(changed(PUSH, path, value, drop=drop)).encode())

    assert isinstance(found, receiving.Asked) or found.status == 200


@settings(max_examples=200)
@given(st.binary(max_size=100), st.dictionaries(st.sampled_from(
    ["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text(max_size=40)))  # fmt: skip
def test_whatever_is_sent_without_the_secret_is_refused(body, headers):
    request = PushRequest("POST", "/", {}, headers, body, {"toys": OPTIONS})
    found = receiving.receive(request, OPTIONS, OPTIONS.push, NOW)

    assert isinstance(found, Receipt)
    assert found.status == 401


@settings(max_examples=200)
@given(st.binary(max_size=200).filter(lambda body: b"]" not in body))
def test_whatever_bytes_come_the_error_is_one_of_ours(body):
    with pytest.raises(BadPayload, match=r"^orders: "):
        answers.salvaged(answers.Answer(200, {}, b'{"items":' + body), Orders, "orders", ("id",))
