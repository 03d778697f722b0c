"""From Meta's stand-in to the committed clock: a page's pushes, and the walk that follows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.meta.pages import offer
from connectors.webstore.meta.pages.platform import INSTAGRAM, MESSENGER
from core import reply
from core.desk import answering
from core.metrics import Metrics
from core.reading.walk import Reader
from core.store import transaction
from sla.policy import Party
from tests.connectors.webstore import doors
from tests.connectors.webstore.conftest import NOON
from tests.core import pages as stores
from tests.core import seeds
from tests.core.pages import HOUR


@pytest.fixture
def rules(optioned, word):
    platform = MESSENGER if word == "messenger" else INSTAGRAM
    promises = (*offer.policies(optioned(), platform), *offer.goals(platform))
    return seeds.rules(accounts=("shop",), policies={"shop": promises})


@pytest.fixture
async def door(sandbox, page, optioned, session, pool, clock, rules):
    told = {"topics": offer.TOPICS, "usual": (*offer.TOPICS, "other")}
    async with doors.served("shop", rules, clock, woken=("conversations",), **told) as door:
        sandbox.subscribe(page, door.url)
        await door.opens(pool, optioned(endpoint=door.url), session)
        yield door


@pytest.fixture
def follow(door, clock):
    """The walk that follows a push; what it changed."""

    return lambda: door.polled("conversations", clock())


async def test_a_push_starts_the_clocks_and_the_walk_tells_who_it_is(
    door, graph, page, bo, sandbox, pool, follow, word
):
    graph.says(page, bo, "Where is my parcel?")
    await sandbox.pushes.deliver()
    (before,) = await stores.rows(pool, "thread")
    assert before["buyer"] == ""
    told = await follow()
    assert (told.received, told.changed, told.repeated) == (0, 0, 1)
    (after,) = await stores.rows(pool, "thread")
    assert after["buyer"].strip("@") == "Bo"
    dues = {row["promise"]: row["due_at"] for row in await stores.rows(pool, "clock")}
    assert dues == {
        f"webstore-{word}-window": NOON + 24 * HOUR, f"webstore-{word}-reply": NOON + HOUR,
    }  # fmt: skip


async def test_a_later_push_takes_nothing_away_of_what_was_read(
    door, graph, page, bo, sandbox, pool, follow, clock
):
    graph.says(page, bo, "Where is my parcel?")
    await sandbox.pushes.deliver()
    await follow()
    clock.advance(minutes=5)
    graph.says(page, bo, "Hello?")
    await sandbox.pushes.deliver()
    (thread,) = await stores.rows(pool, "thread")
    assert thread["buyer"].strip("@") == "Bo"
    assert "asked_at" in thread["reply_to"]


async def test_the_same_push_twice_is_stored_once(door, graph, page, bo, sandbox, pool):
    graph.habits.repeats = True
    graph.says(page, bo, "Where is my parcel?")

    await sandbox.pushes.deliver()

    assert [tried.status for tried in sandbox.pushes.tried] == [200, 200]
    assert len(await stores.rows(pool, "message")) == 1
    assert (door.counted("stored"), door.counted("duplicate")) == (1, 1)


async def test_pushes_in_the_wrong_order_end_as_in_the_right_one(
    door, graph, page, bo, sandbox, pool
):
    """What was written last comes first."""
    graph.says(page, bo, "Hello?", at=NOON - timedelta(minutes=1))
    await sandbox.pushes.deliver()
    graph.says(page, bo, "Where is my parcel?", at=NOON - timedelta(minutes=9))
    await sandbox.pushes.deliver()

    clocks = await stores.rows(pool, "clock")
    asked = {row["started_at"] for row in clocks if row["promise"].endswith("-reply")}
    assert asked == {NOON - timedelta(minutes=9)}, "the oldest unanswered message counts"
    shut = {row["due_at"] for row in clocks if row["promise"].endswith("-window")}
    assert shut == {NOON - timedelta(minutes=1) + 24 * HOUR}, "the window is the last one's"


async def test_a_message_that_comes_months_late_is_history_at_its_own_time(
    door, graph, page, bo, sandbox, pool
):
    asked = NOON - timedelta(days=90)
    graph.says(page, bo, "Old", at=asked)

    await sandbox.pushes.deliver()

    (row,) = await stores.rows(pool, "message")
    assert row["sent_at"] == asked
    assert {row["history"] for row in await stores.rows(pool, "clock")} == {True}


async def test_what_is_of_a_page_that_is_none_of_ours_is_acknowledged_and_stored_nowhere(
    door, graph, page, sandbox, pool, word
):
    other = graph.add_line(word)
    sandbox.subscribe(other, door.options.endpoint)
    other.app = page.app
    graph.says(other, graph.add_person(other, "Zoe"), "Not for you")

    await sandbox.pushes.deliver()

    assert [tried.status for tried in sandbox.pushes.tried] == [200]
    assert await stores.rows(pool, "message") == []
    assert door.counted("unknown_account") == 1


async def test_a_reply_of_which_nobody_knows_is_found_by_reading_and_never_sent_again(
    door, graph, page, bo, sandbox, pool, follow, clock, rules
):
    graph.says(page, bo, "Where is my parcel?")
    await sandbox.pushes.deliver()
    await follow()
    clock.advance(seconds=30)
    sandbox.pushes.is_held = True  # the clock stands: an echo comes after what it is of
    sandbox.faults.order("status", status=500, after_work=True, operation="send_message", count=1)
    async with transaction(pool) as db:
        await answering.queue(db, "shop", bo.id, "It left today.", {Party.BUYER}, clock(),
                          refuses=spec.refuses)  # fmt: skip
    streams = {one.name: one for one in spec.streams(door.options)}
    reader = Reader(rules.accounts["shop"], door.connector, streams, "b")
    await reply.once(pool, {"shop": reader}, rules, Metrics(), clock())
    (row,) = await stores.rows(pool, "reply")
    assert row["state"] == "unknown"
    clock.advance(seconds=30)
    sandbox.pushes.is_held = False
    await sandbox.pushes.deliver()  # the echo, by which it is found
    await follow()
    async with pool.acquire() as db:
        await db.execute("update reply set next_try_at = now() - interval '1 s'")
    await reply.once(pool, {"shop": reader}, rules, Metrics(), clock())
    (row,) = await stores.rows(pool, "reply")
    assert row["state"] == "confirmed"
    assert {one["ended"] for one in await stores.rows(pool, "clock")} == {"met"}
    assert len(sandbox.calls("send_message")) == 1
