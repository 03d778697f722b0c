"""What a marketplace says later of a seller's message: stored, judged, acted on, in any order."""

from __future__ import annotations

import asyncio
import itertools
import random
from dataclasses import replace

import pytest

from core import ingest, marks, reply
from core.arrival import judging
from core.arrival.verdicts import LAG, SKEW
from core.connector import Sent
from core.desk import answering
from core.errors import OutcomeUnknown
from core.metrics import Metrics
from core.model import Page, Stream, Verdict
from core.reading.walk import Reader, merged
from core.store import deeds, transaction, verdicts
from sla.clock import Delivery, Kind
from sla.policy import Party
from tests.core import seeds
from tests.core.pages import HOUR, MINUTE, buyer, page, seller, thread

ANSWER = "Your parcel will arrive on Monday, we are sorry."
BUYER = frozenset({Party.BUYER})
UNINDEXABLE = "".join(random.Random(7).choices([chr(n) for n in range(0x4E00, 0x9FFF)], k=990))
SAYS = {"judged": True, "letters": True}
EMPTIED = ";".join(
    f"delete from {table}" for table in (
        "alarm", "clock_entry", "clock", "given", "message", "reply", "thread", "notice",
        "dispatch", "tally", "verdict", "about", "set_aside", "account",
    )
)  # fmt: skip
ROWS = """
    select id, thread, told_in, kind, addressed_to, delivery, judged, sent_at
    from message order by id
"""
CLOCKS = """
    select promise, thread, started_by, started_at, due_at, ended, reason, stopped_by, stopped_at
    from clock where coalesce(reason, '') not in ('gone', 'merged') order by thread, started_at
"""


@pytest.fixture
def rules():
    return seeds.rules(says=SAYS)


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        yield db


@pytest.fixture
def store(pool, rules, now, db):
    """Store what is told, in one page, in a transaction of its own."""

    async def put(*told, at=None):
        async with transaction(pool) as other:
            return await ingest.page(other, rules, "mk", merged(told), at or now, None)

    return put


def asked(now, id_="T1", *, hours=5, order="1", name="Ada", key="k1"):
    """A buyer's question, with the state of its thread."""
    at = now - hours * HOUR
    orders, where = (order,) if order else (), {"buyer": key} if key else {}
    known = thread(id_, as_of=at, buyer=name, order_ids=orders, reply_to=where)
    return page(buyer(f"Q-{id_}", at, id_), known)


def sent(now, id_="A1", thread_="T1", *, minutes=60, body=ANSWER, delivery=Delivery.ACCEPTED):
    """A letter that left for the buyer, as it lies in the folder of sent ones."""
    at = now - minutes * MINUTE
    return page(seller(id_, at, thread_, body=body, delivery=delivery))


def copied(now, id_="C1", *, minutes=58, text=f"You wrote: {ANSWER}", order="1", key="k1"):
    """The marketplace's copy of an answer, which ends nothing by itself."""
    at = now - minutes * MINUTE
    note = seller(id_, at, f"about-{id_}", kind=Kind.INTERNAL, to=frozenset(), delivery="confirmed")
    verdict = Verdict(
        id_, Delivery.CONFIRMED, at, buyer=key, order_id=order, text=text, is_copy=True
    )
    return page(note, verdicts=(verdict,))


def refused(now, id_="N1", *, minutes=55, order="1", key="k1", message=None, text=""):
    """A notice that one of our messages was not delivered."""
    at = now - minutes * MINUTE
    told = buyer(id_, at, f"about-{id_}", party=Party.MARKETPLACE, kind=Kind.SYSTEM)
    verdict = Verdict(
        id_, Delivery.REFUSED, at, message_id=message, buyer=key, order_id=order, text=text
    )
    return page(told, verdicts=(verdict,))


async def clock(db):
    (row,) = await db.fetch(CLOCKS)
    return row["ended"], row["stopped_by"]


async def told(db):
    return [tuple(row) for row in await db.fetch("select kind, key from notice order by id")]


async def how(db, id_):
    return await db.fetchval("select coalesce(judged, delivery) from message where id = $1", id_)


# What a verdict does


async def test_a_refusal_reopens_the_clock_at_its_original_start(db, store, now):
    await store(asked(now), sent(now))
    assert await clock(db) == ("met", "A1")
    before = await db.fetchrow("select id, started_at, due_at from clock")

    await store(refused(now))

    assert await clock(db) == (None, None)
    assert await db.fetchrow("select id, started_at, due_at from clock") == before
    assert await told(db) == [("reply_refused", f"{before['id']}/refused/A1")]


