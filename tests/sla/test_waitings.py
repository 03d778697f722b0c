"""What opens a waiting, what joins it, what ends it. Rule: clock.md, sections 2 and 3."""

from __future__ import annotations

import pytest

from sla.clock import Delivery, Kind, clocks
from sla.policy import ThreadKind
from tests.sla.making import (
    BUYER,
    DAY,
    HOUR,
    MARKETPLACE,
    MINUTE,
    SELLER,
    asked,
    at,
    elsewhere,
    goal,
    policy,
    replied,
    told,
)  # fmt: skip

BOTH = frozenset({BUYER, MARKETPLACE})
LATEST = {"counts_from": "latest"}


def test_the_oldest_unanswered_message_counts():
    turns = [asked("m1", at(10)), asked("m2", at(12)), replied("r", at(13))]

    [clock] = clocks(turns, [policy()])

    assert (clock.started_by, clock.started_at, clock.due_at) == ("m1", at(10), at(34))
    assert clock.members == ("m1", "m2")
    assert (clock.ended, clock.stopped_at, clock.stopped_by) == ("met", at(13), "r")


def test_a_thank_you_after_the_answer_opens_a_waiting_of_its_own():
    turns = [asked("m1", at(10)), replied("r", at(13)), asked("m2", at(14))]

    first, second = clocks(turns, [policy()])

    assert (first.ended, second.ended) == ("met", None)
    assert (second.started_by, second.members) == ("m2", ("m2",))


def test_one_answer_ends_the_waiting_for_all_its_members():
    turns = [asked("m1", at(1)), asked("m2", at(20)), replied("r", at(21)), replied("r2", at(22))]

    [clock] = clocks(turns, [policy()])

    assert clock.stopped_by == "r"


@pytest.mark.parametrize(("minutes_after_due", "ended"), [(-1, "met"), (0, "met"), (1, "late")])
def test_exactly_at_the_deadline_is_met(minutes_after_due, ended):
    turns = [asked("m", at(0)), replied("r", at(24) + minutes_after_due * MINUTE)]

    [clock] = clocks(turns, [policy()])

    assert clock.ended == ended


def test_a_running_clock_is_overdue_only_after_its_deadline():
    [clock] = clocks([asked("m", at(0))], [policy()])

    assert clock.state(at(24)) == "running"
    assert clock.state(at(24) + MINUTE) == "overdue"
    assert clocks([asked("m", at(0)), replied("r", at(1))], [policy()])[0].state(at(99)) == "met"


@pytest.mark.parametrize(
    ("delivery", "ends"),
    [
        (Delivery.SENDING, False),
        (Delivery.UNKNOWN, False),
        (Delivery.ACCEPTED, True),
        (Delivery.CONFIRMED, True),
        (Delivery.REFUSED, False),
        (None, False),
    ],
)
@pytest.mark.parametrize("kind", [Kind.MESSAGE, Kind.ANSWERED_ELSEWHERE])
def test_only_a_reply_that_reached_the_other_side_ends_anything(delivery, ends, kind):
    reply = replied("r", at(11), delivery=delivery, kind=kind)

    [clock] = clocks([asked("m", at(10)), reply], [policy()])

    taken_at_its_word = kind is Kind.ANSWERED_ELSEWHERE and delivery is None
    assert (clock.ended == "met") is (ends or taken_at_its_word)


def test_a_refused_reply_counts_for_nothing_even_when_another_came_later():
    turns = [
        asked("m", at(0)),
        replied("r1", at(1), delivery=Delivery.REFUSED),
        replied("r2", at(30)),
    ]

    [clock] = clocks(turns, [policy()])

    assert (clock.ended, clock.stopped_by, clock.metric) == ("late", "r2", "first_reply")


def test_an_answer_to_the_operator_only_leaves_the_buyer_waiting():
    turns = [
        asked("m", at(10)),
        asked("o", at(11), party=MARKETPLACE),
        replied("r", at(12), MARKETPLACE),
    ]

    buyer, operator = clocks(turns, [policy(waits_for=BOTH)])

    assert (buyer.waits_for, buyer.ended) == (BUYER, None)
    assert (operator.waits_for, operator.ended) == (MARKETPLACE, "met")


def test_an_answer_to_both_ends_both_waitings():
    turns = [
        asked("m", at(10)),
        asked("o", at(11), party=MARKETPLACE),
        replied("r", at(12), BUYER, MARKETPLACE),
    ]

    assert [c.ended for c in clocks(turns, [policy(waits_for=BOTH)])] == ["met", "met"]


def test_an_internal_note_ends_nothing():
    note = replied("r", at(11), kind=Kind.INTERNAL)

    assert clocks([asked("m", at(10)), note], [policy()])[0].ended is None


def test_an_answer_addressed_to_nobody_ends_nothing():
    note = replied("r", at(11), SELLER)

    assert clocks([asked("m", at(10)), note], [policy()])[0].ended is None


