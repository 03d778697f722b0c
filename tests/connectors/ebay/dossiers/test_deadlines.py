"""Deadlines that eBay gives, from the stand-in to clocks. Rule: clock.md, section 5."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.ebay import policies
from sla.turn import Kind
from tests.connectors.ebay.dossiers.files import DAY, HOUR

APPROVE, REFUND, WRITE = "SELLER_APPROVE_REQUEST", "SELLER_ISSUE_REFUND", "SELLER_SEND_MESSAGE"


async def test_a_return_has_the_date_that_ebay_gives_and_no_other(desk, walk, files, clock):
    """Trap 36: the date is wrapped, and eBay's, not three business days of ours."""
    due = clock() + timedelta(hours=30)
    desk.open_return("It is broken").moves(due)

    await walk("returns")

    [clock_] = files.given_clocks("return:5000001").values()
    assert (clock_.due_at, clock_.started_at, clock_.ended) == (due, clock(), None)
    assert clock_.flags == frozenset()


async def test_the_fallback_stands_back_while_ebay_gives_a_date(desk, walk, files, options):
    one = desk.open_return("It is broken")
    await walk("returns")

    contract = next(c for c in _of(files, one, options) if c.metric != "given")

    assert "superseded" in contract.flags
    assert contract.steps == ()


async def test_where_ebay_gives_no_date_the_fallback_counts_business_days(
    desk, walk, files, options, clock
):
    """Friday noon and three working days: the Wednesday after."""
    one = desk.open_return("It is broken", is_vague=True)
    await walk("returns")

    [contract] = [c for c in _of(files, one, options) if c.promise.endswith("return")]

    assert (contract.due_from, contract.metric) == ("policy", "first_reply")
    assert contract.due_at == clock() + 5 * DAY
    assert files.given_clocks(f"return:{one.id}") == {}


async def test_a_cancellation_without_a_date_has_three_days_until_it_is_decided(
    desk, walk, files, options, clock
):
    one = desk.open_cancellation(is_vague=True)
    await walk("cancellations")

    [contract] = _of(files, one, options)
    assert (contract.due_from, contract.due_at) == ("policy", clock() + 3 * DAY)

    clock.advance(hours=1)
    one.seller_approves()
    await walk("cancellations")

    [contract] = _of(files, one, options)
    assert (contract.ended, contract.stopped_at) == ("met", clock())


async def test_a_date_that_ebay_tells_later_takes_the_fallbacks_place(
    desk, walk, files, options, clock
):
    one = desk.open_inquiry("Where is it?", is_vague=True)
    await walk("inquiries")
    one.is_vague = False
    one.moves(clock.advance(hours=1) + DAY)
    await walk("inquiries")

    given = files.given_clocks(f"inquiry:{one.id}")["SELLER_RESPOND"]

    assert given.due_at == clock() + DAY
    assert all(
        "superseded" in c.flags for c in _of(files, one, options) if c.promise.endswith("inquiry")
    )


@pytest.mark.parametrize("hours", [10, 100])
async def test_a_date_that_moves_is_followed(desk, walk, files, clock, hours):
    one = desk.open_return()
    await walk("returns")
    started = files.given_clocks(f"return:{one.id}")[APPROVE].started_at

    clock.advance(hours=1)
    one.moves(clock() + hours * HOUR)
    await walk("returns")

    moved = files.given_clocks(f"return:{one.id}")[APPROVE]
    assert (moved.due_at, moved.started_at) == (clock() + hours * HOUR, started)


async def test_past_at_first_sight_is_a_breach_at_its_true_time(desk, walk, files, clock):
    one = desk.open_inquiry("Where is it?")
    due = one.due_at
    clock.advance(days=8)

    await walk("inquiries")

    found = files.given_clocks(f"inquiry:{one.id}")["SELLER_RESPOND"]
    assert (found.due_at, found.state(clock())) == (due, "overdue")
    assert "unseen_in_time" in found.flags


