"""Replies that were taken back before they left, or never were let go: their writer's texts.

Taking back is compare-and-set on the state, as is leaving: a reply does one of the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.store import replies

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.store import Db
    from core.store.replies import Reply
    from sla.policy import Party

# By whomever where $2 is null. What was tried before, and waits for its next try, can be too.
UNDO = """
    update reply set state = 'undone', settled_at = $3
    where id = $1 and state = 'queued' and not automatic
      and ($2::text is null or written_by = $2)
    returning id
"""
# It was never sent: nothing of it stands at the marketplace.
UNSAY = """
    delete from message
    where account = $1 and id = 'reply:' || $2::bigint and delivery = 'sending'
"""
KEEP = """
    insert into reply (account, thread, body, addressed_to, state, next_try_at, queued_at,
                       settled_at, written_by, follow_up_at, reason)
    values ($1, $2, $3, $4, 'undone', 'infinity', $5, $5, $6, $7, 'kept')
    returning id
"""
TAKE_FILES = """
    update reply_file set reply = $2, number = number + $4
    where reply = $1 and number = any($3::integer[]) and exists (
        select from reply o join reply n on n.account = o.account and n.thread = o.thread
        where o.id = $1 and n.id = $2 and o.state = 'undone' and o.written_by = n.written_by
    )
"""
PURGE = """
    with gone as (
        delete from reply_file f using reply r
        where r.id = f.reply and r.state = 'undone' and r.settled_at < $1
        returning f.reply
    )
    select count(*) from gone
"""


async def undo(db: Db, reply: int, by: str | None, now: datetime) -> Reply | None:
    """Take *reply* back, if it is *by*'s (None: whosever it is); it does not leave any more.

    Returns:
        The reply; None where it has begun to leave, or was settled otherwise.
    """
    if await db.fetchval(UNDO, reply, by, now) is None:
        return None
    return await replies.of(db, reply)


async def unsay(db: Db, reply: Reply) -> None:
    """Take the message of a reply that was tried, and did not leave, out of its thread; held."""
    await db.execute(UNSAY, reply.account, reply.id)


async def keep(
    db: Db,
    account: str,
    thread: str,
    body: str,
    to: Collection[Party],
    now: datetime,
    *,
    by: str,
    follow_up_at: datetime | None,
) -> int:
    """Keep what *by* wrote, which does not leave as it is, for its files' sake; its id."""
    parties = sorted(party.value for party in to)
    kept: int = await db.fetchval(KEEP, account, thread, body, parties, now, by, follow_up_at)
    return kept


async def take_files(db: Db, old: int, new: int, numbers: Collection[int], first: int) -> None:
    """Let files of the undone reply *old* go with *new* of its writer, after *first* others."""
    await db.execute(TAKE_FILES, old, new, list(numbers), first)


async def purge(db: Db, before: datetime) -> int:
    """Forget the files of what was taken back before then; how many there were."""
    gone: int = await db.fetchval(PURGE, before)
    return gone
