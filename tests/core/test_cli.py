from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from core import store
from core.connector import Capabilities
from core.desk import marking
from core.errors import Mistaken
from core.loops import utcnow
from core.model import SetAside
from core.store import definitions, migrate, setaside, workers
from tests.core import seeds, terminal

SETTINGS = terminal.settings("""
[accounts.mk]
connector = "mirakl"
title = "Empik PL"
sandbox = true
options = { operator = "empik", poll_every = "2s" }
""")
REAL = """
[accounts.real]
connector = "mirakl"
[accounts.real.options]
base_url = "http://127.0.0.1:{port}"
api_key = "env:TEST_KEY"
operator = "empik"
poll_every = "2s"
"""
NO_FILE = "other.toml: there is no such file; name it with --settings FILE, or put it there\n"
NO_NUMBER = "is none of the numbers in the list; copy one from there"
CONTROL = "replyby: the text holds a control character"
CLOCK = """
    insert into clock (account, thread, promise, waits_for, metric, members, started_by,
                       started_at, due_at, due_from, steps, policy_version)
    values ('mk', 'T1', 'ours', 'buyer', 'first_reply', '{M1}', 'M1', $1, $2, 'policy', $3, 1)
"""
DATES = "select started_at, due_at, steps from clock"
POLICY = "insert into policy_version (name, version, definition, loaded_at) values ($1, 1, $2, $3)"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A directory with settings, where commands are given."""
    (tmp_path / "settings.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REPLYBY_SETTINGS", raising=False)
    monkeypatch.setenv("TEST_DSN", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("TEST_KEY", "a-key-of-tests")
    return tmp_path


@pytest.fixture
def given(files):
    """Gives a command: its exit code, what it printed, what it complained of."""
    with terminal.log_as_before():
        yield terminal.give


@pytest.fixture
def ask(address, monkeypatch, files):
    """Runs statements on the database that the commands use."""
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))
    return partial(terminal.ask, address)


@pytest.fixture
def waiting(ask):
    """A thread with a buyer who waits, and its clock: due in half an hour of a whole one."""
    now = utcnow()

    async def seed(db):
        await seeds.put_account(db, now)
        for stream in ("messages", "incidents"):
            await seeds.put_stream(db, now, name=stream, seen_through=now)
        await seeds.put_thread(db, now)
        await db.execute("update thread set reply_to = $1", {"CUSTOMER": "", "OPERATOR": ""})
        await seeds.put_message(db, now - timedelta(minutes=30), seen_at=now)
        promise = seeds.policy("ours", role="goal", reply_within=timedelta(hours=1))
        await db.execute(POLICY, "ours", definitions.dump(promise), now)
        begun, due = now - timedelta(minutes=30, seconds=1), now + timedelta(minutes=29)
        await db.execute(CLOCK, begun, due, [begun + (due - begun) / 2, due])

    ask(seed)
    return ask


def test_help_and_healthcheck_load_nothing_heavy():
    heavy = "aiohttp asyncpg pydantic pydantic_settings prometheus_client structlog holidays"
    script = (
        "import sys; from core import cli; from core.commands import running;"
        f"print(sorted(set('{heavy}'.split()) & set(sys.modules)))"
    )

    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert said.stdout == "[]\n"


def test_it_runs_as_a_module_too():
    said = subprocess.run(
        [sys.executable, "-m", "core", "--version"], capture_output=True, text=True, check=True
    )

    assert said.stdout.startswith("replyby, version ")


@pytest.mark.parametrize(
    "args", [["threads"], ["check"], ["migrate"], ["run"], ["notify", "--test", "ops"]]
)
def test_unusable_settings_are_told_line_by_line_with_exit_code_2(given, files, args):
    (files / "settings.toml").write_text('[store]\nstate_dri = "x"\n[ops]\nlisten = "x"\n')

    code, out, err = given(*args)

    assert (code, out) == (2, "")
    assert "store.state_dri: unknown key; did you mean state_dir?" in err.splitlines()
    assert any(line.startswith("ops.listen: ") for line in err.splitlines())


def test_the_settings_file_is_named_by_option_or_environment(given, files, monkeypatch):
    code, _, err = given("threads", "--settings", "other.toml")
    assert (code, err) == (2, NO_FILE)

    monkeypatch.setenv("REPLYBY_SETTINGS", "third.toml")
    assert given("threads")[2].startswith("third.toml: ")


def test_a_link_is_printed_alone_for_who_asks_for_it(given, waiting):
    url = "https://market.example/no-response-needed?h=0123456789abcdef"
    none = "no message of T1 came with a link that sets the marketplace's mark"
    assert given("link", "mk", "T1") == (1, "", f"replyby: {none}\n")
    waiting(lambda db: db.execute("insert into link values ('mk', 'M1', $1, now())", url))

    code, out, err = given("link", "mk", "T1")

    assert (code, out) == (0, f"{url}\n")
    assert err.endswith("then say so: replyby mark mk T1 marked\n")
    for other in (["threads"], ["threads", "--json"], ["explain", "mk", "T1", "--json"]):
        assert url not in "".join(map(str, given(*other)))
    assert given("link", "mk", "T9")[2].startswith("replyby: account mk has no thread T9")
    assert given("link", "none", "T1")[0] == 1


def test_a_list_that_was_cut_says_so(given, waiting):
    async def seed(db):
        await db.execute(CLOCK.replace("'ours'", "'theirs'"), *await db.fetchrow(DATES))

    waiting(seed)
    code, out, err = given("threads", "--limit", "1")
    assert (code, len(out.splitlines())) == (0, 2)
    assert err.startswith("more wait than these 1; for all: --limit 100000\n")

    for args in (["threads"], ["threads", "--json"], ["threads", "--limit", "2"]):
        assert "more wait" not in given(*args)[2]


def test_a_lost_database_is_one_line_with_exit_code_1(given):
    code, out, err = given("threads")

    assert (code, out) == (1, "")
    assert err.startswith("replyby: ")
    assert err.endswith("is the database running, and store.dsn right?\n")
    assert len(err.splitlines()) == 1


def test_a_sandbox_account_is_refused_by_run_and_check(given):
    for command in ("run", "check"):
        code, _, err = given(command)
        assert code == 2
        assert err.startswith("accounts.mk.sandbox: needs the marketplace's stand-in; give this")


def test_check_offline_calls_nobody(given):
    code, out, _ = given("check", "--sandbox", "--offline")

    assert code == 0
    assert "1 account (not called), 0 warnings, no fault" in out


def test_check_says_when_the_sandbox_does_not_run(given):
    code, out, _ = given("check", "--sandbox")

    assert code == 1
    assert "accounts.mk: its sandbox is not running; start it with: replyby run --sandbox" in out


def test_faults_are_json_too_where_it_is_asked_for(given, files):
    (files / "settings.toml").write_text('[store]\nstate_dri = "x"\n')

    code, out, _ = given("check", "--offline", "--json")

    assert code == 2
    assert "store.state_dri: unknown key; did you mean state_dir?" in json.loads(out)["faults"]


def test_a_directory_is_no_settings_file(given, files):
    assert given("check", "--settings", str(files))[2] == (
        f"{files}: is a directory; name the file in it with --settings FILE\n"
    )


def test_a_device_is_no_settings_file(given):
    assert given("check", "--settings", "/dev/null")[2] == (
        "/dev/null: is no regular file; name one with --settings FILE, or put it there\n"
    )


def test_check_names_the_account_that_does_not_answer(given, files):
    (files / "settings.toml").write_text(SETTINGS + REAL.format(port=free_port()))

    code, out, _ = given("check", "--sandbox", "--json")

    found = json.loads(out)
    assert code == 1
    assert found["accounts"]["real"].startswith("unreachable: ")
    assert "a-key-of-tests" not in out


@pytest.fixture
def answering():
    """A marketplace without threads: starts one that answers with a status; its port."""
    with ExitStack() as stack:

        def answering(status):
            class Empty(Health):
                def do_GET(self):
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.end_headers()
                    self.wfile.write(b'{"data": []}')

            serving = stack.enter_context(HTTPServer(("127.0.0.1", 0), Empty))
            thread = threading.Thread(target=serving.serve_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(serving.shutdown)
            return serving.server_port

        yield answering


async def refused(db, now, health):
    """Two accounts that are left alone for an hour, because their keys were refused."""
    for name in ("mk", "real"):
        await seeds.put_account(db, now, name)
        await seeds.put_stream(db, now, name, every=timedelta(hours=1))
    await db.execute(
        "update stream set health = $1, not_before = next_due, backoff_until = next_due", health
    )


@pytest.mark.parametrize("health", ["bad_credentials", "forbidden"])
@pytest.mark.parametrize(("status", "waits"), [(200, False), (401, True)])
def test_check_has_an_account_read_at_once_whose_key_is_good_again(
    ask, given, files, answering, status, waits, health
):
    (files / "settings.toml").write_text(SETTINGS + REAL.format(port=answering(status)))
    ask(lambda db: refused(db, utcnow(), health))

    assert "accounts.real: " in given("check", "--sandbox")[1]

    rows = ask(lambda db: db.fetch("select account, next_due > now() as waits from stream"))
    assert dict(rows) == {"real": waits, "mk": True}


def test_check_starts_no_database_of_its_own(given, files, answering):
    there = SETTINGS.replace("env:TEST_DSN", "embedded")
    (files / "settings.toml").write_text(there + REAL.format(port=answering(200)))

    said = given("check", "--sandbox")[1]

    assert "accounts.real: real answers" in said
    assert "2 accounts (1 answers), 0 warnings, no fault" in said
    assert not (files / "var").exists()


def test_check_says_that_the_database_is_too_old(ask, given, monkeypatch):
    monkeypatch.setattr(migrate, "OLDEST", 99)

    out = given("check", "--sandbox")[1]

    assert "warning: store.dsn: the server is PostgreSQL" in out
    assert "store.dsn" not in given("check", "--offline", "--sandbox")[1]


def test_check_shows_what_is_not_wise(given, files):
    text = SETTINGS.replace("[routes.ops]", '[routes.lost]\nnotifiers = ["log"]\n[routes.ops]')
    (files / "settings.toml").write_text(text)

    code, out, _ = given("check", "--sandbox", "--offline")

    assert code == 0
    assert "warning: routes.lost: no account names it" in out


def test_threads_are_a_table_for_people_and_json_for_scripts(given, waiting):
    code, table, _ = given("threads")
    rows = json.loads(given("threads", "--json")[1])

    assert code == 0
    assert table.splitlines()[0].split()[:3] == ["BAND", "LEFT", "DUE"]
    assert "T1" in table
    assert "Quill" not in table
    assert "https://" not in table
    assert rows[0]["url"] == "https://shop.example/threads/T1"
    assert (rows[0]["account"], rows[0]["promise"], rows[0]["band"]) == ("mk", "ours", "warning")
    assert datetime.fromisoformat(rows[0]["due_at"]).tzinfo is not None


def test_threads_at_risk_and_history_are_told_apart(given, waiting):
    assert "T1" in given("threads", "--at-risk")[1]
    assert given("threads", "--history")[1] == "no thread waits for a reply\n"
    waiting(lambda db: db.execute("update clock set history = true"))
    assert "T1" in given("threads", "--history")[1]
    assert given("threads", "--at-risk")[1] == "no thread is at risk\n"


NEVER = "mk: not read yet, what waits there is unknown\n"


def test_what_waits_at_an_account_that_was_never_read_is_not_said_to_be_nothing(given, waiting):
    waiting(lambda db: db.execute("delete from clock; update stream set seen_through = null"))

    assert given("threads") == (
        0,
        f"no thread of those that were read waits for a reply\n{NEVER}",
        "",
    )
    assert given("threads", "--json") == (0, "[]\n", NEVER)
    assert given("explain", "mk", "T1")[1].endswith(f"for threads of this kind.\n{NEVER}")


def test_an_account_of_which_the_database_knows_nothing_was_never_read(given, waiting):
    waiting(lambda db: db.execute("delete from clock; delete from stream"))

    assert given("threads", "--history")[1].endswith(NEVER)


@pytest.mark.parametrize(("stream", "part"), [("incidents", "incidents "), ("%", "")])
def test_an_account_that_is_blind_is_named_beside_the_list(given, waiting, stream, part):
    old = "update stream set seen_through = '2026-11-20T10:00:00Z' where stream like"
    waiting(lambda db: db.execute(f"{old} '{stream}'"))

    lines = given("threads")[1].splitlines()

    assert "T1" in lines[1]
    assert lines[2:] == [
        f"mk: {part}not read since 2026-11-20 10:00 UTC, what waits there is unknown"
    ]


def beside(given, *args):
    """Gives a command while a daemon is registered."""

    async def with_one(db):
        await workers.register(db)
        return await asyncio.to_thread(given, *args)

    return with_one


@pytest.mark.parametrize(
    ("told", "seconds", "named"), [(0, 340, 0), (0, 390, 1), (1, 320, 1), (1, 240, 0)]
)
def test_an_account_that_is_read_a_moment_later_than_meant_is_not_named(
    given, waiting, told, seconds, named
):
    """The limit is five minutes: beyond it what was told counts, or a minute more."""
    seen = f"seen_through = now() - interval '{seconds} s'"
    since = "now()" if told else "null"
    waiting(lambda db: db.execute(f"update stream set {seen}, blind_since = {since}"))

    assert waiting(beside(given, "threads"))[1].count("mk: not read since") == named


@pytest.mark.parametrize(("seconds", "named"), [(290, 0), (310, 1)])
def test_where_no_daemon_runs_an_account_is_named_from_its_limit_on(given, waiting, seconds, named):
    seen = f"seen_through = now() - interval '{seconds} s'"
    waiting(lambda db: db.execute(f"update stream set {seen}"))

    for command in (["threads"], ["explain", "mk", "T1"]):
        assert given(*command)[1].count("mk: not read since") == named


def test_a_reply_that_nobody_sends_yet_says_so(given, waiting):
    alone = given("reply", "mk", "T1", "--text", "On its way.")[1]
    daemon = waiting(beside(given, "reply", "mk", "T1", "--text", "On its way."))[1]

    assert "is queued; no daemon runs; it is sent when one does: replyby explain mk T1" in alone
    assert "is queued; the daemon sends it: replyby explain mk T1" in daemon


def test_a_reply_to_nobody_who_can_be_addressed_is_refused_at_once(given, waiting):
    waiting(lambda db: db.execute("update thread set reply_to = $1", {"CUSTOMER": ""}))

    told = given("reply", "mk", "T1", "--text", "Here.", "--to", "marketplace")

    assert told == (
        1, "", "replyby: the marketplace cannot be addressed in this thread\n"
    )  # fmt: skip
    assert waiting(lambda db: db.fetch("select id from reply")) == []


def test_a_reply_is_queued_from_the_option_or_the_standard_input(given, waiting):
    assert given("reply", "mk", "T1", "--text", "On its way.")[0] == 0
    assert (
        given("reply", "mk", "T1", "--to", "buyer", "--to", "marketplace", stdin="Both.\n")[0] == 0
    )

    rows = waiting(lambda db: db.fetch("select body, addressed_to, state from reply order by id"))
    assert [tuple(row) for row in rows] == [
        ("On its way.", ["buyer"], "queued"),
        ("Both.\n", ["buyer", "marketplace"], "queued"),
    ]


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["reply", "mk", "T1", "--text", "Here.", "--file", "settings.toml"],
         "replyby: no files go with a reply from here"),
        (["reply", "mk", "T1", "--text", "Here.", "--file", "none.pdf"],
         "replyby: none.pdf cannot be read: No such file or directory"),
        (["reply", "mk", "T1", "--text", "Here.", "--file", "no-folder/none.pdf"],
         "replyby: no-folder/none.pdf cannot be read: No such file or directory"),
        (["reply", "mk", "T1", "--text", " "], "replyby: a reply needs a text"),
        (["reply", "mk", "T9", "--text", "Yes."], "replyby: account mk has no thread T9"),
        (["reply", "mk", "T1", "--text", "No"], "replyby: a reply has 3 characters at least there"),
        (["reply", "mk", "T1", "--text", "x" * 50_001],
         "replyby: a reply has 50000 characters at most there, this one has 50001; shorten it"),
        (["explain", "mc", "T1"], "replyby: no account is called mc; known: mk"),
        (["reply", "mc", "T1", "--text", "x"], "replyby: no account is called mc; known: mk"),
        (["mark", "mk", "T9", "decided"], "replyby: account mk has no thread T9"),
        (["answered", "mk", "T1", "--at", "2126-01-01T00:00:00Z"],
         "replyby: an answer cannot lie in the future"),
        (["explain", "mk", "T9"], "replyby: account mk has no thread T9; see: replyby threads"),
        (["poll", "mk", "mesages", "--once"],
         "replyby: mk has no stream mesages; did you mean messages?"),
        (["notify", "--test", "opps"], "replyby: no route is called opps; did you mean ops?"),
        (["set-aside", "show", "7"], "replyby: nothing is set aside as 7"),
        (["set-aside", "retry", "7"], "replyby: nothing is set aside as 7"),
        (["set-aside", "show", "9223372036854775807"], "replyby: nothing is set aside as 92233"),
        (["set-aside", "drop", "9223372036854775807"], "replyby: nothing is set aside as 92233"),
        (["notices", "retry", "9223372036854775807"], "replyby: no such notice is parked"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_exit_code_1(given, waiting, args, complaint):
    code, _, err = given(*args)

    assert code == 1
    assert err.startswith(complaint)
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("place", ["/proc/x", "settings.toml", "settings.toml/var"])
@pytest.mark.parametrize("args", [("check", "--offline", "--sandbox"), ("run", "--sandbox")])
def test_a_state_directory_that_cannot_be_used_is_one_line(given, files, args, place):
    text = SETTINGS.replace("[store]", f'[store]\nstate_dir = "{place}"\n')
    (files / "settings.toml").write_text(text + f'[ops]\nlisten = "127.0.0.1:{free_port()}"\n')

    code, out, err = given(*args)

    assert (code, out) == (2, "")
    assert err.startswith("store.state_dir: /")
    assert len(err.splitlines()) == 1


def test_checking_the_state_directory_leaves_nothing_there(given, files):
    assert given("check", "--offline", "--sandbox")[0] == 0

    assert [path.name for path in files.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"Yes.\0", f"{CONTROL} (U+0000 after 4 characters); remove it"),
        (b"Y\x1b[1mes", f"{CONTROL} (U+001B after 1 characters); remove it"),
        ("Yes.\x85".encode(), f"{CONTROL} (U+0085 after 4 characters); remove it"),
    ],
)
def test_a_text_that_is_none_is_one_line(given, waiting, text, complaint):
    for args, stdin in ((["--text", os.fsdecode(text)], ""), ([], text)):
        code, _, err = given("reply", "mk", "T1", *args, stdin=stdin)

        assert (code, err) == (1, f"{complaint}\n")
    assert waiting(lambda db: db.fetchval("select count(*) from reply")) == 0


def test_a_text_from_the_standard_input_that_is_no_utf8_is_one_line(given, waiting):
    code, _, err = given("reply", "mk", "T1", stdin=b"\xff\xfe\x00")

    assert (code, err) == (1, "replyby: the text is not UTF-8; write it in that encoding\n")
    assert waiting(lambda db: db.fetchval("select count(*) from reply")) == 0


def test_what_nobody_expected_is_one_line_without_a_value(given, waiting, monkeypatch):
    """A thread's name that PostgreSQL cannot hold; with REPLYBY_DEBUG it is shown whole."""
    name = "secret\0"
    code, out, err = given("explain", "mk", name)

    assert (code, out) == (1, "")
    assert "which nobody expected; REPLYBY_DEBUG=1 shows where" in err
    assert len(err.splitlines()) == 1
    assert "secret" not in err

    monkeypatch.setenv("REPLYBY_DEBUG", "1")
    with pytest.raises(AssertionError, match="invalid byte sequence"):
        given("explain", "mk", name)


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["answered", "mk", "T1", "--at", "yesterday"], "is no instant; write it as 2026-"),
        (["answered", "mk", "T1", "--at", "2026-11-21T12:00:00"], "has no zone; end it with Z"),
        (["mark", "mk", "T1", "maybe"], "'maybe' is not one of"),
        (["explain", "mk", " "], "is empty; write a thread's id"),
        (["threads", "--at-risk", "--history"], "two lists; ask for one of them"),
        (["poll", "mk"], "Missing option '--once'"),
        (["report", "--window", "999999999999d"], "is too long; write no more than 99999d"),
        (["mute", "mk", "--until", "1000000h"], "is too long; write no more than 99999d"),
        (["coverage", "--from", "2026-13-45"], "is no day; write it as 2026-11-21"),
        (["act", "mk", "A1", "x", "--from", "2026-1-5"], "is no day; write it as 2026-11-21"),
        (["replay", "--policy", "x", "--until", "2026-13-45"],
         "is no day and no instant; write it as 2026-11-21 or 2026-11-21T12:00:00Z"),
        (["set-aside", "show", "9223372036854775808"], NO_NUMBER),
        (["set-aside", "retry", "1", "9" * 21], NO_NUMBER),
        (["set-aside", "drop", "9" * 5_000], NO_NUMBER),
        (["set-aside", "drop", "one"], NO_NUMBER),
        (["notices", "retry", "9" * 21], NO_NUMBER),
    ],
)  # fmt: skip
def test_a_wrong_call_has_exit_code_2(given, args, complaint):
    code, _, err = given(*args)

    assert code == 2
    assert complaint in err


