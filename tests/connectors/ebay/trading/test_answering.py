"""Answers leave once, and are found again by their words."""

from __future__ import annotations

import pytest

from core.connector import Sent
from core.errors import OutcomeUnknown, RateLimited, Refused
from core.model import File
from sla.policy import Party


@pytest.fixture
def thread(walk, store, buyer, says):
    async def thread():
        asked = says(buyer, "Where is it?")
        await walk()
        return store.threads[f"exchange:{asked.id}"]

    return thread


async def test_a_question_is_answered_and_the_answer_read_back(
    trading, thread, draft, clock, walk, store
):
    asked = await thread()
    clock.advance(minutes=5)
    words = "It left today & will come <soon>.\nÄöü"

    assert await trading.reply(asked, draft(asked, words), clock()) == Sent(None)

    looked = await trading.look([asked.id], clock())
    [answer] = [one for one in looked.messages if one.party is Party.SELLER]
    assert (answer.body, answer.sent_at) == (words, clock())
    await walk()
    assert store.messages[answer.id] == answer


async def test_a_letter_is_answered_about_its_order(
    trading, walk, store, seller, buyer, says, draft, clock
):
    asked = says(buyer, "From my phone")
    seller.exchanges.from_mail.add(asked.id)
    await walk()
    [letter] = store.threads.values()
    clock.advance(minutes=5)

    await trading.reply(letter, draft(letter), clock())
    clock.advance(minutes=1)
    looked = await trading.look([letter.id], clock())
    await walk()

    said = store.of(letter.id)
    assert [one.party for one in said] == [Party.BUYER, Party.SELLER]
    assert {one.id: one for one in looked.messages} == {one.id: one for one in said}


async def test_ebays_no_is_a_refusal_in_our_words(trading, thread, draft, clock, seller):
    asked = await thread()
    seller.exchanges.from_mail.add(asked.id.removeprefix("exchange:"))

    with pytest.raises(Refused) as fault:
        await trading.reply(asked, draft(asked), clock())

    assert str(fault.value) == "AddMemberMessageRTQ: error 20118"


@pytest.mark.parametrize("words", ["", "x" * 2001])
async def test_what_is_too_short_or_long_never_leaves(
    trading, thread, draft, clock, sandbox, words
):
    asked = await thread()
    before = len(sandbox.calls("trading"))

    with pytest.raises(Refused):
        await trading.reply(asked, draft(asked, words), clock())

    assert len(sandbox.calls("trading")) == before


async def test_what_cannot_be_addressed_is_refused_with_the_mend(trading, thread, draft, clock):
    asked = await thread()
    erased = asked.model_copy(update={"buyer": "", "reply_to": {}})
    from_ebay = asked.model_copy(update={"id": "letter:1", "reply_to": {"from": "ebay"}})
    orderless = asked.model_copy(update={"id": "letter:1", "reply_to": {"item": ""}})

    for one, to, words in (
        (asked, (Party.MARKETPLACE,), "address the buyer"),
        (erased, (Party.BUYER,), "answer at eBay"),
        (from_ebay, (Party.BUYER,), "do what they ask"),
        (orderless, (Party.BUYER,), "answer at eBay"),
    ):
        with pytest.raises(Refused, match=words):
            await trading.reply(one, draft(one, to=to), clock())


async def test_files_do_not_go_along(trading, thread, draft, clock):
    asked = await thread()

    with pytest.raises(Refused, match="no files"):
        await trading.reply(asked, draft(asked, files=(File("a.txt", b"a"),)), clock())


async def test_too_many_answers_a_minute_wait(trading, thread, draft, clock, seller):
    asked = await thread()
    for _ in range(75):
        seller.exchanges.takes_one_more()

    with pytest.raises(RateLimited) as fault:
        await trading.reply(asked, draft(asked), clock())

    assert fault.value.retry_after == 100


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("status", {"status": 500, "after_work": True}),
        ("reset", {}),
        ("html", {"status": 200, "after_work": True}),
    ],
)
async def test_an_outcome_that_nobody_knows_is_never_sent_again(
    trading, thread, draft, clock, sandbox, seller, kind, how
):
    """Trap 19: and the look finds it."""
    asked = await thread()
    sandbox.faults.order(kind, operation="trading", count=1, **how)

    with pytest.raises(OutcomeUnknown):
        await trading.reply(asked, draft(asked), clock())

    looked = await trading.look([asked.id], clock())
    assert [one.body for one in looked.messages if one.party is Party.SELLER] == ["It left today."]


async def test_a_token_that_has_ended_is_renewed_and_the_answer_sent_once(
    trading, thread, draft, clock, seller
):
    asked = await thread()
    seller.application.expire_tokens()

    await trading.reply(asked, draft(asked), clock())

    looked = await trading.look([asked.id], clock())
    assert len(looked.messages) == 2
