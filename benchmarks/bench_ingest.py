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
import socket
import subprocess
import sys
import tempfile
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import harness
from benchmarks.harness import ROUNDS, SIZES, Growth, Row
from core import store
from core.store.messages import COLUMNS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from core.store import Address

THREADS = 20_000
SHOPS = 8
SIZE = 2
BATCH = 10_000
HEAD_START = 8.0
"""Seconds in which two processes are ready to begin."""

PEERS = Path(__file__).parent / "peers"

Window = dict[str, Any]


@contextmanager
def inbox(threads: int, *flags: str) -> Iterator[str]:
    """The address of an inbox that holds *threads*."""
    command = [sys.executable, "-m", "benchmarks.inbox.server"]
    sizes = ["--threads", str(threads), "--shops", str(SHOPS), "--messages", str(SIZE)]
    server = subprocess.Popen([*command, *sizes, *flags], stdout=subprocess.PIPE, text=True)
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
    told = await read(made, url, *windows)
    found = [json.loads(line) for line in told.splitlines()]
    return {window["window"]: window for window in found}


async def read(address: Address, url: str, *windows: str, **environment: str) -> str:
    """What a process of ours says of these windows."""
    command = [sys.executable, "-m", "benchmarks.inbox.reading", url, str(SHOPS), *windows]
    return await output(command, ADDRESS=json.dumps(address), **environment)


async def both(address: Address, url: str, rows: int) -> float:
    """Seconds until two daemons on one database have stored all *rows*, four accounts each.

    From the first one's begin to the last one's end.
    """
    made = await harness.database(address, "ours")
    await checkpoint(address)
    begin = str(monotonic() + HEAD_START)
    pair = [read(made, url, "first", SLOTS="1", BEGIN=begin) for _ in range(2)]
    told = [json.loads(each) for each in await asyncio.gather(*pair)]
    async with harness.connection(made) as db:
        assert await db.fetchval("select count(*) from message") == rows
    last = max(each["began"] + each["seconds"] for each in told)
    return float(last - min(each["began"] for each in told))


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


async def peer(name: str, address: Address, url: str) -> Window:
    """What a first run of a peer took, over TCP; the rows that it left are counted."""
    await harness.database(address, "peer")
    await checkpoint(address)
    user, word, port = (str(address[key]) for key in ("user", "password", "port"))
    with tempfile.TemporaryDirectory() as state:
        told = await output(
            [str(PEERS / f".venv-{name}" / "bin" / "python"), str(PEERS / f"{name}_poll.py")],
            API_URL=url, STATE_DIR=state, DSN=f"postgresql://{user}:{word}@127.0.0.1:{port}/peer",
            PGHOST="127.0.0.1", PGPORT=port, PGUSER=user, PGPASSWORD=word, PGDATABASE="peer",
        )  # fmt: skip
    async with harness.connection({**address, "database": "peer"}) as db:
        rows = await db.fetchval(f"select count(*) from {name}_peer.messages")
    return {**json.loads(told.splitlines()[-1]), "rows": rows}


async def checkpoint(address: Address) -> None:
    db = await store.connect(address)
    await db.execute("checkpoint")
    await db.close()


class Round(NamedTuple):
    """What one round saw."""

    copy: float
    both: float
    ours: Mapping[str, Window]
    peers: Mapping[str, Window]


async def main() -> None:
    threads = 1_000 if harness.QUICK else THREADS
    rows = threads * SIZE
    names = () if harness.QUICK else ("dlt", "singer")
    for name in names:
        await output(["sh", str(PEERS.parent.parent / ".ci" / "peer"), name])
    harness.heading("Ingest")
    print(f"{rows} messages in {threads} threads of {SHOPS} accounts; {ROUNDS} rounds.\n")
    with inbox(threads, "--whole") as url:
        async with listening() as address:
            await ours(address, url, "first")
            known = await made_before(address)
            assert len(known) == rows, "not every message was stored"
            rounds = [await one_round(address, url, known, names) for _ in range(ROUNDS)]
    tell(rows, rounds)
    if not harness.QUICK:
        await grow()


