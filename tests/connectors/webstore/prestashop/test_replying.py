"""An answer is a letter that really goes out, and then a row that shows it (trap 13)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from defusedxml import ElementTree

from connectors.webstore import outbox, spec
from connectors.webstore.prestashop import answering, offer
from core.errors import BadCredentials, OutcomeUnknown, RateLimited, Refused, Unreachable
from core.model import File
from core.stage import walk
from core.transport.http import Limits
from sla.clock import Kind
from sla.policy import Party

WORDS = "It left today & arrives <tomorrow>, I promise.\nYours"


@pytest.fixture
def thread(shop, clock):
    order = shop.add_order("XKBKNABJK")
    return shop.open_thread("Where is it?", order=order, at=clock.now - timedelta(hours=1))


@pytest.fixture
async def stored(thread, read):
    """The thread as core keeps it."""
    return (await read()).threads[str(thread.id)]


async def sellers(connector, clock):
    found = await walk(connector, "messages", None, clock.now)
    return [m for m in found.messages.values() if m.party is Party.SELLER]


async def test_trap_13_the_buyer_gets_a_letter_and_the_back_office_a_row(
    sandbox, shop, thread, prestashop, stored, draft, clock
):
    answer = draft(WORDS, stored.id, quoted="Where is it?")
    sent = await prestashop.reply(stored, answer, clock.now)
    (letter,), (row,) = sandbox.letters, shop.written

    assert letter.recipients == ("ada@buyers.example",)
    assert letter.sender == "support@shop.example"
    assert letter.text == f"{WORDS}\n\n> Where is it?\n"
    assert (row.text, row.employee, row.private, row.thread.id) == (WORDS, 1, False, thread.id)
    (ours,) = await sellers(prestashop, clock)
    assert sent.message_id == ours.id
    assert ours.body == WORDS


async def test_the_subject_leads_the_buyers_answer_back_into_the_thread(
    sandbox, shop, thread, prestashop, stored, draft, clock
):
    await prestashop.reply(stored, draft("Sorry!", stored.id), clock.now)
    subject = sandbox.letters[0].subject
    came = shop.mail_comes(f"AW: {subject}", "Thank you")

    assert subject == f"Re: XKBKNABJK [#ct{thread.id}][#tc{thread.token}]"
    assert came is not None
    assert came.thread.id == thread.id


async def test_a_row_is_xml_as_the_webservice_takes_it(
    sandbox, thread, prestashop, stored, draft, clock
):
    await prestashop.reply(stored, draft("a ]]> b & <c>\r\nd", stored.id), clock.now)
    (call,) = [one for one in sandbox.heard if one.method == "POST"]
    told = ElementTree.fromstring(call.body)[0]

    assert call.path == "/shop/api/customer_messages"
    assert told.tag == "customer_message"
    assert {one.tag: one.text for one in told} == {
        "id_employee": "1",
        "id_customer_thread": str(thread.id),
        "message": "a ]]> b & <c>\r\nd",
        "private": "0",
        "read": "1",
    }


async def test_the_employee_of_the_settings_answers(shop, opened, stored, draft, clock):
    await opened(employee_id=7).reply(stored, draft("Sorry!", stored.id), clock.now)

    assert [one.employee for one in shop.written] == [7]


@pytest.mark.parametrize("habit", [{"answers_in_xml": True}, {"escapes": True}])
async def test_however_the_row_comes_back_it_is_the_one_that_is_read(
    shop, prestashop, stored, draft, clock, habit
):
    for name, value in habit.items():
        setattr(shop.habits, name, value)
    sent = await prestashop.reply(stored, draft("It's on its way & dry.", stored.id), clock.now)
    (ours,) = await sellers(prestashop, clock)

    assert sent.message_id == ours.id
    assert ours.body == "It's on its way & dry."


async def test_a_look_reads_the_answer_back_once(prestashop, stored, draft, clock):
    sent = await prestashop.reply(stored, draft("Sorry!", stored.id), clock.now)
    page = await prestashop.look([stored.id], clock.now)

    assert [m.id for m in page.messages if m.party is Party.SELLER] == [sent.message_id]


async def test_files_go_with_the_letter(sandbox, prestashop, stored, draft, clock):
    file = File("label.pdf", b"%PDF", "application/pdf")
    await prestashop.reply(stored, draft("Here.", stored.id, files=(file,)), clock.now)

    assert b"label.pdf" in sandbox.mail.taken[0].raw


# What fails


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("smtp_refuse_login", BadCredentials),
        ("smtp_refuse_sender", BadCredentials),
        ("smtp_refuse_recipient", Refused),
        ("smtp_refuse_data", Refused),
        ("smtp_limit", RateLimited),
        ("smtp_later", Unreachable),
        ("smtp_drop_after_data", OutcomeUnknown),
    ],
)
async def test_where_the_letter_did_not_surely_leave_no_row_says_that_it_did(
    sandbox, shop, prestashop, stored, draft, clock, fault, error
):
    sandbox.mail.faults.order(fault)

    with pytest.raises(error):
        await prestashop.reply(stored, draft("Sorry!", stored.id), clock.now)
    assert shop.written == []
    assert sandbox.calls("add") == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
async def test_where_the_row_fails_the_reply_is_accepted_and_a_person_is_told_once(
    sandbox, shop, prestashop, stored, draft, clock, status
):
    sandbox.faults.order("status", status=status, operation="add")
    sent = await prestashop.reply(stored, draft("Sorry!", stored.id, number=9), clock.now)
    pages = [await prestashop.fetch("messages", None, None, clock.now) for _ in range(2)]

    assert sent.message_id is None
    assert len(sandbox.letters) == 1
    assert len(sandbox.calls("add")) == 1
    (told,) = pages[0].set_aside
    assert told.source_id == "reply:9"
    assert told.reason.startswith("the answer was mailed, and may be missing in the shop's back")
    assert told.raw
    assert pages[1].set_aside == ()
    assert [
        m for m in pages[0].messages if m.kind is Kind.MESSAGE and m.party is Party.SELLER
    ] == []


async def test_a_row_whose_outcome_nobody_knows_is_not_written_twice_and_read_as_it_is(
    sandbox, shop, prestashop, stored, draft, clock
):
    sandbox.faults.order("reset", operation="add", count=1)
    sent = await prestashop.reply(stored, draft("It left today, promised.", stored.id), clock.now)
    found = await sellers(prestashop, clock)

    assert sent.message_id in {None, found[0].id}
    assert [one.body for one in found] == ["It left today, promised."]
    assert len(shop.written) == 1
    assert len(sandbox.letters) == 1


async def test_a_row_that_takes_long_does_not_make_the_letter_unknown(
    monkeypatch, sandbox, opened, stored, draft, clock
):
    monkeypatch.setattr(outbox, "SENDING", 0.5)
    sandbox.faults.order("slow", delay=3.0, operation="add")
    sent = await opened(limits=Limits(attempts=1)).reply(
        stored, draft("Sorry!", stored.id), clock.now
    )

    assert sent.message_id is None
    assert len(sandbox.letters) == 1


async def test_a_shop_that_does_not_take_the_words_is_told_after_the_letter_left(
    sandbox, shop, prestashop, stored, draft, clock
):
    sent = await prestashop.reply(stored, draft("Write <script> in it", stored.id), clock.now)

    assert sent.message_id is None
    assert len(sandbox.letters) == 1
    assert shop.written == []


# Before anything leaves


def test_a_thread_without_an_address_cannot_be_answered(stored):
    nobody = stored.model_copy(update={"reply_to": {"kind": "prestashop"}})

    assert spec.refuses(stored, {Party.BUYER}) is None
    assert "names no mail address" in spec.refuses(nobody, {Party.BUYER})
    assert "nobody to answer but the buyer" in spec.refuses(stored, {Party.MARKETPLACE})


@pytest.mark.parametrize(
    "more",
    [
        {"body": "x" * (offer.LONGEST + 1)},
        {"body": "x", "to": frozenset({Party.MARKETPLACE})},
        {"body": "x", "files": (File("a.png", url="https://shop.example/a.png"),)},
    ],
)
async def test_what_cannot_be_sent_is_refused_and_nothing_leaves(
    sandbox, prestashop, stored, draft, clock, more
):
    answer = draft(more.pop("body"), stored.id, **more)

    with pytest.raises(Refused):
        await prestashop.reply(stored, answer, clock.now)
    assert sandbox.letters == []
    assert sandbox.calls("add") == []


def test_no_token_no_tag(stored):
    nameless = stored.model_copy(update={"reply_to": {"mail": "a@b.example"}, "order_ids": ()})

    assert answering.subject(nameless) == f"Re: [#ct{stored.id}]"


async def test_ten_answers_at_once_are_ten_letters_and_ten_rows(
    sandbox, shop, prestashop, stored, draft, clock
):
    answers = [draft(f"Answer {number}", stored.id, number=number) for number in range(10)]
    sent = await asyncio.gather(*(prestashop.reply(stored, one, clock.now) for one in answers))

    assert len({one.message_id for one in sent}) == 10
    assert len(sandbox.letters) == len(shop.written) == 10


async def test_a_check_logs_in_where_letters_leave(sandbox, prestashop):
    sandbox.mail.faults.order("smtp_refuse_login")

    with pytest.raises(BadCredentials, match=r"user and password .* \(in the table mail\)"):
        await prestashop.check()
