"""Threads that the marketplace does not show when they are looked at: told, and never closed."""

from __future__ import annotations

import pytest

from core import ingest
from core.errors import Unreachable
from core.metrics import Metrics
from core.model import Message, Page, Stream, Thread
from core.reading import reread
from core.reading.walk import Reader, Round
from core.store import threads, transaction
from sla.policy import Party
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE


def told(now, as_of=None):
    thread = Thread(id="T1", as_of=as_of or now - HOUR, incomplete=as_of is None)
    message = Message(
        id="M1",
        thread="T1",
        party=Party.BUYER,
        to=frozenset({Party.SELLER}),
        sent_at=now - HOUR,
        body="?",
    )
    return Page(messages=(message,), threads=(thread,))


class Shop:
    """Shows `page` to whoever looks, or fails."""

    def __init__(self):
        self.page = Page()

    async def check(self): ...

    async def fetch(self, stream, cursor, position, now):
        return Page()

    async def look(self, ids, now):
        if isinstance(self.page, Exception):
            raise self.page
        return self.page


@pytest.fixture
def rules():
    return seeds.rules()


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
async def db(pool, rules, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        async with transaction(pool) as other:
            await ingest.page(other, rules, "mk", told(now), now, None)
        yield db


@pytest.fixture
def look(pool, db, rules, shop):
    async def look(at):
        reader = Reader(seeds.account(), shop, {"s": Stream("s", MINUTE)}, "mk")
        this = Round(pool, rules, Metrics(), lambda: at, sure=True)
        return await reread.now(this, reader, ["T1"], 5.0)

    return look


async def test_it_is_written_down_since_when_a_look_finds_no_such_thread(db, look, now):
    await look(now)
    await look(now + MINUTE)

    assert await threads.absent_since(db, "mk", "T1") == now
    assert await db.fetchval("select ended from clock") is None, "nobody said that it is closed"


async def test_a_thread_that_is_shown_again_is_absent_no_more(db, look, shop, now):
    await look(now)
    shop.page = told(now)

    await look(now + MINUTE)

    assert await threads.absent_since(db, "mk", "T1") is None


@pytest.fixture
def store(pool, rules):
    """Stores a page of one account, or one of several accounts in common."""

    async def store(page, at, *, in_common=False):
        async with transaction(pool) as other:
            if in_common:
                await ingest.pages(other, rules, {"mk": page}, at, sure=True)
            else:
                await ingest.page(other, rules, "mk", page, at, None)

    return store


@pytest.mark.parametrize("in_common", [False, True])
async def test_a_thread_that_a_page_tells_anew_is_absent_no_more(db, look, store, now, in_common):
    await store(told(now, now), now)
    await look(now)
    assert await threads.absent_since(db, "mk", "T1") == now

    await store(told(now, now + MINUTE), now + MINUTE, in_common=in_common)

    assert await threads.absent_since(db, "mk", "T1") is None


@pytest.mark.parametrize("in_common", [False, True])
async def test_a_thread_with_a_new_message_is_absent_no_more(db, look, store, now, in_common):
    await look(now)
    new = told(now).messages[0].model_copy(update={"id": "M2", "sent_at": now + MINUTE})

    await store(Page(messages=(new,)), now + HOUR, in_common=in_common)

    assert await threads.absent_since(db, "mk", "T1") is None
    assert await db.fetchval("select incomplete from thread"), "nothing else of it has changed"


async def test_an_older_page_says_nothing_of_what_is_there_now(db, look, store, now):
    await store(told(now, now), now)
    await look(now + MINUTE)

    await store(told(now, now - HOUR), now + 2 * MINUTE)

    assert await threads.absent_since(db, "mk", "T1") == now + MINUTE


async def test_a_look_that_fails_says_nothing_of_what_is_there(db, look, shop, now):
    shop.page = Unreachable("no network")

    assert not await look(now)
    assert await threads.absent_since(db, "mk", "T1") is None

    shop.page = Page()
    await look(now)
    shop.page = Unreachable("no network")
    await look(now + MINUTE)
    assert await threads.absent_since(db, "mk", "T1") == now


async def test_of_several_looked_at_together_none_is_taken_for_absent(db, now):
    """One may be left out because its API alone refuses us."""
    await threads.looked_at(db, "mk", ["T1"], now)

    assert await threads.absent_since(db, "mk", "T1") is None
    assert await db.fetchval("select looked_at from thread") == now
