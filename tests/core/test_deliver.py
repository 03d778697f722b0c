from __future__ import annotations

import asyncio
from datetime import timedelta
from types import MappingProxyType

import pytest
from structlog.testing import capture_logs

from core import deliver, ingest, keys, parking, words
from core.errors import NotifierError, RateLimited, StoreUnavailable, Unreachable
from core.metrics import Metrics
from core.model import Message, Notice, NoticeKind, Page, Stream, Thread
from core.outbox import batch, leaving, looking
from core.reading.walk import Reader
from core.routing import Route
from core.store import accounts, budget, dispatches, notices, transaction
from sla.clock import Kind
from sla.policy import Party
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE

OPS = Route("ops", ("log",), fallback=True)
DESK = Route(
    "desk", ("chat",), frozenset({NoticeKind.WARNING, NoticeKind.BREACH, NoticeKind.BLIND})
)


class Remembering:
    """A notifier that keeps what it was given; *faults* are raised first, one a call."""

    zone, digest_after = "UTC", 0

    def __init__(self, name, *faults):
        self.name, self.faults, self.got = name, list(faults), []

    async def send(self, notice, words):
        if self.faults:
            raise self.faults.pop(0)
        self.got.append((notice, words))

    @property
    def keys(self):
        return [notice.key for notice, _ in self.got]


class Silent:
    """A connector that reads nothing and cannot look."""

    async def check(self): ...

    async def fetch(self, stream, cursor, position, now):
        return Page()


class Looking(Silent):
    """A connector whose look shows *page*, or raises it."""

    def __init__(self, page):
        self.page, self.asked = page, []

    async def look(self, threads, now):
        self.asked.extend(threads)
        if isinstance(self.page, Exception):
            raise self.page
        if self.page == "hangs":
            await asyncio.Event().wait()
        return self.page


def readers(connector):
    stream = Stream("threads", MINUTE)
    return {"mk": Reader(seeds.account(), connector, {"threads": stream}, "mk")}


@pytest.fixture
def rules():
    return seeds.rules(DESK, OPS, of={"mk": ("desk",)})


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        await seeds.put_thread(db, now)
        yield db


@pytest.fixture
def once(pool, rules, metrics, now):
    """One round, as it comes."""

    async def go(*notifiers, connector=None, at=None):
        named = {each.name: each for each in notifiers}
        given = readers(connector) if connector else {}
        return await deliver.once(pool, named, rules, given, metrics, at or now)

    return go


@pytest.fixture
def round_(pool, once):
    """One round; each call, the retries that wait have become due, and what another claimed."""

    async def go(*notifiers, connector=None, at=None):
        async with pool.acquire() as db:
            await db.execute("update dispatch set next_try_at = now() where attempts > 0")
        return await once(*notifiers, connector=connector, at=at)

    return go


def notice(now, key="7/0/2", kind=NoticeKind.BREACH, **changes):
    given = {"account": "mk", "raised_at": now, "thread": "T1", "clock": 7, "due_at": now - MINUTE}
    return Notice(key=key, kind=kind, **(given | changes))


@pytest.fixture
def raised(pool, rules):
    async def put(*several, digests=MappingProxyType({})):
        async with transaction(pool) as db:
            await notices.raise_(db, rules, several, digests)

    return put


def counted(metrics, name):
    return {
        tuple(sample.labels.values()): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == name and sample.value
    }


async def test_what_is_due_is_sent_once(db, round_, raised, now):
    chat = Remembering("chat")
    await raised(notice(now))

    await round_(chat)
    await round_(chat)

    ((sent, said),) = chat.got
    assert sent.key == "7/0/2"
    assert said.subject == "Reply overdue: Empik PL"
    assert said.url == "https://shop.example/threads/T1"
    assert await seeds.dispatches(db) == [("7/0/2", "chat", "sent")]


async def test_it_wants_to_run_again_when_the_next_try_is_due(db, round_, raised, now, metrics):
    chat = Remembering("chat", NotifierError("away"))
    assert await round_(chat) is None
    await raised(notice(now))

    again = await round_(chat)

    assert timedelta(seconds=3) < again - now < timedelta(seconds=10)


