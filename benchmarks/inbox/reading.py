"""Reads the inbox as the daemon does, in a process of its own: one window after the other.

    ADDRESS='{"host": ...}' python -m benchmarks.inbox.reading URL SHOPS WINDOW ...

Prints a line of JSON for each window: its seconds (from the first request to the last commit),
rows, processor time of ours and of the server's, WAL, and the most memory so far. Windows: *first*,
*again* (the same requests), *sent* (the same with the prefilter off), *new* (from the cursor on),
*changed* (from the cursor on, after 400 messages were edited).
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from time import monotonic, perf_counter, process_time
from typing import TYPE_CHECKING, Any

import psutil
import structlog

from benchmarks import harness
from benchmarks.inbox import unfiltered
from benchmarks.inbox.connector import MESSAGES, Inbox, InboxOptions, spec
from core import poll, store
from core.connector import Transport
from core.metrics import Metrics
from core.model import Account
from core.poll import Reader
from core.routing import Route, Routing
from core.rules import Rules
from core.running import memory
from core.store import accounts, streams, transaction, workers
from core.store.accounts import Setup
from core.transport.http import Http, open_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from aiohttp import ClientSession

    from core.store import Address, Pool

SLOTS = int(os.environ.get("SLOTS", "4"))
"""As many loops read side by side; the daemon has four by default."""

BEGIN = float(os.environ.get("BEGIN", "0"))
"""Not before this instant (monotonic): several of us begin together."""

WRITTEN = """
    select sum(n_tup_ins + n_tup_upd + n_tup_del) filter (where relname <> 'stream')::bigint,
           sum(n_tup_ins + n_tup_upd + n_tup_del) filter (where relname = 'stream')::bigint
    from pg_stat_user_tables
"""

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


class Daemon:
    """What of the daemon reads: accounts, rules, a worker's number and a pool."""

    def __init__(
        self,
        pool: Pool,
        worker: int,
        readers: Mapping[str, Reader],
        session: ClientSession,
        url: str,
    ) -> None:
        self.session = session
        self.url = url
        self.pool = pool
        self.worker = worker
        self.readers = readers
        self.metrics = Metrics()
        self.rules = Rules(
            accounts={name: reader.account for name, reader in readers.items()},
            policies={name: spec.policies(InboxOptions(base_url="", shop=0)) for name in readers},
            routing=Routing({"desk": Route("desk", ("log",), fallback=True)}, {}),
        )

    async def monitor(self) -> None:
        """Enter the accounts, since long before the first message."""
        setups = [
            Setup(r.account, tuple(r.streams.values()), r.budget) for r in self.readers.values()
        ]
        since = datetime(2020, 1, 1, tzinfo=UTC)
        async with transaction(self.pool) as db:
            await accounts.sync(db, setups, since)

    async def rewind(self) -> None:
        """Let all be read from the beginning."""
        async with transaction(self.pool) as db:
            for name in self.readers:
                await streams.rewind(db, name, MESSAGES)

    async def due(self) -> None:
        """Let all be read from where it was."""
        async with transaction(self.pool) as db:
            await db.execute("update stream set next_due = now(), not_before = now()")

    async def touch(self, threads: int) -> None:
        """Let as many threads be edited at the marketplace."""
        async with self.session.get(f"{self.url}/touch", params={"n": str(threads)}) as answer:
            answer.raise_for_status()

    async def read(self) -> None:
        """Read everything that is due."""
        now = datetime.now(UTC)  # noqa: TID251  # the benchmark is its own daemon
        once = (
            poll.once(self.pool, self.worker, self.readers, self.rules, self.metrics, now)
            for _ in range(SLOTS)
        )
        await asyncio.gather(*once)


@asynccontextmanager
async def opened(address: Address, url: str, shops: int) -> AsyncIterator[Daemon]:
    """A daemon on *address* that reads the inbox at *url*."""
    pool = await store.open_pool(address)
    session = open_session()
    http = Http(session, now=lambda: datetime.now(UTC))  # noqa: TID251  # the benchmark is its own daemon
    readers = {f"shop-{n}": _reader(f"shop-{n}", url, n, Transport(http)) for n in range(shops)}
    connection = await store.connect(address)
    try:
        yield Daemon(pool, await workers.register(connection), readers, session, url)
    finally:
        await session.close()
        await connection.close()
        await pool.close()


def _reader(name: str, url: str, shop: int, transport: Transport) -> Reader:
    options = InboxOptions(base_url=url, shop=shop)
    account = Account(
        name=name, connector=spec.name, marketplace="inbox", title=name,
        identity=spec.identity(options),
    )  # fmt: skip
    return Reader(
        account,
        Inbox(options, transport),
        {stream.name: stream for stream in spec.streams(options)},
        spec.budget(options),
    )


class Meter:
    """Seconds, processor time, rows and WAL from its making on."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def start(self) -> None:
        self._written, self._lsn, self._server = await self._told()
        self._at = monotonic()
        self._cpu, self._began = process_time(), perf_counter()

    async def read(self) -> dict[str, Any]:
        seconds, cpu = perf_counter() - self._began, process_time() - self._cpu
        written, lsn, server = await self._told()
        used = sum(each - self._server.get(pid, 0.0) for pid, each in server.items())
        return {
            "began": self._at,
            "seconds": seconds,
            "cpu": cpu,
            "server_cpu": used,
            "rows": written[0] - self._written[0],
            "stream_rows": written[1] - self._written[1],
            "wal": lsn - self._lsn,
            "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }

    async def _told(self) -> tuple[Sequence[int], int, dict[int, float]]:
        opened = [await self._pool.acquire() for _ in range(self._pool.get_size())]
        for db in opened:
            await db.execute("select pg_stat_force_next_flush()")
            await self._pool.release(db)
        async with self._pool.acquire() as db:
            [written] = await db.fetch(WRITTEN)
            lsn = await db.fetchval("select (pg_current_wal_insert_lsn() - '0/0')::bigint")
            pid = await db.fetchval("select pg_backend_pid()")
        postmaster = psutil.Process(pid).parent()
        assert postmaster is not None
        return tuple(written), int(lsn), spent([postmaster, *postmaster.children()])


def spent(processes: Sequence[psutil.Process]) -> dict[int, float]:
    """The seconds of processor time of each; one that ends just now (an autovacuum) is left out."""
    found = {}
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            found[process.pid] = sum(process.cpu_times()[:2])
    return found


async def window(daemon: Daemon, what: str) -> dict[str, Any]:
    """Read once, as *what* says."""
    if what in ("again", "sent"):
        await daemon.rewind()
    elif what in ("changed", "new"):
        await daemon.due()
    if what == "changed":
        await daemon.touch(200)
    meter = Meter(daemon.pool)
    await meter.start()
    if what == "sent":
        with unfiltered.sending_everything():
            await daemon.read()
    else:
        await daemon.read()
    told = await meter.read()
    ended = harness.walks(daemon.metrics)
    if ended.keys() != {"success"}:
        raise SystemExit(f"{what}: walks ended as {dict(ended)}")
    return {"window": what, **told}


async def main() -> None:
    url, shops, *windows = sys.argv[1:]
    async with opened(json.loads(os.environ["ADDRESS"]), url, int(shops)) as daemon:
        await daemon.monitor()
        memory.settle()
        await asyncio.sleep(BEGIN - monotonic())
        for what in windows:
            print(json.dumps(await window(daemon, what)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
