"""No span sees more messages than a rate allows; what exceeds it waits, gathers, and is told."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import deliver, digest, pace
from core.errors import NotifierError, Unfit
from core.metrics import Metrics
from core.model import Notice, NoticeKind
from core.pace import Pace
from core.store import notices, transaction
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE, SECOND
from tests.core.test_floods import Chat, Time

FOUR = pace.read("4/h")


@pytest.mark.parametrize(
    ("text", "read"),
    [("30/h", Pace(30, HOUR)), ("1/s", Pace(1, SECOND)), (" 5/m ", Pace(5, MINUTE)),
     ("2/d", Pace(2, 24 * HOUR)), ("999999/d", Pace(999_999, 24 * HOUR))],
)  # fmt: skip
def test_a_rate_is_how_many_within_what(text, read):
    assert pace.read(text) == read
    assert pace.read(pace.write(read)) == read


@pytest.mark.parametrize("text", ["", "30", "h", "0/h", "-1/h", "30/w", "1.5/s", "1e3/s", 30, None])
def test_what_is_no_rate_is_refused_with_one_that_is(text):
    with pytest.raises(Unfit, match="30/h"):
        pace.read(text)


@given(
    most=st.integers(1, 40),
    waits=st.lists(st.floats(0, 0.6, allow_nan=False), min_size=1, max_size=120),
)
def test_no_span_sees_more_than_was_written(most, waits):
    """However they come: each leaves as soon as there is room, as the database would count."""
    said = Pace(most, HOUR)
    at, filled, left = timedelta(), timedelta(), []
    for wait in waits:
        at += wait * HOUR / most
        ahead = max(timedelta(), filled - at)
        for _ in range(said.room(ahead)):
            filled = max(filled, at) + said.apart
            left.append(at)
        waited = timedelta(seconds=said.wait(max(timedelta(), filled - at)))
        assert said.room(max(timedelta(), filled - at - waited - 2 * timedelta.resolution)) > 0
    slack = most * timedelta.resolution
    for n, began in enumerate(left):
        assert len([each for each in left[n:] if each < began + HOUR - slack]) <= most


def test_half_may_leave_at_once():
    assert [Pace(most, HOUR).burst for most in (1, 2, 3, 4, 30)] == [1, 1, 2, 2, 15]


class Slow(Chat):
    """A chat that may be told no more than four an hour; *digest_after* as it is."""

    def __init__(self, *faults, pace=FOUR, digest_after=0):
        super().__init__(*faults)
        self.pace, self.digest_after = pace, digest_after


class Hours(Time):
    """As `Time`, also for what was spent."""

    async def passes(self, seconds):
        await super().passes(seconds)
        async with transaction(self.pool) as db:
            await db.execute("update budget set next_at = next_at - $1::interval", seconds * SECOND)


@pytest.fixture
async def time(pool, now):
    async with transaction(pool) as db:
        await seeds.put_account(db, now)
        await seeds.put_thread(db, now)
    return Hours(pool, now)


@pytest.fixture
def raised(pool, time):
    async def put(numbers, kind=NoticeKind.BREACH, **changes):
        given = {"account": "mk", "thread": "T1", "due_at": time.now - MINUTE}
        given |= {"raised_at": time.now} | changes
        each = [Notice(f"{n}/0/1", kind, **({"clock": n} | given)) for n in numbers]
        async with transaction(pool) as db:
            await notices.raise_(db, seeds.rules(), each)

    return put


@pytest.fixture
def round_(pool, time):
    """Rounds until nothing more is due at once; when the next one is wanted."""

    async def go(chat):
        while True:
            again = await deliver.once(
                pool, {chat.name: chat}, seeds.rules(), {}, Metrics(), time.now
            )
            if again is None or again > time.now:
                return again

    return go


async def test_what_exceeds_the_rate_waits_and_leaves_as_a_digest(time, raised, round_):
    chat = Slow()
    await raised(range(10))

    again = await round_(chat)
    assert chat.kinds == ["breach", "breach"]
    assert again - time.now > 10 * MINUTE, "nobody looks before there is room"
    await time.passes(60)
    await round_(chat)
    assert len(chat.got) == 2
    await time.passes(1200)
    await round_(chat)

    assert chat.kinds == ["breach", "breach", "digest"]
    assert sum(chat.counts) == 10, "nothing is dropped"


async def test_within_an_hour_there_are_no_more_messages_than_that(time, raised, round_):
    chat = Slow(digest_after=2)
    for minute in range(60):
        await raised([minute])
        await round_(chat)
        await time.passes(60)

    assert len(chat.got) <= 4
    await time.passes(3600)
    await round_(chat)
    assert sum(chat.counts) == 60


async def test_the_most_urgent_leave_first(time, raised, round_):
    chat = Slow()
    await raised([1], NoticeKind.WARNING, due_at=time.now + MINUTE)
    await raised([2], due_at=time.now - MINUTE)
    await raised([3], NoticeKind.POLICY_REVIEW, due_at=None, clock=None)
    await raised([4], due_at=time.now - HOUR)
    await round_(chat)

    assert {n.key for n, _ in chat.got} == {"4/0/1", "2/0/1"}
    await time.passes(1800)
    await round_(chat)
    (_, said) = chat.got[2]
    assert "0 late, 1 due soon, 1 more" in said.subject
    assert sum(chat.counts) == 4


async def test_over_a_restart_and_beside_another_daemon_the_rate_holds(time, raised, round_):
    """Each process opens a notifier of its own; what was spent stands in the database."""
    chats = [Slow() for _ in range(6)]
    for n, chat in enumerate(chats):
        await raised([n])
        await asyncio.gather(round_(chat), round_(chats[0]))

    assert sum(len(chat.got) for chat in chats) == 2


async def test_what_cannot_be_delivered_is_tried_again_within_the_rate(time, raised, round_):
    chat = Slow(*[NotifierError("away")] * 3)
    await raised([1])
    for _ in range(8):
        await round_(chat)
        await time.passes(600)

    assert chat.kinds == ["breach"]
    assert chat.faults == []


async def test_without_a_rate_all_leaves_as_it_comes(time, raised, round_):
    chat = Slow(pace=None)
    await raised(range(40))

    await round_(chat)

    assert len(chat.got) == 40


async def test_what_is_answered_before_it_leaves_costs_no_room(pool, time, raised, round_):
    chat = Slow()
    await raised(range(6))
    async with transaction(pool) as db:
        await db.execute("update dispatch set suppressed = 'answered'")
        await db.execute("update dispatch set suppressed = null where notice > 2")
    await round_(chat)

    assert len(chat.got) == 2


class Small(Slow):
    """Whose messages are short."""

    most = 900


@pytest.mark.parametrize("chat", [Slow(), Small()])
async def test_what_no_list_shows_is_named_to_the_last_the_most_urgent_first(
    pool, time, raised, round_, chat
):
    """Replies in doubt after a crash, more than a chat may be told: each is named once."""
    threads = [f"R{n}" for n in range(40)]
    for n, thread in enumerate(threads):
        due_at = time.now + (40 - n) * MINUTE
        await raised([n], NoticeKind.REPLY_UNKNOWN, thread=thread, due_at=due_at)
    await raised(range(50, 60))
    for _ in range(9):
        await round_(chat)
        await time.passes(1000)

    most = getattr(chat, "most", digest.LONGEST)
    told = "\n".join(said.text[:most] for _, said in chat.got)
    named = [word.rstrip(":") for line in told.splitlines() for word in line.split()
             if line.startswith(("- Reply perhaps", "Thread: R")) and word in threads]  # fmt: skip
    assert sorted(named) == sorted(threads)
    alone = sum(kind != "digest" for kind in chat.kinds)
    assert (len(chat.got) - alone > 2) is isinstance(chat, Small)
    assert named[alone:] == sorted(named[alone:], key=threads.index, reverse=True)
    assert sum(chat.counts) == 50
