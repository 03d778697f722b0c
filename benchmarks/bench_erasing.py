"""Erasing: a burst of notices about strangers, members of whom much is stored, and pages meanwhile.

A shop's threads with three messages each, 600 characters long, in PostgreSQL with fsync on. A burst
of notices names three ids each; nobody of them was ever here. Members have five threads each.
*Emptied* is from the request to the last thread without names; *looked through* is the sweep over
every text. A page of 50 new messages is stored with no digest, and with a month of them: its texts
are looked through only where they were written before somebody was erased. No word comes twice, but
for *user*, with which the names of many begin who were erased.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks import harness
from benchmarks.harness import QUICK, ROUNDS, Row
from core import ingest, store
from core.arrival import erasing
from core.loops import utcnow
from core.metrics import Metrics
from core.model import Account, Message, Page, Thread
from core.pushes import Member, Pushed
from core.routing import Route, Routing
from core.rules import Rules
from core.running import forgetting
from core.store import accounts, transaction
from core.store.accounts import Setup
from sla.policy import Party

if TYPE_CHECKING:
    from core.store import Pool

THREADS = 5_000 if QUICK else 100_000
STRANGERS = 500 if QUICK else 5_000
MEMBERS = 20
DIGESTS = 10_000 if QUICK else 900_000
ALIKE = 1_000 if QUICK else 45_000
"""So many were erased who are called *user-1*, *user-2* and so on."""
TOGETHER = 50
"""So many notices are stored in one transaction, as pushes are."""
PAGES = 20
SHOP = "shop"

SEED_THREADS = """
    insert into thread (account, id, kind, subject, buyer, reply_to, url, as_of)
    select $1, 'T' || n, 'message', 'Where is my order?', 'buyer-' || n / 5,
           jsonb_build_object('to', 'buyer-' || n / 5), 'https://shop.example/threads/' || n, now()
    from generate_series(1, $2::bigint) as n
"""
SEED_MESSAGES = """
    insert into message (account, id, thread, party, kind, addressed_to, origin, sent_at, seen_at,
                         body, hash)
    select $1, 'M' || n || '-' || m, 'T' || n, 'buyer', 'message', '{}', 'elsewhere',
           now() - interval '1 day', now(),
           (select string_agg(substr(md5((n * 7 + m * 3 + w)::text), 1, 5), ' ')
            from generate_series(1, 100) as w), 'x'
    from generate_series(1, $2::bigint) as n, generate_series(1, 3) as m
"""
SEED_DIGESTS = """
    insert into forgotten (digest, head, pieces, lead, tail, at)
    select decode(md5(n::text), 'hex'), substr(decode(md5((-n)::text), 'hex'), 1, 8), 1, 0, 0,
           now() - interval '1 hour'
    from generate_series(1, $1::bigint) as n