def test_a_deadline_is_explained_for_people_and_for_scripts(given, waiting):
    code, text, _ = given("explain", "mk", "T1")
    told = json.loads(given("explain", "mk", "T1", "--json")[1])

    assert code == 0
    assert text.startswith("mk T1\n")
    assert "ours: running" in text
    assert "M1" in text
    assert "parcel" not in text
    (clock,) = told["clocks"]
    assert [step["topic"] for step in clock["steps"]].count("due") == 1


def test_a_thread_that_the_marketplace_does_not_show_is_told(given, waiting):
    assert json.loads(given("explain", "mk", "T1", "--json")[1])["absent_since"] is None
    assert "no such thread" not in given("explain", "mk", "T1")[1]

    at = datetime(2026, 11, 22, 0, 11, 26, tzinfo=UTC)
    waiting(lambda db: db.execute("update thread set absent_since = $1", at))

    text = given("explain", "mk", "T1")[1]
    assert "  Since 2026-11-22 00:11:26 UTC the marketplace shows no such thread" in text
    assert json.loads(given("explain", "mk", "T1", "--json")[1])["absent_since"] == at.isoformat()


def test_what_became_of_a_clock_and_of_a_reply_is_told_too(given, waiting):
    given("reply", "mk", "T1", "--text", "On its way.")
    given("mark", "mk", "T1", "decided")

    text = given("explain", "mk", "T1")[1]

    assert "reply 1: queued since" in text
    assert "void (gone)" in text
    assert ": ended void, because gone, ended at " in text


