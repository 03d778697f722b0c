"""How promises were kept, as the database counts it: the same as `sla.contract.count`."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from core.store import attainment
from core.store.attainment import Asked, Chosen
from sla import contract
from sla.calendar import Calendar
from sla.contract import Counts, Judged, Window
from sla.policy import Contract
from tests.core import seeds
from tests.core.seeds import HOUR
from tests.sla.making import weekdays

DAY = 24 * HOUR
OFFICE = Calendar("Europe/Berlin", weekdays("09:00-17:00"))
SHARE = Contract("share", (30 * DAY,), objective=0.9)
MEAN = Contract("mean", (30 * DAY,), limit=DAY)
INFO = Contract("info", (30 * DAY,))
CLOCK = """
    insert into clock (account, thread, promise, waits_for, metric, policy_version, members,
                       started_by, started_at, due_at, due_from, steps, stopped_at, stopped_by,
                       ended, reason, history, flags)
    values ($1, $2, $3, 'buyer', 'first_reply', 1, '{M1}', 'M1', $4, $5, 'policy', $6, $7, $8, $9,
            $10, $11, $12)
"""


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db, db.transaction():
        for name in ("mk", "other"):
            await seeds.put_account(db, now, name)
        yield db


async def put(db, started_at, hours=None, *, account="mk", thread="T1", promise="p", due=24,
              ended=None, by="R1", reason=None, history=False, superseded=False,
              flags=()):  # fmt: skip
    """A clock that ran from then, for so many hours if it ended; due after *due* hours."""
    stopped = None if hours is None else started_at + hours * HOUR
    ended = ended or (None if hours is None else "met" if hours <= due else "late")
    due_at = started_at + due * HOUR
    steps = [] if superseded else [due_at]
    by = None if stopped is None else by
    await db.execute(
        CLOCK, account, thread, promise, started_at, due_at, steps, stopped, by, ended, reason,
        history, list(flags),
    )  # fmt: skip
    is_replied = ended in ("met", "late") and reason is None and by is not None
    return Judged(started_at, due_at, stopped, ended, is_replied, history, superseded)


async def random_clocks(db, now, seed):
    """Clocks on a grid of hours, so that edges and deadlines are met exactly; by account."""
    draw = random.Random(seed)
    found = {"mk": [], "other": []}
    for _ in range(300):
        account = draw.choice(("mk", "other"))
        hours = draw.choice((None, 0, 2, 23, 24, 25, 48, 49, 60))
        ends = [None, None, None] + ([("void", "marked"), ("late", "lapsed")] if hours else [])
        ended, reason = draw.choice(ends) or (None, None)
        clock = await put(
            db,
            now - draw.randrange(0, 24 * 9) * HOUR,
            hours,
            account=account,
            due=draw.choice((2, 24, 48)),
            ended=ended,
            reason=reason,
            by=draw.choice(("R1", "R1", None)),
            history=draw.random() < 0.1,
            superseded=draw.random() < 0.1,
        )
        found[account].append(clock)
    return found


QUESTIONS = [
    (SHARE, Calendar.always()),
    (replace(SHARE, within=36 * HOUR), Calendar.always()),
    (replace(SHARE, within=2 * HOUR), Calendar.always()),
    (MEAN, Calendar.always("Europe/Berlin")),
    (SHARE, OFFICE),
    (replace(SHARE, within=10 * HOUR), OFFICE),
    (MEAN, OFFICE),
    (INFO, OFFICE),
]


@pytest.mark.parametrize("seed", range(4))
async def test_the_database_counts_as_the_rule_says(db, now, monkeypatch, seed):
    monkeypatch.setattr(attainment, "BATCH", 7)
    clocks = await random_clocks(db, now, seed)
    asked = [
        Asked(seeds.policy("p", calendar=calendar), one, Window(now - days * DAY, now))
        for one, calendar in QUESTIONS
        for days in (1, 7)
    ]

    found = await attainment.counts(db, asked, now)
    alone = await attainment.counts(db, asked, now, ["other"])

    for number, one in enumerate(asked):
        for account, of in clocks.items():
            want = contract.count(of, *one, now)
            assert found.get((number, account), Counts()) == want, one
        assert alone.get((number, "other")) == found.get((number, "other"))
    assert {account for _, account in alone} == {"other"}


async def test_another_promise_is_not_counted(db, now):
    await put(db, now - HOUR, promise="other")

    question = Asked(seeds.policy("p"), SHARE, Window(now - DAY, now))

    assert await attainment.counts(db, [question], now) == {}
    assert await attainment.counts(db, [], now) == {}


async def test_what_was_corrected_is_counted_as_it_is_now(db, now):
    await put(db, now - 3 * DAY, 20)
    await db.execute("update clock set breached_at = due_at, corrected_at = $1", now)

    question = Asked(seeds.policy("p"), SHARE, Window(now - 7 * DAY, now))

    assert (await attainment.counts(db, [question], now))[0, "mk"][:2] == (1, 0)


def chosen(now, *, days=7, promises=None):
    return Chosen(["mk"], Window(now - days * DAY, now), promises)


async def test_the_worst_are_late_by_most(db, now):
    await seeds.put_thread(db, now, "T2")
    await put(db, now - 5 * DAY, 30, thread="T1")
    await put(db, now - 5 * DAY, 60, thread="T2")
    await put(db, now - 2 * DAY, thread="T3", promise="given:claim:ANSWER")
    await put(db, now - 5 * DAY, 2, thread="met")
    await put(db, now - DAY, thread="due now")
    await put(db, now - 5 * DAY, 90, thread="void", ended="void", reason="marked")
    await put(db, now - 5 * DAY, history=True, thread="history")
    await put(db, now - 5 * DAY, superseded=True, thread="superseded")
    await put(db, now - 5 * DAY, account="other", thread="other")
    await put(db, now - 8 * DAY, thread="before")

    found = await attainment.worst(db, chosen(now), 10)

    assert [(one.thread, one.late_by / HOUR) for one in found] == [
        ("T2", 36),
        ("T3", 24),
        ("T1", 6),
    ]
    assert found[0].url == "https://shop.example/threads/T2"
    assert [one.thread for one in await attainment.worst(db, chosen(now), 1)] == ["T2"]
    await put(db, now - 5 * DAY, 41, thread="T2", promise="goal", due=4, flags=["unseen_in_time"])
    first, *_ = await attainment.worst(db, chosen(now), 10)
    assert (first.promises, first.late_by) == (["goal", "p"], 37 * HOUR)
    assert (first.due_at, first.is_unseen) == (now - 5 * DAY + 4 * HOUR, True)
    of_one = await attainment.worst(db, chosen(now, promises=["p"]), 10)
    assert [one.thread for one in of_one] == ["T2", "T1"]


async def put_reply(db, at, name="R1", *, kind="message", thread="T1", origin="elsewhere",
                    delivery="confirmed", **changes):  # fmt: skip
    await seeds.put_message(db, at, name, thread, party="seller", delivery=delivery, to=["buyer"])
    row = {"kind": kind, "origin": origin} | changes
    for column, value in row.items():
        await db.execute(f"update message set {column} = $2 where id = $1", name, value)


async def said(db, now, thread, **changes):
    """A clock that ended by what somebody says, two days ago."""
    name = f"answered:{thread}"
    at = now - 2 * DAY
    await put_reply(
        db, at, name, kind="answered_elsewhere", thread=thread, delivery="accepted", **changes
    )
    for promise in ("p", "goal"):
        await put(db, at - HOUR, 1, thread=thread, by=name, promise=promise)


async def test_answers_that_nothing_confirms_are_listed(db, now):
    await seeds.put_thread(db, now, "alone")
    await said(db, now, "alone")
    await said(db, now, "copied", judged="confirmed")
    await said(db, now, "read")
    await put_reply(db, now - 2 * DAY + HOUR, "R2", thread="read")
    await said(db, now, "read later")
    await put_reply(db, now - HOUR, "R3", thread="read later")

    found = await attainment.unconfirmed(db, chosen(now))

    assert [(one.thread, one.at) for one in found] == [
        ("alone", now - 2 * DAY),
        ("read later", now - 2 * DAY),
    ]
    assert found[0].url == "https://shop.example/threads/alone"


async def test_causes_say_of_how_many_clocks_it_may_be_known_otherwise(db, now):
    start = now - 3 * DAY
    await put(db, start, 2, thread="plain", by="plain")
    await put_reply(db, start + 2 * HOUR, "plain", thread="plain")
    await put(db, start, 30, thread="unseen", flags=["unseen_in_time"])
    await put(db, start, 2, thread="dates", flags=["since_differs"])
    await put(db, start, 2, thread="accepted", by="accepted")
    await put_reply(db, start + 2 * HOUR, "accepted", thread="accepted", delivery="accepted")
    await put(db, start, 2, thread="silent", by="silent")
    await put_reply(
        db, start + 2 * HOUR, "silent", thread="silent", delivery="accepted", silent=True
    )
    await put(db, start, 20, thread="refused", by="again")
    await put_reply(db, start + HOUR, "refused", thread="refused", judged="refused")
    await put_reply(db, start + 20 * HOUR, "again", thread="refused")
    await put(db, start, 20, thread="robot", by="R9")
    await put_reply(db, start + HOUR, "robot", thread="robot", kind="automatic")
    await put_reply(db, start - HOUR, "before", thread="robot", kind="automatic")
    await put(db, start, 20, thread="marked", ended="void", reason="marked")
    await put(db, start, 20, thread="gone", ended="void", reason="gone")

    found = await attainment.causes(db, "mk", "p", Window(now - 7 * DAY, now), now)

    assert found == {
        "unseen_message": 1,
        "reply_not_accepted": 2,
        "automatic_reply": 1,
        "other_start": 1,
        "no_reply_needed": 1,
    }
    nothing = await attainment.causes(db, "mk", "p", Window(now - DAY, now), now)
    assert set(nothing.values()) == {0}


async def test_it_is_known_whether_there_is_anything(db, now):
    assert not await attainment.is_anything(db, ["mk", "other"])
    await put(db, now - timedelta(days=900))

    assert await attainment.is_anything(db, ["mk", "other"])
    assert not await attainment.is_anything(db, ["other"])
