"""The last look: what is about to leave is read again, and dropped where it is true no more.

Our own database says so in any case; the source is asked once where its budget allows. A look that
fails, or is slow, changes nothing: the notice leaves.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from core import muting
from core.model import NoticeKind
from core.outbox import batch
from core.reading import reread
from core.store import dispatches, incidents, overtaken, transaction
from core.together import gathered

if TYPE_CHECKING:
    from core.model import Dispatch
    from core.outbox.batch import Outbox

LOOK = 2.0
"""Seconds for the last look at all that leaves together: it may spare a false alarm, but must not
hold up a true one."""

UNHURRIED = 0.8
"""The share of the time to leave in that must remain for the last look to be taken: the database is
slow where less does, and what is not sent in time is not sent at all."""

LOOKED_AT = frozenset({NoticeKind.WARNING, NoticeKind.BREACH, NoticeKind.ESCALATION})


async def look(outbox: Outbox, began: float) -> None:
    """Read the threads once more: what was answered there drops its own dispatches.

    Accounts side by side, each as many threads as `LOOK` allows, the most urgent first: the rest
    is told as it is, true alarms must not queue behind doubts. None where the database is slow.
    """
    if batch.left(began) < UNHURRIED * batch.left(monotonic()):
        return
    by_account: dict[str, list[str]] = {}
    for notice in (dispatch.notice for dispatch in outbox.unsettled.claimed):
        if notice.kind in LOOKED_AT and notice.thread is not None:
            by_account.setdefault(notice.account, []).append(notice.thread)
    await gathered(
        reread.now(outbox.this, outbox.readers.get(account), list(dict.fromkeys(ids)), LOOK)
        for account, ids in by_account.items()
    )


async def standing(outbox: Outbox) -> list[Dispatch]:
    """What of the claimed is still to be told; the rest is counted as suppressed."""
    claimed = outbox.unsettled.claimed
    if not claimed:
        return []
    async with transaction(outbox.this.pool) as db:
        await overtaken.keep_back(db, outbox.name, claimed, outbox.this.clock())
        await incidents.keep_back(db, outbox.name, claimed)
        dropped = await dispatches.dropped(db, outbox.name, dispatches.numbers(claimed))
        claimed = await muting.closing(db, outbox.name, claimed)
    for why in dropped.values():
        outbox.this.metrics.notifications_suppressed.labels(outbox.name, why).inc()
    return [dispatch for dispatch in claimed if dispatch.notice.id not in dropped]
