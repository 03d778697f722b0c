"""In which language a thread is, and in which buyers wrote lately, as the database knows it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.routing import Route, Routing
from core.running import reach
from core.store import languages
from tests.core import seeds
from tests.core.people import directory, person
from tests.core.seeds import HOUR

DAY = timedelta(days=1)


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        for account in ("mk", "eb"):
            await seeds.put_account(db, now, account)
        yield db


@pytest.fixture
def wrote(db):
    """Somebody wrote a message in this language."""
    numbers = iter(range(100))

    async def put(at, language, thread="T1", account="mk", party="buyer"):
        name = f"M{next(numbers)}"
        await seeds.put_message(db, at, name, thread, account, party=party)
        await db.execute("update message set language = $2 where id = $1", name, language)
        return name

    return put


async def test_a_message_dated_in_the_future_was_written_when_we_saw_it(db, wrote, now):
    late = await wrote(now + 3 * DAY, "fr")
    await db.execute("update message set seen_at = $2 where id = $1", late, now - 2 * HOUR)
    await wrote(now - HOUR, "de")

    assert await languages.of(db, [("mk", "T1")]) == {("mk", "T1"): "de"}


async def test_a_thread_is_in_the_language_of_the_newest_word_of_its_buyer(db, wrote, now):
    await wrote(now - 3 * HOUR, "ko")
    await wrote(now - 2 * HOUR, "de")
    await wrote(now - HOUR, None)
    await wrote(now, "fr", party="seller")
    await wrote(now, "pl", "T2")
    await wrote(now, None, "T3")

    asked = [("mk", "T1"), ("mk", "T2"), ("mk", "T3"), ("eb", "T1"), ("mk", "T1")]

    assert await languages.of(db, asked) == {("mk", "T1"): "de", ("mk", "T2"): "pl"}
    assert await languages.of(db, []) == {}


async def test_a_message_that_a_person_took_for_the_sellers_says_nothing(db, wrote, now):
    await wrote(now - HOUR, "ko")
    mistaken = await wrote(now, "de")
    await db.execute("update message set party_corrected = 'seller' where id = $1", mistaken)

    assert await languages.of(db, [("mk", "T1")]) == {("mk", "T1"): "ko"}


async def test_languages_that_arrived_lately_are_known_by_account(db, wrote, now):
    for at, language, account in (
        (now - HOUR, "de", "mk"), (now - 2 * HOUR, "de", "mk"), (now - DAY, "ko", "mk"),
        (now - 40 * DAY, "pl", "mk"), (now - HOUR, None, "eb"),
    ):  # fmt: skip
        await wrote(at, language, account=account)

    assert await languages.arrived(db, now - 30 * DAY) == {"mk": {"de", "ko"}}


async def test_what_nobody_answers_of_it_is_told_at_the_start(pool, wrote, now):
    await wrote(now - HOUR, "ko")
    await wrote(now - HOUR, "de-AT")
    routes = {"ops": Route("ops", (), fallback=True, tell=("person:anna",))}

    def routing(*known):
        return Routing(routes, {}, directory(person("anna", "anna", languages=known)))

    (line,) = await reach.heard(pool, routing("de", "en"), now)

    assert line.startswith("accounts.mk: buyers write in ko, and nobody answers it who is told;")
    assert await reach.heard(pool, routing(), now) == []
    assert await reach.heard(pool, routing("de", "ko"), now) == []
