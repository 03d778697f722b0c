"""What an older notice says is not told after a newer one has said otherwise."""

from __future__ import annotations

import asyncio

import pytest

from core import deliver
from core.errors import NotifierError
from core.metrics import Metrics
from core.model import Notice, NoticeKind
from core.outbox import leaving
from core.routing import Route
from core.store import dispatches, notices, transaction
from tests.core import seeds
from tests.core.seeds import MINUTE
from tests.core.test_deliver import OPS, Remembering, counted

CHAT = Route("chat", ("chat",))
FAILS = NotifierError("HTTP 500")


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def rules():
    return seeds.rules(CHAT, OPS, of={"mk": ("chat",), "other": ("chat",)})


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        await seeds.put_thread(db, now)
        yield db


@pytest.fixture
def once(pool, rules, metrics, now):
    """One round, as it comes."""

    async def go(*notifiers):
        named = {each.name: each for each in notifiers}
        return await deliver.once(pool, named, rules, {}, metrics, now)

    return go


@pytest.fixture
def round_(db, once):
    """One round; the retries that wait have become due."""

    async def go(*notifiers):
        await db.execute("update dispatch set next_try_at = now() where attempts > 0")
        return await once(*notifiers)

    return go


@pytest.fixture
def raised(pool, rules, now):
    async def put(kind, key, account="mk", *, clock=None, digests=None):
        due = now + MINUTE if clock else None
        thread = "T1" if clock else None
        told = Notice(key, kind, account, now, thread=thread, clock=clock, due_at=due)
        async with transaction(pool) as db:
            await notices.raise_(db, rules, [told], digests or {})

    return put


async def became(db, notifier="chat"):
    return {key: state for key, to, state in await seeds.dispatches(db) if to == notifier}


TROUBLES = pytest.mark.parametrize(
    ("kind", "end"),
    [
        (NoticeKind.BLIND, NoticeKind.ACCOUNT_UP),
        (NoticeKind.ACCOUNT_DOWN, NoticeKind.ACCOUNT_UP),
        (NoticeKind.PUSH_SILENT, NoticeKind.PUSH_HEARD),
    ],
)


@TROUBLES
async def test_a_trouble_that_has_ended_is_not_told_after_its_end(
    db, round_, once, raised, metrics, kind, end
):
    chat = Remembering("chat", FAILS)
    await raised(kind, "mk/trouble/1")
    await round_(chat)
    await raised(end, "mk/up/1")

    await once(chat)  # the end is due at once, the trouble waits to be tried again
    await round_(chat)

    assert chat.keys == ["mk/up/1"]  # what was tried may have been heard
    assert await became(db) == {"mk/trouble/1": "over", "mk/up/1": "sent"}
    suppressed = counted(metrics, "replyby_notifications_suppressed_total")
    assert suppressed == {("chat", "over"): 1}


@TROUBLES
async def test_of_a_trouble_that_nobody_heard_of_the_end_is_not_told_either(
    db, once, raised, kind, end
):
    chat = Remembering("chat")
    await raised(kind, "mk/blind/1")
    await raised(end, "mk/up/1")

    await once(chat)

    assert chat.keys == []
    assert set((await became(db)).values()) == {"over"}


async def test_what_was_given_up_and_is_tried_again_may_have_been_heard(pool, db, once, raised):
    """Whoever gave no answer in time may have read it."""
    chat = Remembering("chat", FAILS)
    await raised(NoticeKind.BLIND, "mk/blind/1")
    await db.execute("update dispatch set attempts = $1", leaving.ATTEMPTS - 1)
    await once(chat)
    async with transaction(pool) as other:
        assert await dispatches.retry_parked(other, notifier="chat") == 1
    await raised(NoticeKind.ACCOUNT_UP, "mk/up/1")

    await once(chat)

    assert chat.keys == ["mk/up/1"]


async def test_who_heard_that_an_account_is_retired_hears_no_end_of_what_they_did_not_hear(
    once, raised
):
    chat = Remembering("chat")
    await raised(NoticeKind.BLIND, "mk/blind/1")
    await once(chat)
    await raised(NoticeKind.ACCOUNT_RETIRED, "mk/retired/1")
    await once(chat)
    await raised(NoticeKind.BLIND, "mk/blind/2")
    await raised(NoticeKind.ACCOUNT_UP, "mk/up/1")

    await once(chat)

    assert chat.keys == ["mk/blind/1", "mk/retired/1"]


async def test_the_end_of_one_trouble_says_nothing_of_another(db, once, raised):
    chat = Remembering("chat")
    await raised(NoticeKind.BLIND, "mk/blind/1")
    await raised(NoticeKind.PUSH_SILENT, "mk/silent/1")
    await raised(NoticeKind.PUSH_HEARD, "mk/heard/1")
    await raised(NoticeKind.PUSH_SILENT, "mk/silent/2")
    await raised(NoticeKind.ACCOUNT_UP, "mk/up/1")

    await once(chat)

    assert chat.keys == ["mk/silent/2"]


@TROUBLES
async def test_the_end_of_what_was_told_is_told(db, once, raised, kind, end):
    chat = Remembering("chat")
    await raised(kind, "mk/blind/1")
    await once(chat)
    await raised(end, "mk/up/1")
    await raised(NoticeKind.BLIND, "other/blind/1", "other")

    await once(chat)

    assert chat.keys == ["mk/blind/1", "mk/up/1", "other/blind/1"]


