"""An answer is a letter: BigCommerce's API takes no message."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.bigcommerce import offer
from sla.policy import Party
from tests.connectors.webstore.mailed import AnswersByMail


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


def test_an_order_without_an_address_cannot_be_answered(stored):
    nobody = stored.model_copy(update={"reply_to": {"kind": "bigcommerce"}})

    assert spec.refuses(stored, {Party.BUYER}) is None
    assert "names no mail address" in spec.refuses(nobody, {Party.BUYER})
    assert "nobody to answer but the buyer" in spec.refuses(stored, {Party.MARKETPLACE})


class TestLetters(AnswersByMail):
    longest = offer.LONGEST
