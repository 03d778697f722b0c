"""What of recorded pushes and conversations of pages and profiles becomes ours."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.webstore.meta import envelope, window
from connectors.webstore.meta.pages import mapping
from connectors.webstore.meta.pages.payload import Conversations
from core.transport import salvage
from sla.clock import Delivery, Kind
from sla.policy import Party, ThreadKind
from tests.connectors.spoiling import anything, changed, places

RECORDED = Path(__file__).parent / "recorded"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ASKED = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
HOMES = {"9001": "shop"}


def recorded(name):
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


def told(content, word="messenger"):
    return mapping.told(envelope.opened(json.dumps(content).encode()), word, HOMES, "shop")


def read(content, word="messenger"):
    found = salvage.read(Conversations, deepcopy(content), ("id",))
    messages, threads = mapping.page(found.value.data, word, "9001", NOW)
    return {m.id: m for m in messages}, {t.id: t for t in threads}


@pytest.fixture
def pushed(word):
    found = told(recorded(f"{word}_events"), word).pages["shop"]
    return {m.id: m for m in found.messages}


def test_what_people_write_and_press_waits(pushed):
    theirs = {id_: m.body for id_, m in pushed.items() if m.party is Party.BUYER}
    assert theirs == {
        "m_text": "Where is my order?", "m_image": "", "m_postback": "Talk to us",
        "m_quick": "Yes", "m_story": "", "m_unsupported": "",
    }  # fmt: skip
    assert {m.kind for m in pushed.values()} == {Kind.MESSAGE}
    assert pushed["m_text"].sent_at == ASKED


def test_echoes_are_answers_ours_or_of_the_pages_inbox(pushed):
    ours = {id_: m for id_, m in pushed.items() if m.party is Party.SELLER}
    assert set(ours) == {"m_inbox", "m_ours"}
    assert {m.delivery for m in ours.values()} == {Delivery.CONFIRMED}
    assert {m.thread for m in ours.values()} == {"7001"}
    assert all(m.to == {Party.BUYER} for m in ours.values())


def test_what_is_no_message_is_counted_and_says_nothing(word):
    content = recorded(f"{word}_events")
    content["entry"][0]["messaging"] = content["entry"][0]["messaging"][8:]
    found = told(content, word)
    assert (found.pages, found.topics) == ({}, {"more"})


def test_of_a_chat_a_push_tells_nothing_that_would_stand(word):
    (thread,) = told(recorded(f"{word}_events"), word).pages["shop"].threads
    assert (thread.id, thread.as_of, thread.kind) == ("7001", window.FAINT, ThreadKind.CHAT)
    assert thread.reply_to == {"kind": word, "to": "7001"}


def test_a_message_that_is_read_is_the_same_as_when_it_was_pushed(pushed, word):
    """Files alone are told by the conversation, and not by the push."""
    messages, _ = read(recorded(f"{word}_conversations"), word)
    for id_ in ("m_text", "m_inbox", "m_ours"):
        assert messages[id_] == pushed[id_]
    assert messages["m_image"].model_copy(update={"attachments": ()}) == pushed["m_image"]


def test_a_conversation_says_who_it_is_with_and_when_they_wrote_last(word):
    messages, threads = read(recorded(f"{word}_conversations"), word)
    bo, cy = threads["7001"], threads["7002"]
    assert bo.buyer.strip("@") == "Bo"
    assert bo.buyer.startswith("@") is (word == "instagram")
    assert bo.as_of == datetime(2026, 3, 2, 8, 30, 7, tzinfo=UTC)
    asked = datetime(2026, 3, 2, 8, 30, 1, tzinfo=UTC)
    assert bo.reply_to["asked_at"] == str(int(asked.timestamp()))
    assert (bo.incomplete, cy.incomplete) == (False, True)
    assert messages["m_cy"].thread == "7002"


def test_files_are_named_and_not_fetched(word):
    messages, _ = read(recorded(f"{word}_conversations"), word)
    (file,) = messages["m_image"].attachments
    assert (file.id, file.name, file.size, file.media_type) == (
        "55", "photo.jpg", 1234, "image/jpeg"
    )  # fmt: skip


def test_a_chat_is_about_the_orders_that_people_name(word):
    content = recorded(f"{word}_conversations")
    content["data"][0]["messages"]["data"][3]["message"] = "Where is order 100123, not 100124?"
    content["data"][0]["messages"]["data"][0]["message"] = "You mean 555555?"
    found = salvage.read(Conversations, content, ("id",))
    _, threads = mapping.page(found.value.data, word, "9001", NOW, r"\b\d{6}\b")
    assert [thread.order_ids for thread in threads] == [("100123", "100124"), ()]


def test_another_page_is_counted(word):
    content = recorded(f"{word}_events")
    content["entry"][0]["id"] = "9999"
    found = told(content, word)
    assert (found.pages, found.strange) == ({}, 1)


def test_what_another_app_has_in_hand_waits_all_the_same(word):
    content = recorded(f"{word}_events")
    entry = content["entry"][0]
    entry["standby"] = entry.pop("messaging")[:1]
    assert [m.id for m in told(content, word).pages["shop"].messages] == ["m_text"]


JSON = anything("page", "7001")
EVENTS, CHATS = recorded("messenger_events"), recorded("messenger_conversations")
IN_OTHERS = [p for p in places(EVENTS["entry"][0]["messaging"]) if p and p[0] != 3]
IN_FIRST = list(places(CHATS["data"][0]))


@settings(max_examples=300)
@given(st.sampled_from(IN_OTHERS), JSON, st.booleans())
def test_whatever_one_event_is_the_neighbours_are_read(path, value, drop):
    content = changed(EVENTS, ("entry", 0, "messaging", *path), value, drop=drop)
    found = told(content).pages["shop"]

    assert "m_quick" in {m.id for m in found.messages}
    assert {m.thread for m in found.messages} <= {t.id for t in found.threads}
    assert all(one.source_id for one in found.set_aside)


@settings(max_examples=300)
@given(st.sampled_from(IN_FIRST), JSON, st.booleans())
def test_whatever_one_conversation_is_the_next_is_read(path, value, drop):
    messages, threads = read(changed(CHATS, ("data", 0, *path), value, drop=drop))

    assert "m_cy" in messages
    assert {m.thread for m in messages.values()} <= threads.keys()


@settings(max_examples=200)
@given(st.sampled_from([p for p in places(EVENTS) if p and len(p) < 4]), JSON, st.booleans())
def test_whatever_the_entry_is_nothing_crashes(path, value, drop):
    content = changed(EVENTS, path, value, drop=drop)
    if isinstance(content, dict) and isinstance(content.get("entry"), list):
        told(content)


@pytest.mark.parametrize("stamp", ["2100-01-01T00:00:00+0000", "1999-12-31T23:59:59+0000"])
def test_a_time_that_cannot_be_freezes_no_chat_and_no_window(word, stamp):
    """The next reading's state takes its place, and where nothing else is known Meta decides."""
    content = recorded(f"{word}_conversations")
    for one in content["data"]:
        one["updated_time"] = stamp
        for said in one["messages"]["data"]:
            said["created_time"] = stamp
    _, threads = read(content, word)
    assert {one.as_of for one in threads.values()} == {NOW}
    assert not [one for one in threads.values() if "asked_at" in one.reply_to]
