"""A poll that finds nothing new: this process's own CPU time, from the claim to the next due time.

The product's own rounds (`core.poll.once`, as many slots as shipped) read streams of the Mirakl
connector from an operator in another process that has nothing, or the same few threads in the
overlap. What the statements of claims and finishes cost is measured in the same rounds, alone.
"""

from __future__ import annotations

import argparse
import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from time import process_time
from typing import TYPE_CHECKING

from benchmarks import harness, quiet_market
from benchmarks.harness import QUICK, ROUNDS, Growth, Row
from connectors.mirakl import spec
from core import loops, poll
from core.connector import Transport
from core.hostclock import HostClock
from core.ingest import LEASE
from core.metrics import Metrics
from core.model import Account
from core.reading.slots import PATIENCE, Slots
from core.reading.walk import Reader
from core.routing import Route, Routing
from core.rules import Rules
from core.running import memory
from core.running.requests import Requests
from core.store import accounts, open_pool, statement, streams, transaction
from core.store.accounts import Setup
from core.transport.http import Http, open_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from aiohttp import ClientSession

    from core.store import Address, Pool

ACCOUNTS = 100 if QUICK else 1_000
SLOTS, WORKER = 4, 1
OVERLAP = 2
SOON, EVERY = timedelta(seconds=10), timedelta(minutes=5)
GOAL = ">= 3000"
WALKED = """
    update account set monitored_since = now() - interval '1 day',
                       first_walk_at = now() - interval '1 day'
"""
DUE = "update stream set next_due = now(), not_before = now()"


@dataclass(frozen=True, slots=True)
class Fleet:
    """Accounts that one process reads."""

    pool: Pool
    readers: Mapping[str, Reader]
    rules: Rules
    metrics: Metrics
    session: ClientSession
    url: str

    async def due(self) -> None:
        """Let every stream be due; its cursor stays where it is, as nothing was new."""
        await self.pool.execute(DUE)

    async def polled(self) -> float:
        """Read all that is due; seconds of our processor time a stream."""
        await self.due()
        before = harness.walks(self.metrics)
        slots, begun = self._slots(), process_time()
        await asyncio.gather(*(self._slot(slots) for _ in range(SLOTS)))
        took, after = process_time() - begun, harness.walks(self.metrics)
        assert after - before == {"success": len(self.readers)}, f"walks ended as {after}"
        return took / len(self.readers)

    def _slots(self) -> Slots:
        """As the daemon has them."""
        return Slots(places=SLOTS * poll.BATCH, patience=PATIENCE)

    async def _slot(self, slots: Slots) -> None:
        soon = timedelta(0)
        while soon < SOON:
            now = loops.utcnow()
            again = await poll.once(
                self.pool, WORKER, self.readers, self.rules, self.metrics, now, slots=slots
            )
            soon = again - now

    async def leased(self) -> float:
        """As `polled`, but without the polls: only their statements."""
        await self.due()
        begun = process_time()
        await asyncio.gather(*(self._leasing() for _ in range(SLOTS)))
        return (process_time() - begun) / len(self.readers)

    async def _leasing(self) -> None:
        while True:
            async with statement(self.pool) as db:
                leases = await streams.claim(db, WORKER, poll.BATCH, LEASE)
            if not leases:
                return
            now = loops.utcnow()
            done = [streams.Finished(lease, None, now, now, EVERY) for lease in leases]
            async with statement(self.pool) as db:
                await streams.finish_all(db, done)

    async def fetched(self) -> float:
        """The connector's part alone, as many side by side as in rounds."""
        rows = await self.pool.fetch("select account, cursor from stream")
        cursors: dict[str, str] = {row["account"]: row["cursor"] for row in rows}
        begun = process_time()
        left = list(self.readers.items())

        async def read() -> None:
            while left:
                name, reader = left.pop()
                await reader.connector.fetch("messages", cursors[name], None, loops.utcnow())

        await asyncio.gather(*(read() for _ in range(SLOTS * poll.BATCH)))
        return (process_time() - begun) / len(self.readers)

    async def bare(self) -> float:
        """The same request by aiohttp alone, its answer read and dropped."""
        address = f"{self.url}/bare/api/inbox/threads"
        begun = process_time()
        left = list(self.readers)

        async def read() -> None:
            while left:
                left.pop()
                async with self.session.get(address) as response:
                    await response.read()

        await asyncio.gather(*(read() for _ in range(SLOTS * poll.BATCH)))
        return (process_time() - begun) / len(self.readers)


