"""What a mark would end, said before it is made; what was said is taken back; who is answering."""

from __future__ import annotations

import asyncio

import pytest

from core import ingest, labels
from core.access import Role, Who
from core.connector import Capabilities
from core.desk import answering, beaten, marking, presence
from core.errors import Mistaken, NotAllowed
from core.model import Message, Page, Thread
from core.store import marked, transaction
from core.store import presence as stored
from sla.clock import Level
from sla.policy import Party
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE, SECOND

SELLER, BUYER = frozenset({Party.SELLER}), frozenset({Party.BUYER})
ADA, BO, EVE = Who("ada", Role.AGENT), Who("bo", Role.AGENT, title="Bo B."), Who("eve", Role.VIEWER)
UNSEEN = Capabilities(replies=True, unseen_mark=True)


@pytest.fixture
def rules():
    """The marketplace's contract (it has a mark of its own) and a goal of ours."""
    contract = seeds.policy("contract", marketplace_mark=True)
    goal = seeds.policy("goal", role="goal", reply_within=4 * HOUR)
    return seeds.rules(policies={"mk": (contract, goal)})


@pytest.fixture
async def db(pool, rules, now):
    """A thread whose buyer has been waiting for an hour."""
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        asked = Message(id="M1", thread="T1", party=Party.BUYER, sent_at=now - HOUR, to=SELLER)
        page = Page(messages=(asked,), threads=(Thread(id="T1", as_of=now),))
        await ingest.page(db, rules, "mk", page, now, None)
        yield db


async def ends(db):
    rows = await db.fetch("select promise, ended from clock order by promise")
    return {row["promise"]: row["ended"] for row in rows}


@pytest.mark.parametrize(
    ("level", "ends_", "goes_on"),
    [(Level.DECIDED, ["goal"], ["contract"]), (Level.MARKED, ["contract", "goal"], [])],
)
async def test_what_a_mark_would_end_is_what_it_ends(db, rules, now, level, ends_, goes_on):
    told = await marking.foreseen(db, rules, "mk", "T1", level, now)

    assert sorted(one.promise for one in told.ends) == ends_
    assert [one.promise for one in told.goes_on] == goes_on
    assert set((await ends(db)).values()) == {None}  # nothing was written
    await marking.mark(db, rules, ADA, "mk", "T1", level, UNSEEN, now)
    assert sorted(name for name, ended in (await ends(db)).items() if ended) == ends_


async def test_a_wrong_mark_is_taken_back_and_the_same_clocks_run_on(db, rules, now):
    before = await db.fetch("select id, started_at, due_at from clock order by id")
    await marking.mark(db, rules, ADA, "mk", "T1", Level.MARKED, UNSEEN, now)
    [said] = await marked.of(db, "mk", "T1")

    assert await marking.take_back(db, rules, BO, "mk", "T1", said.id, now + MINUTE)

    assert set((await ends(db)).values()) == {None}
    assert await db.fetch("select id, started_at, due_at from clock order by id") == before
    assert await marked.of(db, "mk", "T1") == []
    assert not await marking.take_back(db, rules, BO, "mk", "T1", said.id, now + MINUTE)
    acts = await db.fetch("select who, act from audit order by id")
    assert [tuple(row) for row in acts] == [("ada", "mark"), ("bo", "take_back")]


async def test_answered_there_is_taken_back_too_and_nothing_else_is(db, rules, now):
    await marking.answered(db, rules, ADA, "mk", "T1", now - MINUTE, BUYER, now)
    assert set((await ends(db)).values()) == {"met"}
    [said] = await marked.of(db, "mk", "T1")

    assert not await marking.take_back(db, rules, ADA, "mk", "T1", "M1", now)
    assert await marking.take_back(db, rules, ADA, "mk", "T1", said.id, now)

    assert set((await ends(db)).values()) == {None}


async def test_what_was_taken_back_can_be_said_again_of_the_same_instant(db, rules, now):
    for _ in range(2):
        await marking.answered(db, rules, ADA, "mk", "T1", now - MINUTE, BUYER, now)
        assert set((await ends(db)).values()) == {"met"}
        [said] = await marked.of(db, "mk", "T1")
        assert await marking.take_back(db, rules, ADA, "mk", "T1", said.id, now)
        assert set((await ends(db)).values()) == {None}

    counted = "select n from tally where metric = $1 and result = $2"
    await marking.answered(db, rules, ADA, "mk", "T1", now - MINUTE, BUYER, now + SECOND)

    assert [one.seen_at for one in await marked.of(db, "mk", "T1")] == [now + SECOND]
    assert await db.fetchval(counted, labels.REPLY, labels.ELSEWHERE) == 1


