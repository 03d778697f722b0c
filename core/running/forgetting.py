"""Erases members who are to be erased: their threads at once, then every text that names one.

What is on its way meanwhile is stopped where it is stored (`core.arrival.screening`), so that what
was looked through stays clear of them.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from core import ingest
from core.arrival import erasing, judging, refusals
from core.arrival.naming import Names
from core.running import clearing
from core.stopwatch import running_from
from core.store import (
    accounts,
    enclosures,
    erased,
    erasures,
    forgotten,
    notices,
    replies,
    statement,
    traces,
    transaction,
)
from core.told import NAMES_ERASED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from core.metrics import Metrics
    from core.rules import Rules
    from core.store import Db, Pool
    from core.store.erasures import Request
    from core.store.forgotten import Digests

BATCH = 5_000
"""So many requests are looked for together at most."""
AT_ONCE = 50
"""So many threads are emptied in one transaction."""
REST = 20
"""Texts are looked through for a twentieth of the time at most: whoever is asked for meanwhile is
looked for with the others. Threads are emptied at once."""
RENEW = erasures.LEASE.total_seconds() / 3

log = structlog.get_logger()


@dataclass(slots=True)
class Pace:
    """When this process may look through all texts again, by the monotonic clock."""

    again: float = 0.0

    @property
    def wait(self) -> float:
        """Seconds until then."""
        return max(0.0, self.again - monotonic())

    def took(self, seconds: float) -> None:
        """It was done just now, and took so long."""
        self.again = monotonic() + REST * seconds


@dataclass(frozen=True, slots=True)
class Means:
    """What erasing needs; *beat* says that a long round turns."""

    pool: Pool
    rules: Rules
    metrics: Metrics
    beat: Callable[[], None]


@dataclass(slots=True)
class _Round:
    """One round: *wanted* are, by account, the ids and the requests that name each.

    *known* are requests about members who had a thread here.
    """

    means: Means
    clock: Callable[[], datetime]
    sure: bool
    requests: list[Request] = field(repr=False)
    wanted: dict[str, dict[str, set[int]]] = field(default_factory=dict, repr=False)
    known: set[int] = field(default_factory=set)
    renewed: float = field(default_factory=monotonic)

    @property
    def ids(self) -> list[int]:
        """The requests' own."""
        return [one.id for one in self.requests]

    @property
    def pool(self) -> Pool:
        """The database."""
        return self.means.pool

    def by_request(self, account: str, named: Iterable[frozenset[str]]) -> Counter[int]:
        """How many rows named members of each request."""
        found: Counter[int] = Counter()
        for ids in named:
            found.update(set().union(*(self.wanted[account][id_] for id_ in ids)))
        return found

    async def empty(self, account: str, owned: dict[str, frozenset[str]]) -> None:
        """Empty threads, by the ids that they are of, and end what runs for these.

        That there were threads is kept with that: wherever this breaks off, the rest of it is done
        for members who are known.
        """
        ids = sorted(owned)
        for first in range(0, len(ids), AT_ONCE):
            part, now = ids[first : first + AT_ONCE], self.clock()
            found = self.by_request(account, (owned[thread] for thread in part))
            async with transaction(self.pool) as db:
                await accounts.watched_since(db, account, share=True)
                await judging.lock(db, self.means.rules, account, part)
                await erasing.empty(db, self.means.rules, account, part, now)
                await ingest.recompute(db, self.means.rules, account, part, now, sure=self.sure)
                await erasures.count(db, found, {})
                await forgotten.know(db, await self.digests(db, found))
            self.known.update(found)
            self.means.metrics.erased_rows.labels("thread").inc(found.total())
            await self.renew()

    async def digests(self, db: Db, requests: Collection[int]) -> dict[bytes, set[int]]:
        """The digests of all ids of these *requests*, with those that name each."""
        asked = [one for one in self.requests if one.id in requests]
        made = {name: await forgotten.digests(db, name) for name in {o.connector for o in asked}}
        return await asyncio.to_thread(_digests, made, asked)

    def names(self, account: str) -> Names:
        """Who is looked for in texts of *account*, as far as it is known who is a stranger."""
        wanted = self.wanted[account]
        ours = {id_ for id_, those in wanted.items() if those & self.known}
        return Names(ours, wanted.keys() - ours)

    async def cleared(self, db: Db, account: str, named: Iterable[frozenset[str]]) -> None:
        """Rows of *account* that named these ids do so no more."""
        found = self.by_request(account, named)
        await erasures.count(db, {}, found)
        self.means.metrics.erased_rows.labels("text").inc(found.total())

    async def kept_back(self, db: Db, account: str, refused: Collection[int]) -> None:
        """Tell whoever wrote these replies to others that they did not leave, and why."""
        told = []
        for number in refused:
            if (reply := await replies.of(db, number)) is not None:
                message = f"reply:{number}"
                told.append(await refusals.notice(db, reply, message, NAMES_ERASED, self.clock()))
                await enclosures.drop(db, number)
        await notices.raise_(db, self.means.rules, told)
        if told:
            log.info("replies kept back", account=account, replies=len(told))

    async def renew(self) -> None:
        """Keep the requests while they are worked on."""
        self.means.beat()
        if monotonic() - self.renewed > RENEW:
            async with statement(self.pool) as db:
                await erasures.renew(db, self.ids)
            self.renewed = monotonic()


