from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from math import inf

import pytest
from structlog.testing import capture_logs

from core.metrics import Metrics
from core.model import Stream
from core.reading import blind
from core.store import accounts, streams
from core.store.streams import Finished
from sla.calendar import Calendar, Span
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, setup, stored

DAY = 24 * HOUR
WEEK = 7 * DAY
LONG_AGO = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
BERLIN = Calendar(
    "Europe/Berlin",
    {
        day: (Span(datetime.min.time().replace(hour=9), datetime.min.time().replace(hour=17)),)
        for day in range(5)
    },
)


@pytest.mark.parametrize(
    ("every", "usual", "promise", "limit"),
    [
        (5 * MINUTE, 5 * MINUTE, DAY, 25 * MINUTE),
        (5 * MINUTE, 5 * MINUTE, 4 * HOUR, 15 * MINUTE),
        (5 * MINUTE, 2 * MINUTE, DAY, 15 * MINUTE),
        (MINUTE, 30 * MINUTE, DAY, 72 * MINUTE),
        (5 * MINUTE, 5 * MINUTE, None, 25 * MINUTE),
    ],
)
def test_the_limit_is_of_walks_and_of_the_promise(every, usual, promise, limit):
    assert blind.limit(every, usual, promise) == limit


def test_walks_are_too_slow_when_three_take_a_twentieth_of_the_promise():
    assert blind.is_too_slow(25 * MINUTE, DAY)
    assert not blind.is_too_slow(24 * MINUTE, DAY)
    assert not blind.is_too_slow(DAY, None)


def test_the_shortest_promise_in_force_counts(now):
    ended = seeds.policy("ended", reply_within=MINUTE, effective_to=now)
    coming = seeds.policy("coming", reply_within=MINUTE, effective_from=now + HOUR)
    next_ = seeds.policy("next", next_reply_within=4 * HOUR)

    assert blind.shortest([ended, coming, next_, seeds.policy()], now) == 4 * HOUR
    assert blind.shortest([], now) is None


def test_a_promise_may_break_by_an_unseen_message_or_by_one_that_waits(now):
    desk = seeds.policy("desk", reply_within=4 * HOUR, calendar=BERLIN)
    monday_at_13 = datetime.fromisoformat("2026-11-23T13:00:00+01:00")

    assert blind.earliest_breach([desk], now, None) == monday_at_13
    assert blind.earliest_breach([desk, seeds.policy()], now, None) == now + DAY
    assert blind.earliest_breach([desk], now, now + HOUR) == now + HOUR
    assert blind.earliest_breach([], now, None) is None


def test_a_further_message_may_break_its_shorter_promise_unseen(now):
    further = seeds.policy(reply_within=24 * HOUR, next_reply_within=2 * HOUR)
    longer = seeds.policy(reply_within=24 * HOUR, next_reply_within=48 * HOUR)

    assert blind.earliest_breach([further], now, None) == now + 2 * HOUR
    assert blind.earliest_breach([longer], now, None) == now + 24 * HOUR


async def blind_notices(pool):
    return [row for row in await pages.rows(pool, "notice") if row["kind"] == "blind"]


async def read_through(pool, at):
    async with pool.acquire() as db:
        await db.execute("update stream set next_due = now()")
        for lease in await streams.claim(db, 1, 10, MINUTE):
            await streams.finish(db, Finished(lease, None, at, at, MINUTE))