def test_the_marketplace_waits_only_where_the_policy_counts_it():
    turns = [asked("o", at(10), party=MARKETPLACE)]

    assert clocks(turns, [policy()]) == []
    assert [c.waits_for for c in clocks(turns, [policy(waits_for=BOTH)])] == [MARKETPLACE]


@pytest.mark.parametrize("counts", [False, True])
def test_an_automatic_reply_counts_only_where_the_policy_says_so(counts):
    """We label automatic replies; we never disguise them."""
    turns = [asked("m", at(10)), replied("r", at(11), kind=Kind.AUTOMATIC), asked("n", at(12))]

    found = clocks(turns, [policy(counts_automatic=counts)])

    assert [c.metric for c in found] == (
        ["first_reply", "next_reply"] if counts else ["first_reply"]
    )


@pytest.mark.parametrize("counts", [False, True])
def test_a_buyers_vacation_note_opens_a_clock_only_where_the_policy_says_so(counts):
    found = clocks([asked("m", at(10), kind=Kind.AUTOMATIC)], [policy(counts_automatic=counts)])

    assert len(found) == counts


def test_a_withdrawn_message_counts_no_more():
    turns = [asked("m1", at(10), kind=Kind.WITHDRAWN), asked("m2", at(12))]

    [clock] = clocks(turns, [policy()])

    assert (clock.started_by, clock.members) == ("m2", ("m2",))


def test_i_answered_there_counts_at_the_stated_instant():
    turns = [asked("m", at(0)), elsewhere("e", at(20), said=at(40))]

    [clock] = clocks(turns, [policy()])

    assert (clock.ended, clock.stopped_at) == ("met", at(20))


def test_i_answered_there_in_the_future_counts_when_it_was_said():
    turns = [asked("m", at(0)), elsewhere("e", at(90), said=at(40))]

    [clock] = clocks(turns, [policy()])

    assert (clock.ended, clock.stopped_at) == ("late", at(40))


@pytest.mark.parametrize(("when", "ended"), [(at(20), "void"), (at(24), "void"), (at(25), "late")])
def test_no_answer_is_possible_any_more(when, ended):
    turns = [asked("m", at(0)), told("u", when, Kind.UNANSWERABLE)]

    [clock] = clocks(turns, [policy()])

    assert (clock.ended, clock.reason, clock.stopped_at) == (ended, "unanswerable", when)


@pytest.mark.parametrize("when", [at(20), at(25)])
def test_erasing_the_buyer_ends_what_runs_for_the_buyer(when):
    operator = asked("o", at(1), party=MARKETPLACE)
    turns = [asked("m", at(0)), operator, told("e", when, Kind.ERASED)]

    buyer, marketplace = clocks(turns, [policy(waits_for=BOTH)])

    assert (buyer.ended, buyer.reason) == ("void", "erased")
    assert marketplace.ended is None


def test_what_was_answered_is_not_touched_by_what_comes_later():
    turns = [asked("m", at(0)), replied("r", at(1)), told("u", at(2), Kind.UNANSWERABLE)]

    assert clocks(turns, [policy()])[0].ended == "met"


def test_the_first_reply_is_the_one_before_which_no_reply_counted():
    turns = [asked("m1", at(0)), replied("r1", at(1)), asked("m2", at(2))]
    generous = policy(within=24 * HOUR, next_reply_within=48 * HOUR)

    first, second = clocks(turns, [generous])

    assert (first.metric, first.due_at) == ("first_reply", at(24))
    assert (second.metric, second.due_at) == ("next_reply", at(50))


def test_without_a_time_of_its_own_a_later_reply_has_that_of_the_first():
    turns = [asked("m1", at(0)), replied("r1", at(1)), asked("m2", at(2))]

    assert clocks(turns, [policy()])[1].due_at == at(26)


def test_a_thread_that_the_seller_began_has_no_first_reply():
    [clock] = clocks([replied("r", at(0)), asked("m", at(1))], [policy()])

    assert clock.metric == "next_reply"


def test_a_reply_that_was_refused_or_went_to_another_was_no_first_reply():
    turns = [
        replied("r1", at(0), delivery=Delivery.REFUSED),
        replied("r2", at(0), MARKETPLACE),
        replied("r3", at(0), kind=Kind.AUTOMATIC),
        asked("m", at(1)),
    ]

    assert clocks(turns, [policy()])[0].metric == "first_reply"


def test_counted_from_the_latest_a_further_message_moves_the_same_clock():
    turns = [asked("m1", at(0)), asked("m2", at(20)), asked("m3", at(44))]

    [clock] = clocks(turns, [policy(**LATEST)])

    assert (clock.started_by, clock.started_at, clock.due_at) == ("m3", at(44), at(68))
    assert clock.members == ("m1", "m2", "m3")
    assert clock.counts_from == "latest"


