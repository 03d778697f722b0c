"""Whoever had a thread here stays known, however often they are asked for, and by which ids."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from core.arrival import erasing
from core.metrics import Metrics
from core.pushes import Member
from core.running import forgetting
from core.store import forgotten, transaction
from tests.core import pages, seeds
from tests.core.pages import HOUR, buyer, stored, thread

DAY = timedelta(days=1)
NAME, USER = "quill-buyer", "uid-quill-77"
BOTH = frozenset({NAME, USER})


@pytest.fixture
def rules():
    return seeds.rules(accounts=("mk",))


@pytest.fixture
async def pool(pool, now):
    await pages.monitored(pool, now - 900 * HOUR, pages.setup("mk"))
    return pool


@pytest.fixture
def ask(pool, now):
    async def ask(*ids, at=now):
        async with transaction(pool) as db:
            await erasing.ask(db, "mirakl", None, [Member(frozenset(ids))], at)

    return ask


@pytest.fixture
def erase(pool, rules, ask, now):
    async def erase(*ids, at=now):
        await ask(*ids, at=at)
        means = forgetting.Means(pool, rules, Metrics(), lambda: None)
        while await forgetting.once(means, forgetting.Pace(), at) is not None:
            pass

    return erase


@pytest.fixture
def told(pool, rules, now):
    """A page of another buyer's text that names the member; what was stored of it."""

    async def told(at=now, written_at=now - HOUR):
        text = f"{NAME} is {USER}"
        page = thread("T3", as_of=at, buyer="Other"), buyer("M1", written_at, "T3", body=text)
        await stored(pool, at, *page, of=rules)
        return await body(pool)

    return told


@pytest.fixture
async def mine(pool, rules, now):
    """The member has a thread."""
    page = thread("T1", as_of=now, buyer=NAME), buyer("M0", now - HOUR, "T1", body="x")
    await stored(pool, now, *page, of=rules)


async def body(pool):
    found = {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    return found["M1"]


@pytest.mark.parametrize("again", [{NAME}, {NAME, "u-17"}, {USER}, BOTH])
@pytest.mark.usefixtures("mine")
async def test_a_second_request_makes_nobody_a_stranger_to_later_pages(erase, told, again):
    await erase(*BOTH)
    await erase(*again)

    assert await told() == "[erased] is [erased]"


@pytest.mark.parametrize("again", [{NAME}, BOTH])
@pytest.mark.usefixtures("mine")
async def test_a_member_is_known_for_as_long_as_the_ids_are(pool, now, erase, told, again):
    await erase(*BOTH)
    await erase(*again, at=now + 20 * DAY)
    async with transaction(pool) as db:
        await forgotten.purge(db, now + DAY)

    named = await told(at=now + 40 * DAY)

    assert named == ("[erased] is [erased]" if again == BOTH else f"[erased] is {USER}")


@pytest.mark.usefixtures("mine")
async def test_a_second_look_takes_nobody_known_for_a_stranger(pool, now, erase, told):
    """What was written between is somebody's message, until it is asked for again."""
    await erase(*BOTH)
    assert await told(at=now + DAY, written_at=now + DAY) == f"{NAME} is {USER}"

    await erase(NAME, at=now + 2 * DAY)

    assert await body(pool) == f"[erased] is {USER}"


async def test_of_two_requests_the_later_knows_the_member_whom_a_page_shows(
    pool, rules, erase, told, now
):
    """Neither found a thread; the page shows that both were about one member."""
    await erase(NAME)
    await erase(*BOTH)
    page = thread("T1", as_of=now, buyer=USER), buyer("M0", now - HOUR, "T1", body="x")
    await stored(pool, now, *page, of=rules)

    assert await told() == "[erased] is [erased]"


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_request_that_comes_while_a_member_becomes_known_changes_nothing(
    pool, ask, is_first
):
    """Whichever of the two is written first, the other waits for it, and sees it."""
    await ask(*BOTH)
    async with transaction(pool) as db:
        made = await forgotten.digests(db, "mirakl")
        ids = {made.of(id_) for id_ in BOTH}

    async def know():
        async with transaction(pool) as db:
            await forgotten.know(db, ids)

    async with pool.acquire() as other:
        first = other.transaction()
        await first.start()
        if is_first:
            await forgotten.know(other, ids)
            waits = asyncio.create_task(ask(NAME))
        else:
            member = Member(frozenset({NAME}))
            at = await other.fetchval("select max(at) from forgotten")
            await erasing.ask(other, "mirakl", None, [member], at)
            waits = asyncio.create_task(know())
        await asyncio.sleep(0.3)
        assert not waits.done()
        await first.commit()
        await waits

    async with transaction(pool) as db:
        assert await forgotten.are_known(db, ids) == ids