async def test_a_blind_account_is_told_once_and_exported_until_it_reads_again(pool, now):
    metrics, rules = Metrics(), seeds.rules()
    await pages.monitored(pool, now - 30 * DAY, setup("mk", Stream("threads", 5 * MINUTE)))
    assert metrics.blind_from.get("mk") == inf
    await stored(pool, now, *(buyer(f"M{n}", now - n * WEEK, f"T{n}") for n in range(1, 5)))
    await read_through(pool, now)

    await blind.once(pool, rules, metrics, now + 25 * MINUTE, started=LONG_AGO)
    assert await blind_notices(pool) == []

    with capture_logs() as logs:
        for minutes in (30, 60):
            at = now + minutes * MINUTE
            assert (
                await blind.once(pool, rules, metrics, at, started=LONG_AGO)
                == at + blind.LOOK_EVERY
            )

    [told] = await blind_notices(pool)
    assert told["key"] == f"mk/blind/{(now + 25 * MINUTE).isoformat()}"
    assert told["facts"] == {
        "streams": "threads", "seen_through": now.isoformat(), "unread_since": now.isoformat(),
        "expected": 0.5, "assumed": None, "earliest": (now + DAY).isoformat(),
    }  # fmt: skip
    assert [line["event"] for line in logs] == ["became blind"]
    assert metrics.unseen_messages_expected.get("mk") == pytest.approx(1.0)
    assert metrics.earliest_possible_breach.get("mk") == (now + DAY).timestamp()

    await read_through(pool, now + HOUR)
    await blind.once(pool, rules, metrics, now + HOUR, started=LONG_AGO)
    assert metrics.unseen_messages_expected.get("mk") == 0
    assert metrics.earliest_possible_breach.get("mk") == inf

    await blind.once(pool, rules, metrics, now + 2 * HOUR, started=LONG_AGO)
    assert len(await blind_notices(pool)) == 2


async def test_the_instant_at_which_an_account_is_blind_is_the_notices_own(pool, now):
    """Of the stream that is blind first: the slower one's limit is not it."""
    metrics = Metrics()
    each = Stream("a", 5 * MINUTE), Stream("slow", HOUR)
    await pages.monitored(pool, now - DAY, setup("mk", *each), setup("fine"))
    await seen(pool, now, "a", "slow", "threads")
    at = now + 25 * MINUTE

    for late in (timedelta(0), timedelta(seconds=1)):
        await blind.once(pool, seeds.rules(), metrics, at + late, started=LONG_AGO)
        told = [row["key"] for row in await blind_notices(pool) if row["account"] == "mk"]
        assert told == ([f"mk/blind/{at.isoformat()}"] if late else [])
        known = at if late else at + 2 * blind.LOOK_EVERY
        assert metrics.blind_from.get("mk") == known.timestamp()
    await blind.once(pool, seeds.rules(), metrics, now, started=LONG_AGO)
    assert metrics.blind_from.get("mk") == at.timestamp()

    await pages.monitored(pool, now, setup("fine"))
    await blind.once(pool, seeds.rules(), metrics, at, started=LONG_AGO)
    assert metrics.blind_from.get("mk") == inf


async def test_an_account_that_was_never_read_is_blind_since_it_is_monitored(pool, now):
    await pages.monitored(pool, now, setup("mk", Stream("threads", 5 * MINUTE)))

    await blind.once(pool, seeds.rules(), Metrics(), now + HOUR, started=LONG_AGO)

    [told] = await blind_notices(pool)
    assert told["facts"]["seen_through"] is None
    assert told["facts"]["unread_since"] == now.isoformat()
    assert (told["facts"]["expected"], told["facts"]["assumed"]) == (1.0, True)


async def test_an_account_that_is_two_days_old_does_not_say_that_nothing_is_unseen(pool, now):
    """Its own history knows no Saturday yet: a message an hour is assumed, and that is said."""
    metrics = Metrics()
    await pages.monitored(pool, now - 2 * DAY, setup("mk", Stream("threads", 5 * MINUTE)))
    await stored(pool, now - DAY, buyer("M1", now - 30 * HOUR))
    await read_through(pool, now)

    await blind.once(pool, seeds.rules(), metrics, now + 3 * HOUR, started=LONG_AGO)

    [told] = await blind_notices(pool)
    assert (told["facts"]["expected"], told["facts"]["assumed"]) == (3.0, True)
    assert metrics.unseen_messages_expected.get("mk") == pytest.approx(3.0)


async def test_an_account_to_which_nobody_has_written_for_weeks_says_so(pool, now):
    """That is history, too: nothing is assumed."""
    await pages.monitored(pool, now - 30 * DAY, setup("mk", Stream("threads", 5 * MINUTE)))
    await read_through(pool, now)

    await blind.once(pool, seeds.rules(), Metrics(), now + 3 * HOUR, started=LONG_AGO)

    [told] = await blind_notices(pool)
    assert (told["facts"]["expected"], told["facts"]["assumed"]) == (0.0, None)