@TROUBLES
async def test_an_end_that_came_late_does_not_hide_that_the_trouble_is_there_again(
    db, round_, once, raised, kind, end
):
    chat = Remembering("chat")
    await raised(kind, "mk/blind/1")
    await once(chat)
    chat.faults = [FAILS]
    await raised(end, "mk/up/1")
    await once(chat)
    await raised(kind, "mk/blind/2")
    await round_(chat)

    assert chat.keys == ["mk/blind/1", "mk/blind/2"]
    assert (await became(db))["mk/up/1"] == "overtaken"


async def test_who_heard_of_a_trouble_hears_its_end_though_one_between_was_kept_back(
    db, once, raised
):
    """The first is told; its end and the second trouble are overtaken; the last end is told."""
    chat = Remembering("chat")
    await raised(NoticeKind.BLIND, "mk/blind/1")
    await once(chat)
    for kind, key in (
        (NoticeKind.ACCOUNT_UP, "mk/up/1"),
        (NoticeKind.BLIND, "mk/blind/2"),
        (NoticeKind.ACCOUNT_UP, "mk/up/2"),
    ):
        await raised(kind, key)

    await once(chat)

    assert chat.keys == ["mk/blind/1", "mk/up/2"]


@TROUBLES
async def test_nobody_is_told_of_a_trouble_of_a_retired_account(db, once, raised, kind, end):
    chat = Remembering("chat")
    await raised(kind, "mk/blind/1")
    await raised(NoticeKind.ACCOUNT_RETIRED, "mk/retired/1")

    await once(chat)

    assert chat.keys == ["mk/retired/1"]


async def test_a_warning_is_not_told_after_the_breach_of_its_clock(
    db, round_, once, raised, metrics
):
    chat = Remembering("chat", FAILS)
    await raised(NoticeKind.WARNING, "7/0/1", clock=7)
    await round_(chat)
    await raised(NoticeKind.BREACH, "7/0/2", clock=7)
    await once(chat)
    await round_(chat)

    assert chat.keys == ["7/0/2"]
    assert await became(db) == {"7/0/1": "overtaken", "7/0/2": "sent"}
    suppressed = counted(metrics, "replyby_notifications_suppressed_total")
    assert suppressed == {("chat", "overtaken"): 1}


async def test_of_several_warnings_only_the_newest_is_told(db, round_, raised):
    chat = Remembering("chat", FAILS, FAILS)
    await raised(NoticeKind.WARNING, "7/0/1", clock=7)
    await round_(chat)
    await raised(NoticeKind.WARNING, "7/0/2", clock=7)
    await raised(NoticeKind.WARNING, "8/0/1", clock=8)
    await round_(chat)
    await round_(chat)

    assert sorted(chat.keys) == ["7/0/2", "8/0/1"]


async def test_in_a_digest_too_only_the_newest_step_is_told(db, once, raised):
    chat = Remembering("chat")
    for key, clock in (("7/0/1", 7), ("7/0/2", 7), ("8/0/1", 8)):
        await raised(NoticeKind.WARNING, key, clock=clock, digests={key: "mk/digest/x"})
    await db.execute("update dispatch set next_try_at = now()")

    await once(chat)

    assert [dict(notice.facts)["notices"] for notice, _ in chat.got] == [2]
    assert (await became(db))["7/0/1"] == "overtaken"


async def test_a_reader_of_warnings_alone_is_told_them_though_another_heard_the_breach(
    pool, db, raised, metrics, now
):
    rules = seeds.rules(
        Route("chat", ("chat",), frozenset({NoticeKind.WARNING})), OPS, of={"mk": ("chat",)}
    )
    chat = Remembering("chat")
    for kind, key in ((NoticeKind.WARNING, "7/0/1"), (NoticeKind.BREACH, "7/0/2")):
        told = Notice(key, kind, "mk", now, thread="T1", clock=7, due_at=now - MINUTE)
        async with transaction(pool) as transacting:
            await notices.raise_(transacting, rules, [told])

    await deliver.once(pool, {"chat": chat}, rules, {}, metrics, now)

    assert chat.keys == ["7/0/1"]


class Meanwhile(Remembering):
    """Holds what leaves first until it is told to go on."""

    def __init__(self, name):
        super().__init__(name)
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def send(self, notice, words):
        self.begun.set()
        await self.go_on.wait()
        await super().send(notice, words)


async def test_two_daemons_tell_no_older_word_after_a_newer_one(db, once, round_, raised):
    """One has the newer just leaving, and another then claims the older, whose wait is over."""
    one, other = Meanwhile("chat"), Remembering("chat", FAILS)
    await raised(NoticeKind.WARNING, "7/0/1", clock=7)
    await once(other)
    await raised(NoticeKind.BREACH, "7/0/2", clock=7)
    leaving = asyncio.create_task(once(one))
    await one.begun.wait()
    await db.execute("update dispatch set next_try_at = now() where error is not null")

    await once(other)
    one.go_on.set()
    await leaving

    assert (one.keys, other.keys) == (["7/0/2"], [])


async def test_what_was_dropped_is_not_tried_again_when_its_wait_is_over(db, once, round_, raised):
    chat = Remembering("chat", FAILS)
    await raised(NoticeKind.BLIND, "mk/blind/1")
    await once(chat)
    await raised(NoticeKind.ACCOUNT_UP, "mk/up/1")
    await round_(chat)

    assert await round_(chat) is None
