"""Whatever happens to one part of a list, nothing crashes and its neighbours are read."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.webstore.magento import faults, mapping
from connectors.webstore.magento.mapping import Habits
from connectors.webstore.magento.payload import Orders
from core.errors import BadCredentials, BadPayload, ConnectorError
from core.transport import answers, salvage
from tests.connectors.spoiling import anything, changed, places

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ORDERS = json.loads(
    (Path(__file__).parent / "recorded" / "orders.json").read_text(encoding="utf-8")
)
JSON = anything("1", "2026-11-05 09:15:30", "+33478000000", "Captured amount", 1, 2)
IN_AN_ORDER = [p for p in places(ORDERS["items"][:1]) if p]
IN_A_COMMENT = [p for p in places(ORDERS["items"][0]["status_histories"][:1]) if p]
HABITS = Habits("^Gracias", staff_orders=False)


def page(told):
    got = salvage.read(Orders, deepcopy(told), ("entity_id",)).value
    items = got.items or []
    assert all(isinstance(mapping.waits(one, HABITS), bool) for one in items)
    return mapping.page(items, HABITS, NOW)


@settings(max_examples=300)
@given(st.sampled_from(IN_AN_ORDER), JSON, st.booleans())
def test_whatever_one_order_is_the_other_is_read(path, value, drop):
    found = page(changed(ORDERS, ("items", *path), value, drop=drop))

    assert "43" in {t.id for t in found.threads}
    assert {m.thread for m in found.messages} <= {t.id for t in found.threads}


@settings(max_examples=300)
@given(st.sampled_from(IN_A_COMMENT), JSON, st.booleans())
def test_whatever_one_comment_is_the_others_are_read(path, value, drop):
    place = ("items", 0, "status_histories", *path)
    found = page(changed(ORDERS, place, value, drop=drop))

    assert "Carrier asked; they can." in {m.body for m in found.messages}


@settings(max_examples=200)
@given(st.binary(max_size=200).filter(lambda body: b"}" not in body))
def test_whatever_bytes_come_the_error_is_one_of_ours(body):
    with pytest.raises(BadPayload, match=r"^orders: "):
        answers.salvaged(answers.Answer(200, {}, b'{"items":' + body), Orders, "orders", ("id",))


@settings(max_examples=200)
@given(st.binary(max_size=60), st.sampled_from(["401", "403", "404", "400", "not_json"]))
def test_whatever_an_error_says_it_is_told_without_its_words(raw, detail):
    kind = BadCredentials if detail in {"401", "403"} else BadPayload
    for tell in (faults.reading, faults.before_sending):
        found = tell(kind("orders: no", raw=raw, detail=detail), "orders")
        assert isinstance(found, ConnectorError)
        assert len(str(found)) < 400
