"""Automatic acknowledgements: what is due, that it goes once whatever dies and ends nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import ingest, reply
from core.arrival import acknowledging
from core.arrival.acknowledging import AGAIN, MOST, RECENT, Case, decided, kept_back
from core.connector import Sent
from core.desk import answering
from core.errors import BadCredentials, OutcomeUnknown, Unreachable
from core.labels import ACKNOWLEDGED, QUEUED
from core.measuring.facts import Names
from core.metrics import Metrics
from core.model import Message, Page, Stream, Thread
from core.reading.walk import Reader
from core.rules import Acknowledging
from core.store import acknowledgements, buyers, messages, transaction
from sla.calendar import Calendar, Span
from sla.clock import Delivery, Kind
from sla.policy import Party
from tests.core import seeds

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
HOURS = Calendar("UTC", dict.fromkeys(range(5), (Span(time(9), time(17)),)))
NIGHT = datetime(2026, 11, 23, 20, tzinfo=UTC)
"""A Monday evening: closed since 17 o'clock."""
MORNING = datetime(2026, 11, 24, 9, tzinfo=UTC)
TERMS = Acknowledging(HOURS, "We have your message.\n\nThe shop", "Automatic reply")
BUYER, SELLER = Party.BUYER, Party.SELLER
DAY = 24 * HOUR


# What is due: pure.

DUE = Case(at=NIGHT)


def test_a_waiting_that_began_just_now_is_acknowledged():
    assert decided(DUE, HOURS, NIGHT + MINUTE) == QUEUED


@pytest.mark.parametrize(
    ("case", "at", "word"),
    [
        (Case(at=MORNING - MINUTE), MORNING, "opened"),
        (DUE, NIGHT + RECENT + MINUTE, "late"),
        (DUE, NIGHT - MINUTE, "late"),
        (replace(DUE, shut=True), NIGHT, "closed"),
        (replace(DUE, doubtful=True), NIGHT, "doubtful"),
        (replace(DUE, beside=True), NIGHT, "repeated"),
        (replace(DUE, lately=MOST), NIGHT, "crowded"),
        (replace(DUE, last_at=NIGHT - 30 * DAY), NIGHT, "repeated"),
        (replace(DUE, last_at=NIGHT - HOUR, answered_at=NIGHT - MINUTE), NIGHT, "repeated"),
        (replace(DUE, last_at=NIGHT - 2 * DAY, answered_at=NIGHT - 3 * DAY), NIGHT, "repeated"),
        (replace(DUE, last_at=NIGHT - AGAIN, answered_at=NIGHT - HOUR), NIGHT, QUEUED),
    ],
)
def test_each_reason_not_to_has_its_word(case, at, word):
    assert decided(case, HOURS, at) == word


def around(begin, end):
    return st.timedeltas(begin, end).map(lambda length: NIGHT - length)


seldom = st.sampled_from([False, False, False, True])
cases = st.builds(
    Case,
    around(-MINUTE, RECENT + MINUTE),
    seldom,
    seldom,
    st.none() | around(HOUR, 3 * DAY),
    st.none() | around(MINUTE, 3 * DAY),
    seldom,
    st.sampled_from([0, 1, MOST - 1, MOST]),
)


@given(cases, st.sampled_from([NIGHT, NIGHT, MORNING]))
def test_it_goes_out_where_nothing_speaks_against_it_and_nowhere_else(case, now):
    again = case.last_at is None or (
        case.answered_at is not None
        and case.last_at < case.answered_at
        and case.last_at + AGAIN <= now
    )
    due = (
        now == NIGHT
        and now - RECENT <= case.at <= now
        and not (case.doubtful or case.shut or case.beside)
        and case.lately < MOST
        and again
    )

    word = decided(case, HOURS, now)

    assert word in ACKNOWLEDGED
    assert (word == QUEUED) == due


