"""What every benchmark shares: a PostgreSQL of its own with fsync on, the tables that it prints.

Each `bench_*.py` runs by itself, prints Markdown (a heading, what was measured and how large,
tables) and never fails for a figure: a goal that is missed says so in its row. ``QUICK=1`` in the
environment asks for small sizes and no growth, for everyday use.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections import Counter
from contextlib import asynccontextmanager, contextmanager
from math import log2
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import psutil
import structlog

from core import loops, store
from core.store import migrate, pgbinaries, pgcluster
from core.store.postmaster import Postmaster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from asyncpg import Connection, Record

    from core.metrics import Metrics
    from core.store import Address

QUICK = os.environ.get("QUICK", "") not in ("", "0")
ROUNDS = 1 if QUICK else 3
SIZES = (0.1, 1.0, 10.0)
"""What *growth* is measured at, as multiples of the size that the goals name."""

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


class Growth(NamedTuple):
    """A figure at each of `SIZES`, the middle one being the size of the goals."""

    what: str
    seen: Sequence[float]


def growth(rows: Sequence[Growth], first: str = "") -> None:
    """Print how figures move with the size: as numbers, and in words."""
    print(f"| {first} | a tenth | one | ten times | how it grows |")
    print("| --- | --- | --- | --- | --- |")
    for what, seen in rows:
        figures = " | ".join(f"{value:.3g}" for value in seen)
        print(f"| {what} | {figures} | {how_it_grows(seen)} |")


def how_it_grows(seen: Sequence[float]) -> str:
    """The power of the size that *seen* follows, by least squares over logarithms, in words."""
    sizes, values = [log2(size) for size in SIZES], [log2(max(value, 1e-9)) for value in seen]
    middle = sum(values) / len(values)
    power = sum(x * (y - middle) for x, y in zip(sizes, values, strict=True))
    power /= sum(x * x for x in sizes)
    words = ((-0.1, "falls"), (0.1, "constant"), (0.85, "slower than the size"), (1.15, "with it"))
    said = next((word for bound, word in words if power < bound), "faster than the size")
    return f"{said} (power {power:.2f})"


def heading(title: str) -> None:
    """Print what the tables below are about."""
    print(f"\n## {title}\n", flush=True)


def machine() -> str:
    """The day and the kind of machine, in one line."""
    cores, memory = os.cpu_count(), psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    return (
        f"{loops.utcnow():%Y-%m-%d}, {cores} cores ({_processor()}), {memory:.0f} GiB, {system}, "
        f"Python {platform.python_version()}"
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
    async with connection(address) as db:
        await db.execute(f"drop database if exists {name} with (force)")
        await db.execute(f"create database {name}")
    made: Address = {**address, "database": name}
    async with connection(made) as db:
        await migrate.apply(db)
    return made


def walks(metrics: Metrics) -> Counter[str]:
    """How the walks of a process have ended so far: what failed is quick, and no measurement."""
    ended: Counter[str] = Counter()
    for family in metrics.registry.collect():
        for sample in family.samples:
            if sample.name == "replyby_polls_total" and sample.value:
                ended[sample.labels["outcome"]] += int(sample.value)
    return ended


@asynccontextmanager
async def connection(address: Address) -> AsyncIterator[Connection[Record]]:
    """One connection to the database at *address*; a statement may take as long as it wants."""
    made = await store.connect({**address, "command_timeout": None}, name="benchmark")
    try:
        yield made
    finally:
        await made.close()


async def processes(address: Address) -> list[psutil.Process]:
    """The processes of the server at *address*."""
    async with connection(address) as db:
        data = Path(await db.fetchval("show data_directory"))
    return [psutil.Process(pid) for pid in pgcluster.servers(data)]


def cpu(found: Sequence[psutil.Process]) -> float:
    """The seconds of processor time that these processes have used."""
    times = [p.cpu_times() for p in found]
    return sum(t.user + t.system for t in times)
