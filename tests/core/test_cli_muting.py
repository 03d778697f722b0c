"""What `mute` and `unmute` say: an account, or a route, of which nothing is told for a while."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial

import pytest

from core.commands import muting
from core.desk import silencing
from core.errors import Mistaken
from core.loops import utcnow
from core.store import audit, mutes
from tests.core import seeds, terminal
from tests.core.seeds import HOUR

SETTINGS = terminal.settings("""
[accounts.mk]
connector = "mirakl"
routes = ["desk"]
sandbox = true
options = { operator = "empik" }
[accounts.desk]
connector = "mirakl"
routes = ["desk"]
sandbox = true
options = { operator = "conrad" }
[routes.desk]
notifiers = ["log"]
""")


@pytest.fixture
def given(address, tmp_path, monkeypatch):
    (tmp_path / "settings.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))
    terminal.ask(address, lambda db: seeds.put_account(db, utcnow(), "mk"))
    with terminal.log_as_before():
        yield partial(terminal.give)


def listed(given):
    return json.loads(given("mute", "--list", "--json")[1])


def test_who_mutes_is_told_until_when_and_others_see_it_with_the_reason(given):
    code, said, _ = given("mute", "mk", "--until", "6h", "--reason", "their  API\nis down")

    assert code == 0
    assert said.startswith("account mk: muted until 20")
    assert ", for 6 h. Its clocks run on" in said
    (row,) = listed(given)
    assert (row["scope"], row["name"], row["reason"]) == ("account", "mk", "their API is down")
    assert row["held_back"] == {}
    assert row["by"]
    table = given("mute", "--list")[1]
    assert table.splitlines()[0].split()[:4] == ["SCOPE", "NAME", "SINCE", "UNTIL"]
    assert "their API is down" in table


def test_its_end_moves_and_it_stays_one_mute(given):
    given("mute", "mk", "--until", "6h", "--reason", "away")

    code, said, _ = given("mute", "mk", "--until", "2h")

    assert code == 0
    assert "(was until " in said
    (row,) = listed(given)
    assert row["reason"] == "away"


def test_a_name_that_is_both_is_asked_for(given):
    code, _, fault = given("mute", "desk", "--until", "1h")

    assert code == 1
    assert "write account:desk or route:desk" in fault
    assert given("mute", "route:desk", "--until", "1h")[0] == 0
    assert given("mute", "account:desk", "--until", "1h")[0] == 0
    assert {(row["scope"], row["name"]) for row in listed(given)} == {
        ("route", "desk"), ("account", "desk"),
    }  # fmt: skip


def test_an_unknown_name_is_told_with_the_nearest(given):
    code, _, fault = given("mute", "mkk", "--until", "1h")

    assert (code, "did you mean mk?" in fault) == (1, True)
    assert "no account and no route is called so: mkk" in fault


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("mk",), "say until when"),
        ((), "name an account or a route"),
        (("mk", "--list"), "--list stands alone"),
        (("mk", "--until", "soon"), "is no duration"),
        (("mk", "--until", "2026-11-21T12:00:00"), "has no zone"),
        (("mk", "--until", "1h", "--json"), "--json goes with --list"),
    ],
)
def test_a_call_that_is_wrong_says_how_it_is_written(given, words, fault):
    code, _, said = given("mute", *words)

    assert (code, fault in said) == (2, True), said


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--until", "2020-01-01T00:00:00Z"), "is not ahead"),
        (("--until", "31d"), "30 days at most"),
        (("--until", "1h", "--reason", "x" * 201), "shorten it"),
        (("--until", "1h", "--reason", "\x1b[2J"), "control character"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_muted(given, words, fault):
    code, _, said = given("mute", "mk", *words)

    assert (code, fault in said) == (1, True), said
    assert listed(given) == []
    assert given("mute", "--list")[1] == "nothing is muted\n"


def test_unmuting_says_how_much_leaves_and_cannot_be_done_twice(given, address):
    given("mute", "mk", "--until", "1h")

    code, said, _ = given("unmute", "mk")

    assert code == 0
    assert said.startswith("account mk: told again; 0 notices that were held back leave now")
    code, _, fault = given("unmute", "mk")
    assert (code, fault) == (1, "replyby: nothing is muted; there is nothing to lift\n")
    given("mute", "route:desk", "--until", "1h")
    code, _, fault = given("unmute", "mk")
    assert (code, "no account and no route is muted: mk; known: desk" in fault) == (1, True)


def test_the_trail_says_until_when_and_never_why(given, address):
    given("mute", "mk", "--until", "6h", "--reason", "Erika Muster writes hourly")
    given("mute", "route:desk", "--until", "2h")
    ends = [row["until"] for row in listed(given)]
    given("unmute", "mk")

    async def written(db):
        lines = await audit.lines(db, audit.Asked(), None, "", 9)
        assert [(one.act, one.account, one.detail) for one in lines] == [
            ("unmute", "mk", {"until": ends[0]}),
            ("mute", None, {"route": "desk", "until": ends[1]}),
            ("mute", "mk", {"until": ends[0]}),
        ]

    terminal.ask(address, written)


def test_a_mute_of_what_has_left_the_settings_can_be_lifted(given, address, tmp_path):
    async def muted(db):
        await mutes.put(db, "account", "gone", utcnow() + HOUR, "mara", None)

    terminal.ask(address, muted)

    assert [row["name"] for row in listed(given)] == ["gone"]
    assert given("unmute", "gone")[0] == 0
    assert listed(given) == []


def test_accounts_show_what_is_muted_and_no_column_where_nothing_is(given):
    assert "MUTED" not in given("accounts")[1]
    given("mute", "mk", "--until", "6h")

    assert "MUTED UNTIL" in given("accounts")[1]
    found = {
        row["account"]: row["muted_until"] for row in json.loads(given("accounts", "--json")[1])
    }
    assert found["desk"] is None
    assert found["mk"] > utcnow().isoformat()


def test_the_end_is_inclusive_of_the_longest():
    now = utcnow()

    assert muting.end(silencing.LONGEST, now) == now + silencing.LONGEST
    with pytest.raises(Mistaken, match="too far off"):
        muting.end(silencing.LONGEST + timedelta(seconds=1), now)
    with pytest.raises(Mistaken, match="not ahead"):
        muting.end(now, now)
