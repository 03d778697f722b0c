"""How the contracts stand, counted in the background: no scrape waits for it."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from core.configuration import judged
from core.measuring import contracts
from core.measuring.facts import Judgement
from core.store import attainment, transaction

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from core.configuration.configured import Configured
    from core.measuring.contracts import Number
    from core.store import Pool

EVERY = 10.0
"""Seconds between two counts at least: less than what the loop sleeps."""
REST = 50.0
"""Times that a count took, before the next begins."""


class Contracts:
    """What was counted last, as it is shown: *latest*."""

    def __init__(self) -> None:
        self.latest = Judgement()
        self._accounts: tuple[Configured, ...] = ()
        self._rests_until = 0.0

    def adopt(self, accounts: Iterable[Configured], now: datetime) -> None:
        """Judge these from now on: every series is there, and nothing was counted yet."""
        self._accounts = tuple(accounts)
        self._rests_until = 0.0
        self.latest = contracts.judgement(_numbers(self._accounts, now))

    async def once(self, pool: Pool, now: datetime) -> None:
        """Count, unless the last count was but now.

        Raises:
            StoreUnavailable: the database did not say; what was counted last stands.
        """
        if monotonic() < self._rests_until:
            return
        began, accounts = monotonic(), self._accounts
        try:
            latest = await _counted(pool, accounts, now)
        finally:
            self._rests_until = monotonic() + max(EVERY, REST * (monotonic() - began))
        if accounts is self._accounts:
            self.latest = latest
        else:
            self._rests_until = 0.0


async def _counted(pool: Pool, accounts: tuple[Configured, ...], now: datetime) -> Judgement:
    numbers = await asyncio.to_thread(_numbers, accounts, now)
    async with transaction(pool) as db:
        standings = await attainment.standings(db, numbers, now)
    return await asyncio.to_thread(contracts.judgement, numbers, standings, now)


def _numbers(accounts: Iterable[Configured], now: datetime) -> list[Number]:
    return contracts.exported(judged.numbers(accounts, now))