async def test_streams_that_become_blind_together_are_told_together(pool, now):
    """Walked an hour apart in their limits: the slower one becomes blind later, by its own."""
    each = (Stream("a", MINUTE), Stream("b", MINUTE), Stream("slow", HOUR))
    await pages.monitored(pool, now, setup("mk", *each))
    async with pool.acquire() as db:
        await db.execute("update stream set seen_through = $1 where stream = 'b'", now)

    await blind.once(pool, seeds.rules(), Metrics(), now + HOUR, started=LONG_AGO)

    [told] = await blind_notices(pool)
    assert (told["facts"]["streams"], told["facts"]["seen_through"]) == ("a, b", None)
    since = {r["stream"]: r["blind_since"] for r in await pages.rows(pool, "stream")}
    assert since == {"a": now + 5 * MINUTE, "b": now + 5 * MINUTE, "slow": None}

    await blind.once(pool, seeds.rules(), Metrics(), now + 4 * HOUR, started=LONG_AGO)

    assert [n["facts"]["streams"] for n in await blind_notices(pool)] == ["a, b", "slow"]


async def test_what_carries_no_clocks_or_is_retired_is_never_blind(pool, now):
    numbers = Stream("numbers", MINUTE, carries_clocks=False)
    await pages.monitored(pool, now, setup("mk", numbers), setup("gone"))
    await pages.monitored(pool, now, setup("mk", numbers))

    await blind.once(pool, seeds.rules(), Metrics(), now + DAY, started=LONG_AGO)

    assert await blind_notices(pool) == []


async def ups(pool):
    return [row for row in await pages.rows(pool, "notice") if row["kind"] == "account_up"]


async def seen(pool, at, *names):
    async with pool.acquire() as db:
        await db.execute(
            "update stream set seen_through = $1 where stream = any($2)", at, list(names)
        )


async def look(pool, at, started=LONG_AGO):
    await blind.once(pool, seeds.rules(), Metrics(), at, started=started)


async def test_it_is_taken_back_once_when_the_last_blind_stream_is_read_again(pool, now):
    await pages.monitored(pool, now, setup("mk", Stream("a", MINUTE), Stream("b", MINUTE)))
    await look(pool, now + HOUR)

    await seen(pool, now + HOUR, "a")
    await look(pool, now + HOUR)
    assert await ups(pool) == []

    await seen(pool, now + HOUR, "a", "b")
    for _ in range(2):
        await look(pool, now + HOUR)

    [told] = await ups(pool)
    since = (now + 5 * MINUTE).isoformat()
    assert told["key"] == f"mk/account_up/{since}"
    assert told["facts"] == {"since": (now + HOUR).isoformat(), "blind_since": since}


async def test_an_account_whose_key_is_refused_is_not_up(pool, now):
    await pages.monitored(pool, now, setup("mk", Stream("a", MINUTE)))
    await look(pool, now + HOUR)
    await seen(pool, now + HOUR, "a")
    async with pool.acquire() as db:
        await accounts.set_down(db, "mk", now)

    await look(pool, now + HOUR)

    assert await ups(pool) == []


async def test_two_workers_take_it_back_once(pool, now):
    await pages.monitored(pool, now, setup("mk", Stream("a", MINUTE), Stream("b", MINUTE)))
    await look(pool, now + HOUR)
    await seen(pool, now + HOUR, "a", "b")

    await asyncio.gather(*(look(pool, now + HOUR) for _ in range(4)))

    assert len(await ups(pool)) == 1


@pytest.mark.parametrize(
    ("every", "grace"),
    [(timedelta(seconds=2), timedelta(seconds=10)), (HOUR, MINUTE)],
)
async def test_nothing_is_told_before_we_could_have_read_it_since_our_start(
    pool, now, every, grace
):
    """After a pause everything is old; the gauges say so at once."""
    metrics, started = Metrics(), now + 4 * HOUR
    await pages.monitored(pool, now, setup("mk", Stream("a", every)))
    almost = started + grace - timedelta(seconds=1)

    await blind.once(pool, seeds.rules(), metrics, almost, started=started)
    assert await blind_notices(pool) == []
    assert metrics.earliest_possible_breach.get("mk") != inf

    await blind.once(pool, seeds.rules(), metrics, started + grace, started=started)
    assert len(await blind_notices(pool)) == 1


