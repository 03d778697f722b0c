"""Walks and looks over the stand-in: nothing is missed, nothing is told twice differently."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import BadCredentials, BadPayload, RateLimited, Unreachable
from sla.clock import Delivery, Kind
from sla.policy import Party


async def test_the_consent_needs_no_scope_of_messages(trading):
    """Trap 32: what the fallback is for."""
    await trading.check()


async def test_an_empty_mailbox_is_an_empty_page_and_a_cursor(walk, store):
    await walk()

    assert (store.messages, store.threads, store.aside) == ({}, {}, [])
    assert store.cursor


async def test_a_question_is_a_thread_of_its_own(walk, store, buyer, says, order, clock):
    asked = says(buyer, "Where is it?")
    await walk()

    thread = store.threads[f"exchange:{asked.id}"]
    assert (thread.buyer, thread.subject) == ("buyer-a", "About my order")
    assert thread.reply_to == {"item": order.item}
    [message] = store.of(thread.id)
    assert (message.id, message.party, message.sent_at) == (asked.id, Party.BUYER, clock())
    assert message.to == {Party.SELLER}


async def test_an_answer_given_elsewhere_days_later_is_seen(
    walk, store, seller, buyer, says, clock
):
    """A window counts from the question: only the letter sent tells that it was answered."""
    asked = says(buyer, "Where is it?")
    await walk()
    clock.advance(days=3)
    await walk()
    says(seller.member, "On its way.")
    clock.advance(minutes=2)
    await walk()

    _, answer = store.of(f"exchange:{asked.id}")
    assert (answer.party, answer.delivery, answer.body) == (
        Party.SELLER, Delivery.CONFIRMED, "On its way.",
    )  # fmt: skip
    assert answer.sent_at == clock() - timedelta(minutes=2)


async def test_every_answer_keeps_its_instant_and_its_id(walk, store, seller, buyer, says, clock):
    asked = says(buyer, "Where is it?")
    clock.advance(minutes=5)
    first_at = clock()
    says(seller.member, "On its way.")
    clock.advance(minutes=1)
    await walk()
    before = {one.id: one for one in store.of(f"exchange:{asked.id}")}

    clock.advance(hours=2)
    says(seller.member, "Did it come?")
    says(seller.member, "Did it come?")
    clock.advance(minutes=1)
    await walk()

    after = store.of(f"exchange:{asked.id}")
    assert [one.sent_at for one in after[1:]] == [first_at, *([clock() - timedelta(minutes=1)] * 2)]
    assert len({one.id for one in after}) == 4
    assert {id_: store.messages[id_] for id_ in before} == before


async def test_a_walk_that_begins_again_tells_the_same(
    trading, walk, store, seller, buyer, says, clock
):
    asked = says(buyer, "Where is it?")
    says(seller.member, "Here.")
    await walk()
    again = await trading.look([f"exchange:{asked.id}"], clock())

    assert {one.id: one for one in again.messages} == store.messages
    assert {one.id: one for one in again.threads} == store.threads


async def test_what_is_written_while_a_walk_goes_on_is_read_by_the_next(
    trading, store, buyer, says, clock
):
    page = await trading.fetch(None, None, clock())
    asked = says(buyer, "Meanwhile")
    position = page.position
    while page.more:
        clock.advance(seconds=1)
        page = await trading.fetch(None, position, clock())
        store.take(page)
        position = page.position
    clock.advance(minutes=2)
    page = await trading.fetch(page.cursor, None, clock())
    store.take(page)

    assert asked.id in store.messages


async def test_the_cursor_is_of_ebays_clock_and_names_nobody(
    sandbox, walk, store, seller, buyer, says, clock
):
    sandbox.faults.order("skew", by=-900)
    seller.mailbox.write(seller.mailbox.open(buyer, "Ahead", clock()), buyer, "Ahead", clock())
    says(seller.member, "Hello")
    await walk()
    await walk()

    assert (clock() - timedelta(seconds=900)).isoformat() in store.cursor
    assert "buyer" not in store.cursor


async def test_the_same_words_twice_keep_their_own_instants(
    walk, store, seller, buyer, says, clock
):
    asked = says(buyer, "Where is it?")
    at = []
    for _ in range(2):
        clock.advance(minutes=5)
        says(seller.member, "On its way.")
        at.append(clock())
    clock.advance(minutes=5)
    await walk()

    assert [one.sent_at for one in store.of(f"exchange:{asked.id}")[1:]] == at


async def test_a_letter_from_a_mail_program_is_a_thread_of_its_own(
    walk, store, seller, buyer, says
):
    """KB 2157: it is no exchange, and somebody waits all the same."""
    asked = says(buyer, "From my phone")
    seller.exchanges.from_mail.add(asked.id)
    await walk()

    [thread] = store.threads.values()
    assert thread.id.startswith("letter:")
    [message] = store.messages.values()
    assert (message.party, message.body) == (Party.BUYER, "From my phone")


async def test_a_question_about_an_ended_listing_is_known_by_its_letter(
    walk, store, seller, buyer, says, order
):
    asked = says(buyer, "Still there?")
    seller.exchanges.ended.add(order.item)
    await walk()

    assert list(store.threads) == [f"exchange:{asked.id}"]
    [message] = store.messages.values()
    assert (message.id, message.body) == (asked.id, "Still there?")


async def test_the_same_question_by_exchange_and_letter_is_one(walk, store, buyer, says, clock):
    says(buyer, "Where is it?")
    await walk()
    clock.advance(minutes=1)
    await walk()

    assert (len(store.messages), len(store.threads)) == (1, 1)


async def test_ebays_own_letters_have_no_buyer(walk, store, sandbox, seller, clock):
    """Trap 44: shown, and nobody waits."""
    ebay = sandbox.market.add_member("eBay")
    made = seller.mailbox.open(ebay, "Policy", clock(), type_="FROM_EBAY")
    seller.mailbox.write(made, ebay, "<p>New rules</p>", clock())
    await walk()

    [message] = store.messages.values()
    assert (message.party, message.kind, message.body) == (
        Party.MARKETPLACE, Kind.SYSTEM, "New rules",
    )  # fmt: skip
    [thread] = store.threads.values()
    assert (thread.buyer, thread.reply_to["from"]) == ("", "ebay")


async def test_html_is_shown_as_text_and_kept(walk, store, buyer, says):
    """Trap 31."""
    says(buyer, "Hello<br>there &amp; <b>here</b>")
    await walk()

    [message] = store.messages.values()
    assert message.body == "Hello\nthere & here"
    assert message.raw == b"Hello<br>there &amp; <b>here</b>"


async def test_members_may_be_immutable_ids(walk, store, sandbox, seller, clock):
    """Trap 29: names are compared, never parsed."""
    seller.member.is_opaque = True
    other = sandbox.market.add_member("buyer-b", is_opaque=True)
    order = seller.sells(other)
    made = seller.mailbox.open(other, "Hi", clock(), item=order.item)
    asked = seller.mailbox.write(made, other, "Hello", clock())
    seller.mailbox.write(made, seller.member, "Hello you", clock())
    await walk()

    assert store.threads[f"exchange:{asked.id}"].buyer == other.user_id
    assert [one.party for one in store.of(f"exchange:{asked.id}")] == [Party.BUYER, Party.SELLER]


async def test_many_questions_are_walked_in_pages(walk, store, seller, buyer, says, clock):
    for number in range(450):
        says(buyer, f"Question {number}")
        clock.advance(seconds=1)
    await walk()

    assert len([one for one in store.messages.values() if one.party is Party.BUYER]) == 450
    assert store.pages == 3 + 1 + 3


async def test_an_unknown_thread_is_left_out(trading, clock):
    page = await trading.look(["exchange:1", "letter:1", "101"], clock())

    assert (page.messages, page.threads) == ((), ())


async def test_a_token_that_has_ended_is_renewed_by_itself(trading, seller, buyer, says, clock):
    """An answer 200 says it: nobody else would."""
    says(buyer, "Hello")
    await trading.check()
    seller.application.expire_tokens()
    await trading.check()


async def test_a_consent_that_was_withdrawn_is_told(trading, seller):
    await trading.check()
    seller.application.revoke(seller)

    with pytest.raises(BadCredentials):
        await trading.check()


async def test_a_hidden_quota_asks_for_an_hour(trading, seller, clock):
    """Trap 37: Ack=Failure inside 200 is a failure; error 20957."""
    seller.exchanges.is_silenced = True

    with pytest.raises(RateLimited) as fault:
        await trading.fetch(None, None, clock())

    assert fault.value.retry_after == 3600
    assert "20957" in str(fault.value)


async def test_the_days_calls_may_be_used_up(trading, seller, clock):
    seller.application.limits["tradingapi", "TradingAPI"] = 0

    with pytest.raises(RateLimited):
        await trading.fetch(None, None, clock())


@pytest.mark.parametrize(
    ("kind", "how", "error"),
    [
        ("status", {"status": 500}, Unreachable),
        ("status", {"status": 503}, Unreachable),
        ("html", {"status": 200}, BadPayload),
        ("drop", {}, Unreachable),
        ("status", {"status": 429}, RateLimited),
        ("status", {"status": 401}, BadCredentials),
    ],
)
async def test_bad_days_are_told_as_what_they_are(sandbox, trading, clock, kind, how, error):
    sandbox.faults.order(kind, operation="trading", **how)

    with pytest.raises(error):
        await trading.fetch(None, None, clock())
