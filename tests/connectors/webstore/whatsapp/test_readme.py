"""WhatsApp's README says what the code does."""

from __future__ import annotations

from datetime import timedelta

from connectors.webstore.meta import window
from connectors.webstore.whatsapp import content, offer
from tests.connectors.webstore.meta.readmes import Readme
from tests.connectors.webstore.whatsapp.test_mapping import RECORDED, recorded

README = Readme("whatsapp")


def test_the_limits_in_the_readme_are_those_of_the_code():
    README.says_how_often("number")
    assert f"1 to {offer.LONGEST:,} characters" in README.text
    assert timedelta(hours=24) == offer.WINDOW == window.DAY
    assert timedelta(hours=1) == window.HOUR


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
    types = {
        one["type"] for one in recorded("types")["entry"][0]["changes"][0]["value"]["messages"]
    }
    assert types - {"hologram"} == content.KNOWN
    assert {path.stem for path in RECORDED.glob("*.json")} >= {
        "echo", "statuses", "failed", "batch", "number", "accepted", "templates",
    }  # fmt: skip


def test_the_connector_itself_logs_nothing():
    README.logs_nothing()
