"""When pushes about an account came, and when anybody listened: slots of five minutes, by hour.

What is marked twice is marked once, whoever does it: nothing here needs an order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from core.store import Db

MARK = """
    insert into push_hour (account, hour, slots)
    select name, $2, $3 from unnest($1::text[]) as w (name) order by name
    on conflict (account, hour) do update set slots = push_hour.slots | excluded.slots
"""
LISTENED = """
    insert into listened_hour (hour, slots)
    select hour, slots from unnest($1::timestamptz[], $2::smallint[]) as w (hour, slots)
    order by hour
    on conflict (hour) do update set slots = listened_hour.slots | excluded.slots
"""
ALL_LISTENED = "select hour, slots from listened_hour where hour >= $1 and hour <= $2"
HEARD = "select hour, slots from push_hour where account = $1 and hour >= $2 and hour <= $3"
# What lies ahead was marked by a clock that ran ahead.
LAST = """
    select a.name as account, a.monitored_since, p.last_at, p.quiet_since, h.hour, h.slots
    from account a
    left join pushing p on p.account = a.name
    left join lateral (
        select hour, slots from push_hour h
        where h.account = a.name and h.hour <= $2
        order by hour desc
        limit 1
    ) h on true
    where a.name = any($1) and a.retired_at is null
    order by a.name
"""
PURGE = """
    with pushed as (
        delete from push_hour where hour < $1 or hour > $2 returning 1
    ), listened as (
        delete from listened_hour where hour < $1 or hour > $2 returning 1
    )
    select (select count(*) from pushed) + (select count(*) from listened)
"""


class Last(NamedTuple):
    """Of an account: the last hour with a push and its *slots*, up to now; None: there was none.

    *last_at* is when the last one was stored, whatever the host's clock was then.
    """

    account: str
    monitored_since: datetime
    last_at: datetime | None
    quiet_since: datetime | None
    hour: datetime | None
    slots: int | None


async def mark(db: Db, accounts: Collection[str], hour: datetime, slots: int) -> None:
    """Pushes about *accounts* came in these *slots* of *hour*."""
    await db.execute(MARK, list(accounts), hour, slots)


async def listened(db: Db, slots: Mapping[datetime, int]) -> None:
    """Somebody listened all through these *slots*, by hour."""
    await db.execute(LISTENED, list(slots), list(slots.values()))


async def all_listened(db: Db, begin: datetime, end: datetime) -> dict[datetime, int]:
    """The slots in which somebody listened, by hour."""
    return {row["hour"]: row["slots"] for row in await db.fetch(ALL_LISTENED, begin, end)}


async def heard(db: Db, account: str, begin: datetime, end: datetime) -> dict[datetime, int]:
    """The slots in which a push about *account* came, by hour."""
    return {row["hour"]: row["slots"] for row in await db.fetch(HEARD, account, begin, end)}


async def last(db: Db, accounts: Collection[str], now: datetime) -> list[Last]:
    """When each of *accounts* was last pushed something, up to *now*."""
    return [Last(*row) for row in await db.fetch(LAST, list(accounts), now)]


async def purge(db: Db, before: datetime, after: datetime) -> int:
    """Forget hours *before*, and those *after*, which a clock that ran ahead has left; how many."""
    return int(await db.fetchval(PURGE, before, after))
