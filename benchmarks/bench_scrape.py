"""A scrape of 5,000 accounts: how long it takes, and how late the event loop is meanwhile.

The product's own `/metrics` over a database that holds what so many accounts have: streams, counts
of what became of clocks, running clocks, contracts judged in three windows. Another process asks;
a timer in this one measures how late the event loop is, with scrapes and without. Lateness is also
that of a system with other work: read both columns of one run.
"""

from __future__ import annotations

import asyncio
import gzip
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from benchmarks import harness
from benchmarks.harness import QUICK, Growth, Row
from core import labels, loops
from core.configuration.sections import Ops
from core.loops import Pulse
from core.measuring import contracts
from core.measuring.contracts import Number
from core.measuring.facts import Names
from core.metrics import Metrics
from core.running import timing
from core.store import open_pool
from core.web import app, ops
from sla.calendar import Calendar
from sla.policy import Contract, Party, Policy, ThreadKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from core.store import Address

ACCOUNTS = 500 if QUICK else 5_000
SCRAPES = 2 if QUICK else 5
MARKETPLACES = 20
TICK = 0.005
"""Seconds between two turns of the timer that is measured."""
PAUSE = ops.FRESH + 0.2
"""Seconds after which a scrape is a new one."""
SECONDS_GOAL, LATE_GOAL = "<= 1", "<= 100"

