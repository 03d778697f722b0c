"""The daemon as a process, on a database of the test's own: start, reload, bad days, stop."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from core.store import pgcluster
from tests.core.terminal import dsn_of
from tests.core.test_cli import free_port

pytestmark = [pytest.mark.serial, pytest.mark.timeout(90)]

SETTINGS = """
[store]
dsn = "env:TEST_DSN"
[ops]
listen = "127.0.0.1:{ops}"
[web]
listen = "127.0.0.1:0"
[log]
format = "json"
[accounts.one]
connector = "mirakl"
title = "Empik PL"
goals = ["fast"]
sandbox = true
options = {{ operator = "empik", poll_every = "2s" }}
[policies.fast]
reply_within = "1m"
[notifiers.log]
kind = "file"
path = "notices.jsonl"
[routes.ops]
notifiers = ["log"]
fallback = true
"""
MORE = '[notifiers.more]\nkind = "file"\npath = "more.jsonl"\n'


class Daemon:
    """`replyby run` in a directory."""

    def __init__(self, place, dsn: str) -> None:
        self.place = place
        self.port = free_port()
        self.environ = {**os.environ, "TEST_DSN": dsn}
        self.write(SETTINGS.format(ops=self.port))
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, text: str) -> None:
        (self.place / "settings.toml").write_text(text)

    def start(self, *args: str) -> None:
        command = [sys.executable, "-m", "core", "run", "--sandbox", *args]
        with (self.place / "out").open("wb") as out, (self.place / "err").open("wb") as err:
            self.process = subprocess.Popen(
                command, cwd=self.place, env=self.environ, stdout=out, stderr=err
            )

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def ended(self, seconds: float) -> int:
        assert self.process is not None
        return self.process.wait(seconds)

    def ask(self, path: str) -> tuple[int, str]:
        try:
            url = f"http://127.0.0.1:{self.port}{path}"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.read().decode()
        except OSError:
            return 0, ""

    def until(self, holds, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert self.process is not None
            assert self.process.poll() is None, self.log()[-10:]
            assert time.monotonic() < end, self.log()[-10:]
            time.sleep(0.05)

    def is_ready(self) -> bool:
        return self.ask("/readyz")[0] == 200

    def log(self) -> list[dict[str, object]]:
        text = (self.place / "err").read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def said(self, event: str) -> list[dict[str, object]]:
        return [line for line in self.log() if line["event"] == event]

    def out(self) -> str:
        return (self.place / "out").read_text()


@pytest.fixture
def daemon(tmp_path, address):
    found = Daemon(tmp_path, dsn_of(address))
    yield found
    if found.process is not None and found.process.poll() is None:
        found.process.kill()
        found.process.wait()


@pytest.fixture
def running(daemon):
    daemon.start()
    daemon.until(daemon.is_ready)
    return daemon


def test_it_tells_where_to_look_and_stops_in_time_with_its_leases_handed_back(running):
    running.until(lambda: running.said("polled"))
    assert f"metrics   http://127.0.0.1:{running.port}/metrics" in running.out()
    assert "notices   notices.jsonl" in running.out()
    assert "Empik PL" in running.out()
    link = re.search(r"  sign in   (http\S+)  \(once, within 24 hours\)", running.out())[1]
    jar = urllib.request.HTTPCookieProcessor()
    with urllib.request.build_opener(jar).open(link, timeout=5) as board:
        assert (board.status, board.url.count("/")) == (200, 3)
        assert "Empik PL" in board.read().decode()
    assert link.rpartition("/")[2] not in (running.place / "err").read_text()

    began = time.monotonic()
    running.signal(signal.SIGTERM)

    assert running.ended(10) == 0
    assert time.monotonic() - began < 5
    assert running.said("worker left")
    assert not (running.place / "var" / "sandbox.json").exists()
    assert "Traceback" not in (running.place / "err").read_text()


def test_what_it_tells_to_type_works_from_anywhere(daemon):
    (daemon.place / "settings.toml").rename(daemon.place / "live shop.toml")
    daemon.start("--settings", "live shop.toml")
    daemon.until(daemon.is_ready)
    daemon.until(lambda: "stop " in daemon.out())
    (told,) = [line for line in daemon.out().splitlines() if line.startswith("  threads ")]

    done = subprocess.run(
        shlex.split(told)[1:], cwd="/", env=daemon.environ, capture_output=True, text=True,
        check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


def test_where_the_settings_are_found_anyway_what_to_type_is_short(running):
    running.until(lambda: "stop " in running.out())

    assert "replyby threads --at-risk\n" in running.out()


def test_all_its_series_exist_from_the_start(running):
    _, text = running.ask("/metrics")

    account = 'account="one",marketplace="empik"'
    assert "replyby_database_up 1.0" in text
    assert "replyby_config_last_reload_successful 1.0" in text
    assert f'replyby_polls_total{{{account},outcome="timeout"}} 0.0' in text
    assert 'code="429",marketplace="empik",operation="M11"' in text
    assert 'replyby_build_info{python="' in text
    assert "process_resident_memory_bytes" in text


def test_the_contracts_are_counted_while_it_runs(running):
    counted = re.compile(r"^replyby_contracts_counted_timestamp_seconds [1-9]", re.MULTILINE)

    running.until(lambda: counted.search(running.ask("/metrics")[1]))


def test_the_other_listeners_are_open_when_they_are_configured(daemon):
    web, push = free_port(), free_port()
    more = f'[push]\nlisten = "127.0.0.1:{push}"\n'
    text = SETTINGS.format(ops=daemon.port).replace("127.0.0.1:0", f"127.0.0.1:{web}")
    daemon.write(text + more)
    daemon.start()
    daemon.until(daemon.is_ready)

    assert f"board     http://127.0.0.1:{web}/" in daemon.out()
    with urllib.request.urlopen(f"http://127.0.0.1:{web}/", timeout=5) as answer:
        assert "/sign-in" in answer.url, "the board is there, for who is let in"
    with pytest.raises(urllib.error.HTTPError, match="404") as answer:
        urllib.request.urlopen(f"http://127.0.0.1:{push}/push/mirakl/one", timeout=5)
    answer.value.close()
    assert daemon.said("settings could be wiser")


def test_a_command_reaches_the_running_sandbox(running):
    running.until(lambda: running.said("polled"))

    done = subprocess.run(
        [sys.executable, "-m", "core", "check", "--sandbox"],
        cwd=running.place, env=running.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert "accounts.one: Empik PL answers" in done.stdout


def test_a_reload_takes_new_settings_over_whole(running):
    text = SETTINGS.format(ops=running.port) + MORE
    running.write(text.replace('notifiers = ["log"]', 'notifiers = ["log", "more"]'))

    running.signal(signal.SIGHUP)

    running.until(lambda: running.said("settings taken over"))
    assert not running.said("settings could be wiser")
    running.until(lambda: 'notifier="more"' in running.ask("/metrics")[1])
    running.until((running.place / "more.jsonl").exists, 60)
    running.signal(signal.SIGTERM)
    assert running.ended(10) == 0


def test_a_reload_says_what_check_would_say(running):
    text = SETTINGS.format(ops=running.port).replace('"empik"', '"empick"')
    running.write(text.replace('goals = ["fast"]', ""))

    running.signal(signal.SIGHUP)

    running.until(lambda: running.said("settings taken over"))
    said = [line["finding"] for line in running.said("settings could be wiser")]
    assert len(said) == 2
    assert said[0].startswith("policies.fast: no account has it")
    assert said[1].startswith("accounts.one.options.operator: unknown operator empick")


def test_a_faulty_reload_keeps_the_old_settings_and_says_so(running):
    running.write(SETTINGS.format(ops=running.port).replace("[routes.ops]", "[rutes.ops]"))

    running.signal(signal.SIGHUP)

    running.until(lambda: running.said("settings not taken over"))
    (line,) = running.said("settings not taken over")
    assert "rutes: unknown section; did you mean routes?" in line["complaints"]
    assert line["level"] == "warning", "a slip in the settings is no bug, and no event at Sentry"
    running.until(lambda: "replyby_config_last_reload_successful 0.0" in running.ask("/metrics")[1])
    assert running.is_ready()


def test_what_only_a_restart_changes_is_named(running):
    running.write(SETTINGS.format(ops=free_port()))

    running.signal(signal.SIGHUP)

    running.until(lambda: running.said("restart to change these sections"))
    (line,) = running.said("restart to change these sections")
    assert line["sections"] == ["ops"]
    assert running.is_ready()


def test_a_database_that_is_away_at_the_start_is_waited_for_and_said(daemon):
    daemon.environ["TEST_DSN"] = f"postgresql://nobody:pw@127.0.0.1:{free_port()}/none"
    daemon.start()
    daemon.until(lambda: daemon.said("loop waits"))

    assert daemon.ask("/livez")[0] == 200
    assert daemon.ask("/readyz") == (503, "database: not reached yet\n")
    assert "replyby_database_up 0.0" in daemon.ask("/metrics")[1]
    time.sleep(2)
    assert len(daemon.said("loop waits")) == 1
    daemon.signal(signal.SIGTERM)
    assert daemon.ended(5) == 0


def test_it_stops_in_time_while_a_database_that_is_mute_is_waited_for(daemon):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        daemon.environ["TEST_DSN"] = f"postgresql://nobody:pw@127.0.0.1:{port}/none"
        daemon.start()
        daemon.until(lambda: daemon.ask("/livez")[0] == 200)

        daemon.signal(signal.SIGTERM)

        assert daemon.ended(5) == 0


def test_a_second_signal_ends_it_at_once(running):
    running.signal(signal.SIGTERM)
    running.signal(signal.SIGINT)

    assert running.ended(5) == 0


def test_a_taken_address_is_one_line_with_exit_code_2(running):
    done = subprocess.run(
        [sys.executable, "-m", "core", "run", "--sandbox"],
        cwd=running.place, env=running.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert done.stderr.startswith(f"ops.listen: 127.0.0.1:{running.port} cannot be listened at")
    assert done.stderr.rstrip().endswith("or in REPLYBY_OPS__LISTEN")
    assert len(done.stderr.splitlines()) == 1


def test_a_schema_of_another_version_is_refused_in_one_line(daemon, address):
    done = subprocess.run(
        [sys.executable, "-c", NEWER.format(dsn=dsn_of(address))], check=False, cwd=daemon.place
    )
    assert done.returncode == 0

    daemon.start()

    assert daemon.ended(30) == 1
    err = (daemon.place / "err").read_text()
    assert "replyby: schema: the database has 9999_later.sql" in err
    assert "Traceback" not in err


def test_what_nobody_expected_ends_it_with_a_line_in_the_log(daemon, address):
    """A supervisor outside starts it again; the log hides what a traceback would show."""
    script = RUN.format(dsn=dsn_of(address), statement="alter table account rename to lost")
    subprocess.run([sys.executable, "-c", script], check=True)

    daemon.start()

    assert daemon.ended(30) == 1
    (line,) = daemon.said("ended by a fault")
    assert line["exception"][0]["exc_type"] == "UndefinedTableError"
    assert "locals" not in json.dumps(line)


RUN = """
import asyncio, asyncpg
async def main():
    db = await asyncpg.connect("{dsn}")
    await db.execute("{statement}")
    await db.close()
