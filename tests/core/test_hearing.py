from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from core import deliver
from core.arrival import hearing
from core.metrics import Metrics
from core.model import NoticeKind, Page
from core.routing import Route
from core.store import pushes, transaction
from core.told import TROUBLES
from tests.core import pages, seeds
from tests.core.pages import MINUTE
from tests.core.test_deliver import Remembering

SILENT, HEARD = NoticeKind.PUSH_SILENT, NoticeKind.PUSH_HEARD


@pytest.fixture
async def say(pool, now):
    await pages.monitored(pool, now - timedelta(days=1))

    async def say(what, *args, after=0, rules=None):
        async with transaction(pool) as db:
            await what(db, rules or seeds.rules(), *args, now + after * MINUTE)

    return say


async def told(pool):
    return [(row["kind"], row["facts"]) for row in await pages.rows(pool, "notice")]


async def test_what_a_walk_found_alone_once_or_twice_says_nothing(say, pool):
    for after in range(hearing.AGAIN_AND_AGAIN - 1):
        await say(hearing.missed, "mk", after=after)

    assert await told(pool) == []


async def test_what_walks_find_alone_again_and_again_is_told_once(say, pool, now):
    for after in range(hearing.AGAIN_AND_AGAIN + 3):
        await say(hearing.missed, "mk", after=after)

    assert await told(pool) == [(SILENT, {"since": now.isoformat(), "trouble": ""})]


async def test_a_push_between_two_walks_makes_them_begin_anew(say, pool):
    for after in range(3 * hearing.AGAIN_AND_AGAIN):
        if after % 2:
            await say(hearing.heard, ["mk"], after=after)
        await say(hearing.missed, "mk", after=after)

    assert await told(pool) == []


async def test_a_push_takes_the_silence_back_once(say, pool, now):
    for after in range(hearing.AGAIN_AND_AGAIN):
        await say(hearing.missed, "mk", after=after)
    await say(hearing.heard, ["mk"], after=10)
    await say(hearing.heard, ["mk"], after=11)

    since = now + (hearing.AGAIN_AND_AGAIN - 1) * MINUTE
    assert (await told(pool))[1:] == [(HEARD, {"since": since.isoformat()})]


async def test_a_second_silence_is_told_again(say, pool):
    for after in range(hearing.AGAIN_AND_AGAIN):
        await say(hearing.missed, "mk", after=after)
    await say(hearing.heard, ["mk"], after=10)
    for after in range(hearing.AGAIN_AND_AGAIN):
        await say(hearing.missed, "mk", after=20 + after)

    assert [kind for kind, _ in await told(pool)] == [SILENT, HEARD, SILENT]


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_what_the_marketplace_says_is_told_at_once_and_taken_back(say, pool, now, trouble):
    await say(hearing.told, "mk", (trouble,))
    await say(hearing.told, "mk", (trouble,), after=60)
    await say(hearing.told, "mk", (), after=120)
    await say(hearing.told, "mk", (), after=180)

    assert await told(pool) == [
        (SILENT, {"since": now.isoformat(), "trouble": trouble}),
        (HEARD, {"since": now.isoformat(), "trouble": trouble}),
    ]


async def test_the_end_of_a_trouble_is_no_push(say, pool):
    """As after a restore: the marketplace says nothing against it, and nothing has come."""
    await say(hearing.told, "mk", (DOWN, DISABLED))
    await say(hearing.told, "mk", (), after=1)
    await say(hearing.told, "mk", (DOWN,), after=2)
    await say(hearing.heard, ["mk"], after=3)
    await say(hearing.told, "mk", (), after=4)

    ends = [facts.get("trouble") for kind, facts in await told(pool) if kind == HEARD]
    assert ends == [f"{DOWN}, {DISABLED}", DOWN]


async def test_a_push_ends_a_silence_without_a_word_of_the_marketplace(say, pool):
    for after in range(hearing.AGAIN_AND_AGAIN):
        await say(hearing.missed, "mk", after=after)
    await say(hearing.told, "mk", (DOWN,), after=10)
    await say(hearing.told, "mk", (), after=20)
    await say(hearing.heard, ["mk"], after=30)

    kind, facts = (await told(pool))[-1]
    assert (kind, "trouble" in facts) == (HEARD, False)


async def test_a_push_does_not_take_back_what_the_marketplace_still_says(say, pool):
    await say(hearing.told, "mk", ("subscription_disabled",))
    await say(hearing.heard, ["mk"], after=1)

    assert [kind for kind, _ in await told(pool)] == [SILENT]


async def test_a_good_word_of_the_marketplace_does_not_take_back_what_walks_find(say, pool):
    for after in range(hearing.AGAIN_AND_AGAIN):
        await say(hearing.missed, "mk", after=after)
    await say(hearing.told, "mk", (), after=10)

    assert [kind for kind, _ in await told(pool)] == [SILENT]


