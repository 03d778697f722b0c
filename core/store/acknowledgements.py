"""Acknowledgements: automatic replies, and what decides whether one is to be queued or to leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from core.store import wake

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from core.store import Db

# After threads and clocks; who holds it asks for no other lock.
HOLD = "select pg_advisory_xact_lock(hashtextextended('acknowledge ' || $1::text, 0))"
# Of a waiting that its first message began: one that only moved it ("latest") is not first. What
# was written before a restore may have been acknowledged since the dump.
WAITING = """
    select distinct on (c.thread) c.thread, c.started_by as message, c.started_at as at,
           coalesce(t.closed_at, t.absent_since, t.erased_at) is not null as shut, t.reply_to,
           t.keys, (select max(r.queued_at) from reply r
                    where r.account = $1 and r.thread = c.thread and r.automatic) as last_at
    from clock c join thread t on t.account = c.account and t.id = c.thread
    where c.account = $1 and c.started_by = any($2::text[]) and c.members[1] = c.started_by
      and c.ended is null and not c.history and c.waits_for = 'buyer' and c.metric <> 'given'
      and c.started_at > coalesce((select restored_at from account where name = $1), '-infinity')
    order by c.thread, c.started_at
"""
LATELY = """
    select r.queued_at, t.keys
    from reply r join thread t on t.account = r.account and t.id = r.thread
    where r.account = $1 and r.automatic and r.queued_at > $2
"""
QUEUE = """
    insert into reply (account, thread, body, addressed_to, next_try_at, queued_at, automatic,
                       subject)
    values ($1, $2, $3, '{buyer}', now(), $4, true, $5)
"""
IS_SHUT = """
    select coalesce(closed_at, absent_since, erased_at) is not null from thread
    where account = $1 and id = $2
"""


class Waiting(NamedTuple):
    """A thread in which *message* began a waiting that runs, *at* the instant from which it counts.

    *shut*: it is closed, absent or erased. *last_at* is when it was acknowledged last, whatever
    became of that.
    """

    thread: str
    message: str
    at: datetime
    shut: bool
    reply_to: Mapping[str, str]
    keys: Sequence[bytes] | None
    last_at: datetime | None


@dataclass(slots=True)
class Lately:
    """What an account has acknowledged for some time: when, and by which keys its buyers are known.

    It grows with each that is queued.
    """

    instants: list[datetime]
    keys: set[bytes]

    def add(self, at: datetime, keys: Collection[bytes] | None) -> None:
        """One more."""
        self.instants.append(at)
        self.keys.update(keys or ())


async def hold(db: Db, account: str) -> None:
    """Let nobody else decide of *account* before this transaction ends."""
    await db.execute(HOLD, account)


async def waiting(db: Db, account: str, messages: Collection[str]) -> list[Waiting]:
    """The threads in which one of *messages* began a waiting of the buyer's that still runs."""
    return [Waiting(*row) for row in await db.fetch(WAITING, account, list(messages))]


async def lately(db: Db, account: str, since: datetime) -> Lately:
    """What was acknowledged after *since*; the account is held."""
    rows = await db.fetch(LATELY, account, since)
    keys = {key for row in rows for key in row["keys"] or ()}
    return Lately([row["queued_at"] for row in rows], keys)


async def queue(db: Db, account: str, thread: str, text: str, subject: str, now: datetime) -> None:
    """Queue an acknowledgement in a thread that is held, and wake who sends it."""
    await db.execute(QUEUE, account, thread, text, now, subject)
    await wake.send(db, "reply")


async def is_shut(db: Db, account: str, thread: str) -> bool:
    """Whether a thread is closed, absent or erased."""
    shut: bool | None = await db.fetchval(IS_SHUT, account, thread)
    return shut is not False
