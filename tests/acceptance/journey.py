"""The whole journey on a bad day: a market with traffic, the daemon, who is told, and the accounts.

What counts at the end is what the stand-ins say, not what the daemon says: what the marketplace
holds is stored, whoever waits was told of, and nobody heard a thing twice.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import asyncpg

from core.store import pgcluster
from tests.acceptance import market
from tests.acceptance.beside import Beside
from tests.acceptance.receiver import received
from tests.acceptance.shop import shop_at
from tests.acceptance.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from connectors.mirakl.sandbox.server import Sandbox
    from tests.acceptance.postgres import Postgres
    from tests.acceptance.receiver import Receiver
    from tests.acceptance.shop import Shop

COUNTED = re.compile(
    r"^(replyby_(?:clocks_(?:started|closed|corrected)|replies_late)_total\{[^}]*\}) (\S+)$",
    re.MULTILINE,
)
UP = "replyby_database_up 1.0"
UNSETTLED = """
    select 'clocks to tell', count(*) from alarm where kind in ('warning', 'breach')
    union all
    select 'breaches to count', count(*) from clock
    where not history and due_at < now() and breached_at is null
      and (ended is null or ended = 'late')
    union all
    select 'dispatches to send', count(*) from dispatch
    where sent_at is null and suppressed is null and parked_reason is null
"""
# What was tried, and dropped before its sender could write what became of it, may have arrived.
UNSENT = """
    select n.key, d.digest, d.attempts, d.sent_at, d.suppressed
    from notice n join dispatch d on d.notice = n.id
    where d.notifier = 'hook' and (d.sent_at is not null) <> (coalesce(d.digest, n.key) = any($1))
      and not (d.suppressed is not null and d.attempts > 0)
"""
TOLD = """
    select distinct n.thread from notice n join dispatch d on d.notice = n.id
    where d.notifier = 'hook' and n.kind = 'breach' and coalesce(d.digest, n.key) = any($1)
"""
TALLY = "select result, sum(n)::int from tally group by result"
BREACHED = "select count(*) from clock where breached_at is not null"


@dataclass(slots=True, repr=False)
class Journey:
    """*address* is how the test reaches the database, past all that stands in between."""

    beside: Beside
    sandbox: Sandbox
    receiver: Receiver
    traffic: Traffic
    shop: Shop
    address: Callable[[], Mapping[str, Any]]

    def rows(self, query: str, *args: object) -> list[Sequence[Any]]:
        async def fetched() -> list[Sequence[Any]]:
            db = await asyncpg.connect(**self.address(), timeout=10, command_timeout=10)
            try:
                return [tuple(row) for row in await db.fetch(query, *args)]
            finally:
                await db.close()

        return self.beside.run(fetched())

    def value(self, query: str, *args: object) -> Any:
        return self.rows(query, *args)[0][0]

    def begin(self, seconds: float = 20) -> None:
        """Start daemon and traffic, and wait until something was told."""
        self.shop.start()
        self.go_on(seconds)

    def go_on(self, seconds: float = 20) -> None:
        """Start the traffic, and wait until something was told."""
        self.beside.run(self.traffic.start())
        self.shop.until(lambda: self.receiver.keys().total() > 5, seconds)

    def counters(self) -> dict[str, float]:
        """What was counted of clocks, by series; a scrape may find the database too slow."""
        text = ""
        while UP not in text:
            text = self.shop.get("/metrics")[1]
        return {series: float(value) for series, value in COUNTED.findall(text)}

    def seconds_until_told(self, limit: float) -> float:
        """How long until something is stored and told that was not before."""
        began, told = time.monotonic(), self.receiver.keys().total()
        stored = self.value("select count(*) from message")
        self.shop.until(lambda: self.receiver.keys().total() > told, limit)
        self.shop.until(lambda: self.value("select count(*) from message") > stored, limit)
        return time.monotonic() - began

    def settle(self, seconds: float = 30) -> None:
        """End the traffic, and wait until all is stored, told and counted.

        For so many *seconds* nothing may stand still: how much there is depends on the day.
        """
        self.beside.run(self.traffic.stop())
        end, before = time.monotonic() + seconds, {}
        while left := self.unsettled():
            if left != before:
                end, before = time.monotonic() + seconds, left
            assert time.monotonic() < end, f"{left}\n{self.shop.log()[-3000:]}"
            time.sleep(0.2)

    def unsettled(self) -> dict[str, int]:
        """What is still to be stored, told or counted, and how much of it."""
        unseen = len(market.messages(self.sandbox) - self.stored())
        left: dict[str, int] = dict(self.rows(UNSETTLED))
        return {what: n for what, n in {"messages to store": unseen, **left}.items() if n}

    def stored(self) -> set[str]:
        return {id_ for (id_,) in self.rows("select id from message")}

    def heard(self) -> dict[str, list[dict[str, Any]]]:
        """What each notifier brought to its reader, in the order of arrival."""
        return {"hook": list(self.receiver.told), "file": self.shop.notices()}

    def told_twice(self) -> dict[str, int]:
        """What was told more than once, and how often."""
        ids = {(told["key"], told["webhook_id"]) for told in self.receiver.told}
        assert len(ids) == len(self.receiver.keys()), "the same key leaves under the same id"
        return {key: n for key, n in self.receiver.keys().items() if n > 1}

    def agree(self, counted_before: Mapping[str, float]) -> None:
        """Hold what the stand-ins saw against what is stored."""
        assert self.stored() == market.messages(self.sandbox)
        received = list(self.receiver.keys())
        assert self.rows(UNSENT, received) == [], "sent is what was received"
        breached = {thread for (thread,) in self.rows(TOLD, received)}
        assert self.beside.run(self.traffic.waiting()) - breached == set(), "told, or in a digest"
        now = self.counters()
        assert [s for s, n in counted_before.items() if now.get(s, 0) < n] == []
        tally: Counter[str] = Counter(dict(self.rows(TALLY)))
        assert tally["breached"] - tally["corrected"] <= self.value(BREACHED) <= tally["breached"]


@contextmanager
def journey_at(
    place: Path,
    *,
    dsn: str = "embedded",
    server: Postgres | None = None,
    before: Sequence[str] = (),
    pause: float = 0.3,
    promise: str = "4s",
) -> Iterator[Journey]:
    """A market with two operators, a receiver and a shop whose daemon is not started yet.

    *server* is the database's own, where it is not the embedded one.
    """
    with ExitStack() as stack:
        beside = stack.enter_context(Beside())
        sandbox = beside.enter(market.opened("alpha", "beta"))
        receiver = beside.enter(received())
        settings = market.settings(sandbox, dsn=dsn, promise=promise)
        shop = stack.enter_context(shop_at(place, settings, before=before))
        shop.environ.update(market.environ(sandbox, receiver.url))
        traffic = Traffic(sandbox, pause)
        stack.callback(lambda: beside.run(traffic.stop()))
        reached = server.address if server else partial(embedded, place)
        yield Journey(beside, sandbox, receiver, traffic, shop, reached)


def home(place: Path) -> pgcluster.Home:
    """Where the embedded server of the shop at *place* lies."""
    return pgcluster.Home((place / "var" / "postgres").resolve())


def embedded(place: Path) -> Mapping[str, Any]:
    """How that server is reached, once it was made."""
    return {
        "host": str(home(place).cluster / "s"), "user": pgcluster.ROLE,
        "password": home(place).password.read_text(), "database": "postgres",
    }  # fmt: skip