FILL = """
    insert into account (name, connector, marketplace, budget_key, monitored_since)
    select 'account-' || n, 'mirakl', 'marketplace-' || n % $2::int, 'account-' || n, now()
    from generate_series(1, $1::int) n
"""
STREAMS = """
    insert into stream (account, stream, carries_clocks, ascending, next_due, "interval", health,
                        health_since, last_ok_at, seen_through)
    select a.name, s, true, false, now() + interval '1 hour', interval '5 minutes',
           'ok', now(), now(), now()
    from account a, unnest(array['messages', 'incidents', 'returns']) s
"""
TALLY = """
    insert into tally (account, metric, result, n)
    select a.name, m, r, 1000 from account a, unnest($1::text[]) m, unnest($2::text[]) r
"""
ASKING = """
import sys, time, urllib.request
ask = urllib.request.Request(sys.argv[1] + "/metrics", headers={"Accept-Encoding": "gzip"})
for _ in sys.stdin:
    begun = time.perf_counter()
    with urllib.request.urlopen(ask, timeout=60) as answer:
        body = answer.read()
    took = time.perf_counter() - begun
    with open(sys.argv[2], "wb") as kept:
        kept.write(body)
    print(took, flush=True)
"""


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds of each scrape, CPU-seconds of one, lateness in ms (worst, and without scrapes).

    *plain* and *packed* are the bytes of an exposition, *lines* its samples.
    """

    seconds: list[float]
    cpu: float
    late: list[float]
    idle: list[float]
    lines: int
    plain: int
    packed: int


async def main() -> None:
    """Print the tables."""
    harness.heading(f"A scrape of {ACCOUNTS:,} accounts")
    async with harness.server() as server:
        found = await scraped(await harness.database(server, "whole"), ACCOUNTS)
        sizes = []
        if not QUICK:
            for n, size in enumerate((ACCOUNTS // 10, ACCOUNTS, ACCOUNTS * 10)):
                made = await harness.database(server, f"size{n}")
                sizes.append(found if size == ACCOUNTS else await scraped(made, size))
    print(f"{found.lines:,} samples, {found.plain / 1e6:.1f} MB, packed {found.packed / 1e6:.2f}\n")
    harness.table(
        [
            Row("a scrape, s", found.seconds, SECONDS_GOAL),
            Row("event loop late at the worst of a scrape, ms", found.late, LATE_GOAL),
            Row("event loop late at the worst of as long a time without, ms", found.idle),
            Row("CPU-s of ours a scrape", [found.cpu]),
            Row("µs a sample", [1e6 * found.cpu / found.lines]),
        ],
        f"{ACCOUNTS:,} accounts",
    )
    if sizes:
        print()
        rows = [
            Growth("a scrape, s", [sorted(each.seconds)[len(each.seconds) // 2] for each in sizes]),
            Growth("late, ms", [sorted(each.late)[len(each.late) // 2] for each in sizes]),
            Growth("samples", [each.lines for each in sizes]),
        ]
        harness.growth(rows, f"of {ACCOUNTS:,} accounts")


async def scraped(address: Address, accounts: int) -> Found:
    """Fill the database at *address* with so many *accounts*, and scrape them."""
    async with harness.connection(address) as db:
        await db.execute(FILL, accounts, MARKETPLACES)
        await db.execute(STREAMS)
        await db.execute(TALLY, labels.CLOCKS, labels.RESULTS)
        replies = [labels.ACCEPTED, labels.REFUSED, labels.ELSEWHERE]
        await db.execute(TALLY, [labels.REPLY], replies)
        await db.execute("vacuum analyze")
    late: list[float] = []
    seconds: list[float] = []
    with harness.directory() as path:
        body = path / "body"
        async with _served(address, accounts) as url, _asking(url, body) as ask:
            await ask()  # the first counts the clocks, and fills what is kept
            begun = process_time()
            for _ in range(SCRAPES):
                await asyncio.sleep(PAUSE)
                took, worst = await _watched(ask())
                seconds.append(took)
                late.append(1e3 * worst)
            cpu = (process_time() - begun) / SCRAPES
            idle = [1e3 * (await _watched(_rest(each)))[1] for each in seconds]
        packed = body.read_bytes()
    plain = gzip.decompress(packed)
    lines = sum(not line.startswith(b"#") for line in plain.splitlines())
    return Found(seconds, cpu, late, idle, lines, len(plain), len(packed))


@asynccontextmanager
async def _served(address: Address, accounts: int) -> AsyncIterator[str]:
    metrics, stop = Metrics(), asyncio.Event()
    pool = await open_pool(address, told=timing.of_statements(metrics))
    metrics.stock()
    names = _names(accounts)
    metrics.declare(names, account_label=accounts <= labels.MANY_ACCOUNTS)
    watched = ops.Watched(metrics, Pulse(), loops.utcnow, names=names, pool=pool)
    watched.contracts.latest = contracts.judgement(*_judged(names))
    counting = loops.every(
        "count", partial(watched.count.once, pool), stop, wake=watched.count.asked
    )
    task = asyncio.create_task(counting)
    async with app.served("ops", Ops(listen="127.0.0.1:0"), ops.application(watched)) as url:
        yield url
    stop.set()
    await task
    await pool.close()


def _names(accounts: int) -> Names:
    every = range(1, accounts + 1)
    pairs = tuple((f"marketplace-{n % MARKETPLACES}", f"account-{n}") for n in every)
    budgets = tuple((m, name, name) for m, name in pairs)
    calls = tuple((f"marketplace-{m}", f"M{n}") for m in range(MARKETPLACES) for n in range(10))
    return Names(pairs, notifiers=("log", "chat"), operations=calls, budgets=budgets)


def _judged(names: Names) -> tuple[list[Number]]:
    """Two contracts of each account: one by share in three windows, one by mean in one."""
    share = Contract("share", (timedelta(days=7),), objective=0.9, within=timedelta(days=1))
    mean = Contract("mean", (timedelta(days=91),), limit=timedelta(hours=48))
    policy = Policy(
        name="reply-24h", version=1, role="contract", applies_to=frozenset(ThreadKind),
        waits_for=frozenset({Party.BUYER}), reply_within=timedelta(days=1),
        calendar=Calendar.always(),
    )  # fmt: skip
    numbers = [
        Number(marketplace, account, policy, contract, timedelta(days=days))
        for marketplace, account in names.accounts
        for contract, days in ((share, 7), (share, 30), (share, 90), (mean, 91))
    ]
    return (numbers,)


@asynccontextmanager
async def _asking(url: str, body: Path) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    """Another process that scrapes *url* when it is told to; what it is told in is the seconds."""
    asking = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ASKING, url, str(body),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert asking.stdin is not None
    assert asking.stdout is not None
    told, said = asking.stdin, asking.stdout

    async def ask() -> float:
        told.write(b"\n")
        return float(await said.readline())

    yield ask
    told.close()
    assert await asking.wait() == 0, "the scraper failed"


async def _rest(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


async def _watched(doing: Awaitable[float]) -> tuple[float, float]:
    """What *doing* came to, and by how many seconds the event loop was late at the worst."""
    worst, over = 0.0, False

    async def tick() -> None:
        nonlocal worst
        while not over:
            begun = perf_counter()
            await asyncio.sleep(TICK)
            worst = max(worst, perf_counter() - begun - TICK)

    ticking = asyncio.create_task(tick())
    done = await doing
    over = True
    await ticking
    return done, worst


if __name__ == "__main__":
    asyncio.run(main())