WAITING = """
    select count(*) > 0 from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'
"""
DISABLED, DOWN = "destination_disabled", "destination_down"


async def troubles(pool):
    return [facts.get("trouble", "") for kind, facts in await told(pool) if kind == SILENT]


async def test_a_trouble_that_comes_after_a_told_silence_is_told_too(say, pool, now):
    """Else the platform switches the webhook off after a while, and nobody ever reads so."""
    for after in range(hearing.AGAIN_AND_AGAIN):
        await say(hearing.missed, "mk", after=after)
    since = (await told(pool))[0][1]["since"]
    await say(hearing.missed, "mk", after=9)
    for after in (10, 20, 30):
        await say(hearing.told, "mk", (DISABLED,), after=after)

    silent_since = now + (hearing.AGAIN_AND_AGAIN - 1) * MINUTE
    assert await told(pool) == [
        (SILENT, {"since": since, "trouble": ""}),
        (SILENT, {"since": silent_since.isoformat(), "trouble": DISABLED}),
    ]


async def test_a_second_trouble_is_told_with_those_that_last(say, pool):
    await say(hearing.told, "mk", (DOWN,))
    await say(hearing.told, "mk", (DOWN, DISABLED), after=1)
    await say(hearing.told, "mk", (DISABLED, DOWN), after=2)
    await say(hearing.told, "mk", (DISABLED,), after=3)

    assert await troubles(pool) == [DOWN, f"{DOWN}, {DISABLED}"]


async def test_a_trouble_that_comes_and_goes_in_one_silence_is_told_once(say, pool):
    for after in range(hearing.AGAIN_AND_AGAIN):
        await say(hearing.missed, "mk", after=after)
    for after in range(10, 20):
        await say(hearing.told, "mk", (DISABLED,) if after % 2 else (), after=after)

    assert await troubles(pool) == ["", DISABLED]


async def test_one_end_takes_back_the_silence_and_its_trouble(say, pool, now):
    chat, rules = Remembering("chat"), seeds.rules(Route("chat", ("chat",)), of={"mk": ("chat",)})
    for after in range(hearing.AGAIN_AND_AGAIN):
        await say(hearing.missed, "mk", after=after, rules=rules)
    await say(hearing.told, "mk", (DISABLED,), after=10, rules=rules)
    await say(hearing.told, "mk", (), after=20, rules=rules)
    await say(hearing.heard, ["mk"], after=30, rules=rules)

    await deliver.once(pool, {"chat": chat}, rules, {}, Metrics(), now + 31 * MINUTE)

    assert [kind for kind, _ in await told(pool)] == [SILENT, SILENT, HEARD]
    assert chat.keys == []


@pytest.mark.parametrize("walks", [0, hearing.AGAIN_AND_AGAIN])
async def test_two_daemons_tell_a_trouble_once(say, pool, now, walks):
    """The second asks before the first has committed, and sees what was before it."""
    for after in range(walks):
        await say(hearing.missed, "mk", after=after)
    async with transaction(pool) as db:
        await hearing.told(db, seeds.rules(), "mk", (DISABLED,), now + 10 * MINUTE)
        other = asyncio.create_task(say(hearing.told, "mk", (DISABLED,), after=11))
        async with asyncio.timeout(10), pool.acquire() as looking:
            while not await looking.fetchval(WAITING):  # noqa: ASYNC110  # a server process waits
                await asyncio.sleep(0.01)
    await other

    assert [each for each in await troubles(pool) if each] == [DISABLED]


async def test_a_silence_that_ended_before_it_was_sent_is_never_sent(say, pool, now):
    """The notifier fails while pushes are silent, and is back after they are."""
    chat, rules = Remembering("chat"), seeds.rules(Route("chat", ("chat",)), of={"mk": ("chat",)})
    for after in range(hearing.AGAIN_AND_AGAIN):
        await say(hearing.missed, "mk", after=after, rules=rules)
    await say(hearing.heard, ["mk"], after=10, rules=rules)

    await deliver.once(pool, {"chat": chat}, rules, {}, Metrics(), now)

    assert [kind for kind, _ in await told(pool)] == [SILENT, HEARD]
    assert chat.keys == []


async def test_the_state_of_pushes_comes_with_a_page(pool, now):
    await pages.monitored(pool, now - timedelta(days=1))
    async with transaction(pool) as db:
        page = Page(pushes=("destination_down",))
        await pages.ingest.page(db, seeds.rules(), "mk", page, now, None)

        assert await pushes.states(db) == {"mk": (None, True)}


async def test_an_account_stands_by_itself(say, pool):
    for after in range(hearing.AGAIN_AND_AGAIN):
        await say(hearing.missed, "mk", after=after)
        await say(hearing.heard, ["other"], after=after)

    assert [kind for kind, _ in await told(pool)] == [SILENT]
