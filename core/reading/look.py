"""Reads single threads whole: those of which a page showed a part, and open ones once a day.

A reading of changes alone may miss a mark or an edit; the daily look finds it. What fails here
costs nothing but the look: the thread keeps what was read of it, and its turn comes again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from core import ingest
from core.connector import Looks
from core.errors import BadPayload, ConnectorError, RateLimited
from core.reading import observe
from core.reading.walk import in_time
from core.store import budget, threads, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model import Page
    from core.reading.walk import Round, Walk

AT_ONCE = 20
DAY = timedelta(days=1)
SWEEP_EVERY = timedelta(hours=1)
DEFAULT_WAIT = timedelta(minutes=1)

log = structlog.get_logger()


async def after(this: Round, walk: Walk) -> None:
    """Look at what a complete walk has left over, a few threads at a time."""
    connector = walk.reader.connector
    sweeps = is_turn_to_sweep(walk)
    if not (walk.has_incomplete or sweeps) or not isinstance(connector, Looks):
        return
    account, before = walk.lease.account, this.clock() - DAY
    async with transaction(this.pool) as db:
        ids = await threads.incomplete(db, account, before, AT_ONCE)
        if sweeps:
            ids += await threads.open_unread(db, account, before, AT_ONCE)
    try:
        await _look(this, walk, connector, list(dict.fromkeys(ids)))
    except RateLimited as limit:
        wait = DEFAULT_WAIT
        if limit.retry_after is not None:
            wait = timedelta(seconds=limit.retry_after)
        async with transaction(this.pool) as db:
            await budget.defer(db, walk.reader.budget, wait)
    except ConnectorError as fault:
        log.info("look failed", reason=fault.reason, threads=len(ids))


def is_turn_to_sweep(walk: Walk) -> bool:
    """Whether open threads are looked for after this walk: about once an hour, by its fence."""
    walks_an_hour = max(1, SWEEP_EVERY // walk.stream.every)
    if walk.lease.fence % walks_an_hour:
        return False
    main = next((s.name for s in walk.reader.streams.values() if s.carries_clocks), None)
    return walk.stream.name == main


async def _look(this: Round, walk: Walk, connector: Looks, ids: Sequence[str]) -> None:
    """Read *ids* whole; where one of them cannot be read at all, the others are by themselves."""
    if not ids:
        return
    try:
        page = await in_time(this, connector.look(ids, this.clock()))
    except BadPayload:
        if len(ids) == 1:
            await _looked(this, walk, ids, None)
            raise
        for id_ in ids:
            await _look_alone(this, walk, connector, id_)
        return
    await _looked(this, walk, ids, page)


async def _look_alone(this: Round, walk: Walk, connector: Looks, id_: str) -> None:
    try:
        await _look(this, walk, connector, [id_])
    except BadPayload:
        log.info("thread unreadable")


async def _looked(this: Round, walk: Walk, ids: Sequence[str], page: Page | None) -> None:
    """Store what was read of *ids*, and remember that they had their turn."""
    account, now = walk.reader.account, this.clock()
    async with transaction(this.pool) as db:
        if page is not None:
            stored = await ingest.page(
                db,
                this.rules,
                account.name,
                page,
                now,
                None,
                stream=walk.stream.name,
                sure=this.sure,
            )
            observe.page(this.metrics, this.rules, account, stored, "item")
        await threads.looked_at(db, account.name, ids, now)