@pytest.mark.parametrize(
    ("hours", "at", "answered_at", "shut", "word"),
    [
        (HOURS, NIGHT + MINUTE, None, False, None),
        (HOURS, NIGHT + MINUTE, NIGHT - MINUTE, False, None),
        (None, NIGHT + MINUTE, None, False, "opened"),
        (HOURS, MORNING, None, False, "opened"),
        (HOURS, NIGHT + RECENT + MINUTE, None, False, "late"),
        (HOURS, NIGHT + MINUTE, None, True, "closed"),
        (HOURS, NIGHT + MINUTE, NIGHT, False, "answered"),
    ],
)
def test_it_is_looked_at_once_more_before_it_leaves(hours, at, answered_at, shut, word):
    assert kept_back(hours, NIGHT, answered_at, at, shut=shut) == word


# What is stored, and what leaves.


class Post:
    """A connector that answers by letters, and raises what it is told to."""

    def __init__(self):
        self.left, self.fault = [], None

    async def check(self):
        pass

    async def fetch(self, stream, cursor, position, now):
        return Page(cursor="c")

    async def reply(self, thread, draft, now):
        if self.fault is not None:
            raise self.fault
        self.left.append(draft)
        return Sent(f"ack-{draft.id}")


@pytest.fixture
def rules():
    made = seeds.rules(policies={"mk": (seeds.policy(role="goal", calendar=HOURS),)})
    return replace(made, acknowledging={"mk": TERMS})


@pytest.fixture
async def desk(pool, rules):
    async with transaction(pool) as db:
        await buyers.make_secret(db)
        await seeds.put_account(db, NIGHT)
    return Desk(pool, rules)


def asked(name="M1", at=NIGHT, thread="T1", *, mail="ana@mail.example", **more):
    """A page with a buyer's message."""
    state = {"closed_at": more.pop("closed_at", None)}
    told = {"mail": mail} if mail else {}
    more = {"party": BUYER, "sent_at": at, "body": "Where is it?", **more}
    message = Message(id=name, thread=thread, **more)
    return Page((message,), (Thread(id=thread, as_of=at, reply_to=told, **state),))


class Desk:
    def __init__(self, pool, rules):
        self.pool, self.rules, self.post, self.metrics = pool, rules, Post(), Metrics()
        self.metrics.declare(Names(acknowledging=(("empik", "mk"),)))

    async def take(self, page, now=None, *, sure=True):
        """Store *page*; what became of it."""
        now = now or max(m.sent_at for m in page.messages)
        async with transaction(self.pool) as db:
            stored = await ingest.page(db, self.rules, "mk", page, now, None, sure=sure)
        return stored.acknowledged

    async def answer(self, at, thread="T1", **more):
        """A person answers."""
        more = {"kind": Kind.MESSAGE, "delivery": Delivery.CONFIRMED, **more}
        message = Message(
            id=f"A{at.timestamp()}", thread=thread, party=SELLER, to={BUYER}, sent_at=at, **more
        )
        await self.take(Page((message,)), at)

    async def send(self, now=NIGHT, **more):
        """One round of the daemon's answering."""
        account = self.rules.accounts["mk"]
        readers = {"mk": Reader(account, self.post, {"mail": Stream("mail", MINUTE)}, "b")}
        await reply.once(self.pool, readers, self.rules, self.metrics, now, **more)

    async def fates(self):
        rows = await self.pool.fetch("select state, reason from reply order by id")
        return [tuple(row) for row in rows]

    async def clocks(self):
        rows = await self.pool.fetch("select ended, due_at from clock order by id")
        return [tuple(row) for row in rows]

    async def outcome(self, word):
        told = {"marketplace": "empik", "account": "mk", "outcome": word}
        return self.metrics.registry.get_sample_value("replyby_acknowledgements_total", told)


async def test_who_writes_at_night_is_told_once_that_it_arrived(desk):
    assert await desk.take(asked()) == (QUEUED,)
    await desk.send()
    await desk.send(NIGHT + MINUTE)

    (draft,) = desk.post.left
    assert (draft.automatic, draft.body, draft.subject) == (True, TERMS.text, TERMS.subject)
    assert (draft.quoted, draft.to) == (None, {BUYER})
    assert await desk.fates() == [("accepted", None)]
    assert await desk.outcome("sent") == 1


