"""Payloads that could not be read or stored: kept with the reason, to be listed and tried again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.measuring.facts import Aside
from core.store import legible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from core.model import SetAside
    from core.store import Db

LARGEST = 64 * 2**20

# xmax is 0 in a row that was just inserted: the same payload seen again is no news.
ADD = """
    insert into set_aside (account, stream, source_id, reason, raw, at)
    select distinct on (source_id, reason) $1, $2, source_id, reason, raw, $6
    from unnest($3::text[], $4::text[], $5::bytea[]) as w (source_id, reason, raw)
    order by source_id, reason
    on conflict (account, stream, source_id, reason) do update set times = set_aside.times + 1
    returning reason, xmax = 0 as new
"""
LIST = """
    select id, account, stream, source_id, reason, octet_length(raw) as size, at, times
    from set_aside where $1::text is null or account = $1
    order by account, stream, id
"""
READ = "select id, account, stream, source_id, reason, raw from set_aside where id = any($1)"
DROP = "delete from set_aside where id = any($1)"
SETTLE = """
    delete from set_aside where account = $1 and stream = $2 and source_id = any($3)
"""
COUNT = "select account, count(*) as n, max(at) as last from set_aside group by account"


@dataclass(frozen=True, slots=True)
class Kept:
    """A payload that waits for a person: *size* in bytes, *times* it was met."""

    id: int
    account: str
    stream: str
    source_id: str
    reason: str
    size: int
    at: datetime
    times: int


async def add(
    db: Db, account: str, stream: str, items: Sequence[SetAside], now: datetime
) -> list[str]:
    """Keep *items*; one that is there already is counted once more.

    Returns:
        The reasons of those that were not known before.
    """
    if not items:
        return []
    rows = await db.fetch(
        ADD,
        account,
        stream,
        [legible(item.source_id) for item in items],
        [legible(item.reason) for item in items],
        [item.raw[:LARGEST] for item in items],
        now,
    )
    return [row["reason"] for row in rows if row["new"]]


async def kept(db: Db, account: str | None = None) -> list[Kept]:
    """What was set aside, of one account or of all."""
    return [Kept(*row) for row in await db.fetch(LIST, account)]


async def read(db: Db, ids: Sequence[int]) -> dict[int, bytes]:
    """The payloads themselves; unknown ids are left out."""
    return {row["id"]: row["raw"] for row in await db.fetch(READ, ids)}


async def drop(db: Db, ids: Sequence[int]) -> int:
    """Forget them; how many there were."""
    return int((await db.execute(DROP, ids)).split()[-1])


async def settle(db: Db, account: str, stream: str, sources: Sequence[str]) -> int:
    """Forget what was set aside of *sources*, for it could be stored now."""
    status = await db.execute(SETTLE, account, stream, [legible(source) for source in sources])
    return int(status.split()[-1])


async def waiting(db: Db) -> dict[str, Aside]:
    """How many wait and when the newest came, by account."""
    rows = await db.fetch(COUNT)
    return {row["account"]: Aside(row["n"], row["last"].timestamp()) for row in rows}