def test_a_counted_breach_reads_as_words_for_people_and_exactly_for_scripts(given, waiting):
    at = datetime(2026, 11, 22, 0, 11, 26, 90117, tzinfo=UTC)
    before = {"breached_at": None, "corrected_at": None, "correction": None}
    after = {"breached_at": at.isoformat()}

    async def count(db):
        await db.execute("update clock set stopped_at = $1, ended = 'late', started_at = $1", at)
        line = "insert into clock_entry select id, $1, 'breached', $2, $3 from clock"
        await db.execute(line, at, before, after)

    waiting(count)

    assert (
        "  2026-11-22 00:11:26 UTC: counted as a breach of the deadline 2026-11-22 00:11:26 UTC\n"
        in given("explain", "mk", "T1")[1]
    )
    (clock,) = json.loads(given("explain", "mk", "T1", "--json")[1])["clocks"]
    assert clock["started_at"] == clock["stopped_at"] == clock["history"][0]["at"] == at.isoformat()


def test_settled_and_refused_replies_are_told_with_the_marketplaces_reason(given, waiting):
    for text in ("Yes, it is.", "On its way.", "It left today."):
        given("reply", "mk", "T1", "--text", text)
    waiting(
        lambda db: db.execute(
            "update reply set state = 'refused', reason = 'M12: status 400, Topic is closed',"
            " left_at = now(), settled_at = '2026-11-20T10:00:00Z' where id = 2;"
            "update reply set state = 'confirmed', settled_at = '2026-11-20T10:00:05Z' where id = 1"
        )
    )

    lines = given("explain", "mk", "T1")[1].splitlines()
    told = json.loads(given("explain", "mk", "T1", "--json")[1])["replies"]

    assert lines[1:4] == [
        "  https://shop.example/threads/T1",
        "  reply 1: confirmed since 2026-11-20 10:00:05 UTC",
        "  reply 2: refused since 2026-11-20 10:00 UTC: M12: status 400, Topic is closed",
    ]
    assert lines[4].startswith("  reply 3: queued since ")
    assert [(each["state"], each["reason"]) for each in told] == [
        ("confirmed", None),
        ("refused", "M12: status 400, Topic is closed"),
        ("queued", None),
    ]
    assert told[1]["settled_at"] == "2026-11-20T10:00:00+00:00"


