"""An answer is a letter: BigCommerce's API takes no message."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.bigcommerce import offer
from core.errors import BadCredentials, OutcomeUnknown, RateLimited, Refused, Unreachable
from core.model import File
from sla.policy import Party


@pytest.fixture
async def stored(store, clock, read):
    """The thread as core keeps it."""
    order = store.add_order(at=clock.now - timedelta(hours=1))
    store.customer_writes(order.id, "Where is it?", subject="My order")
    return (await read()).threads[str(order.id)]


async def test_the_buyer_gets_a_letter(sandbox, bigcommerce, stored, draft, clock):
    answer = draft("It left today.", stored.id, quoted="Where is it?")
    sent = await bigcommerce.reply(stored, answer, clock.now)
    (letter,) = sandbox.letters

    assert letter.recipients == ("ada@buyers.example",)
    assert letter.sender == "support@store.example"
    assert letter.subject == f"Re: My order (#{stored.id})"
    assert letter.text == "It left today.\n\n> Where is it?\n"
    assert f"Message-ID: <{sent.message_id}>".encode() in sandbox.mail.taken[0].raw


async def test_an_order_without_a_subject_is_named(sandbox, bigcommerce, stored, draft, clock):
    bare = stored.model_copy(update={"subject": None})
    await bigcommerce.reply(bare, draft("Sorry!", stored.id), clock.now)

    assert sandbox.letters[0].subject == f"Re: #{stored.id}"


async def test_files_go_with_the_letter(sandbox, bigcommerce, stored, draft, clock):
    file = File("label.pdf", b"%PDF", "application/pdf")
    await bigcommerce.reply(stored, draft("Here.", stored.id, files=(file,)), clock.now)

    assert b"label.pdf" in sandbox.mail.taken[0].raw


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("smtp_refuse_login", BadCredentials),
        ("smtp_refuse_sender", BadCredentials),
        ("smtp_refuse_recipient", Refused),
        ("smtp_limit", RateLimited),
        ("smtp_later", Unreachable),
        ("smtp_drop_after_data", OutcomeUnknown),
    ],
)
async def test_what_became_of_the_letter_is_told_as_it_is(
    sandbox, bigcommerce, stored, draft, clock, fault, error
):
    sandbox.mail.faults.order(fault)

    with pytest.raises(error):
        await bigcommerce.reply(stored, draft("Sorry!", stored.id), clock.now)


@pytest.mark.parametrize(
    "more",
    [
        {"body": "x" * (offer.LONGEST + 1)},
        {"body": "x", "to": frozenset({Party.MARKETPLACE})},
        {"body": "x", "files": (File("a.png", url="https://shop.example/a.png"),)},
    ],
)
async def test_what_cannot_be_sent_is_refused_and_nothing_leaves(
    sandbox, bigcommerce, stored, draft, clock, more
):
    with pytest.raises(Refused):
        await bigcommerce.reply(stored, draft(more.pop("body"), stored.id, **more), clock.now)
    assert sandbox.letters == []


def test_an_order_without_an_address_cannot_be_answered(stored):
    nobody = stored.model_copy(update={"reply_to": {"kind": "bigcommerce"}})

    assert spec.refuses(stored, {Party.BUYER}) is None
    assert "names no mail address" in spec.refuses(nobody, {Party.BUYER})
    assert "nobody to answer but the buyer" in spec.refuses(stored, {Party.MARKETPLACE})


async def test_a_check_logs_in_where_letters_leave(sandbox, bigcommerce):
    sandbox.mail.faults.order("smtp_refuse_login")

    with pytest.raises(BadCredentials, match=r"user and password .* \(in the table mail\)"):
        await bigcommerce.check()