async def test_a_full_batch_is_followed_at_once(db, round_, raised, now):
    chat = Remembering("chat")
    await raised(*(notice(now, f"{n}/0/1", clock=n) for n in range(deliver.AT_ONCE + 1)))

    assert await round_(chat) == now
    await round_(chat)

    assert len(set(chat.keys)) == deliver.AT_ONCE + 1


async def test_two_deliverers_send_everything_once(once, raised, now):
    chat = Remembering("chat")
    await raised(*(notice(now, f"{n}/0/1", clock=n) for n in range(30)))

    for _ in range(3):
        await asyncio.gather(once(chat), once(chat))

    assert len(chat.got) == 30


async def test_one_notifier_that_fails_holds_up_no_other(db, raised, round_, now):
    log, chat = Remembering("log"), Remembering("chat", *[NotifierError("away")] * 2)
    await raised(notice(now), notice(now, "mk/account_down/x", NoticeKind.ACCOUNT_DOWN))

    await round_(chat, log)

    assert (chat.keys, log.keys) == ([], ["mk/account_down/x"])
    await round_(chat, log)
    await round_(chat, log)
    assert chat.keys == ["7/0/2"]


async def test_a_failed_attempt_is_repeated_under_the_same_key(db, raised, round_, now, metrics):
    chat = Remembering("chat", NotifierError("away"), NotifierError("away"))
    await raised(notice(now))

    for _ in range(3):
        await round_(chat)

    assert chat.keys == ["7/0/2"]
    assert counted(metrics, "replyby_notifications_total") == {
        ("chat", "critical", "retried"): 2,
        ("chat", "critical", "delivered"): 1,
    }


async def test_a_receiver_that_asks_to_wait_is_obeyed(db, raised, round_, now):
    await raised(notice(now))

    await round_(Remembering("chat", NotifierError("busy", retry_after=300)))

    wait = await db.fetchval("select extract(epoch from next_try_at - now())::float8 from dispatch")
    assert 290 < wait <= 300


@pytest.mark.parametrize(
    ("attempts", "asked", "chance", "seconds"),
    [
        (1, None, 0.5, 5),
        (2, None, 0.5, 10),
        (3, None, 0, 15),
        (3, None, 1, 25),
        (15, None, 0.5, 1800),
        (60, None, 0.5, 1800),
        (1, 2, 0.5, 5),
        (1, 60, 0.5, 60),
        (1, 10**9, 0.5, 86_400),
    ],
)
def test_waits_double_are_spread_and_obey_the_receiver(attempts, asked, chance, seconds):
    assert leaving.delay(attempts, asked, chance) == timedelta(seconds=seconds)


async def test_what_can_never_be_sent_is_parked_and_the_fallback_told(
    db, raised, round_, now, metrics
):
    chat, log = Remembering("chat", NotifierError("410", permanent=True)), Remembering("log")
    await raised(notice(now))

    await round_(chat)
    await round_(log)

    assert [state for _, _, state in await seeds.dispatches(db)] == ["refused", "sent"]
    ((told, said),) = log.got
    assert told.key == keys.parked(1, "chat")
    assert said.subject == "Not delivered: breach: Empik PL"
    assert "The deadline was" in said.text
    assert said.url == "https://shop.example/threads/T1"
    assert counted(metrics, "replyby_notifications_total")[("chat", "critical", "dead")] == 1


async def test_after_the_last_attempt_it_is_parked(db, raised, round_, now):
    chat = Remembering("chat", *[NotifierError("away")] * leaving.ATTEMPTS)
    await raised(notice(now))

    for _ in range(leaving.ATTEMPTS):
        assert ("7/0/2", "chat", "waits") in await seeds.dispatches(db)
        await round_(chat)

    assert ("7/0/2", "chat", "given_up") in await seeds.dispatches(db)
    assert await dispatches.retry_parked(db, notifier="chat") == 1
    await round_(chat)
    assert chat.keys == ["7/0/2"]