async def test_it_ends_no_waiting_and_moves_no_deadline(desk):
    await desk.take(asked())
    before = await desk.clocks()
    await desk.send()

    assert await desk.clocks() == before
    assert [ended for ended, _ in before] == [None]
    kind = await desk.pool.fetchval("select kind from message where party = 'seller'")
    assert kind == Kind.AUTOMATIC


async def test_while_it_is_open_nothing_is_said(desk):
    assert await desk.take(asked(at=MORNING)) == ()
    assert await desk.fates() == []


async def test_what_was_written_while_it_was_open_is_not_acknowledged_at_night(desk):
    """Read after closing: it began to wait while people were there."""
    closing = NIGHT - 3 * HOUR

    assert await desk.take(asked(at=closing - MINUTE), closing + MINUTE) == ()


async def test_a_second_message_is_not_acknowledged(desk):
    await desk.take(asked())

    assert await desk.take(asked("M2", NIGHT + MINUTE)) == ()
    assert len(await desk.fates()) == 1


async def test_what_joins_a_waiting_of_the_day_is_not_acknowledged(desk):
    await desk.take(asked(at=NIGHT - 5 * HOUR))

    assert await desk.take(asked("M2", NIGHT)) == ()


async def test_after_a_person_answered_the_next_evening_is_acknowledged_again(desk):
    await desk.take(asked())
    await desk.answer(NIGHT + 14 * HOUR)
    assert await desk.take(asked("M2", NIGHT + 23 * HOUR)) == ("repeated",)
    await desk.answer(NIGHT + 23 * HOUR + MINUTE)

    assert await desk.take(asked("M3", NIGHT + 25 * HOUR)) == (QUEUED,)


async def test_an_automatic_answer_is_no_persons(desk):
    await desk.take(asked())
    await desk.answer(NIGHT + HOUR, kind=Kind.AUTOMATIC)
    await desk.answer(NIGHT + 2 * HOUR, delivery=Delivery.REFUSED)
    async with transaction(desk.pool) as db:
        await db.execute("update clock set ended = 'void' where true")  # as if a mark had ended it

    assert await desk.take(asked("M2", NIGHT + 3 * DAY)) in {(), ("repeated",)}
    assert len(await desk.fates()) == 1


async def test_a_buyer_is_told_once_a_day_in_whatever_threads(desk):
    await desk.take(asked())

    assert await desk.take(asked("M2", NIGHT + HOUR, "T2")) == ("repeated",)
    assert await desk.take(asked("M3", NIGHT + HOUR, "T3", mail="ben@mail.example")) == (QUEUED,)
    assert await desk.take(asked("M4", NIGHT + 25 * HOUR, "T4")) == (QUEUED,)


async def test_two_threads_of_a_buyer_on_one_page_are_told_once(desk):
    one, two = asked(), asked("M2", NIGHT, "T2")
    page = Page(one.messages + two.messages, one.threads + two.threads)

    assert sorted(await desk.take(page)) == [QUEUED, "repeated"]


async def test_what_arrived_while_we_were_away_is_not_acknowledged(desk):
    assert await desk.take(asked(), NIGHT + 7 * DAY) == ("late",)


async def test_history_is_not_acknowledged(desk):
    """What came before the account was watched; it has a clock all the same."""
    async with transaction(desk.pool) as db:
        await db.execute("update account set monitored_since = $1", NIGHT + MINUTE)

    assert await desk.take(asked(), NIGHT + MINUTE) == ()


async def test_nothing_is_said_while_the_hosts_clock_is_not_believed(desk):
    assert await desk.take(asked(), sure=False) == ()


@pytest.mark.parametrize(
    ("page", "word"),
    [
        (asked(doubtful=True), "doubtful"),
        (asked(mail=""), "doubtful"),
        (asked(mail="noreply@mail.example"), "doubtful"),
        (asked(closed_at=NIGHT), "closed"),
    ],
)
async def test_what_must_not_be_answered_is_not(desk, page, word):
    assert await desk.take(page) == (word,)
    assert await desk.fates() == []


