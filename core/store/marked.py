"""What people said of threads here, and took back: corrected beside what they said, which stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from core.store import Db

# A correction stands beside what was said, which stays: nothing is ever unsaid, only not counted.
TAKE_BACK = """
    update message set kind_corrected = 'internal'
    where account = $1 and thread = $2 and id = $3 and party = 'seller'
      and (kind = 'no_reply_needed' and origin = 'ours' or kind = 'answered_elsewhere')
      and kind_corrected is null
    returning kind
"""
SAY_AGAIN = """
    update message set kind_corrected = null, seen_at = $3
    where account = $1 and id = $2 and party = 'seller' and kind_corrected = 'internal'
      and (kind = 'no_reply_needed' and origin = 'ours' or kind = 'answered_elsewhere')
    returning id
"""
OF = """
    select id, kind, level, sent_at, seen_at from message
    where account = $1 and thread = $2 and party = 'seller' and kind_corrected is null
      and (kind = 'no_reply_needed' and origin = 'ours' or kind = 'answered_elsewhere')
    order by seen_at desc, id desc
    limit 20
"""


class Said(NamedTuple):
    """What a person said of a thread: `no_reply_needed` at a *level*, or `answered_elsewhere`."""

    id: str
    kind: str
    level: str | None
    sent_at: datetime
    seen_at: datetime


async def of(db: Db, account: str, thread: str) -> list[Said]:
    """What people said of a thread and stands, the newest first."""
    return [Said(*row) for row in await db.fetch(OF, account, thread)]


async def take_back(db: Db, account: str, thread: str, said: str) -> str | None:
    """Let what was said as the message *said* not count; the thread is held.

    Returns:
        What kind it was; None where nobody said that, or it was taken back.
    """
    kind: str | None = await db.fetchval(TAKE_BACK, account, thread, said)
    return kind


async def say_again(db: Db, account: str, said: str, now: datetime) -> bool:
    """Let what was said as the message *said*, and taken back, count again; the thread is held.

    Returns:
        Whether it was taken back.
    """
    return await db.fetchval(SAY_AGAIN, account, said, now) is not None
