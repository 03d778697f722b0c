"""Floods: when far more came to an account than it is used to, as when a robot fills in a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from core.store import Db

STARTED = "select account, sum(n)::bigint as n from tally where result = 'started' group by account"
WRITTEN = """
    select count(*) as n, min(sent_at) as since from message
    where account = $1 and party = 'buyer' and sent_at > $2 and sent_at <= $3
"""
# By hour of the week in UTC; what came in a flood is not what is usual.
USUAL = """
    select max(n) as busiest, min(first) as first
    from (
        select count(*) as n, min(sent_at) as first from message m
        where account = $1 and party = 'buyer' and sent_at >= $2 and sent_at < $3
          and not exists (
              select from flood f
              where f.account = m.account and m.sent_at >= f.since
                and (f.until is null or m.sent_at <= f.until)
          )
        group by extract(isodow from sent_at), extract(hour from sent_at)
    ) hours
"""
BEGIN = """
    insert into flood (account, since) values ($1, $2)
    on conflict do nothing
    returning true
"""
GO_ON = "select account, since from flood where until is null order by account"
END = "update flood set until = $3 where account = $1 and since = $2 and until is null"
PURGE = "delete from flood where until < $1"


class Flood(NamedTuple):
    """One that goes on: *since* its first message."""

    account: str
    since: datetime


async def started(db: Db) -> dict[str, int]:
    """How many clocks have ever started, by account."""
    return {row["account"]: row["n"] for row in await db.fetch(STARTED)}


async def written(
    db: Db, account: str, begin: datetime, end: datetime
) -> tuple[int, datetime | None]:
    """How many buyers' messages were written after *begin*, up to *end*, and when the first was."""
    (row,) = await db.fetch(WRITTEN, account, begin, end)
    return row["n"], row["since"]


async def busiest(
    db: Db, account: str, begin: datetime, end: datetime
) -> tuple[int, datetime | None]:
    """Buyers' messages in the busiest hour of the week, over all weeks from *begin* to *end*.

    The second is when the first message was written; None where there is none. Not those of floods.
    """
    (row,) = await db.fetch(USUAL, account, begin, end)
    return row["busiest"] or 0, row["first"]


async def begin(db: Db, account: str, since: datetime) -> bool:
    """Remember a flood; False where one goes on already."""
    return bool(await db.fetchval(BEGIN, account, since))


async def go_on(db: Db) -> list[Flood]:
    """Those that go on, by account."""
    return [Flood(*row) for row in await db.fetch(GO_ON)]


async def end(db: Db, flood: Flood, until: datetime) -> None:
    """It is over, *until* then it went on."""
    await db.execute(END, flood.account, flood.since, until)


async def purge(db: Db, before: datetime) -> int:
    """Forget floods that were over *before*; how many."""
    return int((await db.execute(PURGE, before)).split()[-1])
