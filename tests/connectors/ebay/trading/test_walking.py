"""What shows up late is found, what is known costs nothing, and how many calls a day that takes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.ebay import limits, offer
from connectors.ebay.access import Access
from connectors.ebay.trading.fallback import Trading
from connectors.ebay.trading.walking import LATE, MOST_REMEMBERED, SHOWN_WITHIN, Mark, Walk
from core.errors import RateLimited

DAY = timedelta(days=1)
HISTORICALLY = 5_000
"""Calls a day of one application, for all that it does by this API (facts of eBay, section 9)."""


@pytest.fixture
def calls(sandbox):
    """How many calls have left since it was asked last."""
    seen = [0]

    def calls():
        before, seen[0] = seen[0], len(sandbox.calls("trading"))
        return seen[0] - before

    return calls


async def test_what_shows_up_hours_behind_the_newest_is_found(
    walk, store, seller, buyer, conversation, says, clock
):
    """An index that lags: the walk that read that hour did not see it."""
    says(buyer, "The newest")
    await walk()
    clock.advance(minutes=10)
    says(buyer, "Newer still")
    before = clock() - LATE + timedelta(minutes=15)
    late = seller.mailbox.write(conversation, buyer, "Behind them", before)
    await walk()

    assert late.id in store.messages


async def test_an_answer_that_shows_up_hours_behind_the_newest_is_found(
    walk, store, seller, buyer, conversation, says, clock
):
    asked = says(buyer, "Where is it?")
    clock.advance(days=5)
    await walk()
    says(buyer, "Hello?")
    await walk()
    clock.advance(minutes=10)
    late = seller.mailbox.write(
        conversation, seller.member, "It left.", clock() - timedelta(hours=5)
    )
    seller.exchanges.parents[late.id] = asked.id
    await walk()

    assert [one.body for one in store.of(f"exchange:{asked.id}")] == ["Where is it?", "It left."]


async def test_what_shows_up_days_late_is_found_within_a_day(
    walk, store, seller, buyer, conversation, says, clock
):
    """One walk a day looks three days back; the others do not pay for it."""
    await walk()
    clock.advance(hours=1)
    says(buyer, "The newest")
    late = seller.mailbox.write(conversation, buyer, "Late", clock() - timedelta(days=2))
    await walk()
    assert late.id not in store.messages

    clock.advance(hours=23)
    await walk()
    assert late.id in store.messages


async def test_what_was_written_while_nobody_read_is_read(walk, store, buyer, says, clock):
    await walk()
    clock.advance(days=1)
    asked = says(buyer, "In between")
    clock.advance(days=9)
    await walk()

    assert asked.id in store.messages


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_walk_with_nothing_new_takes_four_calls(
    walk, seller, buyer, says, clock, calls, is_known
):
    """Both lists of exchanges, the heads of both folders; no letter and no exchange by itself."""
    if is_known:
        says(buyer, "Where is it?")
        says(seller.member, "On its way.")
        says(seller.member, "Did it come?")
        says(buyer, "And the other one?")
        seller.exchanges.from_mail.add(says(buyer, "From my phone").id)
        made = seller.mailbox.open(buyer, "Ended", clock(), item="110000000999")
        seller.mailbox.write(made, buyer, "Still there?", clock())
        seller.exchanges.ended.add("110000000999")
    await walk()
    clock.advance(minutes=1)
    says(seller.member, "Anything else?")
    await walk()
    clock.advance(minutes=10)
    calls()
    await walk()

    assert calls() == 4


async def test_a_new_question_takes_no_call_of_its_own(walk, buyer, says, clock, calls):
    await walk()
    says(buyer, "Where is it?")
    calls()
    await walk()

    assert calls() == 4


async def test_a_letter_whose_words_are_not_there_yet_is_asked_for_again(
    walk, store, seller, buyer, says
):
    seller.exchanges.from_mail.add(says(buyer, "From my phone").id)
    seller.exchanges.spoil = _without_words
    await walk()
    assert store.messages == {}

    seller.exchanges.spoil = lambda _, raw: raw
    await walk()
    assert [one.body for one in store.messages.values()] == ["From my phone"]


def _without_words(call, raw):
    """Of letters with words none are told; eBay counts none either."""
    if call != "GetMyMessages" or b"<Text>" not in raw:
        return raw
    begin, end = raw.index(b"<Messages>"), raw.index(b"</Messages>") + len(b"</Messages>")
    whole = raw[:begin] + b"<Messages></Messages>" + raw[end:]
    count = b"TotalNumberOfEntries>"
    return whole.replace(b"<" + count + b"1</" + count, b"<" + count + b"0</" + count)


def test_a_day_takes_a_part_of_the_calls_that_there_historically_are():
    assert 4 * DAY / offer.TRADING_EVERY == 576
    assert 4 * DAY / offer.TRADING_FLOOR == 1_152
    assert 4 * DAY / offer.TRADING_FLOOR < HISTORICALLY / 4


async def test_a_quota_that_ebay_told_is_kept(walk, store, seller, trading, access, clock, calls):
    """What would be one call too many does not leave, and waits until the quota is renewed."""
    await walk()
    seller.application.limits["tradingapi", "TradingAPI"] = calls() + 4
    await limits.read(access, clock())
    await walk()

    with pytest.raises(RateLimited) as fault:
        await trading.fetch(store.cursor, None, clock())

    assert calls() == 4
    until = seller.market.resets_at() - clock()
    assert fault.value.retry_after == pytest.approx(until.total_seconds(), abs=2)


async def test_sellers_of_one_application_share_its_quota(
    sandbox, seller, optioned, http, access, clock, calls
):
    other = sandbox.market.add_seller("shop-c", application=seller.application)
    options = optioned(other, messages_by="trading")
    seller.application.limits["tradingapi", "TradingAPI"] = 1
    await limits.read(access, clock())
    calls()
    await Trading(Access(options, http), options).check()

    with pytest.raises(RateLimited):
        await Trading(access, options).check()

    assert calls() == 1


def test_a_clock_that_was_wrong_costs_no_mailbox(clock):
    now = clock()
    ahead = Mark(now + timedelta(days=365), now)
    assert Walk.begun(ahead, DAY, timedelta(), now).since == now - LATE

    behind = Walk(now, now, at="1970-01-01T00:00:00.000Z")
    assert behind.ended(Mark(now, now), now).at == now
    ahead = Walk(now, now, at="2099-01-01T00:00:00.000Z")
    assert ahead.ended(None, now).at == now


def test_a_walk_of_the_day_looks_further_back_and_says_so(clock):
    now = clock()
    due = Walk.begun(Mark(now, now - DAY), DAY, timedelta(), now)
    assert (due.since, due.sent_since, due.is_sweep) == (now - SHOWN_WITHIN, now - LATE, True)

    soon = Walk.begun(Mark(now, now - DAY / 2), DAY, timedelta(hours=9), now)
    assert (soon.since, soon.is_sweep) == (now - timedelta(hours=9), False)


def test_what_is_remembered_has_a_bound_and_letters_go_last(clock):
    """Reading a letter again costs calls, reading an exchange again mostly none."""
    walk = Walk(clock(), clock()).found(f"exchange {n}" for n in range(3 * MOST_REMEMBERED))
    kept = walk.found(["letter"]).ended(None, clock()).read

    assert len(kept) == MOST_REMEMBERED
    assert "letter" in kept


@pytest.mark.parametrize("cursor", [None, "", "x", "[]", "{}", '{"at": 1, "swept": 2, "read": 3}'])
def test_a_cursor_that_cannot_be_read_is_a_first_walk(cursor):
    assert Mark.parse(cursor) is None


def test_cursor_and_position_are_read_as_they_were_written(clock):
    mark = Mark(clock(), clock() - DAY, frozenset({"1", "2 2026-11-20T12:00:00.000Z 1"}))
    assert Mark.parse(mark.write()) == mark

    walk = Walk(clock(), clock() - DAY, True, 2, 3, "x", ("1",), ("2",))  # noqa: FBT003  # all of them, in order
    assert Walk.parse(walk.write()) == walk
