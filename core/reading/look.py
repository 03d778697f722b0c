"""Reads single threads whole: those of which a page showed a part, and open ones once a day.

A reading of changes alone may miss a mark or an edit; the daily look finds it. What fails here
costs nothing but the look: the thread keeps what was read of it, and its turn comes again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from core import crash, ingest
from core.connector import Looks
from core.errors import BadPayload, ConnectorError, RateLimited, Unreachable
from core.reading import observe, patience
from core.reading.walk import in_time
from core.store import threads, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model import Page
    from core.reading.walk import Round, Walk

AT_ONCE = 20
DAY = timedelta(days=1)
SWEEP_EVERY = timedelta(hours=1)
MOST_UNREACHABLE = 3
"""So many threads in a row that cannot be reached by themselves end a look."""

log = structlog.get_logger()


async def after(this: Round, walk: Walk) -> None:
    """Look at what a complete walk has left over, a few threads at a time."""
    connector = walk.reader.connector
    sweeps = is_turn_to_sweep(walk)
    if not (walk.has_incomplete or sweeps) or not isinstance(connector, Looks):
        return
    account, before = walk.lease.account, this.clock() - DAY
    async with transaction(this.pool) as db:
        if await patience.is_asked_for(db, walk.reader):
            return
        ids = await threads.incomplete(db, account, before, AT_ONCE)
        if sweeps:
            ids += await threads.open_unread(db, account, before, AT_ONCE)
    try:
        await _look(this, walk, connector, list(dict.fromkeys(ids)))
    except RateLimited as limit:
        async with transaction(this.pool) as db:
            await patience.after(db, walk.reader, limit)
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
    """Read *ids* whole; where that fails, each is read by itself, so that one costs no other.

    What fails by itself had its turn too: the others come first the next time. Where several in a
    row cannot be reached it is so with the marketplace, and the rest is left for then.
    """
    if not ids:
        return
    try:
        page = await _read(this, connector, ids)
    except RateLimited:
        raise
    except ConnectorError:
        if len(ids) == 1:
            await _looked(this, walk, ids, None)
            raise
    else:
        await _looked(this, walk, ids, page)
        return
    unreachable = 0
    for id_ in ids:
        failed = await _fails_alone(this, walk, connector, id_)
        unreachable = unreachable + 1 if failed else 0
        if unreachable >= MOST_UNREACHABLE:
            return


async def _fails_alone(this: Round, walk: Walk, connector: Looks, id_: str) -> bool:
    """Read one; whether it could not be reached."""
    try:
        await _look(this, walk, connector, [id_])
    except RateLimited:
        raise
    except ConnectorError as fault:
        log.warning("thread not read", reason=fault.reason, detail=fault.detail)
        return isinstance(fault, Unreachable)
    return False


async def _read(this: Round, connector: Looks, ids: Sequence[str]) -> Page:
    """A connector's bug is an answer that it could not read: it costs no other thread."""
    try:
        return await in_time(this, connector.look(ids, this.clock()))
    except ConnectorError:
        raise
    except Exception as bug:  # noqa: BLE001  # one thread may not cost the others
        error, where = type(bug).__name__, crash.places(bug)
        log.error("look crashed", error=error, trace=where)  # noqa: TRY400  # its text may quote a buyer
        raise BadPayload(f"crashed: {error}") from None


async def _looked(this: Round, walk: Walk, ids: Sequence[str], page: Page | None) -> None:
    """Store what was read of *ids*, and remember that they had their turn.

    Of several some may be left out for another reason than that they are not there.
    """
    account, now = walk.reader.account, this.clock()
    shown = [one.id for one in page.threads] if page is not None and len(ids) == 1 else None
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
        await threads.looked_at(db, account.name, ids, now, shown)
