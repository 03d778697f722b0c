"""Answering a buyer by mail: one letter, to whom the thread says, known when it comes back."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest

from connectors.webstore import spec
from connectors.webstore.mailbox import answering, joining, sorts
from core.errors import OutcomeUnknown, Refused
from core.model import Draft, File, Thread
from core.stage import walk
from sla.clock import Delivery, Kind
from sla.policy import Party
from tests.connectors.webstore.mailbox.letters import (
    ANA,
    MINUTE,
    NOON,
    QUESTION,
    SUPPORT,
    form,
    letter,
    options,
)  # fmt: skip
from tests.connectors.webstore.mailbox.post import opened_shop

MAIL = "mail"
BODY = "Hello,\n\nit comes on Monday. 🐢\n\nYour shop"


@pytest.fixture
async def shop():
    async with opened_shop() as shop:
        yield shop


@pytest.fixture
def desk(shop):
    return shop.opened(sender_name="Example Shop")


@pytest.fixture
async def asked(shop, desk):
    """The thread of a question with letters before it, as core knows it."""
    told = {"In_Reply_To": "<n7@shop.example>", "References": "<n1@shop.example> <n7@shop.example>"}
    await shop.put(letter(id_="q1@mail.example", subject="Lamp", **told))
    found = await walk(desk, MAIL, None, NOON)
    (thread,) = found.threads.values()
    return thread


def draft(body=BODY, *, to=(Party.BUYER,), number=17, thread="mail:x", **more):
    return Draft(id=number, account="a", thread=thread, body=body, to=to, queued_at=NOON, **more)


def read(raw):
    return message_from_bytes(raw, policy=default)


async def test_an_answer_is_one_letter_in_the_buyers_conversation(shop, desk, asked):
    sent = await desk.reply(asked, draft(thread=asked.id, quoted=QUESTION), NOON)

    (taken,) = shop.server.taken
    left = read(taken.raw)
    assert (taken.sender, taken.recipients) == (SUPPORT, (ANA,))
    assert left["From"] == f"Example Shop <{SUPPORT}>"
    assert left["Subject"] == "Re: Lamp"
    assert left["In-Reply-To"] == "<q1@mail.example>"
    named = "<n1@shop.example> <n7@shop.example> <q1@mail.example>"
    assert " ".join(left["References"].split()) == named
    assert left["Message-ID"] == f"<{sent.message_id}>"
    assert sent.message_id.endswith("@shop.example")
    assert left["Auto-Submitted"] is None
    assert left["Reply-To"] is None
    assert left.get_content().splitlines() == [*BODY.splitlines(), "", f"> {QUESTION}"]


async def test_an_answer_to_a_form_goes_to_the_buyer_and_not_to_the_shop(shop, desk):
    await shop.put(form())
    (thread,) = (await walk(desk, MAIL, None, NOON)).threads.values()

    await desk.reply(thread, draft(thread=thread.id), NOON)

    assert shop.server.taken[0].recipients == (ANA,)


async def test_a_copy_is_kept_and_is_the_same_message(shop, desk, asked):
    """The copy has our id: core knows it by that, and counts it once."""
    sent = await desk.reply(asked, draft(thread=asked.id), NOON)
    assert len(await shop.kept()) == 1

    found = await walk(desk, MAIL, None, NOON + MINUTE)

    left = found.messages[sent.message_id]
    assert (left.thread, left.kind, left.to) == (asked.id, Kind.MESSAGE, {Party.BUYER})
    assert left.delivery is Delivery.ACCEPTED
    assert len(found.messages) == 2


async def test_no_copy_is_made_where_the_provider_keeps_one(shop, asked):
    await shop.opened(saves_sent=True).reply(asked, draft(thread=asked.id), NOON)

    assert await shop.kept() == []


async def test_the_thread_stands_in_the_id_and_where_it_may_in_the_address(shop, asked):
    """So that an answer is known whatever a mail program leaves of the letter."""
    sent = await shop.opened(plus_address=True).reply(asked, draft(thread=asked.id), NOON)

    token = asked.id.removeprefix(joining.PREFIX)
    left = read(shop.server.taken[0].raw)
    assert sorts.own_token([sent.message_id]) == token
    assert left["Reply-To"].endswith(f"support+{token}@shop.example")


async def test_files_go_along(shop, desk, asked):
    files = (File("label.pdf", b"%PDF", "application/pdf"),)

    await desk.reply(asked, draft(thread=asked.id, files=files), NOON)

    (file,) = read(shop.server.taken[0].raw).iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("label.pdf", b"%PDF")


async def test_an_unknown_outcome_names_the_letter_and_nothing_is_sent_twice(shop, desk, asked):
    shop.server.faults.order("smtp_drop_after_data", 1)

    with pytest.raises(OutcomeUnknown) as caught:
        await desk.reply(asked, draft(thread=asked.id), NOON)

    assert sorts.own_token([caught.value.message_id])
    assert len(shop.server.taken) == 1


def test_an_id_is_the_same_for_the_same_draft_and_no_other():
    thread = Thread(id="mail:0123456789abcdef", as_of=NOON, reply_to={"address": ANA})

    def id_(**more):
        return answering.letter(thread, draft(**more), options(), NOON).message_id

    assert id_() == id_(body="Other words")
    assert id_() != id_(number=18)


@pytest.mark.parametrize("to", [set(), {Party.MARKETPLACE}, {Party.BUYER, Party.MARKETPLACE}])
def test_nobody_but_the_buyer_is_answered(to):
    thread = Thread(id="mail:x", as_of=NOON, reply_to={"kind": "mailbox", "address": ANA})

    assert "only the buyer" in spec.refuses(thread, to)
    with pytest.raises(Refused):
        answering.letter(thread, draft(to=to), options(), NOON)


def test_a_thread_without_an_address_is_refused_beforehand():
    thread = Thread(id="mail:x", as_of=NOON, reply_to={"kind": "mailbox"})

    assert "no address" in spec.refuses(thread, {Party.BUYER})


def test_whatever_a_buyer_calls_himself_no_header_comes_of_it():
    hostile = {"kind": "mailbox", "address": ANA, "message_id": "a>\r\nBcc: <b@x.example",
               "references": "<a> b@c.example"}  # fmt: skip
    subject = "Lamp\r\nBcc: eve@mail.example"
    thread = Thread(id="mail:x", as_of=NOON, subject=subject, reply_to=hostile)
    from core.transport import outgoing  # noqa: PLC0415  # used here alone

    raw = outgoing.composed(answering.letter(thread, draft(), options(), NOON))

    left = read(raw)
    assert left["Bcc"] is None
    assert left["In-Reply-To"] is None
