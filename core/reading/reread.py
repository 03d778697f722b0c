"""Reads single threads at once: the last look before a notice, a reply read back.

What fails costs the look and nothing else: the next walk reads the thread anyway.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from core import ingest
from core.connector import Looks
from core.errors import BadPayload, ConnectorError, RateLimited
from core.reading import observe, patience
from core.store import threads, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from core.model import Page
    from core.reading.walk import Reader, Round

log = structlog.get_logger()


async def now(this: Round, reader: Reader | None, ids: Sequence[str], seconds: float) -> bool:
    """Read the threads *ids* of an account and store them, one by one, within *seconds*.

    Returns:
        Whether all were read: not where the connector cannot look at a thread, where the
        marketplace asks us to wait, fails, or takes too long.
    """
    if reader is None or not isinstance(reader.connector, Looks):
        return False
    try:
        if await _is_deferred(this, reader):
            return False
        async with asyncio.timeout(seconds):
            for thread in ids:
                await _one(this, reader, reader.connector, thread)
    except RateLimited as limit:
        await _defer(this, reader, limit)
        return False
    except ConnectorError as fault:
        log.info("look failed", account=reader.account.name, reason=fault.reason)
        return False
    except TimeoutError:
        log.info("look failed", account=reader.account.name, reason="timeout")
        return False
    return True


async def _one(this: Round, reader: Reader, connector: Looks, thread: str) -> None:
    account = reader.account
    page = await _looked(connector, thread, this.clock())
    async with transaction(this.pool) as db:
        stored = await ingest.page(
            db, this.rules, account.name, page, this.clock(), None, sure=this.sure
        )
        shown = [one.id for one in page.threads]
        await threads.looked_at(db, account.name, [thread], this.clock(), shown)
    observe.page(this.metrics, this.rules, account, stored, "item")


async def _looked(connector: Looks, thread: str, at: datetime) -> Page:
    """A connector's bug is an answer that it could not read: it may not end the daemon."""
    try:
        return await connector.look([thread], at)
    except (ConnectorError, TimeoutError):
        raise
    except Exception as bug:
        raise BadPayload(f"crashed: {type(bug).__name__}") from bug


async def _is_deferred(this: Round, reader: Reader) -> bool:
    async with transaction(this.pool) as db:
        return await patience.is_asked_for(db, reader)


async def _defer(this: Round, reader: Reader, limit: RateLimited) -> None:
    async with transaction(this.pool) as db:
        await patience.after(db, reader, limit)
