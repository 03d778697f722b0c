"""Two who answer at once, a reply taken back, a form sent twice: with a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from core import ingest, reply
from core.access import Role, Who
from core.connector import Capabilities, Sent, Unwelcome
from core.desk import answering, beaten, promising
from core.desk.answering import Beaten, Queued, Terms, Unfit, Written
from core.errors import Mistaken, NotAllowed, RateLimited, Refused
from core.metrics import Metrics
from core.model import File, Message, Page, Stream, Thread
from core.reading.walk import Reader
from core.store import claims, enclosures, replies, transaction, undone
from core.store.claims import Claim
from sla.policy import Party
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE, SECOND

SELLER, BUYER = frozenset({Party.SELLER}), frozenset({Party.BUYER})
ADA, BO = Who("ada", Role.AGENT), Who("bo", Role.AGENT)
LEAD = Who("lea", Role.LEAD)
CAN = Capabilities(replies=True, most_enclosed=10**6)
HOLD = timedelta(seconds=5)
TERMS = Terms(CAN, hold=HOLD)
FILE = File("a.pdf", b"%PDF-1.7", "application/pdf")
TEXT = "Your parcel left us yesterday."


class Shop:
    """A marketplace that answers a reply with *outcome*."""

    def __init__(self, outcome="R1"):
        self.outcome, self.got = outcome, []

    async def check(self): ...

    async def fetch(self, stream, cursor, position, now):
        return Page()

    async def reply(self, thread, draft, now):
        self.got.append(draft)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return Sent(self.outcome)


@pytest.fixture
def rules():
    return seeds.rules()


@pytest.fixture
async def db(pool, rules, now):
    """A thread whose buyer has been waiting for an hour."""
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        asked = Message(id="M1", thread="T1", party=Party.BUYER, sent_at=now - HOUR, to=SELLER)
        page = Page(messages=(asked,), threads=(Thread(id="T1", as_of=now),))
        await ingest.page(db, rules, "mk", page, now - MINUTE, None)
        yield db


@pytest.fixture
def give(pool, db, now):
    """Answers in a transaction of its own."""

    async def give(who=ADA, text=TEXT, at=now, terms=TERMS, **more):
        async with transaction(pool) as other:
            return await answering.answer(other, who, Written("mk", "T1", text, **more), terms, at)

    return give


@pytest.fixture
def take_back(pool, rules, now):
    async def take_back(who, number):
        async with transaction(pool) as db:
            return await answering.undo(db, rules, who, number, now)

    return take_back


@pytest.fixture
def send(pool, rules, now):
    """One round of who sends; *due*: what was held back is over its time."""

    async def send(shop, *, due=True):
        if due:
            async with pool.acquire() as db:
                await db.execute("update reply set next_try_at = now() where state = 'queued'")
        readers = {"mk": Reader(seeds.account(), shop, {"s": Stream("s", MINUTE)}, "mk")}
        await reply.once(pool, readers, rules, Metrics(), now)

    return send


async def seen(db):
    return beaten.seen(await answering.seen(db, "mk", "T1"))


async def states(db):
    return [row["state"] for row in await db.fetch("select state from reply order by id")]


async def test_a_reply_of_the_board_waits_and_then_leaves_with_its_writers_name(db, give, send):
    found = await give()
    shop = Shop()

    await send(shop, due=False)
    assert (shop.got, await states(db)) == ([], ["queued"])

    await send(shop)
    [written] = await replies.of_thread(db, "mk", "T1")
    assert [draft.body for draft in shop.got] == [TEXT]
    assert (written.written_by, written.id) == ("ada", found.reply)


async def test_what_is_taken_back_does_not_leave_and_is_its_writers_again(
    db, give, take_back, send, now
):
    queued = await give(files=(FILE,))

    back = await take_back(ADA, queued.reply)

    shop = Shop()
    await send(shop)
    assert (back.body, await states(db), shop.got) == (TEXT, ["undone"], [])
    mine = await answering.given_back(db, ADA, "mk", "T1", queued.reply)
    assert mine.body == TEXT
    assert await answering.given_back(db, BO, "mk", "T1", queued.reply) is None
    assert await enclosures.names(db, queued.reply) == {0: "a.pdf"}
    assert await take_back(ADA, queued.reply) is None

    again = await give(kept=queued.reply, numbers=(0,))

    assert await enclosures.of(db, again.reply) == (FILE,)
    assert await enclosures.of(db, queued.reply) == ()


async def test_files_of_what_was_taken_back_are_nobody_elses_and_go_after_a_day(
    db, give, take_back, now
):
    queued = await give(files=(FILE,))
    await take_back(ADA, queued.reply)

    stolen = await give(BO, kept=queued.reply, numbers=(0,))

    assert await enclosures.of(db, stolen.reply) == ()
    assert await undone.purge(db, now) == 0
    assert await undone.purge(db, now + SECOND) == 1


async def test_only_who_wrote_it_or_a_lead_takes_a_reply_back(give, take_back):
    queued = await give()

    for who in (BO, Who("eve", Role.VIEWER), Who("far", Role.LEAD, frozenset({"other"}))):
        with pytest.raises(NotAllowed):
            await take_back(who, queued.reply)
    assert await take_back(LEAD, queued.reply) is not None


async def test_a_reply_leaves_or_is_taken_back_and_never_both(db, give, take_back, send):
    """Two daemons that send and an agent who takes back, at once, again and again."""
    for _ in range(12):
        queued = await give()
        shops = Shop(), Shop()

        _, back, *_ = await asyncio.gather(
            send(shops[0]), take_back(ADA, queued.reply), send(shops[1])
        )

        left = len(shops[0].got) + len(shops[1].got)
        found = await replies.of(db, queued.reply)
        assert (left, back is None) in {(1, True), (0, False)}
        assert found.state == ("undone" if back else "accepted")


async def test_what_was_tried_and_waits_can_be_taken_back_too(db, give, take_back, send):
    queued = await give()
    await send(Shop(RateLimited("slowly")))
    assert await db.fetchval("select count(*) from message where party = 'seller'") == 1

    assert await take_back(ADA, queued.reply) is not None

    assert await db.fetchval("select count(*) from message where party = 'seller'") == 0


async def test_of_two_who_answer_at_once_the_second_is_told_before_it_leaves(db, give):
    known = await seen(db)

    found = await asyncio.gather(*(give(who, seen=known, key=who.name) for who in (ADA, BO)))

    first = next(one for one in found if isinstance(one, Queued))
    second = next(one for one in found if isinstance(one, Beaten))
    loser = found.index(second)
    assert second.by == ("bo", "ada")[loser]
    assert (second.state, second.reply) == ("queued", first.reply)
    assert await states(db) == ["queued"]

    again = await give((ADA, BO)[loser], seen=second.seen, key="anyway")

    assert isinstance(again, Queued)
    assert await states(db) == ["queued", "queued"]


async def test_an_answer_given_at_the_marketplace_is_told_as_well(db, rules, give, now):
    known = await seen(db)
    theirs = Message(id="S1", thread="T1", party=Party.SELLER, sent_at=now - SECOND, to=BUYER)
    await ingest.page(db, rules, "mk", Page(messages=(theirs,)), now, None)

    told = await give(seen=known)

    assert (told.by, told.state, told.at) == (None, "elsewhere", now - SECOND)
    assert isinstance(await give(seen=told.seen), Queued)


@pytest.mark.parametrize("party", [Party.BUYER, Party.MARKETPLACE])
async def test_who_has_not_seen_what_was_written_since_is_told(db, rules, give, now, party):
    known = await seen(db)
    asked = Message(id="M2", thread="T1", party=party, sent_at=now - SECOND, to=SELLER)
    await ingest.page(db, rules, "mk", Page(messages=(asked,)), now, None)

    told = await give(seen=known)

    assert (told.by, told.state, told.at) == (None, party.value, now - SECOND)
    assert await states(db) == []
    assert isinstance(await give(seen=told.seen), Queued)


async def test_however_much_was_written_all_of_it_is_seen_or_told(db, rules, give, now):
    many = [
        Message(id=f"B{n}", thread="T1", party=party, sent_at=now - n * SECOND, to=to)
        for n in range(2 * beaten.NEWEST)
        for party, to in ([(Party.SELLER, BUYER), (Party.BUYER, SELLER)][n % 2 :][:1])
    ]
    await ingest.page(db, rules, "mk", Page(messages=tuple(many)), now, None)
    known = await seen(db)
    late = Message(id="M2", thread="T1", party=Party.BUYER, sent_at=now - HOUR, to=SELLER)
    await ingest.page(db, rules, "mk", Page(messages=(late,)), now + SECOND, None)

    told = await give(seen=known, at=now + MINUTE)

    assert (told.state, told.at) == ("buyer", now - HOUR)
    assert isinstance(await give(seen=told.seen, at=now + MINUTE), Queued)


async def test_who_goes_on_with_a_claim_that_a_link_made_is_not_held_up(db, give, now):
    known = await seen(db)
    await claims.take(db, Claim("mk", "T1", "notifier:chat", now - MINUTE, now + HOUR))

    assert isinstance(await give(seen=known), Queued)


async def test_an_answer_of_ours_that_is_read_back_is_no_news(db, rules, give, send, now):
    await give()
    known = await seen(db)
    await send(Shop("R7"))

    assert isinstance(await give(seen=known), Queued)


async def test_what_was_taken_back_or_refused_beats_nobody(db, give, take_back):
    known = await seen(db)
    await take_back(ADA, (await give()).reply)

    assert isinstance(await give(BO, seen=known), Queued)


async def test_who_answers_what_another_has_claimed_is_told(db, give, now):
    known = await seen(db)
    await claims.take(db, Claim("mk", "T1", "bo", now - MINUTE, now + HOUR))

    told = await give(seen=known)

    assert (told.by, told.state, told.until) == ("bo", "claimed", now + HOUR)
    assert isinstance(await give(BO, seen=known), Queued)
    assert isinstance(await give(seen=told.seen), Beaten)  # bo has answered meanwhile


async def test_a_form_that_is_sent_twice_sends_one_reply(db, give):
    known = await seen(db)
    found = await asyncio.gather(*(give(key="f", seen=known) for _ in range(4)))

    assert len({one.reply for one in found}) == 1
    assert sorted(one.again for one in found) == [False, True, True, True]
    assert await states(db) == ["queued"]


async def test_an_edited_text_under_the_same_key_is_no_copy_of_the_first(db, give):
    """The answer to the first was lost on its way; or an older page came back with its form."""
    known = await seen(db)
    first = await give(text="First version.", key="f", seen=known)

    told = await give(text="Better version.", key="f", seen=known)

    assert (told.by, told.state, told.reply) == ("ada", "queued", first.reply)
    better = await give(text="Better version.", key="f", seen=told.seen)
    assert not better.again
    assert better.reply != first.reply
    for text, one in (("First version.", first), ("Better version.", better)):
        assert (await give(text=text, key="f", seen=known)).reply == one.reply
    assert await states(db) == ["queued", "queued"]


@pytest.mark.parametrize(
    "more", [{"files": (FILE,)}, {"to": frozenset({Party.MARKETPLACE})}, {"follow_up": 24 * HOUR}]
)
async def test_the_same_text_with_other_things_is_no_copy_either(db, give, now, more):
    first = await give(key="f")
    by = more.pop("follow_up", None)

    second = await give(key="f", follow_up_at=by and now + by, **more)

    assert second.reply != first.reply
    assert (await give(key="f", follow_up_at=by and now + by, **more)).again


async def test_of_a_key_that_is_for_once_one_reply_comes_whatever_it_says(db, give, take_back):
    first = await give(key="f", once=True)
    for text in (TEXT, "Another."):
        again = await give(text=text, key="f", once=True)
        assert (again.reply, again.again) == (first.reply, True)
    await take_back(ADA, first.reply)
    assert (await give(key="f", once=True)).again


async def test_what_did_not_leave_may_come_again(db, give, take_back, send):
    first = await give(key="f")
    await take_back(ADA, first.reply)
    second = await give(key="f")
    await send(Shop(Refused("no")))
    third = await give(key="f")

    assert await states(db) == ["undone", "refused", "queued"]
    assert not second.again
    assert not third.again
    assert (await give(key="f")).reply == third.reply


async def test_what_the_marketplace_forbids_leaves_only_on_purpose(db, give):
    strict = Terms(
        Capabilities(replies=True, longest_reply=40, unwelcome=(Unwelcome("phone", "a page"),))
    )

    told = await give(text="Call +49 30 901820 please", terms=strict)
    long = await give(text="x" * 41, terms=strict, despite=True)

    assert [one.rule for one in told.complaints] == ["phone"]
    assert isinstance(long, Unfit)
    assert await states(db) == []
    sent = await give(text="Call +49 30 901820 please", terms=strict, despite=True)
    assert isinstance(sent, Queued)


async def test_who_may_not_answer_does_not(give):
    for who in (Who("eve", Role.VIEWER), Who("far", Role.AGENT, frozenset({"other"}))):
        with pytest.raises(NotAllowed):
            await give(who)


async def test_nothing_that_is_written_stands_in_the_audit(db, give, take_back):
    known = await seen(db)
    queued = await give(text="a very private word", key="k")
    await give(BO, text="another private word", seen=known)
    await take_back(ADA, queued.reply)

    lines = await db.fetch("select who, act, account, thread, detail from audit order by id")

    assert [(row["who"], row["act"]) for row in lines] == [
        ("ada", "answer"), ("bo", "beaten"), ("ada", "undo"),
    ]  # fmt: skip
    assert "private" not in str([tuple(row) for row in lines])


async def test_a_reply_can_promise_another_answer_from_when_it_has_left(db, give, send, now):
    with pytest.raises(Mistaken, match="ahead"):
        await give(follow_up_at=now)
    await give(follow_up_at=now + 48 * HOUR)
    assert await promising.of_thread(db, "mk", "T1") == []

    await send(Shop("R1"))

    [row] = await promising.of_thread(db, "mk", "T1")
    assert (row.clock.due_at, row.clock.due_from) == (now + 48 * HOUR, "agent")
    assert row.clock.started_at >= now + promising.APART