@pytest.mark.parametrize("kind", [Kind.AUTOMATIC, Kind.SYSTEM, Kind.INTERNAL])
async def test_what_no_buyer_wrote_is_not_acknowledged(desk, kind):
    assert await desk.take(asked(kind=kind)) == ()


async def test_a_robot_that_fills_a_form_makes_us_annoy_few(desk):
    pages = [asked(f"M{n}", NIGHT, f"T{n}", mail=f"b{n}@mail.example") for n in range(2 * MOST)]
    page = Page(
        tuple(m for p in pages for m in p.messages), tuple(t for p in pages for t in p.threads)
    )

    became = await desk.take(page)

    assert (became.count(QUEUED), became.count("crowded")) == (MOST, MOST)


async def test_two_daemons_that_store_at_once_queue_one(desk):
    await asyncio.gather(desk.take(asked()), desk.take(asked("M2", NIGHT, "T2")))

    assert len(await desk.fates()) == 1


async def test_several_accounts_at_once_acknowledge_alike(desk):
    async with transaction(desk.pool) as db:
        stored = await ingest.pages(db, desk.rules, {"mk": asked()}, NIGHT)

    assert stored["mk"].acknowledged == (QUEUED,)


# Between its queueing and its leaving.


@pytest.mark.parametrize(("at", "word"), [(MORNING, "opened"), (NIGHT + RECENT + MINUTE, "late")])
async def test_what_could_not_leave_in_time_does_not_leave(desk, at, word):
    await desk.take(asked())

    await desk.send(at)

    assert desk.post.left == []
    assert await desk.fates() == [("refused", word)]
    assert await desk.outcome(word) == 1
    assert await desk.pool.fetchval("select count(*) from notice") == 0


async def test_it_does_not_leave_once_a_person_has_answered(desk):
    await desk.take(asked())
    await desk.answer(NIGHT + MINUTE)

    await desk.send(NIGHT + 2 * MINUTE)

    assert await desk.fates() == [("refused", "answered")]


async def test_it_does_not_leave_once_the_settings_have_it_no_more(desk):
    await desk.take(asked())
    desk.rules = replace(desk.rules, acknowledging={})

    await desk.send()

    assert desk.post.left == []


async def test_it_does_not_leave_while_the_hosts_clock_is_not_believed(desk):
    await desk.take(asked())

    await desk.send(sure=False)

    assert desk.post.left == []


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (BadCredentials("the password is wrong"), "refused"),
        (OutcomeUnknown("cut off"), "unknown"),
        (RuntimeError("a bug"), "unknown"),
    ],
)
async def test_what_went_wrong_is_counted_told_nobody_and_not_tried_again(desk, fault, state):
    await desk.take(asked())
    desk.post.fault = fault
    await desk.send()
    desk.post.fault = None
    await desk.send(NIGHT + MINUTE)

    assert desk.post.left == []
    assert [each for each, _ in await desk.fates()] == [state]
    assert await desk.outcome(state) == 1
    assert await desk.pool.fetchval("select count(*) from notice") == 0
    assert [ended for ended, _ in await desk.clocks()] == [None]


async def test_a_server_that_is_away_gets_it_later_once(desk):
    await desk.take(asked())
    desk.post.fault = Unreachable("away")
    await desk.send()
    desk.post.fault = None
    await desk.pool.execute("update reply set next_try_at = now()")
    await desk.send(NIGHT + MINUTE)

    assert len(desk.post.left) == 1


