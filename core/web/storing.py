"""Stores what was pushed: what comes while a transaction runs is stored together in the next.

So two hundred pushes a second cost as many transactions as the database manages, and each is
answered when its own is committed. A push that was stored before is not looked at again.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from core import ingest
from core.arrival import erasing, hearing
from core.errors import StoreGaveUp, StoreUnavailable
from core.model import merged
from core.reading import observe
from core.store import pushes, streams, transaction, wake

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from core.arrival.stored import Stored
    from core.metrics import Metrics
    from core.model import Page
    from core.pushes import Receipt
    from core.rules import Rules
    from core.store import Db, Pool

KEPT = timedelta(days=7)
"""So long it is remembered what was pushed. eBay sends again for a day at most
(developer.ebay.com/marketplace-account-deletion, read 2026-11-22)."""
MOST = 100
"""So many are stored together at most."""
GATHER = 0.02
"""Seconds for which the first of them waits for others."""
LANES = 6
"""So many transactions of messages at most run at a time: what they wait for is not ours. As few as
will do: one that stores much costs less than several that share it."""
ALONE = 2.0
ALL_ALONE = 8.0
"""Seconds for one by itself, and for all of a group: eBay waits for an answer, and sends again."""

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Taken:
    """A push to the address of *account* that is to be stored; *receipt* is what it holds."""

    connector: str
    account: str
    receipt: Receipt

    @property
    def accounts(self) -> frozenset[str]:
        """What it is about: pages that it brought, or that something is to be read there."""
        return self.receipt.wake.union(self.receipt.pages)

    @property
    def first(self) -> str:
        """The first account that it is about; the one to whose address it came where it says none.

        So what comes twice has one lane, while it is there.
        """
        return min(self.accounts, default=self.account)

    @property
    def key(self) -> _Key | None:
        """By what it is known again; None where the marketplace gives it no id."""
        pushed = self.receipt.pushed
        return None if pushed is None else (self.account, pushed.id)


@dataclass(frozen=True, slots=True)
class Means:
    """What storing needs; *woken* are the streams of an account that a push pulls forward."""

    pool: Callable[[], Pool | None]
    rules: Callable[[], Rules]
    metrics: Metrics
    now: Callable[[], datetime]
    sure: Callable[[], bool]
    woken: Callable[[str], Collection[str]]


class Storing:
    """Stores pushes in lanes side by side; what concerns one account has one lane at a time.

    It joins what just gathers. A lane that waits for the database keeps the accounts that it has,
    and no others. What is to be erased has a lane of its own: such notices come in bursts, and hold
    up no message.
    """

    def __init__(self, means: Means) -> None:
        self._lanes = [_Lane(means) for _ in range(LANES)]
        self._erasing = _Lane(means)

    async def put(self, taken: Taken) -> bool:
        """Store *taken* with whatever else waits; False where it was stored before.

        Raises:
            StoreUnavailable: it was not stored, and the marketplace is to send it again.
        """
        if taken.receipt.erase:
            return await self._erasing.put(taken)
        return await self._lane(taken.first).put(taken)

    def _lane(self, account: str) -> _Lane:
        """The one that has *account*; else one that gathers, else where least waits."""
        for lane in self._lanes:
            if lane.has(account):
                return lane
        return min(self._lanes, key=lambda lane: (not lane.gathers, lane.length))


class _Lane:
    """What waits to be stored, and who is answered when it is."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._lock = asyncio.Lock()
        self._waiting: dict[asyncio.Future[bool], Taken] = {}
        self._accounts: Counter[str] = Counter()
        self._gathers = False

    @property
    def gathers(self) -> bool:
        """Whether who comes now is stored with the next."""
        return self._gathers and self.length < MOST

    @property
    def length(self) -> int:
        """How many wait, those included that are just being stored."""
        return len(self._waiting)

    def has(self, account: str) -> bool:
        """Whether something waits here that is about *account* first."""
        return account in self._accounts

    async def put(self, taken: Taken) -> bool:
        """Store *taken*; whoever comes first stores for all who came meanwhile."""
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[stored] = taken
        self._accounts[taken.first] += 1
        try:
            async with self._lock:
                while not stored.done():
                    await self._gather()
                    await self._next()
        finally:
            self._leave(stored, taken)
        return stored.result()

    def _leave(self, stored: asyncio.Future[bool], taken: Taken) -> None:
        self._waiting.pop(stored, None)
        self._accounts[taken.first] -= 1
        if not self._accounts[taken.first]:
            del self._accounts[taken.first]
        stored.cancel()  # who was cut off wants no answer

    async def _gather(self) -> None:
        self._gathers = True
        try:
            await asyncio.sleep(GATHER)
        finally:
            self._gathers = False

    async def _next(self) -> None:
        """Store the next of those who wait; if a fault of one may end it, each of them by itself.

        Who is cut off in between leaves the others waiting for whoever comes next.
        """
        group = dict(list(self._waiting.items())[:MOST])
        try:
            _tell(group, await _twice(self._means, list(group.values())))
        except StoreGaveUp as fault:
            await self._briefly(group, fault)
        except StoreUnavailable as fault:
            _fail(group, fault)
        except Exception as fault:  # noqa: BLE001  # one push may not cost its neighbours
            if len(group) == 1:
                _fail(group, fault)
            else:
                await self._each(group)
        for one in group:
            self._waiting.pop(one, None)

    async def _each(self, group: Mapping[asyncio.Future[bool], Taken]) -> None:
        for one, taken in group.items():
            try:
                _tell({one: taken}, await _store(self._means, [taken]))
            except Exception as fault:  # noqa: BLE001  # likewise
                _fail([one], fault)

    async def _briefly(self, group: Mapping[asyncio.Future[bool], Taken], fault: Exception) -> None:
        """Each by itself while there is time: a database that gives up on all of them is away."""
        began = monotonic()
        for one, taken in group.items():
            if len(group) == 1 or monotonic() - began > ALL_ALONE:
                _fail([one], fault)
                continue
            try:
                async with asyncio.timeout(ALONE):
                    _tell({one: taken}, await _store(self._means, [taken]))
            except TimeoutError:
                _fail([one], fault)
            except Exception as own:  # noqa: BLE001  # one push may not cost its neighbours
                _fail([one], own)