def test_the_latest_message_brings_the_version_of_its_time():
    old = policy(**LATEST, effective_to=at(10))
    new = policy(within=HOUR, version=2, effective_from=at(10))

    [clock] = clocks([asked("m1", at(9)), asked("m2", at(11))], [old, new])

    assert (clock.policy_version, clock.due_at) == (2, at(12))


def test_a_window_that_lapsed_stays_lapsed():
    turns = [asked("m1", at(0)), asked("m2", at(25)), replied("r", at(26))]

    lapsed, open_again = clocks(turns, [policy(**LATEST)])

    assert (lapsed.ended, lapsed.stopped_at, lapsed.stopped_by) == ("late", at(25), "m2")
    assert lapsed.reason == "lapsed"
    assert (open_again.started_by, open_again.ended) == ("m2", "met")
    assert open_again.metric == "first_reply"


def test_a_thread_without_its_beginning_has_an_uncertain_first_waiting():
    turns = [asked("m1", at(0)), replied("r", at(1)), asked("m2", at(2))]

    first, second = clocks(turns, [policy()], incomplete=True)

    assert first.flags == {"start_uncertain"}
    assert second.flags == frozenset()


def test_a_contract_and_a_goal_run_beside_each_other():
    contract, ours = clocks([asked("m", at(10))], [policy(), goal("ours", 4 * HOUR)])

    assert (contract.promise, contract.due_at) == ("contract", at(34))
    assert (ours.promise, ours.due_at) == ("ours", at(14))


def test_a_clock_knows_its_policys_version():
    old = policy(effective_to=at(12))
    new = policy(within=HOUR, version=2, effective_from=at(12))
    turns = [asked("m1", at(11)), replied("r", at(11.5)), asked("m2", at(12))]

    before, after = clocks(turns, [new, old])

    assert (before.policy_version, before.due_at) == (1, at(35))
    assert (after.policy_version, after.due_at) == (2, at(13))


def test_a_change_of_policy_moves_no_open_clock_but_a_late_page_that_moves_the_start_does():
    old = policy(effective_to=at(12))
    new = policy(within=HOUR, version=2, effective_from=at(12))
    later = asked("m2", at(12))

    [alone] = clocks([later], [old, new])
    [whole] = clocks([later, asked("m1", at(11), seen=at(20))], [old, new])

    assert (alone.policy_version, alone.due_at) == (2, at(13))
    assert (whole.policy_version, whole.due_at) == (1, at(35))


def test_an_automatic_reply_is_judged_by_the_version_that_the_waiting_began_under():
    old = policy(effective_to=at(12))
    new = policy(version=2, effective_from=at(12), counts_automatic=True)
    robot = replied("r", at(13), kind=Kind.AUTOMATIC)

    assert clocks([asked("m", at(11)), robot], [old, new])[0].ended is None
    assert clocks([asked("m", at(12)), robot], [old, new])[0].ended == "met"


def test_outside_its_dates_a_policy_starts_nothing_and_goes_on_for_what_it_started():
    season = policy(effective_from=at(10), effective_to=at(20))
    turns = [asked("m0", at(9)), asked("m1", at(12)), replied("r", at(30)), asked("m2", at(31))]

    [clock] = clocks(turns, [season])

    assert (clock.started_by, clock.members, clock.ended) == ("m1", ("m1",), "met")


def test_at_the_instant_at_which_a_version_ends_it_starts_nothing():
    assert clocks([asked("m", at(20))], [policy(effective_to=at(20))]) == []
    assert len(clocks([asked("m", at(20))], [policy(effective_from=at(20))])) == 1


def test_a_version_that_no_longer_waits_for_somebody_starts_nothing_for_them():
    old = policy(waits_for=BOTH, effective_to=at(12))
    new = policy(version=2, effective_from=at(12))
    turns = [asked("o1", at(10), party=MARKETPLACE), asked("o2", at(13), party=MARKETPLACE)]

    [clock] = clocks(turns, [old, new])

    assert clock.members == ("o1", "o2")
    assert clocks(turns[1:], [old, new]) == []


def test_the_kind_of_a_thread_chooses_no_promise_by_itself():
    """The caller hands in what applies: `Rules.promises`."""
    [clock] = clocks([asked("m", at(0))], [policy()], kind=ThreadKind.CLAIM)

    assert clock.due_at == at(24)


def test_a_deadline_is_found_through_the_policys_calendar():
    from sla.calendar import Calendar  # noqa: PLC0415 -- beside its only use

    weekdays_only = Calendar.clock_hours_without("UTC")

    [clock] = clocks([asked("m", at(4 * 24 + 12))], [policy(calendar=weekdays_only)])

    assert clock.due_at == at(7 * 24 + 12)
    assert clock.due_at - clock.started_at == 3 * DAY
