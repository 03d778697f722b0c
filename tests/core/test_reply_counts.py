"""What is counted of replies for good: accepted, refused, and answers given without us."""

from __future__ import annotations

import random

import pytest

from core import ingest, marks, reply
from core.connector import Sent
from core.desk import answering
from core.errors import Refused, Unreachable
from core.metrics import Metrics
from core.model import Page, Stream
from core.reading.walk import Reader
from core.store import replies, stats, tally, transaction
from sla.policy import Party
from sla.turn import Delivery, Level
from tests.core import pages, seeds
from tests.core.seeds import HOUR, MINUTE, SECOND

BUYER = frozenset({Party.BUYER})
BODY = "Your parcel left us yesterday, here is its number."


class Shop:
    """A marketplace that answers a reply with *outcome* and shows *told* when looked at."""

    def __init__(self, outcome=None, told=None):
        self.outcome, self.told = outcome, told or Page()

    async def check(self): ...

    async def fetch(self, stream, cursor, position, now):
        return Page()

    async def reply(self, thread, draft, now):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return Sent(self.outcome)

    async def look(self, threads, now):
        return self.told


@pytest.fixture
def rules():
    return seeds.rules()


@pytest.fixture
async def waiting(pool, now):
    """A buyer who has been waiting for an hour."""
    await pages.monitored(pool, now - 30 * HOUR)
    question = pages.buyer("M1", now - HOUR)
    await pages.stored(pool, now - MINUTE, question, pages.thread(as_of=now - MINUTE))


@pytest.fixture
def send(pool, rules, now):
    """Write a reply, unless there is one, and let one round try to send what waits."""

    async def go(shop, *, body=BODY, writes=True, at=now):
        async with transaction(pool) as db:
            if writes:
                await answering.queue(db, "mk", "T1", body, BUYER, at)
            await db.execute(
                "update reply set next_try_at = now()"
                " where state <> 'sending' and next_try_at < 'infinity'"
            )
        readers = {"mk": Reader(seeds.account(), shop, {"s": Stream("s", MINUTE)}, "mk")}
        await reply.once(pool, readers, rules, Metrics(), at)

    return go


@pytest.fixture
def counts(pool):
    async def read():
        async with pool.acquire() as db:
            all_ = await tally.counts(db)
        return {result: n for (_, metric, result), n in all_.items() if metric == "reply"}

    return read


@pytest.mark.usefixtures("waiting")
async def test_what_is_accepted_counts_once_however_often_it_is_looked_for(send, counts, now):
    read_back = pages.page(pages.seller("R1", now + SECOND, body=BODY))
    shop = Shop(None, read_back)

    await send(shop)
    assert await counts() == {"accepted": 1}
    for _ in range(2):
        await send(shop, writes=False)

    assert await counts() == {"accepted": 1}


@pytest.mark.usefixtures("waiting")
async def test_a_refusal_counts_at_once(send, counts):
    await send(Shop(Refused("no", detail="closed")))

    assert await counts() == {"refused": 1}


@pytest.mark.usefixtures("waiting")
async def test_what_is_tried_again_counts_when_it_is_given_up(send, counts):
    shop = Shop(Unreachable("down"))
    await send(shop)
    for _ in range(reply.ATTEMPTS - 2):
        await send(shop, writes=False)
    assert await counts() == {}

    await send(shop, writes=False)

    assert await counts() == {"refused": 1}


@pytest.mark.usefixtures("waiting")
async def test_a_reply_of_unknown_fate_counts_once_it_is_found(send, counts, now):
    shop = Shop(TimeoutError())
    await send(shop)
    assert await counts() == {}

    shop.told = pages.page(pages.seller("R1", now + SECOND, body=BODY, delivery="confirmed"))
    await send(shop, writes=False)

    assert await counts() == {"accepted": 1}


@pytest.mark.parametrize(
    ("was", "state", "reason", "word"),
    [
        ("sending", "accepted", None, "accepted"),
        ("unknown", "confirmed", None, "accepted"),
        ("accepted", "confirmed", None, None),
        ("accepted", "refused", "refused_later", "refused"),
        ("confirmed", "refused", "refused_later", "refused"),
        ("refused", "confirmed", None, None),
        ("refused", "refused", "gone", None),
        ("sending", "unknown", None, None),
        ("sending", "refused", "names_erased", None),
        ("sending", "refused", "erased", None),
    ],
)
def test_each_way_that_a_reply_goes_counts_as_it_should(was, state, reason, word):
    assert word == replies.became(was, state, reason)


