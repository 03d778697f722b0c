"""SIGHUP while a walk is under way: what runs goes on, under the lease that it has."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from structlog.testing import capture_logs

from core.loops import Bell, utcnow
from core.metrics import Metrics
from core.running.crew import Crew
from core.running.signals import Signals
from core.running.state import State
from core.store import wake
from tests.core import seeds, terminal
from tests.core.test_daemon import Daemon
from tests.core.test_daemon import daemon as _daemon

pytestmark = pytest.mark.timeout(120)
daemon = _daemon

HEAD = """
[store]
dsn = "env:TEST_DSN"
[ops]
listen = "127.0.0.1:{ops}"
[log]
format = "json"
level = "debug"
[poll]
slots = 12
[policies.fast]
reply_within = "1m"
[notifiers.log]
kind = "file"
path = "notices.jsonl"
[routes.ops]
notifiers = ["log"]
fallback = true
"""
ACCOUNT = """
[accounts.{name}]
connector = "mirakl"
title = "{title}"
goals = ["fast"]
options = {{ operator = "{name}", base_url = "{url}", api_key = "env:KEY", poll_every = "{every}" }}
"""


class Market:
    """A marketplace without messages: it answers when *opened*, and knows who *asks* at a time."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.asks, self.most, self.url = 0, 0, ""
        self._lock = threading.Lock()

    def answer(self) -> bytes:
        with self._lock:
            self.asks += 1
            self.most = max(self.most, self.asks)
        self.opened.wait(60)
        with self._lock:
            self.asks -= 1
        return json.dumps({"data": [], "orders": [], "total_count": 0}).encode()


@contextmanager
def market():
    found = Market()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            body = found.answer()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Nothing is written."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found.url = f"http://127.0.0.1:{server.server_port}/api"
        yield found
        found.opened.set()
        server.shutdown()


async def test_a_fault_of_the_program_in_reading_settings_refuses_them_and_ends_nothing():
    def load():
        raise ZeroDivisionError

    state = State(None, Metrics(), None, None, rules=seeds.rules())
    state.metrics.config_last_reload_successful.set(1)
    signals = Signals()
    crew = Crew(state, signals, {name: Bell() for name in wake.LOOPS}, load, None)
    signals.again()

    with capture_logs() as said:
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            await crew._reload(group, utcnow())

    assert [line["event"] for line in said] == [
        "settings could not be read", "settings not taken over",
    ]  # fmt: skip
    assert said[1]["complaints"] == [
        "ZeroDivisionError, which nobody expected; the line before says where"
    ]
    value = state.metrics.registry.get_sample_value
    assert value("replyby_config_last_reload_successful") == 0


def leases(address):
    """By account, of the stream of messages: who reads it, under which fence, and whether done."""

    async def asked(db):
        rows = await db.fetch(
            "select account, holder, fence, last_ok_at is not null as read from stream"
            " where carries_clocks and stream = 'messages'"
        )
        return {row["account"]: tuple(row)[1:] for row in rows}

    return terminal.ask(address, asked)


def test_what_is_read_while_the_settings_change_is_read_to_its_end_by_the_same_lease(
    daemon: Daemon, address
):
    with market() as held, market() as quick:
        quick.opened.set()

        def written(*accounts):
            said = HEAD.format(ops=daemon.port)
            for name, title, url, every in accounts:
                said += ACCOUNT.format(name=name, title=title, url=url, every=every)
            return said

        stays = ("one", "One", held.url, "10m")
        old = written(stays, ("two", "Two", quick.url, "10m"))
        daemon.environ["KEY"] = "k"
        daemon.write(old)
        daemon.start()
        daemon.until(daemon.is_ready)
        daemon.until(lambda: held.most == 3)  # its streams
        daemon.until(lambda: leases(address)["two"][2])
        before = leases(address)["one"]
        assert before[0] is not None, "it is being read"

        # A bad file is refused, and the old one stays.
        daemon.write(old.replace("[routes.ops]", "[rutes.ops]"))
        daemon.signal(signal.SIGHUP)
        daemon.until(lambda: daemon.said("settings not taken over"))
        metric = "replyby_config_last_reload_successful"
        assert f"{metric} 0.0" in daemon.ask("/metrics")[1]
        assert leases(address)["one"] == before
        assert not daemon.said("account retired")

        # A good one counts at once: one account is called otherwise, one goes, one comes.
        daemon.write(written(("one", "Uno", *stays[2:]), ("three", "Three", quick.url, "10m")))
        daemon.signal(signal.SIGHUP)
        daemon.until(lambda: daemon.said("settings taken over"))
        daemon.until(lambda: f"{metric} 1.0" in daemon.ask("/metrics")[1])
        daemon.until(lambda: leases(address)["three"][2])
        assert [line["account"] for line in daemon.said("account retired")] == ["two"]
        assert leases(address)["one"] == before, "the same lease, under the same fence"
        assert held.most == 3, "nobody reads beside it"

        held.opened.set()
        daemon.until(lambda: leases(address)["one"][2])
        holder, fence, _ = leases(address)["one"]
        assert (holder, fence) == (None, before[1])
        metrics = daemon.ask("/metrics")[1]
        assert 'replyby_leases_lost_total{marketplace="one"} 0.0' in metrics
        lines = (daemon.place / "notices.jsonl").read_text().splitlines()
        told = [json.loads(line) for line in lines]
        assert [notice["kind"] for notice in told] == ["account_retired"]
