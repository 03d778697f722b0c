"""A deadline that the marketplace gives. Rule: clock.md, section 5."""

from __future__ import annotations

import pytest

from sla.clock import REST, Kind, Level, clocks
from sla.policy import ThreadKind
from tests.sla.making import (
    BUYER,
    DAY,
    HOUR,
    MARKETPLACE,
    asked,
    at,
    elsewhere,
    goal,
    marked,
    policy,
    reading,
    replied,
    told,
)

CLAIM = ThreadKind.CLAIM


def claim(as_of, **other):
    """A reading of a claim that asks for an approval by the fourth day."""
    other = {"kind": "claim", "act": "approve", "due_at": at(96), "starts_at": at(0), **other}
    return reading(as_of, **other)


def closed(as_of, **other):
    return claim(as_of, asks=False, due_at=None, starts_at=None, **other)


def only(turns, given):
    [clock] = clocks(turns, [], given)
    return clock


def test_a_reading_that_asks_is_a_clock_of_its_own():
    clock = only([], [claim(at(1))])

    assert (clock.promise, clock.waits_for, clock.metric) == ("given:claim:approve", BUYER, "given")
    assert (clock.started_at, clock.due_at, clock.ended) == (at(0), at(96), None)
    assert (clock.policy_version, clock.due_from) == (None, "marketplace")
    assert clock.flags == frozenset()


def test_each_act_is_a_clock_of_its_own():
    refund = claim(at(2), act="refund", due_at=at(50))

    assert [c.promise for c in clocks([], [], [claim(at(1)), refund])] == [
        "given:claim:approve", "given:claim:refund",
    ]  # fmt: skip


@pytest.mark.parametrize("order", [1, -1])
def test_the_newest_reading_stands_whenever_it_came(order):
    readings = [
        claim(at(1), due_at=at(90)),
        claim(at(2), due_at=at(80), read_at=at(2)),
        claim(at(2), due_at=at(70), read_at=at(3)),
        claim(at(1.5), due_at=at(99), read_at=at(9)),
    ]

    assert only([], readings[::order]).due_at == at(70)


def test_a_reading_without_a_date_leaves_the_date_that_is_known():
    assert only([], [claim(at(1)), claim(at(2), due_at=None)]).due_at == at(96)


def test_without_a_date_of_the_request_the_first_reading_counts_and_is_flagged():
    readings = [claim(at(1), starts_at=None), claim(at(2), starts_at=None)]

    clock = only([], readings)

    assert (clock.started_at, clock.flags) == (at(1), {"start_uncertain"})


def test_a_number_from_a_published_table_is_flagged():
    assert only([], [claim(at(1), uncertain=True)]).flags == {"due_uncertain"}


def test_past_at_first_sight_is_a_breach_at_its_true_time():
    clock = only([], [claim(at(100))])

    assert clock.state(at(100)) == "overdue"
    assert clock.due_at == at(96)
    assert clock.flags == {"unseen_in_time"}


@pytest.mark.parametrize(
    ("acted_at", "stopped_at", "ended"),
    [(at(50), at(50), "met"), (at(96), at(96), "met"), (at(97), at(97), "late"),
     (None, at(98), "late")],
)  # fmt: skip
def test_it_ends_at_the_sellers_last_act_in_the_dossier_else_with_the_reading(
    acted_at, stopped_at, ended
):
    clock = only([], [claim(at(1)), closed(at(98), acted_at=acted_at)])

    assert (clock.ended, clock.stopped_at, clock.reason) == (ended, stopped_at, None)


@pytest.mark.parametrize("outcome", ["withdrawn", "escalated", "closed_by_buyer"])
@pytest.mark.parametrize(("as_of", "ended"), [(at(50), "void"), (at(96), "late"), (at(97), "late")])
def test_without_any_act_it_is_void_while_its_deadline_is_ahead_else_late(outcome, as_of, ended):
    clock = only([], [claim(at(1)), closed(as_of, outcome=outcome)])

    assert (clock.ended, clock.stopped_at, clock.reason) == (ended, as_of, outcome)


def test_an_act_before_the_request_is_none():
    clock = only([], [claim(at(1)), closed(at(50), acted_at=at(-5), outcome="withdrawn")])

    assert (clock.ended, clock.reason) == ("void", "withdrawn")


def test_the_seller_acted_and_the_buyer_escalated_all_the_same():
    clock = only([], [claim(at(1)), closed(at(50), acted_at=at(40), outcome="escalated")])

    assert (clock.ended, clock.stopped_at) == ("met", at(40))


def test_the_first_reading_that_no_longer_asks_says_when_it_ended():
    clock = only([], [claim(at(1)), closed(at(50)), closed(at(98))])

    assert (clock.ended, clock.stopped_at) == ("met", at(50))


def test_an_act_that_a_later_reading_tells_of_counts_if_it_came_before_the_end():
    before = closed(at(60), acted_at=at(40))
    after = closed(at(60), acted_at=at(55))

    assert only([], [claim(at(1)), closed(at(50)), before]).stopped_at == at(40)
    assert only([], [claim(at(1)), closed(at(50)), after]).stopped_at == at(50)


