"""Links that set the marketplace's own mark: secrets of a thread, shown to whoever asks for one."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from core import ingest
from core.model import merged
from core.store import links, transaction
from tests.core import pages, seeds
from tests.core.pages import HOUR, buyer, page

UNINDEXABLE = "".join(random.Random(7).choices([chr(n) for n in range(0x4E00, 0x9FFF)], k=990))
URL = "https://market.example/no-response-needed?h=0123456789abcdef"


def linked(now, id_="M1", url=URL, *, hours=1, thread="T1"):
    told = page(buyer(id_, now - hours * HOUR, thread))
    return replace(told, links={id_: SecretStr(url)})


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        yield db


@pytest.fixture
def store(pool, now, db):
    async def put(told):
        async with transaction(pool) as other:
            return await ingest.page(other, seeds.rules(), "mk", told, now, None)

    return put


async def test_a_link_is_kept_apart_from_its_message_and_said_nowhere_else(pool, db, store, now):
    with capture_logs() as said:
        stored = await store(linked(now))

    assert await links.of_thread(db, "mk", "T1") == [("M1", URL)]
    everywhere = [said, stored, linked(now)]
    for table in ("message", "thread", "clock", "notice", "set_aside", "raw_message"):
        everywhere += await pages.rows(pool, table)
    assert URL not in repr(everywhere)


async def test_the_newest_message_that_has_one_comes_first(db, store, now):
    await store(linked(now, "M1", f"{URL}1", hours=2))
    await store(linked(now, "M2", f"{URL}2", hours=1))
    await store(page(buyer("M3", now)))

    assert [url for _, url in await links.of_thread(db, "mk", "T1")] == [f"{URL}2", f"{URL}1"]


async def test_a_page_whose_link_is_not_stored_is_not_unchanged(db, store, now):
    told = linked(now)
    await store(replace(told, links={}))
    assert await ingest.unchanged(db, "mk", told) is None
    await store(told)

    assert await ingest.unchanged(db, "mk", told) is not None


async def test_what_was_erased_gets_no_link_again(db, store, now):
    await store(linked(now))
    await db.execute("delete from message")
    await db.execute("insert into tombstone values ('mk', 'M1', 'erased', $1)", now)
    await links.forget(db, "mk", ["M1"])

    await store(linked(now))

    assert await db.fetchval("select count(*) from link") == 0


@pytest.mark.parametrize("home", ["case:a", "case:z"])
async def test_a_link_comes_along_where_a_page_is_stored_in_halves(db, store, now, home):
    """Its message's id sorts before its thread, and a neighbour cannot be stored."""
    told = linked(now, "0102", thread=home)
    bad = [buyer(UNINDEXABLE, now, thread) for thread in ("case:a", "case:m", "case:z")]

    stored = await store(merged([page(*bad), told]))

    assert {item.source_id for item in stored.aside} == {UNINDEXABLE}
    assert await links.of_thread(db, "mk", home) == [("0102", URL)]


async def test_the_link_of_a_message_that_cannot_be_stored_is_set_aside(pool, db, store, now):
    odd = UNINDEXABLE
    stored = await store(merged([linked(now), linked(now, odd, f"{URL}2")]))

    reasons = {item.reason.partition(": ")[2] for item in stored.aside if item.source_id == odd}
    assert "its message is not stored" in reasons
    assert len(stored.aside) == 2
    assert f"{URL}2" not in repr([stored, await pages.rows(pool, "set_aside")])
    assert await links.of_thread(db, "mk", "T1") == [("M1", URL)]


async def test_old_links_are_removed(db, store, now):
    await store(linked(now))

    assert await links.purge(db, now) == 0
    assert await links.purge(db, now + HOUR) == 1
    assert await links.of_thread(db, "mk", "T1") == []


async def test_a_link_that_cannot_be_stored_is_set_aside_without_itself(pool, db, store, now):
    await store(linked(now, url=f"{URL}\0"))

    [aside] = await pages.rows(pool, "set_aside")
    assert aside["source_id"] == "M1"
    assert URL not in repr(aside)
    assert await db.fetchval("select count(*) from message") == 1
