"""Whatever happens to one part of an answer, nothing crashes and its neighbours are read."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.webstore.twilio import mapping, voice
from connectors.webstore.twilio.payload import Calls, Recordings, Texts, Transcriptions
from connectors.webstore.twilio.voice import Heard
from core.transport import salvage
from tests.connectors.spoiling import anything, changed, places
from tests.connectors.webstore.twilio import test_receiving as pushing
from tests.connectors.webstore.twilio.conftest import BUYER
from tests.connectors.webstore.twilio.recorded import told
from tests.connectors.webstore.twilio.test_mapping import NOW, options

TEXTS, CALLS = told("messages"), told("calls")
NEIGHBOUR = TEXTS["messages"][-1]["sid"]
LAST_CALL = CALLS["calls"][-1]["sid"]
JSON = anything("inbound", "outbound-api", "failed", BUYER)
IN_FIRST_TEXTS = [p for p in places(TEXTS["messages"][:2]) if p]
IN_FIRST_CALLS = [p for p in places(CALLS["calls"][:3]) if p]
FIELDS = sorted({*pushing.MESSAGE, *pushing.STATUS, *pushing.CALL, "RecordingSid", "NumMedia",
                 "TranscriptionSid", "MediaUrl0", "ErrorCode", "Body"})  # fmt: skip


def consistent(found):
    assert len({m.id for m in found.messages}) == len(found.messages)
    assert {m.thread for m in found.messages} <= {t.id for t in found.threads}
    for one in (*found.messages, *found.threads):
        json.dumps(one.model_dump(mode="json")).encode()


@settings(max_examples=300)
@given(st.sampled_from(IN_FIRST_TEXTS), JSON, st.booleans())
def test_whatever_one_field_is_the_other_messages_are_read(path, value, drop):
    read = salvage.read(Texts, changed(TEXTS, ("messages", *path), value, drop=drop), ("sid",))
    found = mapping.page(read.value.messages, {}, options(), NOW, read.aside)

    consistent(found)
    if value != NEIGHBOUR:
        (kept,) = [m for m in found.messages if m.id == NEIGHBOUR]
        assert kept.body == "Where is my order?"


@settings(max_examples=300)
@given(st.sampled_from(IN_FIRST_CALLS), JSON, st.booleans())
def test_whatever_one_field_is_the_other_calls_are_read(path, value, drop):
    read = salvage.read(Calls, changed(CALLS, ("calls", *path), value, drop=drop), ("sid",))
    recordings = tuple(Recordings.model_validate(told("recordings")).recordings)
    texts = tuple(Transcriptions.model_validate(told("transcriptions")).transcriptions)
    heard = Heard(tuple(read.value.calls), recordings=recordings, texts=texts)
    found = voice.page(heard, options(), NOW)

    consistent(found)
    assert LAST_CALL in {m.id for m in found.messages}


@settings(max_examples=300)
@given(
    st.sampled_from([pushing.MESSAGE, pushing.STATUS, pushing.CALL]),
    st.dictionaries(
        st.sampled_from(FIELDS),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=150)
        | st.sampled_from(["1", "inbound", "failed", BUYER, "\x00", "21610"]),
        max_size=4,
    ),
)
def test_whatever_is_signed_is_answered(basic, changes):
    fields = {**basic, **changes}
    receipt = pushing.take(fields, body=urlencode(fields).encode())

    assert receipt.status == 200
    for page in receipt.pages.values():
        consistent(page)


@settings(max_examples=200)
@given(st.binary(max_size=200), st.text(max_size=40))
def test_whatever_is_sent_by_a_stranger_is_refused(body, signature):
    receipt = pushing.take(body=body, sign=signature)

    assert (receipt.status, receipt.pages, receipt.wake) == (403, {}, frozenset())
