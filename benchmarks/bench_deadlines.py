"""From a deadline to its notice, told by the real daemon: its commit time minus the due instant.

Clocks of 72 hours run over 3 days in PostgreSQL with fsync on, spread over eight accounts; some,
anywhere in the table, become due within one second. The daemon runs as it is shipped: it polls,
reads ahead, counts, and delivers to a file, with the last look at each thread, meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import psutil

from benchmarks import daemon, harness, quiet_market, seller
from benchmarks.harness import QUICK, ROUNDS, Growth, Row
from core import store
from core.loops import utcnow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import datetime

    from asyncpg import Connection, Record

    from core.store import Address

ACCOUNTS = 8
CLOCKS = 20_000 if QUICK else 1_000_000
DUE = 1_000 if QUICK else 10_000
LEAD = timedelta(seconds=2 if QUICK else 8)
HALF = timedelta(seconds=0.5)
SETTLE = 0.5 if QUICK else 2.0
SEEDING = 3600.0
SENDING = 1.0 if QUICK else 3.0
GOAL = "<= 100"
WARNED = timedelta(hours=7.2)
MANY = os.environ.get("MANY", "") not in ("", "0")
"""Whether ten million clocks are wanted, too: they take 12 GB of disk, and a quarter of an hour."""

UNREAD = "select count(*) from stream where seen_through is null and carries_clocks"
MONITORED = """
    update account set monitored_since = now() - interval '30 days',
                       first_walk_at = now() - interval '30 days'
"""
THREADS = """
    insert into thread (account, id, kind, subject, buyer, url, as_of)
    select 'shop-' || n % $2, md5(n::text)::uuid::text, 'message', 'Where is my order?',
           'Zenobia Quill', 'https://shop.example/threads/' || md5(n::text)::uuid, now()
    from generate_series(1, $1::bigint) as n
"""
# Deadlines anywhere in the next three days, but for the first hour; what has passed was told.
RUNNING = """
    insert into clock (account, thread, promise, waits_for, metric, policy_version, members,
                       started_by, started_at, due_at, due_from, steps, step)
    select 'shop-' || n % $2, name, 'ours', 'buyer', 'first_reply', 1, array[name], name,
           due - interval '72 hours', due, 'policy', steps, passed
    from (
        select n, md5(n::text)::uuid::text as name, due, steps,
               (select count(*) from unnest(steps) as step where step < now()) as passed
        from (
            select n, due, array[due - interval '36 h', due - interval '18 h',
                                 due - interval '7.2 h', due] as steps
            from (
                select n, now() + interval '1 h' + random() * interval '71 h' as due
                from generate_series(1, $1::bigint) as n
            ) as drawn
        ) as stepped
    ) as clocks
"""
ALARMS = """
    insert into alarm (clock, at, kind, step)
    select id, steps[step + 1],
           (case step when 3 then 'breach' else 'warning' end)::alarm_kind, step
    from clock order by id
"""
# Anywhere in the table: as where promises and calendars differ, and no page is shared.
SOON = """
    with chosen as materialized (
        select id from clock where due_at > now() + interval '10 h' and ended is null
        order by random() limit $2
    ), timed as (
        select id, $1::timestamptz + random() * $3::interval + $4::interval as due from chosen
    )
    update clock c
    set due_at = due, started_at = due - interval '72 h',
        step = case when $4 = interval '0' then 3 else 2 end,
        steps = array[due - interval '36 h', due - interval '18 h', due - $4::interval, due]
    from timed where c.id = timed.id
    returning c.id
"""
ALARMED = """
    update alarm a
    set at = c.steps[c.step + 1], step = c.step,
        kind = (case c.step when 3 then 'breach' else 'warning' end)::alarm_kind
    from clock c where c.id = any($1) and a.clock = c.id