async def test_nothing_is_told_before_we_could_have_read_it_since_the_clock_jumped(pool, now):
    """An hour ahead all looks an hour old; what is blind in truth is told all the same."""
    await pages.monitored(pool, now, setup("mk", Stream("a", 5 * MINUTE)))
    jumped, limit = now + HOUR, 25 * MINUTE

    for late in (timedelta(0), limit):
        await blind.once(
            pool, seeds.rules(), Metrics(), jumped + late, started=LONG_AGO, jumped=jumped
        )
        assert await blind_notices(pool) == []

    at = jumped + limit + timedelta(seconds=1)
    await blind.once(pool, seeds.rules(), Metrics(), at, started=LONG_AGO, jumped=jumped)
    assert len(await blind_notices(pool)) == 1


async def failing(pool, health, since, *names):
    async with pool.acquire() as db:
        await db.execute(
            "update stream set health = $1, health_since = $2 where stream = any($3)",
            health, since, list(names),
        )  # fmt: skip


FIVE = ("cancellations", "cases", "disputes", "inquiries", "returns")


@pytest.mark.parametrize("health", ["bad_credentials", "unreachable"])
async def test_what_one_trouble_hides_is_told_by_one_notice_that_names_it_all(pool, now, health):
    """Each was read at another instant, and one of them has a longer limit than the others."""
    each = [Stream(name, 5 * MINUTE) for name in FIVE]
    await pages.monitored(pool, now - DAY, setup("mk", *each, Stream("slow", HOUR)))
    for number, name in enumerate(FIVE):
        await seen(pool, now + number * MINUTE, name)
    await seen(pool, now, "slow")
    await failing(pool, health, now + 5 * MINUTE, *FIVE, "slow")

    for minutes in range(0, 24 * 60, 3):
        await look(pool, now + minutes * MINUTE)

    [told] = await blind_notices(pool)
    assert told["key"] == f"mk/blind/{(now + 25 * MINUTE).isoformat()}"
    assert told["facts"]["streams"] == ", ".join((*FIVE, "slow"))
    assert told["facts"]["seen_through"] == now.isoformat()
    assert await ups(pool) == []


async def test_what_was_told_with_the_first_is_blind_until_it_is_read(pool, now):
    """Though its own limit has not passed, nobody may believe that all is read again."""
    await pages.monitored(pool, now, setup("mk", Stream("a", MINUTE), Stream("slow", HOUR)))
    await seen(pool, now, "a", "slow")
    await failing(pool, "unreachable", now, "a", "slow")
    await look(pool, now + 10 * MINUTE)

    await seen(pool, now + 10 * MINUTE, "a")
    await failing(pool, "ok", now + 10 * MINUTE, "a")
    await look(pool, now + 11 * MINUTE)
    assert await ups(pool) == []

    await failing(pool, "ok", now + 12 * MINUTE, "slow")
    await look(pool, now + 12 * MINUTE)
    assert [row["facts"]["blind_since"] for row in await ups(pool)] == [
        (now + 5 * MINUTE).isoformat()
    ]

    await failing(pool, "unreachable", now + HOUR, "slow")
    await look(pool, now + 12 * HOUR)
    assert [n["facts"]["streams"] for n in await blind_notices(pool)][1:] == ["a", "slow"]


async def test_each_trouble_of_an_account_is_told_by_itself(pool, now):
    await pages.monitored(
        pool, now, setup("mk", Stream("a", MINUTE), Stream("b", HOUR)), setup("x")
    )
    await seen(pool, now, "a", "b", "threads")
    await failing(pool, "unreachable", now, "a", "threads")
    await failing(pool, "bad_payload", now, "b")

    for hours in (1, 10):
        await look(pool, now + hours * HOUR)

    told = [(n["account"], n["facts"]["streams"]) for n in await blind_notices(pool)]
    assert told == [("mk", "a"), ("x", "threads"), ("mk", "b")]


async def test_troubles_that_hide_streams_from_one_instant_on_are_told_together(pool, now):
    """Their notices would have one key, and one of them would be lost."""
    await pages.monitored(pool, now, setup("mk", Stream("a", MINUTE), Stream("b", MINUTE)))
    await seen(pool, now, "a", "b")
    await failing(pool, "unreachable", now, "a")
    await failing(pool, "bad_payload", now, "b")

    await look(pool, now + 10 * MINUTE)

    assert [n["facts"]["streams"] for n in await blind_notices(pool)] == ["a, b"]


