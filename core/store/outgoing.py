"""Replies that are open: when one is due, which lost who sent them, which are to be looked for.

Leases and retries go by the database's clock.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core.store.replies import FIRST_LOOK, of_row

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.store import Db
    from core.store.replies import Reply

GIVE_UP = timedelta(days=3)

STRANDED = """
    select * from reply where state = 'sending' and next_try_at <= now()
    order by account, thread, id
    for update skip locked
"""
LOOK_FOR = """
    with due as (
        select id from reply
        where state in ('unknown', 'accepted') and next_try_at <= now() and account = any($1)
        order by next_try_at
        limit $3
        for update skip locked
    )
    update reply r
    set next_try_at = case when $2 - r.left_at > $5::interval then 'infinity'
                           else now() + greatest($4::interval, $2 - r.left_at) end
    from due
    where r.id = due.id
    returning r.*
"""
# What nobody here reads, and what waits for an earlier one of its thread, is never due.
WAITS = """
    select extract(epoch from min(r.next_try_at) - now())::float8 from reply r
    where r.state in ('queued', 'sending', 'unknown', 'accepted') and r.next_try_at < 'infinity'
      and (r.state = 'sending' or r.account = any($1))
      and not (r.state = 'queued' and exists (
          select from reply o
          where o.account = r.account and o.thread = r.thread and o.id < r.id
            and o.state in ('queued', 'sending') and (r.automatic or not o.automatic)
      ))
"""


async def stranded(db: Db) -> list[Reply]:
    """Replies that were leaving when their process died; locked."""
    return [of_row(row) for row in await db.fetch(STRANDED)]


async def to_look_for(db: Db, accounts: Collection[str], now: datetime, limit: int) -> list[Reply]:
    """Open replies of *accounts* whose thread is to be read again, to find them there.

    Each is looked for ever more rarely, and after `GIVE_UP` no more.
    """
    rows = await db.fetch(LOOK_FOR, accounts, now, limit, FIRST_LOOK, GIVE_UP)
    return [of_row(row) for row in rows]


async def waits(db: Db, accounts: Collection[str]) -> float | None:
    """Seconds until a reply of *accounts* is to be sent or looked for; None where none is.

    One that is leaving belongs to whoever is there when its process has died.
    """
    seconds: float | None = await db.fetchval(WAITS, list(accounts))
    return seconds