async def test_each_act_has_its_own_clock(desk, walk, files, clock):
    one = desk.open_return()
    await walk("returns")
    approved = clock.advance(hours=2)
    one.seller_decides("APPROVE")
    clock.advance(minutes=5)
    await walk("returns")
    clock.advance(days=2)
    one.buyer_ships()
    delivered = clock.advance(days=2)
    one.is_delivered()
    clock.advance(hours=1)
    await walk("returns")

    found = files.given_clocks(f"return:{one.id}")

    assert (found[APPROVE].ended, found[APPROVE].stopped_at) == ("met", approved)
    assert (found[REFUND].ended, found[REFUND].started_at) == (None, delivered)
    assert found[REFUND].due_at == one.due_at


async def test_an_act_that_is_read_after_the_deadline_was_in_time(desk, walk, files, clock):
    """An outage: approved in time, and refunded, before anybody reads again."""
    one = desk.open_return()
    await walk("returns")
    approved = clock.advance(hours=2)
    one.seller_decides("APPROVE")
    clock.advance(days=10)
    one.seller_refunds()
    clock.advance(hours=1)

    await walk("returns")

    found = files.given_clocks(f"return:{one.id}")[APPROVE]
    assert (found.ended, found.stopped_at) == ("met", approved)


async def test_an_act_after_the_deadline_is_late(desk, walk, files, clock):
    one = desk.open_cancellation()
    await walk("cancellations")
    one.moves(clock.advance(minutes=5) + HOUR)
    await walk("cancellations")
    one.due_at = None  # the stand-in would close it by itself
    acted = clock.advance(hours=2)
    one.seller_approves()

    await walk("cancellations")

    found = files.given_clocks(f"cancellation:{one.id}")["SELLER_DECIDE"]
    assert (found.ended, found.stopped_at) == ("late", acted)


@pytest.mark.parametrize(
    ("stream", "opened", "end", "reason"),
    [
        ("returns", "open_return", "buyer_closes", "closed_by_buyer"),
        ("inquiries", "open_inquiry", "buyer_closes", "closed_by_buyer"),
        ("inquiries", "open_inquiry", "ebay_closes", "withdrawn"),
        ("disputes", "open_dispute", "is_decided", "withdrawn"),
    ],
)
async def test_without_an_act_it_is_void_while_the_deadline_is_ahead(
    desk, walk, files, clock, stream, opened, end, reason
):
    one = getattr(desk, opened)()
    await walk(stream)
    ended = clock.advance(hours=1)
    getattr(one, end)(**({"won": True} if end == "is_decided" else {}))
    clock.advance(hours=1)

    await walk(stream)

    [thread] = files.threads
    [found] = files.given_clocks(thread).values()
    assert (found.ended, found.reason, found.stopped_at) == ("void", reason, ended)


async def test_without_an_act_it_is_late_after_the_deadline(desk, walk, files, clock):
    one = desk.open_return()
    await walk("returns")
    clock.advance(days=9)
    one.buyer_closes()

    await walk("returns")

    found = files.given_clocks(f"return:{one.id}")[APPROVE]
    assert (found.ended, found.reason) == ("late", "closed_by_buyer")


@pytest.mark.parametrize(("stream", "opened"), [("returns", "return"), ("inquiries", "inquiry")])
async def test_an_escalation_ends_one_deadline_and_begins_another(
    desk, walk, files, clock, stream, opened
):
    one = getattr(desk, f"open_{opened}")()
    await walk(stream)
    escalated = clock.advance(days=2)
    case = desk.escalate(one.id, "Please decide")
    clock.advance(minutes=5)

    await walk(stream)
    await walk("cases")

    [ended] = files.given_clocks(f"{opened}:{one.id}").values()
    [begun] = files.given_clocks(f"case:{case.id}").values()
    assert (ended.ended, ended.reason, ended.stopped_at) == ("void", "escalated", escalated)
    assert (begun.started_at, begun.due_at, begun.ended) == (escalated, case.due_at, None)


