"""How long a start takes: the embedded PostgreSQL, and the daemon from `exec` to ready.

A cold start begins with nothing and ends with the answer to a first query; a warm one finds its
data. Every round has a directory of its own on this disk, and all of them stay until the end: ext4
does not give inodes out again soon after they were deleted, and searching past those of an earlier
round doubles the time of the next one, which no first start of a user has to bear.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import psutil

from benchmarks import daemon, harness
from benchmarks.harness import QUICK, Row, heading, table
from core.store import embedded, pgbinaries, pgcluster

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.store import Address

ROUNDS = 1 if QUICK else 7
SETTLES = 0.5 if QUICK else 2.0
SHIPPED = Path(__file__).resolve().parent.parent / "settings.toml"
GOALS = {
    "cold start, s": "<= 1.0",
    "initdb alone, without a sync, s": "",
    "warm start, s": "<= 0.3",
    "join a running one, s": "",
    "stop, s": "",
    "gone after its owner's SIGKILL, s": "<= 1.0",
    "idle, MiB PSS": "<= 25",
    "idle, processes": "",
}
DAEMON = {
    "warm, three sandbox accounts, exec to ready, s": "<= 2.0",
    "the same, no account, s": "<= 2.0",
    "cold (nothing there), three sandbox accounts, s": "",
}


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
            await asyncio.sleep(SETTLES)
            processes = [psutil.Process(pid) for pid in running(directory)]
            found["idle, processes"] = len(processes)
            found["idle, MiB PSS"] = sum(p.memory_full_info().pss for p in processes) / 2**20
            begun = perf_counter()
        found["stop, s"] = perf_counter() - begun
    found["gone after its owner's SIGKILL, s"] = orphaned(directory)
    found["initdb alone, without a sync, s"] = raw_initdb(directory)
    return found


async def asked(address: Address) -> None:
    """Get the answer to a first query."""
    async with harness.connection(address) as db:
        await db.fetchval("select 1")


def running(directory: Path) -> list[int]:
    """The processes of the server in *directory*."""
    return pgcluster.servers(cluster(directory) / "data")


def cluster(directory: Path) -> Path:
    """What the server's user may write to."""
    return (directory / "postgres").resolve() / "cluster"


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


def raw_initdb(directory: Path) -> float:
    """PostgreSQL's own program, with the options that we give it."""
    user = pgbinaries.User.unprivileged()
    binaries = pgbinaries.prepare(user)
    where = cluster(directory) / "raw"
    command: list[str | Path] = [binaries.directory / "initdb", "-D", where]
    begun = perf_counter()
    assert pgbinaries.start([*command, *pgcluster.OPTIONS], user=user).wait() == 0
    return perf_counter() - begun


def daemon_round(place: Path) -> dict[str, float]:
    """Start the daemon in *place*, which is empty, and again; for a quick look no third time."""
    warm, alone, cold = DAEMON
    text = SHIPPED.read_text()
    found = {cold: exec_to_ready(place, text, "--sandbox")}
    found[warm] = exec_to_ready(place, text, "--sandbox")
    if not QUICK:
        found[alone] = exec_to_ready(place, without_accounts(text))
    return found


def exec_to_ready(place: Path, text: str, *words: str) -> float:
    """Seconds until `/readyz` says 200; the daemon is stopped again."""
    with daemon.started(place, text, *words) as started:
        return started.seconds


def without_accounts(text: str) -> str:
    """The settings as shipped, less their accounts and what only those use."""
    first, *_, last = text.split("\n[accounts.")
    return first + last[last.index("\n# What is promised") :]


async def main() -> None:
    with harness.directory() as place:
        rounds, starts = [], []
        for number in range(ROUNDS):
            rounds.append(await one_round(made(place / f"server-{number}")))
            starts.append(daemon_round(made(place / f"daemon-{number}")))
    heading("Start")
    table(rows(GOALS, rounds), "embedded PostgreSQL")
    print()
    table(rows(DAEMON, starts), "daemon")


def made(path: Path) -> Path:
    path.mkdir()
    path.chmod(0o755)
    return path


def rows(goals: Mapping[str, str], rounds: Sequence[Mapping[str, float]]) -> list[Row]:
    """What every round has measured."""
    return [
        Row(name, [found[name] for found in rounds], goal)
        for name, goal in goals.items()
        if name in rounds[0]
    ]


if __name__ == "__main__":
    asyncio.run(main())
