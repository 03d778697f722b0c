"""The real daemon as a process, timed from `exec` until it says that it is ready."""

from __future__ import annotations

import os
import signal
import socket
import sys
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from time import perf_counter, sleep
from typing import TYPE_CHECKING, NamedTuple

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 300.0
LOOK_EVERY = 0.01


class Started(NamedTuple):
    """A daemon that is ready; it took so many *seconds* from `exec`."""

    process: psutil.Process
    port: int
    seconds: float

    def get(self, path: str) -> tuple[int, bytes]:
        """The status and the body of its answer to a GET."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found


@contextmanager
def started(place: Path, text: str, *words: str) -> Iterator[Started]:
    """The daemon with the settings *text* in *place*; it is stopped at the end."""
    (place / "settings.toml").write_text(text)
    port = free_port()
    ours = {"REPLYBY_OPS__LISTEN": f"127.0.0.1:{port}", "BENCH_KEY": "of-no-shop"}
    command = [sys.executable, "-m", "core", "run", *words]
    with (place / "out.log").open("ab") as out:
        begun = perf_counter()
        process = psutil.Popen(
            command, cwd=place, env={**os.environ, **ours}, stdout=out, stderr=out
        )
    try:
        yield Started(process, port, ready(process, port) - begun)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except psutil.TimeoutExpired:
            process.kill()


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ready(process: psutil.Process, port: int) -> float:
    """Wait for `/readyz` to say 200; the instant of that."""
    begun = perf_counter()
    while (now := perf_counter()) - begun < PATIENCE:
        with suppress(OSError):
            if Started(process, port, 0.0).get("/readyz")[0] == 200:
                return perf_counter()
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            raise RuntimeError("the daemon ended; out.log beside its settings says why")
        sleep(max(0.0, LOOK_EVERY - (perf_counter() - now)))
    raise RuntimeError("the daemon does not become ready; out.log says what it does")
