"""What `claim`, `release` and `explain` say of who works on a thread, and who is told next."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import pytest

from core.access import Role
from core.desk import escalating
from core.loops import utcnow
from core.model import Notice, NoticeKind
from core.store import notices, open_pool, people
from tests.core import climbing, seeds, terminal
from tests.core.seeds import HOUR, MINUTE

SETTINGS = terminal.settings("""
[accounts.mk]
connector = "mirakl"
sandbox = true
options = { operator = "empik" }
[board]
claim_share = 0.5
""")


@pytest.fixture
def given(address, tmp_path, monkeypatch):
    (tmp_path / "settings.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))
    terminal.ask(address, fill)
    with terminal.log_as_before():
        yield partial(terminal.give)


async def fill(db):
    now = utcnow()
    await seeds.put_account(db, now)
    await seeds.put_thread(db, now)
    await seeds.put_clock(db, now + 2 * HOUR, steps=[now - HOUR, now + 2 * HOUR])


def explained(given):
    return json.loads(given("explain", "mk", "T1", "--json")[1])


def test_a_claim_says_until_when_and_how_it_is_given_back(given):
    code, said, _ = given("claim", "mk", "T1", "--by", "anna")

    assert code == 0
    assert said.startswith("mk T1: anna's until 20")
    assert "for 59 min" in said or "for 1 h;" in said
    assert "replyby release mk T1 --by anna" in said
    assert explained(given)["claim"]["by"] == "anna"
    assert "claimed by anna since" in given("explain", "mk", "T1")[1]
    assert given("release", "mk", "T1", "--by", "anna")[:2] == (
        0,
        "mk T1: anybody's again; it was anna's\n",
    )
    assert explained(given)["claim"] is None


def test_without_a_name_it_is_the_user_of_this_machine(given):
    assert given("claim", "mk", "T1")[0] == 0
    assert explained(given)["claim"]["by"]


def test_what_is_anothers_is_told_and_taken_only_over(given):
    given("claim", "mk", "T1", "--by", "anna")

    code, _, complaint = given("claim", "mk", "T1", "--by", "bert")
    assert code == 1
    assert "it is anna's until" in complaint
    assert given("claim", "mk", "T1", "--by", "bert", "--over")[0] == 0
    assert explained(given)["claim"]["by"] == "bert"


@pytest.mark.parametrize(
    ("role", "accounts", "disabled", "says"),
    [
        (Role.VIEWER, None, False, "anna may not claim threads of account mk"),
        (Role.AGENT, ["eb"], False, "anna may not claim threads of account mk"),
        (Role.LEAD, None, True, "anna is disabled since"),
    ],
)
def test_somebody_whom_the_board_knows_may_do_what_it_lets_them(
    given, address, role, accounts, disabled, says
):
    async def known(db):
        await people.add(db, "anna", "Anna", role, accounts, utcnow())
        if disabled:
            await people.disable(db, "anna", utcnow())

    terminal.ask(address, known)

    code, _, complaint = given("claim", "mk", "T1", "--by", "anna")
    released = given("release", "mk", "T1", "--by", "anna")

    assert code == 1
    assert says in complaint
    assert (released[0], says.replace("claim", "release") in released[2]) == (1, True)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("claim", "xx", "T1"), "no account is called xx"),
        (("claim", "mk", "T9"), "account mk has no thread T9"),
        (("release", "mk", "T1"), "nobody has claimed it"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(given, call, says):
    code, _, complaint = given(*call)

    assert code == 1
    assert says in complaint


def test_who_takes_care_of_an_accounts_trouble_ends_its_ladder(given, address):
    async def down(db):
        one = Notice("mk/account_down/1", NoticeKind.ACCOUNT_DOWN, "mk", utcnow())
        await notices.raise_(db, climbing.rules(), [one])

    async def ended(db):
        assert await climbing.standing(db) == [(0, "acknowledged")]

    assert "nobody else is told of any trouble" in given("acknowledge", "mk")[2]
    terminal.ask(address, down)

    code, said, _ = given("acknowledge", "mk", "--by", "anna")

    assert (code, said) == (0, "mk: anna takes care of account_down; nobody else is told of it\n")
    terminal.ask(address, ended)
    assert given("acknowledge", "mk")[0] == 1


def test_explain_says_who_was_told_and_who_is_next(given, address):
    async def climbed(db):
        now = utcnow()
        pool = await open_pool(address)
        rules = climbing.rules()
        await seeds.watched(pool, rules, now)
        await escalating.once(pool, rules, climbing.KNOWN, now + 16 * MINUTE)
        await pool.close()

    terminal.ask(address, climbed)

    (one,) = explained(given)["escalations"]
    assert (one["kind"], one["ladder"], one["rung"], one["rungs"]) == ("warning", "late", 1, 2)
    assert [(t["rung"], t["to"], t["state"]) for t in one["told"]] == [(1, "mail-lea", "waits")]
    assert (one["next_to"], one["held"]) == (["person:boss"], None)
    text = given("explain", "mk", "T1")[1]
    assert "ladder late of route desk: the warning climbs since" in text
    assert "to mail-lea: waits" in text
    assert "next: rung 2 of 2" in text

    given("claim", "mk", "T1", "--by", "anna")
    assert explained(given)["escalations"][0]["held"] == "claim"
    assert ", held by the claim" in given("explain", "mk", "T1")[1]


def test_a_repeat_of_the_last_rung_is_no_further_rung(given, address):
    async def climbed(db):
        now = utcnow()
        pool = await open_pool(address)
        rules = climbing.rules(replace(climbing.LADDER, repeat=10 * MINUTE))
        await seeds.watched(pool, rules, now)
        for after in (16, 47, 58):
            await escalating.once(pool, rules, climbing.KNOWN, now + after * MINUTE)
        await pool.close()

    terminal.ask(address, climbed)

    (one,) = explained(given)["escalations"]
    assert [(t["rung"], t["repeat"]) for t in one["told"]] == [(1, 0), (2, 0), (2, 1)]
    text = given("explain", "mk", "T1")[1]
    assert "rung 2 again (repeat 1) told " in text
    assert "next: rung 2 of 2 again (repeat 2) " in text
    assert "rung 3" not in text
