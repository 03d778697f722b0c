"""One walk: all pages of one reading of a stream, fetched and stored under its lease.

The cursor moves with the last page only, unless the stream is ascending: a source that tells the
newest first loses messages otherwise. A walk that breaks off begins again at the old cursor.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from core import ingest
from core.arrival.stored import Stored
from core.errors import BadPayload, LeaseLost, StoreUnavailable, Unreachable
from core.ingest import LEASE
from core.model import Page, merged
from core.reading import observe
from core.reading.ending import Endings
from core.store import statement, streams, transaction
from core.store.streams import Finished
from core.timelimit import TimeLimit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from core.connector import Connector
    from core.metrics import Metrics
    from core.model import Account, Stream
    from core.rules import Rules
    from core.store import Db, Pool
    from core.store.streams import Lease

LIMIT = 60.0
"""Seconds for one page: below the lease, so that nobody else begins while we still read."""
RENEW_AFTER = 20.0
FULL, HEAVY, OLD = 1000, 8 * 2**20, 5.0
"""A pile of pages is stored at so many messages, characters, seconds."""
FEW = 100
"""So many messages are looked for before a transaction is begun for them."""
JITTER = 0.05
NOTHING = Stored()


@dataclass(frozen=True, slots=True)
class Reader:
    """An account that this process can read: by which connector, which streams, whose budget.

    *replaced* is set once other settings have taken its place: what it began goes on. *looking* is
    held by who takes a last look: others wait for what that finds.
    """

    account: Account
    connector: Connector
    streams: Mapping[str, Stream]
    budget: str
    replaced: asyncio.Event = field(default_factory=asyncio.Event, compare=False)
    looking: asyncio.Lock = field(default_factory=asyncio.Lock, compare=False)


@dataclass(frozen=True, slots=True)
class Round:
    """What the walks of one round share; *clock* says what the time is.

    *failing* are the streams (account, name) of which this process has said that they cannot be
    read: it says so once, also of what could not be read before it began.
    """

    pool: Pool
    rules: Rules
    metrics: Metrics
    clock: Callable[[], datetime]
    sure: bool
    endings: Endings = field(default_factory=Endings)
    limit: TimeLimit = field(default_factory=lambda: TimeLimit(LIMIT))
    failing: set[tuple[str, str]] = field(default_factory=set)


@dataclass(slots=True)
class Walk:
    """A reading so far: *begun* by the host's clock, the other instants monotonic."""

    lease: Lease
    reader: Reader
    stream: Stream
    begun: datetime
    began: float = field(default_factory=monotonic)
    held_at: float = field(default_factory=monotonic)
    pages: int = 0
    stored: Stored = NOTHING
    has_incomplete: bool = False
    _pile: list[Page] = field(default_factory=list)
    _piled_at: float = 0.0
    _messages: int = 0
    _characters: int = 0

    def add(self, page: Page) -> None:
        """Put *page* on the pile of what is not stored yet."""
        if not self._pile:
            self._piled_at = monotonic()
        self._pile.append(page)
        self.pages += 1
        if page.messages:
            self._messages += len(page.messages)
            self._characters += sum([len(message.body) for message in page.messages])
        if page.threads:
            self.has_incomplete = self.has_incomplete or any(t.incomplete for t in page.threads)

    @property
    def has_pile(self) -> bool:
        """Whether there are pages that are not stored yet."""
        return bool(self._pile)

    @property
    def has_news(self) -> bool:
        """Whether there is something on them."""
        return any(
            page.messages
            or page.threads
            or page.given
            or page.set_aside
            or page.published
            or page.pushes is not None
            or page.verdicts
            or page.links
            for page in self._pile
        )

    def is_to_be_stored(self) -> bool:
        """Whether the pile is worth a transaction, or has waited long enough."""
        return (
            self._messages >= FULL
            or self._characters >= HEAVY
            or monotonic() - self._piled_at >= OLD
        )

    @property
    def few(self) -> Page | None:
        """The only page, where it is small and was to be expected: what an overlap brings again."""
        was_read = self.lease.cursor is not None and self.pages == len(self._pile) == 1
        return self._pile[0] if was_read and self._messages <= FEW else None

    def take(self) -> Page:
        """The pile as one page; it is empty afterwards."""
        pile, self._pile = self._pile, []
        self._messages = self._characters = 0
        return pile[0] if len(pile) == 1 else merged(pile)

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return monotonic() - self.began


