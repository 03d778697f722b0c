"""What operators said of since when a promise has been in force; versions stay as they are.

A re-date is a fact of its own: it names what was loaded when, and since when that counts; the last
one said stands. Whoever works by promises takes them in (`core.running.redating`), and computes
what was told since then again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from core.store import EVER, accounts

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.store import Db

Begun: TypeAlias = Mapping[tuple[str, datetime], datetime]
"""By name and instant of a loading: since when it has been in force in truth."""

BEGUN = """
    select distinct on (name, loaded_at) name, loaded_at, since from redate
    where name = any($1) order by name, loaded_at, said_at desc
"""
NEWEST = "select max(said_at) from redate"
# One speaker at a time, and no loader meanwhile: what was said later has the later instant.
ALONE = "lock table policy_version, promise, redate in share row exclusive mode"
SAY = """
    insert into redate (name, loaded_at, since, said_at)
    select $1, $2, $3, greatest($4, max(said_at) + interval '1 microsecond') from redate
    having $2 = (select max(loaded_at) from policy_version where name = $1)
    returning said_at
"""
# Between what was said of a loading before and what is said now something may lie: the earliest of
# all counts, and it is not later than what was loaded. A moment earlier than anything that was to
# be computed before: who is at that, by the old dates, does not take this for done.
OUTDATE = """
    with news as (
        select p.account, min(r.since) as since
        from redate r join promise p on p.name = r.name
        where r.name in (select name from redate where said_at > $1)
        group by p.account
    ), held as (
        select a.name, n.since from account a join news n on n.account = a.name
        order by a.name
        for no key update of a
    )
    update account a
    set outdated_since = least(a.outdated_since, h.since) - interval '1 microsecond'
    from held h where a.name = h.name
"""
HOLDERS = """
    select a.name, a.monitored_since
    from promise p join account a on a.name = p.account and a.retired_at is null
    where p.name = $1 and p.until is null
    order by a.name
"""
PROMISED = "select distinct name from promise order by name"


async def begun(db: Db, names: Collection[str]) -> dict[tuple[str, datetime], datetime]:
    """What was said last of the loadings of these promises."""
    rows = await db.fetch(BEGUN, sorted(names))
    return {(row["name"], row["loaded_at"]): row["since"] for row in rows}


async def newest(db: Db) -> datetime | None:
    """When something was said last; None where nothing ever was."""
    said_at: datetime | None = await db.fetchval(NEWEST)
    return said_at


async def say(db: Db, name: str, loaded_at: datetime, since: datetime, now: datetime) -> bool:
    """Say that what was *loaded_at* then of *name* has been in force *since* an instant.

    The accounts that have the promise are to be computed again. False where something was loaded
    after it meanwhile.
    """
    await db.execute(accounts.LOCK)
    await db.execute(ALONE)
    known = await newest(db)
    said_at = await db.fetchval(SAY, name, loaded_at, since, now)
    if said_at is None:
        return False
    await outdate(db, known)
    return True


async def outdate(db: Db, known: datetime | None) -> None:
    """Remember that what was told since what was said after *known* is to be computed again."""
    await db.execute(OUTDATE, known or EVER)


async def holders(db: Db, name: str) -> dict[str, datetime]:
    """The accounts that have the promise *name*, and since when each is monitored."""
    return {row["name"]: row["monitored_since"] for row in await db.fetch(HOLDERS, name)}


async def promised(db: Db) -> list[str]:
    """The names of all promises that an account has, or had."""
    return [row["name"] for row in await db.fetch(PROMISED)]
