"""The webstore's pushes at a steady rate, over HTTP with keep-alive: every one is stored once.

The daemon as it is shipped, over a PostgreSQL with fsync, with accounts of several kinds:
Chatwoot (signed with its instant), Twilio (a signed form) and WhatsApp (a signed envelope). Their
stand-ins are another process, from which the daemon's polls read the same messages once a minute,
as pushes ask for it. A push is acknowledged when it is committed, so its acknowledgement is what is
timed; it is due at its own instant: one that waits for another counts what it waits. Afterwards
each message that was pushed stands in the database once, and in a running clock. First all kinds,
then WhatsApp alone: its pushes carry verdicts, so that each account is stored by itself. How many
rows one plain connection inserts, each in a transaction of its own, says what the disk allows.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import contextmanager, suppress
from statistics import quantiles
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil

from benchmarks import daemon, harness, seller
from benchmarks.bench_pushes import TWICE, polls, settled
from benchmarks.harness import QUICK, Row, heading, table
from benchmarks.pusher import Pusher, process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.daemon import Started
    from core.store import Address

MIXES = {
    "all": {"chatwoot": 3, "twilio": 3, "whatsapp": 3},
    "whatsapp": {"whatsapp": 3},
}
RATE = 100 if QUICK else 500
SECONDS = 3.0 if QUICK else 60.0
WARM = 1.0 if QUICK else 3.0
PLAIN = 2.0
"""Seconds for which plain rows are inserted."""
PATIENCE = 5.0
"""Seconds for which Chatwoot waits for an answer: nobody waits less."""
FLOOR = "update stream set floor = interval '1 minute'"
CLOCKED = """
    select count(distinct (m.account, m.id)) from message m
    join clock c on c.account = m.account and c.thread = m.thread
    where m.party = 'buyer' and c.ended is null and m.id = any(c.members)
