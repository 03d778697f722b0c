"""What was accepted, and not refused in its marketplace's time, counts as confirmed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from core import ingest, marks, poll, reply
from core.connector import Sent
from core.desk import answering
from core.metrics import Metrics
from core.model import Page, Stream, Verdict
from core.reading.walk import Reader
from core.store import transaction, verdicts
from sla.clock import Delivery
from sla.policy import Party
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, page, seller, setup

GRACE = 24 * HOUR
SAYS = {"judged": True, "letters": True, "confirmed_after": GRACE}
BUYER = frozenset({Party.BUYER})
TINY = MINUTE / 60_000_000


class Shop:
    """Takes every reply, and says nothing later."""

    async def check(self): ...

    async def fetch(self, stream, cursor, position, now):
        return Page()

    async def reply(self, thread, draft, now):
        return Sent("A1")


@pytest.fixture
def rules():
    return seeds.rules(says=SAYS)


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        await seeds.put_stream(db, now, name="mail")
        yield db


@pytest.fixture
def replied(pool, rules, now, db):
    """A buyer's question and our reply, accepted just now."""

    async def send():
        async with transaction(pool) as other:
            told = page(buyer("Q", now - HOUR))
            await ingest.page(other, rules, "mk", told, now - HOUR, None)
            await answering.queue(other, "mk", "T1", "We are sorry.", BUYER, now)
        reader = Reader(seeds.account(), Shop(), {"mail": Stream("mail", MINUTE)}, "mk")
        await reply.once(pool, {"mk": reader}, rules, Metrics(), now)
        return await db.fetchval("select sent_at from message where id = 'A1'")

    return send


async def read_to(db, at, name="mail"):
    await db.execute("update stream set seen_through = $1 where stream = $2", at, name)


async def state(db):
    return await db.fetchrow(
        "select r.state, coalesce(m.judged, case when m.silent then 'confirmed' end, m.delivery)"
        " from reply r join message m on m.id = r.message_id"
    )


async def test_a_reply_is_confirmed_when_its_time_has_passed_and_not_before(db, replied):
    sent_at = await replied()
    await read_to(db, sent_at + 9 * GRACE)

    assert await verdicts.hear(db, "mk", GRACE, sent_at + GRACE - TINY) == 0
    assert tuple(await state(db)) == ("accepted", "accepted")
    assert await verdicts.hear(db, "mk", GRACE, sent_at + GRACE) == 1
    assert tuple(await state(db)) == ("confirmed", "confirmed")
    assert await verdicts.hear(db, "mk", GRACE, sent_at + GRACE) == 0


async def test_where_nobody_listened_nothing_is_silence(db, replied, now):
    sent_at = await replied()
    later = sent_at + 9 * GRACE
    for heard in (None, sent_at + GRACE - TINY):
        await read_to(db, heard)
        assert await verdicts.hear(db, "mk", GRACE, later) == 0
    await seeds.put_stream(db, now, name="more")
    await read_to(db, later)
    assert await verdicts.hear(db, "mk", GRACE, later) == 0

    await read_to(db, later, "more")

    assert await verdicts.hear(db, "mk", GRACE, later) == 1


async def test_a_refusal_after_the_silence_refuses_and_reopens_the_clock(pool, db, rules, replied):
    sent_at = await replied()
    await read_to(db, sent_at + 9 * GRACE)
    await verdicts.hear(db, "mk", GRACE, sent_at + GRACE)
    before = await db.fetchrow("select id, started_at, due_at from clock")

    async with transaction(pool) as other:
        at = sent_at + 2 * GRACE
        refusal = Verdict("N1", Delivery.REFUSED, at, message_id="A1")
        await ingest.page(other, rules, "mk", Page(verdicts=(refusal,)), at, None)

    assert tuple(await state(db)) == ("refused", "refused")
    assert await db.fetchval("select ended from clock") is None
    assert await db.fetchrow("select id, started_at, due_at from clock") == before
    assert await verdicts.hear(db, "mk", GRACE, sent_at + 9 * GRACE) == 0
    assert tuple(await state(db)) == ("refused", "refused")


