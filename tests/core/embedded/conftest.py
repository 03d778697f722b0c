from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest

from core.store import embedded, pgcluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAM = Path(__file__).with_name("process.py")


class Process:
    """Another process with the embedded server; see process.py."""

    def __init__(self, way: str, place: Path, uid: int | None = None) -> None:
        words = [way, str(place), *([str(uid)] if uid is not None else [])]
        self.running = subprocess.Popen(
            [sys.executable, str(PROGRAM), *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.log: list[str] = []
        self.number = 0

    @property
    def pid(self) -> int:
        return self.running.pid

    def line(self) -> dict[str, Any]:
        """The next thing that it tells; empty at its end."""
        assert self.running.stdout
        for text in self.running.stdout:
            if text.startswith("{"):
                told = json.loads(text)
                self.number = told.get("number", self.number)
                return told
            self.log.append(text)
        return {}

    def counted(self, more: int = 20) -> int:
        """Wait until it has committed so many more numbers; the last one."""
        goal = self.number + more
        while self.number < goal:
            assert self.line(), self.log
        return self.number

    def rest(self) -> int:
        """Read what it told before it was killed; the last number that it has committed."""
        while self.line():
            pass
        return self.number

    def leave(self) -> None:
        assert self.running.stdin
        self.running.stdin.close()

    def wait(self) -> int:
        self.rest()
        return self.running.wait(30)

    def kill(self) -> None:
        self.running.kill()
        self.running.wait()


@pytest.fixture(scope="session")
def data(long_place: Path) -> Path:
    """A state directory whose server was started and stopped once."""

    async def start() -> None:
        async with embedded.own(long_place / "var", elsewhere=long_place / "lib"):
            pass

    with asyncio.Runner() as runner:
        runner.run(start())
    return long_place / "var"


@pytest.fixture
def made(place: Path, data: Path) -> Path:
    """A place that has data already."""
    subprocess.run(["cp", "-a", data, place], check=True)
    return place


@pytest.fixture
def started(place: Path) -> Iterator[Callable[..., Process]]:
    """Start such a process on the test's place; it is killed at the end at the latest."""
    all_of_them: list[Process] = []

    def start(way: str, at: Path = place, *, uid: int | None = None) -> Process:
        all_of_them.append(Process(way, at, uid))
        return all_of_them[-1]

    yield start
    for process in all_of_them:
        process.kill()
        for stream in (process.running.stdin, process.running.stdout):
            assert stream
            stream.close()
    data = place / "var" / "postgres" / "cluster" / "data"
    begun = monotonic()
    while left := pgcluster.servers(data):
        assert monotonic() - begun < 5, left
        sleep(0.01)