async def once(
    means: Means, pace: Pace, now: datetime, *, sure: bool = True, most: int = BATCH
) -> datetime | None:
    """Erase whoever is to be erased, *most* at once.

    Returns:
        When to look again; None where nobody waits any more.

    Raises:
        StoreUnavailable: the database went away; what was done is done, and the rest is later.
    """
    async with statement(means.pool) as db:
        requests = await erasures.claim(db, most)
    this = _Round(means, running_from(now), sure, requests)
    this.known.update(one.id for one in requests if one.is_known)
    try:
        again = await _work(this, pace) if requests else None
        more = len(requests) == most and all(map(_is_new, requests))
        return this.clock() if more else again
    finally:
        async with statement(means.pool) as db:
            await erasures.release(db, this.ids)
            _, oldest = await erasures.waiting(db)
        means.metrics.erasure_oldest_asked.set(oldest.timestamp() if oldest else 0)


async def _work(this: _Round, pace: Pace) -> datetime | None:
    await _assign(this)
    await _seek(this)
    if pace.wait:
        return this.clock() + timedelta(seconds=pace.wait)
    began = monotonic()
    for account, wanted in sorted(this.wanted.items()):
        names = await asyncio.to_thread(Names, wanted)
        await clearing.threads_of(this.pool, account, names, this, this.clock)
    await _recall(this)
    for account in sorted(this.wanted):
        names = await asyncio.to_thread(this.names, account)
        await clearing.texts_of(this.pool, account, names, this, this.clock)
    pace.took(monotonic() - began)
    await _settle(this)
    return None


async def _recall(this: _Round) -> None:
    """Learn of whom there was a thread before they were asked for again.

    Pages that did not know it of somebody yet are stored afterwards.
    """
    async with statement(this.pool) as db:
        whose = await this.digests(db, this.ids)
        known = await forgotten.are_known(db, whose)
    this.known.update(*(whose[digest] for digest in known))
    if this.known:
        await _await_pages(this)


def _digests(made: Mapping[str, Digests], requests: Iterable[Request]) -> dict[bytes, set[int]]:
    found: defaultdict[bytes, set[int]] = defaultdict(set)
    for one in requests:
        for id_ in one.ids:
            found[made[one.connector].of(id_)].add(one.id)
    return found


def _is_new(request: Request) -> bool:
    """Whether its threads were not sought before this round."""
    return request.sought_at is None


async def _assign(this: _Round) -> None:
    """Find in which accounts each is looked for."""
    scopes: defaultdict[tuple[str, str | None], list[Request]] = defaultdict(list)
    for request in this.requests:
        scopes[request.connector, request.account].append(request)
    async with statement(this.pool) as db:
        for scope, those in scopes.items():
            for account in await erasures.accounts(db, *scope):
                wanted = this.wanted.setdefault(account, {})
                for request in those:
                    for id_ in request.ids:
                        wanted.setdefault(id_, set()).add(request.id)


async def _seek(this: _Round) -> None:
    """Empty the threads of members who were not looked for before; they are found by an index."""
    fresh = [one for one in this.requests if _is_new(one)]
    if not fresh:
        return
    await _await_pages(this)
    async with statement(this.pool) as db:
        rows = await erased.owned(db, list(this.wanted), {id_ for one in fresh for id_ in one.ids})
    names = {
        account: await asyncio.to_thread(Names, wanted) for account, wanted in this.wanted.items()
    }
    found: defaultdict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    for _, account, thread, buyer in rows:
        if (id_ := names[account].same(buyer)) is not None:
            found[account][thread] = frozenset({id_})
    for account, owned in found.items():
        await this.empty(account, owned)
        log.info("threads erased", account=account, threads=len(owned))
    async with statement(this.pool) as db:
        await erasures.sought(db, [one.id for one in fresh], this.clock())


async def _await_pages(this: _Round) -> None:
    """Wait until every page is stored that may have been looked through before this was asked.

    Account by account: while one waits, no other is held.
    """
    for account in sorted(this.wanted):
        async with transaction(this.pool) as db:
            await erasures.await_shared(db, account)
        async with transaction(this.pool) as db:
            await erasures.await_leased(db, account)


async def _settle(this: _Round) -> None:
    """Write down that it is done; the ids go."""
    async with statement(this.pool) as db:
        something = await erasures.came_to_something(db, this.ids)
    if something:
        async with transaction(this.pool) as db:
            await traces.forget_samples(db)
    async with transaction(this.pool) as db:
        await erasures.done(db, this.ids, this.clock())
    this.means.metrics.erasures.inc(len(this.requests))
    log.info("members erased", requests=len(this.requests))
