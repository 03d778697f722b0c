from __future__ import annotations

import asyncio

import pytest

from core import ingest, store
from core.store import clocks, sight, tally, transaction, wake
from sla.clock import Given, Kind
from sla.policy import ThreadKind
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, seller, setup, stored

DAY = 24 * HOUR
RULES = seeds.rules()


@pytest.fixture
async def pool(pool, now):
    await pages.monitored(pool, now - 30 * DAY)
    return pool


async def only(pool):
    async with transaction(pool) as db:
        [row] = await clocks.of_thread(db, "mk", "T1")
        return row


async def counts(pool):
    async with transaction(pool) as db:
        return {(m, r): n for (_, m, r), n in (await tally.counts(db)).items()}


async def test_a_row_comes_back_as_it_was_computed(pool, now):
    await stored(pool, now, buyer("M1", now - HOUR), seller("M2", now - MINUTE))

    row = await only(pool)

    assert (row.account, row.thread, row.revision, row.step, row.history) == (
        "mk", "T1", 0, 0, False,
    )  # fmt: skip
    assert (row.clock.members, row.clock.policy_version) == (("M1",), 1)
    assert (row.clock.ended, row.clock.stopped_by) == ("met", "M2")
    assert row.clock.steps[-1] == row.clock.due_at == now - HOUR + DAY


async def test_every_change_is_an_entry(pool, now):
    await stored(pool, now, buyer("M1", now - HOUR))
    await stored(pool, now + MINUTE, buyer("M0", now - 2 * HOUR))
    await stored(pool, now + 2 * MINUTE, seller("M2", now + MINUTE))

    row = await only(pool)
    async with transaction(pool) as db:
        lines = (await clocks.entries(db, [row.id]))[row.id]
    changed = {
        at: set().union(*(one.after for when, one in lines if when == at)) for at, _ in lines
    }
    assert changed[now + MINUTE] >= {"started_at", "due_at"}
    assert changed[now + 2 * MINUTE] >= {"ended", "stopped_at"}
    assert all(line.clock == row.id for _, line in lines)


async def test_what_became_of_clocks_is_counted_with_the_row(pool, now):
    await stored(pool, now, buyer("M1", now - HOUR, "A"), buyer("M2", now - 2 * DAY, "B"))
    await stored(pool, now, seller("M3", now, "A"), seller("M4", now - HOUR, "B"))

    found = await counts(pool)

    assert found["first_reply", "started"] == 2
    assert found["first_reply", "met"] == 1
    assert found["first_reply", "late"] == found["first_reply", "breached"] == 1


async def test_a_superseded_clock_is_neither_measured_nor_ahead(pool, now):
    deadline = Given("claim", "approve", asks=True, as_of=now, read_at=now, due_at=now + 9 * DAY)
    claim = pages.thread("T1", as_of=now, kind=ThreadKind.CLAIM)
    await stored(pool, now, claim, buyer("M1", now - HOUR), ("T1", deadline))
    async with transaction(pool) as db:
        assert await sight.next_deadline(db, "mk", now) == now + 9 * DAY

    done = await stored(pool, now + MINUTE, seller("M2", now + MINUTE))

    assert {r["ended"] for r in await pages.rows(pool, "clock")} == {"met", None}
    assert done.replied == ()


async def test_counted_as_started_is_remembered_with_the_row(pool, now):
    claim = pages.thread("T1", as_of=now, kind=ThreadKind.CLAIM)
    await stored(pool, now, claim, buyer("M1", now - HOUR))
    for hours, asks in ((1, True), (2, False)):
        at = now + hours * MINUTE
        due_at = now + 9 * DAY if asks else None
        given = Given(
            "claim", "approve", asks, at, at, due_at=due_at, outcome=None if asks else "x"
        )
        await stored(pool, at, ("T1", given))

    assert (await counts(pool))["first_reply", "started"] == 1


async def test_what_ended_late_without_a_reply_is_not_measured(pool, now):
    await stored(pool, now - 2 * DAY, buyer("M1", now - 2 * DAY))
    shut = pages.mark("M2", now, kind=Kind.UNANSWERABLE, level=None)

    done = await stored(pool, now, shut)

    assert ((await only(pool)).clock.ended, done.replied) == ("late", ())
    assert ("first_reply", "late") not in await counts(pool)


async def test_a_breach_first_seen_with_its_reply_is_counted_and_not_told(pool, now):
    await stored(pool, now, buyer("M1", now - 3 * DAY), seller("M2", now - DAY))
    await seeds.watched(pool, RULES, now)

    row = await only(pool)
    assert (row.clock.ended, row.breached_at) == ("late", row.clock.due_at)
    assert await pages.rows(pool, "notice") == []


async def test_while_the_hosts_clock_is_not_believed_no_breach_is_counted(pool, now):
    await stored(pool, now, buyer("M1", now - 3 * DAY), seller("M2", now - DAY), sure=False)
    assert (await only(pool)).breached_at is None

    async with transaction(pool) as db:
        await ingest.recompute(db, RULES, "mk", ["T1"], now)

    assert (await only(pool)).breached_at is not None
    assert (await counts(pool))["first_reply", "breached"] == 1


async def test_the_watcher_passes_over_a_clock_that_is_just_recomputed(pool, now):
    """Its memory is being read there: moving on in between would be lost."""
    await stored(pool, now, buyer("M1", now - 13 * HOUR))

    async with transaction(pool) as db:
        await ingest.recompute(db, RULES, "mk", ["T1"], now)
        await seeds.watched(pool, RULES, now)
        assert await pages.rows(pool, "notice") == []

    await seeds.watched(pool, RULES, now)
    assert [row["kind"] for row in await pages.rows(pool, "notice")] == ["warning"]


async def test_a_step_that_was_told_is_not_told_again_after_a_recomputation(pool, now):
    await stored(pool, now, buyer("M1", now - 13 * HOUR))
    await seeds.watched(pool, RULES, now)
    await stored(pool, now, buyer("M2", now - HOUR))
    await seeds.watched(pool, RULES, now + MINUTE)

    assert len(await pages.rows(pool, "notice")) == 1
    assert (await only(pool)).step == 1


async def test_running_clocks_are_listed_by_deadline(pool, now):
    late, soon, ended = now - 2 * DAY, now - 20 * HOUR, now - HOUR
    await stored(
        pool, now, buyer("M2", soon, "B"), buyer("M1", late, "A"), buyer("M3", ended, "C"),
        seller("M4", now, "C"),
    )  # fmt: skip
    await pages.monitored(pool, now, setup(), setup("other"))

    async with transaction(pool) as db:
        assert [row.thread for row in await clocks.running(db)] == ["A", "B"]
        assert [row.thread for row in await clocks.running(db, "mk", due_before=now)] == ["A"]
        assert [row.thread for row in await clocks.running(db, limit=1)] == ["A"]
        assert await clocks.running(db, "other") == []
        assert await clocks.running(db, history=True) == []


async def test_a_clock_whose_next_step_is_near_wakes_the_watcher(address, pool, now):
    heard = {"watch": asyncio.Event()}
    listener = await store.connect(address)
    await wake.listen(listener, heard)

    await stored(pool, now, buyer("far", now - HOUR, "A"))
    await asyncio.sleep(0.05)
    assert not heard["watch"].is_set()

    await stored(pool, now, buyer("near", now - 13 * HOUR, "B"))
    async with asyncio.timeout(5):
        await heard["watch"].wait()
    await listener.close()
