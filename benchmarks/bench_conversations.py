"""A mailbox of 170,000 conversations, of which few have changed: what a walk of these costs.

The product's own poll reads eBay's Message API from a stand-in in another process into a database
with fsync. Beside it the same mailbox is listed whole, without a conversation being read or stored:
the least that somebody pays who looks for changes in a list without a window.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from time import perf_counter, process_time
from typing import TYPE_CHECKING

import psutil

from benchmarks import full_mailbox, harness
from benchmarks.harness import QUICK, ROUNDS, SIZES, Growth, Row, growth, heading, table
from connectors.ebay import spec
from connectors.ebay.access import Access
from connectors.ebay.messages.payload import Conversations
from connectors.ebay.messages.reading import BASE, DETAIL, LIST
from connectors.ebay.messages.walking import AT_ONCE
from core import loops, poll
from core.connector import Transport
from core.metrics import Metrics
from core.model import Account
from core.reading.walk import Reader
from core.routing import Route, Routing
from core.rules import Rules
from core.store import accounts, open_pool, transaction
from core.store.accounts import Setup
from core.transport.http import Http, open_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from benchmarks.full_mailbox import Mailbox
    from core.store import Address

CONVERSATIONS = 17_000 if QUICK else 170_000
CHANGED = 10
EVER = "2000-01-01T00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took: calls to the Message API, seconds, processor seconds and MB of ours."""

    calls: int
    seconds: float
    cpu: float
    memory: float


class Calls:
    """Counts requests by operation."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def requested(self, operation: str, code: str, seconds: float) -> None:  # noqa: ARG002  # the observer's
        self.seen[operation] += code.startswith("2")

    def retried(self, reason: str) -> None: ...
    def dated(self, skew_seconds: float) -> None: ...


async def cost(calls: Calls, work: Callable[[], Awaitable[None]]) -> Cost:
    """What *work* costs."""
    process = psutil.Process()
    calls.seen.clear()
    held, begun, used = process.memory_info().rss, perf_counter(), process_time()
    await work()
    spent, burnt = perf_counter() - begun, process_time() - used
    grown = (process.memory_info().rss - held) / 2**20
    return Cost(calls.seen[LIST] + calls.seen[DETAIL], spent, burnt, max(0.0, grown))


@asynccontextmanager
async def account(mailbox: Mailbox, calls: Calls) -> AsyncIterator[tuple[Reader, Rules, Access]]:
    """An account that reads *mailbox*, and the bare calls of another."""
    options = spec.options.model_validate(mailbox.options)
    named = Account(
        name="shop", connector="ebay", marketplace="ebay-de", title="Shop", identity="shop"
    )
    routing = Routing({"all": Route("all", ("file",), fallback=True)}, {})
    rules = Rules({"shop": named}, {"shop": tuple(spec.policies(options))}, routing)
    async with open_session() as session:
        http = Http(session, calls)
        only = {one.name: one for one in spec.streams(options) if one.name == "messages"}
        reader = Reader(named, spec.open(options, Transport(http)), only, "shop")
        yield reader, rules, Access(options, http)


async def listed(access: Access, count: int) -> None:
    """Every page of the list of *count* conversations, of which no other one tells."""
    offset, total = 0, 1
    while offset < total:
        params = {
            "conversation_type": "FROM_MEMBERS", "start_time": EVER,
            "limit": str(AT_ONCE), "offset": str(offset),
        }  # fmt: skip
        page = await access.get_json(
            "api", f"{BASE}/conversation", Conversations, operation=LIST, params=params
        )
        total, offset = page.total or 0, offset + AT_ONCE
    assert total == count


@dataclass(frozen=True, slots=True)
class Seen:
    """Of a mailbox: the walks that found changes, those that found none, the whole lists."""

    changed: list[Cost]
    same: list[Cost]
    whole: list[Cost]


async def measured(address: Address, count: int, *, whole: bool) -> Seen:
    """Walks of a mailbox with *count* conversations."""
    made, calls, seen = await harness.database(address, "conversations"), Calls(), Seen([], [], [])
    pool = await open_pool(made)
    with full_mailbox.opened(count) as mailbox:
        async with account(mailbox, calls) as (reader, rules, access):
            async with transaction(pool) as db:
                setup = Setup(reader.account, tuple(reader.streams.values()), reader.budget)
                await accounts.sync(db, [setup], loops.utcnow())

            async def walk() -> None:
                told = await poll.account(pool, 1, reader, rules, Metrics(), loops.utcnow())
                assert told["messages"][0] == "success", told

            await walk()
            for done in range(1, ROUNDS + 1):
                mailbox.write(CHANGED)
                seen.changed.append(await cost(calls, walk))
                seen.same.append(await cost(calls, walk))
                stored = await pool.fetchval("select count(*) from thread")
                assert stored == done * CHANGED, stored
                if whole:
                    seen.whole.append(await cost(calls, partial(listed, access, count)))
    await pool.close()
    return seen


async def main() -> None:
    heading("Conversations")
    print(
        f"{CONVERSATIONS:,} conversations, of which {CHANGED} have changed since the last walk.\n"
    )
    async with harness.server() as address:
        seen = await measured(address, CONVERSATIONS, whole=True)
        pairs = list(zip(seen.whole, seen.changed, strict=True))
        table([
            Row("calls", [one.calls for one in seen.changed], f"<= {1 + CHANGED}"),
            Row("s", [one.seconds for one in seen.changed], "<= 1"),
            Row("processor time of ours, ms", [one.cpu * 1e3 for one in seen.changed]),
            Row("memory of ours, MB more", [one.memory for one in seen.changed], "<= 10"),
            Row("nothing changed: calls", [one.calls for one in seen.same], "<= 1"),
            Row("nothing changed: s", [one.seconds for one in seen.same]),
            Row("the whole list: calls", [one.calls for one in seen.whole]),
            Row("the whole list: s", [one.seconds for one in seen.whole]),
            Row("its calls for each of ours", [a.calls / b.calls for a, b in pairs], ">= 100"
                if not QUICK else ""),
            Row("its seconds for each of ours", [a.seconds / b.seconds for a, b in pairs]),
        ], "a walk")  # fmt: skip
        if QUICK:
            return
        sizes = [round(CONVERSATIONS * size) for size in SIZES]
        found = [seen.changed if n == CONVERSATIONS else
                 (await measured(address, n, whole=False)).changed for n in sizes]  # fmt: skip
    print()
    growth([
        Growth("calls", [min(one.calls for one in each) for each in found]),
        Growth("s", [min(one.seconds for one in each) for each in found]),
        Growth("processor time of ours, s", [min(one.cpu for one in each) for each in found]),
    ], "a walk, by conversations")  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main())