async def test_nothing_is_told_of_a_parked_notice_that_is_parked_itself(db, raised, round_, now):
    log = Remembering("log", *[NotifierError("gone", permanent=True)] * 9)
    await raised(notice(now, "mk/account_down/x", NoticeKind.ACCOUNT_DOWN))

    for _ in range(4):
        await round_(log)

    assert await seeds.dispatches(db) == [
        ("mk/account_down/x", "log", "refused"),
        ("1/parked/log", "log", "refused"),
    ]


async def test_the_fallback_hears_of_a_parked_notice_by_another_way_if_it_has_one(
    pool, db, now, metrics
):
    rules = seeds.rules(Route("ops", ("log", "mail"), fallback=True))
    log, mail = Remembering("log", NotifierError("no", permanent=True)), Remembering("mail")
    async with transaction(pool) as other:
        await notices.raise_(other, rules, [notice(now)])
    for _ in range(2):
        await deliver.once(pool, {"log": log, "mail": mail}, rules, {}, metrics, now)

    assert (log.keys, mail.keys) == ([], ["7/0/2", "1/parked/log"])


async def test_what_was_meant_for_a_notifier_that_is_gone_is_parked(pool, db, raised, rules, now):
    await raised(notice(now))

    assert await parking.abandon(pool, {"log", "chat"}, rules, now) == 0
    assert await parking.abandon(pool, {"log"}, rules, now) == 1

    assert await seeds.dispatches(db) == [
        ("7/0/2", "chat", "notifier_gone"),
        ("1/parked/chat", "log", "waits"),
    ]


async def test_a_notifiers_bug_parks_its_notice_and_nothing_else(db, raised, round_, now):
    chat = Remembering("chat", ZeroDivisionError("with a buyer's name"))
    await raised(notice(now))
    await db.execute("update dispatch set attempts = $1", leaving.ATTEMPTS - 1)

    with capture_logs() as logs:
        await round_(chat)

    [said] = [line for line in logs if line["log_level"] == "error"]
    assert said["trace"][-1].endswith(" send")
    assert "buyer" not in str(logs)
    assert "exc_info" not in said, "its text may hold anything"
    row = await db.fetchrow("select parked_reason, error from dispatch where notifier = 'chat'")
    assert tuple(row) == ("given_up", "ZeroDivisionError")


async def test_a_notifier_that_hangs_is_given_up_on_for_now(db, raised, round_, now, monkeypatch):
    class Hanging(Remembering):
        async def send(self, notice, words):
            await asyncio.Event().wait()

    monkeypatch.setattr(batch, "SECONDS", 0.05)
    await raised(notice(now))

    await asyncio.wait_for(round_(Hanging("chat")), 5)

    assert await db.fetchval("select error from dispatch") == "no answer in time"


async def test_no_connection_to_the_database_is_held_while_something_is_sent(
    pool, db, raised, round_, now
):
    free = []

    class Asking(Remembering):
        async def send(self, notice, words):
            free.append(pool.get_size() - pool.get_idle_size())

    await raised(notice(now))
    await round_(Asking("chat"))

    assert free == [1], "the test's own"


async def test_each_is_written_down_before_the_next_leaves(pool, db, raised, round_, now):
    """Whoever dies in between has one in doubt, not a batch."""
    unwritten = []

    class Asking(Remembering):
        async def send(self, notice, words):
            await super().send(notice, words)
            async with transaction(pool) as other:
                sent = await other.fetchval(
                    "select count(*) from dispatch where sent_at is not null"
                )
            unwritten.append(len(self.got) - sent)

    await raised(*(notice(now, f"{n}/0/1", clock=n) for n in range(8)))
    await round_(Asking("chat"))

    assert unwritten == [1] * 8


async def test_a_slow_receiver_is_sent_several_at_once(db, raised, round_, now):
    together = asyncio.Barrier(4)

    class Slow(Remembering):
        async def send(self, notice, words):
            async with together:
                await super().send(notice, words)

    chat = Slow("chat")
    await raised(*(notice(now, f"{n}/0/1", clock=n) for n in range(4)))

    await asyncio.wait_for(round_(chat), 10)

    assert len(chat.got) == 4