"""
WAKE = "select pg_notify('replyby', 'watch')"
LATE = """
    select extract(epoch from pg_xact_commit_timestamp(n.xmin) - n.due_at + $2)::float8 * 1000
    from notice n join clock c on c.id = n.clock
    where c.id = any($1) and n.key = c.id || '/0/' || case when $2 = interval '0' then 4 else 3 end
"""
TOLD = """
    select count(*) as notices, count(distinct n.clock) as clocks, count(d.notice) as leave,
           count(d.sent_at) as sent
    from notice n left join dispatch d on d.notice = n.id
    where n.clock = any($1) and n.raised_at >= $2
"""
SENT = "update dispatch set sent_at = now() where sent_at is null"


class Burst(NamedTuple):
    """Clocks that become due: so many, spread over *over*, at the deadline or *ahead* of it."""

    clocks: int
    over: timedelta = timedelta(seconds=1)
    ahead: timedelta = timedelta(0)


class Told(NamedTuple):
    """What became of a burst: milliseconds from each instant to its notice, and what it cost.

    *daemon* and *server* are seconds of processor time until all was told; *sent* leave a second.
    """

    late: list[float]
    daemon: float
    server: float
    sent: float

    def at(self, share: float) -> float:
        """The lateness that this share of them keeps."""
        return self.late[min(len(self.late) - 1, int(share * len(self.late)))]


@dataclass(frozen=True, slots=True)
class Stage:
    """A running daemon, its database, and the processes that both are."""

    db: Connection[Record]
    daemon: psutil.Process
    address: Address

    async def told(self, burst: Burst) -> Told:
        """Let *burst* become due and wait until all of it is told, each once."""
        begin = utcnow() + LEAD
        rows = await self.db.fetch(SOON, begin, burst.clocks, burst.over, burst.ahead)
        ids = [row["id"] for row in rows]
        await self.db.execute(ALARMED, ids)
        await self.db.execute("checkpoint")
        await self.db.execute(WAKE)
        await until(begin - HALF)
        before = harness.cpu([self.daemon]), used(await harness.processes(self.address))
        await until(begin + burst.over + HALF)
        while (told := await self.outbox(ids, begin))["clocks"] < len(ids):  # noqa: ASYNC110  # another process tells
            await asyncio.sleep(0.25)
        server = used(await harness.processes(self.address))
        spent = (
            harness.cpu([self.daemon]) - before[0],
            sum(max(0.0, seconds - before[1].get(pid, 0.0)) for pid, seconds in server.items()),
        )
        sent = await self.sending(ids, begin)
        assert told["notices"] == told["leave"] == len(ids), told
        late = sorted(row[0] for row in await self.db.fetch(LATE, ids, burst.ahead))
        assert len(late) == len(ids)
        return Told(late, *spent, sent)

    async def outbox(self, ids: Sequence[int], begin: datetime) -> dict[str, int]:
        """How much of a burst is told and sent, by the names of `TOLD`."""
        return dict((await self.db.fetch(TOLD, ids, begin))[0])

    async def sending(self, ids: Sequence[int], begin: datetime) -> float:
        """How many leave a second now; the rest of the outbox is emptied."""
        before = await self.outbox(ids, begin)
        await asyncio.sleep(SENDING)
        after = await self.outbox(ids, begin)
        await self.db.execute(SENT)
        await asyncio.sleep(SETTLE)
        return (after["sent"] - before["sent"]) / SENDING


def used(processes: Sequence[psutil.Process]) -> dict[int, float]:
    """Seconds of processor time by process, of those that still run."""
    found: dict[int, float] = {}
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            found[process.pid] = harness.cpu([process])
    return found


async def until(at: datetime) -> None:
    await asyncio.sleep((at - utcnow()).total_seconds())


@asynccontextmanager
async def stage(server: Address, url: str, clocks: int) -> AsyncIterator[Stage]:
    """The daemon over a database with so many running clocks, whose accounts were read long ago."""
    address = await harness.database(server, f"clocks_{clocks}")
    os.environ |= {"BENCH_DSN": seller.dsn(address), "BENCH_KEY": "key-of-a-bench"}
    text = seller.settings(url, ACCOUNTS)
    connection = await store.connect(address, name="bench")
    try:
        with harness.directory() as place:
            with daemon.started(place, text):
                while await connection.fetchval(UNREAD):  # noqa: ASYNC110  # another process reads
                    await asyncio.sleep(0.1)
            await connection.execute(MONITORED)
            for statement in (THREADS, RUNNING):
                await connection.execute(statement, clocks, ACCOUNTS, timeout=SEEDING)
            await connection.execute(ALARMS, timeout=SEEDING)
            await connection.execute("vacuum analyze", timeout=SEEDING)
            with daemon.started(place, text) as started:
                await asyncio.sleep(SETTLE)
                yield Stage(connection, started.process, address)
    finally:
        await connection.close()


def shown(of: str, found: Sequence[Told], goal: str = "") -> None:
    print(f"\n{of}\n", flush=True)
    rows = [
        Row("notice after its instant, ms: p50", [told.at(0.5) for told in found]),
        Row("p99", [told.at(0.99) for told in found], goal),
        Row("latest", [told.late[-1] for told in found]),
        Row("daemon, CPU µs a notice", [told.daemon / len(told.late) * 1e6 for told in found]),
        Row("PostgreSQL, CPU µs a notice", [told.server / len(told.late) * 1e6 for told in found]),
        Row("sent a second afterwards", [told.sent for told in found]),
    ]
    harness.table(rows)


async def main(clocks: int, due: int, rounds: int) -> None:
    harness.heading("Deadlines")
    print(harness.machine())
    with quiet_market.opened() as url:
        async with harness.server() as server:
            async with stage(server, url, clocks) as on:
                told = [await on.told(Burst(due)) for _ in range(rounds)]
                shown(f"{clocks:,} running clocks, {due:,} due within 1 s", told, GOAL)
                if not QUICK:
                    await others(on, clocks, due, told)
            if not QUICK:
                await grown(server, url, clocks, due, told)


async def others(on: Stage, clocks: int, due: int, told: Sequence[Told]) -> None:
    """What is not the goal's: warnings, a closing time, and how it grows with what is due."""
    warned = [await on.told(Burst(due, ahead=WARNED))]
    shown(f"{clocks:,} running clocks, {due:,} warnings within 1 s", warned)
    closing = [await on.told(Burst(due, over=timedelta(0)))]
    shown(f"{clocks:,} running clocks, {due:,} due at one instant", closing)
    fewer, more = await on.told(Burst(due // 10)), await on.told(Burst(due * 10))
    grows("grows with what is due within 1 s", [[fewer], told, [more]])


async def grown(server: Address, url: str, clocks: int, due: int, told: Sequence[Told]) -> None:
    """How it grows with the running clocks."""
    found = []
    for size in (clocks // 10, clocks * 10) if MANY else (clocks // 10,):
        async with stage(server, url, size) as on:
            found.append([await on.told(Burst(due)) for _ in range(ROUNDS)])
    if MANY:
        grows("grows with the running clocks", [found[0], told, found[1]])
    else:
        shown(f"{clocks // 10:,} running clocks, {due:,} due within 1 s", found[0])


def grows(what: str, found: Sequence[Sequence[Told]]) -> None:
    def each(figure: Callable[[Told], float]) -> list[float]:
        return [median(map(figure, several)) for several in found]

    print()
    harness.growth([
        Growth("p50, ms", each(lambda told: told.at(0.5))),
        Growth("p99, ms", each(lambda told: told.at(0.99))),
        Growth("daemon, CPU µs a notice", each(lambda told: told.daemon / len(told.late) * 1e6)),
        Growth("PostgreSQL, the same", each(lambda told: told.server / len(told.late) * 1e6)),
    ], what)  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clocks", type=int, default=CLOCKS)
    parser.add_argument("--due", type=int, default=DUE)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    asyncio.run(main(given.clocks, given.due, given.rounds))