async def test_a_refusal_wins_over_a_confirmation_whichever_came_first(db, store, now):
    await store(asked(now), sent(now))
    await store(refused(now))
    await store(copied(now))

    assert await how(db, "A1") == "refused"
    assert await clock(db) == (None, None)


async def test_a_verdict_acts_on_a_message_that_arrives_after_it(db, store, now):
    await store(refused(now, message="A1", order=None, key=None))
    assert [row["unclear"] for row in await db.fetch("select unclear from verdict")] == [True]
    await store(asked(now))
    await store(sent(now))

    assert await how(db, "A1") == "refused"
    assert await clock(db) == (None, None)
    assert not await db.fetchval("select count(*) from set_aside")


async def test_a_copy_of_nothing_that_left_here_is_an_answer_in_the_thread(db, store, now):
    await store(asked(now))
    await store(copied(now))

    assert await clock(db) == ("met", "C1")
    row = await db.fetchrow("select thread, told_in, kind, seen_at from message where id = 'C1'")
    assert tuple(row)[:3] == ("T1", "about-C1", "internal")


async def test_an_answer_given_elsewhere_can_be_refused_too(db, store, now):
    await store(asked(now), copied(now))
    await store(refused(now))

    assert await how(db, "C1") == "refused"
    assert await clock(db) == (None, None)


async def test_a_letter_that_turns_up_later_sends_its_copy_back(db, store, now):
    await store(asked(now), copied(now))
    await store(sent(now))

    assert await clock(db) == ("met", "A1")
    row = await db.fetchrow("select thread, told_in from message where id = 'C1'")
    assert tuple(row) == ("about-C1", None)
    assert await how(db, "A1") == "confirmed"


async def test_a_copy_that_is_told_again_stays_where_it_belongs(db, store, now):
    await store(asked(now), copied(now))
    await store(copied(now))
    assert await clock(db) == ("met", "C1")

    again = copied(now)
    (note,) = again.messages
    changed = note.model_copy(update={"subject": "Re: mail", "thread": "about-all"})
    await store(replace(again, messages=(changed,)))

    assert await clock(db) == ("met", "C1")
    assert await db.fetchval("select told_in from message where id = 'C1'") == "about-all"


async def test_what_a_moved_copy_is_about_is_not_what_its_thread_is_about(db, store, now):
    """Else what is judged would depend on what was judged before."""
    told_ = copied(now, order=None)
    (note,) = told_.messages
    await store(asked(now))
    await store(replace(told_, messages=(note.model_copy(update={"order_id": "9"}),)))
    await store(refused(now, order="9", key=None))
    await store(page(buyer("S1", now, party=Party.MARKETPLACE, kind=Kind.SYSTEM)))

    assert await clock(db) == ("met", "C1")
    assert [row["id"] for row in await db.fetch("select id from verdict where unclear")] == ["N1"]


async def test_what_one_says_is_answered_there_is_confirmed_by_its_copy(
    pool, db, store, rules, now
):
    await store(asked(now))
    async with transaction(pool) as other:
        at = now - 60 * MINUTE
        await marks.answered(other, rules, "mk", "T1", at, [Party.BUYER], now)
    await store(copied(now))

    row = await db.fetchrow(
        "select kind, judged from message where party = 'seller' and id <> 'C1'"
    )
    assert tuple(row) == ("answered_elsewhere", "confirmed")


@pytest.mark.parametrize(("order", "hours"), [("1", 5), (None, 5), (None, 1)])
@pytest.mark.parametrize("first", ["asked", "copied"])
async def test_a_copy_that_tells_a_name_alone_ends_no_waiting(db, store, now, first, order, hours):
    """It is of an answer to another Ada, whose question nobody has read."""
    told_ = {
        "asked": asked(now, order=order, hours=hours, name="Ada Lovelace"),
        "copied": copied(now, text=f"To Ada Lovelace: {ANSWER}", order=None, key=None),
    }
    await store(told_.pop(first))
    await store(*told_.values())

    assert await clock(db) == (None, None)
    assert [kind for kind, _ in await told(db)] == ["payload_set_aside"]


