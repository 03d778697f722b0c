"""Ingest: a marketplace's inbox read into the database, against plain COPY and two peers.

Rows are messages. *First* is the time from the first request to the last commit, rows of threads
and clocks included; *again* the same requests, of which nothing is new; *sent* the same with the
prefilter off. COPY is that of the same message rows, made before, into an empty table with the
columns and indexes of `message`, on one connection. Rounds are interleaved, databases fresh.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks import harness
from benchmarks.harness import ROUNDS, Row
from core import store
from core.store.messages import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.store import Address

THREADS = 20_000
SHOPS = 8
SIZE = 2
BATCH = 10_000

Window = dict[str, Any]


@contextmanager
def inbox(threads: int) -> Iterator[str]:
    """The address of an inbox that holds *threads*."""
    command = [sys.executable, "-m", "benchmarks.inbox.server"]
    sizes = ["--threads", str(threads), "--shops", str(SHOPS), "--messages", str(SIZE)]
    server = subprocess.Popen([*command, *sizes], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait()


async def ours(address: Address, url: str, *windows: str) -> dict[str, Window]:
    """What the windows took, read by a process of its own into a fresh database."""
    made = await harness.database(address, "ours")
    await checkpoint(address)
    command = [sys.executable, "-m", "benchmarks.inbox.reading", url, str(SHOPS), *windows]
    told = await output(command, ADDRESS=json.dumps(made))
    found = [json.loads(line) for line in told.splitlines()]
    return {window["window"]: window for window in found}


async def output(command: Sequence[str], **environment: str) -> str:
    """What *command* prints."""
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, stdout=subprocess.PIPE
    )
    told, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{command} failed")
    return told.decode()


async def made_before(address: Address) -> list[tuple[object, ...]]:
    """The rows of `message` as the last reading left them."""
    db = await store.connect({**address, "database": "ours"})
    rows = await db.fetch(f"select {', '.join(COLUMNS)} from message order by seen_at, id")
    await db.close()
    return [tuple(row) for row in rows]


async def copied(address: Address, rows: Sequence[tuple[object, ...]]) -> float:
    """Seconds to copy *rows* into an empty table like `message`."""
    db = await store.connect(await harness.database(address, "copied"))
    await db.execute("create table plain (like message including all)")
    await checkpoint(address)
    began = perf_counter()
    for first in range(0, len(rows), BATCH):
        batch = rows[first : first + BATCH]
        await db.copy_records_to_table("plain", records=batch, columns=COLUMNS)
    seconds = perf_counter() - began
    await db.close()
    return seconds


async def checkpoint(address: Address) -> None:
    db = await store.connect(address)
    await db.execute("checkpoint")
    await db.close()


async def main() -> None:
    threads = 2_000 if harness.QUICK else THREADS
    rows = threads * SIZE
    print(f"## Ingest\n\n{harness.machine()}; {rows} messages in {threads} threads\n")
    with inbox(threads) as url:
        async with harness.server() as address:
            await ours(address, url, "first")
            known = await made_before(address)
            rounds = []
            for _ in range(ROUNDS):
                copy = await copied(address, known)
                rounds.append((copy, await ours(address, url, "first", "again", "sent")))
    tell(rows, rounds)


def tell(rows: int, rounds: Sequence[tuple[float, dict[str, Window]]]) -> None:
    def each(window: str, what: str = "seconds") -> list[float]:
        return [found[window][what] for _, found in rounds]

    first, again, sent = each("first"), each("again"), each("sent")
    copy = [seconds for seconds, _ in rounds]
    harness.table([
        Row("plain COPY, rows/s", [rows / s for s in copy]),
        Row("first, rows/s", [rows / s for s in first]),
        Row("of COPY", [c / f for c, f in zip(copy, first, strict=True)], ">= 0.45"),
        Row("first, µs of ours a row", [s / rows * 1e6 for s in each("first", "cpu")]),
        Row("first, µs of the server a row", [s / rows * 1e6 for s in each("first", "server_cpu")]),
        Row("unchanged, s", again),
        Row("prefilter off, s", sent),
        Row("unchanged of that", [a / s for a, s in zip(again, sent, strict=True)], "<= 0.25"),
        Row("unchanged, rows written", each("again", "rows")),
        Row("peak memory, MiB", each("first", "rss")),
    ])  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main())
