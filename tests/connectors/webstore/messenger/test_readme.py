"""Messenger's README says what the code does."""

from __future__ import annotations

from connectors.webstore.meta.pages import connector, offer
from connectors.webstore.meta.pages.platform import MESSENGER
from tests.connectors.webstore.meta.readmes import Readme
from tests.connectors.webstore.meta.test_pages_mapping import RECORDED, recorded

README = Readme("messenger")


def test_the_limits_in_the_readme_are_those_of_the_code():
    for name in ("conversations", "standing"):
        README.says_how_often(name)
    assert f"{MESSENGER.longest:,} {MESSENGER.unit} at most" in README.text
    assert f"{connector.MESSAGES} asked for, {connector.AT_ONCE} chats an answer" in README.text
    chats = offer.streams(README.options)[0]
    assert "at least 1 min" in README.text
    assert chats.floor.total_seconds() == 60
    assert README.options.look_back.days == 30
    assert README.options.overlap.total_seconds() == 600


def test_the_readme_lists_options_streams_and_limitations():
    README.lists_options_streams_and_limitations()
    README.says_the_defaults()


def test_the_readme_names_what_is_pushed():
    for topic in offer.TOPICS:
        assert f"(`{topic}`)" in README.text


def test_the_readme_says_how_to_change_the_token():
    README.changes_the_token()


def test_each_trap_has_a_test_with_its_number():
    README.traps_have_tests()


def test_every_kind_of_push_and_answer_is_recorded():
    events = recorded("messenger_events")["entry"][0]["messaging"]
    assert {"message", "postback", "reaction", "read", "delivery", "message_edit"} <= {
        name for event in events for name in event
    }
    assert {path.stem for path in RECORDED.glob("*.json")} >= {
        "messenger_conversations", "answered", "subscribed",
    }  # fmt: skip


def test_the_connector_itself_logs_nothing():
    README.logs_nothing()
