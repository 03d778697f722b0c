"""What every benchmark shares: a PostgreSQL of its own with fsync on, the table that it prints.

Each `bench_*.py` runs by itself, prints Markdown (a heading, what was measured and how large, tables)
and never fails for a figure: a goal that is missed says so in its row. ``QUICK=1`` in the environment
asks for a small size, for everyday use.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import asyncpg
import psutil
import structlog

from core.store import migrate, pgbinaries, pgcluster
from core.store.postmaster import Postmaster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from core.store import Address

QUICK = os.environ.get("QUICK", "") not in ("", "0")
ROUNDS = 1 if QUICK else 3

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


class Row(NamedTuple):
    """A figure: what it is (with its unit), every value seen, and its goal (``<= 0.3``)."""

    what: str
    seen: Sequence[float]
    goal: str = ""


def table(rows: Sequence[Row], first: str = "") -> None:
    """Print *rows*; a goal is held against the median."""
    print(f"| {first} | median | least | most | goal | |")
    print("| --- | --- | --- | --- | --- | --- |")
    for what, seen, goal in rows:
        middle = median(seen)
        said = "" if not goal else "met" if is_met(middle, goal) else "MISSED"
        print(f"| {what} | {middle:.3g} | {min(seen):.3g} | {max(seen):.3g} | {goal} | {said} |")


def is_met(value: float, goal: str) -> bool:
    """Whether *value* keeps *goal*, which is ``<= x`` or ``>= x``."""
    sign, bound = goal.split()
    return value <= float(bound) if sign == "<=" else value >= float(bound)


def machine() -> str:
    """The day and the kind of machine, in one line."""
    cores, memory = os.cpu_count(), psutil.virtual_memory().total / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {cores} cores ({_processor()}), {memory:.0f} GiB, "
        f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


@contextmanager
def directory() -> Iterator[Path]:
    """A directory on disk that PostgreSQL's user may enter too; it goes away."""
    path = Path(tempfile.mkdtemp(prefix="replyby-bench-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path)


@asynccontextmanager
async def server(settings: Mapping[str, str] | None = None) -> AsyncIterator[Address]:
    """PostgreSQL as we ship it, on disk and with fsync, with *settings* beyond our own."""
    with directory() as path:
        home, user = pgcluster.settle(path / "var", elsewhere=path / "lib")
        binaries = pgbinaries.prepare(user, elsewhere=path / "lib")
        word = pgcluster.password(home)
        await pgcluster.create(home, binaries, word)
        sockets = pgcluster.socket_directory(home, user)
        postmaster = Postmaster(home, binaries, sockets, settings or {})
        await postmaster.ready()
        try:
            yield {
                "host": str(sockets), "user": pgcluster.ROLE, "password": word,
                "database": "postgres",
            }  # fmt: skip
        finally:
            await postmaster.stop()


async def database(address: Address, name: str) -> Address:
    """A new database *name* on the server at *address*, with every migration applied."""
    connection = await asyncpg.connect(**address)
    await connection.execute(f"drop database if exists {name} with (force)")
    await connection.execute(f"create database {name}")
    await connection.close()
    made: Address = {**address, "database": name}
    connection = await asyncpg.connect(**made)
    await migrate.apply(connection)
    await connection.close()
    return made


async def processes(address: Address) -> list[psutil.Process]:
    """The processes of the server at *address*."""
    connection = await asyncpg.connect(**address)
    data = Path(await connection.fetchval("show data_directory"))
    await connection.close()
    return [psutil.Process(pid) for pid in pgcluster.servers(data)]


def cpu(found: Sequence[psutil.Process]) -> float:
    """The seconds of processor time that these processes have used."""
    times = [p.cpu_times() for p in found]
    return sum(t.user + t.system for t in times)