def test_a_change_is_told_by_what_is_otherwise_than_before(given, waiting):
    before = '{"ended": "met", "reason": null, "stopped_at": "2026-11-20T10:00:00+00:00"}'
    after = '{"ended": "met", "reason": null, "stopped_at": "2026-11-20T09:00:00+00:00"}'
    waiting(
        lambda db: db.execute(
            "insert into clock_entry (clock, at, what, before, after)"
            f" select id, '2026-11-20T11:00:00Z', 'ended', '{before}'::jsonb, '{after}'::jsonb"
            " from clock"
        )
    )

    lines = given("explain", "mk", "T1")[1].splitlines()

    assert lines[-1] == (
        "  2026-11-20 11:00 UTC: ended at 2026-11-20 09:00 UTC (was 2026-11-20 10:00 UTC)"
    )


def test_a_change_below_a_second_is_told_to_scripts_only(given, waiting):
    at = "2026-11-20T10:00:00.1{}+00:00"
    before, after = (f'{{"ended": "met", "stopped_at": "{at.format(n)}"}}' for n in (1, 2))
    waiting(
        lambda db: db.execute(
            "insert into clock_entry (clock, at, what, before, after)"
            f" select id, '2026-11-20T11:00:00Z', 'ended', '{before}'::jsonb, '{after}'::jsonb"
            " from clock"
        )
    )

    assert "2026-11-20" not in given("explain", "mk", "T1")[1]
    (clock,) = json.loads(given("explain", "mk", "T1", "--json")[1])["clocks"]
    assert list(clock["history"][0]["changes"]) == ["stopped_at"]


