"""A further answer that is promised to a buyer: a clock of its own, from the promise to its end."""

from __future__ import annotations

import asyncio

import pytest

from core import ingest, reply, watch
from core.access import Role, Who
from core.desk import answering, explaining, promising
from core.errors import Mistaken, NotAllowed
from core.metrics import Metrics
from core.model import Message, Page, Thread
from core.store import clocks, erased, readback, replies, settling, threads, transaction
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


def ours(name, at, body="Soon."):
    return Message(id=name, thread="T1", party=Party.SELLER, sent_at=at, to=BUYER, body=body)


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


@pytest.fixture
def leave(pool, db, rules, now):
    """A reply of ours that leaves, and what became of it by *settle*."""

    async def leave(settle, at=now, **more):
        async with transaction(pool) as other:
            text = "More on Friday, dear customer."
            await replies.queue(other, "mk", "T1", text, BUYER, at, by="ada", **more)
        async with transaction(pool) as other:
            reply = await replies.claim(other, ["mk"], at)
            await replies.leave(other, reply, at)
        await settle(reply)
        return reply

    return leave


@pytest.fixture
def accept(pool, rules):
    async def accept(reply, at, message=None):
        async with transaction(pool) as other:
            if await replies.accept(other, reply, message, at):
                await promising.begin(other, reply, at)
            await ingest.recompute(other, rules, "mk", ["T1"], at)

    return accept


@pytest.fixture
def lose(pool, rules):
    async def lose(reply, at):
        async with transaction(pool) as other:
            if await replies.lose(other, reply):
                await promising.begin(other, reply, at)
            await ingest.recompute(other, rules, "mk", ["T1"], at)

    return lose


async def read_back(pool, rules, reply, sent_at, seen_at):
    """The marketplace tells *reply* as a message of its own; then it is found there."""
    copy = ours("X9", sent_at, "More on Friday, dear customer.")
    async with transaction(pool) as db:
        await say(db, rules, seen_at, copy)
    async with transaction(pool) as db:
        await replies.confirm(db, reply, *await readback.find(db, reply), seen_at)
        await ingest.recompute(db, rules, "mk", ["T1"], seen_at)


async def test_of_one_reply_comes_one_promise_though_two_write_down_that_it_left(
    pool, db, leave, accept, lose, now
):
    """A daemon that was stopped while it sent, and goes on when another took it for dead."""

    async def settle(reply):
        await lose(reply, now + 90 * SECOND)
        await accept(reply, now + 95 * SECOND, "S9")

    await leave(settle, follow_up_at=now + DAY)

    assert [name for name, *_ in await kept(db)] == ["given:follow_up:reply"]


@pytest.mark.parametrize("off", [12 * SECOND, 75 * SECOND, HOUR])
async def test_a_reply_of_before_is_no_answer_to_a_promise_however_it_is_dated_when_read_back(
    pool, db, rules, leave, accept, promise, now, off
):
    reply = await leave(lambda one: accept(one, now + SECOND))
    await promise(now + DAY, now + 5 * SECOND)

    await read_back(pool, rules, reply, now + off, now + 2 * HOUR)

    assert [ended for _, _, ended, _ in await kept(db)] == [None]
    await say(db, rules, now + 3 * HOUR, ours("S10", now + 3 * HOUR))
    assert [ended for _, _, ended, _ in await kept(db)] == ["met"]


@pytest.mark.parametrize("how", ["accepted", "lost"])
async def test_a_reply_is_no_answer_to_what_it_promises_itself_however_it_is_dated(
    pool, db, rules, leave, accept, lose, now, how
):
    async def settle(one):
        await (accept if how == "accepted" else lose)(one, now + SECOND)

    reply = await leave(settle, follow_up_at=now + DAY)

    await read_back(pool, rules, reply, now + HOUR, now + 2 * HOUR)

    assert [ended for _, _, ended, _ in await kept(db)] == [None]


async def why(db, now):
    """What a person reads of that a message did not end it."""
    rows = await clocks.of_thread(db, "mk", "T1")
    found = await explaining.of(db, rows, now, own_mark=False)
    told = [line.text for one in found for line in one.why]
    return next(text for text in told if "may be what was said here before" in text)


async def pushed(db, rules, at, *messages):
    """As `say`, by the way on which pages of several accounts come."""
    async with db.transaction():
        await ingest.pages(db, rules, {"mk": Page(messages=messages)}, at)


@pytest.mark.parametrize(("off", "say"), [(31, say), (75, say), (1500, say), (75, pushed)])
async def test_what_may_be_a_copy_of_a_reply_of_before_never_ends_a_promise(
    db, rules, leave, accept, promise, now, off, say
):
    """A shop has a clock of its own, and words of its own around what it was told."""
    await leave(lambda one: accept(one, now + SECOND))
    await promise(now + DAY, now + 5 * SECOND)

    await say(db, rules, now + HOUR, ours("X9", now + off * SECOND))  # not yet known as ours

    assert [ended for _, _, ended, _ in await kept(db)] == [None]
    if off > promising.APART.total_seconds():  # else it lies before the promise, and is no matter
        assert "X9" in await why(db, now + HOUR)
    await say(db, rules, now + 2 * HOUR, ours("S10", now + HOUR))
    assert [ended for _, _, ended, _ in await kept(db)] == ["met"]


@pytest.mark.parametrize("how", ["accepted", "lost"])
async def test_neither_does_a_copy_of_the_reply_that_made_it(
    db, rules, leave, accept, lose, now, how
):
    async def settle(one):
        await (accept if how == "accepted" else lose)(one, now + SECOND)

    await leave(settle, follow_up_at=now + DAY)

    await say(db, rules, now + HOUR, ours("X9", now + 75 * SECOND))

    assert [ended for _, _, ended, _ in await kept(db)] == [None]


