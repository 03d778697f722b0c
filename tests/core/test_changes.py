"""What open boards are to show anew: said once a transaction, heard by who listens here."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from core import ingest
from core.store import connect, transaction, wake
from core.store.wake import ANYTHING, Change, Changes
from tests.core import seeds
from tests.core.pages import buyer, page, thread


@asynccontextmanager
async def listening(address):
    """What is heard, in a queue; what a listener is told as it begins is left out."""
    heard, changes, connection = asyncio.Queue(), Changes(), await connect(address)
    try:
        await wake.listen(connection, {}, changes)
        with changes.listening(heard.put_nowait):
            yield heard
    finally:
        await connection.close()


async def next_of(heard):
    async with asyncio.timeout(10):
        return await heard.get()


async def test_a_page_says_once_which_threads_it_has_changed(pool, address, now):
    rules = seeds.rules(accounts=("mk",))
    async with transaction(pool) as db:
        await seeds.put_account(db, now)
    async with listening(address) as heard:
        for _ in range(2):  # the second brings nothing new
            async with transaction(pool) as db:
                of = page(buyer("M1", now), buyer("M2", now, "T2"), thread("T1", as_of=now))
                await ingest.page(db, rules, "mk", of, now, None)
        async with transaction(pool) as db:
            await wake.changed(db)

        assert await next_of(heard) == Change({"mk": frozenset({"T1", "T2"})})
        assert await next_of(heard) == Change(None)
        assert heard.empty()


ODD = ("T 1", 'T"2', "T\u00e93")


@pytest.mark.parametrize(
    ("threads", "heard"),
    [
        (None, Change(None)),
        ({"mk": ["T1"]}, Change({"mk": frozenset({"T1"})})),
        ({"mk": ODD, "é": []}, Change({"mk": frozenset(ODD), "é": frozenset()})),
        ({"mk": [f"thread-{n}" for n in range(1000)]}, ANYTHING),
    ],
)
async def test_what_is_said_is_heard_however_much_it_is(pool, address, threads, heard):
    async with listening(address) as queue:
        async with transaction(pool) as db:
            await wake.changed(db, threads, "poll")
        assert await next_of(queue) == heard


async def test_what_is_taken_back_is_not_heard(pool, address):
    async with listening(address) as heard:
        async with pool.acquire() as db:
            undone = db.transaction()
            await undone.start()
            await wake.changed(db, {"mk": ["T1"]})
            await undone.rollback()
        async with transaction(pool) as db:
            await wake.changed(db, {"mk": ["T2"]})

        assert await next_of(heard) == Change({"mk": frozenset({"T2"})})


async def test_who_begins_to_listen_shows_everything_anew(address):
    told, changes = [], Changes()
    with changes.listening(told.append):
        connection = await connect(address)
        await wake.listen(connection, {}, changes)
        await connection.close()
    changes.tell()

    assert told == [ANYTHING]


def test_a_change_is_of_accounts_and_about_threads():
    one = Change({"mk": frozenset({"T1"})})

    assert one.is_of(None)
    assert one.is_of({"mk", "x"})
    assert not one.is_of({"x"})
    assert Change(None).is_of({"x"})
    assert one.is_about("mk", "T1")
    assert not one.is_about("mk", "T2")
    assert not one.is_about("x", "T1")
    assert not Change(None).is_about("mk", "T1")
    assert ANYTHING.is_about("mk", "T1")
