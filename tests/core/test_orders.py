"""Orders are asked for while somebody waits; deeds are written down before they leave."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from core.connector import Allowed, Deed
from core.errors import (
    BadCredentials,
    BadPayload,
    Mistaken,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unreachable,
)
from core.model import Order, Page, Stream
from core.orders import acting, enriching
from core.reading.walk import Reader
from core.stopwatch import running_from
from core.store import deeds, orders
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE

DEED = Deed("A", "invoice", "Our own words.")


class Silent:
    async def check(self): ...

    async def fetch(self, stream, cursor, position, now):
        return Page()


class Shop(Silent):
    """Knows *known* orders; *fault* is what asking comes to instead."""

    def __init__(self, *known, fault=None):
        self.known, self.fault, self.asked = known, fault, []

    async def orders(self, ids, now):
        self.asked.append(list(ids))
        if self.fault is not None:
            raise self.fault
        return {id_: Order(id=id_, as_of=now) if id_ in self.known else None for id_ in ids}


class Clerk(Silent):
    """Does what it is told, and comes to *outcome*."""

    def __init__(self, outcome=None):
        self.outcome, self.done = outcome, []

    async def allowed(self, order, now):
        return Allowed(())

    def refuses(self, deed):
        return "no such action" if deed.action == "reply" else None

    async def act(self, deed, now):
        self.done.append(deed)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        if self.outcome is not None:
            await self.outcome()


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        for number, ids in enumerate((["A", "B"], ["C"])):
            thread = f"T{number}"
            await seeds.put_thread(db, now, thread)
            await db.execute("update thread set order_ids = $2 where id = $1", thread, ids)
            await seeds.put_clock(db, now + (1 + number) * HOUR, thread=thread)
        yield db


@pytest.fixture
def look(pool, db, now):
    """One round of all workers' turns, as if the last one were long ago."""

    async def look(connector, at=None, *, turn=True):
        if turn:
            await db.execute("update budget set next_at = now() where key like 'orders %'")
        reader = Reader(seeds.account(), connector, {"s": Stream("s", MINUTE)}, "mk")
        return await enriching.once(pool, {"mk": reader}, at or now)

    return look


async def known(db):
    return [order.id for order in await orders.of(db, "mk", ["A", "B", "C"])]


async def test_orders_of_who_waits_are_asked_for_once_and_kept(look, db):
    shop = Shop("A", "C")

    await look(shop)
    await look(shop)

    assert shop.asked == [["A", "B", "C"]]
    assert await known(db) == ["A", "C"]


async def test_they_are_asked_for_again_when_they_are_stale(look, db, now):
    shop = Shop("A", "C")
    await look(shop)
    await look(shop, now + enriching.FRESH - MINUTE)
    await look(shop, now + enriching.FRESH + MINUTE)

    assert shop.asked == [["A", "B", "C"]] * 2


async def test_who_knows_no_orders_is_not_asked(look, db):
    assert await look(Silent()) is not None
    assert await known(db) == []


async def test_an_account_is_asked_by_one_of_several_workers(look, db):
    shop = Shop("A")
    shop.fault = Unreachable("away")
    await asyncio.gather(look(shop), look(shop, turn=False), look(shop, turn=False))

    assert len(shop.asked) == 1


async def test_a_marketplace_that_asks_to_wait_is_left_alone_for_so_long_by_all(look, db):
    shop = Shop(fault=RateLimited("slow down", retry_after=300))
    await look(shop)
    await look(shop, turn=False)

    waits = await db.fetchval("select next_at - now() from budget where key = 'orders mk'")
    assert timedelta(seconds=290) < waits <= timedelta(seconds=300)
    assert len(shop.asked) == 1


@pytest.mark.parametrize(
    "fault", [Unreachable("away"), BadCredentials("no"), BadPayload("?"), TimeoutError()]
)
async def test_what_fails_costs_the_sight_of_an_order_and_comes_again(look, db, fault):
    shop = Shop("A", fault=fault)
    with capture_logs() as logs:
        await look(shop)
    shop.fault = None
    await look(shop)

    assert [line["event"] for line in logs] == ["orders not read"]
    assert await known(db) == ["A"]