def test_a_thread_without_clocks_says_why(given, waiting):
    waiting(lambda db: db.execute("delete from clock"))

    assert "No clock: nobody waits" in given("explain", "mk", "T1")[1]


def test_a_mark_ends_the_clock_of_our_own_goals(given, waiting):
    code, out, _ = given("mark", "mk", "T1", "decided")

    assert (code, out.splitlines()[0]) == (0, "mk T1: no reply needed (decided)")
    levels = waiting(lambda db: db.fetch("select level from message where level is not null"))
    assert [row["level"] for row in levels] == ["decided"]


def test_a_decision_names_the_contract_that_still_runs(given, waiting):
    said, running = given("mark", "mk", "T1", "decided")[1].splitlines()

    assert said == "mk T1: no reply needed (decided)"
    assert running.startswith("still running: mirakl-empik, due 20")
    assert running.endswith(" UTC; the mark does not end it")


def test_a_mark_that_we_see_ourselves_is_nothing_to_be_said(given, waiting):
    """Where it was not set the buyer waits on, whatever anybody says."""
    code, _, err = given("mark", "mk", "T1", "marked")

    assert code == 1
    assert "own mark is read: set it there" in err
    levels = waiting(lambda db: db.fetch("select level from message where level is not null"))
    assert levels == []


