"""A seller: a directory with settings, and the daemon that runs there as a process."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PUSHED, SHOWN = "127.0.0.1:8081", "127.0.0.1:8080"
"""Where the settings as shipped take pushes: two shops at a time need two such places."""

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$", re.MULTILINE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Shop:
    """*settings* is the text of settings.toml; None: as shipped, with the sandboxes inside.

    *before* are words that the daemon's command begins with, as `faketime`.
    """

    def __init__(
        self, place: Path, settings: str | None = None, *, before: Sequence[str] = ()
    ) -> None:
        self.place = place
        self.port = free_port()
        self.before = before
        self.how = ("--sandbox",) if settings is None else ()
        shipped = (ROOT / "settings.toml").read_text(encoding="utf-8")
        moved = shipped.replace(PUSHED, f"127.0.0.1:{free_port()}").replace(SHOWN, "127.0.0.1:0")
        told = moved if settings is None else settings
        (place / "settings.toml").write_text(told)
        self.environ = {**os.environ, "REPLYBY_OPS__LISTEN": f"127.0.0.1:{self.port}"}
        self.daemon: subprocess.Popen[bytes] | None = None

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the daemon and wait for nothing."""
        with (self.place / "out.log").open("ab") as out:
            self.daemon = subprocess.Popen(
                [*self.before, sys.executable, "-m", "core", "run", *self.how],
                cwd=self.place, env=self.environ, stdout=out, stderr=out,
            )  # fmt: skip
        return self.daemon

    def start(self) -> subprocess.Popen[bytes]:
        daemon = self.launch()
        self.until(lambda: self.get("/readyz")[0] == 200, 60)
        return daemon

    def stop(self) -> None:
        if self.daemon is not None and self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGCONT)
            self.daemon.send_signal(signal.SIGTERM)
            try:
                self.daemon.wait(15)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()

    def kill(self) -> None:
        """End the daemon without a warning; it is not expected to live any more."""
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait()
        self.daemon = None

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as fault:
            return fault.code, fault.read().decode()
        except OSError:
            return 0, ""

    def until(self, holds: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert self.daemon is not None
            assert self.daemon.poll() is None, self.log()[-3000:]
            assert time.monotonic() < end, self.log()[-3000:]
            time.sleep(0.2)

    def total(self, name: str, **labels: str) -> float:
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        return sum(
            float(found["value"])
            for found in SAMPLE.finditer(self.get("/metrics")[1])
            if found["name"] == name and wanted <= set((found["labels"] or "").split(","))
        )

    def notices(self) -> list[dict[str, Any]]:
        file = self.place / "var" / "notices.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def told(self) -> Counter[str]:
        return Counter(notice["kind"] for notice in self.notices())

    def command(self, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "core", *args],
            cwd=self.place, env={**self.environ, **more},
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def log(self) -> str:
        return (self.place / "out.log").read_text(errors="replace")


@contextmanager
def shop_at(
    place: Path, settings: str | None = None, *, before: Sequence[str] = ()
) -> Iterator[Shop]:
    shop = Shop(place, settings, before=before)
    try:
        yield shop
    finally:
        shop.stop()