async def test_an_answer_of_ours_ends_it_though_one_of_before_was_never_found(
    pool, db, rules, leave, accept, lose, promise, now
):
    await leave(lambda one: lose(one, now + SECOND))
    await promise(now + DAY, now + 5 * SECOND)
    again = await leave(lambda one: accept(one, now + 10 * MINUTE), now + 10 * MINUTE)

    await read_back(pool, rules, again, now + 10 * MINUTE, now + HOUR)

    assert [ended for _, _, ended, _ in await kept(db)] == ["met"]


async def test_what_was_withdrawn_stays_so_whatever_is_read_back(
    db, rules, leave, accept, promise, now
):
    await leave(lambda one: accept(one, now + SECOND))
    await promise(now + DAY, now + 5 * SECOND)
    await promising.withdraw(db, rules, ADA, "mk", "T1", "not needed", now + 2 * MINUTE)

    await say(db, rules, now + HOUR, ours("X9", now + 75 * SECOND))

    assert [ended for _, _, ended, _ in await kept(db)] == ["void"]


async def test_what_a_restore_left_in_doubt_still_promises(pool, db, rules, now):
    """It may have left since the dump: its buyer waits for what it promised."""
    async with transaction(pool) as other:
        await replies.queue(
            other, "mk", "T1", "Soon.", BUYER, now, by="ada", follow_up_at=now + DAY
        )
        await settling.settle(other, now)

    await reply.once(pool, {}, rules, Metrics(), now + HOUR)

    assert [row["state"] for row in await db.fetch("select state from reply")] == ["unknown"]
    assert [(due, ended) for _, due, ended, _ in await kept(db)] == [(now + DAY, None)]


async def test_nobody_is_promised_anything_who_was_erased_while_it_left(
    db, rules, leave, accept, now
):
    async def settle(reply):
        gone = Message(id="erased:T1", thread="T1", party=Party.MARKETPLACE, kind="erased",
                       sent_at=now + SECOND)  # fmt: skip
        await say(db, rules, now + SECOND, gone)
        await db.execute(erased.THREADS, "mk", ["T1"], now + SECOND)
        await accept(reply, now + 2 * SECOND, "S9")

    await leave(settle, follow_up_at=now + DAY)

    assert await kept(db) == []


@pytest.mark.parametrize("why", ["taken back", "refused", "another waits"])
async def test_a_promise_made_apart_outlives_the_reply_with_which_it_waits(
    pool, db, rules, promise, now, why
):
    async with transaction(pool) as other:
        if why == "another waits":
            await replies.queue(other, "mk", "T1", "First", BUYER, now, by="bo")
        number = await replies.queue(other, "mk", "T1", "Soon", BUYER, now, by="ada")
    assert await promise(now + DAY, who=Who("bo", Role.AGENT)) == "with_reply"

    async with transaction(pool) as other:
        if why == "refused":
            reply = await replies.claim(other, ["mk"], now)
            await replies.leave(other, reply, now)
            assert await replies.refuse(other, reply, "no", now)
            await promising.go_on(other, rules, reply, now + SECOND)
        else:
            back = await answering.undo(other, rules, ADA, number, now + SECOND)
            assert back.follow_up_at is None  # it is not its writer's

    if why == "another waits":
        assert await kept(db) == []
        async with transaction(pool) as other:
            await promising.begin(other, await replies.claim(other, ["mk"], now), now)
            await ingest.recompute(other, rules, "mk", ["T1"], now)
    [row] = await promising.of_thread(db, "mk", "T1")
    assert row.clock.due_at == now + DAY


async def test_what_the_reply_itself_promises_goes_with_it(pool, db, rules, now):
    async with transaction(pool) as other:
        number = await replies.queue(
            other, "mk", "T1", "Soon", BUYER, now, by="ada", follow_up_at=now + DAY
        )
        back = await answering.undo(other, rules, ADA, number, now)

    assert back.follow_up_at == now + DAY
    assert await kept(db) == []


async def test_a_second_promise_does_not_take_the_place_of_one_that_waits(pool, promise, now):
    async with transaction(pool) as db:
        number = await replies.queue(db, "mk", "T1", "Soon", BUYER, now)
    await promise(now + DAY)

    with pytest.raises(Mistaken, match="with a reply that waits"):
        await promise(now + 3 * DAY)

    async with transaction(pool) as db:
        assert (await replies.of(db, number)).follow_up_at == now + DAY


async def test_who_promises_and_who_sends_never_wait_for_one_another(pool, db, promise, now):
    """A reply is queued while the promise waits for the thread, and is about to leave before it."""

    async def send():
        async with transaction(pool) as other:
            reply = await replies.claim(other, ["mk"], now)
            await threads.lock(other, "mk", ["T1"])
            return reply

    async with asyncio.TaskGroup() as group, transaction(pool) as other:
        await threads.lock(other, "mk", ["T1"])
        promised = group.create_task(promise(now + DAY))
        await waited_for(db, 1)
        await replies.queue(db, "mk", "T1", "Soon", BUYER, now)
        sent = group.create_task(send())
        await waited_for(db, 2)

    assert await promised == "with_reply"
    assert (await replies.of(db, (await sent).id)).follow_up_at == now + DAY


async def waited_for(db, n):
    """Until *n* wait for a lock."""
    waits = (
        "select count(*) from pg_stat_activity"
        " where wait_event_type = 'Lock' and datname = current_database()"
    )
    async with asyncio.timeout(30):
        while await db.fetchval(waits) < n:  # noqa: ASYNC110  # the server tells nobody
            await asyncio.sleep(0.01)
