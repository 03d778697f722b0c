"""Whatever happens to one part of a list, nothing crashes and its neighbours are read."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from connectors.webstore.prestashop import local_time, mapping
from connectors.webstore.prestashop.mapping import Read
from connectors.webstore.prestashop.payload import Rows, ThreadRows
from core.errors import BadPayload
from core.transport import answers, salvage
from tests.connectors.spoiling import anything, changed, places

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
RECORDED = Path(__file__).parent / "recorded"
ROWS = json.loads((RECORDED / "customer_messages.json").read_text())
THREADS = json.loads((RECORDED / "customer_threads.json").read_text())
JSON = anything("0", "1", "0000-00-00 00:00:00", "closed", "<br>")
IN_A_ROW = [p for p in places(ROWS["customer_messages"][:3]) if p]
IN_A_THREAD = [p for p in places(THREADS["customer_threads"][:1]) if p]


def page(rows, threads):
    read = salvage.read(Rows, deepcopy(rows)).value
    of = salvage.read(ThreadRows, deepcopy(threads)).value
    known = {one.id: one for one in of.customer_threads}
    return mapping.page(Read(tuple(read.customer_messages), known, {}, PARIS), NOW)


@settings(max_examples=400)
@given(st.sampled_from(IN_A_ROW), JSON, st.booleans())
def test_whatever_one_row_is_the_others_are_read(path, value, drop):
    found = page(changed(ROWS, ("customer_messages", *path), value, drop=drop), THREADS)

    assert "Do you ship to Lisbon?" in {m.body for m in found.messages}
    assert {m.thread for m in found.messages} <= {t.id for t in found.threads}
    assert len({m.id for m in found.messages}) == len(found.messages)


@settings(max_examples=300)
@given(st.sampled_from(IN_A_THREAD), JSON, st.booleans())
def test_whatever_one_thread_is_the_other_is_read(path, value, drop):
    found = page(ROWS, changed(THREADS, ("customer_threads", *path), value, drop=drop))

    assert "78" in {t.id for t in found.threads}
    assert "Do you ship to Lisbon?" in {m.body for m in found.messages}


@settings(max_examples=200)
@given(st.text(max_size=60), st.sampled_from(["Europe/Paris", "Asia/Tokyo"]))
def test_no_text_is_a_date_that_crashes(text, zone):
    found = local_time.instant(text, ZoneInfo(zone))

    assert found is None or found.tzinfo is UTC


def says_nothing(body):
    """Whether it is how an empty list is written, in whatever charset."""
    return body.replace(b"\0", b"").strip() in {b"[]", b"{}"}


@settings(max_examples=200)
@given(st.binary(max_size=200) | st.text().map(lambda text: json.dumps(text).encode()))
def test_whatever_bytes_come_the_error_is_one_of_ours(body):
    assume(not says_nothing(body))
    with pytest.raises(BadPayload, match=r"^customer_messages: "):
        answers.salvaged(answers.Answer(200, {}, body), Rows, "customer_messages", ("id",))
