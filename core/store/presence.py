"""Who has the box for an answer open in which thread: names and instants, no word of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.store import Db

# Whether somebody has come whom others did not see until now.
HERE = """
    with was as (
        select at from presence where account = $1 and thread = $2 and name = $3
    ), put as (
        insert into presence (account, thread, name, title, at) values ($1, $2, $3, $4, $5)
        on conflict (account, thread, name) do update
        set at = greatest(presence.at, excluded.at), title = excluded.title
    )
    select not exists (select from was where at > $6)
"""
LEFT = """
    delete from presence where account = $1 and thread = $2 and name = $3 returning true
"""
OF = """
    select p.account, p.thread, p.name, p.title, p.at
    from unnest($1::text[], $2::text[]) as w (account, thread)
    join presence p on p.account = w.account and p.thread = w.thread
    where p.at > $3
    order by p.at, p.name
"""
PURGE = """
    with gone as (delete from presence where at <= $1 returning account, thread)
    select distinct account, thread from gone
"""


class Present(NamedTuple):
    """Somebody, as others see them, who was last heard of at *at*."""

    name: str
    title: str
    at: datetime


async def here(
    db: Db, account: str, thread: str, name: str, title: str, now: datetime, since: datetime
) -> bool:
    """Say that *name* is answering; whether others did not know it (last heard before *since*)."""
    args = account, thread, name[:128], title[:200], now, since
    return bool(await db.fetchval(HERE, *args))


async def left(db: Db, account: str, thread: str, name: str) -> bool:
    """Say that *name* answers no more; whether that was not known."""
    return bool(await db.fetchval(LEFT, account, thread, name[:128]))


async def of(
    db: Db, threads: Collection[tuple[str, str]], since: datetime
) -> dict[tuple[str, str], list[Present]]:
    """Who was heard of after *since*, by thread; a thread without anybody is left out."""
    accounts, ids = [one[0] for one in threads], [one[1] for one in threads]
    found: dict[tuple[str, str], list[Present]] = {}
    for account, thread, *who in await db.fetch(OF, accounts, ids, since):
        found.setdefault((account, thread), []).append(Present(*who))
    return found


async def purge(db: Db, until: datetime) -> list[tuple[str, str]]:
    """Forget who was last heard of *until* then; in which threads somebody was."""
    return [(row["account"], row["thread"]) for row in await db.fetch(PURGE, until)]