@pytest.mark.parametrize("turn", range(6))
async def test_our_own_words_find_their_message_by_the_name_whatever_came_first(
    db, store, now, turn
):
    """All of it in pages of their own: what is said finds what left, and what left finds it."""
    parts = [
        asked(now, order=None, key=None),
        sent(now, delivery=Delivery.UNKNOWN),
        copied(now, text=f"To Ada: {ANSWER}", order=None, key=None),
    ]
    for part in list(itertools.permutations(parts))[turn]:
        await store(part)

    assert await clock(db) == ("met", "A1")
    assert await how(db, "A1") == "confirmed"
    assert not await db.fetchval("select count(*) from set_aside")


@pytest.mark.parametrize("turn", range(6))
async def test_a_refusal_by_name_finds_its_message_whatever_came_first(db, store, now, turn):
    said = refused(now, order=None, key=None, text="Not sent: to Ada")
    parts = [asked(now), sent(now), said]
    for part in list(itertools.permutations(parts))[turn]:
        await store(part)

    assert await clock(db) == (None, None)
    assert await how(db, "A1") == "refused"


@pytest.mark.parametrize(("minutes", "stops"), [(70, None), (200, "C1")])
async def test_a_copy_soon_after_something_was_done_about_its_order_ends_no_waiting(
    db, store, now, minutes, stops
):
    await store(asked(now))
    await deeds.begin(db, "mk", "1", "solicitation", now - minutes * MINUTE)

    await store(copied(now, text="To Ada: please rate us, it means a lot."))

    assert (await clock(db))[1] == stops


async def test_one_refusal_in_two_letters_refuses_one_reply(db, store, now):
    await store(asked(now), sent(now, "A1", minutes=100), sent(now, "A2", minutes=57))
    words = "Your message to Ada was not delivered."
    for id_ in ("N1", "N2"):
        await store(refused(now, id_, text=words))

    assert (await how(db, "A1"), await how(db, "A2")) == ("accepted", "refused")
    assert await clock(db) == ("met", "A1")
    assert not await db.fetchval("select count(*) from set_aside")


def test_what_is_looked_for_by_name_reaches_as_far_as_judging_does():
    assert (verdicts.BACK, verdicts.AHEAD) == (LAG, SKEW)


# A person is told


@pytest.mark.parametrize("what", [refused, copied])
async def test_what_no_verdict_can_mean_is_set_aside_and_told_once(db, store, now, what):
    for _ in range(2):
        await store(what(now, order="unknown", key="nobody"))

    (row,) = await db.fetch("select stream, source_id, reason, raw from set_aside")
    assert row["stream"] == judging.JUDGED
    assert row["reason"].startswith("unclear: ")
    assert ANSWER.encode() not in row["raw"]
    assert [kind for kind, _ in await told(db)] == ["payload_set_aside"]


async def test_of_what_was_said_before_we_watched_nobody_is_told(db, store, now):
    await db.execute("update account set monitored_since = $1", now)
    await store(refused(now), copied(now, order="2"))

    assert await db.fetchval("select count(*) from set_aside") == 2
    assert await told(db) == []


async def test_where_several_threads_fit_all_are_refused_and_a_person_is_told(db, store, now):
    await store(asked(now), asked(now, "T2"), sent(now), sent(now, "A2", "T2"))
    await store(refused(now))

    assert (await how(db, "A1"), await how(db, "A2")) == ("refused", "refused")
    kinds = sorted(kind for kind, _ in await told(db))
    assert kinds == ["payload_set_aside", "reply_refused", "reply_refused"]


async def test_verdicts_of_an_account_that_declares_none_are_set_aside(pool, db, now):
    told_ = merged([asked(now), sent(now), refused(now)])
    async with transaction(pool) as other:
        stored = await ingest.page(other, seeds.rules(), "mk", told_, now, None)

    assert [item.reason.split(":")[0] for item in stored.aside] == ["undeclared"]
    assert await clock(db) == ("met", "A1")


# Replies written here


class Shop:
    """Accepts every reply as *message_id*."""

    def __init__(self, message_id):
        self.message_id = message_id

    async def check(self): ...

    async def fetch(self, stream, cursor, position, now):
        return Page()

    async def reply(self, thread, draft, now):
        return Sent(self.message_id)


@pytest.fixture
def replied(pool, rules, now, db):
    async def send(message_id="A1"):
        async with transaction(pool) as other:
            number = await answering.queue(other, "mk", "T1", ANSWER, BUYER, now)
        reader = Reader(seeds.account(), Shop(message_id), {"s": Stream("s", MINUTE)}, "mk")
        await reply.once(pool, {"mk": reader}, rules, Metrics(), now)
        return number

    return send


async def state(db):
    return tuple(await db.fetchrow("select state, reason, message_id from reply"))


