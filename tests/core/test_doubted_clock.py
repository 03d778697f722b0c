"""What was told, counted or left uncounted while the host's clock was wrong, once it is right."""

from __future__ import annotations

from time import monotonic

import pytest
from structlog.testing import capture_logs

from core import ingest, labels, watch
from core.loops import Bell, Pulse
from core.metrics import Metrics
from core.reading import blind
from core.running.rounds import Rounds
from core.running.state import State
from core.store import tally, transaction, wake
from core.web.ops import Watched
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, seller, stored

DAY = 24 * HOUR
RULES = seeds.rules()


@pytest.fixture
async def pool(pool, now):
    await pages.monitored(pool, now - 30 * DAY)
    return pool


@pytest.fixture
def rounds(pool, now):
    """The daemon's loops, none of which turns: the test turns the watcher's."""
    watched = Watched(Metrics(), Pulse(), lambda: now, pool=pool)
    state = State(None, watched.metrics, watched.pulse, watched, rules=RULES)
    return Rounds(state, {name: Bell() for name in wake.LOOPS})


async def clock(pool):
    [row] = await pages.rows(pool, "clock")
    return row


async def results(pool):
    async with transaction(pool) as db:
        counts = await tally.counts(db)
    return {result: n for (_, metric, result), n in counts.items() if metric in labels.CLOCKS}


async def sent(pool):
    """Everything in the outbox has left."""
    await pool.execute("update dispatch set sent_at = now()")


async def told(pool):
    return [notice["key"] for notice in await pages.rows(pool, "notice")]


async def test_a_breach_told_and_counted_by_a_clock_that_ran_ahead_is_taken_back_and_told_in_time(
    pool, now
):
    await stored(pool, now, buyer("M1", now - HOUR))
    await seeds.watched(pool, RULES, now + 25 * HOUR)
    await sent(pool)
    id_ = (await clock(pool))["id"]
    assert (await clock(pool))["breached_at"] == now + 23 * HOUR

    assert await watch.take_back(pool, RULES, now + MINUTE) == 1

    row = await clock(pool)
    assert (row["correction"], row["revision"], row["step"]) == ("host_clock", 1, 0)
    assert row["corrected_at"] is not None
    assert await told(pool) == [f"{id_}/0/4", f"{id_}/0/corrected"]
    assert await watch.take_back(pool, RULES, now + 2 * MINUTE) == 0

    await seeds.watched(pool, RULES, now + 24 * HOUR)
    assert (await told(pool))[-1] == f"{id_}/1/4"
    row = await clock(pool)
    assert (row["breached_at"], row["corrected_at"]) == (now + 23 * HOUR, None)
    assert (await results(pool))["breached"] == 2
    assert (await results(pool))["corrected"] == 1


async def test_what_was_told_and_not_yet_counted_is_taken_back_too(pool, now):
    await stored(pool, now, buyer("M1", now - HOUR))
    await seeds.watched(pool, RULES, now + 23 * HOUR + MINUTE)
    await sent(pool)
    assert (await clock(pool))["breached_at"] is None

    assert await watch.take_back(pool, RULES, now + MINUTE) == 1

    assert (await clock(pool))["next_alert_at"] == now + 11 * HOUR
    assert (await told(pool))[-1].endswith("/corrected")


async def test_a_clock_that_is_behind_takes_no_breach_back_by_what_it_sees_too_early(pool, now):
    await stored(pool, now, buyer("M1", now - 25 * HOUR))
    await watch.once(pool, RULES, now + MINUTE)
    await sent(pool)
    before = await told(pool)
    behind = now - 30 * HOUR

    await stored(pool, behind, buyer("M2", now), sure=False)
    await watch.once(pool, RULES, behind, sure=False)
    assert (await clock(pool))["started_at"] == behind
    await watch.take_back(pool, RULES, now + MINUTE)
    await watch.once(pool, RULES, now + MINUTE)

    assert await told(pool) == before
    assert (await clock(pool))["corrected_at"] is None


async def test_what_is_overdue_or_not_told_is_left_as_it_is(pool, now):
    await stored(pool, now, buyer("M1", now - 25 * HOUR, "A"), buyer("M2", now - 20 * HOUR, "B"))
    await seeds.watched(pool, RULES, now)
    before = await pages.rows(pool, "clock")

    assert await watch.take_back(pool, RULES, now) == 0
    assert await pages.rows(pool, "clock") == before


