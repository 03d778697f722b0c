"""Who works: an advisory lock on a connection of its own is a worker's life.

Whoever can take the lock of another knows that its session is gone, and frees its leases at once
instead of at their end. The lease's end remains the bound for what the server cannot see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from asyncpg import Connection, Record

    from core.store import Db

LOCK = 0x7265_706C
"""The class of the advisory locks; the worker's id is the object."""

REGISTER = """
    with fresh as (select (random() * 2147483646)::integer + 1 as id)
    insert into worker (id) select id from fresh where pg_try_advisory_lock($1::integer, id)
    on conflict do nothing
    returning id
"""
LEAVE = "delete from worker where id = $1"
ALIVE = """
    select count(*) from pg_locks
    where locktype = 'advisory' and classid = $1::integer::oid
      and database = (select oid from pg_database where datname = current_database())
"""
# What a stopped process has locked is waited for by nobody: the next look, till then it stays dead.
LOOK = """
    with dead as materialized (
        select id from worker
        where case when id <> $2 then pg_try_advisory_xact_lock($1::integer, id::integer) end
        for update skip locked
    ), theirs as materialized (
        select s.account, s.stream from stream s join dead on dead.id = s.holder
        order by s.account, s.stream
        for no key update of s skip locked
    ), gone as (
        delete from worker w using dead
        where w.id = dead.id and not exists (
            select from stream s where s.holder = dead.id and not exists (
                select from theirs where theirs.account = s.account and theirs.stream = s.stream
            )
        )
    ), freed as (
        update stream s
        set holder = null, leased_until = null, pulled_to = null, next_due = now(),
            fence = fence + 1
        from theirs where s.account = theirs.account and s.stream = theirs.stream
        returning s.account, s.stream
    )
    select exists (select from worker where id <> $2) as others, clock_timestamp() as clock,
           array(select account from freed order by account, stream) as accounts,
           array(select stream from freed order by account, stream) as streams
"""


class Look(NamedTuple):
    """What a worker sees: *others* are registered or were, the database's clock, what it *freed*.

    The streams (account, name) that it freed are due again.
    """

    others: bool
    clock: datetime
    freed: list[tuple[str, str]]


async def register(connection: Connection[Record]) -> int:
    """Take a free number and hold it for as long as *connection* lives.

    The connection is the worker's own, and not behind a pooler of transactions.
    """
    while (worker := await connection.fetchval(REGISTER, LOCK)) is None:
        pass
    return int(worker)


async def leave(db: Db, worker: int) -> None:
    """Strike *worker* from the list; its leases are handed back by `streams.free`."""
    await db.execute(LEAVE, worker)


async def alive(db: Db) -> int:
    """How many workers hold their lock."""
    return int(await db.fetchval(ALIVE, LOCK))


async def look(db: Db, worker: int) -> Look:
    """Free the leases of workers whose session is gone; *worker* is the one that asks.

    A stream that is locked is left to the next look.
    """
    (row,) = await db.fetch(LOOK, LOCK, worker)
    return Look(
        row["others"], row["clock"], list(zip(row["accounts"], row["streams"], strict=True))
    )
