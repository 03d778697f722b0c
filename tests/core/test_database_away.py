"""A running daemon whose database goes away for a while, and comes back."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request

import asyncpg
import pytest

from core.store import pgbinaries, pgcluster
from core.store.postmaster import Postmaster
from tests.conftest import HASTY
from tests.core.terminal import dsn_of
from tests.core.test_daemon import Daemon

pytestmark = [pytest.mark.paired, pytest.mark.timeout(120)]

KEPT = ("message", "clock", "clock_entry", "notice", "dispatch")


class Database:
    """A PostgreSQL of the test's own, which it stops and starts."""

    def __init__(self, place, runner: asyncio.Runner) -> None:
        self._run = runner.run
        self._home, user = pgcluster.settle(place / "db", elsewhere=place / "lib")
        self._binaries = pgbinaries.prepare(user, elsewhere=place / "lib")
        password = pgcluster.password(self._home)
        self._run(pgcluster.create(self._home, self._binaries, password))
        self._sockets = pgcluster.socket_directory(self._home, user)
        self.address = {
            "host": str(self._sockets), "user": pgcluster.ROLE, "password": password,
            "database": "postgres",
        }  # fmt: skip
        self._postmaster: Postmaster | None = None

    def start(self) -> None:
        self._postmaster = Postmaster(self._home, self._binaries, self._sockets, HASTY)
        self._run(self._postmaster.ready())

    def stop(self) -> None:
        if self._postmaster is not None:
            self._run(self._postmaster.stop())
            self._postmaster = None

    def rows(self, query: str) -> list[tuple[object, ...]]:
        async def fetched() -> list[tuple[object, ...]]:
            db = await asyncpg.connect(**self.address)
            try:
                return [tuple(row) for row in await db.fetch(query)]
            finally:
                await db.close()

        return self._run(fetched())

    def ids(self) -> dict[str, set[tuple[object, ...]]]:
        """What may not get lost: by table, what names each row."""
        names = {"clock_entry": "clock, at, what", "dispatch": "notice, notifier"}
        return {
            table: set(self.rows(f"select {names.get(table, 'id')} from {table}"))
            for table in KEPT
        }  # fmt: skip


@pytest.fixture
def database(place):
    with asyncio.Runner() as runner:
        found = Database(place, runner)
        found.start()
        yield found
        found.stop()


@pytest.fixture
def daemon(tmp_path, database):
    """Reading, with something told."""
    found = Daemon(tmp_path, dsn_of(database.address))
    found.start()
    found.until(found.is_ready)
    found.until((found.place / "notices.jsonl").exists, 60)
    yield found
    if found.process.poll() is None:
        found.process.kill()
        found.process.wait()


def ask(url: str, body: object = None) -> object:
    """What the stand-in answers."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=5) as answer:
        return json.loads(answer.read())


def write_at_the_marketplace(daemon, text: str) -> None:
    """A buyer writes in some thread of the daemon's own stand-in."""
    told = json.loads((daemon.place / "var" / "sandbox.json").read_text())
    base = told["accounts"]["one"]["base_url"]
    root = "/".join(base.split("/")[:3])
    threads = ask(f"{root}/_sandbox/threads")
    order = {"operator": "empik", "thread": threads[0]["thread"], "body": text}
    ask(f"{root}/_sandbox/acts/buyer_writes", order)


def told_in_the_file(daemon) -> set[str]:
    lines = (daemon.place / "notices.jsonl").read_text().splitlines()
    return {json.loads(line)["key"] for line in lines if line}


def test_the_loops_wait_and_nothing_is_lost(daemon, database):
    kept = database.ids()

    database.stop()
    daemon.until(lambda: daemon.ask("/readyz")[0] == 503)
    write_at_the_marketplace(daemon, "written while nobody could store it")

    assert daemon.ask("/readyz")[1].startswith("database: ")
    assert daemon.ask("/livez")[0] == 200
    daemon.until(lambda: "replyby_database_up 0.0" in daemon.ask("/metrics")[1])
    daemon.until(lambda: {"poll", "watch"} <= {said["loop"] for said in daemon.said("loop waits")})
    time.sleep(2)

    database.start()
    daemon.until(daemon.is_ready, 40)
    found = "select 1 from message where body = 'written while nobody could store it'"
    daemon.until(lambda: database.rows(found), 40)

    assert daemon.process.poll() is None
    daemon.until(lambda: {"poll", "watch"} <= {s["loop"] for s in daemon.said("loop goes on")}, 40)
    daemon.until(lambda: "replyby_database_up 1.0" in daemon.ask("/metrics")[1])
    now = database.ids()
    assert [table for table, rows in kept.items() if rows - now[table]] == []
    alone = database.rows(
        "select n.key from notice n join dispatch d on d.notice = n.id"
        " where d.sent_at is not null and d.digest is null"
    )
    assert {key for (key,) in alone} <= told_in_the_file(daemon)


def test_it_stops_in_time_while_the_database_is_away(daemon, database):
    database.stop()
    daemon.until(lambda: daemon.ask("/readyz")[0] == 503)

    began = time.monotonic()
    daemon.process.terminate()

    assert daemon.ended(10) == 0
    assert time.monotonic() - began < 5
    assert "Traceback" not in (daemon.place / "err").read_text()