async def test_an_account_of_another_daemon_is_left_to_it(pool, now):
    await stored(pool, now, buyer("M1", now - HOUR))
    await seeds.watched(pool, RULES, now + 25 * HOUR)

    assert await watch.take_back(pool, seeds.rules(accounts=("other",)), now) == 0
    assert (await clock(pool))["ended"] is None


async def test_the_watcher_looks_back_at_its_start_and_after_every_doubt(pool, rounds, now):
    await stored(pool, now, buyer("M1", now - HOUR))
    await seeds.watched(pool, RULES, now + 25 * HOUR)
    await rounds.watch(now)
    assert (await clock(pool))["correction"] == "host_clock"

    await seeds.watched(pool, RULES, now + 25 * HOUR)
    assert (await clock(pool))["correction"] is None
    await rounds.watch(now)
    assert (await clock(pool))["correction"] is None

    await rounds.watch(now - HOUR)
    assert (await clock(pool))["correction"] is None
    rounds._state.clock.dated("empik", 0.0, monotonic())
    await rounds.watch(now - HOUR)
    assert (await clock(pool))["correction"] == "host_clock"


async def test_an_hour_ahead_makes_nothing_blind_that_is_read_in_time(pool, rounds, now):
    await pool.execute("update stream set seen_through = $1", now)
    await rounds.blind(now)
    await rounds.blind(now + HOUR)

    assert await told(pool) == []
    await blind.once(pool, RULES, Metrics(), now + HOUR, started=now)
    assert len(await told(pool)) == 1, "without a jump an hour is long"


async def test_what_was_read_by_a_clock_that_ran_ahead_is_dated_by_the_right_one(pool, rounds, now):
    """Else it would not be missed for as long as the clock was ahead."""
    await pool.execute("update stream set seen_through = $1, last_ok_at = $1", now + HOUR)
    await pool.execute(
        'insert into stream (account, stream, carries_clocks, ascending, next_due, "interval",'
        " health, health_since, last_ok_at) select account, 'new', true, false, next_due,"
        ' "interval", health, health_since, last_ok_at from stream limit 1'
    )

    with capture_logs() as logs:
        await rounds.watch(now)
        await rounds.watch(now)

    read = {row["stream"]: row for row in await pages.rows(pool, "stream")}
    assert {row["last_ok_at"] for row in read.values()} == {now}
    assert read.pop("new")["seen_through"] is None
    assert [row["seen_through"] for row in read.values()] == [now]
    assert [line["streams"] for line in logs if "streams" in line] == [2]


async def test_what_another_daemon_has_just_read_is_its_own(pool, rounds, now):
    """Its clock is ahead of ours by as much as two clocks may differ that are both believed."""
    ahead = now + MINUTE
    await pool.execute("update stream set seen_through = $1, last_ok_at = $1", ahead)

    await rounds.watch(now)

    read = await pages.rows(pool, "stream")
    assert [(row["seen_through"], row["last_ok_at"]) for row in read] == [(ahead, ahead)]


async def test_a_breach_that_ended_late_while_the_clock_was_unsure_is_counted_later_once(pool, now):
    items = buyer("M1", now - 3 * DAY), seller("M2", now - DAY)
    await stored(pool, now, *items, sure=False)
    await stored(pool, now + MINUTE, *items)
    assert (await clock(pool))["breached_at"] is None

    await seeds.watched(pool, RULES, now + MINUTE, sure=False)
    assert (await clock(pool))["breached_at"] is None

    await seeds.watched(pool, RULES, now + MINUTE)
    await seeds.watched(pool, RULES, now + MINUTE)
    async with transaction(pool) as db:
        await ingest.recompute(db, RULES, "mk", ["T1"], now + MINUTE)

    assert (await clock(pool))["breached_at"] == now - 2 * DAY
    assert await results(pool) == {"started": 1, "late": 1, "breached": 1}
    [entry] = [e for e in await pages.rows(pool, "clock_entry") if e["what"] == "breached"]
    assert entry["after"] == {"breached_at": "2026-11-19T12:00:00+00:00"}


async def test_history_that_ended_late_is_not_counted(pool, now):
    await stored(pool, now, buyer("M1", now - 60 * DAY), seller("M2", now - 50 * DAY), sure=False)

    await seeds.watched(pool, RULES, now)

    assert await results(pool) == {"history": 1}