async def read(this: Round, walk: Walk) -> None:
    """Fetch and store page after page; the last transaction also gives the stream back.

    Where nothing is left to be stored, other walks that end like this share it.

    Raises:
        ConnectorError: the walk broke off; what was read before is stored, the cursor has not
            moved.
        LeaseLost: another worker reads the stream.
        StoreUnavailable: the database went away.
    """
    try:
        cursor = await _to_the_end(this, walk)
    except (LeaseLost, StoreUnavailable):
        raise
    except Exception:
        if walk.has_pile:
            await _store(this, walk, None)
        raise
    finished = Finished(walk.lease, cursor, walk.begun, this.clock(), wait(walk))
    known = await _unchanged(this, walk) if walk.has_news else NOTHING
    if known is not None:
        await this.endings.finish(this.pool, finished)
        _count(this, walk, known)
        return
    async with transaction(this.pool) as db:
        stored = await _ingest(db, this, walk)
        await streams.finish(db, finished)
    _count(this, walk, stored)


async def _unchanged(this: Round, walk: Walk) -> Stored | None:
    """What was read, where it is stored already: nothing but the stream is to be written then."""
    page = walk.few
    if page is None:
        return None
    async with statement(this.pool) as db:
        return await ingest.unchanged(db, walk.lease.account, page)


async def _to_the_end(this: Round, walk: Walk) -> str | None:
    """Fetch every page; the last ones are still on the pile. The cursor of the last page."""
    position: str | None = None
    while True:
        page = await _fetch(this, walk, position)
        walk.add(page)
        if not page.more:
            return page.cursor
        if page.position is None or page.position == position:
            raise BadPayload("the walk does not go on: its next page is the same")
        position = page.position
        if walk.stream.ascending or walk.is_to_be_stored():
            await _store(this, walk, page.cursor)


def wait(walk: Walk) -> timedelta:
    """How long until the next walk: a walk begins `every` so often, spread by a little."""
    spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # spreads walks, guards nothing
    return max(timedelta(0), walk.stream.every * spread - timedelta(seconds=walk.seconds))


async def in_time(this: Round, page: Awaitable[Page]) -> Page:
    """*page*, or a marketplace that does not answer where it does not come in time.

    Raises:
        Unreachable: the time is over.
    """
    try:
        return await this.limit.of(page)
    except TimeoutError as late:
        raise Unreachable("no answer within the time limit", detail="timeout") from late


async def _fetch(this: Round, walk: Walk, position: str | None) -> Page:
    if monotonic() - walk.held_at > RENEW_AFTER:
        async with transaction(this.pool) as db:
            await streams.hold(db, walk.lease, LEASE)
        walk.held_at = monotonic()
    fetch = walk.reader.connector.fetch
    return await in_time(this, fetch(walk.stream.name, walk.lease.cursor, position, walk.begun))


async def _store(this: Round, walk: Walk, cursor: str | None) -> None:
    async with transaction(this.pool) as db:
        stored = await _ingest(db, this, walk)
        if walk.stream.ascending and cursor is not None:
            await streams.advance(db, walk.lease, cursor)
    walk.held_at = monotonic()
    _count(this, walk, stored)


async def _ingest(db: Db, this: Round, walk: Walk) -> Stored:
    has_news, page = walk.has_news, walk.take()
    if not has_news:
        return NOTHING
    return await ingest.page(
        db, this.rules, walk.lease.account, page, this.clock(), walk.lease, sure=this.sure
    )


def _count(this: Round, walk: Walk, stored: Stored) -> None:
    """Show what was stored, once it is committed; the walk keeps only numbers of it."""
    if stored is NOTHING:
        return
    observe.page(this.metrics, this.rules, walk.reader.account, stored, "item")
    aside = tuple(replace(item, raw=b"") for item in stored.aside)
    walk.stored += replace(stored, delays=(), replied=(), acknowledged=(), aside=aside)
