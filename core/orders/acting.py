"""Does something about an order, once: written down before it leaves, settled afterwards.

As with a reply nobody repeats by himself what may have been done: a person is to look there first.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.connector import Acts
from core.errors import (
    BadCredentials,
    Mistaken,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unreachable,
)
from core.store import deeds, transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from core.connector import Connector, Deed
    from core.store import Pool
    from core.store.deeds import Done

LIMIT = 120.0
"""Seconds for all of it, files included."""
CANNOT = "this account can do nothing about orders from here; do it at the marketplace"


def able(connector: Connector) -> Acts:
    """*connector* as one that acts.

    Raises:
        Mistaken: it cannot.
    """
    if not isinstance(connector, Acts):
        raise Mistaken(CANNOT)
    return connector


async def act(
    pool: Pool,
    account: str,
    connector: Acts,
    deed: Deed,
    clock: Callable[[], datetime],
    *,
    again: bool = False,
) -> None:
    """Do *deed* for *account*; *again* says that having done it before is no reason against it.

    Raises:
        Mistaken: it is certainly refused, was done before, or may have been; nothing is written.
        Refused, BadCredentials, RateLimited, Unreachable: it was certainly not done.
        OutcomeUnknown: it may have been done.
    """
    if why := connector.refuses(deed):
        raise Mistaken(why)
    number = await _begin(pool, account, deed, clock(), again=again)
    try:
        async with asyncio.timeout(LIMIT):
            await connector.act(deed, clock())
    except (Refused, BadCredentials) as fault:
        await _settle(pool, number, "refused", str(fault), clock())
        raise
    except (RateLimited, Unreachable) as fault:
        await _settle(pool, number, "unsent", fault.reason, clock())
        raise
    except asyncio.CancelledError:
        await asyncio.shield(_settle(pool, number, "unknown", None, clock()))
        raise
    except Exception as fault:
        await _settle(pool, number, "unknown", None, clock())
        raise OutcomeUnknown(_doubt(account, deed)) from fault
    await _settle(pool, number, "done", None, clock())


async def _begin(pool: Pool, account: str, deed: Deed, now: datetime, *, again: bool) -> int:
    async with transaction(pool) as db:
        await deeds.lock(db, account, deed.order, deed.action)
        before = await deeds.of_order(db, account, deed.order)
        same = [one for one in before if one.action == deed.action and one.may_count]
        if same and not again:
            raise Mistaken(_before(same[-1]))
        return await deeds.begin(db, account, deed.order, deed.action, now)


async def _settle(pool: Pool, number: int, state: str, reason: str | None, now: datetime) -> None:
    async with transaction(pool) as db:
        await deeds.settle(db, number, state, reason, now)


def _before(done: Done) -> str:
    word = "was done" if done.state == "done" else "may have been done"
    return f"{done.action} {word} at {done.begun_at:%Y-%m-%d %H:%M:%SZ}; --again does it once more"


def _doubt(account: str, deed: Deed) -> str:
    return (
        f"{deed.action} of {deed.order} ({account}) may have been done; "
        "look at the order there before anything else"
    )