def test_asked_again_it_runs_again():
    clock = only(
        [], [claim(at(1)), closed(at(50)), claim(at(60), due_at=at(120), starts_at=at(59))]
    )

    assert (clock.ended, clock.started_at, clock.due_at) == (None, at(59), at(120))


def test_asked_again_without_a_date_it_counts_from_the_new_request():
    readings = [claim(at(1), starts_at=None), closed(at(50)), claim(at(60), starts_at=None)]

    clock = only([], readings)

    assert (clock.ended, clock.started_at) == (None, at(60))


def test_an_act_after_the_end_is_not_what_ended_it():
    readings = [claim(at(1), by_message=True), closed(at(50), outcome="withdrawn")]

    clock = only([replied("r", at(60))], readings)

    assert (clock.ended, clock.stopped_at) == ("void", at(50))


def test_what_never_asked_is_no_clock():
    assert clocks([], [], [closed(at(50)), claim(at(51), asks=False)]) == []


@pytest.mark.parametrize("by_message", [False, True])
def test_a_plain_message_ends_it_only_where_a_message_is_asked_for(by_message):
    clock = only([replied("r", at(50))], [claim(at(1), by_message=by_message)])

    assert (clock.ended == "met") is by_message
    assert (clock.stopped_by == "r") is by_message


def test_a_message_to_the_marketplace_or_a_note_is_no_answer_to_the_buyer():
    turns = [replied("r", at(50), MARKETPLACE), replied("n", at(51), kind=Kind.INTERNAL)]

    assert only(turns, [claim(at(1), by_message=True)]).ended is None


def test_our_own_act_ends_it_only_until_the_next_reading():
    turns = [replied("r", at(50))]
    asks = claim(at(1), by_message=True)

    assert only(turns, [asks]).ended == "met"
    assert only(turns, [asks, claim(at(51), by_message=True)]).ended is None
    assert only(turns, [asks, claim(at(50), by_message=True)]).ended == "met"
    assert only(turns, [asks, closed(at(51))]).stopped_at == at(50)


def test_when_it_no_longer_asks_our_earlier_act_was_the_last_one():
    turns = [replied("r", at(50))]
    readings = [claim(at(1), by_message=True), claim(at(51), by_message=True), closed(at(60))]

    clock = only(turns, readings)

    assert (clock.ended, clock.stopped_by) == ("met", "r")


def test_i_answered_there_ends_what_was_read_when_it_was_said():
    mail = claim(at(1))
    statement = elsewhere("e", at(20), said=at(40))

    assert only([statement], [mail]).stopped_at == at(20)
    assert only([statement], [mail, claim(at(30))]).stopped_at == at(20)
    assert only([statement], [mail, claim(at(41))]).ended is None


@pytest.mark.parametrize(("when", "ended"), [(at(50), "void"), (at(97), "late")])
def test_where_no_answer_is_possible_it_ends(when, ended):
    clock = only([told("u", when, Kind.UNANSWERABLE)], [claim(at(1))])

    assert (clock.ended, clock.reason) == (ended, "unanswerable")


def test_a_newer_reading_that_asks_knows_better_than_a_shut_conversation():
    assert only([told("u", at(50), Kind.UNANSWERABLE)], [claim(at(1)), claim(at(60))]).ended is None


def test_an_erased_buyers_deadline_ends_for_good():
    clock = only([told("e", at(50), Kind.ERASED)], [claim(at(1)), claim(at(60))])

    assert (clock.ended, clock.reason) == ("void", "erased")


@pytest.mark.parametrize("level", [Level.MARKED, Level.CONFIRMED])
def test_a_mark_ends_it_where_a_message_is_asked_for(level):
    mark = marked("k", at(50), level)

    assert only([mark], [claim(at(1), by_message=True)]).reason == level
    assert only([mark], [claim(at(1))]).ended is None
    assert (
        only([mark], [claim(at(1), by_message=True), claim(at(51), by_message=True)]).ended is None
    )


def test_what_an_agent_decided_here_ends_no_deadline_of_the_marketplace():
    mark = marked("k", at(50), Level.DECIDED)

    assert only([mark], [claim(at(1), by_message=True)]).ended is None


def test_a_follow_up_that_an_agent_promised_is_ours_and_ends_by_a_message():
    promised = claim(at(1), kind="follow_up", by_message=True)

    running = only([marked("k", at(2), Level.MARKED)], [promised])
    assert (running.due_from, running.ended) == ("agent", None)
    assert only([replied("r", at(50))], [promised]).ended == "met"


