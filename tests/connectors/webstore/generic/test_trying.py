"""A mapping is tried on a sample, by the command that people give."""

from __future__ import annotations

import json

import pytest

from tests.connectors.webstore.generic.test_readme import EXAMPLES, NEEDED, SECRETS
from tests.core import terminal

NOON = "2026-11-20 12:00:00 UTC"
MARKET = """
[accounts.mk]
connector = "mirakl"
options = { base_url = "https://mk.example", shop_id = 1, api_key = "env:LAMPS_KEY" }
"""
MESSAGE = {
    "uuid": "m-1", "conversation": {"id": 9, "topic": "Lamp", "orders": [{"number": "A-1"}]},
    "author": {"role": "customer", "name": "Ada Sample", "email": "ada@buyers.example"},
    "text": "Where is it, please?", "created_ms": 1795176000000, "files": [{"name": "a.jpg"}],
}  # fmt: skip


@pytest.fixture
def tried(tmp_path, monkeypatch):
    """`tried("lamps", content)`: the exit code, what was printed, what was complained of."""
    monkeypatch.chdir(tmp_path)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)

    def tried(name, content, more=""):
        told = "\n".join([NEEDED, EXAMPLES["lamps"], EXAMPLES["teapots"], more])
        (tmp_path / "settings.toml").write_text(told)
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        (tmp_path / "sample.json").write_bytes(raw)
        with terminal.log_as_before():
            return terminal.give("try-mapping", name, "sample.json")

    return tried


@pytest.mark.parametrize(
    "content", [{"data": [MESSAGE]}, {"event": "message.created", "message": MESSAGE}]
)
def test_an_answer_and_a_push_are_tried_alike(tried, content):
    code, told, _ = tried("lamps", content)

    assert code == 0
    assert told.splitlines() == [
        f"message m-1 in 9: buyer message at {NOON}, 20 characters, order A-1, 1 files",
        "thread 9: buyer, mail, subject, orders known",
        "1 messages in 1 threads",
    ]
    assert "Ada" not in told


def test_what_does_not_fit_is_told_with_its_key(tried):
    other = {**MESSAGE, "author": {"role": "supplier"}, "created_ms": "noon"}
    code, told, _ = tried("lamps", {"data": [MESSAGE, {"uuid": 5}, {**other, "uuid": "m-2"}]})

    assert code == 1
    assert "does not fit: mapping.thread: no id (item 5)" in told
    assert "does not fit: mapping.party: a word that parties lacks (item m-2)" in told
    assert "does not fit: mapping.sent_at: no instant (item m-2)" in told
    assert "message m-2 in 9: buyer message at an unknown time, 20 characters" in told
    assert told.endswith("2 messages in 2 threads, 3 that do not fit\n") or "3 that do" in told


@pytest.mark.parametrize("content", [b"<html>", b"", b'{"data": [{"uuid": "m-1", "text": "Wh'])
def test_what_is_no_whole_answer_is_not_blamed_on_the_settings(tried, content):
    code, _, complaint = tried("lamps", content)

    assert code == 1
    assert "sample: not JSON; save one whole answer or push" in complaint
    assert "items" not in complaint


def test_of_a_sample_that_is_neither_a_list_nor_a_push_both_places_are_named(tried):
    complaint = tried("lamps", {"rows": [MESSAGE]})[2]

    assert "poll: no list where poll.items says, and webhook: no items where" in complaint


@pytest.mark.parametrize("content", [{"error": "no"}, {"data": {}}])
def test_where_nothing_can_be_read_the_place_of_the_items_is_named(tried, content):
    code, _, complaint = tried("lamps", content)

    assert code == 1
    assert "sample.json" in complaint
    assert "items" in complaint


def test_an_account_whose_words_are_known_has_nothing_to_try(tried):
    code, _, complaint = tried("mk", {}, MARKET)

    assert code == 1
    assert "no mapping" in complaint
    assert "no account is called lamp" in tried("lamp", {})[2]


def test_a_sample_that_is_not_there_is_named(tried, tmp_path):
    tried("lamps", {"data": []})
    (tmp_path / "sample.json").unlink()
    with terminal.log_as_before():
        code, _, complaint = terminal.give("try-mapping", "lamps", "sample.json")

    assert code == 1
    assert "sample.json cannot be read" in complaint