asyncio.run(main())
"""


NEWER = """
import asyncio, asyncpg
async def main():
    db = await asyncpg.connect("{dsn}")
    await db.execute("insert into schema_migration (version, name, sha256, ms)"
                     " values (9999, '9999_later.sql', 'x', 1)")
    await db.close()
asyncio.run(main())
"""


def test_no_secret_and_no_buyers_word_stands_in_log_metrics_or_notices(daemon):
    """The stand-in's invented buyers and the database's password are the canaries."""
    daemon.start()
    daemon.until((daemon.place / "notices.jsonl").exists, 60)
    daemon.until(lambda: daemon.said("polled"))
    password = daemon.environ["TEST_DSN"].partition("://")[2].partition("@")[0].partition(":")[2]
    told = (daemon.place / "notices.jsonl").read_text()
    told += (daemon.place / "err").read_text() + daemon.ask("/metrics")[1] + daemon.out()
    canaries = words(daemon)
    if password:
        canaries.add(password)

    assert len(canaries) > 5
    assert [canary for canary in canaries if canary in told] == []


def words(daemon) -> set[str]:
    """What buyers wrote and are called, as the database has it."""
    script = DUMP.format(dsn=daemon.environ["TEST_DSN"])
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return {word for word in json.loads(done.stdout) if len(word) > 5}


DUMP = """
import asyncio, asyncpg, json
async def main():
    db = await asyncpg.connect("{dsn}")
    rows = await db.fetch("select body as word from message union select buyer from thread"
                          " union select subject from thread")
    print(json.dumps([row[0] for row in rows if row[0]]))
    await db.close()
