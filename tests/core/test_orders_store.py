from __future__ import annotations

from datetime import timedelta

import pytest

from core.model import Item, Order
from core.store import budget, deeds, orders, transaction
from tests.core import seeds
from tests.core.seeds import HOUR

DAY = timedelta(days=1)


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        yield db


async def wanted(db, now, *, most=10, accounts=("mk",)):
    return await orders.wanted(
        db, accounts, due_after=now - 30 * DAY, asked_before=now - 4 * HOUR, most=most
    )


async def waiting(db, now, thread, *ids, account="mk", due_at=None, **changes):
    await seeds.put_thread(db, now, thread, account)
    await db.execute(
        "update thread set order_ids = $3 where account = $1 and id = $2", account, thread, ids
    )
    await seeds.put_clock(db, due_at or now + HOUR, thread=thread, account=account, **changes)


def order(id_, at, **more):
    return Order(id=id_, as_of=at, **more)


async def test_orders_of_waiting_threads_are_wanted_the_most_urgent_first(db, now):
    await waiting(db, now, "T1", "A", "B", due_at=now + 5 * HOUR)
    await waiting(db, now, "T2", "C", due_at=now + HOUR)
    await waiting(db, now, "T3", due_at=now + HOUR)

    assert await wanted(db, now) == {"mk": ["C", "A", "B"]}
    assert await wanted(db, now, most=2) == {"mk": ["C", "A"]}
    assert await wanted(db, now, accounts=["other"]) == {}


async def test_an_order_of_two_threads_is_wanted_once(db, now):
    await waiting(db, now, "T1", "A", due_at=now + 5 * HOUR)
    await waiting(db, now, "T2", "A", due_at=now + HOUR)

    assert await wanted(db, now) == {"mk": ["A"]}


async def test_what_waits_no_more_or_is_history_or_late_for_long_wants_nothing(db, now):
    await waiting(db, now, "T1", "A", ended="met", stopped_at=now)
    await waiting(db, now, "T2", "B", history=True)
    await waiting(db, now, "T3", "C", due_at=now - 31 * DAY)

    assert await wanted(db, now) == {}


async def test_what_was_asked_for_is_wanted_again_when_it_is_stale(db, now):
    await waiting(db, now, "T1", "A", "B")
    await orders.put(db, "mk", {"A": order("A", now), "B": None}, now)

    assert await wanted(db, now) == {}
    assert await wanted(db, now + 3 * HOUR) == {}
    assert await wanted(db, now + 5 * HOUR) == {"mk": ["A", "B"]}


async def test_what_is_told_is_kept_whole_and_the_unknown_is_not_shown(db, now):
    told = order(
        "A", now, status="shipped", bought_at=now - DAY, ship_by=now, fulfilled_by="seller",
        parcels=("in_transit",), total="19.90", currency="EUR", cancel_asked=True,
        items=(Item(product="B0EXAMPLE1", sku="X-1", title="Steel bottle", quantity=2),),
    )  # fmt: skip

    await orders.put(db, "mk", {"A": told, "B": None}, now)

    assert await orders.of(db, "mk", ["B", "A", "C"]) == [told]


async def test_an_older_telling_never_overwrites_a_newer_one(db, now):
    await orders.put(db, "mk", {"A": order("A", now, status="shipped")}, now)
    await orders.put(db, "mk", {"A": order("A", now - HOUR, status="unshipped")}, now - HOUR)
    await orders.put(db, "mk", {"A": None}, now + HOUR)

    (kept,) = await orders.of(db, "mk", ["A"])
    assert kept.status == "shipped"


async def test_what_nobody_asks_for_any_more_is_forgotten(db, now):
    await orders.put(db, "mk", {"A": order("A", now - 100 * DAY)}, now - 100 * DAY)
    await orders.put(db, "mk", {"B": order("B", now - 80 * DAY)}, now - 80 * DAY)

    assert await orders.purge(db, now - 90 * DAY) == 1
    assert [one.id for one in await orders.of(db, "mk", ["A", "B"])] == ["B"]


async def test_a_turn_is_taken_by_one_of_all_who_want_it(pool, db):
    assert await budget.take(db, "orders mk", HOUR)
    async with transaction(pool) as other:
        assert not await budget.take(other, "orders mk", HOUR)
    assert await budget.take(db, "orders other", -HOUR)
    assert await budget.take(db, "orders other", HOUR)


async def test_a_deed_is_written_down_before_and_settled_after(db, now):
    number = await deeds.begin(db, "mk", "A", "invoice", now)
    (begun,) = await deeds.of_order(db, "mk", "A")
    await deeds.settle(db, number, "refused", "no\x00t now", now + HOUR)
    (settled,) = await deeds.of_order(db, "mk", "A")

    assert (begun.state, begun.may_count, begun.settled_at) == ("doing", True, None)
    assert (settled.state, settled.may_count) == ("refused", False)
    assert (settled.reason, settled.settled_at) == ("no\ufffdt now", now + HOUR)
