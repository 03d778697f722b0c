"""How dossiers live: who has to act until when, what ends them, and what happens by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.ebay.sandbox.cancellations import Cancellation
from connectors.ebay.sandbox.cases import Case
from connectors.ebay.sandbox.disputes import Dispute
from connectors.ebay.sandbox.dossiers import Impossible, business_days, told
from connectors.ebay.sandbox.inquiries import Inquiry
from connectors.ebay.sandbox.returns import Return


def end_of(day):
    return datetime(2026, 11, day, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("begin", "days", "due"),
    [
        (datetime(2026, 11, 20, 10, tzinfo=UTC), 3, 25),  # Friday: Monday, Tuesday, Wednesday
        (datetime(2026, 11, 21, 10, tzinfo=UTC), 3, 25),
        (datetime(2026, 11, 22, 23, 59, tzinfo=UTC), 2, 24),
        (datetime(2026, 11, 23, 0, 0, tzinfo=UTC), 1, 24),
    ],
)
def test_working_days_leave_saturday_and_sunday_out(begin, days, due):
    assert business_days(begin, days) == end_of(due)


def test_words_of_tomorrow_replace_those_of_today_at_any_depth():
    content = {"a": 1, "b": None, "c": {"a": 2, "d": [{"a": 3}]}}

    assert told(content, {"a": 9}) == {"a": 9, "c": {"a": 9, "d": [{"a": 9}]}}
    assert told(content, {"b": "there"})["b"] == "there"


class TestInquiry:
    def test_the_seller_has_three_working_days(self, desk):
        assert desk.open_inquiry("Where is it?").due_at == end_of(25)

    def test_an_answer_ends_the_wait_and_a_further_question_begins_another(self, desk, clock):
        one = desk.open_inquiry()
        one.seller_writes("It left today.")
        assert (one.status, one.due_at) == ("WAITING_BUYER_RESPONSE", None)

        clock.advance(days=3)
        one.buyer_writes("Still nothing.")

        assert (one.status, one.due_at) == ("WAITING_SELLER_RESPONSE", end_of(26))

    def test_a_further_question_does_not_move_the_date(self, desk, clock):
        one = desk.open_inquiry()
        clock.advance(days=4)
        one.buyer_writes("Hello?")

        assert one.due_at == end_of(25)

    def test_it_expires_after_21_working_days_of_silence(self, desk, clock):
        one = desk.open_inquiry()
        clock.advance(days=32)

        assert desk.one(Inquiry, one.id).status == "CLOSED"
        assert one.history[-1].action == "Case expired."
        assert one.closed_at == datetime(2026, 12, 21, 23, 59, 59, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("act", "status"),
        [
            ("seller_refunds", "CLOSED"),
            ("buyer_closes", "CLOSED"),
            ("ebay_closes", "CS_CLOSED"),
        ],
    )
    def test_it_is_closed_by_each_of_the_three(self, desk, act, status):
        one = desk.open_inquiry()
        getattr(one, act)()

        assert (one.status, one.due_at, one.is_open) == (status, None, False)
        with pytest.raises(Impossible):
            one.seller_writes("Too late")

    def test_it_ends_where_a_case_begins(self, desk):
        one = desk.open_inquiry("Where?")
        case = desk.escalate(one.id, "Help")

        assert (one.status, one.is_open) == ("CLOSED_WITH_ESCALATION", False)
        assert (case.buyer, case.order, case.origin) == (one.buyer, one.order, one)
        assert case.due_at == one.now() + timedelta(hours=48)


class TestReturn:
    def test_a_decision_and_after_the_way_back_a_refund_are_asked_for(self, desk, clock):
        one = desk.open_return("It is broken.")
        assert (one.act, one.due_at) == ("SELLER_APPROVE_REQUEST", end_of(25))

        one.seller_decides("APPROVE")
        assert (one.act, one.due_at, one.buyer_act) == (
            None, None, "BUYER_PROVIDE_TRACKING_INFO",
        )  # fmt: skip
        clock.advance(days=3)
        one.buyer_ships()
        one.is_delivered()
        assert (one.act, one.due_at) == ("SELLER_ISSUE_REFUND", end_of(25))

        one.seller_refunds()
        assert (one.state, one.act, one.due_at) == ("CLOSED", None, None)

    def test_a_message_is_no_decision(self, desk):
        one = desk.open_return()
        one.seller_writes("We look into it.")

        assert one.act == "SELLER_APPROVE_REQUEST"

    def test_a_question_asks_for_a_message_where_nothing_else_is_asked(self, desk):
        one = desk.open_return()
        one.seller_decides("APPROVE")
        one.buyer_writes("Where do I send it?")
        assert one.act == "SELLER_SEND_MESSAGE"

        one.seller_writes("To the address on the label.")

        assert one.act is None

    def test_a_question_changes_nothing_where_something_else_is_asked(self, desk, clock):
        one = desk.open_return()
        clock.advance(days=4)
        one.buyer_writes("Hello?")

        assert (one.act, one.due_at) == ("SELLER_APPROVE_REQUEST", end_of(25))

    def test_silence_lets_the_buyer_escalate(self, desk, clock):
        one = desk.open_return()
        clock.advance(days=6)
        desk.of(Return)
        desk.of(Return)

        assert one.status == "RETURN_REQUESTED_TIMEOUT"
        timeouts = [e for e in one.history if e.action == "TIME_OUT_FOR_AUTHORIZE"]
        assert [e.at for e in timeouts] == [end_of(25)]
        assert one.due_at == end_of(25)

    def test_only_a_return_that_waits_takes_a_decision(self, desk):
        one = desk.open_return()
        one.seller_decides("DECLINE")

        with pytest.raises(Impossible):
            one.seller_decides("APPROVE")

    def test_steps_are_taken_in_turn(self, desk):
        one = desk.open_return()

        with pytest.raises(Impossible):
            one.is_delivered()

    def test_a_part_of_the_money_is_taken_or_a_decision_asked_for_again(self, desk):
        taken, declined = desk.open_return(), desk.open_return()
        for one in (taken, declined):
            one.seller_decides("OFFER_PARTIAL_REFUND")
            assert one.buyer_act == "BUYER_ACCEPTS_PARTIAL_REFUND"
        taken.buyer_answers_offer(accepts=True)
        declined.buyer_answers_offer(accepts=False)

        assert (taken.status, taken.is_open) == ("LESS_THAN_A_FULL_REFUND_ISSUED", False)
        assert (declined.act, declined.due_at) == ("SELLER_APPROVE_REQUEST", end_of(25))

    def test_a_buyer_who_sends_nothing_closes_it(self, desk, clock):
        one = desk.open_return()
        one.seller_decides("APPROVE")
        due = one.buyer_due_at
        clock.advance(days=30)

        assert (desk.one(Return, one.id).closed_at, one.state) == (due, "CLOSED")


class TestCancellation:
    def test_the_seller_has_three_days_weekends_included(self, desk, clock):
        assert desk.open_cancellation().due_at == clock() + timedelta(days=3)

    def test_it_is_approved_and_then_refunded(self, desk):
        one = desk.open_cancellation()
        one.seller_approves()
        assert (one.status, one.state, one.due_at) == ("CANCEL_PENDING", "REFUND_PENDING", None)

        one.is_refunded()

        assert (one.status, one.state) == ("CANCEL_CLOSED_WITH_REFUND", "CLOSED")

    def test_the_money_arrives_by_itself(self, desk, clock):
        one = desk.open_cancellation()
        one.seller_approves()
        clock.advance(hours=1)

        assert desk.one(Cancellation, one.id).status == "CANCEL_CLOSED_WITH_REFUND"

    def test_it_is_closed_where_nobody_answers(self, desk, clock):
        one = desk.open_cancellation()
        due = one.due_at
        clock.advance(days=4)

        assert desk.one(Cancellation, one.id).closed_at == due

    def test_the_sellers_own_asks_him_nothing(self, desk):
        one = desk.open_cancellation(requestor="SELLER")

        assert (one.due_at, one.status) == (None, "CANCEL_PENDING")
        with pytest.raises(Impossible):
            one.seller_approves()


class TestCase:
    def test_it_is_decided_for_the_buyer_where_the_seller_says_nothing(self, desk, clock):
        one = desk.open_case()
        clock.advance(days=4)

        assert desk.one(Case, one.id).status == "CS_CLOSED"
        assert one.outcome == "BUYER"

    def test_proof_of_sending_leaves_it_to_ebay(self, desk, clock):
        one = desk.open_case()
        one.seller_ships()
        assert (one.status, one.due_at) == ("WAITING_CS", None)

        one.ebay_asks("Which carrier?", clock() + timedelta(days=1))

        assert (one.status, one.due_at) == ("OPEN", clock() + timedelta(days=1))

    def test_a_cancellation_has_no_case(self, desk):
        with pytest.raises(Impossible):
            desk.escalate(desk.open_cancellation().id)


class TestDispute:
    def test_the_seller_has_five_days(self, desk, clock):
        assert desk.open_dispute().due_at == clock() + timedelta(days=5)

    def test_contesting_leaves_it_to_the_bank(self, desk, clock):
        one = desk.open_dispute()
        one.seller_responds("CONTEST", 1)
        assert (one.status, one.due_at, one.revision) == ("OPEN", None, 2)

        clock.advance(days=31)

        assert desk.one(Dispute, one.id).won is True

    def test_giving_in_and_silence_lose_it(self, desk, clock):
        given, silent = desk.open_dispute(), desk.open_dispute()
        given.seller_responds("ACCEPT", 1)
        clock.advance(days=6)
        desk.of(Dispute)

        assert (given.won, silent.won) == (False, False)
        assert (given.status, silent.status) == ("CLOSED", "CLOSED")

    def test_an_old_revision_is_refused(self, desk):
        with pytest.raises(Impossible):
            desk.open_dispute().seller_responds("CONTEST", 0)


def test_a_date_may_be_ordered_in_minutes(desk, clock):
    soon = timedelta(minutes=1)

    made = (
        desk.open_inquiry(within=soon),
        desk.open_return(within=soon),
        desk.open_cancellation(within=soon),
        desk.open_case(within=soon),
        desk.open_dispute(within=soon),
    )

    assert {one.due_at for one in made} == {clock() + soon}


def test_what_is_forgotten_is_no_longer_there(desk):
    one = desk.open_inquiry()
    desk.forget(one.id)
    desk.forget(one.id)

    assert desk.one(Inquiry, one.id) is None
