"""Conversations in the database: pushed, polled, answered, found again."""

from __future__ import annotations

import pytest

from connectors.ebay.messages import mapping
from connectors.ebay.sandbox import payload
from core import ingest, reply
from core.desk import answering
from core.metrics import Metrics
from core.model import Stream
from core.reading import reread
from core.reading.walk import Reader, Round
from core.store import threads, transaction
from sla.policy import Party
from tests.core import seeds
from tests.core.seeds import MINUTE

OWN = frozenset({"quillons-shop"})
THREAD = "select subject, buyer, incomplete, as_of from thread"
CLOCKS = "select started_by, ended, flags from clock order by id"


@pytest.fixture
def rules():
    return seeds.rules()


@pytest.fixture
async def db(pool, clock):
    async with pool.acquire() as db:
        await seeds.put_account(db, clock())
        yield db


@pytest.fixture
def store(pool, rules, clock):
    """Stores a page; what became of it."""

    async def store(page):
        async with transaction(pool) as db:
            return await ingest.page(db, rules, "mk", page, clock(), None)

    return store


def pushed(conversation, clock):
    data = payload.pushed(conversation, conversation.latest)
    return mapping.pushed(data, OWN, clock())


async def test_the_poll_confirms_a_push_and_writes_nothing_of_its_message(
    messages, seller, buyer, clock, db, store
):
    one = seller.asked(buyer, "<p>Where is it?</p>", title="My parcel")
    first = await store(pushed(one, clock))
    before = await db.fetchrow("select * from message")
    polled = await store(await messages.fetch(None, None, clock()))

    assert (first.received, polled.received, polled.changed, polled.repeated) == (1, 0, 0, 1)
    assert await db.fetchrow("select * from message") == before
    row = await db.fetchrow(THREAD)
    assert tuple(row)[:3] == ("My parcel", "quill_zen", False)


async def test_a_push_starts_the_clock_that_the_poll_confirms(
    messages, seller, buyer, clock, db, store
):
    one = seller.asked(buyer, "Where is it?")
    await store(pushed(one, clock))
    (begun,) = await db.fetch("select id, started_at, due_at from clock")
    await store(await messages.fetch(None, None, clock()))

    (now,) = await db.fetch("select id, started_at, due_at from clock")
    assert now == begun
    assert [list(row["flags"]) for row in await db.fetch(CLOCKS)] == [[]]


async def test_a_push_takes_nothing_from_a_known_conversation(
    messages, seller, buyer, clock, db, store
):
    one = seller.asked(buyer, "Where is it?", title="My parcel")
    await store(await messages.fetch(None, None, clock()))
    before = await db.fetchrow(THREAD)
    clock.advance(minutes=1)
    seller.buyer_writes(one, "And?")
    told = await store(pushed(one, clock))

    assert told.received == 1
    assert await db.fetchrow(THREAD) == before


async def test_an_older_push_after_the_poll_changes_nothing(
    messages, seller, buyer, clock, db, store
):
    one = seller.asked(buyer, "Where is it?")
    late = pushed(one, clock)
    clock.advance(minutes=1)
    seller.answers(one, "On its way")
    await store(await messages.fetch(None, None, clock()))
    before = await db.fetch("select * from clock")
    told = await store(late)

    assert (told.received, told.changed, told.repeated) == (0, 0, 1)
    assert await db.fetch("select * from clock") == before


async def test_an_answer_of_unknown_fate_is_read_back_and_never_sent_again(
    messages, sandbox, seller, buyer, clock, db, pool, rules, store
):
    """Trap 19, through core: eBay took it and said nothing."""
    one = seller.asked(buyer, "Where is it?")
    await store(await messages.fetch(None, None, clock()))
    async with transaction(pool) as other:
        body = "It's <b>on</b> its way,\n\n you & yours"
        await answering.queue(other, "mk", one.id, body, {Party.BUYER}, clock())
    sandbox.faults.order("status", status=500, after_work=True, operation="sendMessage")
    reader = Reader(seeds.account(), Both(messages), {"s": Stream("s", MINUTE)}, "mk")
    for _ in range(2):
        await db.execute("update reply set next_try_at = now() where state <> 'sending'")
        await reply.once(pool, {"mk": reader}, rules, Metrics(), clock.advance(seconds=10))

    assert len(sandbox.calls("sendMessage")) == 1
    assert await db.fetchval("select state from reply") == "confirmed"
    assert await db.fetchval("select message_id from reply") == one.latest.id
    assert [row["ended"] for row in await db.fetch(CLOCKS)] == ["met"]


class Both:
    """The conversations as a connector."""

    def __init__(self, messages):
        self.reply, self.look = messages.reply, messages.look

    async def check(self): ...

    async def fetch(self, stream, cursor, position, now): ...


async def test_a_conversation_of_which_a_push_alone_told_is_said_not_to_be_there(
    messages, sandbox, seller, buyer, clock, db, store, pool, rules
):
    """Its clock runs on: unknown means that somebody has to look."""
    one = seller.asked(buyer, "Where is it?")
    await store(pushed(one, clock))
    seller.mailbox.forget(one)
    await store(await messages.fetch(None, None, clock()))
    reader = Reader(seeds.account(), messages, {"s": Stream("s", MINUTE)}, "mk")
    this = Round(pool, rules, Metrics(), clock, sure=True)

    assert await reread.now(this, reader, [one.id], 5.0)

    assert await threads.absent_since(db, "mk", one.id) == clock()
    assert [row["ended"] for row in await db.fetch(CLOCKS)] == [None]