"""
STORED = "select account, id from message where party = 'buyer'"
SECRETS = frozenset({"secret", "api_token", "auth_token", "access_token", "app_secret",
                     "verify_token"})  # fmt: skip
ACCOUNT = """
[accounts.{name}]
connector = "webstore"
shop = "bench"
[accounts.{name}.options]
{options}
"""


class Webpusher(Pusher):
    """The process of the stand-ins, seen from the benchmark; *pushed* are ids that it sent."""

    accounts: Any
    pushed: set[tuple[str, str]]

    def push(self, url: str, rate: int, seconds: float) -> tuple[list[float], int]:
        """Push; the seconds that each took, and how many were not acknowledged."""
        told = self.tell(url, rate, seconds)
        self.pushed |= {(account, id_) for account, id_ in told["ids"]}
        return told["took"], told["lost"]


class Found(NamedTuple):
    """Milliseconds of each push; what went wrong, and what it cost in seconds of a processor."""

    took: list[float]
    lost: int
    missing: int
    unclocked: int
    polls: int
    seconds: float
    daemon: float
    server: float
    pusher: float
    plain: float

    @property
    def rate(self) -> float:
        """Acknowledged a second, until the last was."""
        return len(self.took) / self.seconds


@contextmanager
def opened(mix: Mapping[str, int]) -> Iterator[Webpusher]:
    """So many accounts of each kind."""
    words = [f"{word}={count}" for word, count in mix.items()]
    with process("benchmarks.webpusher", *words, of=Webpusher) as by:
        by.pushed = set()
        yield by


def settings(accounts: Mapping[str, Mapping[str, Any]], url: str) -> str:
    """The settings of the daemon; secrets stand in the environment."""
    port = url.rpartition(":")[2]
    text = seller.SETTINGS + f'\n[push]\nlisten = "127.0.0.1:{port}"\n'
    for name, options in accounts.items():
        place = {"endpoint": f"{url}/push/webstore/{name}"}
        push = {"push": options["push"] | place} if "push" in options else place
        lines = [f"{key} = {_toml(name, key, of)}" for key, of in {**options, **push}.items()]
        text += ACCOUNT.format(name=name, options="\n".join(lines))
    return text


def _toml(account: str, key: str, value: object) -> str:
    if isinstance(value, dict):
        told = (f"{each} = {_toml(account, each, of)}" for each, of in value.items())
        return f"{{ {', '.join(told)} }}"
    if key in SECRETS:
        variable = f"BENCH_{account}_{key}".upper().replace("-", "_")
        os.environ[variable] = str(value)
        value = f"env:{variable}"
    return json.dumps(value)


async def measured(mix: Mapping[str, int]) -> Found:
    async with harness.server() as server:
        address = await harness.database(server, "webhooks")
        os.environ["BENCH_DSN"] = seller.dsn(address)
        with harness.directory() as path, opened(mix) as by:
            url = f"http://127.0.0.1:{daemon.free_port()}"
            with daemon.started(path, settings(by.accounts, url)) as started:
                return await pushed(started, by, url, address)


async def pushed(started: Started, by: Webpusher, url: str, address: Address) -> Found:
    async with harness.connection(address) as db:
        await db.execute(FLOOR)
    await settled(started)
    _, lost = by.push(url, RATE, WARM)
    before, theirs = polls(started), await servers(address)
    ours, pushers = harness.cpu([started.process]), harness.cpu([by.process])
    took, missed = by.push(url, RATE, SECONDS)
    ours, pushers = harness.cpu([started.process]) - ours, harness.cpu([by.process]) - pushers
    theirs = await servers(address) - theirs
    after = polls(started)
    async with harness.connection(address) as db:
        stored = {(row["account"], row["id"]) for row in await db.fetch(STORED)}
        clocked, twice = await db.fetchval(CLOCKED), await db.fetchval(TWICE)
    assert not twice
    latest = max(n / RATE + each for n, each in enumerate(took))
    return Found(
        [each * 1000 for each in took], lost + missed, len(by.pushed - stored),
        len(stored) - clocked, after - before, latest, ours, theirs, pushers,
        await plain(address),
    )  # fmt: skip


async def servers(address: Address) -> float:
    """Seconds of a processor that the server has used: some of its processes begin, some end."""
    found = 0.0
    for one in await harness.processes(address):
        with suppress(psutil.NoSuchProcess):
            told = one.cpu_times()
            found += told.user + told.system + told.children_user + told.children_system
    return found


async def plain(address: Address) -> float:
    """Rows a second that one connection inserts, each in a transaction of its own."""
    async with harness.connection(address) as db:
        await db.execute("create table plain (id bigserial primary key, body text)")
        insert, count = await db.prepare("insert into plain (body) values ($1)"), 0
        begun = perf_counter()
        while perf_counter() - begun < PLAIN:
            await insert.fetch("x" * 100)
            count += 1
        return count / (perf_counter() - begun)


def main() -> None:
    heading("Webhooks")
    print(f"{RATE} pushes a second for {SECONDS:g} s.\n")
    for word in sys.argv[1:] or MIXES:
        tell(MIXES[word], asyncio.run(measured(MIXES[word])))


def tell(mix: Mapping[str, int], found: Found) -> None:
    cuts = quantiles(found.took, n=1000)
    p99 = cuts[989]
    table(
        [
            Row("acknowledged, of what was asked for in that time", [found.rate / RATE], ">= 0.99"),
            Row("not acknowledged", [found.lost], "<= 0"),
            Row("not stored", [found.missing], "<= 0"),
            Row("stored without a clock", [found.unclocked], "<= 0"),
            Row("from leaving to the commit, ms, p50", [cuts[499]]),
            Row("p99", [p99]),
            Row("p99 in the 5 s that Chatwoot waits", [p99 / 1000 / PATIENCE], "<= 0.1"),
            Row("the longest", [max(found.took)]),
            Row("the rate in that of plain inserts of one connection", [RATE / found.plain]),
            Row("walks that ended meanwhile", [found.polls]),
            Row("CPU-s of the daemon", [found.daemon]),
            Row("CPU-s of PostgreSQL", [found.server]),
            Row("CPU-s of who pushes, and answers polls", [found.pusher]),
        ],
        ", ".join(f"{count} {word}" for word, count in mix.items()),
    )
    print(flush=True)


if __name__ == "__main__":
    main()
