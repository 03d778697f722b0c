"""The daemon with many running clocks: start, idleness, memory, and how each grows with them.

As it is shipped: `python -m core run` with the embedded PostgreSQL. Twenty accounts at five
operators are read every five minutes; nothing happens there, and that process is not counted. The
clocks of 72 hours are due in the next three days, and no step of theirs is within four hours.
Idleness is processor time of the daemon and of every process of PostgreSQL, and memory that of the
daemon alone, after scrapes, rounds and a sweep.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager
from math import inf, isinf
from time import monotonic, sleep
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import daemon, harness, quiet_market
from benchmarks.harness import QUICK, ROUNDS, Growth, Row, growth, heading, table
from core import loops
from core.store import embedded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psutil

    from benchmarks.daemon import Started

ACCOUNTS = 20
FEW = 1_000
MANY = 10_000 if QUICK else 1_000_000
MINUTE = 60.0
SETTLES = 1.0 if QUICK else 20.0
IDLE = 4.0 if QUICK else MINUTE
OVER = f"over {IDLE:g} s, less than all that wakes" if QUICK else f"over {IDLE:g} s"
SCRAPES = 1 if QUICK else 3
SCRAPE_EVERY = 15.0
PAUSE = 1.1
"""Seconds after which a scrape is a new one: younger ones are handed out again."""
COUNTED = re.compile(rb"^replyby_open_clocks_counted_timestamp_seconds (\S+)$", re.MULTILINE)
SETTINGS = """
[store]
dsn = "embedded"
state_dir = "var"

[log]
format = "json"

[policies.ours]
role = "goal"
applies_to = ["message"]
reply_within = "72h"

[notifiers.file]
kind = "file"
path = "notices.jsonl"

[routes.all]
notifiers = ["file"]
fallback = true
"""
ACCOUNT = """
[accounts.shop-{n}]
connector = "mirakl"
title = "Shop {n}"
policies = []
goals = ["ours"]
options = {{ base_url = "{url}/{n}", api_key = "env:BENCH_KEY", operator = "operator-{of}" }}
"""
# Read long ago, so that nothing of a first walk is told.
SETTLED = """
    update account set monitored_since = now() - interval '30 days',
                       first_walk_at = now() - interval '30 days'
"""
INDEXES = """
    select indexname as name, indexdef as made from pg_indexes
    where tablename in ('clock', 'alarm') and indexname not in ('clock_pkey', 'alarm_pkey')
"""
RUNNING = """
    insert into clock (account, thread, promise, waits_for, metric, policy_version, members,
                       started_by, started_at, due_at, due_from, steps)
    select 'shop-' || n % $2, 'thread-' || n, 'ours', 'buyer', 'first_reply', 1,
           array['message-' || n], 'message-' || n, due - interval '72 h', due, 'policy',
           array[due - interval '36 h', due - interval '18 h', due - interval '7.2 h', due]
    from (select n, now() + interval '40 h' + random() * interval '31 h' as due
          from generate_series(1, $1::bigint) as n) as drawn