async def test_a_refused_reply_is_told_like_any_other_and_its_clock_runs_on(
    db, store, replied, now
):
    await store(asked(now))
    await replied()
    assert await state(db) == ("accepted", None, "A1")

    await store(refused(now, minutes=-5))

    assert await state(db) == ("refused", "refused_later", "A1")
    assert await clock(db) == (None, None)
    number = await db.fetchval("select id from clock")
    assert await told(db) == [("reply_refused", f"{number}/refused/A1")]


async def test_a_refusal_that_was_read_before_the_reply_was_accepted_is_not_lost(
    db, store, replied, now
):
    await store(asked(now))
    await store(refused(now, message="A1", minutes=0))
    await replied()

    assert (await state(db))[0] == "refused"
    assert await clock(db) == (None, None)
    assert [kind for kind, _ in await told(db) if kind == "reply_refused"] == ["reply_refused"]


async def test_a_refused_reply_that_ended_no_clock_is_told_too(db, store, replied, now):
    await store(asked(now), sent(now, "A0", delivery=Delivery.CONFIRMED))
    await replied()
    await store(refused(now, message="A1", minutes=-1))

    assert await clock(db) == ("met", "A0")
    assert await told(db) == [("reply_refused", "0/refused/A1")]


async def test_a_copy_confirms_a_reply_and_a_later_refusal_takes_it_back(db, store, replied, now):
    await store(asked(now))
    await replied()
    await store(copied(now, minutes=-2))
    assert await state(db) == ("confirmed", None, "A1")

    await store(refused(now, minutes=-30, message="A1"))

    assert (await state(db))[0] == "refused"
    assert await clock(db) == (None, None)


# Any order


def letters(now, chance):
    """Invented letters about one or two orders of some buyers, as atoms of pages."""
    found = []
    for number in range(chance.randint(1, 3)):
        order, key = chance.choice(["1", "1", "2", None]), chance.choice(["k1", "k1", "k2"])
        name = chance.choice(["Ada", "Bo Li", ""])
        found.append(
            asked(now, f"T{number}", hours=chance.randint(3, 30), order=order, key=key, name=name)
        )
    for made in range(1, chance.randint(2, 7)):
        thread_ = f"T{chance.randint(0, 3)}"
        minutes = chance.choice([300, 200, 130, 60, 58, 20, 1])
        order = chance.choice(["1", "1", "2", None])
        key = (
            chance.choice(["k1", "k1", "k2", None]) if order else chance.choice(["k1", None, None])
        )
        named = chance.choice(["To Ada", "To Bo Li", ""])
        kind = chance.choice("sscrrm")
        if kind == "s":
            body = chance.choice([ANSWER, f"{ANSWER} {made}", "ok"])
            how = chance.choice([Delivery.ACCEPTED, Delivery.CONFIRMED, Delivery.UNKNOWN])
            found.append(sent(now, f"A{made}", thread_, minutes=minutes, body=body, delivery=how))
        elif kind == "c":
            text = chance.choice([f"{named}: {ANSWER}", f"{named}: ok", named])
            found.append(copied(now, f"C{made}", minutes=minutes, text=text, order=order, key=key))
        else:
            message = f"A{chance.randint(1, 6)}" if kind == "m" else None
            found.append(
                refused(now, f"N{made}", minutes=minutes, order=order, key=key, message=message,
                        text=named)
            )  # fmt: skip
    return found


async def outcome(db):
    aside = "select source_id, reason from set_aside order by 1"
    words = "select id, unclear from verdict order by id"
    return [[tuple(row) for row in await db.fetch(sql)] for sql in (ROWS, CLOCKS, words, aside)]


async def play(pool, rules, now, parts):
    """Store *parts*, each a page, in an empty database; what it comes to."""
    async with pool.acquire() as db:
        await db.execute(EMPTIED)
        await seeds.put_account(db, now)
        for part in parts:
            async with transaction(pool) as other:
                await ingest.page(other, rules, "mk", merged(part), now, None)
        return await outcome(db)


async def test_whatever_order_letters_come_in_the_rows_and_clocks_are_the_same(pool, rules, now):
    asyncio.get_running_loop().set_debug(False)
    for seed in range(60):
        chance = random.Random(seed)
        atoms = letters(now, chance)
        expected = await play(pool, rules, now, [atoms])
        for _ in range(3):
            mixed = [*atoms, chance.choice(atoms)]
            chance.shuffle(mixed)
            parts = []
            while mixed:
                size = chance.randint(1, 3)
                parts.append(mixed[:size])
                mixed = mixed[size:]
            assert await play(pool, rules, now, parts) == expected, seed
            async with pool.acquire() as db:
                assert await seeds.wrong_alarms(db) == {}, seed


