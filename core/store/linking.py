"""What links in notices are signed with, and what they are about."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.model import NoticeKind

if TYPE_CHECKING:
    from datetime import datetime

    from core.store import Db

BYTES = 32
MAKE = "insert into link_key (key) values ($1) on conflict do nothing"
KEY = "select key from link_key"
# A rung is about the notice that climbs; its clock may have moved to another thread.
ABOUT = """
    select n.id, n.kind, n.account, coalesce(c.thread, n.thread) as thread, n.due_at,
           c.ended is not null as ended,
           exists (
               select from escalation e where e.notice = n.id and e.ended = 'acknowledged'
           ) as acknowledged
    from notice told
    left join escalation climbing on told.kind = 'escalation'
        and climbing.id = (told.facts ->> 'escalation')::bigint
    join notice n on n.id = coalesce(climbing.notice, told.id)
    left join clock c on c.id = n.clock
    where told.id = $1
"""


@dataclass(frozen=True, slots=True)
class About:
    """A *notice* that somebody can take. *over*: nobody need act any more."""

    notice: int
    kind: NoticeKind
    account: str
    thread: str | None
    due_at: datetime | None
    over: bool
    acknowledged: bool


async def key(db: Db) -> bytes:
    """The key of this installation; made by whoever asks first."""
    found: bytes | None = await db.fetchval(KEY)
    if found is None:
        await db.execute(MAKE, secrets.token_bytes(BYTES))
        found = await db.fetchval(KEY)
    if found is None:
        raise RuntimeError("the key of links was removed while it was read")
    return found


async def about(db: Db, notice: int) -> About | None:
    """What the link of *notice* is about; None: it is kept no more."""
    row = await db.fetchrow(ABOUT, notice)
    if row is None:
        return None
    return About(
        row["id"],
        NoticeKind(row["kind"]),
        row["account"],
        row["thread"],
        row["due_at"],
        bool(row["ended"]),
        row["acknowledged"],
    )
