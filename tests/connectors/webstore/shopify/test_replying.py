"""An answer is a letter: Shopify's API writes to no buyer."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.shopify import offer
from core.errors import BadCredentials, OutcomeUnknown, RateLimited, Refused, Unreachable
from core.model import File
from sla.policy import Party


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


async def test_files_go_with_the_letter(sandbox, shopify, stored, draft, clock):
    file = File("label.pdf", b"%PDF", "application/pdf")
    await shopify.reply(stored, draft("Here.", stored.id, files=(file,)), clock.now)

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
    sandbox, shopify, stored, draft, clock, fault, error
):
    sandbox.mail.faults.order(fault)

    with pytest.raises(error):
        await shopify.reply(stored, draft("Sorry!", stored.id), clock.now)


@pytest.mark.parametrize(
    "more",
    [
        {"body": "x" * (offer.LONGEST + 1)},
        {"body": "x", "to": frozenset({Party.MARKETPLACE})},
        {"body": "x", "files": (File("a.png", url="https://shop.example/a.png"),)},
    ],
)
async def test_what_cannot_be_sent_is_refused_and_nothing_leaves(
    sandbox, shopify, stored, draft, clock, more
):
    with pytest.raises(Refused):
        await shopify.reply(stored, draft(more.pop("body"), stored.id, **more), clock.now)
    assert sandbox.letters == []


async def test_what_cannot_be_answered_says_what_to_do_instead(shop, shopify, stored, read):
    shop.disputed(int(stored.id), due_by=date(2026, 11, 28))
    (dispute,) = (await read(of="disputes")).threads.values()
    hidden = stored.model_copy(update={"reply_to": {"kind": "shopify"}})

    assert spec.refuses(stored, {Party.BUYER}) is None
    assert "shows no mail address" in spec.refuses(hidden, {Party.BUYER})
    assert "nobody to answer but the buyer" in spec.refuses(stored, {Party.MARKETPLACE})
    assert "takes evidence" in spec.refuses(dispute, {Party.BUYER})


async def test_a_check_logs_in_where_letters_leave(sandbox, shopify):
    sandbox.mail.faults.order("smtp_refuse_login")

    with pytest.raises(BadCredentials, match="user and password"):
        await shopify.check()
