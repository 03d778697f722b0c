"""The kind's README says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.webstore.twilio import calling, looking, offer, options, paging, reading
from connectors.webstore.twilio.options import TwilioOptions
from tests.connectors import described
from tests.connectors.webstore.twilio.conftest import ENDPOINT, OURS, WA_OURS

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "connectors" / "webstore" / "twilio"
RECORDED = Path(__file__).parent / "recorded"
NEEDED = {"kind": "twilio", "account_sid": "AC" + 32 * "a", "auth_token": "t", "number": OURS}


@pytest.fixture
def readme():
    return (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def defaults():
    return TwilioOptions(**NEEDED, endpoint=ENDPOINT)


def minutes(span):
    return f"{span.total_seconds() / 60:g} min"


def hours(span):
    return f"{span.total_seconds() / 3600:g} h"


def test_the_limits_in_the_readme_are_those_of_the_code(readme, defaults):
    streams = {s.name: s for s in offer.streams(defaults)}
    messages, number = streams["messages"], streams["number"]

    assert f"every {minutes(messages.every)}, floor {messages.floor.seconds} s" in readme
    assert streams["calls"].every == messages.every
    assert messages.floor == options.FLOOR
    assert f"| {minutes(number.every)} |" in readme
    assert f"{offer.SHORTEST} to {offer.LONGEST} characters" in readme
    assert f"{offer.MOST_FILES} files by their public address (MMS)" in readme
    assert f"{offer.MOST_ON_WHATSAPP} on WhatsApp" in readme
    assert f"free answers {hours(offer.WINDOW)} after" in readme
    assert f"tried for {hours(reading.UNDER_WAY)} at most" in readme
    assert f"so far back every {minutes(reading.AGAIN)}" in readme
    assert f"lasts {hours(calling.LONGEST_CALL)} at most" in readme
    assert f"{paging.AT_ONCE} a page" in readme
    assert f"last {looking.MOST_PAGES * int(looking.PAGE_SIZE):,} messages" in readme


def test_each_promise_says_its_source_and_stands_in_the_readme(readme, defaults):
    whatsapp = TwilioOptions(**{**NEEDED, "number": WA_OURS})
    promises = [*offer.goals(defaults), *offer.policies(whatsapp)]

    assert [one.role for one in promises] == ["goal", "goal", "contract"]
    for one in promises:
        assert one.source
        assert one.checked_on
        assert one.review_after
        assert f"`{one.name}`" in readme
        told = f"{one.reply_within.total_seconds() / 3600:g} hour"
        (line,) = [line for line in readme.splitlines() if f"`{one.name}`" in line]
        assert told in line


def test_the_readme_lists_options_streams_and_limitations(readme, defaults):
    described.lists(readme, defaults, offer.streams(defaults))


def test_the_defaults_in_the_readme_are_those_of_the_code(readme):
    table = readme.partition("## Options")[2].partition("## Limits")[0]
    said = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", table, re.MULTILINE))
    written = {name: text for name, text in said.items() if name in TwilioOptions.model_fields}
    given = {name: [] if text == "[]" else text for name, text in written.items()}

    assert TwilioOptions(**NEEDED, **given) == TwilioOptions(**NEEDED)
    assert set(written) == {
        "registered", "voice", "transcriptions", "opt_out", "automatic_services", "base_url",
        "look_back", "overlap", "poll_every",
    }  # fmt: skip


def test_the_readme_says_how_to_change_the_token(readme):
    assert "A new token" in readme
    assert "reload" in readme


def test_each_trap_in_the_readme_is_a_test(readme):
    here = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", readme)

    assert {"14", "15", "21"} <= {one for name in named for one in re.findall(r"trap_(\d+)", name)}
    assert all(f"def {name}(" in here for name in named)


def test_every_endpoint_has_a_recorded_answer():
    assert set(offer.OPERATIONS) == {path.stem for path in RECORDED.glob("*.json")}


def test_the_connector_itself_logs_nothing():
    """What happens is told once, by core, when an account's health changes."""
    described.logs_nothing(FOLDER)
