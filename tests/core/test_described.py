"""What clocks say of their threads, so that the queue is filtered without looking at those."""

from __future__ import annotations

from core import ingest
from core.store import transaction
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, monitored, seller, stored, thread

SAID = "select kind, language, ended from clock order by id"


async def said(pool):
    async with pool.acquire() as db:
        return [tuple(row) for row in await db.fetch(SAID)]


async def test_a_clock_says_the_kind_of_its_thread_and_the_buyers_language(pool, now):
    await monitored(pool, now - 24 * HOUR)
    one = [thread(as_of=now, kind="claim"), buyer("M1", now - HOUR, language="de")]
    await stored(pool, now, *one)

    assert await said(pool) == [("claim", "de", None)]


async def test_the_newest_message_of_the_buyer_of_which_it_is_known_counts(pool, now):
    await monitored(pool, now - 24 * HOUR)
    await stored(
        pool, now,
        thread(as_of=now),
        buyer("M1", now - 3 * HOUR, language="de"),
        buyer("M2", now - 2 * HOUR, language="ko"),
        buyer("M3", now - HOUR),
    )  # fmt: skip
    assert await said(pool) == [("message", "ko", None)]

    await stored(pool, now + MINUTE, buyer("M4", now - MINUTE, language="fr"))
    assert await said(pool) == [("message", "fr", None)]


async def test_an_answer_in_another_language_changes_nothing_and_ends_it(pool, now):
    await monitored(pool, now - 24 * HOUR)
    await stored(pool, now, thread(as_of=now), buyer("M1", now - HOUR, language="de"))

    await stored(pool, now + MINUTE, seller("M2", now, language="en"))

    assert await said(pool) == [("message", None, "met")]


async def test_a_thread_whose_kind_is_told_later_has_its_clocks_say_so(pool, now):
    await monitored(pool, now - 24 * HOUR)
    await stored(pool, now, buyer("M1", now - HOUR))
    assert await said(pool) == [("message", None, None)]

    await stored(pool, now + MINUTE, thread(as_of=now + MINUTE, kind="dispute"))

    assert await said(pool) == [("dispute", None, None)]


async def test_what_an_older_version_wrote_is_put_right_with_the_next_recomputation(pool, now):
    await monitored(pool, now - 24 * HOUR)
    await stored(pool, now, thread(as_of=now), buyer("M1", now - HOUR, language="de"))
    async with transaction(pool) as db:
        await db.execute("update clock set kind = null, language = null")

    async with transaction(pool) as db:
        await ingest.recompute(db, seeds.rules(), "mk", ["T1"], now + MINUTE)

    assert await said(pool) == [("message", "de", None)]
    assert await pages.rows(pool, "clock_entry", "at") == []
