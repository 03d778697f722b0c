"""What replies that have not left yet promise the buyer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from core.store import Db

# The last to leave: it would end what began before it.
RIDE = """
    update reply set follow_up_at = $3
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
WITH_REPLY = "select follow_up_at from reply where id = $1"


async def hold(db: Db, account: str, thread: str) -> None:
    """Let no queued reply of a thread begin to leave; the caller takes the thread after it."""
    await db.execute(HOLD, account, thread)


async def ride(db: Db, account: str, thread: str, due_at: datetime) -> bool:
    """Let the last reply of a thread that is still to leave promise an answer by *due_at*.

    The thread is held.

    Returns:
        Whether there is one.
    """
    return await db.fetchval(RIDE, account, thread, due_at) is not None


async def with_reply(db: Db, reply: int) -> datetime | None:
    """By when *reply* promises a further answer; None where it promises none."""
    due_at: datetime | None = await db.fetchval(WITH_REPLY, reply)
    return due_at
