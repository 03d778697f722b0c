"""Durable counts of what became of clocks: raised with the row, never lowered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.store import Db

# In one order always: two transactions that count the same things must not wait for each other.
ADD = """
    insert into tally (account, metric, result, n)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as w
    order by 1, 2, 3
    on conflict (account, metric, result) do update set n = tally.n + excluded.n
"""
ALL = "select account, metric, result, n from tally"
# A row for each kind of count, and not for each account: a tenth of the time for 150,000 rows.
KINDS = """
    select metric, result, array_agg(account) as accounts, array_agg(n) as n
    from tally group by metric, result
"""


async def add(db: Db, counts: Mapping[tuple[str, str, str], int]) -> None:
    """Raise the counts by (account, metric, result)."""
    if counts:
        accounts, metrics, results = zip(*counts, strict=True)
        await db.execute(ADD, accounts, metrics, results, list(counts.values()))


async def counts(db: Db) -> dict[tuple[str, str, str], int]:
    """All counts by (account, metric, result)."""
    return {(r["account"], r["metric"], r["result"]): r["n"] for r in await db.fetch(ALL)}


async def kinds(db: Db) -> dict[tuple[str, str], dict[str, int]]:
    """All counts by (metric, result), and then by account."""
    rows = await db.fetch(KINDS)
    return {(r["metric"], r["result"]): dict(zip(r["accounts"], r["n"], strict=True)) for r in rows}