async def test_a_mark_that_nobody_can_set_there_is_no_level(db, rules, now):
    assert marking.levels(Capabilities()) == (Level.DECIDED,)
    with pytest.raises(Mistaken, match="no mark of its own"):
        await marking.mark(db, rules, ADA, "mk", "T1", Level.MARKED, Capabilities(), now)
    with pytest.raises(NotAllowed):
        await marking.mark(db, rules, EVE, "mk", "T1", Level.DECIDED, UNSEEN, now)


async def seen(db):
    return beaten.seen(await answering.seen(db, "mk", "T1"))


async def ask(db, rules, sent_at, now):
    asked = Message(id="M2", thread="T1", party=Party.BUYER, sent_at=sent_at, to=SELLER)
    await ingest.page(db, rules, "mk", Page(messages=(asked,)), now, None)


async def test_a_message_that_nobody_has_seen_is_told_before_a_mark_ends_it(db, rules, now):
    known, at = await seen(db), now + MINUTE
    await ask(db, rules, at, at)

    told = await marking.mark(db, rules, ADA, "mk", "T1", Level.MARKED, UNSEEN, at, seen=known)

    assert (told.by, told.state, told.at) == (None, "buyer", at)
    assert set((await ends(db)).values()) == {None}
    assert await marked.of(db, "mk", "T1") == []
    again = {"seen": told.seen}
    assert not await marking.mark(db, rules, ADA, "mk", "T1", Level.MARKED, UNSEEN, at, **again)
    assert set((await ends(db)).values()) == {"void"}
    acts = await db.fetch("select who, act from audit order by id")
    assert [tuple(row) for row in acts] == [("ada", "beaten"), ("ada", "mark")]


async def test_a_message_before_an_answer_given_there_is_told_before_that_ends_it(db, rules, now):
    known, at = await seen(db), now + 2 * MINUTE
    await ask(db, rules, now + MINUTE, at)
    where = db, rules, ADA, "mk", "T1"

    told = await marking.answered(*where, at, BUYER, at, seen=known)

    assert (told.state, told.at) == ("buyer", now + MINUTE)
    assert set((await ends(db)).values()) == {None}
    assert not await marking.answered(*where, now, BUYER, at, seen=known)  # before it: as it is
    of_it = "select distinct ended from clock where started_by = 'M2'"
    assert await db.fetchval(of_it) is None
    assert not await marking.answered(*where, at, BUYER, at, seen=told.seen)
    assert set((await ends(db)).values()) == {"met"}


async def test_who_is_told_of_a_message_is_still_told_of_an_answer(db, rules, now):
    known, at = await seen(db), now + MINUTE
    await ask(db, rules, now, at)
    theirs = Message(id="S1", thread="T1", party=Party.SELLER, sent_at=at, to=BUYER)
    await ingest.page(db, rules, "mk", Page(messages=(theirs,)), at, None)

    told = await marking.mark(db, rules, ADA, "mk", "T1", Level.DECIDED, UNSEEN, at, seen=known)

    assert told.state == "buyer"
    new = beaten.since(await answering.seen(db, "mk", "T1"), told.seen)
    assert (new.id, new.state) == ("S1", "elsewhere")


async def test_others_see_who_answers_until_they_were_not_heard_of_for_a_while(db, now):
    key = "mk", "T1"
    assert await presence.here(db, BO, *key, now)
    assert not await presence.here(db, BO, *key, now + 10 * SECOND)

    seen = await presence.others(db, "ada", [key], now + 39 * SECOND)

    assert {at: [one.title for one in each] for at, each in seen.items()} == {key: ["Bo B."]}
    assert await presence.others(db, "bo", [key], now + 39 * SECOND) == {}
    assert await presence.others(db, "ada", [key], now + 40 * SECOND) == {}
    assert await presence.here(db, BO, *key, now + MINUTE)
    await presence.left(db, BO, *key)
    assert await presence.others(db, "ada", [key], now + MINUTE) == {}
    with pytest.raises(NotAllowed):
        await presence.here(db, EVE, *key, now)


async def test_many_who_come_at_once_are_all_there_and_go_with_time(pool, db, now):
    async def come(n):
        async with transaction(pool) as other:
            return await presence.here(other, Who(f"a{n}", Role.AGENT), "mk", "T1", now)

    assert all(await asyncio.gather(*(come(n) for n in range(8))))

    assert len((await presence.others(db, "me", [("mk", "T1")], now))["mk", "T1"]) == 8
    assert await stored.purge(db, now) == [("mk", "T1")]
    assert await presence.others(db, "me", [("mk", "T1")], now) == {}
