"""Which reply a form became: a form that is sent twice, or loaded again, sends nothing twice.

What did not leave after all was sent by none: it may come again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from core.store import Db

ADD = """
    insert into reply_form (key, reply, sent_at) values ($1, $2, $3)
    on conflict (key) do update set reply = excluded.reply, sent_at = excluded.sent_at
"""
REPLY = """
    select reply from reply_form f join reply r on r.id = f.reply
    where f.key = $1 and r.account = $2 and r.thread = $3
      and ($4 or r.state not in ('undone', 'refused'))
"""
PURGE = """
    with gone as (delete from reply_form where sent_at < $1 returning key)
    select count(*) from gone
"""


async def add(db: Db, key: str, reply: int, now: datetime) -> None:
    """Remember that the form *key* became *reply*."""
    await db.execute(ADD, key, reply, now)


async def reply(db: Db, key: str, account: str, thread: str, *, unsent: bool) -> int | None:
    """The reply in a thread that the form *key* became; None where it has become none.

    Without *unsent*: none that has left, or will.
    """
    found: int | None = await db.fetchval(REPLY, key, account, thread, unsent)
    return found


async def purge(db: Db, before: datetime) -> int:
    """Forget forms that were sent before then; how many there were."""
    gone: int = await db.fetchval(PURGE, before)
    return gone
