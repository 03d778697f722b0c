"""What `people`, `tokens` and `audit` say: who may sign in, and what they did."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial

import pytest

from core.access import Role
from core.desk import tokens
from core.loops import utcnow
from core.store import invitations, people
from tests.core import terminal

SETTINGS = terminal.settings("""
[web]
public_url = "https://desk.example"
[accounts.mk]
connector = "mirakl"
sandbox = true
options = { operator = "empik" }
""")


@pytest.fixture
def given(address, tmp_path, monkeypatch):
    (tmp_path / "settings.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))
    with terminal.log_as_before():
        yield partial(terminal.give)


def test_somebody_is_added_changed_disabled_and_enabled_each_with_its_line(given):
    assert "nobody may sign in" in given("people", "list")[1]
    given("people", "add", "root", "--role", "admin")
    assert given("people", "add", "anna", "--role", "agent", "--account", "mk")[0] == 0
    given("people", "role", "anna", "viewer")
    assert json.loads(given("people", "list", "--json")[1])[0]["accounts"] == ["mk"]
    given("people", "role", "anna", "lead", "--all-accounts")
    given("people", "disable", "anna")
    given("people", "enable", "anna")

    anna, root = json.loads(given("people", "list", "--json")[1])
    assert (anna["role"], anna["accounts"], anna["disabled"]) == ("lead", None, None)
    assert (root["name"], root["password"]) == ("root", False)
    lines = json.loads(given("audit", "--act", "people", "--json")[1])
    did = [line["detail"]["did"] for line in lines]
    assert did == ["enabled", "disabled", "changed", "changed", "added", "added"]
    assert {line["means"] for line in lines} == {"cli"}
    assert "did: enabled, person: anna" in given("audit")[1]


def test_a_link_is_printed_that_the_board_takes(given, address):
    given("people", "add", "anna", "--role", "agent")
    code, said, _ = given("people", "invite", "anna")

    assert code == 0
    assert said.startswith("https://desk.example/enter/")
    secret = said.strip().rpartition("/")[2]
    link = terminal.ask(address, lambda db: invitations.of(db, secret, utcnow()))
    assert link.person == "anna"


def test_a_link_that_binds_is_printed_where_a_provider_signs_people_in(given, address, tmp_path):
    given("people", "add", "anna", "--role", "admin")
    code, _, fault = given("people", "bind", "anna")
    assert (code, 'sign_in = "oidc"' in fault) == (1, True)

    oidc = '[web.oidc]\nissuer = "https://op.example"\nclient_id = "replyby"\n'
    told = SETTINGS.replace("[accounts.mk]", f"{oidc}[accounts.mk]")
    told = told.replace("[web]", '[web]\nsign_in = "oidc"')
    (tmp_path / "settings.toml").write_text(told)
    code, said, _ = given("people", "bind", "anna")
    assert (code, said.startswith("https://desk.example/enter/")) == (0, True)
    secret = said.strip().rpartition("/")[2]
    link = terminal.ask(address, lambda db: invitations.of(db, secret, utcnow()))
    assert (link.person, link.binds) == ("anna", True)

    assert "signed out of 0 browsers" in given("people", "sign-out", "anna")[1]
    assert terminal.ask(address, lambda db: invitations.of(db, secret, utcnow())) is None
    lines = json.loads(given("audit", "--act", "people", "--json")[1])
    assert [line["detail"]["did"] for line in lines] == ["signed_out", "to_bind", "added"]
    assert json.loads(given("audit", "--from", "2999-01-01", "--json")[1]) == []
    assert len(json.loads(given("audit", "--until", "2999-01-01", "--json")[1])) == 3


def test_tokens_are_shown_without_their_secrets_and_ended(given, address):
    given("people", "add", "anna", "--role", "agent")

    async def make(db):
        anna = (await people.of(db, "anna")).who("session", None)
        return await tokens.make(
            db, anna, "a robot", Role.VIEWER, None, timedelta(days=1), utcnow()
        )

    secret = terminal.ask(address, make)
    shown = given("tokens", "list", "--json")[1]
    (row,) = json.loads(shown)
    assert (row["person"], row["name"], secret in shown) == ("anna", "a robot", False)

    assert given("tokens", "end", str(row["number"]))[0] == 0
    assert "there is no token" in given("tokens", "list")[1]


@pytest.mark.parametrize(
    ("said", "mend"),
    [
        (("people", "add", "Anna Example", "--role", "agent"), "small letters"),
        (("people", "add", "anna", "--role", "agent", "--account", "mkk"), "did you mean mk?"),
        (("people", "role", "nobody", "agent"), "replyby people list"),
        (("people", "invite", "nobody"), "replyby people list"),
        (("people", "sign-out", "nobody"), "replyby people list"),
        (("tokens", "end", "7"), "no token 7"),
    ],
)
def test_what_cannot_be_is_said_with_its_mend(given, said, mend):
    code, _, fault = given(*said)

    assert (code, mend in fault) == (1, True)
