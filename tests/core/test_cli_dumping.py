"""`dump`, `restore` and `restored` as a person gives them."""

from __future__ import annotations

import asyncio
import gzip
import os
import stat
import subprocess
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from core import store
from core.arrival import erasing
from core.loops import utcnow
from core.metrics import Metrics
from core.pushes import Member
from core.running import forgetting
from core.store import embedded, forgotten, migrate, pgcluster, workers
from tests.conftest import connected, run_on
from tests.core import other_major, seeds, terminal

ACCOUNT = """
[accounts.mk]
connector = "mirakl"
title = "Empik PL"
sandbox = true
options = { operator = "empik", poll_every = "2s" }
"""
EMBEDDED = terminal.settings(ACCOUNT).replace("env:TEST_DSN", "embedded")
COUNTS = """
    select (select count(*) from message) as messages, (select count(*) from thread) as threads,
           (select count(*) from clock) as clocks
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    (tmp_path / "settings.toml").write_text(terminal.settings(ACCOUNT))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REPLYBY_SETTINGS", raising=False)
    with terminal.log_as_before():
        yield tmp_path


@pytest.fixture
def given(files, address, monkeypatch):
    """Gives a command on the database of the test, which holds a little."""
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))
    terminal.ask(address, put)
    return terminal.give


async def put(db):
    now = utcnow()
    await seeds.put_account(db, now)
    await seeds.put_stream(db, now, seen_through=now)
    await seeds.put_thread(db, now)
    await seeds.put_message(db, now - timedelta(minutes=5))
    await seeds.put_clock(db, now + timedelta(hours=4))


def counts(address):
    async def counted():
        async with connected(address) as db:
            return tuple(await db.fetchrow(COUNTS))

    return asyncio.run(counted())


@pytest.fixture
def another(server, monkeypatch):
    """The address of an empty database, on which commands are given from now on."""
    asyncio.run(run_on(server, "create database replyby_restored"))
    address = {**server, "database": "replyby_restored"}
    yield lambda: monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address)) or address
    asyncio.run(run_on(server, "drop database replyby_restored with (force)"))


def test_a_dump_is_restored_into_an_empty_database(given, files, another):
    code, out, err = given("dump", "x.dump")
    assert (code, out) == (0, "")
    assert "message: 1 rows" in err
    assert (files / "x.dump").stat().st_mode & 0o777 == 0o600
    address = another()

    code, out, err = given("restore", "x.dump")

    assert (code, out) == (0, "")
    assert "rows restored, as of" in err
    assert "people erased since then are back" in err
    assert counts(address) == (1, 1, 1)
    assert given("restore", "x.dump")[0] == 1


def test_a_dump_goes_through_a_pipe(given, files, another):
    """By processes: what is written to the standard output is bytes."""
    command = [sys.executable, "-m", "core"]
    made = subprocess.run([*command, "dump", "-"], capture_output=True, check=True, cwd=files)
    address = another()

    subprocess.run([*command, "restore", "-"], input=made.stdout, capture_output=True, check=True,
                   cwd=files)  # fmt: skip

    assert counts(address) == (1, 1, 1)


def test_no_file_is_replaced_unless_it_is_said(given, files):
    (files / "x.dump").write_text("precious")

    code, _, err = given("dump", "x.dump")

    assert code == 1
    assert err == "replyby: x.dump exists: name another file, or say --force\n"
    assert (files / "x.dump").read_text() == "precious"
    assert given("dump", "x.dump", "--force")[0] == 0
    assert gzip.decompress((files / "x.dump").read_bytes()).startswith(b"-- replyby dump 1 ")


@pytest.mark.parametrize("force", [(), ("--force",)])
@pytest.mark.parametrize("name", ["pipe", "link", "loose", "below", ".", "/"])
def test_what_is_no_regular_file_is_never_replaced(given, files, name, force):
    os.mkfifo(files / "pipe")
    (files / "precious").write_text("precious")
    (files / "link").symlink_to("precious")
    (files / "loose").symlink_to("gone")
    (files / "below").mkdir()
    before = sorted(path.name for path in files.iterdir())

    code, out, err = given("dump", name, *force)

    assert (code, out) == (1, "")
    assert err == f"replyby: {name} is no regular file: name one, or for a stream write -\n"
    assert sorted(path.name for path in files.iterdir()) == before
    assert stat.S_ISFIFO((files / "pipe").lstat().st_mode)
    assert (files / "link").readlink() == Path("precious")
    assert (files / "precious").read_text() == "precious"


def test_a_dump_that_fails_leaves_no_file(given, files, monkeypatch):
    monkeypatch.setenv("TEST_DSN", "postgresql://nobody@127.0.0.1:1/none")

    assert given("dump", "x.dump")[0] == 1

    assert [path.name for path in files.iterdir() if "dump" in path.name] == []


def test_a_dump_where_nobody_may_write_is_refused_in_words(given, files):
    code, _, err = given("dump", "gone/x.dump")

    assert code == 1
    assert "gone/x.dump cannot be written: No such file or directory" in err


def test_a_full_disk_is_said_to_be_one_and_not_the_databases(given, files):
    with Path("/dev/full").open("wb") as full:
        said = subprocess.run(
            [sys.executable, "-m", "core", "dump", "-"],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=files, check=False,
        )  # fmt: skip

    assert said.returncode == 1
    assert "the dump cannot be written: No space left on device" in said.stderr


def test_a_check_says_what_a_file_holds_and_asks_no_database(given, files, monkeypatch):
    given("dump", "x.dump")
    monkeypatch.setenv("TEST_DSN", "postgresql://nobody@127.0.0.1:1/none")

    code, out, err = given("restore", "x.dump", "--check")

    assert (code, out) == (0, "")
    newest = migrate.shipped()[-1].version
    assert err.startswith("x.dump: whole; ")
    assert f"on PostgreSQL 18, schema {newest:04}" in err


@pytest.mark.parametrize("check", [(), ("--check",)])
def test_what_is_damaged_is_refused_before_the_database_is_asked(given, files, monkeypatch, check):
    given("dump", "x.dump")
    whole = (files / "x.dump").read_bytes()
    (files / "x.dump").write_bytes(whole[: len(whole) // 2])
    monkeypatch.setenv("TEST_DSN", "postgresql://nobody@127.0.0.1:1/none")

    code, _, err = given("restore", "x.dump", *check)

    assert code == 1
    assert err == (
        "replyby: x.dump is cut off or damaged: take another dump; nothing was changed\n"
    )


def test_a_check_reads_the_erasures_that_are_named_too(given, files):
    given("dump", "x.dump")
    given("dump", "erased.dump", "--erasures")

    code, _, err = given("restore", "--check", "x.dump", "--erasures", "erased.dump")

    assert code == 0
    assert [line.partition(";")[0] for line in err.splitlines()] == [
        "x.dump: whole", "erased.dump: whole",
    ]  # fmt: skip
    code, _, err = given("restore", "--check", "x.dump", "--erasures", "gone.dump")
    assert code == 1
    assert "gone.dump cannot be read: No such file or directory" in err


def test_a_file_that_is_none_is_said_to_be_missing(given):
    assert given("restore", "none.dump")[2] == (
        "replyby: none.dump cannot be read: No such file or directory\n"
    )


def test_a_foreign_file_is_no_dump(given, files):
    code, _, err = given("restore", "settings.toml")

    assert (code, err) == (
        1, "replyby: settings.toml is no dump of replyby; nothing was changed\n"
    )  # fmt: skip


def test_beside_a_daemon_nothing_is_settled(given, address):
    async def beside():
        db = await store.connect(address)
        await workers.register(db)
        try:
            return await terminal.give_beside("restored")
        finally:
            await db.close()

    code, _, err = asyncio.run(beside())

    assert (code, err) == (
        1, "replyby: a daemon works with this database: stop it, and do this again\n"
    )  # fmt: skip


QUEUED = """
    insert into reply (account, thread, body, addressed_to, next_try_at, queued_at, automatic)
    values ('mk', 'T1', 'a', '{buyer}', now(), now(), false),
           ('mk', 'T1', 'b', '{buyer}', now(), now(), true)
