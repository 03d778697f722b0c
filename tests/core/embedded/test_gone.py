"""A daemon whose embedded database somebody else ends, or removes, while it runs."""

from __future__ import annotations

import os
import shutil
import signal
import time

import pytest

from core.store import pgcluster
from tests.core.test_daemon import Daemon

pytestmark = [pytest.mark.serial, pytest.mark.timeout(120)]


@pytest.fixture
def daemon(place):
    """Ready, with an embedded database."""
    found = Daemon(place, "embedded")
    found.write(
        (place / "settings.toml").read_text().replace('dsn = "env:TEST_DSN"', 'dsn = "embedded"')
    )
    found.start()
    found.until(found.is_ready, 60)
    yield found
    if found.process.poll() is None:
        found.process.terminate()
        found.process.wait(10)


def test_after_a_sigterm_to_postgres_it_is_ready_again_and_takes_new_connections(daemon, place):
    pidfile = pgcluster.Home((place / "var" / "postgres").resolve()).data / "postmaster.pid"
    asked = pidfile.read_text().splitlines()[0]
    os.kill(int(asked), signal.SIGTERM)

    daemon.until(lambda: daemon.said("postgres was asked to end by somebody else"))
    daemon.until(lambda: len(daemon.said("postgres started")) == 2)
    daemon.until(daemon.is_ready)
    assert pidfile.read_text().splitlines()[0] != asked
    daemon.until(lambda: len(daemon.said("worker registered")) == 2)  # by a connection of its own


def test_it_ends_with_one_line_that_names_the_directory_and_no_answer_is_a_fault(daemon, place):
    data = pgcluster.Home((place / "var" / "postgres").resolve()).data
    shutil.rmtree(place / "var", ignore_errors=True)
    if data.exists():  # a link of root's own led out of it
        shutil.rmtree(data.parents[1], ignore_errors=True)

    answers = set()
    end = time.monotonic() + 20
    while daemon.process.poll() is None and time.monotonic() < end:
        answers |= {daemon.ask("/metrics")[0], daemon.ask("/readyz")[0]}
        time.sleep(0.05)

    assert daemon.ended(5) == 1
    assert answers <= {0, 200, 503}
    said = (place / "err").read_text().splitlines()
    plain = [line for line in said if not line.startswith("{")]
    assert len(plain) == 1, plain
    assert str(data) in plain[0]
    assert plain[0].startswith("replyby: ")
    assert "start again with an empty database" in plain[0]
    assert "Traceback" not in "".join(said)
    assert pgcluster.servers(data) == []