async def test_an_escalation_after_the_deadline_is_late(desk, walk, files, clock):
    one = desk.open_inquiry()
    await walk("inquiries")
    clock.advance(days=7)
    desk.escalate(one.id)

    await walk("inquiries")

    found = files.given_clocks(f"inquiry:{one.id}")["SELLER_RESPOND"]
    assert (found.ended, found.reason) == ("late", "escalated")


async def test_an_answer_to_an_inquiry_ends_it_until_the_buyer_writes_again(
    desk, walk, files, clock
):
    one = desk.open_inquiry("Where is it?")
    await walk("inquiries")
    answered = clock.advance(hours=1)
    one.seller_writes("It left on Monday")
    clock.advance(minutes=5)
    await walk("inquiries")
    met = files.given_clocks(f"inquiry:{one.id}")["SELLER_RESPOND"]
    assert (met.ended, met.stopped_at) == ("met", answered)

    again = clock.advance(days=1)
    one.buyer_writes("Still nothing")
    clock.advance(minutes=5)
    await walk("inquiries")

    found = files.given_clocks(f"inquiry:{one.id}")["SELLER_RESPOND"]
    assert (found.ended, found.started_at, found.due_at) == (None, again, one.due_at)


async def test_what_is_closed_before_the_second_answer_is_no_answer(desk, walk, files, clock):
    one = desk.open_inquiry("Where is it?")
    clock.advance(hours=1)
    one.seller_writes("It left on Monday")
    clock.advance(hours=1)
    one.buyer_writes("Still nothing")
    await walk("inquiries")
    clock.advance(hours=1)
    one.buyer_closes("It came")

    await walk("inquiries")

    found = files.given_clocks(f"inquiry:{one.id}")["SELLER_RESPOND"]
    assert (found.ended, found.reason) == ("void", "closed_by_buyer")


async def test_a_plain_message_answers_a_return_only_where_one_is_asked_for(
    desk, walk, files, clock
):
    one, other = desk.open_return(), desk.open_return()
    other.seller_decides("APPROVE")
    clock.advance(hours=1)
    other.buyer_writes("Which address?")
    await walk("returns")
    clock.advance(hours=1)
    one.seller_writes("We look into it")
    other.seller_writes("The one on the label")

    await walk("returns")

    assert files.given_clocks(f"return:{one.id}")[APPROVE].ended is None
    answered = files.given_clocks(f"return:{other.id}")[WRITE]
    assert (answered.ended, answered.stopped_at) == ("met", clock())


async def test_what_is_over_can_be_answered_no_more(desk, walk, files, clock, options):
    one = desk.open_inquiry(is_vague=True)
    await walk("inquiries")
    clock.advance(hours=1)
    one.buyer_closes()
    await walk("inquiries")

    [over] = [m for m in files.turns(f"inquiry:{one.id}") if m.kind is Kind.UNANSWERABLE]

    assert over.sent_at == clock()
    assert {c.reason for c in _of(files, one, options)} == {"unanswerable"}
    assert files.threads[f"inquiry:{one.id}"].closed_at == clock()


async def test_a_dispute_is_answered_by_contesting(desk, walk, files, clock):
    one = desk.open_dispute("Not mine")
    await walk("disputes")
    contested = clock.advance(hours=3)
    one.seller_responds("CONTEST", 1)
    clock.advance(minutes=5)

    await walk("disputes")

    found = files.given_clocks(f"dispute:{one.id}")["CONTEST_OR_ACCEPT"]
    assert (found.ended, found.stopped_at) == ("met", contested)


def _of(files, one, options):
    thread = next(t for t in files.threads if t.endswith(f":{one.id}"))
    kind = files.threads[thread].kind
    return files.clocks(thread, [p for p in policies.of(options) if kind in p.applies_to])