@asynccontextmanager
async def fleet(address: Address, url: str, size: int) -> AsyncIterator[Fleet]:
    """So many accounts at the operator at *url*, read for the first time long ago."""
    metrics, clock = Metrics(), HostClock()
    async with open_session() as session:
        readers = dict(reader(f"shop-{n}", url, session, metrics, clock) for n in range(size))
        found = {name: one.account for name, one in readers.items()}
        routing = Routing({"all": Route("all", ("file",), fallback=True)}, {})
        pool = await open_pool(address)
        setups = [
            Setup(one.account, tuple(one.streams.values()), one.budget) for one in readers.values()
        ]
        async with transaction(pool) as db:
            await accounts.sync(db, setups, loops.utcnow())
            await db.execute(WALKED)
        yield Fleet(pool, readers, Rules(found, {}, routing), metrics, session, url)
        await pool.close()


def reader(
    name: str, url: str, session: ClientSession, metrics: Metrics, clock: HostClock
) -> tuple[str, Reader]:
    """An account with one stream, messages, as the daemon reads it."""
    options = spec.options.model_validate({
        "base_url": f"{url}/{name}", "api_key": "key-of-a-bench", "operator": "bench",
        "shop_id": 2000, "incidents": False,
    })  # fmt: skip
    account = Account(name=name, connector="mirakl", marketplace="bench", title=name, identity=name)
    http = Http(session, Requests("bench", metrics, clock, lambda: None), now=loops.utcnow)
    connector = spec.open(options, Transport(http=http))
    only = {one.name: one for one in spec.streams(options) if one.name == "messages"}
    return name, Reader(account, connector, only, name)


async def measured(size: int, threads: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of processor time a stream: of whole rounds, of statements, of fetching."""
    found: dict[str, list[float]] = {"whole": [], "statements": [], "fetch": [], "bare": []}
    with quiet_market.opened(threads) as url:
        async with harness.server() as server:
            address = await harness.database(server, "polls")
            async with fleet(address, url, size) as on:
                await on.polled()
                memory.settle()  # as the daemon does when it is ready
                for _ in range(rounds):
                    found["whole"].append(await on.polled())
                    found["statements"].append(await on.leased())
                    found["fetch"].append(await on.fetched())
                    found["bare"].append(await on.bare())
    return found


def shown(size: int, threads: int, found: Mapping[str, Sequence[float]]) -> None:
    kind = f"the same {threads} threads in the overlap" if threads else "an empty answer"
    print(f"\n{size:,} streams, {kind}\n")
    pairs = zip(found["whole"], found["statements"], strict=True)
    polls = [whole - statements for whole, statements in pairs]
    goal = "" if threads else GOAL
    harness.table([
        Row("polls a second of CPU, statements left out", [1 / each for each in polls], goal),
        Row("with their statements", [1 / each for each in found["whole"]]),
        Row("CPU \u00b5s a poll, statements left out", [each * 1e6 for each in polls]),
        Row("claim and finish", [each * 1e6 for each in found["statements"]]),
        Row("of it the connector: request, parse, map", [each * 1e6 for each in found["fetch"]]),
        Row("of that aiohttp alone", [each * 1e6 for each in found["bare"]]),
        Row(
            "a poll in requests of aiohttp alone",
            [each / bare for each, bare in zip(polls, found["bare"], strict=True)],
        ),
    ])  # fmt: skip


async def main(size: int, rounds: int) -> None:
    harness.heading("No-change polls")
    print(harness.machine())
    empty = await measured(size, 0, rounds)
    shown(size, 0, empty)
    shown(size, OVERLAP, await measured(size, OVERLAP, rounds))
    if not QUICK:
        fewer, more = await measured(size // 10, 0, rounds), await measured(size * 10, 0, 1)
        grows([fewer, empty, more])


def grows(found: Sequence[Mapping[str, Sequence[float]]]) -> None:
    print()
    harness.growth([
        Growth("CPU µs a poll, statements left out", [
            (median(one["whole"]) - median(one["statements"])) * 1e6 for one in found
        ]),
        Growth("claim and finish, CPU µs", [median(one["statements"]) * 1e6 for one in found]),
    ], "grows with the streams")  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    asyncio.run(main(given.accounts, given.rounds))
