"""What a database must be told that was brought back: nobody knows what happened since its dump.

What was told and sent since then is forgotten, though people and buyers have it. So nothing is
repeated one by one: what became due meanwhile leaves as one digest an account, what was to be sent
to a buyer stays here until a person has looked, and no number is given a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.store import catalogue, notices

if TYPE_CHECKING:
    from datetime import datetime

    from core.store import Db

GENERATION = 1_000_000_000
"""Numbers go on after the next multiple of this, half of it or more ahead: those that were given
since the dump mean something to receivers and marketplaces, by the keys that are made of them."""

# As the first walk of an account: what it finds to tell leaves together.
ACCOUNTS = """
    update account set restored_at = $1, first_walk_at = null where retired_at is null
"""
# Who read it is gone; what has ended, or waits for a new key, is left to who takes settings over.
STREAMS = """
    update stream
    set holder = null, leased_until = null, pulled_to = null, fence = fence + 1,
        backoff_until = null, not_before = least(not_before, now()),
        next_due = case when next_due < 'infinity' then least(next_due, now()) else next_due end
"""
BUDGETS = "delete from budget"
# What waited is likely to have left since. Whoever sends finds it as left when its process died: a
# person is told, and it is looked for in its thread.
REPLIES = """
    with held as (
        update reply
        set state = 'sending', left_at = coalesce(left_at, queued_at), next_try_at = now(),
            message_id = coalesce(message_id, 'reply:' || id)
        where state in ('queued', 'sending') and not automatic
        returning true
    )
    select count(*) from held
"""
AUTOMATIC = """
    update reply set state = 'refused', reason = 'late', settled_at = $1,
        message_id = coalesce(message_id, 'reply:' || id)
    where state in ('queued', 'sending') and automatic
"""
# What was never tried leaves with the digest of its account; what was tried keeps its key.
DISPATCHES = """
    with held as (
        update dispatch d
        set digest = n.account || '/restored/' || $1::text, next_try_at = now() + $2::interval
        from notice n join account a on a.name = n.account
        where n.id = d.notice and a.retired_at is null
          and n.kind in ('warning', 'breach', 'deadline_moved', 'reply_refused', 'escalation')
          and d.attempts = 0
          and d.sent_at is null and d.parked_reason is null and d.suppressed is null
        returning true
    )
    select count(*) from held
"""
ERASURES = "update erasure set leased_until = null where done_at is null"
WORKERS = "delete from worker"
# What was ended since must not sign anybody in again; no dump of ours holds either.
SESSIONS = "delete from session"
INVITATIONS = "delete from invitation"


class Settled(NamedTuple):
    """How many *replies* are in doubt, and how many *dispatches* leave in a digest."""

    replies: int
    dispatches: int


async def settle(db: Db, now: datetime) -> Settled:
    """Settle what was brought back *now*, before anybody works with it.

    Raises:
        StoreUnavailable: nothing is settled.
    """
    await db.execute(WORKERS)
    await db.execute(BUDGETS)
    await db.execute(STREAMS)
    await db.execute(ERASURES)
    await db.execute(ACCOUNTS, now)
    await db.execute(AUTOMATIC, now)
    await db.execute(SESSIONS)
    await db.execute(INVITATIONS)
    replies: int = await db.fetchval(REPLIES)
    dispatches: int = await db.fetchval(DISPATCHES, now.isoformat(), notices.HOLD)
    for counter in await catalogue.counters(db):
        number = beyond(counter.value or 0)
        await db.execute(catalogue.SET, counter.table, counter.column, number)
    return Settled(replies, dispatches)


def beyond(number: int) -> int:
    """The last number that is not given any more, of a sequence that stood at *number*."""
    return ((number + GENERATION // 2) // GENERATION + 1) * GENERATION
