"""Removes what nobody needs any more: each table has a time for which it is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core.arrival import fading
from core.reading import heartbeat
from core.running import keeping as texts
from core.store import (
    audit,
    claims,
    deeds,
    erasures,
    escalations,
    floods,
    forgotten,
    forms,
    incidents,
    invitations,
    keeping,
    links,
    mutes,
    notices,
    orders,
    presence,
    pushes,
    sessions,
    tokens,
    transaction,
    tries,
    undone,
)  # fmt: skip
from core.web import storing

if TYPE_CHECKING:
    from datetime import datetime

    from core.configuration.retention import Keeping
    from core.metrics import Metrics
    from core.running.keeping import Place
    from core.store import Pool

FORGOTTEN_FOR = timedelta(days=30)
"""So long members who were erased are known by digests, should something of them come late."""
PROOFS_KEPT = timedelta(days=400)
"""So long it can be shown that somebody was erased."""
FLOODS_KEPT = timedelta(days=400)
"""So long what is told of clocks that began in a flood leaves apart."""
TEXTS_HELD = timedelta(days=1)
"""So long the files of a reply that was taken back are kept for its writer, and a form is known
that comes a second time."""
ENTRIES_KEPT = timedelta(days=90)
"""So long it is known where somebody signed in before, and what sessions, links and tokens were."""
TRIES_KEPT = timedelta(days=2)
"""Above what `desk.patience` remembers."""
ORDERS_KEPT = timedelta(days=90)
"""So long what was said of an order is kept after it was last asked for, and what was done about
it after it was begun."""


async def once(
    pool: Pool, kept: Keeping, place: Place, metrics: Metrics, now: datetime, *, sure: bool
) -> None:
    """Remove what is older than it is *kept*, or than it may matter, and count it.

    *place* is where the walk through threads stands. Without *sure* (the host's clock is not
    believed) nothing goes that it may have misdated.
    """
    if sure:
        await _dated(pool, kept, place, metrics, now)
    retention, count = kept.retention, metrics.retention_rows_deleted.labels
    async with transaction(pool) as db:
        gone = {
            "market_order": await orders.purge(db, now - ORDERS_KEPT),
            "deed": await deeds.purge(db, now - ORDERS_KEPT),
            "link": await links.purge(db, now - retention.links),
            "push": await pushes.purge(db, now - storing.KEPT),
            "push_hour": await heartbeat.purge(db, now) if sure else 0,
            "flood": await floods.purge(db, now - FLOODS_KEPT),
            "mute": await mutes.purge(db, now - retention.notices),
            "claim": await claims.purge(db, now - retention.notices),
            "escalation": await escalations.purge(db, now - retention.notices),
            "incident": await incidents.purge(db),
            "forgotten": await forgotten.purge(db, now - FORGOTTEN_FOR),
            "erasure": await erasures.purge(db, now - PROOFS_KEPT),
            "session": await sessions.purge(db, now - ENTRIES_KEPT),
            "invitation": await invitations.purge(db, now - ENTRIES_KEPT),
            "token": await tokens.purge(db, now - ENTRIES_KEPT),
            "sign_in_try": await tries.purge(db, now - TRIES_KEPT),
            "reply_form": await forms.purge(db, now - TEXTS_HELD),
            "reply_file": await undone.purge(db, now - TEXTS_HELD),
            "presence": len(await presence.purge(db, now - TEXTS_HELD)),
        }
    for table, rows in gone.items():
        count(table, "deleted").inc(rows)
    count("verdict", "emptied").inc(await fading.once(pool, now - retention.links))


async def _dated(pool: Pool, kept: Keeping, place: Place, metrics: Metrics, now: datetime) -> None:
    """What nobody could bring back: it goes by a clock that is believed."""
    async with transaction(pool) as db:
        gone = {
            "notice": await notices.purge(db, kept.before("notices", now)),
            "raw_message": await keeping.purge_raw(db, kept.before("raw", now)),
            "set_aside": await keeping.purge_aside(db, kept.before("set_aside", now)),
            "audit": await audit.purge(db, now - kept.retention.audit),
        }
    count = metrics.retention_rows_deleted.labels
    for table, rows in gone.items():
        count(table, "deleted").inc(rows)
    emptied = await texts.once(pool, kept.texts_of, place, now)
    count("thread", "emptied").inc(emptied)
