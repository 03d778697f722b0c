"""What was pushed, and whether pushes about an account arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from asyncpg import Record

    from core.store import Db

# In order, as two processes that were sent the same wait for one another.
NOTE = """
    insert into push (account, id, topic, received_at)
    select distinct on (account, id) account, id, topic, $4
    from unnest($1::text[], $2::text[], $3::text[]) as w (account, id, topic)
    order by account, id
    on conflict (account, id) do nothing
    returning account, id
"""
PURGE = "delete from push where received_at < $1"
# What is an hour ahead was left by a clock that ran ahead.
HEARD = """
    with before as materialized (
        select account, last_at from pushing where account = any($1)
    )
    insert into pushing (account, last_at)
    select name, $2 from unnest($1::text[]) as w (name) order by name
    on conflict (account) do update
    set last_at = case when pushing.last_at > excluded.last_at + interval '1 hour'
                       then excluded.last_at
                       else greatest(pushing.last_at, excluded.last_at) end,
        missed = 0, missed_since = null, quiet_since = null
    returning account, missed, missed_since, troubles, silent_since, quiet_since,
              (select b.last_at from before b where b.account = pushing.account) as before
"""
MISSED = """
    insert into pushing (account, missed, missed_since) values ($1, 1, $2)
    on conflict (account) do update
    set missed = pushing.missed + 1, missed_since = coalesce(pushing.missed_since, $2)
    returning account, missed, missed_since, troubles, silent_since, quiet_since
"""
TOLD = """
    with before as materialized (select troubles from pushing where account = $1)
    insert into pushing (account, troubles) values ($1, $2::text[])
    on conflict (account) do update set troubles = excluded.troubles
    returning account, missed, missed_since, troubles, silent_since, quiet_since,
              array(select each from unnest($2::text[]) as each
                    where each <> all (select unnest(b.troubles) from before b)
                    order by each) as fresh,
              array(select unnest(b.troubles) from before b) as was
"""
QUIET = """
    insert into pushing (account, quiet_since) values ($1, $2)
    on conflict (account) do update set quiet_since = $2
    where pushing.quiet_since is null and pushing.last_at is not distinct from $3
    returning account, missed, missed_since, troubles, silent_since, quiet_since
"""
SILENT = "update pushing set silent_since = $2 where account = $1"
STATES = "select account, last_at, silent_since is not null as silent from pushing"


@dataclass(frozen=True, slots=True)
class Pushing:
    """Whether pushes about *account* arrive: see the comments of the table.

    *before* is when the last one came, but for those of this transaction; None where nobody asked.
    *fresh* are the troubles that the marketplace did not tell the last time, in order; *was* is
    what it told then.
    """

    account: str
    missed: int
    missed_since: datetime | None
    troubles: tuple[str, ...]
    silent_since: datetime | None
    quiet_since: datetime | None
    before: datetime | None = None
    fresh: tuple[str, ...] = ()
    was: tuple[str, ...] = ()


async def note(
    db: Db, pushed: Iterable[tuple[str, str, str]], now: datetime
) -> frozenset[tuple[str, str]]:
    """Remember what was pushed: (account whose address it came to, its id, its topic).

    Returns:
        Those (account, id) that were not known; another transaction's is waited for.
    """
    columns = [list(column) for column in zip(*pushed, strict=True)]
    if not columns:
        return frozenset()
    rows = await db.fetch(NOTE, *columns, now)
    return frozenset((row["account"], row["id"]) for row in rows)


async def purge(db: Db, before: datetime) -> int:
    """Forget what was pushed *before*; how many."""
    return int((await db.execute(PURGE, before)).split()[-1])


async def heard(db: Db, accounts: Collection[str], now: datetime) -> list[Pushing]:
    """A push about each of *accounts* was stored: nothing is missed any more. How they stand."""
    return [_pushing(row) for row in await db.fetch(HEARD, list(accounts), now)]


async def missed(db: Db, account: str, now: datetime) -> Pushing:
    """A walk found what no push had brought; how the account stands."""
    return _only(await db.fetch(MISSED, account, now))


async def told(db: Db, account: str, troubles: Sequence[str]) -> Pushing:
    """The marketplace said why no push can arrive; how the account stands."""
    return _only(await db.fetch(TOLD, account, list(troubles)))


async def quiet(db: Db, account: str, since: datetime, last_at: datetime | None) -> Pushing | None:
    """Nothing came *since* then, for too long; how the account stands.

    None where something came since *last_at* after all, or another has found it already.
    """
    rows = await db.fetch(QUIET, account, since, last_at)
    return _pushing(rows[0]) if rows else None


async def silent(db: Db, account: str, since: datetime | None) -> None:
    """Remember since when pushes do not arrive, as is told now; None: they do again."""
    await db.execute(SILENT, account, since)


async def states(db: Db) -> dict[str, tuple[datetime | None, bool]]:
    """By account when its last push was stored, and whether it is told that none arrive."""
    return {row["account"]: (row["last_at"], row["silent"]) for row in await db.fetch(STATES)}


def _only(rows: Sequence[Record]) -> Pushing:
    return _pushing(rows[0])


def _pushing(row: Record) -> Pushing:
    lists = {name: tuple(row[name]) for name in ("troubles", "fresh", "was") if name in row}
    return Pushing(**{**row, **lists})