asyncio.run(main())
"""


@pytest.fixture
def hung(place):
    """A daemon on an embedded database of its own, every process of which was stopped."""
    daemon = Daemon(place, "")
    text = SETTINGS.replace("env:TEST_DSN", "embedded")
    daemon.write(text.format(ops=daemon.port))
    daemon.start()
    daemon.until(daemon.is_ready)
    daemon.until(lambda: daemon.said("polled"))
    data = (daemon.place / "var" / "postgres").resolve() / "cluster" / "data"
    signal_all(data, signal.SIGSTOP)
    time.sleep(1.5)
    yield daemon
    daemon.process.kill()
    daemon.process.wait()
    signal_all(data, signal.SIGKILL)


def signal_all(data, number: int) -> None:
    for pid in pgcluster.servers(data):
        os.kill(pid, number)


def test_it_stops_in_five_seconds_when_the_database_hangs(hung):
    began = time.monotonic()
    hung.signal(signal.SIGTERM)

    assert hung.ended(20) == 0
    assert time.monotonic() - began < 5
    data = (hung.place / "var" / "postgres").resolve() / "cluster" / "data"
    assert pgcluster.servers(data) == []
    assert "Traceback" not in (hung.place / "err").read_text()


def test_a_second_signal_ends_it_at_once_when_the_database_hangs(hung):
    hung.signal(signal.SIGTERM)
    time.sleep(0.3)
    began = time.monotonic()
    hung.signal(signal.SIGTERM)

    assert hung.ended(20) == 0
    assert time.monotonic() - began < 2.5


def test_a_database_that_hangs_is_told_in_time_to_who_asks(hung):
    began = time.monotonic()
    assert hung.ask("/readyz") == (503, "database: no answer\n")
    assert time.monotonic() - began < 3

    done = subprocess.run(
        [sys.executable, "-m", "core", "healthcheck"],
        cwd=hung.place, env=hung.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (1, "database: no answer\n")
    assert hung.ask("/livez")[0] == 200
