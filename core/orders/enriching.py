"""Asks for the orders of threads that wait: what an agent wants to see beside them.

Nothing depends on it. What fails costs the sight of an order and is tried again; how often an
account is asked is one turn for all workers, and the marketplace's own word about it is kept there.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from core import crash
from core.connector import Enriches
from core.errors import ConnectorError, RateLimited
from core.stopwatch import running_from
from core.store import budget, orders, statement, transaction
from core.together import gathered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from core.model import Order
    from core.reading.walk import Reader
    from core.store import Pool

EVERY = timedelta(seconds=20)
"""From one turn of an account to the next."""
AT_ONCE = 10
"""Orders in a turn: with `EVERY` Amazon's half a call a second, the slowest rate that is known."""
FRESH = timedelta(hours=4)
"""So long what was said of an order, or that there is none, will do."""
LOOK_SHARE = 50
"""A look takes a fiftieth of the time at most: with 100,000 clocks that run it takes 0.7 s."""
OVERDUE = timedelta(days=30)
"""A clock that is late for longer asks for nothing."""
AFTER_FAULT = timedelta(minutes=5)
LIMIT = 60.0
"""Seconds for a turn."""

log = structlog.get_logger()


async def once(pool: Pool, readers: Mapping[str, Reader], now: datetime) -> datetime:
    """Ask for orders that are not known, or not freshly; *readers* by account.

    Returns:
        When to look again.

    Raises:
        StoreUnavailable: the database went away; what was not stored is asked for again.
    """
    clock = running_from(now)
    able = {n: r.connector for n, r in readers.items() if isinstance(r.connector, Enriches)}
    if able:
        async with statement(pool) as db:
            wanted = await orders.wanted(
                db, able, due_after=now - OVERDUE, asked_before=now - FRESH, most=AT_ONCE
            )
        looked = clock() - now
        await gathered(_enrich(pool, name, able[name], ids, clock) for name, ids in wanted.items())
        return clock() + rest(looked)
    return clock() + EVERY


def rest(looked: timedelta) -> timedelta:
    """How long to leave it after a look that took so long."""
    return max(EVERY, looked * LOOK_SHARE)


async def _enrich(
    pool: Pool, account: str, source: Enriches, ids: Sequence[str], clock: Callable[[], datetime]
) -> None:
    async with statement(pool) as db:
        if not await budget.take(db, _turn(account), EVERY):
            return
    told, wait = await _told(account, source, ids, clock())
    async with transaction(pool) as db:
        await orders.put(db, account, told, clock())
        if wait is not None:
            await budget.defer(db, _turn(account), wait)


def _turn(account: str) -> str:
    return f"orders {account}"


async def _told(
    account: str, source: Enriches, ids: Sequence[str], now: datetime
) -> tuple[Mapping[str, Order | None], timedelta | None]:
    """What the marketplace says of *ids*, and how long it is to be left alone, where that is so."""
    try:
        async with asyncio.timeout(LIMIT):
            return await source.orders(ids, now), None
    except RateLimited as limit:
        seconds = limit.retry_after
        return {}, AFTER_FAULT if seconds is None else timedelta(seconds=seconds)
    except ConnectorError as fault:
        log.info("orders not read", account=account, reason=fault.reason)
    except TimeoutError:
        log.info("orders not read", account=account, reason="timeout")
    except Exception as bug:  # noqa: BLE001  # one account's connector may not end the daemon
        error, where = type(bug).__name__, crash.places(bug)
        log.error("orders crashed", account=account, error=error, trace=where)  # noqa: TRY400  # its text may quote a buyer
    return {}, AFTER_FAULT