async def test_a_connectors_bug_ends_nothing_and_tells_no_words_of_it(look, db):
    with capture_logs() as logs:
        await look(Shop(fault=KeyError("Ada Sample")))

    assert [line["event"] for line in logs] == ["orders crashed"]
    assert "Ada" not in repr(logs)


async def test_the_next_look_is_soon(look, now):
    assert await look(Shop()) >= now + enriching.EVERY


def test_a_look_that_takes_long_is_made_rarely():
    assert enriching.rest(timedelta(milliseconds=10)) == enriching.EVERY
    assert enriching.rest(timedelta(seconds=7)) == timedelta(seconds=350)


@pytest.fixture
def do(pool, db, now):
    async def do(clerk, *, again=False, deed=DEED):
        await acting.act(pool, "mk", acting.able(clerk), deed, running_from(now), again=again)

    return do


async def became(db):
    return [(one.state, one.reason) for one in await deeds.of_order(db, "mk", "A")]


async def test_what_the_connector_refuses_by_itself_is_not_tried_nor_written_down(pool, db, now):
    clerk = Clerk()
    with pytest.raises(Mistaken, match="no such action"):
        await acting.act(pool, "mk", clerk, Deed("A", "reply", "x"), lambda: now)

    assert clerk.done == []
    assert await deeds.of_order(db, "mk", "A") == []


async def test_a_deed_is_done_once_and_again_only_where_it_is_said(do, db):
    clerk = Clerk()
    await do(clerk)
    with pytest.raises(Mistaken, match=r"invoice was done at 2026-11-21 12:00:00Z; --again"):
        await do(clerk)
    await do(clerk, again=True)
    await do(clerk, deed=Deed("A", "warranty"))

    assert len(clerk.done) == 3
    assert await became(db) == [("done", None)] * 3


async def test_it_is_written_down_before_it_leaves(do, db):
    seen = []

    async def look():
        seen.extend(await became(db))

    await do(Clerk(look))

    assert seen == [("doing", None)]


@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        (Refused("not now"), "refused", "not now"),
        (BadCredentials("no role"), "refused", "no role"),
        (RateLimited("wait"), "unsent", "rate_limited"),
        (Unreachable("away"), "unsent", "unreachable"),
    ],
)
async def test_what_was_certainly_not_done_may_be_done_at_once(do, db, fault, state, reason):
    with pytest.raises(type(fault)):
        await do(Clerk(fault))
    await do(Clerk())

    assert await became(db) == [(state, reason), ("done", None)]


@pytest.mark.parametrize(
    "fault", [OutcomeUnknown("?"), BadPayload("?"), TimeoutError(), KeyError("Ada Sample")]
)
async def test_what_may_have_been_done_is_told_and_never_done_by_itself(do, db, fault):
    with pytest.raises(OutcomeUnknown, match="look at the order there") as caught:
        await do(Clerk(fault))
    with pytest.raises(Mistaken, match="may have been done"):
        await do(Clerk())

    assert await became(db) == [("unknown", None)]
    assert "Ada" not in str(caught.value)


async def test_one_that_is_broken_off_may_have_been_done(do, db):
    begun = asyncio.Event()

    async def hang():
        begun.set()
        await asyncio.sleep(60)

    doing = asyncio.create_task(do(Clerk(hang)))
    await begun.wait()
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing

    assert await became(db) == [("unknown", None)]


async def test_two_who_want_the_same_at_once_do_it_once(do, db):
    clerk = Clerk(lambda: asyncio.sleep(0.05))

    done = await asyncio.gather(do(clerk), do(clerk), return_exceptions=True)

    assert sorted(type(one).__name__ for one in done) == ["Mistaken", "NoneType"]
    assert len(clerk.done) == 1


async def test_who_cannot_act_says_so():
    with pytest.raises(Mistaken, match="can do nothing about orders"):
        acting.able(Silent())


async def test_no_text_of_a_deed_is_kept(do, db):
    await do(Clerk())

    rows = await db.fetch("select * from deed")
    assert DEED.text not in repr([dict(row) for row in rows])
    assert DEED.text not in repr(DEED)
