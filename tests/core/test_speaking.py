"""Buyers' messages get the language that nobody told of them, once, before they are stored."""

from __future__ import annotations

import pytest

from core import ingest
from core.arrival import detecting
from core.model import Attachment
from core.store import transaction
from tests.core import seeds
from tests.core.pages import HOUR, MINUTE, buyer, monitored, page, seller, setup, stored, thread

UNSAID = "12345"
"""A text that is in no language, with the extra and without."""


@pytest.fixture
async def german(pool, now):
    """The rules of an account whose buyers write German."""
    await monitored(pool, now - 24 * HOUR, setup(language="de"))
    return seeds.rules(says={"language": "de"})


async def spoken(pool):
    async with pool.acquire() as db:
        rows = await db.fetch("select id, language from message order by id")
        return {row["id"]: row["language"] for row in rows}


async def test_what_an_account_says_counts_where_the_marketplace_says_nothing(pool, now, german):
    told = [
        thread(as_of=now),
        buyer("M1", now - HOUR, body=UNSAID),
        buyer("M2", now - HOUR, body=UNSAID, language="fr_CA"),
        buyer("M3", now - HOUR, attachments=(Attachment(id="1"),)),
        seller("M4", now - HOUR, body=UNSAID),
        buyer("M5", now - HOUR),
    ]
    await stored(pool, now, *told, of=german)

    assert await spoken(pool) == {"M1": "de", "M2": "fr-CA", "M3": "de", "M4": None, "M5": None}


async def test_the_clock_that_runs_says_it_too(pool, now, german):
    await stored(pool, now, thread(as_of=now), buyer("M1", now - HOUR, body=UNSAID), of=german)

    async with pool.acquire() as db:
        assert await db.fetchval("select language from clock where ended is null") == "de"


async def test_a_push_says_it_as_a_walk_does(pool, now, german):
    pushed = {"mk": page(thread(as_of=now), buyer("M1", now - HOUR, body=UNSAID))}
    async with transaction(pool) as db:
        await ingest.pages(db, german, pushed, now)

    assert await spoken(pool) == {"M1": "de"}


async def test_what_comes_again_is_no_news_whatever_it_was_taken_for(pool, now, german):
    told = [thread(as_of=now), buyer("M1", now - HOUR, body=UNSAID)]
    await stored(pool, now, *told, of=german)

    again = await stored(pool, now + MINUTE, *told, of=german)
    elsewhere = await stored(pool, now + 2 * MINUTE, *told)

    assert (again.changed, again.repeated) == (elsewhere.changed, elsewhere.repeated) == (0, 1)
    assert await spoken(pool) == {"M1": "de"}


async def test_what_is_written_anew_is_looked_at_anew(pool, now, german):
    first = buyer("M1", now - HOUR, body=UNSAID)
    await stored(pool, now, thread(as_of=now), first, of=german)

    anew = first.model_copy(update={"body": "54321"})
    done = await stored(pool, now + MINUTE, anew, of=german)

    assert done.changed == 1
    assert await spoken(pool) == {"M1": "de"}


async def test_without_a_word_of_anybody_it_is_in_no_known_language(pool, now):
    await monitored(pool, now - 24 * HOUR)
    await stored(pool, now, thread(as_of=now), buyer("M1", now - HOUR, body=UNSAID))

    assert await spoken(pool) == {"M1": None}


@pytest.mark.skipif(detecting.detector() is None, reason="the extra language is not installed")
async def test_the_buyers_own_words_say_it_and_no_clock_moves(pool, now, german):
    said = "Gdzie jest moje zamówienie?"
    at = now - HOUR
    await stored(
        pool, now,
        thread(as_of=now), buyer("M1", at, body=said),
        thread("T2", as_of=now), buyer("M2", at, "T2", body=UNSAID),
        of=german,
    )  # fmt: skip

    assert await spoken(pool) == {"M1": "pl", "M2": "de"}
    async with pool.acquire() as db:
        due = await db.fetch("select distinct started_at, due_at from clock")
    assert len(due) <= 1
    assert all(row["started_at"] == at for row in due)
