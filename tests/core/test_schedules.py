"""What was scheduled by the database's clock, once that was set back."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from core.store import budget, schedules, transaction
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE, SECOND


@pytest.mark.parametrize(
    ("wall", "monotonic", "answer"),
    [(0.5, 0.5, False), (3600, 0.5, False), (-4, 0.5, False), (-5, 0.5, True), (1, 10, True)],
)
def test_more_than_five_seconds_behind_what_has_passed_is_set_back(wall, monotonic, answer):
    assert schedules.went_back(timedelta(seconds=wall), monotonic) is answer


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        yield db


async def waits(db):
    """Minutes until each stream is due; None: never."""
    rows = await db.fetch(
        "select stream, case when next_due < 'infinity'"
        " then round(extract(epoch from next_due - now()) / 60)::int end from stream"
    )
    return dict(map(tuple, rows))


WAITS = "select wait_event_type = 'Lock' from pg_stat_activity where pid = $1"
AHEAD = "now() + interval '{}'"


async def test_nothing_waits_longer_than_it_would_from_now_on(db, now):
    due = {
        "read": {"next_due": AHEAD.format("61 min"), "health": "'ok'"},
        "soon": {"next_due": AHEAD.format("10 s"), "health": "'ok'"},
        "held": {"next_due": AHEAD.format("62 min"), "leased_until": AHEAD.format("62 min"),
                 "holder": "7", "health": "'ok'"},
        "failing": {"next_due": AHEAD.format("65 min"), "backoff_until": AHEAD.format("65 min"),
                    "health": "'unreachable'"},
        "never": {"next_due": "'infinity'"},
    }  # fmt: skip
    for name, columns in due.items():
        await seeds.put_stream(db, now, name=name, every=MINUTE)
        for column, value in columns.items():
            await db.execute(f"update stream set {column} = {value} where stream = $1", name)

    assert await schedules.pull_in(db) == 3
    assert await schedules.pull_in(db) == 0

    assert await waits(db) == {"read": 1, "soon": 0, "held": 1, "failing": 5, "never": None}
    held = await db.fetchval("select leased_until - now() from stream where stream = 'held'")
    assert 80 * SECOND < held <= 90 * SECOND


async def test_what_is_to_be_sent_is_tried_within_a_lease(db, now):
    await db.execute(
        "insert into notice (key, kind, account, raised_at) values ('a', 'breach', 'mk', $1),"
        " ('b', 'breach', 'mk', $1), ('c', 'breach', 'mk', $1)", now
    )  # fmt: skip
    await db.execute(
        "insert into dispatch (notice, notifier, next_try_at, sent_at)"
        " select id, 'log', now() + case when key = 'b' then interval '5 s'"
        " else interval '1 h' end, case when key = 'c' then now() end from notice"
    )

    assert await schedules.pull_in(db) == 1
    latest = await db.fetchval(
        "select max(next_try_at) - now() from dispatch where sent_at is null"
    )
    assert latest <= schedules.LEASE


async def test_a_shared_limit_ends_in_minutes(db):
    await db.execute("insert into budget (key, next_at) values ('k', now() + interval '2 h')")

    await schedules.pull_in(db)

    left = await db.fetchval("select next_at - now() from budget")
    assert 4 * MINUTE < left <= 5 * MINUTE < HOUR


async def pulled_in(db):
    async with db.transaction():
        return await schedules.pull_in(db)


async def test_a_walk_that_fails_meanwhile_is_waited_for_and_not_locked_against(pool, db, now):
    """It locks its stream first, then the limit that its key shares."""
    await seeds.put_stream(db, now)
    await db.execute("update stream set next_due = now() + interval '2 h'")
    await db.execute("insert into budget (key, next_at) values ('k', now() + interval '2 h')")
    async with transaction(pool) as failing:
        await failing.execute("select from stream for update")
        pulling = asyncio.create_task(pulled_in(db))
        async with asyncio.timeout(5):
            while not await failing.fetchval(WAITS, db.get_server_pid()):  # noqa: ASYNC110  # another process waits
                await asyncio.sleep(0.01)

        await budget.defer(failing, "k", HOUR)

    assert await asyncio.wait_for(pulling, 5) == 1
