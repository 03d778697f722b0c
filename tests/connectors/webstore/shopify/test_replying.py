"""An answer is a letter: Shopify's API writes to no buyer."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.shopify import offer
from sla.policy import Party
from tests.connectors.webstore.mailed import AnswersByMail


@pytest.fixture
async def stored(shop, clock, read):
    """The thread as core keeps it."""
    order = shop.buys("Ring twice", at=clock.now - timedelta(hours=1))
    return (await read()).threads[str(order.id)]


async def test_the_buyer_gets_a_letter(sandbox, shopify, stored, draft, clock):
    answer = draft("We told the carrier.", stored.id, quoted="Ring twice")
    sent = await shopify.reply(stored, answer, clock.now)
    (letter,) = sandbox.letters

    assert letter.recipients == ("ada@buyers.example",)
    assert letter.sender == "support@store.example"
    assert letter.subject == "Re: #1001"
    assert letter.text == "We told the carrier.\n\n> Ring twice\n"
    assert f"Message-ID: <{sent.message_id}>".encode() in sandbox.mail.taken[0].raw


async def test_what_cannot_be_answered_says_what_to_do_instead(shop, shopify, stored, read):
    shop.disputed(int(stored.id), due_by=date(2026, 11, 28))
    (dispute,) = (await read(of="disputes")).threads.values()
    hidden = stored.model_copy(update={"reply_to": {"kind": "shopify"}})

    assert spec.refuses(stored, {Party.BUYER}) is None
    assert "shows no mail address" in spec.refuses(hidden, {Party.BUYER})
    assert "nobody to answer but the buyer" in spec.refuses(stored, {Party.MARKETPLACE})
    assert "takes evidence" in spec.refuses(dispute, {Party.BUYER})


class TestLetters(AnswersByMail):
    longest = offer.LONGEST
