"""How often signing in failed, by name and by network; nothing is tried before its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from core.store import Db

THERE = """
    insert into sign_in_try (key, failures, last_at, until)
    select key, 0, $2, $2 from unnest($1::text[]) as k (key) order by key
    on conflict (key) do nothing
"""
LOCKED = """
    select key, failures, last_at, until from sign_in_try where key = any($1::text[])
    order by key
    for update
"""
PUT = """
    update sign_in_try t set failures = p.failures, last_at = $4, until = p.until
    from unnest($1::text[], $2::integer[], $3::timestamptz[]) as p (key, failures, until)
    where t.key = p.key
"""
FORGET = "delete from sign_in_try where key = any($1::text[])"
TAKE_BACK = "update sign_in_try set failures = greatest(failures - 1, 0) where key = $1"
PURGE = """
    with gone as (delete from sign_in_try where last_at < $1 and until < $1 returning key)
    select count(*) from gone
"""


class Tries(NamedTuple):
    """What failed so far, the last time when; nothing is tried before *until*."""

    failures: int
    last_at: datetime
    until: datetime


async def locked(db: Db, keys: Collection[str], now: datetime) -> dict[str, Tries]:
    """What is known of each of *keys*; nobody else changes it before the transaction ends."""
    wanted = sorted(keys)
    await db.execute(THERE, wanted, now)
    rows = await db.fetch(LOCKED, wanted)
    return {row["key"]: Tries(row["failures"], row["last_at"], row["until"]) for row in rows}


async def put(db: Db, those: Mapping[str, tuple[int, datetime]], now: datetime) -> None:
    """Write how many failed, and until when nothing is tried."""
    failures = [number for number, _ in those.values()]
    until = [at for _, at in those.values()]
    await db.execute(PUT, list(those), failures, until, now)


async def forget(db: Db, keys: Collection[str]) -> None:
    """It succeeded."""
    await db.execute(FORGET, list(keys))


async def take_back(db: Db, key: str) -> None:
    """One that was counted was none."""
    await db.execute(TAKE_BACK, key)


async def purge(db: Db, before: datetime) -> int:
    """Forget what was tried last before then; how many."""
    gone: int = await db.fetchval(PURGE, before)
    return gone
