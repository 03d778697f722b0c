"""The READMEs of Messenger and Instagram say what the code does."""

from __future__ import annotations

import pytest

from connectors.webstore.meta.pages import connector, offer
from connectors.webstore.meta.pages.platform import INSTAGRAM, MESSENGER
from tests.connectors.webstore.meta.readmes import Readme
from tests.connectors.webstore.meta.test_pages_mapping import RECORDED, recorded

PLATFORMS = {one.word: one for one in (MESSENGER, INSTAGRAM)}


@pytest.fixture
def readme(word):
    return Readme(word)


def test_the_limits_in_the_readme_are_those_of_the_code(word, readme):
    platform = PLATFORMS[word]
    for name in ("conversations", "standing"):
        readme.says_how_often(name)
    assert f"{platform.longest:,} {platform.unit} at most" in readme.text
    assert f"{connector.MESSAGES} asked for, {connector.AT_ONCE} chats an answer" in readme.text
    chats = offer.streams(readme.options)[0]
    assert "at least 1 min" in readme.text
    assert chats.floor.total_seconds() == 60
    assert readme.options.look_back.days == 30
    assert readme.options.overlap.total_seconds() == 600


def test_the_readme_lists_options_streams_and_limitations(readme):
    readme.lists_options_streams_and_limitations()
    readme.says_the_defaults()


def test_the_readme_names_what_is_pushed(readme):
    for topic in offer.TOPICS:
        assert f"(`{topic}`)" in readme.text


def test_the_readme_says_how_to_change_the_token(readme):
    readme.changes_the_token()


def test_each_trap_has_a_test_with_its_number(readme):
    readme.traps_have_tests()


def test_every_kind_of_push_and_answer_is_recorded(word):
    events = recorded(f"{word}_events")["entry"][0]["messaging"]
    assert {"message", "postback", "reaction", "read", "delivery", "message_edit"} <= {
        name for event in events for name in event
    }
    assert {path.stem for path in RECORDED.glob("*.json")} >= {
        f"{word}_conversations", "answered", "subscribed",
    }  # fmt: skip


def test_the_connector_itself_logs_nothing(readme):
    readme.logs_nothing()
