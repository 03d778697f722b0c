"""The daemon erases whom a person asks for, and no later poll brings anything of them back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest

from core import store
from tests.core.terminal import dsn_of
from tests.core.test_daemon import Daemon

pytestmark = [pytest.mark.paired, pytest.mark.timeout(90)]


@pytest.fixture
def running(tmp_path, address):
    daemon = Daemon(tmp_path, dsn_of(address))
    daemon.start()
    daemon.until(daemon.is_ready)
    yield daemon
    daemon.process.kill()
    daemon.process.wait()


@pytest.fixture
def ask(address):
    def ask(query):
        async def connected():
            db = await store.connect(address)
            try:
                return [tuple(row) for row in await db.fetch(query)]
            finally:
                await db.close()

        return asyncio.run(connected())

    return ask


BUYERS = """
    select t.buyer from thread t join clock c on c.account = t.account and c.thread = t.id
    where t.buyer <> '' and c.ended is null order by 1
"""
EVERYTHING = """
    select t::text from thread t union all select m::text from message m
    union all select n::text from notice n union all select a::text from set_aside a
    union all select r::text from raw_message r
"""


def test_whom_a_person_asks_for_is_gone_at_once_and_stays_away(running, ask):
    running.until(lambda: bool(ask(BUYERS)))
    (name,) = ask(BUYERS)[0]

    done = subprocess.run(
        [sys.executable, "-m", "core", "erase", "one"], input=f"{name}\n",
        cwd=running.place, env=running.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    asked = time.monotonic()

    assert (done.returncode, done.stderr) == (0, "")
    assert "the daemon does it" in done.stdout
    running.until(lambda: ask("select done_at is not null from erasure") == [(True,)])
    assert time.monotonic() - asked < 10
    seen = ask("select seen_through from stream where stream = 'messages'")
    running.until(lambda: ask("select seen_through from stream where stream = 'messages'") != seen)
    folded = name.casefold()
    assert not [row for row in ask(EVERYTHING) if folded in row[0].casefold()]
    assert ("void", "erased") in ask("select ended, reason from clock")
    for file in ("err", "out", "notices.jsonl"):
        path = running.place / file
        assert not path.exists() or folded not in path.read_text().casefold()
    [(threads,)] = ask("select threads from erasure")
    assert threads > 0
    assert "replyby_erasures_total 1.0" in running.ask("/metrics")[1]