"""


@dataclass(slots=True)
class Seen:
    """The figures of all rounds."""

    asked: list[float] = field(default_factory=list)
    sought: list[float] = field(default_factory=list)
    emptied: list[float] = field(default_factory=list)
    swept: list[float] = field(default_factory=list)
    lag: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    fresh: list[float] = field(default_factory=list)
    screened: list[float] = field(default_factory=list)
    alike: list[float] = field(default_factory=list)


def rules() -> Rules:
    """One shop, and nobody who is told."""
    account = Account(
        name=SHOP, connector="ebay", marketplace="ebay", title="Shop", identity="shop"
    )
    return Rules({SHOP: account}, {}, Routing({"log": Route("log", (), fallback=True)}, {}))


async def seeded(pool: Pool) -> None:
    """Threads and messages that nobody asks about."""
    async with transaction(pool) as db:
        setup = Setup(rules().accounts[SHOP], (), "budget")
        await accounts.sync(db, [setup], utcnow() - timedelta(days=30))
        await db.execute(SEED_THREADS, SHOP, THREADS, timeout=600)
        await db.execute(SEED_MESSAGES, SHOP, THREADS, timeout=600)
    async with pool.acquire() as db:
        await db.execute("vacuum analyze thread, message", timeout=600)


async def asked(pool: Pool, names: list[str]) -> float:
    """Seconds for a burst of notices to be stored."""
    began = perf_counter()
    for first in range(0, len(names), TOGETHER):
        async with transaction(pool) as db:
            for name in names[first : first + TOGETHER]:
                ids = frozenset({name, f"uid{name}", f"AAAA{name}0000=="})
                push = Pushed(f"N-{name}", "MARKETPLACE_ACCOUNT_DELETION", utcnow())
                await erasing.ask(db, "ebay", push, [Member(ids)], utcnow())
    return perf_counter() - began


async def turned(pool: Pool, *, rests: bool) -> float:
    """Seconds of a round that seeks threads, and looks through texts unless it *rests*."""
    pace = forgetting.Pace()
    if rests:
        pace.took(3600.0)
    means = forgetting.Means(pool, rules(), Metrics(), lambda: None)
    began = perf_counter()
    await forgetting.once(means, pace, utcnow())
    return perf_counter() - began


async def lagging(seen: list[float]) -> None:
    """Write down, until cancelled, the milliseconds by which the event loop wakes this too late."""
    longest = 0.0
    try:
        while True:
            began = perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, perf_counter() - began - 0.005)
    finally:
        seen.append(longest * 1000)


async def swept(pool: Pool, seen: Seen) -> None:
    """A look through all texts, and how long the event loop stood still in it at most."""
    ticking = asyncio.create_task(lagging(seen.lag))
    seen.swept.append(await turned(pool, rests=False))
    ticking.cancel()
    await asyncio.wait([ticking])


async def remembered(pool: Pool) -> None:
    """A month of digests, and many of members who are called alike."""
    gone = [Member(frozenset({f"user-{n}"})) for n in range(ALIKE)]
    async with transaction(pool) as db:
        await db.execute("truncate forgotten")
        await db.execute(SEED_DIGESTS, DIGESTS, timeout=600)
        await erasing.ask(db, "ebay", None, gone, utcnow() - timedelta(hours=1))
        await db.execute("truncate erasure cascade")
    async with pool.acquire() as db:
        await db.execute("vacuum analyze forgotten", timeout=600)


async def paged(pool: Pool, what: str, age: timedelta = timedelta(0), word: str = "w") -> float:
    """Milliseconds for a page of 50 messages that are new to us, so old, and have this *word*."""
    took = 0.0
    for number in range(PAGES):
        id_, now = f"{what}-{number}", utcnow()
        messages = tuple(
            Message(id=f"{id_}-{n}", thread=id_, party=Party.BUYER, sent_at=now - age,
                    body=" ".join((word, *(f"w{n * 100 + w}" for w in range(100)))))
            for n in range(50)
        )  # fmt: skip
        page = Page(messages=messages, threads=(Thread(id=id_, as_of=now, buyer=f"n-{id_}"),))
        began = perf_counter()
        async with transaction(pool) as db:
            await ingest.page(db, rules(), SHOP, page, now, None)
        took += perf_counter() - began
    return took / PAGES * 1000


async def once(pool: Pool, number: int, seen: Seen) -> None:
    """One round of everything."""
    seen.plain.append(await paged(pool, f"plain-{number}"))
    strangers = [f"nobody-{number}-{n}" for n in range(STRANGERS)]
    seen.asked.append(STRANGERS / await asked(pool, strangers))
    seen.sought.append(await turned(pool, rests=True))
    await swept(pool, seen)
    first = number * MEMBERS
    await asked(pool, [f"buyer-{first + n + 1}" for n in range(MEMBERS)])
    seen.emptied.append(await turned(pool, rests=True))
    await turned(pool, rests=False)
    await remembered(pool)
    seen.fresh.append(await paged(pool, f"fresh-{number}"))
    seen.screened.append(await paged(pool, f"old-{number}", timedelta(hours=2)))
    seen.alike.append(await paged(pool, f"alike-{number}", timedelta(hours=2), "user-7 or user"))
    async with transaction(pool) as db:
        await db.execute("truncate forgotten")


async def main() -> None:
    """Print the table."""
    harness.heading("Erasing")
    print(f"{THREADS:,} threads, {3 * THREADS:,} messages; {STRANGERS:,} strangers; ")
    print(f"{MEMBERS} members with five threads each; {DIGESTS:,} digests.\n")
    seen = Seen()
    async with harness.server() as address:
        made = await harness.database(address, "erasing")
        pool = await store.open_pool(made)
        await seeded(pool)
        for number in range(ROUNDS):
            await once(pool, number, seen)
        await pool.close()
    messages = 3 * THREADS
    harness.table(
        [
            Row("notices about strangers stored, a second", seen.asked, ">= 400"),
            Row("their threads sought by the index, s", seen.sought, "<= 2"),
            Row("members' threads emptied, s", seen.emptied, "<= 2"),
            Row(
                "every text looked through, µs a message", [s / messages * 1e6 for s in seen.swept]
            ),
            Row("the event loop stood still meanwhile for at most, ms", seen.lag, "<= 100"),
            Row("a page of 50 messages without digests, ms", seen.plain),
            Row("the same with a month of digests, ms", seen.fresh),
            Row("the same, each written before somebody was erased, ms", seen.screened),
            Row(f"the same, with a word that {ALIKE:,} of their names begin with, ms", seen.alike),
        ]
    )


if __name__ == "__main__":
    asyncio.run(main())
