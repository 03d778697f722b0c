"""Whatever happens to one part of a push, nothing crashes and its neighbours are read."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.webstore.meta import envelope
from connectors.webstore.whatsapp import identity, mapping
from core.errors import BadPayload
from tests.connectors.spoiling import anything, changed, places
from tests.connectors.webstore.whatsapp.test_mapping import HOMES, NOW, recorded

JSON = anything("text", "image", "failed", "48600100200")
VALUE = ("entry", 0, "changes", 0, "value")
TYPES, STATUSES = recorded("types"), recorded("statuses")
NEIGHBOUR = identity.message_id("wamid.12")
IN_OTHERS = [
    path for path in places(TYPES["entry"][0]["changes"][0]["value"]["messages"])
    if path and path[0] != 11
]  # fmt: skip
IN_CONTACTS = list(places(TYPES["entry"][0]["changes"][0]["value"]["contacts"]))
IN_STATUSES = list(places(STATUSES["entry"][0]["changes"][0]["value"]["statuses"]))


def told(content):
    body = json.dumps(content).encode()
    return mapping.told(envelope.opened(body), HOMES, "shop", NOW)


@settings(max_examples=400)
@given(st.sampled_from(IN_OTHERS), JSON, st.booleans())
@example(path=(0, "type"), value="\ud800", drop=False)  # a lone half of a sign: no UTF-8 has it
def test_whatever_one_field_is_the_neighbours_are_read(path, value, drop):
    found = told(changed(TYPES, (*VALUE, "messages", *path), value, drop=drop)).pages["shop"]

    assert NEIGHBOUR in {m.id for m in found.messages}
    assert len({m.id for m in found.messages}) == len(found.messages)
    assert {m.thread for m in found.messages} <= {t.id for t in found.threads}
    assert all(t.reply_to["kind"] == "whatsapp" for t in found.threads)
    assert all(one.source_id for one in found.set_aside)


@settings(max_examples=200)
@given(st.sampled_from(IN_CONTACTS), JSON, st.booleans())
def test_whatever_is_said_of_who_writes_every_message_is_read(path, value, drop):
    found = told(changed(TYPES, (*VALUE, "contacts", *path), value, drop=drop)).pages["shop"]

    assert len(found.messages) == 19


@settings(max_examples=200)
@given(st.sampled_from(IN_STATUSES), JSON, st.booleans())
def test_whatever_a_status_is_nothing_crashes(path, value, drop):
    found = told(changed(STATUSES, (*VALUE, "statuses", *path), value, drop=drop))

    assert all("\0" not in (v.message_id or "") for p in found.pages.values() for v in p.verdicts)


@settings(max_examples=300)
@given(st.sampled_from([path for path in places(TYPES) if len(path) < 6]), JSON, st.booleans())
def test_whatever_the_envelope_is_it_is_read_or_refused(path, value, drop):
    content = changed(TYPES, path, value, drop=drop) if path else value
    try:
        told(content)
    except BadPayload as fault:
        assert str(fault).startswith("push: ")  # noqa: PT017  # either end is right


@settings(max_examples=200)
@given(st.binary(max_size=200) | st.text().map(lambda text: json.dumps(text).encode()))
def test_whatever_bytes_come_the_error_is_one_of_ours(body):
    with pytest.raises(BadPayload, match=r"^push: ") as caught:
        envelope.opened(body)

    assert caught.value.raw == body