async def test_a_stream_is_blind_in_the_metrics_by_its_own_limit_though_it_was_told_before(
    pool, now
):
    metrics, rules = Metrics(), seeds.rules()
    await pages.monitored(pool, now, setup("mk", Stream("a", MINUTE), Stream("slow", HOUR)))
    await seen(pool, now, "a", "slow")
    await failing(pool, "unreachable", now, "a", "slow")
    await blind.once(pool, rules, metrics, now + 10 * MINUTE, started=LONG_AGO)
    assert metrics.blind_from.get("mk") == (now + 5 * MINUTE).timestamp()

    await seen(pool, now + 10 * MINUTE, "a")
    await failing(pool, "ok", now + 10 * MINUTE, "a")
    at = now + 11 * MINUTE
    await blind.once(pool, rules, metrics, at, started=LONG_AGO)

    assert metrics.blind_from.get("mk") > at.timestamp()
    assert metrics.earliest_possible_breach.get("mk") == inf


async def test_before_a_refusal_is_told_it_is_tried_what_else_is_refused(pool, now):
    await pages.monitored(pool, now - DAY, setup("mk", Stream("a", HOUR), Stream("b", HOUR)))
    await seen(pool, now - 2 * MINUTE, "a", "b")
    await put_off(pool)
    await failing(pool, "forbidden", now, "a")

    await look(pool, now + MINUTE / 4)
    assert await blind_notices(pool) == []
    assert await due(pool) == ["a", "b"]

    await failing(pool, "forbidden", now + MINUTE / 4, "b")
    for minutes in (1, 2, 3):
        await look(pool, now + minutes * MINUTE / 2)

    [told] = await blind_notices(pool)
    assert (told["facts"]["streams"], told["facts"]["reason"]) == ("a, b", "forbidden")
    assert told["key"] == f"mk/blind/{now.isoformat()}"


async def test_a_refusal_is_told_within_a_minute_whatever_else_is_not_tried(pool, now):
    await pages.monitored(pool, now - DAY, setup("mk", Stream("a", HOUR), Stream("b", HOUR)))
    await seen(pool, now - 2 * MINUTE, "a", "b")
    await failing(pool, "forbidden", now, "a")

    await look(pool, now + MINUTE - timedelta(seconds=1))
    assert await blind_notices(pool) == []
    await look(pool, now + MINUTE)

    assert [n["facts"]["streams"] for n in await blind_notices(pool)] == ["a"]


@pytest.mark.parametrize("after", [6, 300], ids=["named early", "blind by itself"])
async def test_a_refusal_after_another_trouble_is_told_anew(pool, now, after):
    await pages.monitored(pool, now - DAY, setup("mk", Stream("a", MINUTE), Stream("b", HOUR)))
    await seen(pool, now, "a", "b")
    await failing(pool, "unreachable", now, "a", "b")
    await look(pool, now + after * MINUTE)
    refused = now + (after + 1) * MINUTE

    await seen(pool, refused, "a")
    await failing(pool, "ok", refused, "a")
    await failing(pool, "forbidden", refused, "b")
    for minutes in range(1, 30, 5):
        await seen(pool, refused + minutes * MINUTE, "a")
        await look(pool, refused + minutes * MINUTE)

    outage, refusal = await blind_notices(pool)
    assert "reason" not in outage["facts"] or outage["facts"]["reason"] != "forbidden"
    assert (refusal["facts"]["streams"], refusal["facts"]["reason"]) == ("b", "forbidden")
    assert refusal["key"] == f"mk/blind/{refused.isoformat()}"
    assert await ups(pool) == []

    await failing(pool, "ok", refused + HOUR, "b")
    await seen(pool, refused + HOUR, "a", "b")
    await look(pool, refused + HOUR + MINUTE)

    assert len(await ups(pool)) == 1


async def put_off(pool):
    await pool.execute("update stream set next_due = now() + interval '1 hour', not_before = now()")


async def due(pool):
    rows = await pool.fetch(
        "select stream from stream where next_due <= now() + interval '1 minute' order by stream"
    )
    return [row["stream"] for row in rows]
