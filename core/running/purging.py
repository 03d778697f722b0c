"""Removes what nobody needs any more: each table has a time for which it is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core.arrival import fading
from core.reading import heartbeat
from core.store import (
    deeds,
    erasures,
    floods,
    forgotten,
    links,
    mutes,
    notices,
    orders,
    pushes,
    transaction,
)  # fmt: skip
from core.web import storing

if TYPE_CHECKING:
    from datetime import datetime

    from core.configuration.sections import Retention
    from core.metrics import Metrics
    from core.store import Pool

FORGOTTEN_FOR = timedelta(days=30)
"""So long members who were erased are known by digests, should something of them come late."""
PROOFS_KEPT = timedelta(days=400)
"""So long it can be shown that somebody was erased."""
FLOODS_KEPT = timedelta(days=400)
"""So long what is told of clocks that began in a flood leaves apart."""
ORDERS_KEPT = timedelta(days=90)
"""So long what was said of an order is kept after it was last asked for, and what was done about
it after it was begun."""


async def once(
    pool: Pool, retention: Retention, metrics: Metrics, now: datetime, *, sure: bool
) -> None:
    """Remove what is older than *retention*, or than it may matter, and count it.

    Without *sure* (the host's clock is not believed) nothing goes that it may have misdated.
    """
    count = metrics.retention_rows_deleted.labels
    async with transaction(pool) as db:
        gone = {
            "notice": await notices.purge(db, now - retention.notices),
            "market_order": await orders.purge(db, now - ORDERS_KEPT),
            "deed": await deeds.purge(db, now - ORDERS_KEPT),
            "link": await links.purge(db, now - retention.links),
            "push": await pushes.purge(db, now - storing.KEPT),
            "push_hour": await heartbeat.purge(db, now) if sure else 0,
            "flood": await floods.purge(db, now - FLOODS_KEPT),
            "mute": await mutes.purge(db, now - retention.notices),
            "forgotten": await forgotten.purge(db, now - FORGOTTEN_FOR),
            "erasure": await erasures.purge(db, now - PROOFS_KEPT),
        }
    for table, rows in gone.items():
        count(table, "deleted").inc(rows)
    count("verdict", "emptied").inc(await fading.once(pool, now - retention.links))