@pytest.mark.parametrize(
    ("can", "complaint"),
    [
        (Capabilities(unseen_mark=True), None),
        (Capabilities(own_mark=True), "own mark is read"),
        (Capabilities(), "has no mark of its own"),
    ],
)
def test_a_person_says_that_a_mark_was_set_only_where_there_is_one_unseen(can, complaint):
    if complaint is None:
        marking.check_level("marked", can)
    else:
        with pytest.raises(Mistaken, match=complaint):
            marking.check_level("marked", can)
    marking.check_level("decided", can)


def test_an_answer_given_elsewhere_is_written_down_at_its_instant(given, waiting):
    at = (utcnow() - timedelta(minutes=5)).replace(microsecond=0)

    code, out, _ = given("answered", "mk", "T1", "--at", at.isoformat())

    assert code == 0
    assert f"answered elsewhere at {at:%Y-%m-%d %H:%M:%S}" in out
    found = waiting(
        lambda db: db.fetchrow(
            "select sent_at, delivery from message where kind = 'answered_elsewhere'"
        )
    )
    assert tuple(found) == (at, "accepted")


@pytest.fixture
def parked(ask):
    """A notice that was given up."""

    async def seed(db):
        await db.execute(
            "insert into notice (key, kind, account, raised_at) values ('k', 'breach', 'mk', now())"
        )
        await db.execute(
            "insert into dispatch (notice, notifier, next_try_at, attempts, parked_reason, error)"
            " select id, 'log', now(), 15, 'given_up', 'no answer' from notice"
        )

    ask(seed)
    return ask


