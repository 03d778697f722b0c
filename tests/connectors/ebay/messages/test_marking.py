"""Marking as read: on request, in tens, and each that failed is named."""

from __future__ import annotations

import json

import pytest

from connectors.ebay.messages.mapping import TYPE
from core.errors import BadCredentials, RateLimited
from core.model import Thread

ONE, BULK = "updateConversation", "bulkUpdateConversation"


@pytest.fixture
def conversations(seller, buyer):
    return [seller.asked(buyer, f"Question {n}") for n in range(23)]


@pytest.fixture
def threads(conversations, clock):
    return [Thread(id=one.id, as_of=clock(), reply_to={TYPE: one.type}) for one in conversations]


def bodies(sandbox, operation):
    return [json.loads(one.body) for one in sandbox.heard if one.operation == operation]


async def test_reading_marks_nothing(messages, sandbox, conversations, clock, walk):
    await walk(messages.fetch)
    await messages.look([conversations[0].id], clock())

    assert all(one.unread for one in conversations)
    assert bodies(sandbox, ONE) == bodies(sandbox, BULK) == []


async def test_one_is_marked_by_itself(messages, sandbox, conversations, threads):
    assert await messages.mark_read(threads[:1]) == {}

    assert [one.unread for one in conversations[:2]] == [0, 1]
    (said,) = bodies(sandbox, ONE)
    assert said == {
        "conversationId": threads[0].id, "conversationType": "FROM_MEMBERS", "read": True,
    }  # fmt: skip


async def test_a_notice_of_ebay_is_marked_as_what_it_is(messages, seller, clock):
    notice = seller.ebay_writes("Read this")
    thread = Thread(id=notice.id, as_of=clock(), reply_to={TYPE: "FROM_EBAY"})

    assert await messages.mark_read([thread]) == {}
    assert notice.unread == 0


@pytest.mark.parametrize("word", ["SUCCESS", "SUCCESSFUL"])
async def test_many_are_marked_in_tens(messages, sandbox, market, conversations, threads, word):
    """Error 355019; eBay's contract has two words for a success."""
    market.habits.success_word = word

    assert await messages.mark_read(threads) == {}
    assert not any(one.unread for one in conversations)
    assert [len(said["conversations"]) for said in bodies(sandbox, BULK)] == [10, 10, 3]


async def test_each_that_failed_is_named_although_the_answer_is_200(
    messages, seller, conversations, threads
):
    """Trap 37."""
    seller.mailbox.stuck = {threads[3].id, threads[14].id}
    told = await messages.mark_read(threads)

    assert set(told) == {threads[3].id, threads[14].id}
    assert set(told.values()) == {f"{BULK}: eBay did not do it"}
    assert sum(one.unread for one in conversations) == 2


async def test_where_ten_are_refused_together_each_is_tried_alone(
    messages, sandbox, conversations, threads
):
    sandbox.faults.order("status", status=400, operation=BULK, count=1)
    sandbox.faults.order("status", status=400, operation=ONE, count=1)
    told = await messages.mark_read(threads)

    assert set(told) == {threads[0].id}
    assert sum(one.unread for one in conversations) == 1
    assert len(sandbox.calls(ONE)) == 10


async def test_where_nobody_knows_each_of_the_ten_is_named(messages, sandbox, threads):
    """Marking once more does no harm."""
    sandbox.faults.order("status", status=500, operation=BULK, count=1)
    told = await messages.mark_read(threads)

    assert set(told) == {t.id for t in threads[:10]}
    assert await messages.mark_read([t for t in threads if t.id in told]) == {}


@pytest.mark.parametrize(("status", "error"), [(403, BadCredentials), (429, RateLimited)])
@pytest.mark.parametrize("count", [1, 2])
async def test_what_holds_for_all_is_an_error(messages, sandbox, threads, status, error, count):
    sandbox.faults.order("status", status=status)
    with pytest.raises(error):
        await messages.mark_read(threads[:count])
