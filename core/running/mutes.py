"""Says in the log, once for all processes, that a mute has begun and that it has ended.

What it held back needs none of this: it is due by itself. Counted is here what was dropped of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from core.store import mutes, transaction

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.metrics import Metrics
    from core.store import Pool

log = structlog.get_logger()


async def once(
    pool: Pool, notifiers: Collection[str], metrics: Metrics, now: datetime
) -> datetime | None:
    """Tell of what has begun and ended since anybody looked.

    Returns:
        When the next mute ends; None while there is none.
    """
    async with transaction(pool) as db:
        begun, over = await mutes.begun(db), await mutes.over(db)
        dropped = {mute.id: await mutes.dropped(db, mute, notifiers) for mute in over}
        again = await mutes.next_end(db)
    for mute in begun:
        log.warning("muted", **{mute.scope: mute.name}, until=mute.until.isoformat(), by=mute.by)
    for mute in over:
        for notifier, why, n in dropped[mute.id]:
            metrics.notifications_suppressed.labels(notifier, why).inc(n)
        lost = sum(n for _, _, n in dropped[mute.id])
        log.info("mute ended", **{mute.scope: mute.name}, at=mute.end.isoformat(), dropped=lost)
    return max(again, now) if again else None