async def test_what_was_claimed_too_long_ago_is_left_to_its_next_claim(
    db, raised, round_, now, monkeypatch
):
    """As after SIGSTOP: another may have it by now, and would send it too."""
    chat = Remembering("chat")
    await raised(notice(now))
    with monkeypatch.context() as shorter:
        shorter.setattr(dispatches, "LEASE", timedelta(seconds=batch.SECONDS))
        await round_(chat)
    assert chat.keys == []

    await round_(chat)

    assert chat.keys == ["7/0/2"]


async def test_what_left_and_was_not_written_down_leaves_again(db, raised, round_, now):
    """As after kill -9 between sending and the row: at least once, never at most once."""
    chat = Remembering("chat")
    await raised(notice(now))
    await round_(chat)
    await db.execute("update dispatch set sent_at = null")

    await round_(chat)

    assert chat.keys == ["7/0/2", "7/0/2"]


# The last look


def answer(now, at=None):
    """A page that shows the thread with the buyer's question, and a seller's answer *at*."""
    thread = Thread(id="T1", url="https://shop.example/threads/T1", as_of=now)
    asked = Message(id="M1", thread="T1", party=Party.BUYER, sent_at=now - 25 * HOUR, body="?",
                    to=frozenset({Party.SELLER}))  # fmt: skip
    said = Message(id="M2", thread="T1", party=Party.SELLER, sent_at=at, body="!",
                   to=frozenset({Party.BUYER}))  # fmt: skip
    return Page(messages=(asked, said) if at else (asked,), threads=(thread,))


@pytest.fixture
async def breached(pool, db, rules, raised, now):
    """A thread whose first answer was due an hour ago; its breach is raised and not yet sent."""
    async with transaction(pool) as other:
        await ingest.page(other, rules, "mk", answer(now), now - 24 * HOUR, None)
    row = await db.fetchrow("select id, due_at from clock")
    await db.execute("update clock set step = cardinality(steps)")
    await seeds.put_alarms(db)
    breach = notice(now, keys.step(row["id"], 0, 4), clock=row["id"], due_at=row["due_at"])
    await raised(breach)
    return breach


async def test_what_was_answered_in_time_is_not_told(db, round_, breached, now, metrics):
    chat, connector = Remembering("chat"), Looking(answer(now, now - 2 * HOUR))

    await round_(chat, connector=connector)

    assert connector.asked == ["T1"]
    assert chat.got == []
    assert await seeds.dispatches(db) == [(breached.key, "chat", "answered")]
    assert counted(metrics, "replyby_notifications_suppressed_total") == {("chat", "answered"): 1}


async def test_what_was_not_answered_is_told(db, round_, breached, now):
    chat = Remembering("chat")

    await round_(chat, connector=Looking(answer(now)))

    assert chat.keys == [breached.key]


@pytest.mark.parametrize("fault", [Unreachable("no"), RateLimited("wait", retry_after=9), "hangs"])
async def test_a_look_that_fails_holds_nothing_up(db, round_, breached, now, monkeypatch, fault):
    chat = Remembering("chat")
    monkeypatch.setattr(looking, "LOOK", 0.1)

    await asyncio.wait_for(round_(chat, connector=Looking(fault)), 5)

    assert chat.keys == [breached.key]


async def test_in_a_storm_is_looked_at_what_the_time_allows(
    db, round_, raised, breached, now, monkeypatch
):
    """More is due than leaves at once: true alarms must not queue behind doubts."""

    class Slow(Looking):
        async def look(self, threads, now):
            page = await super().look(threads, now)
            if len(self.asked) > 1:
                await asyncio.Event().wait()
            return page

    monkeypatch.setattr(looking, "LOOK", 0.5)
    chat, connector = Remembering("chat"), Slow(answer(now, now - 2 * HOUR))
    others = range(2, deliver.AT_ONCE + 1)
    later = {"raised_at": now + MINUTE}
    await raised(*(notice(now, f"{n}/9/1", clock=n, thread=f"T{n}", **later) for n in others))

    await asyncio.wait_for(round_(chat, connector=connector), 5)

    assert (connector.asked[0], len(connector.asked)) == ("T1", 2)
    assert len(chat.keys) == deliver.AT_ONCE - 1, "what was answered is not told; the rest is"


