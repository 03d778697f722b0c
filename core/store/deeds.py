"""What was done about orders beside replying: written down before it leaves, settled afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.store import legible

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.store import Db

CUT = 200

BEGIN = """
    insert into deed (account, order_id, action, begun_at, state)
    values ($1, $2, $3, $4, 'doing')
    returning id
"""
# Whoever asks for the same waits for the one that is just asking.
LOCK = "select pg_advisory_xact_lock(hashtextextended($1 || '/' || $2 || '/' || $3, 0))"
SETTLE = "update deed set state = $2, reason = $3, settled_at = $4 where id = $1"
OF_ORDER = """
    select id, action, begun_at, state, reason, settled_at from deed
    where account = $1 and order_id = $2
    order by id
"""
BEGUN = "select order_id, begun_at from deed where account = $1 and order_id = any($2::text[])"
# One by which a copy is judged stays as long as that is.
PURGE = """
    with gone as (
        delete from deed d where d.begun_at < $1 and not exists (
            select from verdict v
            where v.account = d.account and v.order_id = d.order_id and not v.forgotten
        )
        returning true
    )
    select count(*) from gone
"""


@dataclass(frozen=True, slots=True)
class Done:
    """A deed and what became of it; one that stays in ``doing`` was broken off."""

    id: int
    action: str
    begun_at: datetime
    state: str
    reason: str | None
    settled_at: datetime | None

    @property
    def may_count(self) -> bool:
        """Whether it was done, or may have been."""
        return self.state in {"doing", "done", "unknown"}


async def lock(db: Db, account: str, order: str, action: str) -> None:
    """Let nobody else begin the same before this transaction ends."""
    await db.execute(LOCK, account, order, action)


async def begin(db: Db, account: str, order: str, action: str, now: datetime) -> int:
    """Write down that it is about to be done; its id."""
    number: int = await db.fetchval(BEGIN, account, order, action, now)
    return number


async def settle(db: Db, number: int, state: str, reason: str | None, now: datetime) -> None:
    """Write down what became of it."""
    cut = None if reason is None else legible(reason, CUT)
    await db.execute(SETTLE, number, state, cut, now)


async def of_order(db: Db, account: str, order: str) -> list[Done]:
    """All that was done about an order, oldest first."""
    return [Done(**row) for row in await db.fetch(OF_ORDER, account, order)]


async def begun(db: Db, account: str, orders: Collection[str]) -> list[tuple[str, datetime]]:
    """When something was begun about each of *orders*, whatever became of it, in no order."""
    rows = await db.fetch(BEGUN, account, sorted(orders))
    return [(row["order_id"], row["begun_at"]) for row in rows]


async def purge(db: Db, before: datetime) -> int:
    """Forget what was begun before then, and by which nothing is judged any more; how many."""
    gone: int = await db.fetchval(PURGE, before)
    return gone