def test_parked_notices_are_listed_and_tried_again(given, parked):
    table = given("notices", "list")[1]
    told = json.loads(given("notices", "list", "--json")[1])
    (row,) = told["parked"]

    assert "given_up" in table
    assert told["waiting"] == []
    assert (row["notifier"], row["kind"], row["attempts"]) == ("log", "breach", 15)
    unknown = "replyby: no notifier is called other; known: log\n"
    assert given("notices", "retry", "--notifier", "other") == (1, "", unknown)
    for none in (["--notifier", "log", "99"], ["99"]):
        code, out, err = given("notices", "retry", *none)
        assert (code, out) == (1, "")
        assert err == "replyby: no such notice is parked; see: replyby notices list\n"
    assert given("notices", "retry", str(row["id"]))[1].startswith("1 will be tried")
    none, waits = given("notices", "list")[1].splitlines()
    assert none == "none was given up"
    assert waits.startswith("log: 1 waits to be sent, since 20")
    told = json.loads(given("notices", "list", "--json")[1])
    assert told["parked"] == []
    (row,) = told["waiting"]
    assert (row["notifier"], row["waiting"], row["held_by_mute"]) == ("log", 1, 0)
    assert datetime.fromisoformat(row["since"]).tzinfo is not None


def test_where_every_notice_was_sent_the_list_says_so(given, ask):
    assert given("notices", "list")[1] == "every notice was sent\n"
    assert json.loads(given("notices", "list", "--json")[1]) == {"parked": [], "waiting": []}


HELD = """
    with quiet as (
        insert into mute (scope, name, until, by)
        values ('account', 'mk', now() + interval '1 h', 'ana')
        returning id
    ), raised as (
        insert into notice (key, kind, account, raised_at)
        select n, 'breach', 'mk', now() - interval '2 h' from unnest(array['m', 'd', 'w']) as n
        returning id, key
    )
    insert into dispatch (notice, notifier, muted_by, digest, next_try_at, attempts, error)
    select r.id, case r.key when 'd' then 'chat' else 'mail' end,
           case r.key when 'm' then quiet.id end, case r.key when 'd' then 'mk/digest/1' end,
           now() + interval '9 min', case r.key when 'w' then 3 else 0 end,
           case r.key when 'w' then 'unreachable' end
    from raised r, quiet
"""


def test_the_list_tells_what_waits_what_a_mute_holds_and_what_gathers(given, ask):
    ask(lambda db: db.execute(HELD))

    lines = given("notices", "list")[1].splitlines()

    assert lines[:2] == [
        "none was given up", "chat: 1 waits to be sent, with a digest that is to come",
    ]  # fmt: skip
    assert lines[2].startswith("mail: 1 waits to be sent, since 20")
    assert lines[2].endswith(" UTC, 1 held back by a mute")
    told = json.loads(given("notices", "list", "--json")[1])["waiting"]
    assert [(one["waiting"], one["since"] is None, one["held_by_mute"]) for one in told] == [
        (1, True, 0), (1, False, 1),
    ]  # fmt: skip


@pytest.fixture
def aside(ask):
    """A payload that could not be read, of a stream that is read."""
    now = utcnow()

    async def seed(db):
        await seeds.put_account(db, now)
        await seeds.put_stream(db, now, name="messages")
        await db.execute("update stream set cursor = 'c', next_due = now() + interval '1 day'")
        items = [SetAside("T7", "no date", b'{"odd": 1}')]
        await setaside.add(db, "mk", "messages", items, now)
        await setaside.add(db, "mk", "push", [SetAside("P1", "no date", b"{}")], now)

    ask(seed)
    return ask


def test_what_was_set_aside_is_listed_shown_and_dropped(given, aside):
    rows = json.loads(given("set-aside", "list", "--json")[1])
    number = str(next(row["id"] for row in rows if row["stream"] == "messages"))

    assert "no date" in given("set-aside", "list", "--account", "mk")[1]
    assert "odd" not in given("set-aside", "list")[1]
    assert given("set-aside", "show", number)[1] == '{"odd": 1}\n'
    assert given("set-aside", "drop", number)[1] == "1 dropped\n"
    assert len(json.loads(given("set-aside", "list", "--json")[1])) == 1
    assert given("set-aside", "drop", number)[0] == 1
    assert given("set-aside", "list", "--account", "mc")[2].startswith("replyby: no account is")


def test_what_was_set_aside_is_read_again_from_the_look_back(given, aside):
    code, out, _ = given("set-aside", "retry")

    assert (code, out) == (0, "mk messages: the daemon reads it again from its look-back\n")
    cursor, due = aside(lambda db: db.fetchrow("select cursor, next_due <= now() from stream"))
    assert (cursor, due) == (None, True)
    (left,) = json.loads(given("set-aside", "list", "--json")[1])
    assert left["stream"] == "push"


def test_what_was_pushed_cannot_be_asked_for(given, aside):
    rows = json.loads(given("set-aside", "list", "--json")[1])
    number = str(next(row["id"] for row in rows if row["stream"] == "push"))

    code, _, err = given("set-aside", "retry", number)

    assert code == 1
    assert "was pushed and cannot be asked for" in err


