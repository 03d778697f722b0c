"""An answer is a note that the shop mails: sent once, read back where nobody knows."""

from __future__ import annotations

import pytest

from connectors.webstore import spec
from connectors.webstore.woocommerce import offer
from core.errors import OutcomeUnknown, Refused
from core.model import File
from sla.clock import Delivery, Kind
from sla.policy import Party


@pytest.fixture
async def order(shop):
    return shop.add_order("Is it <really> blue?")


@pytest.fixture
async def thread(order, read):
    return (await read()).threads[str(order.id)]


async def test_trap_13_an_answer_is_mailed_to_the_buyer_by_a_person(
    shop, order, woocommerce, thread, draft, clock, read
):
    sent = await woocommerce.reply(thread, draft("Yes, it is.", order.id), clock.now)

    assert [(one.recipient, one.text) for one in shop.letters] == [
        ("ada@buyers.example", "Yes, it is."),
    ]  # fmt: skip
    found = (await read()).messages[sent.message_id]
    assert (found.party, found.kind, found.delivery, set(found.to)) == (
        Party.SELLER, Kind.MESSAGE, Delivery.CONFIRMED, {Party.BUYER},
    )  # fmt: skip


async def test_nothing_in_an_answer_becomes_html_and_it_is_read_back_as_it_was(
    shop, order, woocommerce, thread, draft, clock, read
):
    body = "1 < 2 & <b>bold</b>\n\nsecond line"
    sent = await woocommerce.reply(thread, draft(body, order.id), clock.now)

    assert "<b>" not in shop.letters[0].text
    assert (await read()).messages[sent.message_id].body == body


async def test_trap_13_what_was_taken_as_an_internal_note_reached_nobody(
    sandbox, order, woocommerce, thread, draft, clock
):
    sandbox.faults.order("missing", field="customer_note", operation="create_note")

    with pytest.raises(Refused, match="the buyer got nothing"):
        await woocommerce.reply(thread, draft("Yes.", order.id), clock.now)


async def test_an_answer_of_which_nobody_knows_is_found_by_a_look(
    sandbox, shop, order, woocommerce, thread, draft, clock
):
    sandbox.faults.order("status", status=502, operation="create_note", after_work=True, count=1)
    with pytest.raises(OutcomeUnknown):
        await woocommerce.reply(thread, draft("Yes, it is.", order.id), clock.now)

    page = await woocommerce.look([str(order.id)], clock.now)

    assert "Yes, it is." in {m.body for m in page.messages if m.kind is Kind.MESSAGE}
    assert len(shop.letters) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"body": ""},
        {"body": "x" * (offer.LONGEST + 1)},
        {"body": "x", "to": frozenset({Party.MARKETPLACE})},
        {"body": "x", "files": (File("a.png", b"x"),)},
    ],
)
async def test_what_cannot_be_sent_is_refused_and_nothing_leaves(
    sandbox, order, woocommerce, thread, draft, clock, more
):
    with pytest.raises(Refused):
        await woocommerce.reply(thread, draft(more.pop("body"), order.id, **more), clock.now)
    assert "create_note" not in {one.operation for one in sandbox.heard}


def test_an_order_without_an_address_cannot_be_answered(thread):
    nobody = thread.model_copy(update={"reply_to": {"kind": "woocommerce"}})

    assert spec.refuses(thread, {Party.BUYER}) is None
    assert "names no mail address" in spec.refuses(nobody, {Party.BUYER})
    assert "nobody to answer but the buyer" in spec.refuses(thread, {Party.MARKETPLACE})
