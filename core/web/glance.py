"""What every board says of the whole, looked up once for all boards: a few seconds old at most.

Who asks while it is looked up waits a moment, and else is shown what was known before.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING

from aiohttp import web

from core import labels
from core.errors import StoreUnavailable
from core.loops import cancelled
from core.measuring.facts import Snapshot
from core.store import board, people, stats, transaction
from core.web import troubles

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.access import Who
    from core.model import Account
    from core.web.troubles import Trouble
    from core.web.ways import Parts

FRESH = 3.0
"""Seconds that what was looked up is shown without looking again."""
FIRST = 2.0
"""Seconds that whoever asks waits for a look where nothing is known yet: after a start."""
PATIENCE = 0.3
"""Seconds that whoever asks waits for a look that is quick."""
REST = 3.0
"""Times that a look took, before the next may begin: a quarter of the time is spent with it."""
QUICK = 0.03
"""Seconds that a quick look takes: nobody is made to wait for a slow one, of many clocks."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many threads wait in the accounts that somebody sees, as of *age* seconds ago.

    By band (`core.labels.BANDS`) and by marketplace.
    """

    bands: Mapping[str, int]
    marketplaces: Mapping[str, int]
    age: float

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.bands.values())


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands above a queue. *counts* None: nothing was counted yet.

    *alone*: only one person is let in, who need claim nothing.
    """

    troubles: tuple[Trouble, ...]
    counts: Counts | None
    alone: bool


@dataclass(frozen=True, slots=True)
class _Known:
    snapshot: Snapshot = field(default_factory=Snapshot)
    faults: tuple[str, ...] = ()
    counts: board.Counts | None = None
    several: bool = True


class Glance:
    """Looks when somebody asks, at most every `FRESH` seconds.

    *counted_at* is when the count began that is shown, on the monotonic clock.
    """

    def __init__(self, parts: Parts) -> None:
        self.counted_at = 0.0
        self._parts = parts
        self._known = _Known()
        self._stale_at = self._took = 0.0
        self._looking: asyncio.Task[None] | None = None

    async def of(self, who: Who, now: datetime) -> Seen:
        """What there is to say to *who* at *now*."""
        await self._look()
        known, rules = self._known, self._parts.rules()
        seen = troubles.sighted(self._parts.metrics)
        return Seen(
            (
                *troubles.of_program(known.faults, sure=_is_sure(self._parts)),
                *troubles.of_accounts(rules, seen, known.snapshot, now, who),
            ),
            counted(known.counts, rules.accounts, who, now),
            not known.several,
        )

    async def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            await cancelled(self._looking)

    async def _look(self) -> None:
        if self._looking is None and monotonic() >= self._stale_at:
            self._looking = asyncio.create_task(self._once())
        looking = self._looking
        if looking is not None:
            await asyncio.wait({looking}, timeout=self._patience())
            if looking.done():
                looking.result()

    def _patience(self) -> float:
        """Seconds that a look is worth waiting for: most where nothing is known."""
        if self._known.counts is None:
            return FIRST
        return PATIENCE if self._took <= QUICK else 0.0

    async def _once(self) -> None:
        began, before = monotonic(), self._known.counts
        try:
            self._known = await _looked(self._parts, self._known)
            if self._known.counts is not before:
                self.counted_at = began
        finally:
            self._took = monotonic() - began
            self._stale_at = monotonic() + max(FRESH, REST * self._took)
            self._looking = None


GLANCE = web.AppKey("glance", Glance)


def attach(app: web.Application, parts: Parts) -> None:
    """Give *app* a glance, which ends with it."""
    app[GLANCE] = Glance(parts)
    app.on_cleanup.append(_closed)


async def _closed(app: web.Application) -> None:
    await app[GLANCE].close()


async def _looked(parts: Parts, before: _Known) -> _Known:
    """What is known now; where the database does not answer, what was known *before* it."""
    now = parts.now()
    known = replace(before, faults=tuple(await parts.watched.faults()))
    with suppress(StoreUnavailable):
        async with transaction(parts.pool()) as db:
            return replace(
                known,
                snapshot=await stats.snapshot(db, now),
                counts=await board.counts(db, now),
                several=len([one for one in await people.all_(db) if one.disabled_at is None]) != 1,
            )
    return known


def counted(
    counts: board.Counts | None, accounts: Mapping[str, Account], who: Who, now: datetime
) -> Counts | None:
    """*counts* of the accounts that *who* sees, by band and by marketplace; None: there are none.

    An account that has left the settings counts under no marketplace.
    """
    if counts is None:
        return None
    bands = dict.fromkeys(labels.BANDS, 0)
    marketplaces = {of.marketplace: 0 for name, of in accounts.items() if who.sees(name)}
    for name, numbers in counts.of(who.accounts).items():
        for band, n in zip(labels.BANDS, numbers, strict=True):
            bands[band] += n
        if name in accounts:
            marketplaces[accounts[name].marketplace] += sum(numbers)
    return Counts(bands, marketplaces, max(0.0, (now - counts.at).total_seconds()))


def _is_sure(parts: Parts) -> bool:
    """Whether this machine's clock is believed."""
    [family] = parts.metrics.clock_unsure.collect()
    return not any(sample.value for sample in family.samples)
