"""The last look: what is about to leave is read again, and dropped where it is true no more.

Our own database says so in any case; the source is asked once where its budget allows. A look that
fails, or is slow, changes nothing: the notice leaves.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from core import muting
from core.connector import Looks
from core.model import NoticeKind
from core.outbox import batch
from core.reading import reread
from core.store import dispatches, incidents, overtaken, rungs, threads, transaction
from core.together import gathered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.model import Dispatch, Notice
    from core.outbox.batch import Outbox

LOOK = 2.0
"""Seconds for the last look at all that leaves together: it may spare a false alarm, but must not
hold up a true one."""

UNHURRIED = 0.8
"""The share of the time to leave in that must remain for the last look to be taken: the database is
slow where less does, and what is not sent in time is not sent at all."""

MOST_TOGETHER = 16
"""Of a digest of more no thread is looked at: it tells how many there are, more than which."""

LATELY = timedelta(seconds=10)
"""So long the look that another notifier took, or an attempt before, need not be taken again."""

LOOKED_AT = frozenset({NoticeKind.WARNING, NoticeKind.BREACH, NoticeKind.ESCALATION})


async def look(outbox: Outbox, began: float) -> None:
    """Read the threads once more: what was answered there drops its own dispatches.

    Accounts side by side, each as many threads as `LOOK` allows, the most urgent first: the rest
    is told as it is, true alarms must not queue behind doubts. None where the database is slow.
    """
    if batch.left(began) < UNHURRIED * batch.left(monotonic()):
        return
    by_account: dict[str, list[str]] = {}
    for notice in _doubted(outbox.unsettled.claimed):
        if notice.thread is not None:
            by_account.setdefault(notice.account, []).append(notice.thread)
    await gathered(
        _account(outbox, account, list(dict.fromkeys(ids))) for account, ids in by_account.items()
    )


def _doubted(claimed: Sequence[Dispatch]) -> Iterator[Notice]:
    """What of *claimed* an answer would make untrue, but for digests of very many."""
    sizes = Counter(one.digest for one in claimed)
    for one in claimed:
        alone = one.digest is None
        if one.notice.kind in LOOKED_AT and (alone or sizes[one.digest] <= MOST_TOGETHER):
            yield one.notice


async def _account(outbox: Outbox, account: str, ids: list[str]) -> None:
    """Look at threads of an account, but for those that somebody has just looked at, or looks at.

    Several notifiers are told of a thread at the same time: one of them asks, the others wait.
    """
    reader, this = outbox.readers.get(account), outbox.this
    if reader is None or not isinstance(reader.connector, Looks):
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK), reader.looking:
            async with transaction(this.pool) as db:
                known = await threads.looked_at_since(db, account, ids, this.clock() - LATELY)
            await reread.now(this, reader, [id_ for id_ in ids if id_ not in known], LOOK)


async def standing(outbox: Outbox) -> list[Dispatch]:
    """What of the claimed is still to be told; the rest is counted as suppressed."""
    claimed = outbox.unsettled.claimed
    if not claimed:
        return []
    async with transaction(outbox.this.pool) as db:
        await overtaken.keep_back(db, outbox.name, claimed)
        await incidents.keep_back(db, outbox.name, claimed)
        dropped = await dispatches.dropped(db, outbox.name, dispatches.numbers(claimed))
        held = await rungs.hold(db, outbox.name, claimed, outbox.this.clock())
        claimed = await muting.closing(db, outbox.name, claimed)
    for why in dropped.values():
        outbox.this.metrics.notifications_suppressed.labels(outbox.name, why).inc()
    gone = held.union(dropped)
    return [dispatch for dispatch in claimed if dispatch.notice.id not in gone]