async def test_what_is_refused_later_counts_as_both(pool, send, counts, waiting, now):
    await send(Shop("R1"))
    async with transaction(pool) as db:
        await db.execute("update message set judged = 'refused' where id = 'R1'")
        for _ in range(2):
            await replies.judge(db, "mk", ["R1"], now + HOUR)

    assert await counts() == {"accepted": 1, "refused": 1}


@pytest.mark.usefixtures("waiting")
async def test_an_answer_that_was_given_there_counts_when_it_is_read(pool, counts, now):
    answer = pages.seller("R1", now - MINUTE, body="From the app.")

    for _ in range(2):
        await pages.stored(pool, now, answer, pages.thread(as_of=now))

    assert await counts() == {"elsewhere": 1}


async def test_answers_of_several_accounts_count_side_by_side(pool, rules, counts, now):
    names = ("a1", "a2")
    await pages.monitored(pool, now - 30 * HOUR, *map(pages.setup, names))
    told = {
        name: pages.page(
            pages.buyer("M1", now - HOUR),
            pages.seller("R1", now - MINUTE),
            pages.thread(as_of=now),
        )
        for name in names
    }
    async with transaction(pool) as db:
        await ingest.pages(db, seeds.rules(accounts=names), told, now)

    assert await counts() == {"elsewhere": 1}
    async with pool.acquire() as db:
        assert (await tally.counts(db))["a2", "reply", "elsewhere"] == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"party": Party.BUYER},
        {"kind": "automatic"},
        {"kind": "internal"},
        {"sent_at": "before the account was watched"},
        {"sent_at": "before all that was asked"},
    ],
    ids=str,
)
async def test_what_is_no_answer_of_today_does_not_count(pool, waiting, counts, now, changes):
    """A buyer's message, a machine's, a note, the past, and what a seller writes first."""
    said = {"before the account was watched": 40 * HOUR, "before all that was asked": 2 * HOUR}
    at = now - said.get(changes.get("sent_at"), MINUTE)
    told = pages.seller("R1", at, **{k: v for k, v in changes.items() if k != "sent_at"})

    await pages.stored(pool, now, told, pages.thread(as_of=now))

    assert await counts() == {}


async def test_what_we_look_for_ourselves_is_not_taken_for_a_colleagues_answer(
    pool, send, counts, waiting, now
):
    """The marketplace tells no id: what is read of the thread may be ours."""
    await send(Shop(None))
    ours = pages.seller("R1", now + SECOND, body=BODY)

    await pages.stored(pool, now + MINUTE, ours, pages.thread(as_of=now))

    assert await counts() == {"accepted": 1}


async def test_an_answer_of_which_a_person_told_counts_once_when_it_is_read_too(
    pool, rules, counts, waiting, now
):
    async with transaction(pool) as db:
        for _ in range(2):
            await marks.answered(db, rules, "mk", "T1", now - 30 * MINUTE, BUYER, now)
    assert await counts() == {"elsewhere": 1}

    copy = pages.seller("R1", now - 25 * MINUTE)
    await pages.stored(pool, now + MINUTE, copy, pages.thread(as_of=now))

    assert await counts() == {"elsewhere": 1}


async def test_no_count_ever_goes_down_whatever_happens(pool, rules, send, now):
    """Late answers, corrections, marks, refusals: a scrape that came seldom sees no less."""
    await pages.monitored(pool, now - 60 * HOUR)
    spin, seen = random.Random(7), {}
    for turn in range(40):
        at = now + turn * MINUTE
        name = f"T{spin.randrange(4)}"
        begin = at - spin.randrange(1, 50) * HOUR
        kind = spin.choice((pages.buyer, pages.seller, pages.mark))
        told = kind(f"{kind.__name__}{turn}", begin, name)
        await pages.stored(pool, at, told, pages.thread(name, as_of=at))
        if turn % 5 == 0:
            async with transaction(pool) as db:
                await marks.mark(db, rules, "mk", name, Level.DECIDED, at)
        if turn % 7 == 0:
            async with transaction(pool) as db:
                await db.execute("update message set delivery = $1", Delivery.REFUSED)
                await ingest.recompute(db, rules, "mk", [f"T{n}" for n in range(4)], at)
        await seeds.watched(pool, rules, at)
        if spin.random() < 0.4:
            async with pool.acquire() as db:
                kinds = (await stats.snapshot(db, at)).counts
            found = {(*kind, a): n for kind, of in kinds.items() for a, n in of.items()}
            assert {key: n for key, n in seen.items() if found.get(key, 0) < n} == {}
            seen = found
    assert {result for _, result, _ in seen} >= {"started", "met", "breached", "elsewhere"}