async def test_what_leaves_in_a_digest_is_looked_at_too(db, round_, breached, now):
    await db.execute("update dispatch set digest = 'mk/digest/x', next_try_at = now()")
    chat, connector = Remembering("chat"), Looking(answer(now, now - 2 * HOUR))

    await round_(chat, connector=connector)

    assert (connector.asked, chat.got) == (["T1"], [])


async def test_the_source_is_asked_once_for_all_who_are_told_of_a_thread(db, round_, breached, now):
    """And for an attempt that failed, which is repeated a moment later."""
    chat = Remembering("chat", NotifierError("away"))
    connector = Looking(answer(now))

    await round_(chat, connector=connector)
    await db.execute("insert into dispatch (notice, notifier) select id, 'log' from notice")
    await round_(chat, Remembering("log"), connector=connector)

    assert connector.asked == ["T1"]
    assert chat.keys == [breached.key]
    await db.execute("update dispatch set sent_at = null")
    await round_(chat, connector=connector, at=now + MINUTE)
    assert connector.asked == ["T1", "T1"], "a minute later it may have been answered"


async def test_those_who_are_told_at_the_same_time_wait_for_one_look(
    pool, rules, db, breached, now, metrics
):
    class Slow(Looking):
        async def look(self, threads, now):
            page = await super().look(threads, now)
            await asyncio.sleep(0.05)
            return page

    chats = [Remembering(f"chat{n}") for n in range(5)]
    named = [chat.name for chat in chats]
    await db.execute("insert into dispatch (notice, notifier) select id, unnest($1::text[])"
                     " from notice", named)  # fmt: skip
    connector = Slow(answer(now, now - 2 * HOUR))
    given = readers(connector)

    await asyncio.gather(
        *(deliver.once(pool, {c.name: c}, rules, given, metrics, now) for c in chats)
    )

    assert connector.asked == ["T1"]
    assert [chat.got for chat in chats] == [[]] * 5, "answered: nobody is told"


async def test_of_a_digest_of_very_many_no_thread_is_looked_at(db, round_, raised, now):
    connector, many = Looking(answer(now)), looking.MOST_TOGETHER + 1
    await raised(*(notice(now, f"{n}/0/1", clock=n, thread=f"T{n}") for n in range(many)))
    await db.execute("update dispatch set digest = 'chat/flood/1', attempts = 1")

    chat = Remembering("chat")
    await round_(chat, connector=connector)

    assert connector.asked == []
    assert [n.kind for n, _ in chat.got] == [NoticeKind.DIGEST]


async def test_a_connector_that_cannot_look_is_not_asked(db, round_, breached, now):
    chat = Remembering("chat")

    await round_(chat, connector=Silent())

    assert chat.keys == [breached.key]


async def test_no_look_is_taken_while_the_marketplace_asks_us_to_wait(
    pool, db, round_, breached, now
):
    connector = Looking(answer(now, now - 2 * HOUR))
    async with transaction(pool) as other:
        await budget.defer(other, "mk", MINUTE)

    await round_(Remembering("chat"), connector=connector)

    assert connector.asked == []


async def test_only_what_is_told_of_a_deadline_is_looked_at(db, round_, raised, now):
    connector = Looking(answer(now))
    await raised(notice(now, "mk/blind/x", NoticeKind.BLIND))

    await round_(Remembering("chat"), connector=connector)

    assert connector.asked == []


async def test_a_breach_answered_in_time_and_sent_already_is_taken_back(
    pool, db, round_, rules, breached, now
):
    chat, log = Remembering("chat"), Remembering("log")
    await round_(chat)
    async with transaction(pool) as other:
        await ingest.page(other, rules, "mk", answer(now, now - 2 * HOUR), now, None)

    await round_(chat, log)
    await round_(chat, log)

    assert chat.keys == [breached.key, keys.corrected(breached.clock, 0)]
    assert log.got == [], "who did not hear of the breach needs no correction"


