"""Listens to sources that say when they have something new: IMAP IDLE, a socket.

Who hears something has the account read at once; the polls beside it go on, for what says nothing
may only have gone silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.model import HealthState
from core.stopwatch import running_from
from core.store import streams, transaction

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from datetime import datetime

    from core.connector import Waits
    from core.store import Pool

DISPROVEN = (HealthState.BAD_CREDENTIALS, HealthState.UNREACHABLE)
"""What an account is not whose source was just heard: its streams need not wait any longer."""


async def once(
    pool: Pool,
    account: str,
    source: Waits,
    stop: asyncio.Event,
    now: datetime,
    ring: Callable[[], None],
) -> datetime:
    """Wait until *source* has something new or *stop* is set; the account is then due at once.

    *ring* wakes who reads.

    Returns:
        When to listen again: at once.

    Raises:
        ConnectorError: the source cannot be listened to; its polls say what that means.
        StoreUnavailable: what was heard could not be passed on; the next poll finds it.
    """
    clock = running_from(now)
    if await source.wait(stop):
        heard = clock()
        async with transaction(pool) as db:
            await streams.probe(db, [account], DISPROVEN)
            await streams.pull_forward(db, {account: heard}, heard)
        ring()
    return clock()
