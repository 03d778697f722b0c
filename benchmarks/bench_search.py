"""A search over 1,000,000 threads, and what was answered of them, by the pages of `bench_board`."""

from __future__ import annotations

import asyncio
from statistics import quantiles
from typing import TYPE_CHECKING

import aiohttp

from benchmarks import bench_board, harness
from benchmarks.bench_board import ACCOUNTS, CLOCKS, PAGE_GOAL, SPARSE
from benchmarks.harness import Row
from core.web import room

if TYPE_CHECKING:
    from core.store import Address, Db

# A third of the threads was answered before, over thirty days; some by the one who asks.
ENDED = """
    insert into clock (account, thread, promise, waits_for, metric, policy_version, members,
                       started_by, started_at, due_at, due_from, steps, kind, ended, stopped_at,
                       stopped_by)
    select 'account-' || n % $2::int, 'T' || n, 'ours-4h', 'buyer', 'first_reply', 1,
           array['A' || n], 'A' || n, at - interval '1 hour', at + interval '3 hours', 'policy',
           array[at + interval '3 hours'], 'message', 'met', at, 'R' || n
    from generate_series(1, $1::int, 3) n
    cross join lateral (
        select now() - ((n::bigint * 7919 % $1)::float8 / $1 * 30) * interval '1 day' as at
    ) answered
"""
REPLIED = """
    insert into reply (account, thread, body, addressed_to, state, next_try_at, queued_at,
                       message_id, written_by)
    select account, thread, 'Tomorrow.', '{buyer}', 'confirmed', 'infinity', stopped_at, stopped_by,
           'anna'
    from clock where ended is not null order by stopped_at desc limit 1000
"""
NAME = "select buyer from thread where id = $1"
LOOKED_FOR = {
    "an order": "?q=ORDER-{middle}",
    "an order, written otherwise": "?q=order+{middle}",
    "the first characters of an order of a thousand": "?q=ORDER-{few}",
    "a thread's id": "?q=T{middle}",
    "a buyer's names": "?q={name}",
    "the first letters of both": "?q={letters}",
    "a first name of a thousand": "?q={first}",
    "two letters": "?q={two}",
    "nobody": "?q=Quill+Zenobia",
    "answered": "?state=answered",
    "answered, one account": "?state=answered&account=account-7",
    "answered, an account of none": "?state=answered&account=nobody",
    "answered by me": "?state=answered&claimed=mine",
    "answered, the second page": "",
}


async def main() -> None:
    """Print the table."""
    room.widen()
    harness.heading(f"Searches over {CLOCKS:,} threads")
    settings = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
    async with harness.server(settings) as server:
        address = await harness.database(server, "search")
        async with harness.connection(address) as db:
            await fill(db)
        async with bench_board.served(address) as (base, pool):
            await searches(address, base, await bench_board.person(pool, "anna", 0))


async def fill(db: Db) -> None:
    """As many threads as are asked for, with their clocks."""
    await bench_board.fill(db)
    await db.execute(ENDED, CLOCKS, ACCOUNTS)
    await db.execute(REPLIED)
    await db.execute("vacuum analyze")


async def searches(address: Address, base: str, cookie: str) -> None:
    """Print how long each search takes, and each list of what was answered."""
    headers = {"Cookie": f"replyby={cookie}", "Accept-Encoding": "gzip"}
    async with harness.connection(address) as db:
        said = _said(await db.fetchval(NAME, f"T{CLOCKS // 2}"))
    rows = []
    async with aiohttp.ClientSession(headers=headers, auto_decompress=False) as session:
        for what, query in LOOKED_FOR.items():
            asked = query.format(**said)
            asked = asked or await bench_board.second(session, base, "?state=answered")
            url = f"{base}/{asked}"
            took = [1e3 * await bench_board.timed(session, url) for _ in range(SPARSE + 5)][5:]
            cut = quantiles(took, n=100)
            rows += [Row(f"{what}: p50", [cut[49]]), Row(f"{what}: p99", [cut[98]], PAGE_GOAL)]
    harness.table(rows, "ms, whole request")


def _said(name: str) -> dict[str, str]:
    """What is looked for, given the *name* of a buyer that there is."""
    middle, (first, last) = str(CLOCKS // 2), name.split()
    return {
        "middle": middle,
        "few": middle[:-3],
        "first": first,
        "name": f"{first}+{last}",
        "letters": f"{first[:3]}+{last[:3]}",
        "two": first[:2],
    }


if __name__ == "__main__":
    asyncio.run(main())
