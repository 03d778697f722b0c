"""`replyby erase`, `replyby erasures`: ids come by the standard input, and come out nowhere."""

from __future__ import annotations

import asyncio
import json
import threading
from functools import partial

import pytest

from core import store
from core.loops import utcnow
from core.store import replies, workers
from sla.policy import Party
from tests.core import seeds, terminal

SETTINGS = terminal.settings("""
[accounts.mk]
connector = "mirakl"
sandbox = true
options = { operator = "empik" }
""")
IDS = "Zenobia Quill\n\n  customer-4711\n"


@pytest.fixture
def ask(address):
    """Runs statements on the database that the commands use."""
    return partial(terminal.ask, address)


@pytest.fixture
def given(address, ask, tmp_path, monkeypatch):
    """Gives a command where a thread of Zenobia Quill is stored: its exit code, and all it said."""
    (tmp_path / "settings.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))

    async def seed(db):
        await seeds.put_account(db, utcnow())
        await seeds.put_thread(db, utcnow())
        await seeds.put_message(db, utcnow(), body="I am customer-4711")

    ask(seed)

    def given(*args, stdin=""):
        code, out, err = terminal.give(*args, stdin=stdin)
        return code, out + err

    with terminal.log_as_before():
        yield given


def test_without_a_daemon_the_command_erases_by_itself(given, ask):
    assert given("erasures") == (0, "nobody was erased of whom anything was stored\n")

    code, said = given("erase", "mk", stdin=IDS)

    buyer = ask(lambda db: db.fetchval("select buyer from thread"))
    bodies = ask(lambda db: db.fetchval("select array_agg(body) from message"))
    assert (code, buyer, set(bodies)) == (0, "", {""})
    assert said == "erasure 1 is done: 1 threads emptied, 0 other texts cleared\n"
    code, listed = given("erasures", "--json")
    [proof] = json.loads(listed)
    assert (proof["id"], proof["account"], proof["threads"], proof["push"]) == (1, "mk", 1, None)
    for told in (said, listed, given("erasures")[1]):
        assert "Quill" not in told
        assert "4711" not in told


def test_whoever_wrote_to_another_buyer_sees_why_it_did_not_leave(given, ask):
    async def write(db):
        await seeds.put_thread(db, utcnow(), "T2", buyer="Other")
        text = "As customer-4711 told you"
        await replies.queue(db, "mk", "T2", text, {Party.BUYER}, utcnow())

    ask(write)
    given("erase", "mk", stdin=IDS)

    code, said = given("explain", "mk", "T2")
    told, _ = json.JSONDecoder().raw_decode(given("explain", "mk", "T2", "--json")[1])
    [reply] = told["replies"]
    assert code == 0
    assert "names somebody who was erased meanwhile, and did not leave; write it again" in said
    assert (reply["state"], reply["reason"]) == ("refused", "names_erased")
    assert "4711" not in said


def test_a_stranger_is_shown_only_where_all_are_asked_for(given):
    given("erase", "mk", stdin="nobody-here\n")

    assert given("erasures")[1].startswith("nobody")
    assert "mirakl" in given("erasures", "--all")[1]


@pytest.fixture
def daemon(address):
    """Another process's lock in the database, for as long as the test runs."""
    registered, over = threading.Event(), threading.Event()

    async def live():
        connection = await store.connect(address)
        await workers.register(connection)
        registered.set()
        await asyncio.to_thread(over.wait)
        await connection.close()

    thread = threading.Thread(target=asyncio.run, args=(live(),))
    thread.start()
    assert registered.wait(10)
    yield
    over.set()
    thread.join()


@pytest.mark.usefixtures("daemon")
def test_where_a_daemon_runs_it_is_left_to_that(given, ask):
    code, said = given("erase", "mk", stdin=IDS)

    assert code == 0
    assert said == "erasure 1 is asked for; the daemon does it: replyby erasures\n"
    assert ask(lambda db: db.fetchval("select buyer from thread")) == "Zenobia Quill"
    assert ask(lambda db: db.fetchval("select ids from erasure_member")) == [
        "customer-4711", "zenobia quill",
    ]  # fmt: skip


def test_no_id_and_no_such_account_are_told(given, ask):
    assert given("erase", "mk", stdin=" \n") == (
        1, "replyby: no id was given; write one on each line, all of the same person\n",
    )  # fmt: skip
    assert given("erase", "none", stdin=IDS)[0] == 1
    assert ask(lambda db: db.fetchval("select count(*) from erasure")) == 0


EBAYS = (
    SETTINGS
    + """
[accounts.eb]
connector = "ebay"
[accounts.eb.options]
client_id = "c"
client_secret = "env:EBAY_KEY"
refresh_token = "env:EBAY_KEY"
seller = "Our-Shop"
seller_ids = ["Imm7able"]
"""
)


@pytest.mark.parametrize(
    ("stdin", "word"),
    [("Zenobia Quill\nour-shop\n", "seller's own"), ("IMM7ABLE\n", "seller's own"),
     ("a\n", "fewer than 3"), ("Zenobia Quill\nab\n", "fewer than 3")],
)  # fmt: skip
def test_the_shop_itself_and_single_letters_are_not_erased(
    given, ask, tmp_path, monkeypatch, stdin, word
):
    monkeypatch.setenv("EBAY_KEY", "a-secret")
    (tmp_path / "settings.toml").write_text(EBAYS)

    code, said = given("erase", "eb", stdin=stdin)

    assert (code, word in said) == (1, True), said
    assert "our-shop" not in said.casefold()
    assert ask(lambda db: db.fetchval("select count(*) from erasure")) == 0
