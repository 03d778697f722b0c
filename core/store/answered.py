"""Answers given at the marketplace itself, as they are read: which are not our own come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from core.store import Db

# While one of ours is looked for in a thread, what is read there may be it (index reply_open). What
# a person told of is counted when it was told; an hour off, for nobody looks at the second.
COUNT = """
    select count(*) from unnest($2::text[], $3::timestamptz[]) as w (thread, at)
    where exists (
        select from message m
        where m.account = $1 and m.thread = w.thread and m.party <> 'seller'
          and coalesce(m.sent_at, m.seen_at) <= w.at
    ) and not exists (
        select from reply r
        where r.state in ('queued', 'sending', 'unknown', 'accepted') and r.state <> 'queued'
          and r.next_try_at < 'infinity' and r.account = $1 and r.thread = w.thread
          and r.message_id = 'reply:' || r.id
    ) and not exists (
        select from message m
        where m.account = $1 and m.thread = w.thread and m.kind = 'answered_elsewhere'
          and m.sent_at between w.at - interval '1 hour' and w.at + interval '1 hour'
    )
"""


async def elsewhere(
    db: Db, account: str, threads: Sequence[str], instants: Sequence[datetime]
) -> int:
    """How many of these messages of a seller are answers that nobody has told us of before.

    What stands before all that was asked answers nothing.
    """
    found: int = await db.fetchval(COUNT, account, threads, instants)
    return found
