"""What comes of letters goes into the database as it is, and its clocks run there."""

from __future__ import annotations

import pytest

from connectors.webstore import spec
from connectors.webstore.mailbox import answering, mapping, offer
from connectors.webstore.mailbox.memory import Memory
from core import ingest
from core.model import Draft, Message, Page
from core.store import transaction
from sla.clock import Delivery
from sla.policy import Party
from tests.connectors.webstore.mailbox.letters import (
    ANA,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    answer,
    arrival,
    bounce,
    form,
    letter,
    options,
    vacation,
)  # fmt: skip
from tests.core import seeds

CLOCKS = "select promise, ended, due_at, stopped_at from clock where account = 'mk' order by id"
ASKED = NOON - 2 * HOUR


@pytest.fixture
def rules():
    can = offer.can(options())
    says = {"judged": can.verdicts, "letters": can.letters, "confirmed_after": can.confirmed_after}
    return seeds.rules(policies={"mk": spec.goals(options())}, says=says)


@pytest.fixture
def stored(pool, rules):
    """Store letters, each in a page of its own; the clocks and how many messages there are."""

    async def put(*letters):
        memory = Memory()
        async with transaction(pool) as db:
            await seeds.put_account(db, NOON - DAY)
        for raw, at, role in letters:
            if isinstance(raw, Message):
                page = Page(messages=(raw,))
            else:
                page, memory = mapping.read([arrival(raw, at, role)], options(), memory)
            async with transaction(pool) as db:
                await ingest.page(db, rules, "mk", page, max(at, NOON), None)
        async with pool.acquire() as db:
            clocks = [tuple(row) for row in await db.fetch(CLOCKS)]
            return clocks, await db.fetchval("select count(*) from message")

    return put


QUESTION = (letter(id_="q1@mail.example"), ASKED, "inbox")
ANSWER = (answer(In_Reply_To="<q1@mail.example>"), ASKED + HOUR, "sent")


async def test_a_question_runs_for_a_day_from_its_arrival(stored):
    clocks, _ = await stored(QUESTION)

    assert clocks == [("webstore-mailbox-message", None, ASKED + DAY, None)]


async def test_trap_17_a_forms_question_runs_though_it_calls_itself_automatic(stored):
    clocks, _ = await stored((form(), ASKED, "inbox"))

    assert [ended for _, ended, *_ in clocks] == [None]


@pytest.mark.parametrize("turn", [1, -1])
async def test_an_answer_given_elsewhere_ends_it_whichever_is_read_first(stored, turn):
    clocks, _ = await stored(*[QUESTION, ANSWER][::turn])

    assert clocks == [("webstore-mailbox-message", "met", ASKED + DAY, ASKED + HOUR)]


async def test_trap_18_a_report_on_the_answer_lets_the_clock_go_on_from_its_start(stored):
    report = (bounce("a1@shop.example"), ASKED + HOUR + MINUTE, "inbox")

    clocks, _ = await stored(QUESTION, ANSWER, report)

    assert clocks == [("webstore-mailbox-message", None, ASKED + DAY, None)]


@pytest.mark.parametrize("turn", [1, -1])
async def test_a_report_counts_though_the_answer_is_read_after_it(stored, turn):
    """It is told by the id of a reply of ours."""
    told = mapping.read([arrival(QUESTION[0], ASKED)], options(), Memory())[0].threads[0]
    draft = Draft(id=7, account="mk", thread=told.id, body="x", queued_at=NOON)
    ours = answering.letter(told, draft, options(), NOON).message_id
    left = (answer(In_Reply_To="<q1@mail.example>", id_=ours), ASKED + HOUR, "sent")
    report = (bounce(ours), ASKED + HOUR + MINUTE, "inbox")

    clocks, _ = await stored(QUESTION, *[left, report][::turn])

    assert [ended for _, ended, *_ in clocks] == [None]


async def test_trap_18_a_vacation_reply_starts_no_clock(stored):
    away = (vacation("a1@shop.example"), ASKED + HOUR + MINUTE, "inbox")

    clocks, count = await stored(QUESTION, ANSWER, away)

    assert [ended for _, ended, *_ in clocks] == ["met"]
    assert count == 3


async def test_nobody_ends_a_clock_by_pretending_to_be_us(stored):
    pretended = letter("Solved.", sender="support@shop.example", to=ANA,
                       In_Reply_To="<q1@mail.example>", id_="x@evil.example")  # fmt: skip

    clocks, _ = await stored(QUESTION, (pretended, ASKED + HOUR, "inbox"))

    assert [ended for _, ended, *_ in clocks] == [None]


async def test_our_own_send_is_counted_once(stored):
    """Core knows it by its id as it left; the copy in the folder for sent letters has the same."""
    told = mapping.read([arrival(QUESTION[0], ASKED)], options(), Memory())[0].threads[0]
    ours = Message(
        id="a1@shop.example", thread=told.id, party=Party.SELLER, to=frozenset({Party.BUYER}),
        delivery=Delivery.ACCEPTED, origin="ours", sent_at=ASKED + HOUR, body="It comes.",
    )  # fmt: skip

    _, count = await stored(QUESTION, (ours, ASKED + HOUR, "sent"), ANSWER)

    assert count == 2
