"""Whatever happens to one part of a page, nothing crashes and its neighbours are read."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.mirakl import incidents, mapping
from connectors.mirakl.payload import Orders, Threads
from core.errors import BadPayload
from core.transport import answers, salvage
from tests.connectors.spoiling import anything, changed, places

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHOWN = mapping.Shown("https://op.example", labels={"26": "Where is my order?"})
RECORDED = Path(__file__).parent / "recorded"
THREADS = json.loads((RECORDED / "m11.json").read_text())
ORDERS = json.loads((RECORDED / "or11.json").read_text())
NEIGHBOUR = THREADS["data"][-1]["id"]

JSON = anything("SHOP_USER")
IN_FIRST_THREADS = [p for p in places(THREADS["data"][:2]) if p]
IN_AN_ORDER = [p for p in places(ORDERS["orders"]) if p]


@settings(max_examples=400)
@given(st.sampled_from(IN_FIRST_THREADS), JSON, st.booleans())
def test_whatever_one_field_is_the_neighbours_are_read(path, value, drop):
    page = changed(THREADS, ("data", *path), value, drop=drop)
    read = salvage.read(Threads, page)
    found = mapping.page(read.value.data, SHOWN, NOW)

    neighbours = [m for m in found.messages if m.thread == NEIGHBOUR]
    assert [m.body for m in neighbours] == ["Please add photos."]
    assert dict(found.given)[NEIGHBOUR].asks is False
    assert len({m.id for m in found.messages}) == len(found.messages)
    assert {m.thread for m in found.messages} <= {t.id for t in found.threads}
    assert {name for name, _ in found.given} <= {t.id for t in found.threads}


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(IN_FIRST_THREADS), JSON), max_size=4))
def test_several_faults_of_a_page_cost_no_more_than_their_threads(faults):
    page = deepcopy(THREADS)
    for path, value in sorted(faults, key=lambda fault: -len(fault[0])):
        try:
            page = changed(page, ("data", *path), value, drop=False)
        except (LookupError, TypeError):
            continue
    read = salvage.read(Threads, page)
    found = mapping.page(read.value.data, SHOWN, NOW)

    assert NEIGHBOUR in {t.id for t in found.threads}


@settings(max_examples=200)
@given(st.sampled_from(IN_AN_ORDER), JSON, st.booleans())
def test_whatever_one_order_is_the_next_one_is_read(path, value, drop):
    orders = changed(ORDERS, ("orders", *path), value, drop=drop)
    good = deepcopy(ORDERS["orders"][0])
    good["order_id"] = "GOOD-A"
    orders["orders"].append(good)
    read = salvage.read(Orders, orders, ("order_line_id", "order_id"))
    found = incidents.found(read.value.orders, {}, SHOWN, NOW)

    assert incidents.thread_id("GOOD-A", "ORD-1001-A-1") in found.open


@settings(max_examples=200)
@given(st.binary(max_size=200) | st.text().map(lambda text: json.dumps(text).encode()))
def test_whatever_bytes_come_the_error_is_one_of_ours(body):
    answer = answers.Answer(200, {}, body)
    with pytest.raises(BadPayload, match=r"^M11 at op\.example: ") as caught:
        answers.salvaged(answer, Threads, "M11 at op.example", ("id",))

    assert caught.value.raw == body
