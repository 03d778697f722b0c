"""Whatever happens to one part of a page, nothing crashes and its neighbours are read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.ebay.messages import body, mapping
from connectors.ebay.messages.mapping import NAMES, Read
from connectors.ebay.messages.payload import Conversations, Entries
from core.errors import BadPayload
from core.transport import salvage
from sla.policy import Party
from tests.connectors.spoiling import anything, changed, places

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OWN = frozenset({"quillons-shop"})
RECORDED = Path(__file__).parent / "recorded"
LISTED = json.loads((RECORDED / "conversations.json").read_text())
WHOLE = json.loads((RECORDED / "conversation.json").read_text())
PUSHED = json.loads((RECORDED / "new_message.json").read_text())["notification"]["data"]

JSON = anything("<p>", "&#0;")


def sound(page):
    assert len({m.id for m in page.messages}) == len(page.messages)
    assert {m.thread for m in page.messages} <= {t.id for t in page.threads}
    assert all(one.reason and one.raw for one in page.set_aside)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([p for p in places(LISTED["conversations"][:2]) if p]), JSON, st.booleans())
def test_whatever_one_field_of_a_list_is_the_neighbours_are_read(path, value, drop):
    got = salvage.read(
        Conversations, changed(LISTED, ("conversations", *path), value, drop=drop), NAMES
    )
    found = mapping.page(
        [Read(c.id, c.type or "", (c.latest,) if c.latest else (), c.title, c.created)
         for c in got.value.conversations],
        OWN, NOW,
    )  # fmt: skip

    sound(found)
    assert [m.body for m in found.messages if m.thread == "101"] == [
        "Is a < b and c > d?\nYes  or no"
    ]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([p for p in places(WHOLE["messages"][:1]) if p]), JSON, st.booleans())
def test_whatever_one_field_of_a_message_is_its_neighbours_are_read(path, value, drop):
    got = salvage.read(Entries, changed(WHOLE, ("messages", *path), value, drop=drop), NAMES)
    found = mapping.page([Read("103", "FROM_MEMBERS", tuple(got.value.messages))], OWN, NOW)

    sound(found)
    neighbour = next(m for m in found.messages if m.id == "8990")
    assert (neighbour.party, neighbour.body) == (Party.BUYER, "Hello, where is it?")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([(name,) for name in PUSHED]), JSON, st.booleans())
def test_whatever_a_push_holds_it_is_a_message_or_told_to_be_none(path, value, drop):
    try:
        page = mapping.pushed(changed(PUSHED, path, value, drop=drop), OWN, NOW)
    except BadPayload:
        assert path[0] in {"messageId", "conversationId"}
        return
    sound(page)
    assert len(page.messages) == 1


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_characters="<&"), max_size=200))
def test_what_is_no_html_is_left_as_it_is(text):
    assert body.text(text) == text


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("<>/&;#x3 abbrpdiv=\"'\n"), max_size=60))
def test_whatever_looks_like_html_comes_to_a_text(text):
    assert body.text(text).isprintable() or "\n" in body.text(text)
