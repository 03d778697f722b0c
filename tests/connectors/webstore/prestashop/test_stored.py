"""From a buyer's message to the committed end of the clock: an answer counts once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.prestashop import offer
from core import reply
from core.desk import answering
from core.metrics import Metrics
from core.reading.walk import Reader
from core.store import transaction
from sla.policy import Party
from tests.connectors.webstore.conftest import NOON
from tests.core import pages, seeds
from tests.core.pages import HOUR

RULES = seeds.rules(accounts=("toys",), policies={"toys": (offer.FORM,)})
WORDS = "It left this morning, with our apologies."


@pytest.fixture
async def polled(pool, prestashop, optioned, clock):
    """Store what the shop has: `await polled()`."""
    await pages.monitored(pool, NOON - HOUR, pages.setup("toys", *spec.streams(optioned())))

    async def polled():
        page = await prestashop.fetch(offer.MESSAGES, None, None, clock())
        return await pages.stored(
            pool, clock(), *page.messages, *page.threads, account="toys", of=RULES
        )

    return polled


@pytest.fixture
def answer(pool, prestashop, optioned, clock):
    """Queue an answer and let it leave; `await answer(None)` looks for those that left."""
    streams = {one.name: one for one in spec.streams(optioned())}
    reader = Reader(RULES.accounts["toys"], prestashop, streams, "b")

    async def answer(text=WORDS):
        clock.advance(minutes=1)
        if text is not None:
            (thread,) = await pages.rows(pool, "thread")
            async with transaction(pool) as db:
                await answering.queue(
                    db, "toys", thread["id"], text, {Party.BUYER}, clock(), refuses=spec.refuses
                )
        await reply.once(pool, {"toys": reader}, RULES, Metrics(), clock())

    return answer


async def answers(pool):
    rows = await pages.rows(pool, "message")
    return [row["body"] for row in rows if row["party"] == "seller"]


async def states(pool):
    replies, clocks = await pages.rows(pool, "reply"), await pages.rows(pool, "clock")
    return [row["state"] for row in replies], [row["ended"] for row in clocks]


async def test_an_answer_and_its_row_are_one_message(sandbox, shop, polled, answer, pool, clock):
    shop.open_thread("Where is it?", at=clock() - timedelta(minutes=5))
    await polled()
    await answer()
    assert await states(pool) == (["accepted"], ["met"])
    await polled()
    await polled()

    assert await answers(pool) == [WORDS]
    assert len(shop.written) == len(sandbox.letters) == 1


async def test_a_row_of_which_nobody_knew_is_found_by_its_words(
    sandbox, shop, polled, answer, pool, clock
):
    shop.open_thread("Where is it?", at=clock() - timedelta(minutes=5))
    await polled()
    sandbox.faults.order("status", status=500, operation="add", after_work=True, count=1)
    await answer()
    assert await states(pool) == (["accepted"], ["met"])
    async with pool.acquire() as db:
        await db.execute("update reply set next_try_at = now() - interval '1 s'")
    clock.advance(minutes=1)
    await polled()
    await answer(None)

    assert await answers(pool) == [WORDS]
    assert await states(pool) == (["confirmed"], ["met"])
    assert len(shop.written) == len(sandbox.letters) == 1


async def test_an_answer_without_a_row_counts_and_ends_only_what_was_asked_before(
    sandbox, shop, polled, answer, pool, clock
):
    thread = shop.open_thread("Where is it?", at=clock() - timedelta(minutes=5))
    await polled()
    sandbox.faults.order("status", status=401, operation="add")
    await answer()
    assert await states(pool) == (["accepted"], ["met"])
    clock.advance(minutes=5)
    shop.customer_writes(thread.id, "And the other parcel?")
    await polled()

    assert sorted((await states(pool))[1], key=str) == [None, "met"]
    assert await answers(pool) == [WORDS]
    assert shop.written == []


async def test_a_letter_of_which_nobody_knows_ends_nothing_and_is_not_sent_again(
    sandbox, shop, polled, answer, pool, clock
):
    shop.open_thread("Where is it?", at=clock() - timedelta(minutes=5))
    await polled()
    sandbox.mail.faults.order("smtp_drop_after_data")
    await answer()
    await answer(None)

    assert await states(pool) == (["unknown"], [None])
    assert len(sandbox.letters) == 1
    assert shop.written == []