async def test_a_persons_answer_does_not_wait_for_it(desk):
    """It waits for a server that was away; the answer leaves, and it does not any more."""
    await desk.take(asked())
    desk.post.fault = Unreachable("away")
    await desk.send()
    desk.post.fault = None
    async with transaction(desk.pool) as db:
        await answering.queue(db, "mk", "T1", "On Monday.", {BUYER}, NIGHT + MINUTE)
    await desk.send(NIGHT + MINUTE)
    assert [draft.body for draft in desk.post.left] == ["On Monday."]

    await desk.pool.execute("update reply set next_try_at = now() where automatic")
    await desk.send(NIGHT + 2 * MINUTE)

    assert await desk.fates() == [("refused", "answered"), ("accepted", None)]
    assert [ended for ended, _ in await desk.clocks()] == ["met"]


async def test_a_process_that_died_while_it_left_sends_it_never_again(desk):
    """What was `sending` is taken for unknown, and found by what is read."""
    await desk.take(asked())
    await desk.pool.execute(
        "update reply set state = 'sending', left_at = $1, message_id = 'reply:' || id,"
        " next_try_at = now()", NIGHT,
    )  # fmt: skip
    await desk.pool.execute(
        "insert into message (account, id, thread, party, kind, addressed_to, delivery, origin,"
        " sent_at, seen_at, body, hash) select 'mk', message_id, 'T1', 'seller', 'automatic',"
        " '{buyer}', 'sending', 'ours', $1, $1, body, '' from reply", NIGHT,
    )  # fmt: skip
    await desk.send(NIGHT + MINUTE)
    assert await desk.fates() == [("unknown", None)]

    found = Message(
        id="read", thread="T1", party=SELLER, kind=Kind.AUTOMATIC, to={BUYER}, body=TERMS.text,
        sent_at=NIGHT + MINUTE,
    )  # fmt: skip
    await desk.take(Page((found,)), NIGHT + 2 * MINUTE)
    await desk.pool.execute("update reply set next_try_at = now()")
    await desk.send(NIGHT + 3 * MINUTE)

    assert desk.post.left == []
    assert await desk.fates() == [("confirmed", None)]
    rows = await desk.pool.fetch("select id, kind, origin from message where party = 'seller'")
    assert [tuple(row) for row in rows] == [("read", "automatic", "ours")]
    assert [ended for ended, _ in await desk.clocks()] == [None]


async def test_a_persons_answer_of_the_same_words_is_not_taken_for_it(desk):
    await desk.take(asked())
    desk.post.fault = OutcomeUnknown("cut off")
    await desk.send()
    await desk.answer(NIGHT + MINUTE, body=TERMS.text)
    await desk.pool.execute("update reply set next_try_at = now()")
    await desk.send(NIGHT + 2 * MINUTE)

    assert [state for state, _ in await desk.fates()] == ["unknown"]
    assert [ended for ended, _ in await desk.clocks()] == ["met"]


async def test_only_the_first_message_of_a_waiting_counts(desk):
    """A policy that counts from the latest message moves its clock to each."""
    desk.rules = replace(
        desk.rules,
        policies={"mk": (seeds.policy(role="goal", calendar=HOURS, counts_from="latest"),)},
    )
    await desk.take(asked(at=NIGHT - 5 * HOUR))

    assert await desk.take(asked("M2")) == ()


async def test_nobody_knows_of_a_thread_that_is_gone(pool):
    async with transaction(pool) as db:
        assert await acknowledgements.is_shut(db, "mk", "T9")


def test_what_a_person_answered_is_known_by_kind_party_and_delivery():
    at = NIGHT

    def turn(**more):
        told = {"party": SELLER, "kind": Kind.MESSAGE, "to": {BUYER}, "sent_at": at,
                "delivery": Delivery.ACCEPTED, **more}  # fmt: skip
        return replace_seen(Message(id="x", thread="T", **told))

    assert acknowledging.answered_at([turn()]) == at
    for more in (
        {"party": BUYER}, {"kind": Kind.AUTOMATIC}, {"kind": Kind.INTERNAL}, {"to": set()},
        {"delivery": Delivery.REFUSED}, {"delivery": Delivery.SENDING},
    ):  # fmt: skip
        assert acknowledging.answered_at([turn(**more)]) is None


def replace_seen(message):
    """*message* as a stored turn."""
    return messages.turn(message, NIGHT + MINUTE)
