"""`python -m deploy.grafana.pictures.stage`: play a day in minutes, and draw it.

Starts the daemon with the shipped settings and its invented marketplaces, and Debian's prometheus
with the shipped rules; lets a marketplace fail for a while, answers some buyers, mutes an account,
has the settings read again; then draws the dashboards from what Prometheus saw. Takes `--minutes`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deploy.grafana.asking import now
from deploy.grafana.panels import Span
from deploy.grafana.pictures.__main__ import draw

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]
SCRAPE = 5
PROMETHEUS = """\
global: {{scrape_interval: {scrape}s, evaluation_interval: {scrape}s}}
rule_files: ["{rules}/recording.yml", "{rules}/alerts.yml"]
scrape_configs:
  - job_name: replyby
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


ADDED = """
[heartbeat]
url = "env:REPLYBY_STAGE_HEARTBEAT"

[accounts.shop-whatsapp-2]
connector = "webstore"
title = "A number whose token ends"
goals = ["ours-1m"]
routes = ["desk"]

[accounts.shop-whatsapp-2.options]
kind = "whatsapp"
api = "http://127.0.0.1:{ear}"
endpoint = "http://127.0.0.1:{pushes}/push/webstore/shop-whatsapp-2"
access_token = "env:REPLYBY_STAGE_TOKEN"
app_id = "1"
app_secret = "env:REPLYBY_STAGE_TOKEN"
verify_token = "env:REPLYBY_STAGE_TOKEN"
phone_number_id = "1"
business_account_id = "1"
token_expires_on = "{ends:%Y-%m-%d}"
"""
"""Beside the invented accounts: the keys of those never end."""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
        return port


