"""What is due when, after the database's clock was set back: it goes by that clock alone.

A clock that goes ahead makes everything due at once, which is as good as a restart. One that goes
back would leave everything undone until it has caught up: walks, attempts to send, leases.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.store import Db

SET_BACK = timedelta(seconds=5)
LEASE = timedelta(seconds=90)
"""The longest lease that anything is claimed for."""
RETRY = timedelta(minutes=5)
"""What is left alone after a failure, or because a marketplace asked for it, is tried after this:
how long it was to wait cannot be told any more."""

STREAMS = """
    update stream s
    set next_due = least(s.next_due, late.most), not_before = least(s.not_before, late.most),
        leased_until = least(s.leased_until, late.most),
        backoff_until = least(s.backoff_until, late.most)
    from (
        select account, stream, now() + case
                   when holder is not null then $1::interval
                   when health <> 'ok' then greatest("interval", $2::interval)
                   else "interval" * 1.1
               end as most
        from stream where next_due < 'infinity'
        order by account, stream
        for no key update
    ) late
    where s.account = late.account and s.stream = late.stream and s.next_due > late.most
"""
# What was not tried yet is due; what was may just be leaving.
DISPATCHES = """
    update dispatch
    set next_try_at = case when attempts = 0 then now() else now() + $1::interval end
    where sent_at is null and parked_reason is null and suppressed is null
      and next_try_at > now() + $1::interval
"""
REPLIES = """
    update reply set next_try_at = now() + $1::interval
    where state in ('queued', 'sending', 'unknown', 'accepted')
      and next_try_at > now() + $1::interval
"""
BUDGETS = "update budget set next_at = now() + $1::interval where next_at > now() + $1::interval"


def went_back(wall: timedelta, monotonic: float) -> bool:
    """Whether a clock that moved by *wall* went back, when so many seconds had really passed."""
    return timedelta(seconds=monotonic) - wall > SET_BACK


async def pull_in(db: Db) -> int:
    """Let nothing wait longer than it would from now on; how many streams and dispatches did.

    Nothing is moved twice, whoever else does the same at the same time.
    """
    await db.execute(REPLIES, LEASE)
    streams = await db.execute(STREAMS, LEASE, RETRY)
    dispatches = await db.execute(DISPATCHES, LEASE)
    await db.execute(BUDGETS, RETRY)  # last: a walk that fails locks its stream, then its budget
    return sum(int(status.rsplit(maxsplit=1)[-1]) for status in (streams, dispatches))
