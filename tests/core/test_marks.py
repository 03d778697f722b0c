from __future__ import annotations

from datetime import timezone

import pytest

from core import ingest, marks
from core.errors import Mistaken
from core.model import Message, Page, Thread
from core.store import transaction
from sla.clock import Level
from sla.policy import Party
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE, SECOND

SELLER = frozenset({Party.SELLER})
BUYER = frozenset({Party.BUYER})


def question(name, at, thread="T1"):
    return Message(id=name, thread=thread, party=Party.BUYER, sent_at=at, body="?", to=SELLER)


@pytest.fixture
def rules():
    """The marketplace's contract (it has a mark of its own that we see) and a goal of ours."""
    contract = seeds.policy("contract", marketplace_mark=True)
    goal = seeds.policy("goal", role="goal", reply_within=4 * HOUR)
    return seeds.rules(policies={"mk": (contract, goal)})


@pytest.fixture
async def db(pool, rules, now):
    """A thread whose buyer has been waiting for an hour."""
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        await store(pool, rules, now, question("M1", now - HOUR))
        yield db


async def store(pool, rules, now, *messages):
    async with transaction(pool) as other:
        ids = dict.fromkeys(message.thread for message in messages)
        threads = tuple(Thread(id=id_, as_of=now) for id_ in ids)
        page = Page(messages=messages, threads=threads)
        await ingest.page(other, rules, "mk", page, now, None)


async def ends(db):
    rows = await db.fetch("select promise, ended, reason from clock order by promise, id")
    return [tuple(row) for row in rows]


async def test_a_decision_ends_our_goals_and_leaves_a_contract_with_a_mark_of_its_own(
    db, rules, now
):
    await marks.mark(db, rules, "mk", "T1", Level.DECIDED, now)

    assert await ends(db) == [("contract", None, None), ("goal", "void", "decided")]


async def test_a_mark_that_was_set_there_ends_every_clock(db, rules, now):
    await marks.mark(db, rules, "mk", "T1", Level.MARKED, now)

    assert await ends(db) == [("contract", "void", "marked"), ("goal", "void", "marked")]


async def test_a_mark_covers_what_was_stored_when_it_was_made(pool, db, rules, now):
    """Stored at the same instant is stored; sent before and arrived after is not covered."""
    await store(pool, rules, now, question("M2", now))
    await marks.mark(db, rules, "mk", "T1", Level.MARKED, now)
    assert {ended for _, ended, _ in await ends(db)} == {"void"}

    await store(pool, rules, now + MINUTE, question("M3", now - MINUTE))

    assert [promise for promise, ended, _ in await ends(db) if ended is None] == [
        "contract", "goal",
    ]  # fmt: skip
    started = await db.fetch("select distinct started_at from clock where ended is null")
    assert [row[0] for row in started] == [now - MINUTE]


async def test_a_mark_by_a_host_whose_clock_is_behind_covers_what_it_showed(pool, db, rules, now):
    await store(pool, rules, now + 5 * SECOND, question("M2", now + 4 * SECOND))

    await marks.mark(db, rules, "mk", "T1", Level.MARKED, now)

    assert {ended for _, ended, _ in await ends(db)} == {"void"}


async def test_marking_twice_changes_no_clock(db, rules, now):
    await marks.mark(db, rules, "mk", "T1", Level.DECIDED, now)
    once = await db.fetch("select * from clock order by id")

    await marks.mark(db, rules, "mk", "T1", Level.DECIDED, now)

    assert await db.fetch("select * from clock order by id") == once


async def test_a_breach_that_is_marked_later_stays_counted_and_is_corrected(db, rules, now):
    await db.execute("update clock set step = cardinality(steps), breached_at = due_at")
    await seeds.put_alarms(db)
    later = now + 30 * HOUR
    await marks.mark(db, rules, "mk", "T1", Level.MARKED, later)

    rows = await db.fetch("select ended, breached_at is not null, correction from clock")
    assert {tuple(row) for row in rows} == {("void", True, "marked")}


@pytest.mark.parametrize("level", [Level.GUESSED, Level.CONFIRMED])
async def test_only_a_persons_levels_can_be_marked(db, rules, now, level):
    with pytest.raises(Mistaken):
        await marks.mark(db, rules, "mk", "T1", level, now)


