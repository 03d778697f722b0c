"""Claims: who works on a thread, and until when it is theirs.

One at a time of a thread. Whoever changes one holds the thread, as whoever stores an answer does:
an answer ends the claim in its own transaction, and none is made behind its back. A claim whose
time is over holds nobody back, whether or not that was written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.store import rungs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from asyncpg import Record

    from core.store import Db

Ended = Literal["answered", "released", "taken_over", "lapsed"]
Ref = tuple[str, str]
SHARED = "notifier:"
"""How the name of a claim begins that was made by a link to several."""

CURRENT = """
    select account, thread, by, since, until from claim
    where account = $1 and thread = $2 and ended_at is null
"""
OF = """
    select c.account, c.thread, c.by, c.since, c.until
    from unnest($1::text[], $2::text[]) as w (account, thread)
    join claim c on c.account = w.account and c.thread = w.thread and c.ended_at is null
    where c.until > $3
"""
DUE = """
    select min(due_at) from clock
    where account = $1 and thread = $2 and ended is null and not history and steps <> '{}'
"""
TAKE = """
    insert into claim (account, thread, by, since, until) values ($1, $2, $3, $4, $5)
    on conflict (account, thread) where ended_at is null do nothing
    returning account, thread, by, since, until
"""
RENEW = """
    update claim set until = $4
    where account = $1 and thread = $2 and by = $3 and until = $5 and ended_at is null
    returning account, thread, by, since, until
"""
END = """
    update claim set ended = $4, ended_at = $5
    where account = $1 and thread = $2 and by = $3 and ended_at is null
    returning true
"""
ANSWERED = """
    update claim c set ended = 'answered', ended_at = greatest(c.since, $3)
    from unnest($1::text[], $2::text[]) as w (account, thread)
    where c.account = w.account and c.thread = w.thread and c.ended_at is null and c.until > $3
    returning c.account, c.thread
"""
LAPSE = """
    update claim set ended = 'lapsed', ended_at = until
    where ended_at is null and until <= $1
    returning account, thread, by, since, until
"""
NEXT_END = "select min(until) from claim where ended_at is null"
HOLDING = "select count(*) from claim where ended_at is null and until > $1"
HISTORY = """
    select account, thread, by, since, until, ended_at, ended from claim
    where account = $1 and thread = $2
    order by id desc
    limit $3
"""
PURGE = "delete from claim where ended_at < $1"


@dataclass(frozen=True, slots=True)
class Claim:
    """A thread is *by*'s from *since*; from *until* on it is anybody's again.

    *by* is a person's name, or a notifier's whose link several may follow.
    """

    account: str
    thread: str
    by: str
    since: datetime
    until: datetime

    @property
    def is_shared(self) -> bool:
        """Whether it was made by a link that several may follow: any of them goes on with it."""
        return self.by.startswith(SHARED)

    def holds(self, now: datetime) -> bool:
        """Whether it lasts: the ladder stands still, and others keep off the thread."""
        return now < self.until


@dataclass(frozen=True, slots=True)
class Past:
    """A claim and what became of it; *ended* None: nobody has written down that it ended."""

    claim: Claim
    ended_at: datetime | None
    ended: Ended | None


async def current(db: Db, account: str, thread: str) -> Claim | None:
    """The claim that was not ended, though its time may be over; the caller holds the thread."""
    row = await db.fetchrow(CURRENT, account, thread)
    return None if row is None else _claim(row)


async def of(db: Db, threads: Collection[Ref], now: datetime) -> dict[Ref, Claim]:
    """The claims that hold at *now*, of *threads* by (account, id)."""
    refs = list(threads)
    accounts, ids = [account for account, _ in refs], [id_ for _, id_ in refs]
    rows = await db.fetch(OF, accounts, ids, now)
    return {(row["account"], row["thread"]): _claim(row) for row in rows}


async def due_at(db: Db, account: str, thread: str) -> datetime | None:
    """The nearest deadline that runs in a thread, passed ones too; None: none does."""
    at: datetime | None = await db.fetchval(DUE, account, thread)
    return at


async def take(db: Db, claim: Claim) -> Claim | None:
    """Write *claim*; None where the thread has one that was not ended."""
    row = await db.fetchrow(TAKE, claim.account, claim.thread, claim.by, claim.since, claim.until)
    return None if row is None else _claim(row)


async def renew(db: Db, claim: Claim, until: datetime) -> Claim | None:
    """Let *claim* end *until* then; None where it is another by now."""
    row = await db.fetchrow(RENEW, claim.account, claim.thread, claim.by, until, claim.until)
    return None if row is None else _claim(row)


async def end(db: Db, claim: Claim, how: Ended, at: datetime) -> bool:
    """End *claim*, and let leave what it has held; whether it was not ended before."""
    ended = bool(await db.fetchval(END, claim.account, claim.thread, claim.by, how, at))
    if ended:
        await rungs.free(db, [(claim.account, claim.thread)])
    return ended


async def answered(db: Db, threads: Mapping[str, Collection[str]], now: datetime) -> None:
    """End the claims of *threads*, by account, of which an answer or a mark has ended a clock.

    In the transaction that ends the clock, the threads held. What had lapsed before is left alone.
    What they have held leaves: another clock of the thread may run on.
    """
    refs = [(account, thread) for account, ids in threads.items() for thread in sorted(ids)]
    if refs:
        of = [account for account, _ in refs], [id_ for _, id_ in refs]
        ended = await db.fetch(ANSWERED, *of, now)
        await rungs.free(db, [(row["account"], row["thread"]) for row in ended])


async def lapse(db: Db, now: datetime) -> list[Claim]:
    """Write down which claims have ended by themselves; those."""
    return [_claim(row) for row in await db.fetch(LAPSE, now)]


async def next_end(db: Db) -> datetime | None:
    """When the next claim ends by itself; None while there is none."""
    at: datetime | None = await db.fetchval(NEXT_END)
    return at


async def holding(db: Db, now: datetime) -> int:
    """How many claims hold at *now*."""
    n: int = await db.fetchval(HOLDING, now)
    return n


async def history(db: Db, account: str, thread: str, limit: int = 20) -> Sequence[Past]:
    """The last claims of a thread, newest first."""
    rows = await db.fetch(HISTORY, account, thread, limit)
    return [Past(_claim(row), row["ended_at"], row["ended"]) for row in rows]


async def purge(db: Db, before: datetime) -> int:
    """Forget claims that ended *before*; how many."""
    return int((await db.execute(PURGE, before)).split()[-1])


def _claim(row: Record) -> Claim:
    return Claim(row["account"], row["thread"], row["by"], row["since"], row["until"])