def _tell(group: Mapping[asyncio.Future[bool], Taken], new: Sequence[bool]) -> None:
    for one, is_new in zip(group, new, strict=True):
        with suppress(asyncio.InvalidStateError):  # nobody waits for it any more
            one.set_result(is_new)


def _fail(group: Collection[asyncio.Future[bool]], fault: Exception) -> None:
    for one in group:
        with suppress(asyncio.InvalidStateError):
            one.set_exception(fault)


async def _twice(means: Means, group: Sequence[Taken]) -> list[bool]:
    """As `_store`; once more where it was given up for another's sake."""
    try:
        return await _store(means, group)
    except StoreGaveUp as fault:
        if not fault.for_another:
            raise
    return await _store(means, group)


async def _store(means: Means, group: Sequence[Taken]) -> list[bool]:
    """Store a group in one transaction, accounts in order; which of it was new.

    Raises:
        StoreUnavailable: nothing of it was stored.
    """
    rules, pool, now = means.rules(), means.pool(), means.now()
    if pool is None:
        raise StoreUnavailable("the database was not reached yet")
    stored: dict[str, Stored] = {}
    async with transaction(pool) as db:
        new = await _new(db, group, now)
        fresh = [taken for taken, is_new in zip(group, new, strict=True) if is_new]
        if pages := _pages(fresh):
            stored = await ingest.pages(db, rules, pages, now, sure=means.sure())
        if about := sorted({name for taken in fresh for name in taken.accounts}):
            await hearing.heard(db, rules, about, now, sure=means.sure())
        if asked := [request for taken in fresh for request in _erasures(taken)]:
            await erasing.ask_all(db, asked, now)
        await _wake(db, means, fresh, now)
    for account, told in stored.items():
        observe.page(means.metrics, rules, rules.accounts[account], told, "push")
    return new


def _erasures(taken: Taken) -> Iterator[erasing.Request]:
    """What *taken* asks to be erased, and where."""
    receipt = taken.receipt
    if receipt.erase:
        accounts: list[str | None] = [*sorted(receipt.erase_in)]
        for account in accounts or [None]:
            yield erasing.Request(taken.connector, receipt.pushed, receipt.erase, account)


async def _new(db: Db, group: Sequence[Taken], now: datetime) -> list[bool]:
    """Which of *group* were never stored, nor stand in it before."""
    named = [
        (*taken.key, taken.receipt.pushed.topic)
        for taken in group
        if taken.key is not None and taken.receipt.pushed is not None
    ]
    unknown = set(await pushes.note(db, named, now))
    new = []
    for taken in group:
        new.append(taken.key is None or taken.key in unknown)
        if taken.key is not None:
            unknown.discard(taken.key)
    return new


def _pages(group: Sequence[Taken]) -> dict[str, Page]:
    """What of *group* is to be stored, one page for each account."""
    pages: defaultdict[str, list[Page]] = defaultdict(list)
    for taken in group:
        for account, page in taken.receipt.pages.items():
            pages[account].append(page)
    return {account: of[0] if len(of) == 1 else merged(of) for account, of in pages.items()}


async def _wake(db: Db, means: Means, group: Sequence[Taken], now: datetime) -> None:
    """Pull the walks forward for which *group* asks; where one is just ending, the next will do."""
    accounts = sorted({account for taken in group for account in taken.receipt.wake})
    named: defaultdict[frozenset[str], list[str]] = defaultdict(list)
    for account in accounts:
        named[frozenset(means.woken(account))].append(account)
    pulled = 0
    for names, those in named.items():
        if names:
            pulled += await streams.pull_forward(db, dict.fromkeys(those, now), now, names)
    if pulled:
        await wake.send(db, "poll")