async def test_pages_stored_at_once_by_several_come_to_the_same(pool, rules, now):
    asyncio.get_running_loop().set_debug(False)
    for seed in range(15):
        atoms = letters(now, random.Random(seed))
        expected = await play(pool, rules, now, [atoms])
        await play(pool, rules, now, [])

        async def put(atom):
            async with transaction(pool) as other:
                await ingest.page(other, rules, "mk", atom, now, None)

        await asyncio.gather(*(put(atom) for atom in atoms))
        async with pool.acquire() as db:
            assert await outcome(db) == expected, seed


class Each(Shop):
    """Accepts every reply, each under an id of its own."""

    async def reply(self, thread, draft, now):
        await asyncio.sleep(0)
        return Sent(f"A-{draft.thread}")


async def test_replies_pages_and_recomputing_at_once_lock_in_one_order(pool, rules, now, db):
    """All in one order's threads: each transaction holds several, and none waits in a circle."""
    asyncio.get_running_loop().set_debug(False)
    ids = [f"T{n}" for n in range(5)]

    async def put(atom):
        async with transaction(pool) as other:
            await ingest.page(other, rules, "mk", atom, now, None)

    async def answered():
        reader = Reader(seeds.account(), Each("?"), {"s": Stream("s", MINUTE)}, "mk")
        for _ in range(2):
            await reply.once(pool, {"mk": reader}, rules, Metrics(), now)

    await put(merged([asked(now, id_) for id_ in ids]))
    async with transaction(pool) as other:
        for id_ in ids:
            await answering.queue(other, "mk", id_, f"{ANSWER} {id_}", BUYER, now)
    said = [refused(now, f"N{n}", minutes=-1) for n in range(3)]
    said += [copied(now, f"C{n}", minutes=-1, text=f"{ANSWER} T{n}") for n in range(3)]
    said += [sent(now, f"A-{id_}", f"case:{id_}", minutes=0, body=ANSWER) for id_ in ids]
    again = [ingest.recompute_all(pool, rules, "mk", ids, now) for _ in range(3)]
    await asyncio.gather(answered(), *again, *map(put, said))

    letters_ = await db.fetch(
        "select id, thread, origin from message where id like 'A-%' order by id"
    )
    assert [tuple(row) for row in letters_] == [(f"A-{id_}", id_, "ours") for id_ in ids]
    states = await db.fetch(
        "select r.state = coalesce(m.judged, m.delivery) from reply r join message m"
        " on m.id = r.message_id"
    )
    assert [row[0] for row in states] == [True] * 5


# What is stored of it


async def test_a_page_whose_verdicts_are_stored_is_unchanged_and_one_with_another_is_not(
    pool, store, rules, now
):
    told_ = merged([asked(now), sent(now), copied(now)])
    async with pool.acquire() as other:
        assert await ingest.unchanged(other, "mk", replace(told_, messages=(), threads=())) is None
        await store(told_)
        assert await ingest.unchanged(other, "mk", told_) is not None
        (verdict,) = told_.verdicts
        newer = replace(told_, verdicts=(replace(verdict, order_id="2"),))
        assert await ingest.unchanged(other, "mk", newer) is None


async def test_nothing_is_lost_where_a_page_is_stored_in_halves(db, store, now):
    bad = buyer(UNINDEXABLE, now, "T9")
    await store(asked(now), sent(now), refused(now), page(bad))

    assert await how(db, "A1") == "refused"
    assert await clock(db) == (None, None)


async def test_a_verdict_with_words_that_cannot_be_stored_is_set_aside(db, store, now):
    told_ = refused(now, order="1\0")
    stored = await store(asked(now), sent(now), told_)

    assert [item.source_id for item in stored.aside] == ["N1"]
    assert await clock(db) == ("met", "A1")


async def test_what_is_forgotten_holds_no_words_and_still_counts(pool, db, store, now):
    await store(asked(now), sent(now), refused(now))
    await store(asked(now, "T2", order="2", key="k2"), copied(now, order="2", key="k2"))
    before = await db.fetch(CLOCKS)

    async with transaction(pool) as other:
        await verdicts.forget(other, "mk", ["T1", "T2"])

    assert not await db.fetchval("select count(*) from verdict where body <> ''")
    assert not await db.fetchval("select count(*) from about")
    await store(refused(now), copied(now, order="2", key="k2"), sent(now, "A9", minutes=1))
    stopped = [row["stopped_by"] for row in await db.fetch(CLOCKS)]
    assert stopped == ["A9", before[1]["stopped_by"]]
    assert await how(db, "A1") == "refused"


