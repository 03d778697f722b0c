"""Steps are the memory: warnings, then the deadline. Rule: clock.md, section 7."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sla.calendar import WHOLE_DAY, Calendar
from sla.clock import clocks, next_alert_at, reached
from sla.policy import WARN_SHARES
from tests.sla.making import DAY, HOUR, asked, at, policy, weekdays

OFFICE = Calendar("UTC", weekdays("09:00-17:00"))
NINE = at(9)
SECOND = timedelta(seconds=1)


def steps(start=NINE, within=8 * HOUR, warn=WARN_SHARES, calendar=OFFICE):
    promise = policy(within=within, warn=warn, calendar=calendar)
    [clock] = clocks([asked("m", start)], [promise])
    return clock.steps


def test_where_the_calendar_ends_before_the_deadline_the_time_counts_round_the_clock():
    once = Calendar("UTC", {}, {NINE.date(): WHOLE_DAY})
    promise = policy(within=DAY, calendar=once, warn=(0.5, HOUR))

    [clock] = clocks([asked("m", NINE)], [promise])

    assert (clock.due_at, clock.flags) == (NINE + DAY, {"calendar_ended"})
    assert clock.steps == (NINE + DAY / 2, NINE + 23 * HOUR, NINE + DAY)


def test_a_start_that_moves_to_where_the_calendar_is_open_is_placed_again():
    once = Calendar("UTC", {}, {NINE.date(): WHOLE_DAY})
    promise = policy(within=4 * HOUR, calendar=once, warn=(), counts_from="latest")
    early, late = asked("early", at(18)), asked("late", at(21))

    [alone] = clocks([early], [promise])
    [both] = clocks([early, late], [promise])

    assert (alone.due_at, alone.flags) == (at(22), frozenset())
    assert (both.due_at, both.flags) == (at(25), {"calendar_ended"})


def test_a_time_beyond_all_dates_is_due_at_the_last_of_them():
    [clock] = clocks([asked("m", NINE)], [policy(within=timedelta.max, warn=(0.5, HOUR))])

    assert (clock.due_at.year, clock.flags) == (9999, {"calendar_ended"})
    assert clock.steps[-1] == clock.due_at


def test_the_usual_warnings_are_at_50_75_and_90_percent():
    assert steps() == (at(13), at(15), at(16.2), at(17))


def test_shares_are_of_working_time_over_the_night():
    assert steps(start=at(15)) == (at(24 + 11), at(24 + 13), at(24 + 14.2), at(24 + 15))


def test_a_time_before_the_deadline_is_working_time_too():
    assert steps(start=at(15), warn=(4 * HOUR,)) == (at(24 + 11), at(24 + 15))
    assert steps(start=at(15), warn=(7 * HOUR,)) == (at(16), at(24 + 15))


def test_half_the_time_and_half_the_time_before_are_one_step():
    assert steps(warn=(0.5, 4 * HOUR)) == (at(13), at(17))
    assert steps(start=at(13), warn=(0.5, 4 * HOUR)) == (at(17), at(24 + 13))


def test_steps_stand_in_the_order_of_time():
    assert steps(warn=(HOUR, 0.9, 0.1)) == (at(9.8), at(16), at(16.2), at(17))


@pytest.mark.parametrize("warn", [(8 * HOUR,), (9 * HOUR,), (1000 * DAY,), (0.0,), (timedelta(0),)])
def test_a_warning_that_is_not_after_the_start_is_left_out(warn):
    assert steps(warn=warn) == (at(17),)


@pytest.mark.parametrize("warn", [(1.0,), (2.5,), (-0.5,), (-HOUR,)])
def test_a_warning_that_is_not_before_the_deadline_is_left_out(warn):
    assert steps(warn=warn) == (at(17),)


def test_a_promise_too_short_for_warnings_has_its_deadline():
    assert steps(within=timedelta(microseconds=1)) == (at(9) + timedelta(microseconds=1),)


def test_a_promise_of_no_time_is_due_at_the_first_open_instant():
    assert steps(start=at(7), within=timedelta(0)) == (at(9),)


def test_a_clock_that_has_ended_keeps_its_steps():
    """Only the row says what is told; a clock that runs again needs them."""
    assert len(steps()) == 4


def test_a_step_has_passed_only_when_its_instant_is_over():
    found = steps()

    assert reached(found, at(9)) == 0
    assert reached(found, at(13)) == 0
    assert reached(found, at(13) + SECOND) == 1
    assert reached(found, at(17)) == 3
    assert reached(found, at(17) + SECOND) == 4
    assert reached((), at(17)) == 0


def test_the_next_alert_is_the_first_step_after_the_highest_told():
    found = steps()

    assert [next_alert_at(found, step) for step in range(5)] == [*found, None]
    assert next_alert_at((), 0) is None