async def test_a_breach_taken_back_while_it_was_leaving_is_corrected(
    pool, db, round_, rules, breached, now
):
    class Slow(Remembering):
        async def send(self, notice, words):
            if notice.kind is NoticeKind.BREACH:
                async with transaction(pool) as other:
                    page = answer(now, now - 2 * HOUR)
                    await ingest.page(other, rules, "mk", page, now, None)
            await super().send(notice, words)

    chat = Slow("chat")
    await round_(chat)
    await round_(chat)

    assert chat.keys == [breached.key, keys.corrected(breached.clock, 0)]
    assert {state for _, _, state in await seeds.dispatches(db)} == {"sent"}


async def test_a_late_answer_while_a_breach_was_leaving_takes_nothing_back(
    pool, db, round_, rules, breached, now
):
    class Slow(Remembering):
        async def send(self, notice, words):
            async with transaction(pool) as other:
                page = answer(now, now - MINUTE)
                await ingest.page(other, rules, "mk", page, now, None)
            await super().send(notice, words)

    chat = Slow("chat")
    await round_(chat)
    await round_(chat)

    assert chat.keys == [breached.key]


async def test_an_account_that_is_retired_while_its_breach_was_leaving_takes_nothing_back(
    pool, db, round_, breached, now
):
    class Slow(Remembering):
        async def send(self, notice, words):
            async with transaction(pool) as other:
                await accounts.sync(other, [], now)
            await super().send(notice, words)

    chat = Slow("chat")
    await round_(chat)
    await round_(chat)

    assert chat.keys == [breached.key]


async def test_a_buyer_who_is_erased_while_a_breach_was_leaving_takes_nothing_back(
    pool, db, round_, rules, breached, now
):
    class Slow(Remembering):
        async def send(self, notice, words):
            gone = Message(
                id="E", thread="T1", party=Party.MARKETPLACE, kind=Kind.ERASED, sent_at=now
            )
            async with transaction(pool) as other:
                await ingest.page(other, rules, "mk", Page(messages=(gone,)), now, None)
            await super().send(notice, words)

    chat = Slow("chat")
    await round_(chat)
    await round_(chat)

    assert chat.keys == [breached.key]
    assert await db.fetchval("select reason from clock") == "erased"


# The digest of a first walk


@pytest.fixture
async def first_walk(db, raised, now):
    """Ten warnings and two breaches found while the account is read for the first time."""
    await db.execute("update account set first_walk_at = null")
    found = [
        notice(now, f"{n}/0/1", NoticeKind.BREACH if n < 2 else NoticeKind.WARNING, clock=n,
               due_at=now + (n - 1.5) * HOUR)
        for n in range(12)
    ]  # fmt: skip
    await raised(*found, digests={each.key: "mk/digest/first" for each in found})
    return found


async def test_a_digest_waits_for_the_end_of_the_first_walk(db, round_, first_walk, now):
    chat = Remembering("chat")

    await round_(chat)
    assert chat.got == []

    await db.execute("update account set first_walk_at = now()")
    await round_(chat)
    await round_(chat)

    ((sent, said),) = chat.got
    assert (sent.key, sent.kind) == ("mk/digest/first", NoticeKind.DIGEST)
    assert said.subject == "2 late, 10 due soon after the first reading: Empik PL"
    assert len(await seeds.dispatches(db)) == 12
    assert {state for _, _, state in await seeds.dispatches(db)} == {"sent"}


async def test_a_digest_waits_until_all_that_belongs_to_it_is_told(db, round_, first_walk, now):
    chat = Remembering("chat")
    await db.execute("update account set first_walk_at = $1", now)
    await seeds.put_clock(db, now + HOUR, steps=[now - HOUR, now + HOUR])

    await round_(chat)
    assert chat.got == []

    await db.execute("update clock set step = 1")
    await seeds.put_alarms(db)
    await round_(chat)
    assert len(chat.got) == 1


async def test_a_first_walk_that_does_not_end_holds_its_digest_back_for_a_while_only(
    db, round_, first_walk
):
    chat = Remembering("chat")
    held = await db.fetchval("select min(next_try_at) - now() from dispatch")
    await db.execute("update dispatch set next_try_at = now()")

    await round_(chat)

    assert held > timedelta(minutes=14)
    assert len(chat.got) == 1


