"""Whatever happens to one part of a list, nothing crashes and its neighbours are read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.webstore.shopify import disputes, mapping, offer, receiving, refusals
from connectors.webstore.shopify.options import ShopifyOptions
from connectors.webstore.shopify.payload import Disputes, Orders
from core.errors import ConnectorError
from core.pushes import PushRequest
from core.transport import salvage
from tests.connectors.spoiling import anything, changed, places

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
STORE, SECRET = "toys.myshopify.com", "s"
RECORDED = Path(__file__).parent / "recorded"


def recorded(name):
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


ORDERS, DISPUTES = recorded("orders")["data"], recorded("disputes")["data"]
PUSH, REDACTION, THROTTLED = recorded("push"), recorded("redaction"), recorded("throttled")
JSON = anything("WON", "NEEDS_RESPONSE", "2026-11-28", "2026-11-20T11:00:00Z", "pos",
                "gid://shopify/Order/7", "+351210000000")  # fmt: skip
IN_AN_ORDER = [p for p in places(ORDERS["orders"]["nodes"][0]) if p]
IN_A_DISPUTE = [p for p in places(DISPUTES["disputes"]["nodes"][0]) if p]
OPTIONS = ShopifyOptions(
    kind="shopify", store=STORE, access_token="t", client_secret=SECRET,
    push={"endpoint": "https://push.store.example/"},
)  # fmt: skip


@settings(max_examples=400)
@given(st.sampled_from(IN_AN_ORDER), JSON, st.booleans())
def test_whatever_one_order_is_the_other_is_read(path, value, drop):
    told = changed(ORDERS, ("orders", "nodes", 0, *path), value, drop=drop)
    got = salvage.read(Orders, told, ("id",))
    page = mapping.page(got.value.orders.nodes, STORE, NOW)

    assert "Which size fits?" in {m.body for m in page.messages}
    assert {m.thread for m in page.messages} <= {t.id for t in page.threads}


@settings(max_examples=400)
@given(st.sampled_from(IN_A_DISPUTE), JSON, st.booleans())
def test_whatever_one_dispute_is_the_other_is_read(path, value, drop):
    told = changed(DISPUTES, ("disputes", "nodes", 0, *path), value, drop=drop)
    got = salvage.read(Disputes, told, ("id",))
    page = disputes.page(got.value.disputes.nodes, STORE, NOW)

    assert "dispute:670893524" in {t.id for t in page.threads}
    assert {name for name, _ in page.given} <= {t.id for t in page.threads}


@settings(max_examples=300)
@given(JSON)
def test_only_a_documented_word_ends_a_dispute(status):
    told = deepcopy(DISPUTES)
    told["disputes"]["nodes"][0]["status"] = status
    try:
        got = salvage.read(Disputes, told, ("id",))
    except ValidationError:
        return
    page = disputes.page(got.value.disputes.nodes, STORE, NOW)
    asks = [one.asks for name, one in page.given if name == "dispute:598735659"]

    word = status.upper() if isinstance(status, str) else ""
    if word in disputes.KNOWN - {disputes.ASKS}:
        assert asks == [False]
    elif asks:  # what is no word at all goes, or its dispute does
        assert asks[-1]


def pushed(body, topic, **more):
    digest = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    headers = {
        "x-shopify-hmac-sha256": digest, "x-shopify-topic": topic, "x-shopify-shop-domain": STORE,
        "x-shopify-webhook-id": "m", "x-shopify-triggered-at": NOW.isoformat(),
    }  # fmt: skip
    request = PushRequest("POST", "/", {}, headers | more, body, {"toys": OPTIONS})
    return receiving.receive(request, OPTIONS, SECRET, NOW)


@settings(max_examples=400)
@given(
    st.sampled_from([p for p in places(PUSH) if p]), JSON, st.booleans(),
    st.sampled_from(offer.TOPICS),
)  # fmt: skip
def test_whatever_is_pushed_it_is_answered_and_nobody_is_erased(path, value, drop, topic):
    found = pushed(json.dumps(changed(PUSH, path, value, drop=drop)).encode(), topic)

    assert found.status == 200
    assert found.erase == ()


@settings(max_examples=300)
@given(st.sampled_from([p for p in places(REDACTION) if p]), JSON, st.booleans())
def test_whatever_a_redaction_says_it_is_about_this_store_alone(path, value, drop):
    told = changed(REDACTION, path, value, drop=drop)
    found = pushed(json.dumps(told).encode(), offer.REDACT_CUSTOMER)

    assert found.status == 200
    if found.erase:
        assert told["shop_domain"].lower() == STORE
        assert found.erase_in == {"toys"}
        assert all(id_.strip() for member in found.erase for id_ in member.ids)


@settings(max_examples=200)
@given(st.binary(max_size=100), st.dictionaries(st.sampled_from(
    ["x-shopify-hmac-sha256", "x-shopify-topic", "x-shopify-shop-domain"]),
    st.text(max_size=40)))  # fmt: skip
def test_whatever_is_sent_without_the_secret_is_refused(body, headers):
    request = PushRequest("POST", "/", {}, headers, body, {"toys": OPTIONS})

    assert receiving.receive(request, OPTIONS, SECRET, NOW).status == 401


@settings(max_examples=400)
@given(st.sampled_from([p for p in places(THROTTLED) if p]), JSON, st.booleans())
def test_whatever_an_error_says_it_is_one_of_ours_and_quotes_nothing(path, value, drop):
    told = changed(THROTTLED, path, value, drop=drop)
    found = refusals.fault(told, "orders")

    assert found is None or isinstance(found, ConnectorError)
    assert found is not None or not told.get("errors")