class Ear(BaseHTTPRequestHandler):
    """Takes heartbeats: 204 to everything."""

    def do_GET(self) -> None:  # named by http.server
        self.send_response(204)
        self.end_headers()

    do_POST = do_HEAD = do_GET  # noqa: N815  # likewise

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Stage:
    """A daemon and a Prometheus of its own, in a folder of their own.

    *scrape* is how many seconds lie between two looks.
    """

    def __init__(self, place: Path, stack: ExitStack, scrape: int = SCRAPE) -> None:
        self.place = place
        self.scrape = scrape
        self._stack = stack
        self.settings = place / "settings.toml"
        self.ops, self.port = free_port(), free_port()
        self.prometheus = f"http://127.0.0.1:{self.port}"
        self.environ = {k: v for k, v in os.environ.items() if k != "REPLYBY_OPS__LISTEN"}

    def start(self) -> None:
        """Start both; they end with the stack."""
        self._write()
        (self.place / "prometheus.yml").write_text(
            PROMETHEUS.format(
                scrape=self.scrape, rules=ROOT / "deploy" / "prometheus", port=self.ops
            )
        )
        daemon = [sys.executable, "-m", "core", "run", "--settings", str(self.settings)]
        self.daemon = self._run("daemon", *daemon, "--sandbox")
        found = shutil.which("prometheus")
        if found is None:
            raise SystemExit("no prometheus: install it (Debian's package prometheus)")
        self._run(
            "prometheus", found, f"--config.file={self.place}/prometheus.yml",
            f"--storage.tsdb.path={self.place}/tsdb", f"--web.listen-address=127.0.0.1:{self.port}",
        )  # fmt: skip

    def _write(self) -> None:
        ear = ThreadingHTTPServer(("127.0.0.1", 0), Ear)
        threading.Thread(target=ear.serve_forever, daemon=True).start()
        self._stack.callback(ear.server_close)
        self._stack.callback(ear.shutdown)
        pushes = free_port()
        text = (ROOT / "settings.toml").read_text(encoding="utf-8")
        text = text.replace("127.0.0.1:9100", f"127.0.0.1:{self.ops}")
        text = text.replace("127.0.0.1:8081", f"127.0.0.1:{pushes}")
        text = text.replace("127.0.0.1:8080", "127.0.0.1:0")
        text = text.replace("# acknowledge = ", "acknowledge = ", 1)
        text = text.replace('title = "eBay (DE)"', 'title = "eBay (DE)"\nsilence = "6h"', 1)
        soon = datetime(*time.gmtime()[:3], tzinfo=UTC) + timedelta(days=6)
        text += ADDED.format(ends=soon, ear=ear.server_port, pushes=pushes)
        self.environ["REPLYBY_STAGE_HEARTBEAT"] = f"http://127.0.0.1:{ear.server_port}/"
        self.environ["REPLYBY_STAGE_TOKEN"] = "invented-for-this-stage-alone"  # noqa: S105  # as it says
        self.settings.write_text(text, encoding="utf-8")

    def _run(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        log = self._stack.enter_context((self.place / f"{name}.log").open("wb"))
        made = subprocess.Popen(  # noqa: S603  # our own
            command, cwd=ROOT, env=self.environ, stdout=log, stderr=log
        )
        self._stack.callback(self._end, made)
        return made

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        process.wait(timeout=60)

    def lives(self) -> None:
        """Say so and end where the daemon has ended."""
        if self.daemon.poll() is not None:
            log = (self.place / "daemon.log").read_text(encoding="utf-8", errors="replace")
            raise SystemExit(f"the daemon ended: {log[-2000:]}")

    def replyby(self, *words: str) -> str:
        """What a command of the program says."""
        command = [sys.executable, "-m", "core", *words, "--settings", str(self.settings)]
        done = subprocess.run(  # noqa: S603  # our own
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(" ".join(words), done.stderr or done.stdout, file=sys.stderr)  # noqa: T201  # a command
        return done.stdout

    def fail(self, account: str, seconds: int, **fault: int) -> None:
        """Let every call to a marketplace fail for a while: *fault* as docs/sandbox.md says."""
        known = json.loads((self.place / "var" / "sandbox.json").read_text(encoding="utf-8"))
        base = urlsplit(known["accounts"][account]["base_url"])
        order = {"kind": "status", "path": f"{base.path}/*", "seconds": seconds, **fault}
        wire = HTTPConnection(base.netloc, timeout=10)
        wire.request("POST", "/_sandbox/faults", json.dumps(order))
        wire.getresponse().read()
        wire.close()

    def answer(self, most: int) -> None:
        """Answer some of those whose warning has passed, from here."""
        listed = json.loads(self.replyby("threads", "--at-risk", "--json") or "[]")
        for thread in listed[:most]:
            self.replyby("reply", thread["account"], thread["thread"], "--text", "On its way.")


def played(stage: Stage) -> list[tuple[float, Callable[[], object]]]:
    """What happens, by the share of the time at which it does."""
    muted = ("mute", "shop-phone", "--until", "2h")
    return [
        (0.03, lambda: None),
        (0.2, lambda: stage.answer(4)),
        (0.35, lambda: stage.replyby(*muted)),
        (0.4, lambda: stage.daemon.send_signal(signal.SIGHUP)),
        (0.5, lambda: stage.answer(4)),
        (0.8, lambda: stage.fail("bestbuy", 3600, status=503)),
        (0.95, lambda: stage.fail("mediamarkt-de", 3600, status=429, retry_after=300)),
    ]


def main() -> None:
    """Play, and draw."""
    given = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    given.add_argument("--minutes", type=float, default=20)
    given.add_argument("--into", type=Path, default=ROOT / "docs" / "pictures")
    chosen = given.parse_args()
    length = 60 * chosen.minutes
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # what was started ends too
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="replyby-")))
        stage = Stage(place, stack)
        stage.start()
        begun = time.monotonic()
        for share, act in [*played(stage), (1.0, lambda: None)]:
            time.sleep(max(0.0, begun + share * length - time.monotonic()))
            stage.lives()
            act()
        draw(stage.prometheus, Span(now(stage.prometheus), length, SCRAPE), chosen.into)


if __name__ == "__main__":
    main()
