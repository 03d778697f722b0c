"""What replies that have not left yet promise the buyer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.store import Raced

if TYPE_CHECKING:
    from datetime import datetime

    from core.store import Db

# The last to leave: it would end what began before it.
RIDE = """
    update reply set follow_up_at = $3, follow_up_apart = true
    where id = (
        select id from reply
        where account = $1 and thread = $2 and state in ('queued', 'sending') and not automatic
          and 'buyer' = any(addressed_to)
        order by id desc limit 1
    ) and state in ('queued', 'sending')
    returning id
"""
# Before the thread, as who lets replies leave takes the two.
HOLD = """
    select id from reply
    where account = $1 and thread = $2 and state = 'queued' and not automatic
    order by id
    for update
"""
# Whoever has one of these waits for the thread.
RACED = """
    with free as materialized (
        select id from reply
        where account = $1 and thread = $2 and state = 'queued' and not automatic
        order by id
        for update skip locked
    )
    select exists (
        select from reply
        where account = $1 and thread = $2 and state = 'queued' and not automatic
          and id <> all (select id from free)
    )
"""
WAITING = """
    select min(follow_up_at) from reply
    where account = $1 and thread = $2 and state in ('queued', 'sending') and not automatic
"""
UNREAD = """
    select max(coalesce(settled_at, left_at)) from reply
    where account = $1 and thread = $2 and state in ('accepted', 'unknown') and not automatic
      and 'buyer' = any(addressed_to)
"""
TAKE = """
    with was as (
        select id, follow_up_at from reply
        where id = $1 and follow_up_at is not null and (follow_up_apart or not $2)
        for update
    )
    update reply r set follow_up_at = null from was where r.id = was.id
    returning was.follow_up_at
"""


async def hold(db: Db, account: str, thread: str) -> None:
    """Let no queued reply of a thread begin to leave; the caller takes the thread after it."""
    await db.execute(HOLD, account, thread)


async def check_held(db: Db, account: str, thread: str) -> None:
    """Hold what was queued while the thread was waited for, too; it is held by now.

    Raises:
        Raced: one begins to leave, or is taken back, by somebody who waits for the thread.
    """
    if await db.fetchval(RACED, account, thread):
        raise Raced


async def ride(db: Db, account: str, thread: str, due_at: datetime) -> bool:
    """Let the last reply of a thread that is still to leave promise an answer by *due_at*.

    The thread is held.

    Returns:
        Whether there is one.
    """
    return await db.fetchval(RIDE, account, thread, due_at) is not None


async def waiting(db: Db, account: str, thread: str) -> datetime | None:
    """By when a reply that is still to leave promises a further answer; None where none does."""
    due_at: datetime | None = await db.fetchval(WAITING, account, thread)
    return due_at


async def unread(db: Db, account: str, thread: str) -> datetime | None:
    """When the last reply to the buyer left that was not seen at the marketplace yet."""
    at: datetime | None = await db.fetchval(UNREAD, account, thread)
    return at


async def take(db: Db, reply: int, *, apart: bool = False) -> datetime | None:
    """Take from *reply*, once, what it promises, or only what was promised *apart* from it.

    Returns:
        By when; None where it promises none, or that was taken.
    """
    due_at: datetime | None = await db.fetchval(TAKE, reply, apart)
    return due_at
