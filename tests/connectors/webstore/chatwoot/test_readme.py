"""The kind's README says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.webstore import spec
from connectors.webstore.chatwoot import offer, options, reading, receiving
from connectors.webstore.chatwoot.options import ChatwootOptions
from tests.connectors import described
from tests.connectors.webstore.chatwoot import recorded

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "connectors" / "webstore" / "chatwoot"
HERE = Path(__file__).parent
NEEDED = {
    "kind": "chatwoot", "base_url": "https://chat.shop.example", "account_id": 1, "api_token": "t",
}  # fmt: skip


@pytest.fixture
def readme():
    return (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def pushed():
    return ChatwootOptions(**NEEDED, push={"endpoint": "https://push.shop.example/", "secret": "s"})


def test_the_limits_in_the_readme_are_those_of_the_code(readme, pushed):
    chats, hooks = spec.streams(pushed)

    assert f"| {chats.every.seconds} s, at least {chats.floor.seconds} s |" in readme
    assert f"| {hooks.every.seconds // 60} min |" in readme
    assert f"has {offer.SHORTEST} to {offer.LONGEST:,} characters" in readme
    assert f"| {offer.MOST_FILES} files of one message" in readme
    assert f"| {offer.MOST_ENCLOSED // 10**6} MB of files" in readme
    assert f"{reading.AT_ONCE} messages before one, {reading.MANY} after one" in readme
    assert reading.MOST_BACK == reading.MOST_AHEAD
    assert f"at most {reading.MOST_BACK} calls" in readme
    assert f"within {receiving.FRESH.seconds // 60} min of its second" in readme
    assert chats.floor == options.FLOOR


def test_the_readme_lists_options_streams_and_limitations(readme, pushed):
    for name in (*ChatwootOptions.model_fields, *options.Push.model_fields):
        assert f"`{name}`" in readme
    for stream in spec.streams(pushed):
        assert f"| `{stream.name}` |" in readme
    assert readme.partition("## Known limitations")[2].count("\n- ") >= 4


def test_the_defaults_in_the_readme_are_those_of_the_code(readme):
    said = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", readme, re.MULTILINE))
    written = {name: text for name, text in said.items() if name in ChatwootOptions.model_fields}

    assert ChatwootOptions(**NEEDED, **written) == ChatwootOptions(**NEEDED)
    assert set(written) == {"look_back", "overlap", "poll_every", "order_attribute"}


def test_the_goal_in_the_readme_is_that_of_the_code(readme):
    minutes = offer.CHAT.reply_within.seconds // 60

    assert f"`{offer.CHAT.name}`: {minutes} minutes" in readme


def test_the_outcomes_in_the_readme_are_answered_so(readme):
    for status in (receiving.GOOD, receiving.UNSIGNED, receiving.STALE, receiving.LATER):
        assert f"| {status}" in readme


def test_the_readme_says_how_to_change_the_token(readme):
    assert "## A new token" in readme
    assert "then reload" in readme


def test_each_trap_of_the_readme_is_shown_by_a_test(readme):
    tests = "".join(path.read_text() for path in HERE.glob("test_*.py"))
    traps = re.findall(r"^\| (\d+): .* \| `(test_trap_\d+_\w+)` \|$", readme, re.MULTILINE)

    assert len(traps) >= 4
    for number, name in traps:
        assert name.startswith(f"test_trap_{number}_")
        assert f"def {name}(" in tests


def test_every_endpoint_has_a_recorded_answer():
    names = {path.stem for path in recorded.FOLDER.glob("*.json")}

    assert set(offer.OPERATIONS) <= names
    assert {name for name in names - set(offer.OPERATIONS) if not name.startswith("push_")} == set()


def test_the_kind_itself_logs_nothing():
    """What happens is told once, by core, when an account's health changes."""
    described.logs_nothing(FOLDER)
