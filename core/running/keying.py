"""Makes the keys of threads anew by which buyers are known in others (`core.store.buyers`).

What a page brings has its keys at once. This is for what was there before: before keys were made
at all, or before the settings said of which shop or seller an account is. Likewise clocks that do
not say yet of which kind their thread is (`core.store.described`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from core.stopwatch import running_from
from core.store import accounts, buyers, described, statement, transaction

if TYPE_CHECKING:
    from datetime import datetime

    from core.store import Pool
    from core.store.buyers import Group

CHUNK = 500
"""So many threads are locked at once: whoever stores a page waits no longer than for these."""
REST = timedelta(milliseconds=50)
"""From one chunk to the next: about twice what one takes."""

log = structlog.get_logger()


@dataclass(slots=True)
class Place:
    """Where this process goes on: in which account, made for what *group*, *after* which thread.

    Kept in memory: who begins again finds what is made, and writes nothing. Two processes that do
    the same do it twice, and the second writes nothing either.
    """

    group: Group | None = None
    after: str = ""
    is_described: bool = False


async def once(pool: Pool, place: Place, now: datetime) -> datetime | None:
    """Go on with the threads of one account.

    Returns:
        When to go on; None where the keys of all accounts are made.

    Raises:
        StoreUnavailable: the database went away; what was made is.
    """
    clock = running_from(now)
    if place.group is None:
        place.group, place.after = await _begin(pool), ""
        if place.group is None:
            return None
    async with transaction(pool) as db:
        watched = await accounts.watched(db, place.group.account, share=True)
        if watched is None or watched.keys is None or watched.keys.group != place.group:
            place.group = None  # it was retired, or is another's by now: the next round begins anew
            return clock()
        last = await buyers.rekey(db, watched.keys, place.after, CHUNK)
    if last is not None:
        place.after = last
        return clock() + REST
    async with statement(pool) as db:  # by itself: two processes that share the row would both wait
        await buyers.keyed(db, place.group)
    if place.after:  # of a few threads nobody needs to know
        log.info("buyers' keys made", account=place.group.account)
    place.group = None
    return clock()


async def describe(pool: Pool, place: Place) -> bool:
    """Let some running clocks of before say of which kind their thread is; whether more may not.

    Raises:
        StoreUnavailable: the database went away.
    """
    if not place.is_described:
        async with transaction(pool) as db:
            place.is_described = await described.fill(db, CHUNK) < CHUNK
    return not place.is_described


async def _begin(pool: Pool) -> Group | None:
    """The next account whose threads have no keys, or old ones; None where there is none.

    Whoever takes settings over holds its streams and its row, as pages do: every page from now on
    has the keys that these make (`core.store.accounts.sync`).
    """
    async with transaction(pool) as db:
        account = await buyers.unkeyed(db)
        watched = account and await accounts.watched(db, account, share=False)
    return watched.keys.group if watched and watched.keys else None
