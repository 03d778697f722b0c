"""What marketplaces say of orders: asked for while a clock runs, shown beside the thread."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from core.model import Order
from core.store import held

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from core.store import Db

# Orders of threads that wait for a reply, the most urgent first, so many of each account.
WANTED = """
    select account, id from (
        select o.account, o.id, o.due_at,
               row_number() over (partition by o.account order by o.due_at, o.id) as place
        from (
            select c.account, u.id, min(c.due_at) as due_at
            from clock c
            join thread t on t.account = c.account and t.id = c.thread
            cross join lateral unnest(t.order_ids) as u (id)
            where c.account = any($1::text[]) and c.ended is null and not c.history
              and c.due_at > $2
            group by c.account, u.id
        ) o
        left join market_order m on m.account = o.account and m.id = o.id
        where m.id is null or m.asked_at < $3
    ) w
    where place <= $4
    order by due_at, id
"""
PUT = """
    insert into market_order (account, id, asked_at, as_of, facts)
    values ($1, $2, $3, $4, $5)
    on conflict (account, id) do update
    set asked_at = greatest(market_order.asked_at, excluded.asked_at),
        as_of = case when excluded.as_of >= coalesce(market_order.as_of, '-infinity')
                then excluded.as_of else market_order.as_of end,
        facts = case when excluded.as_of >= coalesce(market_order.as_of, '-infinity')
                then excluded.facts else market_order.facts end
"""
OF = """
    select id, as_of, facts from market_order
    where account = $1 and id = any($2::text[]) and as_of is not null
"""
PURGE = """
    with gone as (delete from market_order where asked_at < $1 returning true)
    select count(*) from gone
"""
NAMED = {"id", "as_of"}


async def wanted(
    db: Db, accounts: Collection[str], *, due_after: datetime, asked_before: datetime, most: int
) -> dict[str, list[str]]:
    """Orders to ask for, by account, *most* of each: of threads in which a clock runs.

    Not those asked for since *asked_before*, nor those whose deadline lies before *due_after*.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in await db.fetch(WANTED, list(accounts), due_after, asked_before, most):
        found[row["account"]].append(row["id"])
    return dict(found)


async def put(db: Db, account: str, told: Mapping[str, Order | None], now: datetime) -> None:
    """Keep what was *told* of orders; an older telling never overwrites a newer one."""
    rows = [
        (account, id_, now, held(one.as_of if one else None), _facts(one))
        for id_, one in sorted(told.items())
    ]
    await db.executemany(PUT, rows)


def _facts(order: Order | None) -> dict[str, object]:
    if order is None:
        return {}
    return order.model_dump(mode="json", exclude=NAMED, exclude_defaults=True)


async def of(db: Db, account: str, ids: Sequence[str]) -> list[Order]:
    """What is known of these orders, in their order; unknown ones are left out."""
    rows = {row["id"]: row for row in await db.fetch(OF, account, list(ids))}
    return [
        Order.model_validate({**rows[id_]["facts"], "id": id_, "as_of": rows[id_]["as_of"]})
        for id_ in ids
        if id_ in rows
    ]


async def purge(db: Db, before: datetime) -> int:
    """Forget the orders that nobody has asked for since *before*; how many."""
    gone: int = await db.fetchval(PURGE, before)
    return gone
