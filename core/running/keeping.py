"""Texts of threads that are over go when their time is; a little of it in each round.

A walk through all threads may take many rounds: it goes on where the last one ended, and begins
again when it has come to the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from core.store import keeping, transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from core.store import Pool

AT_ONCE = 500
"""Threads that are looked at in one transaction."""
SECONDS = 2.0
"""Of each round, at most a transaction more."""


@dataclass(slots=True)
class Place:
    """Where the walk stands: the *thread* that was last looked at, of the *account*."""

    account: str = ""
    thread: str = ""


async def once(
    pool: Pool,
    kept: Callable[[str], timedelta],
    place: Place,
    now: datetime,
    *,
    seconds: float = SECONDS,
    at_once: int = AT_ONCE,
) -> int:
    """Empty threads that have been over for longer than *kept*, by the connector's name.

    Returns:
        How many.

    Raises:
        StoreUnavailable: the database went away; the walk goes on from *place*.
    """
    async with transaction(pool) as db:
        accounts = await keeping.accounts(db)
    until, emptied = monotonic() + seconds, 0
    for account, connector in accounts:
        if account < place.account:
            continue
        if account != place.account:
            place.account, place.thread = account, ""
        before = now - kept(connector)
        while (step := await _step(pool, place, before, at_once)) is not None:
            emptied += step
            if monotonic() >= until:
                return emptied
    place.account, place.thread = "", ""
    return emptied


async def _step(pool: Pool, place: Place, before: datetime, limit: int) -> int | None:
    """One chunk from *place* on; how many were emptied, None at the account's end."""
    async with transaction(pool) as db:
        over, last = await keeping.chunk(db, place.account, place.thread, before, limit)
        if last is None:
            return None
        emptied = await keeping.empty(db, place.account, over, before) if over else 0
    place.thread = last
    return emptied
