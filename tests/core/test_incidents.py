"""What stands open at a receiver is closed once, by the transaction that ends the clock."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from core import deliver, ingest, keys
from core.errors import NotifierError
from core.metrics import Metrics
from core.model import Message, NoticeKind, Page
from core.routing import Route
from core.store import accounts, incidents, notices, transaction
from sla.clock import Delivery
from sla.policy import Party
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE
from tests.core.test_deliver import Remembering, answer, notice

RULES = seeds.rules(Route("all", ("pager", "log"), fallback=True))


class Pager(Remembering):
    """A notifier whose receiver keeps open what it is told; *closed* is what it hears of ends."""

    def __init__(self, *faults):
        super().__init__("pager", *faults)
        self.closed = []

    async def send(self, notice, words):
        await super().send(notice, words)
        return f"message {len(self.got)}"

    async def close(self, notice, words, names):
        if self.faults:
            raise self.faults.pop(0)
        self.closed.append((dict(notice.facts)["ended"], words.subject, list(names)))


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        await seeds.put_thread(db, now)
        yield db


@pytest.fixture
def pager():
    return Pager()


@pytest.fixture
def log():
    return Remembering("log")


@pytest.fixture
def round_(pool, pager, log, now):
    """One round of both; what waits for its next try is due."""

    async def go(at=None):
        async with pool.acquire() as db:
            await db.execute("update dispatch set next_try_at = now() where sent_at is null")
        named = {each.name: each for each in (pager, log)}
        return await deliver.once(pool, named, RULES, {}, Metrics(), at or now)

    return go


@pytest.fixture
def read(pool, now):
    """The thread is read, as *page* shows it."""

    async def go(page, at=None):
        async with transaction(pool) as other:
            await ingest.page(other, RULES, "mk", page, at or now, None)

    return go


@pytest.fixture
async def asked(db, read, now):
    """A clock of 24 h that began *before* now, of which its last step is told."""

    async def go(before=25 * HOUR, kind=NoticeKind.BREACH):
        page = answer(now)
        question = page.messages[0].model_copy(update={"sent_at": now - before})
        await read(replace(page, messages=(question,)), now - before + MINUTE)
        row = await db.fetchrow("select id, due_at from clock")
        step = 4 if kind is NoticeKind.BREACH else 3
        await db.execute("update clock set step = $1", step)
        await seeds.put_alarms(db)
        key = keys.step(row["id"], 0, step)
        told = notice(now, key, kind, clock=row["id"], due_at=row["due_at"])
        await notices.raise_(db, RULES, [told])
        return row["id"]

    return go


def replied(now, at, delivery=Delivery.CONFIRMED, id_="M2"):
    said = Message(id=id_, thread="T1", party=Party.SELLER, sent_at=at, body="!",
                   to=frozenset({Party.BUYER}), delivery=delivery)  # fmt: skip
    return Page(messages=(said,))


async def raised(db, kind="answered"):
    sql = """
        select d.notifier, n.facts ->> 'ended' as ended from dispatch d
        join notice n on n.id = d.notice where n.kind = $1 order by 1, 2
    """
    return [tuple(row) for row in await db.fetch(sql, kind)]


async def test_an_answer_closes_what_was_told_once(db, asked, read, round_, pager, log, now):
    await asked(20 * HOUR, NoticeKind.WARNING)
    await round_()
    await read(replied(now, now - MINUTE))
    assert await raised(db) == [("pager", "met")], "nobody else"
    for _ in range(3):
        await round_()

    assert pager.closed == [("met", "Answered in time: Empik PL", ["message 1"])]
    assert [n.kind for n, _ in (*pager.got, *log.got)] == [NoticeKind.WARNING] * 2


async def test_a_late_answer_closes_too(asked, read, round_, pager, now):
    await asked()
    await round_()
    await read(replied(now, now - MINUTE))
    await round_()

    assert pager.closed == [("late", "Over, and late: Empik PL", ["message 1"])]


async def test_who_was_told_nothing_is_told_of_no_end(db, asked, read, round_, pager, now):
    await asked()
    await read(replied(now, now - MINUTE))
    await round_()

    assert (pager.got, pager.closed, await raised(db)) == ([], [], [])


async def test_what_was_told_in_a_digest_opens_nothing(db, asked, read, round_, pager, now):
    await asked()
    await db.execute("update dispatch set digest = 'pager/flood/1', attempts = 1")
    await round_()
    await read(replied(now, now - MINUTE))
    await round_()

    assert [n.kind for n, _ in pager.got] == [NoticeKind.DIGEST]
    assert (pager.closed, await raised(db)) == ([], [])


async def test_a_breach_that_was_none_is_closed_and_others_are_told_the_correction(
    asked, read, round_, pager, log, now
):
    await asked()
    await round_()
    await read(replied(now, now - 2 * HOUR))
    await round_()

    assert pager.closed == [("met", "Answered in time: Empik PL", ["message 1"])]
    assert [n.kind for n, _ in pager.got] == [NoticeKind.BREACH]
    assert [n.kind for n, _ in log.got] == [NoticeKind.BREACH, NoticeKind.CORRECTED]


async def test_all_steps_of_a_clock_are_closed_as_one(db, asked, read, round_, pager, now):
    clock = await asked(20 * HOUR, NoticeKind.WARNING)
    await round_()
    breach = notice(now, keys.step(clock, 0, 4), clock=clock)
    async with db.transaction():
        await notices.raise_(db, RULES, [breach])
    await round_()
    await read(replied(now, now - MINUTE))
    await round_()

    assert [(ended, names) for ended, _, names in pager.closed] == [
        ("met", ["message 1", "message 2"])
    ]


async def test_a_reply_that_was_refused_opens_it_again(db, asked, read, round_, pager, log, now):
    """To who was told the end, whatever the routes say of refusals; then the next answer closes."""
    await asked()
    await round_()
    await read(replied(now, now - 2 * MINUTE))
    await round_()
    await read(replied(now, now - 2 * MINUTE, Delivery.REFUSED), now + MINUTE)
    await round_()

    kinds = [n.kind for n, _ in pager.got]
    assert kinds == [NoticeKind.BREACH, NoticeKind.REPLY_REFUSED]
    assert {keys.incident(n) for n, _ in pager.got} == {f"mk/clock/{pager.got[0][0].clock}"}
    await read(replied(now, now, id_="M3"), now + MINUTE)
    await round_()
    assert [ended for ended, _, _ in pager.closed] == ["late", "late"]


async def test_a_refusal_before_the_end_was_told_leaves_it_open(
    db, asked, read, round_, pager, now
):
    await asked()
    await round_()
    pager.faults = [NotifierError("away")]
    await read(replied(now, now - 2 * MINUTE))
    await round_()
    await read(replied(now, now - 2 * MINUTE, Delivery.REFUSED), now + MINUTE)
    await round_()
    await round_()

    assert pager.closed == [], "the end that was not told is told no more"
    assert [n.kind for n, _ in pager.got] == [NoticeKind.BREACH, NoticeKind.REPLY_REFUSED]


async def test_a_clock_that_runs_again_without_a_refusal_is_told_again(
    db, asked, read, round_, pager, now
):
    """What was taken for an answer was a note: nothing was refused, and nobody has answered."""
    await asked()
    await round_()
    await read(replied(now, now - MINUTE))
    await round_()
    await db.execute("update message set kind_corrected = 'internal' where id = 'M2'")
    async with db.transaction():
        await ingest.recompute(db, RULES, "mk", ["T1"], now + MINUTE)
    await round_()

    assert [n.kind for n, _ in pager.got] == [NoticeKind.BREACH] * 2
    assert len(pager.closed) == 1


async def test_an_answer_while_it_is_told_closes_it_when_it_was_told(
    pool, asked, read, round_, pager, now
):
    class Slow(Pager):
        async def send(self, notice, words):
            await read(replied(now, now - MINUTE))
            return await super().send(notice, words)

    await asked()
    pager.__class__ = Slow
    await round_()
    await round_()

    assert [ended for ended, _, _ in pager.closed] == ["late"]


async def test_one_of_two_that_end_and_tell_at_once_sees_the_other(
    pool, asked, read, round_, pager, now
):
    """The answer commits after the notice left and before that is written down, or after it."""
    await asked()
    await asyncio.gather(round_(), read(replied(now, now - MINUTE)))
    for _ in range(3):
        await round_()

    assert len(pager.closed) == len(pager.got)


async def test_an_account_that_is_retired_closes_what_it_told(pool, asked, round_, pager, now):
    await asked()
    await round_()
    async with transaction(pool) as other:
        await accounts.sync(other, [], now)
    await round_()

    assert [ended for ended, _, _ in pager.closed] == ["void"]


async def test_no_mute_holds_back_an_end(db, asked, read, round_, pager, now):
    await asked()
    await round_()
    await db.execute(
        "insert into mute (scope, name, until, by) values ('account', 'mk', now() + $1, 'ann')",
        HOUR,
    )
    await read(replied(now, now - MINUTE))
    await round_()

    assert len(pager.closed) == 1


async def test_what_cannot_be_closed_is_tried_again_and_parked(db, asked, read, round_, pager, now):
    await asked()
    await round_()
    pager.faults = [NotifierError("away"), NotifierError("no", permanent=True)]
    await read(replied(now, now - MINUTE))
    await round_()
    await round_()

    assert ("pager", "late") in await raised(db)
    parked = await db.fetchval("select parked_reason from dispatch where parked_reason is not null")
    assert parked == "refused"


async def test_what_stands_is_known_until_it_is_over(db, asked, read, round_, now):
    clock = await asked()
    await round_()
    (standing,) = await incidents.standing(db, "pager")
    assert (standing.notice.clock, standing.url) == (clock, "https://shop.example/threads/T1")
    assert await incidents.standing(db, "log") == []

    await read(replied(now, now - MINUTE))

    assert await incidents.standing(db, "pager") == []


class Keeper(Pager):
    """A notifier whose receiver forgets; *kept* is what it was told again, a list a time."""

    every = MINUTE

    def __init__(self, *faults):
        super().__init__(*faults)
        self.kept = []

    async def keep(self, standing):
        if self.faults:
            raise self.faults.pop(0)
        self.kept.append([(notice.kind, words.subject) for notice, words in standing])


async def test_what_stands_is_told_again_once_a_time_until_it_is_over(pool, db, asked, read, now):
    keeper, rules = Keeper(), seeds.rules(Route("all", ("pager",), fallback=True))

    async def round_():
        await deliver.once(pool, {"pager": keeper}, rules, {}, Metrics(), now)

    async def minute():
        await db.execute("update budget set next_at = next_at - interval '61 s'")
        await asyncio.gather(round_(), round_())

    await asked()
    await asyncio.gather(round_(), round_())
    assert keeper.kept in ([[]], [[(NoticeKind.BREACH, "Reply overdue: Empik PL")]])
    await minute()
    assert keeper.kept[1:] == [[(NoticeKind.BREACH, "Reply overdue: Empik PL")]], "by one of two"
    keeper.faults = [NotifierError("away")]
    await minute()
    await minute()
    assert len(keeper.kept) == 3, "what fails is told the next time"
    await read(replied(now, now - MINUTE))
    await minute()

    assert keeper.kept[-1] == []
    assert len(keeper.closed) == 1


async def test_two_that_tell_of_one_clock_at_once_wait_for_no_one(pool, db, asked, read, now):
    pagers = [Pager() for _ in range(4)]
    for n, one in enumerate(pagers):
        one.name = f"pager{n}"
    names = tuple(one.name for one in pagers)
    rules = seeds.rules(Route("all", names, fallback=True))
    clock = await asked()
    for step in range(4, 9):
        async with transaction(pool) as other:
            breach = notice(now, keys.step(clock, 1, step), clock=clock)
            await notices.raise_(other, rules, [breach])
        await asyncio.gather(
            *(deliver.once(pool, {one.name: one}, rules, {}, Metrics(), now) for one in pagers)
        )
    await read(replied(now, now - MINUTE))
    for one in pagers:
        await deliver.once(pool, {one.name: one}, rules, {}, Metrics(), now)

    assert [len(one.got) for one in pagers] == [5] * 4
    assert [[ended for ended, _, _ in one.closed] for one in pagers] == [["late"]] * 4


class Answering(Pager):
    """Its receiver has heard it, and its answer never comes."""

    def __init__(self):
        super().__init__()
        self.heard = asyncio.Event()

    async def send(self, notice, words):
        await super().send(notice, words)
        self.heard.set()
        await asyncio.Event().wait()


async def test_what_was_told_by_a_process_that_died_is_closed_by_the_next(
    pool, db, asked, read, round_, pager, now
):
    """Nobody has written down that it was told, and the answer drops what would be told again."""
    await asked()
    first = Answering()
    dying = asyncio.create_task(deliver.once(pool, {"pager": first}, RULES, {}, Metrics(), now))
    await first.heard.wait()
    dying.cancel()
    await asyncio.wait([dying])
    assert await incidents.standing(db, "pager") == [], "what nobody was told is not kept alive"

    await read(replied(now, now - MINUTE))
    await round_()

    assert (pager.got, [ended for ended, _, _ in pager.closed]) == ([], ["late"])


async def test_what_was_refused_for_good_is_not_closed(db, asked, read, round_, pager, now):
    await asked()
    pager.faults = [NotifierError("no", permanent=True)]
    await round_()
    await read(replied(now, now - MINUTE))
    await round_()

    assert (pager.closed, await raised(db)) == ([], [])


async def test_what_stands_stays_so_where_the_next_word_of_it_is_refused(
    db, asked, read, round_, pager, now
):
    clock = await asked(20 * HOUR, NoticeKind.WARNING)
    await round_()
    async with db.transaction():
        await notices.raise_(db, RULES, [notice(now, keys.step(clock, 0, 4), clock=clock)])
    pager.faults = [NotifierError("no", permanent=True)]
    await round_()
    (standing,) = await incidents.standing(db, "pager")
    assert standing.notice.kind is NoticeKind.WARNING
    await read(replied(now, now - MINUTE))
    await round_()

    assert [ended for ended, _, _ in pager.closed] == ["met"]


async def test_what_was_closed_is_forgotten_with_its_notices(db, asked, read, round_, now):
    await asked()
    await round_()
    await db.execute("delete from notice")
    assert await incidents.purge(db) == 0, "it stands open"
    await read(replied(now, now - MINUTE))
    assert await incidents.purge(db) == 1