async def grow() -> None:
    """Print how reading moves with the number of threads."""
    seen = []
    for size in SIZES:
        with inbox(int(THREADS * size)) as url:
            async with harness.server() as address:
                found = await ours(address, url, "first", "again", "changed", "new")
                assert found["first"]["rows"] >= 2 * THREADS * SIZE * size
                seen.append(found)
    rows = [THREADS * SIZE * size for size in SIZES]

    def each(window: str, what: str) -> list[float]:
        return [one[window][what] / n * 1e6 for one, n in zip(seen, rows, strict=True)]

    print()
    harness.growth([
        Growth("first, µs a row", each("first", "seconds")),
        Growth("first, processor time of ours, µs a row", each("first", "cpu")),
        Growth("first, of the server, µs a row", each("first", "server_cpu")),
        Growth("unchanged, µs a row", each("again", "seconds")),
        Growth("400 changed, s", [one["changed"]["seconds"] for one in seen]),
        Growth("nothing new, s", [one["new"]["seconds"] for one in seen]),
        Growth("most memory of ours, MiB", [one["new"]["rss"] for one in seen]),
    ], "threads")  # fmt: skip


@asynccontextmanager
async def listening() -> AsyncIterator[Address]:
    """A server that also listens on loopback, for the peers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    async with harness.server({"listen_addresses": "127.0.0.1", "port": port}) as address:
        yield {**address, "port": int(port)}


async def one_round(
    address: Address, url: str, known: Sequence[tuple[object, ...]], names: Sequence[str]
) -> Round:
    copy = await copied(address, known)
    found = await ours(address, url, "first", "again", "sent", "changed", "new")
    stored = found["first"]["rows"]
    assert stored >= 2 * len(known), f"{stored} rows of messages, threads and clocks"
    two = await both(address, url, len(known))
    return Round(copy, two, found, {name: await peer(name, address, url) for name in names})


def tell(rows: int, rounds: Sequence[Round]) -> None:
    def each(window: str, what: str = "seconds") -> list[float]:
        return [one.ours[window][what] for one in rounds]

    first, again, sent = each("first"), each("again"), each("sent")
    table = [
        Row("plain COPY, rows/s", [rows / one.copy for one in rounds]),
        Row("first, rows/s", [rows / s for s in first]),
        Row("of COPY", [r.copy / f for r, f in zip(rounds, first, strict=True)], ">= 0.45"),
        Row("first, two daemons, rows/s", [rows / one.both for one in rounds]),
        Row("processor time of ours, µs a row", [s / rows * 1e6 for s in each("first", "cpu")]),
        Row("of the server, µs a row", [s / rows * 1e6 for s in each("first", "server_cpu")]),
        Row("most memory of ours, MiB", each("first", "rss")),
    ]
    names = rounds[0].peers.keys()
    for name in names:
        found = [one.peers[name] for one in rounds]
        assert all(one["rows"] == rows for one in found), f"{name} stored other rows"
        table += [
            Row(f"{name}, rows/s", [rows / one["seconds"] for one in found]),
            Row(f"{name}, most memory, MiB", [one["rss"] for one in found]),
        ]
    if names:
        fastest = [min(peer["seconds"] for peer in one.peers.values()) for one in rounds]
        ratio = [f / s for f, s in zip(fastest, first, strict=True)]
        table.append(Row("times the faster peer", ratio, ">= 5"))
    table += [
        Row("unchanged, s", again),
        Row("prefilter off, s", sent),
        Row("unchanged of that", [a / s for a, s in zip(again, sent, strict=True)], "<= 0.25"),
        Row("unchanged, rows written beside streams", each("again", "rows"), "<= 0"),
        Row("unchanged, bytes of WAL a row", [b / rows for b in each("again", "wal")]),
        Row("400 changed, s", each("changed")),
        Row("nothing new, s", each("new")),
    ]
    harness.table(table)


if __name__ == "__main__":
    asyncio.run(main())