async def test_a_digest_leaves_out_what_was_answered_meanwhile(db, round_, first_walk):
    chat = Remembering("chat")
    await notices.drop(db, [0, 1, 2], "answered")
    await db.execute("update account set first_walk_at = now()")

    await round_(chat)

    assert chat.got[0][1].subject == "0 late, 9 due soon after the first reading: Empik PL"


async def test_a_digest_is_tried_again_and_parked_as_one(db, round_, first_walk):
    chat, log = Remembering("chat", NotifierError("away")), Remembering("log")
    await db.execute("update account set first_walk_at = now()")

    await round_(chat)
    assert {state for _, _, state in await seeds.dispatches(db)} == {"waits"}
    chat.faults = [NotifierError("gone", permanent=True)]
    await round_(chat)
    await round_(log)

    assert chat.got == []
    assert [said.subject for _, said in log.got] == ["Not delivered: digest: Empik PL"]


# Nothing of a buyer


CANARIES = ("Zenobia", "Quill", "Quillon", "parcel")


async def test_nothing_of_a_buyer_is_ever_told(pool, db, round_, rules, raised, now):
    """Names and words of a buyer stand in the rows of the thread; no notice holds any of them."""
    chat, log = Remembering("chat"), Remembering("log", *[NotifierError("x", permanent=True)])
    await seeds.put_message(db, now)
    # What they end is told before.
    last = {NoticeKind.ACCOUNT_UP, NoticeKind.ACCOUNT_RETIRED, NoticeKind.DISK_FREED}
    for kinds in (set(NoticeKind) - last, last):
        each = sorted(kinds)
        await raised(*(notice(now, f"7/0/{k}", k, clock=n) for n, k in enumerate(each)))
        for _ in range(3):
            await round_(chat, log)

    told = [(each, said) for to in (chat, log) for each, said in to.got]
    assert len(told) >= len(NoticeKind) - 1
    for each, said in told:
        text = f"{each!r} {said!r}"
        assert not [word for word in CANARIES if word in text]
    stored = [str(tuple(row)) for row in await db.fetch("select * from notice")]
    assert not [word for word in CANARIES for text in stored if word in text]


def test_no_words_are_made_from_a_thread():
    """What a notice says is made from the notice, the rules and the page's address alone."""
    names = words.render.__annotations__
    assert set(names) == {"notice", "rules", "url", "zone", "now", "return"}


DIES = """
    create function dies() returns trigger language plpgsql as $$
        begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
    create trigger dies before update on dispatch for each row
    when (new.sent_at is not null) execute function dies()
"""


async def test_what_left_when_its_session_ended_is_written_down_and_not_sent_again(
    pool, db, rules, metrics, raised, now
):
    log, kept = Remembering("log"), {"log": batch.Unsettled()}
    await raised(notice(now, account="other"), notice(now, key="8/0/2", account="other"))
    await pool.execute(DIES)

    async def once():
        return await deliver.once(pool, {"log": log}, rules, {}, metrics, now, unsettled=kept)

    with pytest.raises(StoreUnavailable):
        await once()
    assert log.keys == ["7/0/2"]
    await pool.execute("drop trigger dies on dispatch")
    await once()

    assert log.keys == ["7/0/2", "8/0/2"]
    assert await pool.fetchval("select count(*) from dispatch where sent_at is not null") == 2
    assert counted(metrics, "replyby_notifications_total") == {("log", "critical", "delivered"): 2}
    assert kept["log"] == batch.Unsettled()


async def test_what_another_has_claimed_or_sent_since_is_not_put_back(pool, db, raised, now):
    await raised(notice(now, account="other"), notice(now, key="8/0/2", account="other"))
    async with transaction(pool) as ours:
        claimed = await dispatches.claim(ours, "log", 10)
    assert len(claimed) == 2
    await pool.execute(
        "update dispatch set sent_at = now() where notice = $1", claimed[0].notice.id
    )
    await pool.execute("update dispatch set next_try_at = next_try_at + interval '1 ms'")

    async with transaction(pool) as ours:
        assert await dispatches.put_back(ours, "log", claimed) == 0