"""
STATES = "select body, state, reason from reply order by body"
NOTICES = """
    with raised as (
        insert into notice (key, kind, account, raised_at) values
            ('1/0/1', 'warning', 'mk', now()), ('mk/blind/x', 'blind', 'mk', now()),
            ('1/0/2', 'breach', 'mk', now())
        returning id, key
    )
    insert into dispatch (notice, notifier, attempts)
    select id, 'log', case when key = '1/0/2' then 1 else 0 end from raised
"""
HELD = """
    select n.key, d.digest from notice n join dispatch d on d.notice = n.id order by n.key
"""


def test_what_was_brought_back_by_other_means_is_settled(given, address):
    async def prepare(db):
        await db.execute(QUEUED)
        await db.execute(NOTICES)

    terminal.ask(address, prepare)

    code, _, err = given("restored")

    assert code == 0
    assert "replies that waited to be sent or were leaving: 1;" in err
    assert "notices that had not left: 1;" in err

    async def look(db):
        return (
            await db.fetch(STATES),
            await db.fetch(HELD),
            await db.fetchrow("select restored_at, first_walk_at from account"),
        )

    states, held, account = terminal.ask(address, look)
    assert [tuple(row) for row in states] == [("a", "sending", None), ("b", "refused", "late")]
    digest = f"mk/restored/{account['restored_at'].isoformat()}"
    assert {row["key"]: row["digest"] for row in held} == {
        "1/0/1": digest, "1/0/2": None, "mk/blind/x": None
    }  # fmt: skip
    assert account["first_walk_at"] is None


def test_where_there_is_no_database_none_is_made_to_dump_it(files, monkeypatch):
    (files / "settings.toml").write_text(EMBEDDED)

    code, _, err = terminal.give("dump", "x.dump")

    assert code == 1
    assert "there is no database in" in err
    assert not (files / "var").exists()


@pytest.fixture
def placed(place, files, monkeypatch):
    """A directory that PostgreSQL's user reaches, with the embedded database's settings."""
    (place / "settings.toml").write_text(EMBEDDED)
    monkeypatch.chdir(place)
    return place


@pytest.mark.needs(other_major.PROGRAM)
def test_data_of_another_major_version_goes_over_by_a_dump(placed, monkeypatch):
    """The directory was made by another PostgreSQL, of which only the programs are left."""
    home, _ = pgcluster.settle(placed / "var")
    made_by = other_major.major()
    pgcluster.password(home)
    other_major.make(home.data)

    code, _, err = terminal.give("dump", "x.dump")
    assert code == 2
    assert f"{home.data} was made by PostgreSQL {made_by}, installed is 18: dump it" in err
    assert f"mv {home.data} {home.data}-{made_by}" in err

    with other_major.running(placed, home.data) as dsn:
        terminal.ask({"dsn": dsn}, migrate.apply)
        terminal.ask({"dsn": dsn}, put)
        monkeypatch.setenv("OLD_DSN", dsn)
        monkeypatch.setenv("REPLYBY_STORE__DSN", "env:OLD_DSN")
        assert terminal.give("dump", "x.dump")[0] == 0
        monkeypatch.delenv("REPLYBY_STORE__DSN")
    home.data.rename(f"{home.data}-{made_by}")

    code, _, err = terminal.give("restore", "x.dump")
    assert code == 0, err

    async def restored():
        async with embedded.join(placed / "var") as address, connected(address) as db:
            return await db.fetchval(migrate.SERVER) // 10_000, tuple(await db.fetchrow(COUNTS))

    assert asyncio.run(restored()) == (18, (1, 1, 1))


async def forget(db):
    """Erase two after the dump: one by an id that stands in a thread, one by none that does."""
    ids = [Member(frozenset({"Zenobia Quill", "zq-4711"})), Member(frozenset({"nobody here"}))]
    async with db.transaction():
        await erasing.ask(db, "mirakl", None, ids, utcnow())


@pytest.mark.parametrize("whole", [True, False])
def test_whoever_was_erased_since_the_dump_is_erased_again(given, address, another, whole):
    """As a later dump says, or a file of erasures alone; who was not erased stays."""

    async def another_buyer(db):
        await seeds.put_thread(db, utcnow(), "T2", buyer="Somebody Else")

    terminal.ask(address, another_buyer)
    terminal.ask(address, make_key)
    given("dump", "x.dump")
    terminal.ask(address, forget)
    assert given("dump", "later.dump", *(() if whole else ("--erasures",)))[0] == 0
    address = another()

    code, _, err = given("restore", "x.dump", "--erasures", "later.dump")

    assert code == 0
    assert "members to be erased once more, by the daemon: 1\n" in err
    assert terminal.ask(address, asked) == [["zenobia quill"]]
    means = partial(forgetting.Means, rules=seeds.rules(), metrics=Metrics(), beat=lambda: None)
    terminal.ask(address, partial(erased, address, means))
    assert terminal.ask(address, buyers) == ["", "Somebody Else"]


async def make_key(db):
    await forgotten.digests(db, "mirakl")


async def asked(db):
    return [row["ids"] for row in await db.fetch("select ids from erasure_member")]


async def buyers(db):
    return [row["buyer"] for row in await db.fetch("select buyer from thread order by buyer")]


async def erased(address, means, db):
    pool = await store.open_pool(address)
    try:
        while await forgetting.once(means(pool), forgetting.Pace(), utcnow()) is not None:
            pass
    finally:
        await pool.close()


def test_erasures_alone_hold_no_word_of_anybody_and_are_no_dump(given, files, address, another):
    terminal.ask(address, forget)
    given("dump", "erased.dump", "--erasures")

    said = gzip.decompress((files / "erased.dump").read_bytes())
    assert b'"tables": ["erasure_key", "forgotten"]' in said
    assert b"uill" not in said
    another()
    assert "holds some tables only" in given("restore", "erased.dump")[2]


def test_erasures_of_another_installation_are_refused(given, address, another):
    terminal.ask(address, make_key)
    given("dump", "x.dump")

    async def anew(db):
        await db.execute("update erasure_key set key = 'another'")
        await forget(db)

    terminal.ask(address, anew)
    given("dump", "later.dump", "--erasures")
    address = another()

    code, _, err = given("restore", "x.dump", "--erasures", "later.dump")

    assert code == 1
    assert "the erasures are those of another database; nothing was changed" in err
    assert terminal.ask(address, migrate.applied) == []
