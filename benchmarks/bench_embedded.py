"""The embedded PostgreSQL: cold start, warm start, stop, idle memory, life after its owner's death.

Medians, least and most of several rounds, each on a directory of its own on this disk. A start is
timed from nothing to the answer of a first query, in this process; goals are those of the house.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import asyncpg
import psutil
import structlog

from core.store import embedded, pgcluster

ROUNDS = 5
GOALS = {
    "cold start, s": "<= 1.0",
    "warm start, s": "<= 0.3",
    "join a running one, s": "",
    "stop, s": "",
    "gone after its owner's SIGKILL, s": "<= 1.0",
    "idle, MiB PSS": "<= 25",
    "idle, processes": "",
}

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


async def one_round(directory: Path) -> dict[str, float]:
    """Measure everything once on *directory*, which is empty."""
    found: dict[str, float] = {}
    for name in ("cold start, s", "warm start, s"):
        begun = perf_counter()
        async with embedded.own(directory) as server:
            await asked(server.address)
            found[name] = perf_counter() - begun
            begun = perf_counter()
            async with embedded.join(directory) as address:
                await asked(address)
            found["join a running one, s"] = perf_counter() - begun
            await asyncio.sleep(2)
            processes = [psutil.Process(pid) for pid in running(directory)]
            found["idle, processes"] = len(processes)
            found["idle, MiB PSS"] = sum(p.memory_full_info().pss for p in processes) / 2**20
            begun = perf_counter()
        found["stop, s"] = perf_counter() - begun
    found["gone after its owner's SIGKILL, s"] = orphaned(directory)
    return found


async def asked(address: object) -> None:
    """Get the answer to a first query."""
    assert isinstance(address, dict)
    connection = await asyncpg.connect(**address)
    await connection.fetchval("select 1")
    await connection.close()


def running(directory: Path) -> list[int]:
    """The processes of the server in *directory*."""
    return pgcluster.servers((directory / "postgres").resolve() / "cluster" / "data")


def orphaned(directory: Path) -> float:
    """Kill an owner; the seconds that its server lives on."""
    owner = os.fork()
    if owner == 0:
        asyncio.run(own_for_ever(directory))
    while len(running(directory)) < 5:
        pass
    os.kill(owner, signal.SIGKILL)
    begun = perf_counter()
    while running(directory):
        pass
    os.waitpid(owner, 0)
    return perf_counter() - begun


async def own_for_ever(directory: Path) -> None:
    async with embedded.own(directory):
        await asyncio.Event().wait()


def main() -> None:
    rounds = []
    for _ in range(ROUNDS):
        directory = Path(tempfile.mkdtemp(prefix="replyby-bench-"))
        directory.chmod(0o755)
        try:
            rounds.append(asyncio.run(one_round(directory)))
        finally:
            shutil.rmtree(directory)
    print("| embedded PostgreSQL | median | least | most | goal |")
    print("| --- | --- | --- | --- | --- |")
    for name, goal in GOALS.items():
        seen = [found[name] for found in rounds]
        print(f"| {name} | {median(seen):.3g} | {min(seen):.3g} | {max(seen):.3g} | {goal} |")


if __name__ == "__main__":
    main()
