"""`replyby redate`: what it shows, what it refuses, and what is left when it is killed."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from connectors.mirakl import spec
from core import ingest, settings, store
from core.loops import utcnow
from core.running import takeover
from core.store import transaction
from tests.core import pages, terminal
from tests.core.test_daemon import Daemon

HOUR = timedelta(hours=1)
DAY = 24 * HOUR
SLOW = terminal.settings("""
[accounts.mk]
connector = "mirakl"
policies = ["day"]
goals = []
sandbox = true
options = { operator = "empik" }
[policies.day]
role = "contract"
reply_within = "24h"
""")
QUICK = SLOW.replace('"24h"', '"6h"')


@pytest.fixture
def now():
    return utcnow().replace(microsecond=0)


@pytest.fixture
def environ(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))
    with terminal.log_as_before():
        yield {"TEST_DSN": terminal.dsn_of(address)}


@pytest.fixture
def write(tmp_path, environ):
    """Writes the settings, and takes them over at an instant; the rules."""

    def write(text):
        (tmp_path / "settings.toml").write_text(text)

    return write


@pytest.fixture
def given(address, tmp_path, environ, write, now):
    """Gives a command to the promises: a day, and since two days six hours; threads wait."""

    async def seed(count):
        pool = await store.open_pool(address)
        try:
            for at, text in ((now - 10 * DAY, SLOW), (now - 2 * DAY, QUICK)):
                write(text)
                path = tmp_path / "settings.toml"
                found = settings.load(path, {"mirakl": spec}, environ, sandbox=True, now=at)
                rules = await takeover.take_over(pool, found, at)
            begun = now - 2 * DAY - 4 * HOUR
            messages = [pages.buyer(f"M{n}", begun, f"T{n}") for n in range(count)]
            answer = pages.seller("R0", now - 2 * DAY - HOUR, "T0")
            late = pages.seller("R1", now - 2 * DAY + 4 * HOUR, "T1")
            async with transaction(pool) as db:
                await ingest.page(db, rules, "mk", pages.page(*messages, answer, late), now, None)
        finally:
            await pool.close()

    def given(*args, count=3):
        asyncio.run(seed(count))
        return terminal.give("redate", "day", *args)

    return given


@pytest.fixture
def clocks(address):
    """(due in hours after the start, end, version) of every clock, by thread."""

    def clocks():
        rows = terminal.ask(address, lambda db: db.fetch("select * from clock"))
        return {row["thread"]: (_hours(row), row["ended"], row["policy_version"]) for row in rows}

    return clocks


def _hours(row):
    return (row["due_at"] - row["started_at"]) / HOUR


BEFORE = {"T0": (24.0, "met", 1), "T1": (24.0, "met", 1), "T2": (24.0, None, 1)}
AFTER = {"T0": (6.0, "met", 2), "T1": (6.0, "late", 2), "T2": (6.0, None, 2)}


def week_ago(now):
    return (now - 7 * DAY).isoformat()


def test_a_dry_run_shows_what_would_move_and_writes_nothing(given, clocks, now, address):
    code, told, _ = given("--from", week_ago(now), "--dry-run")

    assert code == 0
    assert told.splitlines()[0].startswith("day, version 2, in force since ")
    head, row = (re.split("  +", line) for line in told.splitlines()[1:3])
    moves = dict(zip(head, row, strict=True))
    assert {name for name, n in moves.items() if n != "0"} == {
        "ACCOUNT",
        "THREADS",
        "SOONER",
        "LATE",
    }
    assert (moves["THREADS"], moves["SOONER"], moves["LATE"]) == ("3", "3", "1")
    assert "Threads: mk T0, mk T1, mk T2" in told
    assert clocks() == BEFORE
    assert terminal.ask(address, lambda db: db.fetchval("select count(*) from redate")) == 0


def test_it_moves_what_waited_since_then_with_its_entries(given, clocks, now, address):
    code, told, _ = given("--from", week_ago(now), "--yes")

    assert (code, told.splitlines()[-1]) == (0, "Done.")
    assert clocks() == AFTER
    what = terminal.ask(address, lambda db: db.fetch("select distinct what from clock_entry"))
    assert {row["what"] for row in what} == {"started", "due_at", "ended", "breached"}


def test_a_day_begins_at_midnight_where_the_calendar_of_the_promise_is(given, now):
    day = (now - 3 * DAY).date().isoformat()

    _, told, _ = given("--from", day, "--dry-run")

    assert f"in force since {day} 00:00 UTC" in told


def test_said_again_it_moves_nothing_more(given, clocks, now):
    given("--from", week_ago(now), "--yes")

    code, told, _ = terminal.give("redate", "day", "--from", week_ago(now), "--yes")

    assert code == 0
    assert "no clock moves" in told
    assert clocks() == AFTER


def test_said_too_early_it_is_set_right_by_a_later_instant(given, clocks, now):
    given("--from", week_ago(now), "--yes")

    code, told, _ = terminal.give("redate", "day", "--from", (now - 2 * DAY).isoformat(), "--yes")

    assert code == 0
    assert "no clock moves" not in told
    assert clocks() == BEFORE


def test_nobody_is_moved_where_nobody_says_yes(given, clocks, now):
    code, told, complained = given("--from", week_ago(now))

    assert code == 1
    assert "nothing was changed; say so with --yes" in complained
    assert "Threads: mk" in told
    assert clocks() == BEFORE


@pytest.mark.parametrize(
    ("answer", "after"), [(b"y\n", AFTER), (b"n\n", BEFORE)], ids=["yes", "no"]
)
def test_a_person_at_a_terminal_is_asked(given, clocks, now, answer, after):
    given("--from", week_ago(now), "--dry-run")
    ours, theirs = pty.openpty()
    os.write(ours, answer)

    subprocess.run(command(now)[:-1], stdin=theirs, capture_output=True, timeout=60, check=False)

    os.close(ours)
    os.close(theirs)
    assert clocks() == after


@pytest.mark.parametrize(
    ("name", "begin", "complaint"),
    [
        ("dey", -7 * DAY, "no account has a promise that is called dey; did you mean day?"),
        ("day", DAY, "lies in the future"),
        ("day", -DAY, "it is in force since "),
        ("day", -11 * DAY, "none of its accounts was watched before "),
    ],
)
def test_what_cannot_be_is_refused_with_the_mend(given, clocks, now, name, begin, complaint):
    given("--from", week_ago(now), "--dry-run")

    begin = (now + begin).isoformat()
    code, _, complained = terminal.give("redate", name, "--from", begin, "--yes")

    assert code == 1
    assert complaint in complained
    assert clocks() == BEFORE


@pytest.mark.parametrize(
    ("begin", "code", "complaint"),
    [
        ("0001-01-01", 1, "none of its accounts was watched before"),
        ("0001-01-01T00:00:00+01:00", 2, "lies beyond all dates"),
        ("2026-11-21T12:00:00", 2, "has no zone"),
        ("yesterday", 2, "is no day and no instant; write it as 2026-11-21 or 2026-11-21T12"),
        ("2026-13-01", 2, "is no day and no instant; write it as 2026-11-21 or 2026-11-21T12"),
    ],
)
def test_what_is_no_instant_is_said_so(given, now, begin, code, complaint):
    given("--from", week_ago(now), "--dry-run")

    ended, _, complained = terminal.give("redate", "day", "--from", begin, "--yes")

    assert ended == code
    assert complaint in complained


def test_what_the_settings_say_and_was_not_loaded_yet_is_not_meant(given, write, clocks, now):
    given("--from", week_ago(now), "--dry-run")
    write(QUICK.replace('"6h"', '"3h"'))

    code, _, complained = terminal.give("redate", "day", "--from", week_ago(now), "--yes")

    assert code == 1
    assert "the settings say something else of day than what was loaded last" in complained
    assert clocks() == BEFORE


def test_dates_of_its_own_are_not_passed_over(given, write, now, address, tmp_path, environ):
    given("--from", week_ago(now), "--dry-run")
    dated = QUICK.replace('"6h"', f'"5h"\neffective_from = {(now - 3 * DAY).isoformat()}')
    write(dated)

    async def load():
        pool = await store.open_pool(address)
        path = tmp_path / "settings.toml"
        found = settings.load(path, {"mirakl": spec}, environ, sandbox=True, now=now)
        await takeover.take_over(pool, found, now)
        await pool.close()

    asyncio.run(load())

    code, _, complained = terminal.give("redate", "day", "--from", week_ago(now), "--yes")

    assert code == 1
    assert "it begins by its own dates at" in complained


def command(now):
    return [sys.executable, "-m", "core", "redate", "day", "--from", week_ago(now), "--yes"]


def test_killed_in_the_middle_and_given_again_it_ends_as_if_it_had_not_been(
    given, clocks, now, address
):
    count = 5 * ingest.BATCH
    given("--from", week_ago(now), "--dry-run", count=count)

    asyncio.run(kill_before_the_last_batch(address, now, count))
    again = subprocess.run(command(now), capture_output=True, timeout=60, check=False)

    assert again.returncode == 0, again.stderr
    found = clocks()
    assert {thread: found[thread] for thread in AFTER} == AFTER
    assert {(due, version) for due, _, version in found.values()} == {(6.0, 2)}
    assert terminal.ask(address, lambda db: db.fetchval(ENTRIES)) == count
    breaches = terminal.ask(address, lambda db: db.fetch(BREACHES))
    assert [tuple(row) for row in breaches] == [(1,)]


async def kill_before_the_last_batch(address, now, count):
    """Hold a thread of the last batch, so that the command waits; kill it, and let go."""
    quiet = asyncio.subprocess.DEVNULL
    holder, looker = await store.connect(address), await store.connect(address)
    try:
        async with holder.transaction():
            await holder.execute("select from thread where id = 'T999' for update")
            process = await asyncio.create_subprocess_exec(*command(now), stdout=quiet)
            while await looker.fetchval(MOVED) < count - ingest.BATCH:
                assert process.returncode is None
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGKILL)
            await process.wait()
    finally:
        await holder.close()
        await looker.close()


MOVED = "select count(*) from clock where policy_version = 2"
ENTRIES = "select count(*) from clock_entry where what = 'due_at'"
BREACHES = "select n from tally where metric = 'first_reply' and result = 'breached'"


@pytest.mark.serial
def test_a_daemon_that_runs_takes_it_in_and_works_on_by_it(given, clocks, now, tmp_path, environ):
    given("--from", week_ago(now), "--dry-run")
    daemon = Daemon(tmp_path, environ["TEST_DSN"])
    daemon.write(QUICK + f'[ops]\nlisten = "127.0.0.1:{daemon.port}"\n[log]\nformat = "json"\n')
    daemon.start()
    try:
        daemon.until(daemon.is_ready)

        code, told, _ = terminal.give("redate", "day", "--from", week_ago(now), "--yes")

        assert (code, told.splitlines()[-1]) == (0, "Done.")
        found = clocks()
        assert {thread: found[thread] for thread in AFTER} == AFTER
        daemon.until(lambda: daemon.said("promises redated"))
    finally:
        daemon.signal(signal.SIGTERM)
        assert daemon.ended(20) == 0
