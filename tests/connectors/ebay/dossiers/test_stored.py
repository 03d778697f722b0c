"""What is read of dossiers goes into the database as it is, and eBay's dates run there."""

from __future__ import annotations

import pytest

from connectors.ebay import policies
from core import ingest
from core.store import clocks, messages, transaction
from core.store import readings as stored_readings
from sla.explain import explain
from tests.core import seeds

CLOCKS = """
    select promise, due_at, due_from, ended, reason, stopped_at, breached_at, revision,
           'superseded' = any(flags) as over
    from clock order by promise, started_at
"""
APPROVE, REFUND = "given:return:SELLER_APPROVE_REQUEST", "given:return:SELLER_ISSUE_REFUND"
FALLBACK = "ebay-de-return"


@pytest.fixture
async def account(pool, clock):
    async with transaction(pool) as db:
        await seeds.put_account(db, clock())


@pytest.fixture
def kept(pool, account, dossiers, clock):
    """Walk a stream and store its pages; what became of them."""
    rules = seeds.rules(policies={"mk": policies.at("EBAY_DE")})
    cursors = {}

    async def kept(stream, page=None):
        stored, position, now = [], None, clock()
        while True:
            told = page or await dossiers.fetch(stream, cursors.get(stream), position, now)
            async with transaction(pool) as db:
                stored.append(await ingest.page(db, rules, "mk", told, clock(), None))
            if not told.more:
                break
            position = told.position
        if page is None:
            cursors[stream] = told.cursor
        return stored

    return kept


@pytest.fixture
def rows(pool):
    async def rows():
        async with pool.acquire() as db:
            return {row["promise"]: row for row in await db.fetch(CLOCKS)}

    return rows


@pytest.fixture
def readings(pool):
    async def readings():
        async with pool.acquire() as db:
            return await db.fetchval("select count(*) from given")

    return readings


async def test_ebays_date_is_the_clock_and_the_fallback_is_superseded(desk, kept, rows):
    one = desk.open_return("It is broken")

    await kept("returns")

    found = await rows()
    assert (found[APPROVE]["due_at"], found[APPROVE]["due_from"]) == (one.due_at, "marketplace")
    assert not found[APPROVE]["over"]
    assert {p: r["over"] for p, r in found.items() if p.startswith("ebay")} == {FALLBACK: True}


async def test_nothing_new_writes_nothing(desk, kept, readings, clock):
    desk.open_return("It is broken").seller_writes("A photograph?")
    await kept("returns")
    before = await readings()
    for _ in range(4):
        clock.advance(minutes=5)
        stored = await kept("returns")
        assert {(s.received, s.sent, s.changed) for s in stored} == {(0, 0, 0)}

    assert await readings() == before


async def test_a_life_is_two_clocks_that_are_met(desk, kept, rows, clock):
    one = desk.open_return()
    await kept("returns")
    approved = clock.advance(hours=1)
    one.seller_decides("APPROVE")
    one.buyer_ships()
    clock.advance(days=2)
    one.is_delivered()
    clock.advance(minutes=5)
    await kept("returns")
    refunded = clock.advance(hours=1)
    one.seller_refunds()
    clock.advance(minutes=5)

    await kept("returns")

    found = await rows()
    ends = {p: (found[p]["ended"], found[p]["stopped_at"]) for p in (APPROVE, REFUND)}
    assert ends == {APPROVE: ("met", approved), REFUND: ("met", refunded)}
    assert found[FALLBACK]["ended"] == "met"


async def test_a_date_that_moves_is_another_revision_of_the_same_row(desk, kept, rows, clock):
    one = desk.open_return()
    await kept("returns")
    clock.advance(hours=1)
    one.moves(one.due_at.replace(hour=1))

    await kept("returns")

    found = (await rows())[APPROVE]
    assert (found["due_at"], found["revision"]) == (one.due_at, 1)


async def test_past_at_first_sight_is_a_breach_and_its_late_answer_too(desk, kept, rows, clock):
    one = desk.open_inquiry("Where is it?")
    due = one.due_at
    clock.advance(days=8)
    await kept("inquiries")
    acted = clock.advance(hours=1)
    one.seller_writes("It left")
    clock.advance(minutes=1)

    await kept("inquiries")

    found = (await rows())["given:inquiry:SELLER_RESPOND"]
    assert (found["due_at"], found["ended"], found["stopped_at"]) == (due, "late", acted)


async def test_a_walk_that_hangs_opens_nothing_that_a_look_has_ended(
    desk, kept, dossiers, rows, clock
):
    one = desk.open_return()
    hanging = await dossiers.look([f"return:{one.id}"], clock())
    clock.advance(minutes=1)
    one.seller_decides("APPROVE")
    now = clock.advance(minutes=1)
    newer = await dossiers.look([f"return:{one.id}"], now)

    await kept("returns", newer)
    await kept("returns", hanging)

    assert {r["ended"] for r in (await rows()).values()} == {"met"}


async def test_an_inquiry_that_was_answered_is_explained_without_contradiction(
    desk, kept, clock, pool
):
    one = desk.open_inquiry("Where is it?")
    await kept("inquiries")
    clock.advance(hours=1)
    one.seller_writes("It left")
    clock.advance(minutes=5)
    await kept("inquiries")

    thread = f"inquiry:{one.id}"
    async with transaction(pool) as db:
        turns = (await messages.turns(db, "mk", [thread]))[thread]
        given = (await stored_readings.of(db, "mk", [thread]))[thread]
        rows = await clocks.of_thread(db, "mk", thread)
    [met] = [row.clock for row in rows if row.clock.promise.startswith("given:")]
    lines = explain(met, turns, [], given, now=clock())

    assert [line.text for line in lines if line.topic == "counts not"] == []
    said = [line.text for line in lines if line.topic == "reading"]
    assert said[0] == "As of Fri 2026-11-20 12:00 it asks, until Wed 2026-11-25 23:59:59."
    assert all("withdrawn" not in text for text in said)
    answer = next(turn.id for turn in turns if turn.party == "seller")
    assert lines[-1].text.startswith(f"Met Fri 2026-11-20 13:00 (UTC) by {answer}: after 1 h,")
