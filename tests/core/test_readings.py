"""Dates that the marketplace gives, with the sentence that each was read from."""

from __future__ import annotations

from dataclasses import replace

from core.store import readings, transaction
from sla.clock import Given
from tests.core import pages, seeds
from tests.core.pages import HOUR

SENTENCE = "Bitte antworten Sie innerhalb von 3 Tagen."


async def stored(pool, now, *given):
    """What is stored of *given*, each told in a page of its own."""
    for one in given:
        await pages.stored(pool, now, ("T1", one))
    async with transaction(pool) as db:
        return (await readings.of(db, "mk", ["T1"]))["T1"]


async def test_a_date_keeps_the_sentence_that_it_was_read_from(pool, now):
    async with transaction(pool) as db:
        await seeds.put_account(db, now)
    due = Given("claim", "answer", asks=True, as_of=now, read_at=now, due_at=now + 72 * HOUR)
    told = replace(due, sentence=SENTENCE)
    closed = replace(due, asks=False, due_at=None, as_of=now + HOUR)

    assert await stored(pool, now, told, due, closed) == [told, closed]


async def test_a_sentence_that_cannot_be_stored_costs_no_date(pool, now):
    async with transaction(pool) as db:
        await seeds.put_account(db, now)
    odd = Given(
        "claim", "answer", asks=True, as_of=now, read_at=now, due_at=now + HOUR,
        sentence=f"\0\ud800{'x' * 3000}",
    )  # fmt: skip

    [kept] = await stored(pool, now, odd)

    assert (kept.due_at, len(kept.sentence)) == (now + HOUR, 2000)


async def test_an_erased_sentence_is_gone_and_its_date_stays(pool, now):
    async with transaction(pool) as db:
        await seeds.put_account(db, now)
    due = Given("claim", "answer", asks=True, as_of=now, read_at=now, due_at=now, sentence=SENTENCE)
    await stored(pool, now, due)

    async with transaction(pool) as db:
        await readings.forget(db, "mk", ["T1"])

    assert await stored(pool, now) == [replace(due, sentence=None)]
