"""Who is to be erased, and the proof that it was done: a row stays, the ids go with the work."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from core.store import Db

LEASE = timedelta(seconds=90)

ADD = """
    insert into erasure (connector, account, push, published_at, asked_at, members)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (connector, push) where push is not null do nothing
    returning id
"""
NAME = """
    insert into erasure_member (erasure, number, ids)
    select $1, w.number, array(select jsonb_array_elements_text(w.ids))
    from jsonb_array_elements($2::jsonb) with ordinality as w (ids, number)
"""
# Whose process died is taken up by another when the lease has ended. Whose threads were not sought
# yet come first: the others wait for texts to be looked through again.
CLAIM = """
    with due as (
        select id from erasure
        where done_at is null and (leased_until is null or leased_until <= now())
        order by sought_at is not null, id
        limit $1
        for update skip locked
    ), held as (
        update erasure e set leased_until = now() + $2::interval from due where e.id = due.id
        returning e.id, e.connector, e.account, e.asked_at, e.sought_at, e.threads > 0 as known
    )
    select h.id, h.connector, h.account, h.asked_at, h.sought_at, h.known,
           array(select i from erasure_member m cross join unnest(m.ids) as i
                 where m.erasure = h.id) as ids
    from held h order by h.id
"""
RENEW = """
    update erasure set leased_until = now() + $2::interval
    where id = any($1::bigint[]) and done_at is null
"""
RELEASE = "update erasure set leased_until = null where id = any($1::bigint[]) and done_at is null"
SOUGHT = "update erasure set sought_at = $2 where id = any($1::bigint[])"
COUNT = """
    update erasure e set threads = e.threads + w.threads, texts = e.texts + w.texts
    from unnest($1::bigint[], $2::integer[], $3::integer[]) as w (id, threads, texts)
    where e.id = w.id
"""
SOMETHING = """
    select exists (select from erasure where id = any($1::bigint[]) and threads + texts > 0)
"""
DONE = """
    with named as (delete from erasure_member where erasure = any($1::bigint[]))
    update erasure set done_at = $2, leased_until = null where id = any($1::bigint[])
"""
LIST = """
    select id, connector, account, push, published_at, asked_at, members, done_at, threads, texts
    from erasure where $1 or done_at is null or threads + texts > 0
    order by id desc
    limit $2
"""
OF = """
    select id, connector, account, push, published_at, asked_at, members, done_at, threads, texts
    from erasure where id = $1
"""
WAITING = "select count(*) as n, min(asked_at) as oldest from erasure where done_at is null"
# Of an account that the settings have left, too: what was stored of it is still there.
ACCOUNTS = """
    select name from account where connector = $1 and ($2::text is null or name = $2)
    order by name
"""
PURGE = """
    with gone as (delete from erasure where done_at < $1 returning true) select count(*) from gone
"""
# Whoever stores a page holds its stream, or shares its account: who waits for these has waited for
# every page that was looked through before.
AWAIT_SHARED = """
    select name from account where name = $1 for no key update
"""
AWAIT_LEASED = """
    select account, stream from stream where account = $1
    order by stream collate "C"
    for no key update
"""


@dataclass(frozen=True, slots=True)
class Request:
    """Members who are to be erased, by all their *ids*; *sought_at*: their threads are empty.

    *is_known*: there were such threads.
    """

    id: int
    connector: str
    account: str | None
    asked_at: datetime
    sought_at: datetime | None
    is_known: bool
    ids: frozenset[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proof:
    """What was asked, and what it came to; *done_at* is None while it is not done.

    *push* is the marketplace's id of the notification; None where a person asked.
    """

    id: int
    connector: str
    account: str | None
    push: str | None
    published_at: datetime | None
    asked_at: datetime
    members: int
    done_at: datetime | None
    threads: int
    texts: int


async def add(
    db: Db,
    connector: str,
    account: str | None,
    push: tuple[str, datetime | None] | None,
    members: Sequence[Collection[str]],
    now: datetime,
) -> int | None:
    """Write down that *members* are to be erased; its id.

    *push* is the notification that asks for it, and when that was sent first.

    Returns:
        None where the same push has asked for it before.
    """
    id_, published_at = push or (None, None)
    asked = (connector, account, id_, published_at, now, len(members))
    number: int | None = await db.fetchval(ADD, *asked)
    if number is not None:
        await db.execute(NAME, number, [sorted(ids) for ids in members])
    return number


async def claim(db: Db, most: int) -> list[Request]:
    """What is to be done, by nobody else for the time of a lease; what is new first, by age."""
    rows = await db.fetch(CLAIM, most, LEASE)
    return [
        Request(
            r["id"],
            r["connector"],
            r["account"],
            r["asked_at"],
            r["sought_at"],
            r["known"],
            frozenset(r["ids"]),
        )
        for r in rows
    ]


async def renew(db: Db, ids: Collection[int]) -> None:
    """Go on with these for another lease."""
    await db.execute(RENEW, list(ids), LEASE)


async def release(db: Db, ids: Collection[int]) -> None:
    """Let somebody else, or another round, go on with these."""
    await db.execute(RELEASE, list(ids))


async def sought(db: Db, ids: Collection[int], now: datetime) -> None:
    """Write down that the threads of these members are empty."""
    await db.execute(SOUGHT, list(ids), now)


async def count(db: Db, threads: Mapping[int, int], texts: Mapping[int, int]) -> None:
    """Count, by request, threads that were emptied, and rows that named somebody and do no more."""
    ids = sorted({*threads, *texts})
    if ids:
        those = [threads.get(id_, 0) for id_ in ids], [texts.get(id_, 0) for id_ in ids]
        await db.execute(COUNT, ids, *those)


async def came_to_something(db: Db, ids: Collection[int]) -> bool:
    """Whether anything was stored of one of these members."""
    something: bool = await db.fetchval(SOMETHING, list(ids))
    return something


async def done(db: Db, ids: Collection[int], now: datetime) -> None:
    """Write down that nothing is left of these members, and forget their ids."""
    await db.execute(DONE, list(ids), now)


async def proofs(db: Db, most: int, *, everything: bool = False) -> list[Proof]:
    """What was asked, the newest first: that came to something, or waits; or *everything*."""
    return [Proof(*row) for row in await db.fetch(LIST, everything, most)]


async def of(db: Db, number: int) -> Proof | None:
    """One of them; None where there is none."""
    row = await db.fetchrow(OF, number)
    return None if row is None else Proof(*row)


async def waiting(db: Db) -> tuple[int, datetime | None]:
    """How many are still to be done, and when the oldest of them was asked for."""
    row = await db.fetchrow(WAITING)
    return (row["n"], row["oldest"]) if row else (0, None)


async def accounts(db: Db, connector: str, account: str | None) -> list[str]:
    """The accounts in which members of a connector are looked for: one of them, or all."""
    return [row["name"] for row in await db.fetch(ACCOUNTS, connector, account)]


async def await_shared(db: Db, account: str) -> None:
    """Wait for the transactions that share the account: pushes, looks, whatever is said here."""
    await db.fetch(AWAIT_SHARED, account)


async def await_leased(db: Db, account: str) -> None:
    """Wait for the pages of the account that are just being stored under a lease."""
    await db.fetch(AWAIT_LEASED, account)


async def purge(db: Db, before: datetime) -> int:
    """Remove the proofs of what was done before then; how many there were."""
    gone: int = await db.fetchval(PURGE, before)
    return gone