async def test_accounts_without_verdicts_ask_the_database_nothing_more(pool, db, now):
    asked_ = []
    rules = seeds.rules()
    async with transaction(pool) as other:
        other.add_query_logger(lambda record: asked_.append(record.query))
        await ingest.page(other, rules, "mk", merged([asked(now), sent(now)]), now, None)

    about = [sql for sql in asked_ if any(word in sql for word in ("verdict", "about", "link"))]
    assert about == []


# Our own letters, read back from the folder of sent ones


class Lost(Shop):
    """May have sent it, under the id that it names."""

    async def reply(self, thread, draft, now):
        raise OutcomeUnknown("no answer after DATA", message_id=self.message_id)


@pytest.fixture
def looked(pool, rules, now, db):
    """One round of the loop that sends and finds replies, of what is due by then."""

    async def go(shop, at=None):
        await db.execute("update reply set next_try_at = now() where next_try_at < 'infinity'")
        reader = Reader(seeds.account(), shop, {"s": Stream("s", MINUTE)}, "mk")
        await reply.once(pool, {"mk": reader}, rules, Metrics(), at or now)

    return go


@pytest.fixture
def queued(pool, now, db):
    async def put():
        async with transaction(pool) as other:
            return await answering.queue(other, "mk", "T1", ANSWER, BUYER, now)

    return put


async def ours(db):
    sql = "select id, thread, origin, delivery from message where party = 'seller' order by id"
    return [tuple(row) for row in await db.fetch(sql)]


async def test_our_letter_read_back_is_one_message_and_stays_in_its_thread(
    db, store, queued, looked, now
):
    await store(asked(now))
    await queued()
    await looked(Shop("A1"))
    there = now - MINUTE / 60

    letter = seller("A1", there, "case:inferred", body=f"{ANSWER}\n\n> ?", delivery="accepted")
    for _ in range(2):
        await store(page(letter), at=now + MINUTE)

    assert await ours(db) == [("A1", "T1", "ours", "accepted")]
    assert await clock(db) == ("met", "A1")
    assert await db.fetchval("select stopped_at from clock") == there


@pytest.mark.parametrize("outcome", [Sent("A1"), OutcomeUnknown("?", message_id="A1")])
async def test_our_letter_that_is_read_before_the_answer_comes_stays_in_its_thread_too(
    db, store, queued, looked, now, outcome
):
    class Quick(Shop):
        async def reply(self, thread, draft, at):
            await store(page(seller("A1", at, "case:inferred", body=ANSWER, delivery="accepted")))
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

    await store(asked(now))
    await queued()
    await looked(Quick("A1"))

    assert await ours(db) == [("A1", "T1", "ours", "accepted")]
    assert await clock(db) == ("met", "A1")


@pytest.mark.parametrize("known", ["A1", None])
async def test_a_letter_of_which_nobody_knew_is_found_and_never_sent_again(
    db, store, queued, looked, now, known
):
    shop = Lost(known)
    await store(asked(now))
    await queued()
    await looked(shop)
    assert (await state(db))[0] == "unknown"
    assert await clock(db) == (None, None)
    assert [kind for kind, _ in await told(db)] == ["reply_unknown"]

    await store(sent(now, "A1", minutes=-1), at=now + 2 * MINUTE)
    await looked(shop, now + 2 * MINUTE)

    assert await ours(db) == [("A1", "T1", "ours", "accepted")]
    assert await state(db) == ("accepted", None, "A1")
    assert await clock(db) == ("met", "A1")

    await store(copied(now, minutes=-3))
    assert await state(db) == ("confirmed", None, "A1")
    assert [kind for kind, _ in await told(db)] == ["reply_unknown"]


async def test_the_marketplaces_copy_finds_a_letter_of_which_nobody_knew(
    db, store, queued, looked, now
):
    await store(asked(now))
    await queued()
    await looked(Lost("A1"))

    await store(copied(now, minutes=-1))

    assert await state(db) == ("confirmed", None, "A1")
    assert await clock(db) == ("met", "A1")
    assert await ours(db) == [
        ("A1", "T1", "ours", "unknown"), ("C1", "about-C1", "elsewhere", "confirmed"),
    ]  # fmt: skip
