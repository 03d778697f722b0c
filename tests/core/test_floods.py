"""What comes faster than a person can take it leaves as a digest; nothing of it is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from core import deliver, keys
from core.errors import NotifierError
from core.metrics import Metrics
from core.model import Notice, NoticeKind
from core.routing import Route
from core.store import digests, dispatches, notices, transaction
from core.store.digests import Outflow, Ripening
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE, SECOND


class Chat:
    """A notifier of two a minute, that keeps what it is given; *faults* are raised first."""

    name, zone, digest_after = "log", "UTC", 2

    def __init__(self, *faults):
        self.faults, self.got = list(faults), []

    async def send(self, notice, words):
        if self.faults:
            raise self.faults.pop(0)
        self.got.append((notice, words))

    @property
    def kinds(self):
        return [notice.kind.value for notice, _ in self.got]

    @property
    def counts(self):
        """How many notices each message told."""
        return [sum(self._told(notice)) for notice, _ in self.got]

    @staticmethod
    def _told(notice):
        return [dict(notice.facts)["notices"] if notice.kind is NoticeKind.DIGEST else 1]


def notice(now, n, kind=NoticeKind.BREACH, **changes):
    given = {"account": "mk", "raised_at": now, "thread": "T1", "clock": n, "due_at": now - MINUTE}
    return Notice(key=f"{n}/0/1", kind=kind, **(given | changes))


class Time:
    """The time that passes: the rows grow older, *now* moves on."""

    def __init__(self, pool, now):
        self.pool, self.now, self.passed = pool, now, timedelta()

    async def passes(self, seconds):
        self.now += seconds * SECOND
        async with transaction(self.pool) as db:
            await db.execute("update dispatch set next_try_at = next_try_at - $1::interval",
                             seconds * SECOND)  # fmt: skip


@pytest.fixture
async def time(pool, now):
    async with transaction(pool) as db:
        await seeds.put_account(db, now)
        await seeds.put_thread(db, now)
    return Time(pool, now)


@pytest.fixture
def rules():
    return seeds.rules()


@pytest.fixture
def raised(pool, rules, time):
    async def put(numbers, kind=NoticeKind.BREACH, **changes):
        each = [notice(time.now, n, kind, **changes) for n in numbers]
        async with transaction(pool) as db:
            await notices.raise_(db, rules, each)

    return put


@pytest.fixture
def round_(pool, rules, time):
    """Rounds until nothing more is due at once; when the next one is wanted."""

    async def go(chat):
        while True:
            again = await deliver.once(pool, {chat.name: chat}, rules, {}, Metrics(), time.now)
            if again is None or again > time.now:
                return again

    return go


async def states(pool):
    async with pool.acquire() as db:
        return Counter(state for _, _, state in await seeds.dispatches(db))


@pytest.mark.parametrize(
    ("due", "alone", "flooded", "first"),
    [
        (1, 0, False, 1),
        (2, 0, False, 2),
        (3, 0, False, 2),
        (3, 1, False, 1),
        (3, 2, False, 0),
        (3, 9, False, 0),
        (1, 0, True, 0),
    ],
)
def test_the_first_two_of_a_minute_leave_by_themselves(due, alone, flooded, first):
    numbers = list(range(due))

    assert Outflow(numbers, alone, flooded).first(2) == numbers[:first]


def ripe(digest, *, fresh, dispatches=2, begun=False):
    return Ripening(digest, fresh, dispatches, 7, begun, 0.0)


@pytest.mark.parametrize(
    ("ripening", "key"),
    [
        (ripe("log/flood/7", fresh=True), "log/flood/7"),
        (ripe("log/flood/7", fresh=True, dispatches=1), "log/flood/7/only"),
        (ripe("log/flood/7", fresh=False, dispatches=1, begun=True), "log/flood/7"),
        (ripe("mk/digest/x", fresh=True, dispatches=1), "mk/digest/x"),
        (ripe("mk/digest/x", fresh=True, begun=True), "mk/digest/x/7"),
        (ripe("mk/digest/x/7", fresh=False, begun=True), "mk/digest/x/7"),
    ],
)
def test_no_two_digests_leave_under_one_key(ripening, key):
    assert ripening.leaves_as == key


async def test_a_few_are_told_one_by_one_at_once(pool, time, round_, raised):
    chat = Chat()
    await raised([1])
    await raised([2], NoticeKind.WARNING)

    assert await round_(chat) is None

    assert sorted(chat.kinds) == ["breach", "warning"]


async def test_more_leave_as_one_digest_within_seconds(pool, time, round_, raised):
    chat = Chat()
    await raised(range(20))
    await raised(range(20, 500), NoticeKind.WARNING, due_at=time.now + HOUR)

    again = await round_(chat)

    assert chat.kinds == ["breach", "breach"]
    assert 4 * SECOND < again - time.now < 6 * SECOND
    await time.passes(5)
    assert await round_(chat) is None
    assert chat.kinds[2:] == ["digest"]
    assert dict(chat.got[2][0].facts).items() >= {"breaches": 18, "warnings": 480}.items()
    assert await states(pool) == {"sent": 500}


async def test_500_at_risk_within_a_minute_are_five_messages_at_most(pool, time, round_, raised):
    chat = Chat()
    for begin in range(0, 500, 25):
        await raised(range(begin, begin + 25), NoticeKind.WARNING)
        await round_(chat)
        await time.passes(3)
        await round_(chat)
    for _ in range(12):
        await time.passes(5)
        await round_(chat)

    assert sum(chat.counts) == 500
    assert len(chat.got) <= 5
    assert await states(pool) == {"sent": 500}
    waited = [(words.at - notice.raised_at).total_seconds() for notice, words in chat.got]
    assert max(waited) <= digests.LONGEST.total_seconds() + 5


async def test_bursts_with_pauses_are_no_more_messages_than_one_long_flood(
    pool, time, round_, raised
):
    chat = Chat()
    for begin in range(0, 80, 10):
        await raised(range(begin, begin + 10))
        for _ in range(8):
            await round_(chat)
            await time.passes(1)
    for _ in range(12):
        await time.passes(5)
        await round_(chat)

    assert sum(chat.counts) == 80
    at = [words.at for _, words in chat.got]
    assert max(sum(one <= other < one + MINUTE for other in at) for one in at) <= 5


async def test_a_digest_that_stays_alone_is_told_as_the_notice_it_is(pool, time, round_, raised):
    chat = Chat()
    await raised(range(3))
    await round_(chat)
    await time.passes(5)

    await round_(chat)

    assert chat.kinds == ["breach"] * 3
    assert {notice.key for notice, _ in chat.got} == {"0/0/1", "1/0/1", "2/0/1"}


async def test_after_a_flood_and_a_quiet_minute_each_is_told_by_itself_again(
    pool, time, round_, raised
):
    chat = Chat()
    await raised(range(10))
    await round_(chat)
    await time.passes(5)
    await round_(chat)
    await time.passes(20)
    await raised([20])
    await round_(chat)
    await time.passes(9)
    await round_(chat)
    assert chat.counts == [1, 1, 8], "half a minute lies between two digests"

    await time.passes(2)
    await round_(chat)
    await time.passes(61)
    await raised([30])
    await round_(chat)

    assert chat.counts == [1, 1, 8, 1, 1]
    assert chat.got[-1][0].key == "30/0/1"


async def test_other_kinds_do_not_wait_in_a_flood(pool, time, round_, raised):
    chat = Chat()
    await raised(range(10))
    await raised([90], NoticeKind.REPLY_REFUSED)
    await raised([91], NoticeKind.ACCOUNT_DOWN)

    await round_(chat)

    assert Counter(chat.kinds) == {"breach": 2, "reply_refused": 1, "account_down": 1}


class Refusing(Chat):
    """A webhook that answers 400, whatever it is sent."""

    name = "chat"

    async def send(self, notice, words):
        self.got.append((notice, words))
        raise NotifierError("HTTP 400", permanent=True)


async def test_who_refuses_is_not_asked_for_each_of_a_flood_nor_is_each_told(pool, time):
    """One breach a second: two are refused by themselves, the others together."""
    desk = Route("desk", ("chat",), frozenset({NoticeKind.BREACH}))
    ops = Route("ops", ("log",), frozenset({NoticeKind.PARKED}), fallback=True)
    rules = seeds.rules(desk, ops, of={"mk": ("desk",)})
    chat, log = Refusing(), Chat()
    for n in range(70):
        async with transaction(pool) as db:
            await notices.raise_(db, rules, [notice(time.now, n)])
        for to in (chat, log):
            await deliver.once(pool, {to.name: to}, rules, {}, Metrics(), time.now)
        await time.passes(1)

    assert chat.kinds == ["breach", "breach", "digest", "digest"]
    assert log.kinds[:2] == ["parked", "parked"]
    assert len(log.got) <= 4
    assert (await states(pool))["refused"] == sum(chat.counts)


async def test_notices_that_were_not_delivered_gather_too(pool, time, round_, raised):
    chat, facts = Chat(), (("kind", "blind"), ("notifier", "mail"), ("reason", "refused"))
    await raised(range(27), NoticeKind.PARKED, facts=facts, clock=None)
    await round_(chat)
    await time.passes(6)
    await round_(chat)

    assert chat.counts == [1, 1, 25]
    told, said = chat.got[-1]
    assert dict(told.facts)["parked"] == 25
    assert "25 not delivered" in said.subject
    assert "- 25 by mail: refused" in said.text.splitlines()


async def test_a_refused_digest_that_tells_of_refused_notices_is_told_without_them(
    pool, time, round_, raised, rules
):
    """Else each would be told of by the next, for ever."""
    log = Refusing()
    log.name = "log"
    await raised(range(27), NoticeKind.PARKED, clock=None)
    await round_(log)
    await time.passes(40)
    await round_(log)

    assert log.kinds == ["parked", "parked", "digest"]
    assert await states(pool) == {"refused": 27}


async def test_zero_means_one_by_one_whatever_comes(pool, time, round_, raised):
    chat = Chat()
    chat.digest_after = 0
    await raised(range(50))

    await round_(chat)

    assert chat.kinds == ["breach"] * 50


async def test_corrections_gather_too_and_reach_who_heard_the_breach(pool, time, round_, raised):
    chat = Chat()
    await raised(range(30))
    await round_(chat)
    await time.passes(5)
    await round_(chat)
    each = [notice(time.now, n, NoticeKind.CORRECTED) for n in range(30)]
    each = [
        Notice(keys.corrected(n, 0), one.kind, one.account, one.raised_at, "T1", n)
        for n, one in enumerate(each)
    ]
    async with transaction(pool) as db:
        assert await notices.correct(db, each) == 30

    await round_(chat)
    await time.passes(30)
    await round_(chat)

    assert chat.counts == [1, 1, 28, 30]
    assert chat.got[-1][1].subject == "0 late, 0 due soon, 30 taken back: Empik PL"
    assert await states(pool) == {"sent": 60}


async def test_what_is_answered_while_it_gathers_is_not_told(pool, time, round_, raised):
    chat = Chat()
    await raised(range(12))
    await round_(chat)
    async with transaction(pool) as db:
        await notices.drop(db, [5, 6, 7], "answered")
    await time.passes(5)

    await round_(chat)

    assert chat.counts == [1, 1, 7]
    assert await states(pool) == {"sent": 9, "answered": 3}


async def test_what_was_tried_is_tried_again_as_it_was_and_takes_nobody_in(
    pool, time, round_, raised
):
    """Whoever knows a repetition by its key would drop what has joined meanwhile."""
    chat = Chat()
    await raised(range(12))
    await round_(chat)
    chat.faults = [NotifierError("away")]
    await time.passes(5)
    await round_(chat)
    await raised(range(20, 30))
    await round_(chat)
    assert chat.counts == [1, 1]

    for _ in range(20):
        await time.passes(5)
        await round_(chat)

    assert chat.counts == [1, 1, 10, 10]
    assert len({notice.key for notice, _ in chat.got}) == 4
    assert await states(pool) == {"sent": 22}


async def test_whoever_comes_back_after_hours_finds_a_few_messages(pool, time, round_, raised):
    chat = Chat(*[NotifierError("away")] * 10_000)
    for n in range(60):
        await raised(range(3 * n, 3 * n + 3))
        for _ in range(2):
            await time.passes(60)
            await round_(chat)
    chat.faults.clear()

    for _ in range(60):
        await time.passes(60)
        await round_(chat)

    assert sum(chat.counts) == 180
    assert len(chat.got) <= 12


async def test_a_parked_digest_that_a_person_tries_again_is_the_same_digest(
    pool, time, round_, raised
):
    chat = Chat()
    await raised(range(12))
    await round_(chat)
    chat.faults = [NotifierError("no", permanent=True)]
    await time.passes(5)
    await round_(chat)
    assert (await states(pool))["refused"] == 10

    await raised(range(20, 30))
    await round_(chat)
    async with transaction(pool) as db:
        await dispatches.retry_parked(db)
    await round_(chat)

    found = [(n.key, c) for (n, _), c in zip(chat.got, chat.counts, strict=True)]
    assert [count for key, count in found if "/flood/" in key] == [10]


async def test_two_deliverers_tell_no_more_than_one(pool, time, round_, raised, rules):
    chat = Chat()
    await raised(range(300))

    for seconds in (0, 0, 5, 0, 5, 0):
        await time.passes(seconds)
        await asyncio.gather(*(round_(chat) for _ in range(4)))

    assert sorted(chat.counts) == [1, 1, 298]


async def test_who_does_not_decide_sends_no_part_of_a_flood(pool, time, rules, raised):
    chat = Chat()
    await raised(range(10))
    await raised([91], NoticeKind.ACCOUNT_DOWN)
    async with transaction(pool) as db:
        assert await digests.lock(db, "log")
        again = await deliver.once(pool, {"log": chat}, rules, {}, Metrics(), time.now)

    assert chat.kinds == ["account_down"]
    assert SECOND > again - time.now > timedelta(0), "it does not spin"


async def test_what_leaves_after_the_digest_of_a_first_walk_has_a_key_of_its_own(
    pool, time, round_, rules
):
    chat = Chat()
    for begin in (0, 10):
        each = [notice(time.now, n) for n in range(begin, begin + 10)]
        async with transaction(pool) as db:
            await notices.raise_(db, rules, each, {one.key: "mk/digest/x" for one in each})
        await round_(chat)

    first, rest = (notice.key for notice, _ in chat.got)
    assert first == "mk/digest/x"
    assert rest.startswith("mk/digest/x/")
    assert chat.counts == [10, 10]
