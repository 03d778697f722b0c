"""The marketplace's own numbers about the seller, kept as it told them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.store import held

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from core.model import Published
    from core.store import Db

ADD = """
    insert into published (account, name, as_of, value, read_at)
    select distinct on (name, as_of) $1, name, as_of, value, $5
    from unnest($2::text[], $3::timestamptz[], $4::double precision[]) as w (name, as_of, value)
    order by name, as_of
    on conflict (account, name, as_of) do update
    set value = excluded.value, read_at = excluded.read_at
    where published.value is distinct from excluded.value
"""
LATEST = """
    select distinct on (account, name) account, name, as_of, value
    from published where as_of <= coalesce($1::timestamptz, 'infinity')
    order by account, name, as_of desc
"""


async def add(db: Db, account: str, numbers: Sequence[Published], now: datetime) -> None:
    """Keep *numbers*; one that was corrected for the same instant replaces the old."""
    if numbers:
        names = [number.name for number in numbers]
        days = [held(number.as_of) for number in numbers]
        await db.execute(ADD, account, names, days, [number.value for number in numbers], now)


async def latest(
    db: Db, until: datetime | None = None
) -> dict[tuple[str, str], tuple[datetime, float]]:
    """The newest of each number, by (account, name): its instant and its value.

    *until*: of those as of that instant or before.
    """
    rows = await db.fetch(LATEST, until)
    return {(r["account"], r["name"]): (r["as_of"], r["value"]) for r in rows}