"""
ALARMS = "insert into alarm (clock, at, kind) select id, steps[1], 'warning' from clock order by id"


class Found(NamedTuple):
    """What one number of clocks comes to; idle times are CPU-seconds a minute.

    *daemon* and *server* share the idle time; *scraped* is such with a scrape every 15 seconds,
    empty where that is not measured, *scrape* the CPU-seconds of one, with what was counted
    meanwhile, *answer* its seconds, *whole* the share of scrapes that the database answered in
    time, *age* how many seconds before a scrape's answer its clocks were counted, at most. *memory*
    is MiB.
    """

    start: list[float]
    daemon: float
    server: float
    scraped: list[float]
    scrape: float
    answer: float
    whole: float
    age: float
    memory: float


class Processes:
    """The daemon and its PostgreSQL, and the processor time that they used since now."""

    def __init__(self, own: psutil.Process) -> None:
        self._own = own
        self._postmaster = next(p for p in own.children() if p.name() == "postgres")
        self._before = self._now()

    def spent(self) -> tuple[float, float]:
        """Seconds of the daemon and of PostgreSQL, of its processes that have ended too."""
        (own, alive, reaped), (own_now, alive_now, reaped_now) = self._before, self._now()
        ended = sum(alive[pid] for pid in alive.keys() - alive_now.keys())
        grown = sum(seconds - alive.get(pid, 0.0) for pid, seconds in alive_now.items())
        return own_now - own, grown + reaped_now - reaped - ended

    def _now(self) -> tuple[float, dict[int, float], float]:
        server = [self._postmaster, *self._postmaster.children()]
        times = self._postmaster.cpu_times()
        reaped = times.children_user + times.children_system
        alive = {p.pid: harness.cpu([p]) for p in server if p.is_running()}
        return harness.cpu([self._own]), alive, reaped


@contextmanager
def prepared(clocks: int) -> Iterator[tuple[Path, str]]:
    """A directory with a database of so many running clocks, and settings for it."""
    with harness.directory() as place, quiet_market.opened() as url:
        text = SETTINGS + "".join(ACCOUNT.format(n=n, of=n % 5, url=url) for n in range(ACCOUNTS))
        with daemon.started(place, text):
            sleep(SETTLES / 2)
        asyncio.run(seed(place / "var", clocks))
        yield place, text


async def seed(state: Path, clocks: int) -> None:
    """Fill the database of a daemon that is not running; indexes are made when all is there."""
    async with embedded.join(state) as address, harness.connection(address) as db:
        await db.execute(SETTLED)
        indexes = await db.fetch(INDEXES)
        for index in indexes:
            await db.execute(f"drop index {index['name']}")
        await db.execute(RUNNING, clocks, ACCOUNTS)
        await db.execute(ALARMS)
        await db.execute("set maintenance_work_mem = '512MB'")
        for index in indexes:
            await db.execute(index["made"])
        await db.execute("vacuum analyze")
        await db.execute("checkpoint")


def measured(clocks: int, seconds: float) -> Found:
    """Start the daemon over so many clocks, let it settle, and be idle for so long."""
    with prepared(clocks) as (place, text):
        starts = []
        for _ in range(ROUNDS - 1):
            with daemon.started(place, text) as started:
                starts.append(started.seconds)
        with daemon.started(place, text) as started:
            starts.append(started.seconds)
            return idle(started, seconds, starts)


def idle(started: Started, seconds: float, starts: list[float]) -> Found:
    sleep(SETTLES)
    used = Processes(started.process)
    sleep(seconds)
    daemon_used, server_used = (part * MINUTE / seconds for part in used.spent())
    cost, answer, whole, age = scraping(started)
    # A window shorter than the pause between two scrapes would hold too many of them.
    scraped = [] if QUICK else [scraping_for(started, seconds)]
    memory = started.process.memory_info().rss / 2**20
    return Found(starts, daemon_used, server_used, scraped, cost, answer, whole, age, memory)


def scraping(started: Started) -> tuple[float, float, float, float]:
    """CPU-seconds and seconds of a scrape, the share that the database answered, the oldest count.

    Not of the first ones, while clocks are counted for the first time.
    """
    while isinf(scrape(started)[1]):
        sleep(PAUSE)
    sleep(PAUSE)
    used, seconds, whole, oldest = Processes(started.process), 0.0, 0, 0.0
    for _ in range(SCRAPES):
        begun = monotonic()
        up, age = scrape(started)
        seconds += monotonic() - begun
        whole, oldest = whole + up, max(oldest, age)
        sleep(PAUSE)
    return sum(used.spent()) / SCRAPES, seconds / SCRAPES, whole / SCRAPES, oldest


def scraping_for(started: Started, seconds: float) -> float:
    """CPU-seconds a minute with a scrape every 15 seconds."""
    used, end = Processes(started.process), monotonic() + seconds
    while (left := end - monotonic()) > 0:
        scrape(started)
        sleep(min(left, SCRAPE_EVERY))
    return sum(used.spent()) * MINUTE / seconds


def scrape(started: Started) -> tuple[bool, float]:
    """Whether the database answered in time, and how many seconds ago clocks were counted."""
    status, body = started.get("/metrics")
    assert status == 200
    counted = COUNTED.search(body)
    at = float(counted[1]) if counted else 0.0
    age = loops.utcnow().timestamp() - at if at else inf
    return b"replyby_database_up 1" in body, age


def main() -> None:
    heading("Start, idle, memory")
    many = measured(MANY, IDLE)
    few = many if QUICK else measured(FEW, 5.0)
    print(f"{MANY:,} running clocks, {ACCOUNTS} accounts read every 5 minutes.\n")
    rows = [
        Row("exec to ready, warm, embedded PostgreSQL, s", many.start, "<= 2.0"),
        Row(f"idle, CPU-s a minute, {OVER}", [many.daemon + many.server], "<= 0.6"),
        Row("of it the daemon", [many.daemon]),
        Row("of it PostgreSQL", [many.server]),
        *(Row("with a scrape every 15 s", [each]) for each in many.scraped),
        Row(f"a scrape, CPU-s, of {SCRAPES}, with what was counted", [many.scrape]),
        Row("scrapes that the database answered in time, share", [many.whole], ">= 1"),
        Row("its clocks were counted before, s, at most", [many.age]),
        Row("RSS of the daemon, MiB", [many.memory], "<= 80"),
    ]
    if not QUICK:
        more = many.memory - few.memory
        rows.append(Row(f"of it more than with {FEW:,} clocks", [more], "<= 5"))
    table(rows, "daemon")
    if not QUICK:
        print()
        growing(measured(MANY // 10, 20.0), many, measured(MANY * 10, 20.0))


def growing(*sizes: Found) -> None:
    """Print how all of it moves with the number of clocks."""
    rows = [
        Growth("exec to ready, s", [min(found.start) for found in sizes]),
        Growth("idle, daemon, CPU-s a minute", [found.daemon for found in sizes]),
        Growth("idle, PostgreSQL, CPU-s a minute", [found.server for found in sizes]),
        Growth("a scrape, CPU-s", [found.scrape for found in sizes]),
        Growth("a scrape, s", [found.answer for found in sizes]),
        Growth("scrapes answered in time, share", [found.whole for found in sizes]),
        Growth("its clocks were counted before, s", [found.age for found in sizes]),
        Growth("RSS of the daemon, MiB", [found.memory for found in sizes]),
    ]
    growth(rows, f"of {MANY:,} clocks")


if __name__ == "__main__":
    main()
