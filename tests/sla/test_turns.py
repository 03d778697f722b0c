"""Three instants, never one; and the order of turns. Rule: clock.md, section 1."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sla.clock import Kind, Level, accepted_at, clocks, instant
from sla.turn import in_order, is_uncertain
from tests.sla.making import (
    BUYER,
    HOUR,
    MARKETPLACE,
    MINUTE,
    asked,
    at,
    goal,
    marked,
    policy,
    replied,
)  # fmt: skip

MICROSECOND = timedelta(microseconds=1)


def test_a_turn_counts_from_when_the_marketplace_says_it_was_written():
    assert instant(asked("m", at(10), seen=at(15))) == at(10)


@pytest.mark.parametrize(
    "sent",
    [None, datetime(1999, 12, 31, 23, 59, tzinfo=UTC), at(15) + MICROSECOND, at(500)],
    ids=["unreadable", "before 2000", "just in the future", "far in the future"],
)
def test_a_stamp_that_cannot_be_counts_from_when_it_was_seen_and_is_uncertain(sent):
    turn = asked("m", sent, seen=at(15))

    [clock] = clocks([turn], [policy()])

    assert instant(turn) == clock.started_at == at(15)
    assert is_uncertain(turn)
    assert clock.flags == {"start_uncertain"}


def test_a_stamp_of_the_instant_of_sight_is_certain():
    assert not is_uncertain(asked("m", at(15), seen=at(15)))


def test_our_own_reply_counts_from_its_acceptance():
    turns = [asked("m", at(10))]

    assert accepted_at(at(12), turns) == at(12)
    assert accepted_at(at(12), []) == at(12)


def test_our_own_reply_counts_after_everything_that_was_stored_when_it_left():
    """Our clock may be behind the marketplace's: at the same instant it would not count."""
    turns = [asked("m", at(10), seen=at(10))]
    when = accepted_at(at(9), turns)

    [clock] = clocks([*turns, replied("r", when)], [policy()])

    assert when == at(10) + MICROSECOND
    assert (clock.ended, clock.stopped_at) == ("met", when)


def test_at_the_same_instant_an_answer_cannot_answer():
    [clock] = clocks([asked("m", at(10), seen=at(10)), replied("r", at(10))], [policy()])

    assert clock.ended is None


def test_turns_are_read_by_instant_seller_first_then_id():
    turns = [
        asked("b", at(10), seen=at(10)),
        asked("a", at(10), seen=at(10), party=MARKETPLACE),
        replied("z", at(10)),
        asked("c", at(9), seen=at(9)),
    ]

    assert [moment[2] for moment in in_order(turns)] == ["c", "z", "a", "b"]


def test_a_marketplaces_mark_covers_a_message_of_its_own_instant():
    """Its mark covers messages that are not younger than it, whatever their ids."""
    turns = [asked("z", at(10), seen=at(10)), marked("a", at(10), Level.CONFIRMED)]

    [clock] = clocks(turns, [policy()])

    assert (clock.ended, clock.reason) == ("void", "confirmed")


def test_a_message_first_seen_after_its_deadline_is_a_breach_at_its_true_time():
    [clock] = clocks([asked("m", at(0), seen=at(30))], [policy()])

    assert clock.due_at == at(24)
    assert clock.state(at(30)) == "overdue"
    assert clock.flags == {"unseen_in_time"}


def test_a_message_seen_late_but_answered_in_time_was_no_breach():
    [clock] = clocks([asked("m", at(0), seen=at(30)), replied("r", at(3))], [policy()])

    assert clock.ended == "met"
    assert clock.flags == frozenset()


def test_two_turns_with_one_id_do_no_harm():
    turn = asked("m", at(10))

    assert [c.members for c in clocks([turn, turn], [policy()])] == [("m", "m")]


def test_the_marketplace_stands_after_the_seller_and_beside_the_buyer():
    turns = [asked("m", at(10), seen=at(10), party=MARKETPLACE), replied("r", at(10), MARKETPLACE)]
    both = policy(waits_for=frozenset({BUYER, MARKETPLACE}))

    [clock] = clocks(turns, [both])

    assert clock.waits_for is MARKETPLACE
    assert clock.ended is None


def test_a_mark_of_an_agent_at_the_instant_of_a_message_covers_it_not():
    """The seller's turns come first: what comes at the same instant has not been read."""
    mark = marked("k", at(10), Level.MARKED)

    [clock] = clocks([asked("m", at(10), seen=at(10)), mark], [goal()])

    assert clock.ended is None


def test_clocks_stand_in_the_order_in_which_they_started():
    turns = [asked("m1", at(10)), replied("r1", at(11)), asked("m2", at(12))]

    found = clocks(turns, [policy("b"), goal("a", HOUR)])

    assert [(c.started_at, c.promise) for c in found] == [
        (at(10), "a"), (at(10), "b"), (at(12), "a"), (at(12), "b"),
    ]  # fmt: skip
    assert clocks([], [policy()]) == clocks(turns, []) == []


@pytest.mark.parametrize("kind", [Kind.SYSTEM, Kind.CLOSED, Kind.REOPENED])
def test_a_status_is_no_question_and_no_answer(kind):
    turns = [
        asked("m", at(10)),
        asked("s1", at(11), kind=kind, party=MARKETPLACE),
        replied("s2", at(12), kind=kind),
    ]

    [clock] = clocks(turns, [policy(waits_for=frozenset({BUYER, MARKETPLACE}))])

    assert (clock.members, clock.ended) == (("m",), None)


def test_seen_a_minute_later_is_lag_and_moves_nothing():
    early = clocks([asked("m", at(10), seen=at(10))], [policy()])

    assert early == clocks([asked("m", at(10), seen=at(10) + MINUTE)], [policy()])