async def test_answered_there_ends_the_clocks_at_the_stated_instant(db, rules, now):
    at = now - 10 * MINUTE
    await marks.answered(db, rules, "mk", "T1", at, BUYER, now)

    rows = await db.fetch("select ended, stopped_at from clock")
    assert {tuple(row) for row in rows} == {("met", at)}
    stored = await db.fetchrow("select * from message where kind = 'answered_elsewhere'")
    assert (stored["delivery"], stored["origin"], stored["seen_at"]) == (
        "accepted", "elsewhere", now,
    )  # fmt: skip


async def test_an_answer_to_the_marketplace_leaves_the_buyer_waiting(db, rules, now):
    await marks.answered(db, rules, "mk", "T1", now, frozenset({Party.MARKETPLACE}), now)

    assert {ended for _, ended, _ in await ends(db)} == {None}


async def test_an_answer_stated_after_the_breach_takes_it_back(db, rules, now):
    await db.execute("update clock set step = cardinality(steps), breached_at = due_at")
    await seeds.put_alarms(db)
    await marks.answered(db, rules, "mk", "T1", now + HOUR, BUYER, now + 30 * HOUR)

    rows = await db.fetch("select ended, correction from clock")
    assert {tuple(row) for row in rows} == {("met", "answered_elsewhere")}


async def test_saying_it_twice_changes_nothing(db, rules, now):
    for _ in range(2):
        await marks.answered(db, rules, "mk", "T1", now, BUYER, now)

    assert await db.fetchval("select count(*) from message") == 2


async def test_the_same_instant_in_another_zone_is_the_same_saying(db, rules, now):
    at = now - 10 * MINUTE
    for said in (at, at.astimezone(timezone(2 * HOUR))):
        await marks.answered(db, rules, "mk", "T1", said, BUYER, now)

    assert await db.fetchval("select count(*) from message") == 2


@pytest.mark.parametrize("other", ["T2", "T" * 300])
async def test_two_threads_answered_at_one_instant_have_both_been_answered(
    pool, db, rules, now, other
):
    await store(pool, rules, now, question("M2", now - HOUR, thread=other))
    for thread in ("T1", other):
        await marks.answered(db, rules, "mk", thread, now, BUYER, now)

    rows = await db.fetch("select thread, ended from clock")
    assert {tuple(row) for row in rows} == {("T1", "met"), (other, "met")}


async def test_two_threads_marked_at_one_instant_are_both_marked(pool, db, rules, now):
    await store(pool, rules, now, question("M2", now - HOUR, thread="T2"))
    for thread in ("T1", "T2"):
        await marks.mark(db, rules, "mk", thread, Level.MARKED, now)

    rows = await db.fetch("select thread, ended from clock")
    assert {tuple(row) for row in rows} == {("T1", "void"), ("T2", "void")}


@pytest.mark.parametrize("to", [frozenset(), SELLER])
async def test_an_answer_to_nobody_is_refused(db, rules, now, to):
    with pytest.raises(Mistaken):
        await marks.answered(db, rules, "mk", "T1", now, to, now)


async def test_an_answer_in_the_future_is_refused(db, rules, now):
    with pytest.raises(Mistaken):
        await marks.answered(db, rules, "mk", "T1", now + SECOND, BUYER, now)


async def test_an_answer_before_the_threads_first_message_is_refused(db, rules, now):
    before = await db.fetch("select * from clock order by id")

    with pytest.raises(Mistaken, match="before the thread's first message"):
        await marks.answered(db, rules, "mk", "T1", now - HOUR - SECOND, BUYER, now)

    assert await db.fetch("select * from clock order by id") == before
    await marks.answered(db, rules, "mk", "T1", now - HOUR, BUYER, now)


@pytest.mark.parametrize(("account", "thread"), [("mk", "T9"), ("nobody", "T1")])
async def test_what_is_not_known_cannot_be_marked(db, rules, now, account, thread):
    with pytest.raises(Mistaken):
        await marks.mark(db, rules, account, thread, Level.MARKED, now)
    with pytest.raises(Mistaken):
        await marks.answered(db, rules, account, thread, now, BUYER, now)


async def test_a_retired_accounts_threads_are_left_as_they_are(db, rules, now):
    await db.execute("update account set retired_at = now()")

    with pytest.raises(Mistaken):
        await marks.mark(db, rules, "mk", "T1", Level.MARKED, now)
