"""Rate limits that accounts share: a key's next instant, obeyed by every worker's claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from core.store import Db

DEFER = """
    insert into budget (key, next_at) values ($1, now() + $2)
    on conflict (key) do update set next_at = greatest(budget.next_at, excluded.next_at)
"""
TAKE = """
    insert into budget (key, next_at) values ($1, now() + $2)
    on conflict (key) do update set next_at = excluded.next_at where budget.next_at <= now()
    returning true
"""
AHEAD = """
    select coalesce((select greatest(next_at - now(), interval '0') from budget where key = $1),
                    interval '0')
"""
# A negative span gives back what was taken and not used.
SPEND = """
    insert into budget (key, next_at) values ($1, now() + $2)
    on conflict (key) do update set next_at = greatest(budget.next_at, now()) + $2
"""
WAITING = "select key, next_at - now() as wait from budget where next_at > now()"


async def defer(db: Db, key: str, wait: timedelta) -> None:
    """Let no walk of an account with this *key* begin before *wait* has passed."""
    await db.execute(DEFER, key, wait)


async def take(db: Db, key: str, wait: timedelta) -> bool:
    """Take the turn of *key*; the next is *wait* later. False where it is nobody's turn yet."""
    return bool(await db.fetchval(TAKE, key, wait))


async def ahead(db: Db, key: str) -> timedelta:
    """How far ahead of now what was spent of *key* reaches."""
    span: timedelta = await db.fetchval(AHEAD, key)
    return span


async def spend(db: Db, key: str, span: timedelta) -> None:
    """Spend *span* of *key*, after what was spent before."""
    await db.execute(SPEND, key, span)


async def waiting(db: Db) -> dict[str, timedelta]:
    """How long each key that waits still has to."""
    return {row["key"]: row["wait"] for row in await db.fetch(WAITING)}
