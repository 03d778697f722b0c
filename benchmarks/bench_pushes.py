"""Pushes at a steady rate: from the instant at which each leaves to its committed clock; none lost.

The daemon as it is shipped, over a PostgreSQL with fsync. Its sellers share an application, whose
stand-in is another process: it signs and pushes each message, and keeps it in the mailbox, from
which the daemon's polls read it too, once a minute and account, as pushes ask for it and as eBay's
floor allows; a stand-in's own would be a second. Members were erased an hour ago, of whom no
message tells: so it is wherever deletions are told every day. First a few sellers, then many: what
is pushed to several of them at once is stored together. A push is acknowledged when the
clock that it starts is committed, so the acknowledgement is what is timed. It is due at its own
instant: one that waits for another counts what it waits.
"""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from statistics import quantiles
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import daemon, harness, pusher, seller
from benchmarks.harness import QUICK, Row, heading, table
from core import loops
from core.arrival import erasing
from core.pushes import Member

if TYPE_CHECKING:
    from benchmarks.daemon import Started
    from benchmarks.pusher import Pusher
    from core.store import Address, Db

SELLERS = (5, 20)
ERASED = 1000
RATE = 50 if QUICK else 200
SECONDS = 3.0 if QUICK else 60.0
WARM = 1.0 if QUICK else 5.0
SETTLED = 2.0
"""Seconds without the end of a walk after which the first ones are over."""
GOAL = "<= 200"
SECRETS = ("client_secret", "refresh_token")
ACCOUNT = """
[accounts.shop-{n}]
connector = "ebay"
policies = []
goals = ["ours"]
[accounts.shop-{n}.options]
client_id = "{client_id}"
client_secret = "env:BENCH_CLIENT_SECRET"
refresh_token = "env:BENCH_REFRESH_TOKEN_{n}"
seller = "{seller}"
poll_every = "20s"
hosts = {{ api = "{api}", apiz = "{apiz}", apim = "{apim}", auth = "{auth}" }}
push = {{ endpoint = "{endpoint}", verification_token = "env:BENCH_TOKEN" }}
"""
CLOCKED = """
    select count(*) from message m join clock c on c.account = m.account and c.thread = m.thread
    where m.party = 'buyer' and c.ended is null and m.id = any(c.members)
"""
FLOOR = "update stream set floor = interval '1 minute' where stream = 'messages'"
TWICE = "select count(*) - count(distinct (account, id)) from message"


class Found(NamedTuple):
    """Milliseconds of each push; *lost* were not acknowledged, *unclocked* have no clock."""

    took: list[float]
    lost: int
    unclocked: int
    polls: int
    daemon: float
    server: float
    pusher: float


def settings(accounts: list[dict[str, Any]], url: str) -> str:
    """The settings of the daemon; secrets stand in the environment."""
    port = url.rpartition(":")[2]
    text = seller.SETTINGS + f'\n[push]\nlisten = "127.0.0.1:{port}"\n'
    for n, options in enumerate(accounts):
        told = {**options, **options["hosts"], "endpoint": pusher.place(url), "n": n}
        text += ACCOUNT.format(**told)
        os.environ[f"BENCH_REFRESH_TOKEN_{n}"] = options["refresh_token"]
        os.environ["BENCH_CLIENT_SECRET"] = options["client_secret"]
    os.environ["BENCH_TOKEN"] = pusher.TOKEN
    return text


async def measured(sellers: int) -> Found:
    async with harness.server() as server:
        address = await harness.database(server, "pushes")
        os.environ["BENCH_DSN"] = seller.dsn(address)
        async with harness.connection(address) as db:
            await forget(db)
        with harness.directory() as path, pusher.opened(sellers) as by:
            url = f"http://127.0.0.1:{daemon.free_port()}"
            with daemon.started(path, settings(by.accounts, url)) as started:
                return await pushed(started, by, url, address)


async def forget(db: Db) -> None:
    """Members who were erased lately."""
    gone = [Member(frozenset({f"gone-{number}"})) for number in range(ERASED)]
    async with db.transaction():
        await erasing.ask(db, "ebay", None, gone, loops.utcnow() - timedelta(hours=1))


async def pushed(started: Started, by: Pusher, url: str, address: Address) -> Found:
    async with harness.connection(address) as db:
        await db.execute(FLOOR)
    await settled(started)
    warm, lost = by.push(url, RATE, WARM)
    before, server = polls(started), await harness.processes(address)
    parts = [started.process], server, [by.process]
    used = [harness.cpu(part) for part in parts]
    took, missed = by.push(url, RATE, SECONDS)
    spent = [harness.cpu(part) - now for part, now in zip(parts, used, strict=True)]
    after = polls(started)
    async with harness.connection(address) as db:
        clocked, twice = await db.fetchval(CLOCKED), await db.fetchval(TWICE)
    assert not twice
    sent = len(warm) + len(took) + lost + missed
    return Found(
        [seconds * 1000 for seconds in took], lost + missed, sent - clocked, after - before, *spent
    )


async def settled(started: Started) -> None:
    """Until every stream has been read for the first time."""
    known = -1
    while (now := polls(started)) != known:
        known = now
        await asyncio.sleep(SETTLED)


def polls(started: Started) -> int:
    """How many walks have ended well so far."""
    _, body = started.get("/metrics")
    lines = [line for line in body.decode().splitlines() if line.startswith("replyby_polls_total{")]
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines if 'outcome="success"' in line)


def main() -> None:
    heading("Pushes")
    print(f"{RATE} pushes a second for {SECONDS:g} s; {ERASED:,} members were erased.\n")
    for sellers in SELLERS:
        tell(sellers, asyncio.run(measured(sellers)))


def tell(sellers: int, found: Found) -> None:
    cuts = quantiles(found.took, n=1000)
    table(
        [
            Row("from leaving to the committed clock, ms, p50", [cuts[499]]),
            Row("p99", [cuts[989]], GOAL),
            Row("the longest", [max(found.took)]),
            Row("not acknowledged", [found.lost], "<= 0"),
            Row("without a clock", [found.unclocked], "<= 0"),
            Row("walks that ended meanwhile", [found.polls]),
            Row("CPU-s of the daemon", [found.daemon]),
            Row("CPU-s of PostgreSQL", [found.server]),
            Row("CPU-s of who pushes, and answers polls", [found.pusher]),
        ],
        f"to {sellers} sellers",
    )
    print(flush=True)


if __name__ == "__main__":
    main()