def test_what_was_read_well_and_is_unclear_is_not_asked_for_again(given, ask):
    now = utcnow()
    unclear = [SetAside("V1", "unclear: what it means", b"")]
    ask(lambda db: setaside.add(db, "mk", "verdicts", unclear, now))
    (row,) = json.loads(given("set-aside", "list", "--json")[1])

    code, _, err = given("set-aside", "retry", str(row["id"]))

    assert code == 1
    assert "was read well; see to its thread" in err
    assert given("set-aside", "retry")[1] == "everything could be read\n"


def test_a_test_notice_reaches_the_route(given, files):
    code, out, _ = given("notify", "--test", "ops")

    assert (code, out) == (0, "notifiers.log: sent\n")
    (line,) = (files / "notices.jsonl").read_text().splitlines()
    assert json.loads(line)["kind"] == "test"


def test_a_notifier_that_does_not_take_it_is_exit_code_1(given, files):
    (files / "settings.toml").write_text(SETTINGS.replace("notices.jsonl", "/dev/full"))

    code, out, _ = given("notify", "--test", "ops")

    assert code == 1
    assert out.startswith("notifiers.log: not sent: the file cannot be written")


def test_polling_a_sandbox_account_without_its_sandbox_is_told(given, ask):
    code, _, err = given("poll", "mk", "--once")

    assert code == 2
    assert err == "accounts.mk: its sandbox is not running; start it with: replyby run --sandbox\n"


@pytest.mark.parametrize("left", ["pid of the dead", "no JSON"])
def test_what_a_killed_daemon_left_is_no_running_sandbox(given, ask, files, left):
    ended = subprocess.Popen(["true"])
    ended.wait()
    there = {"base_url": "http://127.0.0.1:1", "api_key": "k"}
    told = json.dumps({"pid": ended.pid, "accounts": {"mk": there}})
    (files / "var").mkdir()
    (files / "var" / "sandbox.json").write_text(told if left == "pid of the dead" else "{")

    code, _, err = given("poll", "mk", "--once")

    assert code == 2
    assert "its sandbox is not running" in err


def test_polling_an_account_that_does_not_answer_fails(given, ask, files):
    (files / "settings.toml").write_text(SETTINGS + REAL.format(port=free_port()))

    code, out, _ = given("poll", "real", "messages", "--once")

    assert code == 1
    assert out == "messages: network (0 new, 0 changed, 0 known)\n"


@pytest.fixture
def empty(server, monkeypatch, files):
    """A database without tables."""
    name = f"replyby_empty_{free_port()}"

    async def run(statement):
        db = await store.connect(server)
        await db.execute(statement)
        await db.close()

    asyncio.run(run(f"create database {name}"))
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of({**server, "database": name}))
    yield
    asyncio.run(run(f"drop database {name} with (force)"))


def test_migrate_says_what_is_missing_and_applies_it(given, empty):
    code, _, err = given("threads")
    assert code == 1
    assert err == "replyby: the database lacks tables of this version; run: replyby migrate\n"

    code, out, _ = given("migrate", "--check")
    assert (code, out.startswith("0001_initial.sql is not applied")) == (1, True)

    assert given("migrate")[:2] == (0, f"{len(migrate.shipped())} applied\n")
    assert given("migrate", "--check")[:2] == (0, "nothing to apply\n")
    assert given("migrate")[:2] == (0, "nothing to apply\n")
    assert given("threads")[:2] == (
        0,
        f"no thread of those that were read waits for a reply\n{NEVER}",
    )


class Health(BaseHTTPRequestHandler):
    ready = 200

    def do_GET(self):
        well = self.path == "/livez" or self.ready == 200
        self.send_response(200 if well else self.ready)
        self.end_headers()
        self.wfile.write(b"well\n" if well else b"database: not reached yet\n")

    def log_message(self, *args):
        pass


@pytest.fixture
def health(files):
    """A daemon's ops listener, as far as `healthcheck` sees it."""
    with HTTPServer(("127.0.0.1", 0), Health) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        text = SETTINGS + f'[ops]\nlisten = "0.0.0.0:{serving.server_port}"\n'
        (files / "settings.toml").write_text(text)
        yield Health
        serving.shutdown()
        thread.join()
        Health.ready = 200


def test_healthcheck_is_well_when_the_daemon_is(given, health):
    assert given("healthcheck")[:2] == (0, "alive and ready\n")


def test_healthcheck_says_why_the_daemon_is_not_ready(given, health):
    health.ready = 503

    assert given("healthcheck")[:2] == (1, "database: not reached yet\n")


def test_healthcheck_says_when_nobody_answers(given, files, monkeypatch):
    monkeypatch.setenv("REPLYBY_OPS__LISTEN", f"127.0.0.1:{free_port()}")

    code, out, _ = given("healthcheck")

    assert code == 1
    assert "/readyz does not answer (" in out
    assert "is the daemon running? If it listens elsewhere, say so here too: ops.listen" in out
    assert "REPLYBY_OPS__LISTEN" in out
