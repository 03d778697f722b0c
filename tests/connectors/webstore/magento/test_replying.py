"""An answer is a comment that the shop mails: sent once, under the order's own status."""

from __future__ import annotations

import pytest

from connectors.webstore import spec
from connectors.webstore.magento import offer
from connectors.webstore.magento.sandbox.shop import VIEW
from core.errors import (
    BadCredentials,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unreachable,
)
from core.model import File
from sla.clock import Delivery, Kind
from sla.policy import Party


@pytest.fixture
async def order(shop, clock):
    made = shop.add_order("Is it really blue?")
    clock.advance(minutes=5)
    return made


@pytest.fixture
async def thread(order, read):
    return (await read()).threads[str(order.id)]


async def test_trap_13_an_answer_is_mailed_to_the_buyer(
    shop, order, magento, thread, draft, clock, read
):
    sent = await magento.reply(thread, draft("Yes, it is.", order.id), clock.now)

    assert sent.message_id is None
    assert [(one.recipient, one.text) for one in shop.letters] == [
        ("ada@buyers.example", "Yes, it is."),
    ]  # fmt: skip
    (found,) = [m for m in (await read()).messages.values() if m.party is Party.SELLER]
    assert (found.body, found.kind, found.delivery, set(found.to)) == (
        "Yes, it is.", Kind.MESSAGE, Delivery.CONFIRMED, {Party.BUYER},
    )  # fmt: skip


@pytest.mark.parametrize("strict", [True, False])
async def test_an_answer_leaves_the_order_its_status(
    shop, order, magento, thread, draft, clock, strict
):
    shop.habits.strict = strict
    shop.change(order.id, "holded")
    await magento.reply(thread, draft("Yes, it is.", order.id), clock.now)

    assert order.status == "holded"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 401}, BadCredentials),
        ({"status": 404}, Refused),
        ({"status": 400}, Unreachable),
        ({"status": 429}, RateLimited),
        ({"status": 500}, Unreachable),
        ({"status": 200}, Unreachable),
    ],
)
async def test_without_the_status_nothing_is_sent_and_that_is_certain(
    sandbox, shop, order, magento, thread, draft, clock, fault, error
):
    sandbox.faults.order("status", operation="status", **fault)

    with pytest.raises(error):
        await magento.reply(thread, draft("Yes, it is.", order.id), clock.now)
    assert "create_comment" not in {one.operation for one in sandbox.heard}
    assert shop.letters == []


async def test_an_answer_of_which_nobody_knows_is_found_by_a_look(
    sandbox, shop, order, magento, thread, draft, clock
):
    sandbox.faults.order(
        "status", status=502, operation="create_comment", after_work=True, count=1
    )  # fmt: skip
    with pytest.raises(OutcomeUnknown):
        await magento.reply(thread, draft("Yes, it is.", order.id), clock.now)

    page = await magento.look([str(order.id)], clock.now)

    assert "Yes, it is." in {m.body for m in page.messages if m.kind is Kind.MESSAGE}
    assert len(shop.letters) == 1


async def test_a_page_in_place_of_an_answer_leaves_open_whether_it_was_written(
    sandbox, order, magento, thread, draft, clock
):
    sandbox.faults.order("html", status=200, operation="create_comment")

    with pytest.raises(OutcomeUnknown, match="not acknowledged"):
        await magento.reply(thread, draft("Yes, it is.", order.id), clock.now)


async def test_a_firewall_that_takes_no_comment_refused_it(
    sandbox, order, magento, thread, draft, clock
):
    sandbox.faults.order("html", status=403, operation="create_comment")

    with pytest.raises(Refused, match="security plugin"):
        await magento.reply(thread, draft("Yes, it is.", order.id), clock.now)


async def test_a_token_that_may_only_read_says_so_when_it_writes(
    shop, order, opened, thread, draft, clock
):
    with pytest.raises(BadCredentials, match="view, comment"):
        await opened(shop.add_token(VIEW)).reply(thread, draft("Yes.", order.id), clock.now)


@pytest.mark.parametrize(
    "more",
    [
        {"body": ""},
        {"body": "x" * (offer.LONGEST + 1)},
        {"body": "x", "to": frozenset({Party.MARKETPLACE})},
        {"body": "x", "files": (File("a.png", b"x"),)},
        {"body": "I <3 it"},
        {"body": "It is <b>blue</b>"},
    ],
)
async def test_what_cannot_be_sent_is_refused_and_nothing_leaves(
    sandbox, order, magento, thread, draft, clock, more
):
    sandbox.heard.clear()
    with pytest.raises(Refused):
        await magento.reply(thread, draft(more.pop("body"), order.id, **more), clock.now)
    assert list(sandbox.heard) == []


async def test_a_sign_before_a_space_is_mailed_as_it_is(shop, order, magento, thread, draft, clock):
    await magento.reply(thread, draft("1 < 2 & 3 > 2", order.id), clock.now)

    assert shop.letters[0].text == "1 < 2 & 3 > 2"


def test_an_order_without_an_address_cannot_be_answered(thread):
    nobody = thread.model_copy(update={"reply_to": {"kind": "magento"}})

    assert spec.refuses(thread, {Party.BUYER}) is None
    assert "names no mail address" in spec.refuses(nobody, {Party.BUYER})
    assert "nobody to answer but the buyer" in spec.refuses(thread, {Party.MARKETPLACE})
