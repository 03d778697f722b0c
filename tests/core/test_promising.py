"""A further answer that is promised to a buyer: a clock of its own, from the promise to its end."""

from __future__ import annotations

import pytest

from core import ingest, watch
from core.access import Role, Who
from core.desk import explaining, promising
from core.errors import Mistaken, NotAllowed
from core.model import Message, Page, Thread
from core.store import clocks, replies, transaction
from sla.policy import Party
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE, SECOND

SELLER, BUYER = frozenset({Party.SELLER}), frozenset({Party.BUYER})
ADA = Who("ada", Role.AGENT)
DAY = 24 * HOUR


@pytest.fixture
def rules():
    return seeds.rules()


@pytest.fixture
async def db(pool, rules, now):
    """A thread whose buyer was answered."""
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        await seeds.put_stream(db, now)
        said = [
            Message(id="M1", thread="T1", party=Party.BUYER, sent_at=now - HOUR, to=SELLER),
            ours("S1", now - MINUTE),
        ]
        page = Page(messages=tuple(said), threads=(Thread(id="T1", as_of=now),))
        await ingest.page(db, rules, "mk", page, now, None)
        yield db


def ours(name, at):
    return Message(id=name, thread="T1", party=Party.SELLER, sent_at=at, to=BUYER, body="Soon.")


@pytest.fixture
def promise(pool, db, rules, now):
    async def promise(due_at, at=now, who=ADA):
        async with transaction(pool) as other:
            return await promising.promise(other, rules, who, "mk", "T1", due_at, at)

    return promise


async def kept(db):
    """The promises of the thread: (name, due, how it ended, why)."""
    rows = await clocks.of_thread(db, "mk", "T1")
    return [
        (one.clock.promise, one.clock.due_at, one.clock.ended, one.clock.reason)
        for one in sorted(rows, key=lambda row: row.id)
        if promising.is_promise(one)
    ]


async def say(db, rules, at, *messages):
    await ingest.page(db, rules, "mk", Page(messages=messages), at, None)


async def test_a_promise_is_a_clock_that_our_next_message_ends(db, rules, promise, now):
    due = now + DAY

    assert await promise(due) == "promised"

    [row] = await promising.of_thread(db, "mk", "T1")
    assert (row.clock.due_from, row.clock.metric, row.clock.started_at) == ("agent", "given", now)
    assert row.clock.steps[-1] == due
    assert len(row.clock.steps) > 1
    await say(db, rules, now + HOUR, ours("S2", now + HOUR))
    assert await kept(db) == [("given:follow_up:reply", due, "met", None)]


async def test_it_warns_and_is_told_like_any_deadline(pool, db, rules, promise, now):
    await promise(now + HOUR)

    await watch.once(pool, rules, now + 2 * HOUR)

    told = await db.fetch("select kind, thread from notice")
    assert [tuple(row) for row in told] == [("breach", "T1")]
    rows = await promising.of_thread(db, "mk", "T1")
    [explained] = await explaining.of(db, rows, now + 2 * HOUR, own_mark=False)
    assert "an agent promised" in " ".join(line.text for line in explained.why)


async def test_a_message_of_before_and_the_buyers_own_end_nothing(db, rules, promise, now):
    await promise(now + DAY)

    asked = Message(id="M2", thread="T1", party=Party.BUYER, sent_at=now + MINUTE, to=SELLER)
    await say(db, rules, now + HOUR, asked, ours("S0", now - 2 * MINUTE))

    assert [ended for _, _, ended, _ in await kept(db)] == [None]


async def test_the_next_promise_is_a_clock_of_its_own(db, rules, promise, now):
    await promise(now + DAY)
    with pytest.raises(Mistaken, match="already; move"):
        await promise(now + 2 * DAY)
    await say(db, rules, now + HOUR, ours("S2", now + HOUR))

    await promise(now + 3 * DAY, now + 2 * HOUR)

    assert [(name, ended) for name, _, ended, _ in await kept(db)] == [
        ("given:follow_up:reply", "met"), ("given:follow_up:reply-2", None),
    ]  # fmt: skip
    assert await db.fetchval("select count(*) from given") == 2


async def test_it_is_moved_while_it_is_ahead_with_a_reason_and_what_was_said_stays(
    db, rules, promise, now
):
    await promise(now + DAY)
    where = db, rules, ADA, "mk", "T1"
    with pytest.raises(Mistaken, match="say why"):
        await promising.move(*where, now + 2 * DAY, "  ", now + HOUR)

    await promising.move(*where, now + 2 * DAY, "The  supplier is late", now + HOUR)

    assert await kept(db) == [("given:follow_up:reply", now + 2 * DAY, None, None)]
    said = await db.fetch("select sentence from given order by as_of")
    assert [row[0] for row in said] == [None, "The supplier is late"]
    with pytest.raises(Mistaken, match="is late, and stays so"):
        await promising.move(*where, now + 9 * DAY, "Still late", now + 3 * DAY)


@pytest.mark.parametrize(("after", "ended"), [(HOUR, "void"), (2 * DAY, "late")])
async def test_it_is_withdrawn_and_what_is_late_stays_late(db, rules, promise, now, after, ended):
    await promise(now + DAY)

    await promising.withdraw(db, rules, ADA, "mk", "T1", "The buyer cancelled", now + after)

    assert await kept(db) == [("given:follow_up:reply", now + DAY, ended, "withdrawn")]
    with pytest.raises(Mistaken, match="no answer is promised"):
        await promising.withdraw(db, rules, ADA, "mk", "T1", "Again", now + after)


async def test_with_a_reply_that_is_still_to_leave_it_begins_when_that_has_left(
    db, rules, promise, now
):
    number = await replies.queue(db, "mk", "T1", "More on Friday.", {Party.BUYER}, now)

    assert await promise(now + DAY) == "with_reply"

    assert await kept(db) == []
    reply = await replies.of(db, number)
    assert reply.follow_up_at == now + DAY
    await promising.begin(db, reply, now + SECOND)
    await ingest.recompute(db, rules, "mk", ["T1"], now + SECOND)
    [row] = await promising.of_thread(db, "mk", "T1")
    assert row.clock.started_at == now + SECOND + promising.APART

    # The marketplace dates that very reply a little later than we: it does not answer itself.
    await say(db, rules, now + MINUTE, ours("S2", now + 20 * SECOND))
    assert [ended for _, _, ended, _ in await kept(db)] == [None]


async def test_only_an_instant_ahead_is_a_promise_and_only_who_may_answer_makes_one(promise, now):
    for due, said in ((now, "ahead"), (now + 400 * DAY, "nobody waits")):
        with pytest.raises(Mistaken, match=said):
            await promise(due)
    for who in (Who("eve", Role.VIEWER), Who("far", Role.AGENT, frozenset({"other"}))):
        with pytest.raises(NotAllowed):
            await promise(now + DAY, who=who)


async def test_the_reason_is_in_no_line_of_the_audit(db, rules, promise, now):
    await promise(now + DAY)
    await promising.move(db, rules, ADA, "mk", "T1", now + 2 * DAY, "a private reason", now)

    lines = await db.fetch("select act, detail from audit order by id")

    assert [row["act"] for row in lines] == ["promise", "move_promise"]
    assert "private" not in str([tuple(row) for row in lines])