async def test_silence_does_not_say_which_message_a_refusal_means(pool, db, rules, now):
    """It comes when it comes: what a verdict means must not depend on it."""
    told = [
        buyer("Q", now - 9 * HOUR),
        seller("A1", now - 8 * HOUR, delivery="accepted"),
        seller("A2", now - 7 * HOUR, delivery="confirmed"),
    ]
    async with transaction(pool) as other:
        await ingest.page(other, rules, "mk", page(*told), now, None)
    await read_to(db, now)
    assert await verdicts.hear(db, "mk", HOUR, now) == 1

    async with transaction(pool) as other:
        refusal = Verdict("N1", Delivery.REFUSED, now - 6 * HOUR, thread="T1")
        await ingest.page(other, rules, "mk", Page(verdicts=(refusal,)), now, None)

    rows = await db.fetch("select id, judged from message where judged is not null")
    assert [tuple(row) for row in rows] == [("A1", "refused")]


async def test_what_an_agent_said_is_not_confirmed_by_silence(pool, db, rules, now):
    async with transaction(pool) as other:
        await ingest.page(other, rules, "mk", page(buyer("Q", now - HOUR)), now, None)
        await marks.answered(other, rules, "mk", "T1", now - MINUTE, [Party.BUYER], now)
    await read_to(db, now + 9 * GRACE)

    assert await verdicts.hear(db, "mk", GRACE, now + 9 * GRACE) == 0


async def test_what_was_listened_to_is_not_looked_at_again(pool, db, rules, now):
    told = [
        buyer("Q", now - 9 * HOUR),
        seller("A1", now - 8 * HOUR, delivery="accepted"),
        seller("A2", now - 7 * HOUR, delivery="accepted", kind="automatic"),
    ]
    refusal = Verdict("N1", Delivery.REFUSED, now, message_id="A1")
    async with transaction(pool) as other:
        both = replace(page(*told), verdicts=(refusal,))
        await ingest.page(other, rules, "mk", both, now, None)
    await read_to(db, now)

    assert await verdicts.hear(db, "mk", HOUR, now) == 1
    index = await db.fetchval("select pg_get_indexdef('message_unheard'::regclass)")
    left = await db.fetch(f"select id from message where{index.partition('WHERE')[2]}")
    assert left == []
    assert await db.fetchval("select ended from clock") is None


async def test_what_was_judged_is_listened_to_again_once_nothing_is_said_of_it(db, now):
    await seeds.put_thread(db, now)
    await read_to(db, now)
    sent_at = now - 9 * HOUR
    await seeds.put_message(db, sent_at, "A1", party="seller")
    await db.execute("update message set delivery = 'accepted', judged = 'confirmed'")
    assert await verdicts.hear(db, "mk", HOUR, now) == 0

    await db.execute("update message set judged = null")

    assert await verdicts.hear(db, "mk", HOUR, now) == 1


async def test_several_daemons_confirm_once_and_wait_for_nobody(pool, db, replied):
    sent_at = await replied()
    await read_to(db, sent_at + 9 * GRACE)
    later = sent_at + GRACE

    async def hear():
        async with transaction(pool) as other:
            return await verdicts.hear(other, "mk", GRACE, later)

    assert sum(await asyncio.gather(*(hear() for _ in range(4)))) == 1
    await db.execute("update message set silent = null")
    async with transaction(pool) as holder:
        await holder.execute("select from message for no key update")
        async with asyncio.timeout(5):
            assert await hear() == 0


@pytest.mark.parametrize(("says", "silent"), [(SAYS, True), ({}, None)])
async def test_every_complete_walk_listens_where_the_marketplace_has_a_time(
    pool, now, says, silent
):
    one = setup("mk", Stream("mail", MINUTE), **says)
    await pages.monitored(pool, now - 9 * HOUR, one)
    sent = seller("A1", now - GRACE - MINUTE, delivery="accepted")
    await pages.stored(pool, now, sent)
    reader = Reader(one.account, Shop(), {s.name: s for s in one.streams}, one.budget)

    await poll.once(pool, 1, {"mk": reader}, seeds.rules(says=says), Metrics(), now)

    [row] = await pages.rows(pool, "message")
    assert row["silent"] is silent
