"""What `threads`, `explain` and `reply` say of a buyer who waits elsewhere too: not who it is."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial

import pytest

from core.loops import utcnow
from core.store import definitions
from tests.core import seeds, terminal

SETTINGS = terminal.settings("""
[accounts.mk]
connector = "mirakl"
title = "Empik PL"
shop = "main"
sandbox = true
options = { operator = "empik" }
[accounts.cn]
connector = "mirakl"
title = "Conrad"
shop = "main"
sandbox = true
options = { operator = "conrad" }
""")
POLICY = "insert into policy_version (name, version, definition, loaded_at) values ($1, 1, $2, $3)"
KEY, OTHER = b"a buyer's key", b"another's"


@pytest.fixture
def ask(address):
    """Runs statements on the database that the commands use."""
    return partial(terminal.ask, address)


@pytest.fixture
def given(address, ask, tmp_path, monkeypatch):
    """Gives a command where a buyer waits in two accounts, and another one in a third thread."""
    (tmp_path / "settings.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))
    ask(seed)
    with terminal.log_as_before():
        yield terminal.give


async def seed(db):
    now = utcnow()
    promise = seeds.policy("ours", role="goal", reply_within=timedelta(hours=1))
    await db.execute(POLICY, "ours", definitions.dump(promise), now)
    for account in ("mk", "cn"):
        await seeds.put_account(db, now, account)
        await seeds.put_stream(db, now, account, "messages", seen_through=now)
        await seeds.put_stream(db, now, account, "incidents", seen_through=now)
    await wait(db, "mk", "T1", timedelta(minutes=29), KEY)
    await wait(db, "cn", "T2", timedelta(hours=2, minutes=10, seconds=30), KEY)
    await wait(db, "cn", "T3", timedelta(hours=3), OTHER)


async def wait(db, account, thread, left, key):
    due = utcnow() + left
    await seeds.put_thread(db, utcnow(), thread, account)
    await seeds.put_message(db, due - timedelta(hours=4), f"{thread}-1", thread, account)
    await seeds.put_clock(db, due, thread=thread, account=account, promise="ours")
    await db.execute(
        "update thread set keys = $1, reply_to = '{\"CUSTOMER\": \"\"}'"
        " where account = $2 and id = $3",
        [key], account, thread,
    )  # fmt: skip


def test_threads_name_the_account_where_the_same_buyer_waits_as_well(given):
    code, table, _ = given("threads")
    rows = {row["thread"]: row for row in json.loads(given("threads", "--json")[1])}

    head, first, second, third = table.splitlines()
    assert code == 0
    assert head.endswith("SAME BUYER")
    assert first.endswith("Conrad: 2 h 10 min left")
    assert "Empik PL: 28 min" in second
    assert third.endswith("-")
    assert "Quill" not in table
    [one] = rows["T1"]["same_buyer"]["waits"]
    assert (one["account"], one["title"], one["thread"]) == ("cn", "Conrad", "T2")
    assert (one["promise"], one["left"]) == ("ours", "2 h 10 min left")
    assert one["due_at"] == rows["T2"]["due_at"]
    assert rows["T3"]["same_buyer"] == {"waits": [], "too_common": False}


def test_threads_at_risk_tell_of_who_is_not(given):
    assert "Conrad: 2 h 10 min left" in given("threads", "--at-risk")[1]


def test_explain_says_where_the_same_buyer_waits_as_well(given):
    _, text, _ = given("explain", "mk", "T1")
    told = json.loads(given("explain", "mk", "T1", "--json")[1])["same_buyer"]

    line = "  The same buyer waits on Conrad as well: 2 h 10 min left (cn T2, ours)."
    assert line in text.splitlines()
    assert "Quill" not in text
    assert [one["thread"] for one in told["waits"]] == ["T2"]
    assert "same buyer" not in given("explain", "cn", "T3")[1]


def test_explain_says_so_where_it_is_in_the_same_account(given, ask):
    ask(lambda db: wait(db, "mk", "T4", timedelta(hours=-2, minutes=-1), OTHER))
    ask(lambda db: db.execute("update thread set account = 'mk' where id = 'T3'"))
    ask(lambda db: db.execute("update clock set account = 'mk' where thread = 'T3'"))

    text = given("explain", "mk", "T3")[1]

    assert "The same buyer waits in another thread as well: late by 2 h 1 min (mk T4, ours)" in text


def test_explain_names_a_few_and_counts_the_others(given, ask):
    for n in range(7):
        ask(lambda db, n=n: wait(db, "cn", f"T1{n}", timedelta(hours=3, seconds=n), KEY))

    text = given("explain", "mk", "T1")[1]

    assert text.count("The same buyer waits on Conrad as well") == 5
    assert "The same buyer waits in 3 more; for all: --json" in text
    assert len(json.loads(given("explain", "mk", "T1", "--json")[1])["same_buyer"]["waits"]) == 8
    assert "(+7)" in given("threads")[1]


def test_explain_says_that_what_all_share_says_nothing(given, ask):
    many = "insert into thread (account, id, kind, as_of, keys) select 'mk', 'R' || n, 'message',"
    ask(lambda db: db.execute(f"{many} now(), $1 from generate_series(1, 99) n", [KEY]))

    text = given("explain", "mk", "T1")[1]
    assert "  An order, address or phone of this thread is that of more than 100 threads," in text
    assert "same buyer" not in text
    assert given("threads")[1].splitlines()[1].endswith("-")
    assert json.loads(given("explain", "mk", "T1", "--json")[1])["same_buyer"] == {
        "waits": [], "too_common": True,
    }  # fmt: skip


def test_a_reply_says_that_the_other_clock_runs_on(given):
    _, said, _ = given("reply", "mk", "T1", "--text", "On its way.")
    queued, waits, runs_on = said.splitlines()

    assert queued.startswith("reply 1 is queued; ")
    assert waits.startswith("The same buyer waits on Conrad as well: 2 h 10 min left")
    assert runs_on == "This reply does not stop what runs there."
    _, said, _ = given("reply", "cn", "T3", "--text", "On its way.")
    assert len(said.splitlines()) == 1
