"""The daemon tells a service outside that all turns: no longer than its database answers."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.acceptance.postgres import postgres_at
from tests.acceptance.shop import shop_at

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "eb095278-f28d-448d-87fb-7b75c171a6aa"
SETTINGS = """
[store]
dsn = "env:DSN"
[heartbeat]
url = "env:BEAT"
every = "1s"
[log]
level = "debug"
[notifiers.log]
kind = "file"
path = "var/notices.jsonl"
[routes.ops]
notifiers = ["log"]
fallback = true
"""


@contextmanager
def service() -> Iterator[tuple[str, list[str]]]:
    """The address to ask, and the paths that were asked for."""
    heard: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is written."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{TOKEN}", heard
        server.shutdown()


def test_it_stops_with_the_database_comes_back_with_it_and_its_address_stays_a_secret(place):
    with postgres_at(place) as server, service() as (url, heard), shop_at(place, SETTINGS) as shop:
        shop.environ |= {"DSN": server.dsn(), "BEAT": url}
        shop.start()
        shop.until(lambda: len(heard) >= 2, 60)
        assert shop.total("replyby_heartbeat_configured") == 1

        server.stop()
        shop.until(lambda: "heartbeat withheld" in shop.log(), 30)
        silent = len(heard)
        time.sleep(2.5)
        assert len(heard) == silent, "the process lives, and says nothing"

        server.start()
        shop.until(lambda: len(heard) >= silent + 2, 60)

        assert set(heard) == {f"/{TOKEN}"}
        assert shop.total("replyby_heartbeats_total", outcome="withheld") >= 1
        assert TOKEN not in shop.log() + shop.get("/metrics")[1]
        assert shop.total("replyby_database_size_bytes") > 1_000_000
        assert "replyby_state_disk_free_bytes" not in shop.get("/metrics")[1], "it lies elsewhere"
