"""What is told while the database takes long for each statement, and what becomes of the rest."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from core import deliver
from core.metrics import Metrics
from core.model import Notice, NoticeKind, Page, Stream
from core.outbox import batch, looking
from core.reading.walk import Reader
from core.store import dispatches, notices, transaction
from tests.core import seeds
from tests.core.seeds import MINUTE

TENTH = 0.1
"""Everything here takes a tenth of the time that it takes in earnest."""


class Chat:
    """A notifier of two a minute, that keeps what it is given."""

    name, zone, digest_after = "log", "UTC", 2

    def __init__(self):
        self.got = []

    async def send(self, notice, words):
        self.got.append(notice.key)


class Hanging:
    """A connector that is asked for a look and shows nothing."""

    asked = 0

    async def check(self): ...

    async def fetch(self, stream, cursor, position, now):
        return Page()

    async def look(self, threads, now):
        self.asked += 1
        await asyncio.Event().wait()


class Slow:
    """A pool of which each statement takes *pace* seconds more."""

    def __init__(self, pool, pace):
        self.pool, self.pace = pool, pace

    @asynccontextmanager
    async def acquire(self):
        async with self.pool.acquire() as db:
            yield SlowDb(db, self.pace)


class SlowDb:
    def __init__(self, db, pace):
        self.db, self.pace = db, pace

    def __getattr__(self, name):
        async def late(*given):
            await asyncio.sleep(self.pace)
            return await getattr(self.db, name)(*given)

        return late

    @asynccontextmanager
    async def transaction(self):
        await asyncio.sleep(self.pace)
        async with self.db.transaction():
            yield
            await asyncio.sleep(self.pace)


@pytest.fixture
def connector(monkeypatch):
    monkeypatch.setattr(dispatches, "LEASE", dispatches.LEASE * TENTH)
    monkeypatch.setattr(batch, "SECONDS", batch.SECONDS * TENTH)
    monkeypatch.setattr(looking, "LOOK", looking.LOOK * TENTH)
    return Hanging()


@pytest.fixture
def round_(pool, now, connector):
    """One round of a notifier's loop, with a database that takes so long for each statement."""
    kept, stream = {"log": batch.Unsettled()}, Stream("threads", MINUTE)
    readers = {"mk": Reader(seeds.account(), connector, {"threads": stream}, "mk")}

    async def go(chat, pace):
        slow, rules = Slow(pool, pace), seeds.rules()
        named = {chat.name: chat}
        return await deliver.once(slow, named, rules, readers, Metrics(), now, unsettled=kept)

    return go


@pytest.fixture
async def raised(pool, now):
    async def put(*numbers):
        each = [
            Notice(f"{n}/0/1", NoticeKind.BREACH, "mk", now, "T1", n, now - MINUTE) for n in numbers
        ]
        async with transaction(pool) as db:
            await notices.raise_(db, seeds.rules(), each)

    async with transaction(pool) as db:
        await seeds.put_account(db, now)
        await seeds.put_thread(db, now)
    return put


async def test_a_database_of_two_seconds_a_statement_holds_back_no_notice(round_, raised):
    chat = Chat()
    await raised(1, 2)

    await round_(chat, 2 * TENTH)

    assert chat.got == ["1/0/1", "2/0/1"]


async def test_a_database_of_two_seconds_a_statement_holds_back_no_digest(pool, round_, raised):
    chat = Chat()
    await raised(1, 2, 3, 4)
    await round_(chat, 0)
    await pool.execute("update dispatch set next_try_at = now() - interval '1 min'")

    await round_(chat, 2 * TENTH)

    assert chat.got == ["1/0/1", "2/0/1", "log/flood/3"]


async def test_the_last_look_is_taken_where_there_is_time(round_, raised, connector):
    await raised(1)
    await round_(Chat(), 0)
    assert connector.asked == 1

    await raised(2)
    await round_(Chat(), 2 * TENTH)
    assert connector.asked == 1


async def test_the_lease_begins_when_it_is_claimed(pool, raised):
    await raised(1)

    async with transaction(pool) as db:
        await asyncio.sleep(0.3)
        await dispatches.claim(db, "log", 1)
        lasts = await db.fetchval("select next_try_at - now() from dispatch")

    assert lasts > dispatches.LEASE + timedelta(seconds=0.25)


async def test_what_could_not_leave_in_time_was_no_attempt(pool, round_, raised, now, monkeypatch):
    """Else fifteen slow rounds would park what was never tried."""
    chat = Chat()
    await raised(1, 2, 3, 4)
    with monkeypatch.context() as shorter:
        shorter.setattr(dispatches, "LEASE", timedelta(seconds=batch.SECONDS))
        assert await round_(chat, 0) == now, "what was put back is due"
        await pool.execute(
            "update dispatch set next_try_at = now() - interval '1 min' where digest is not null"
        )
        for _ in range(5):
            assert await round_(chat, 0) == now
    assert chat.got == []
    rows = await pool.fetch("select attempts, digest from dispatch order by notice")
    assert [row["digest"] for row in rows] == [None, None, "log/flood/3", "log/flood/3"]
    assert {row["attempts"] for row in rows} <= {1, 2}

    await round_(chat, 0)

    assert chat.got == ["1/0/1", "2/0/1", "log/flood/3"]
    assert await pool.fetchval("select max(attempts) from dispatch") <= 2