class TestSuperseded:
    """While a deadline of the thread's kind asks, its contracts are kept and counted nowhere."""

    turns = (asked("m", at(0)),)
    contract = policy(applies_to=frozenset({CLAIM}))

    def test_contracts_have_no_steps_and_goals_go_on(self):
        contract, _, ours = sorted(
            clocks(self.turns, [self.contract, goal()], [claim(at(1))], kind=CLAIM),
            key=lambda clock: clock.promise,
        )

        assert (contract.flags, contract.steps) == ({"superseded"}, ())
        assert (ours.flags, len(ours.steps)) == (frozenset(), 2)

    def test_a_deadline_of_another_kind_supersedes_nothing(self):
        [contract, _] = clocks(self.turns, [policy()], [claim(at(1))], kind=ThreadKind.MESSAGE)

        assert contract.flags == frozenset()

    def test_without_a_kind_the_policys_own_kinds_decide(self):
        other = clocks(self.turns, [policy()], [claim(at(1))])
        same = clocks(self.turns, [self.contract], [claim(at(1))])

        assert [c.flags for c in other if c.promise == "contract"] == [frozenset()]
        assert [c.flags for c in same if c.promise == "contract"] == [{"superseded"}]

    @pytest.mark.parametrize(
        ("replied_at", "flags"),
        [(at(5), {"superseded"}), (at(50), {"superseded"}), (at(51), set()), (at(-1), set())],
    )
    def test_what_ended_while_it_asked_stays_superseded(self, replied_at, flags):
        turns = [asked("m", at(-2)), replied("r", replied_at)]
        readings = [claim(at(1)), closed(at(50))]

        found = clocks(turns, [self.contract], readings, kind=CLAIM)

        assert {c.flags for c in found if c.promise == "contract"} == {frozenset(flags)}

    def test_what_still_runs_when_it_no_longer_asks_counts_again(self):
        found = clocks(self.turns, [self.contract], [claim(at(1)), closed(at(50))], kind=CLAIM)
        [contract] = [c for c in found if c.promise == "contract"]

        assert (contract.flags, len(contract.steps)) == (frozenset(), 2)


def test_its_warnings_are_shares_of_the_real_time_from_the_request():
    clock = only([], [claim(at(1), starts_at=at(0), due_at=at(100))])

    assert clock.steps == (at(50), at(75), at(90), at(100))


def test_a_warning_at_the_very_request_is_left_out():
    instant_later = at(0) + DAY.resolution

    assert only([], [claim(at(0), due_at=instant_later)]).steps == (instant_later,)


def test_a_deadline_before_its_own_request_has_one_step():
    clock = only([], [claim(at(100), starts_at=None)])

    assert clock.started_at == at(100)
    assert clock.steps == (at(96),)


def test_a_deadline_that_moved_moves_its_steps():
    before = only([], [claim(at(1))])
    after = only([], [claim(at(1)), claim(at(2), due_at=at(48))])

    assert before.steps[-1] - after.steps[-1] == 2 * DAY
    assert after.steps[0] == at(24)
    assert (before.started_by, before.promise) == (after.started_by, after.promise)


def test_a_request_of_the_same_instant_as_a_message_is_not_answered_by_it():
    assert only([replied("r", at(0))], [claim(at(0), by_message=True)]).ended is None
    late = replied("r", at(0) + HOUR)
    assert only([late], [claim(at(0), by_message=True)]).ended == "met"


def rest(as_of, **other):
    """A reading that tells all that is asked, and asks nothing itself."""
    other = {"kind": "claim", "act": REST, "asks": False, **other}
    return reading(as_of, **other)


def test_what_is_said_of_all_the_rest_ends_every_act_of_its_kind():
    refund = claim(at(2), act="refund", due_at=at(50))
    other = claim(at(2), kind="return", due_at=at(60))
    given = [claim(at(1)), refund, other, rest(at(3), acted_at=at(2.5))]

    ended = {c.promise: (c.ended, c.stopped_at) for c in clocks([], [], given)}

    assert ended == {
        "given:claim:approve": ("met", at(2.5)),
        "given:claim:refund": ("met", at(2.5)),
        "given:return:approve": (None, None),
    }


def test_what_is_asked_at_the_same_instant_as_the_rest_is_asked():
    given = [claim(at(1)), claim(at(2), act="refund"), rest(at(2), outcome="withdrawn")]

    assert {c.promise: c.ended for c in clocks([], [], given)} == {
        "given:claim:approve": "void",
        "given:claim:refund": None,
    }


def test_the_rest_alone_is_no_clock_and_no_waiting():
    assert clocks([], [policy()], [rest(at(1))]) == []


def test_the_rest_ends_what_is_read_later_and_was_asked_before():
    late = [rest(at(3), outcome="closed_by_buyer"), claim(at(1), read_at=at(9))]

    assert [only([], order).reason for order in (late, late[::-1])] == ["closed_by_buyer"] * 2


def test_a_given_start_ends_with_the_rest_of_its_kind():
    start = reading(at(1), kind="claim", act="refund", starts_at=at(1))

    [running] = clocks([], [policy()], [start])
    assert running.started_at == at(1)
    assert clocks([], [policy()], [start, rest(at(2))]) == []


def test_a_reading_says_why_it_ended_where_all_is_over_at_the_same_instant():
    over = told("over", at(5), Kind.UNANSWERABLE)

    clock = only([over], [claim(at(1)), rest(at(5), outcome="escalated")])

    assert (clock.ended, clock.reason, clock.stopped_at) == ("void", "escalated", at(5))
