"""The words of verdicts go after a time; what they meant stays, whatever comes after that."""

from __future__ import annotations

import pytest

from core import ingest
from core.arrival import fading
from core.model import Verdict
from core.reading.walk import merged
from core.store import deeds, transaction, verdicts
from sla.clock import Delivery
from tests.core import seeds
from tests.core.pages import HOUR, MINUTE, buyer, page, seller, thread

DAY = 24 * HOUR
ANSWER = "Your parcel will arrive on Monday, we are sorry."
CLOCKS = "select thread, started_at, due_at, ended, stopped_by, stopped_at from clock order by 1"
JUDGED = """
    select id, thread, coalesce(judged, delivery) as how from message where party = 'seller'
    order by id
"""


@pytest.fixture
def rules():
    return seeds.rules(says={"judged": True, "letters": True})


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now - 99 * DAY)
        yield db


@pytest.fixture
def store(pool, rules, db):
    async def put(at, *told):
        async with transaction(pool) as other:
            await ingest.page(other, rules, "mk", merged(told), at, None)

    return put


def asked(at, id_, order):
    known = thread(id_, as_of=at, buyer="Ada", order_ids=(order,))
    return page(buyer(f"Q-{id_}", at, id_), known)


def said(at, id_, order, *, refuses=False):
    note = seller(id_, at, f"about-{id_}", kind="internal", to=frozenset(), delivery="confirmed")
    how = Delivery.REFUSED if refuses else Delivery.CONFIRMED
    text = f"To Ada: {ANSWER}"
    verdict = Verdict(id_, how, at, order_id=order, text=text, is_copy=not refuses)
    return page(note, verdicts=(verdict,))


async def rows(db, sql):
    return [tuple(row) for row in await db.fetch(sql)]


async def words(db):
    return [
        row["id"] for row in await db.fetch("select id from verdict where body <> '' order by 1")
    ]


async def told(store, at):
    """One answer of ours confirmed, one given elsewhere, one refused."""
    for number in "123":
        await store(at, asked(at - 5 * HOUR, f"T{number}", number))
    for number in "13":
        letter = seller(f"A{number}", at - HOUR, f"T{number}", body=ANSWER, delivery="accepted")
        await store(at, page(letter))
    await store(at, said(at, "C1", "1"), said(at, "C2", "2"), said(at, "N3", "3", refuses=True))


async def test_what_is_old_loses_its_words_and_nothing_of_what_it_meant(pool, db, store, now):
    at = now - 40 * DAY
    await told(store, at)
    before = await rows(db, CLOCKS), await rows(db, JUDGED)
    assert [row[3] for row in before[0]] == ["met", "met", None]

    assert await fading.once(pool, now - 41 * DAY) == 0
    assert await words(db) == ["C1", "C2", "N3"]
    assert await fading.once(pool, now - 30 * DAY) == 3

    assert await words(db) == []
    assert (await rows(db, CLOCKS), await rows(db, JUDGED)) == before
    await told(store, at)  # read again
    async with transaction(pool) as other:
        await ingest.recompute(
            other, seeds.rules(says={"judged": True}), "mk", ["T1", "T2", "T3"], now
        )
    assert (await rows(db, CLOCKS), await rows(db, JUDGED)) == before
    assert await fading.once(pool, now) == 0


async def test_what_is_judged_with_something_younger_waits_for_that(pool, db, store, now):
    await told(store, now - 40 * DAY)
    await store(now - DAY, said(now - DAY, "N9", "1", refuses=True))

    assert await fading.once(pool, now - 30 * DAY) == 2
    assert await words(db) == ["C1", "N9"]
    assert await fading.once(pool, now) == 2


async def test_what_was_done_about_an_order_stays_while_a_copy_is_judged_by_it(
    pool, db, store, now
):
    """Else the copy would become an answer as soon as nobody knows what was done."""
    at = now - 99 * DAY
    await deeds.begin(db, "mk", "2", "solicitation", at - 5 * MINUTE)
    await store(at, asked(at - 5 * HOUR, "T2", "2"), said(at, "C2", "2"))
    assert [row[3] for row in await rows(db, CLOCKS)] == [None]

    assert await deeds.purge(db, now - 90 * DAY) == 0
    await fading.once(pool, now)
    assert await deeds.purge(db, now - 90 * DAY) == 1

    await store(now, said(at, "C2", "2"), asked(at - 5 * HOUR, "T2", "2"))
    assert [row[3] for row in await rows(db, CLOCKS)] == [None]


async def test_what_is_erased_already_is_not_counted_again(pool, db, store, now):
    await told(store, now - 40 * DAY)
    async with transaction(pool) as one:
        assert await verdicts.fade(one, "mk", "C1", now) == 1
        assert await verdicts.fade(one, "mk", "C1", now) == 0
