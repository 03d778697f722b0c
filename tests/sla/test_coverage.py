"""Structural holes: known weekends that a human can check, and every minute of random calendars."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla import coverage
from sla.calendar import Calendar, Span
from tests.sla import making
from tests.sla.making import DAY, HOUR, MINUTE, days, spans, wall, weekdays

PARIS = "Europe/Paris"
DESK = Calendar(PARIS, weekdays("09:00-17:00"))
CONTRACT = making.policy()
HALF_AN_HOUR = timedelta(minutes=30)


def paris(text):
    return wall(text, PARIS).astimezone(UTC)


def found(policy, team, begin, end, least=HALF_AN_HOUR):
    return coverage.holes(policy, team, least, paris(begin), paris(end))


def test_a_day_round_the_clock_has_a_hole_at_each_weekend():
    holes = found(CONTRACT, DESK, "2026-03-02T00:00", "2026-03-16T00:00")

    # Who writes on Friday until 16:30 can be answered at once, and from Sunday 09:30 on Monday.
    assert [(hole.begin, hole.end) for hole in holes] == [
        (paris("2026-03-06T16:30") + coverage.INSTANT, paris("2026-03-08T09:30")),
        (paris("2026-03-13T16:30") + coverage.INSTANT, paris("2026-03-15T09:30")),
    ]
    assert holes[0].first_due_at == paris("2026-03-07T16:30") + coverage.INSTANT
    assert holes[0].last_due_at == paris("2026-03-09T09:30") - coverage.INSTANT
    assert holes[0].staffed == timedelta(0)


def test_easter_makes_the_weekend_longer():
    closed = replace(DESK, holidays=days("2026-04-03", "2026-04-06"))

    (hole,) = found(CONTRACT, closed, "2026-03-30T00:00", "2026-04-09T00:00")

    assert hole.begin == paris("2026-04-02T16:30") + coverage.INSTANT
    assert hole.end == paris("2026-04-06T09:30")


def test_a_night_on_which_the_clocks_change_makes_the_stretch_an_hour_shorter():
    always = Calendar(PARIS, dict.fromkeys(range(7), spans("09:00-17:00")))
    quick = replace(CONTRACT, reply_within=12 * HOUR)

    ordinary, short = found(quick, always, "2026-03-27T12:00", "2026-03-29T12:00")

    assert ordinary.end - ordinary.begin == 4 * HOUR + HOUR - coverage.INSTANT
    assert short.end - short.begin == ordinary.end - ordinary.begin - HOUR


def test_a_promise_on_the_teams_own_calendar_has_none():
    goal = making.policy("goal-4h", 4 * HOUR, calendar=DESK)

    assert found(goal, DESK, "2026-01-01T00:00", "2027-01-01T00:00") == []


def test_a_promise_of_less_than_an_answer_takes_needs_to_be_staffed_all_along():
    goal = making.policy("goal-10m", 10 * MINUTE, calendar=DESK)

    assert coverage.needed(goal, HOUR) == 10 * MINUTE
    assert found(goal, DESK, "2026-01-01T00:00", "2027-01-01T00:00", HOUR) == []


def test_the_shorter_time_for_a_further_reply_counts():
    quick = replace(CONTRACT, reply_within=5 * DAY, next_reply_within=24 * HOUR)

    assert found(quick, DESK, "2026-03-02T00:00", "2026-03-09T00:00") != []
    slow = replace(CONTRACT, reply_within=5 * DAY)
    assert found(slow, DESK, "2026-03-02T00:00", "2026-03-09T00:00") == []


def test_a_version_has_holes_while_it_is_in_force():
    season = replace(
        CONTRACT, effective_from=paris("2026-03-07T00:00"), effective_to=paris("2026-03-08T00:00")
    )

    (hole,) = found(season, DESK, "2026-03-02T00:00", "2026-03-16T00:00")

    assert (hole.begin, hole.end) == (season.effective_from, season.effective_to)
    assert found(season, DESK, "2026-03-09T00:00", "2026-03-16T00:00") == []


def test_a_team_that_is_never_there_is_one_hole():
    nobody = Calendar(PARIS, {}, {date(2026, 1, 1): spans("09:00-10:00")})

    (hole,) = found(CONTRACT, nobody, "2026-03-02T00:00", "2026-03-16T00:00")

    assert hole.end - hole.begin == 14 * DAY


def test_a_promise_whose_calendar_has_ended_counts_round_the_clock():
    ended = Calendar(PARIS, {}, {date(2026, 3, 5): spans("09:00-17:00")})
    goal = replace(CONTRACT, calendar=ended)

    holes = found(goal, DESK, "2026-03-02T00:00", "2026-03-09T00:00")

    assert holes == found(CONTRACT, DESK, "2026-03-02T00:00", "2026-03-09T00:00")


quarters = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))
some_spans = st.lists(st.builds(Span, quarters, quarters), max_size=2).map(tuple)
some_days = st.integers(-2, 9).map(lambda n: date(2026, 3, 27) + timedelta(days=n))
calendars = st.one_of(
    st.just(Calendar.always()),
    st.builds(
        Calendar,
        st.sampled_from(["UTC", PARIS, "America/New_York", "Asia/Kolkata"]),
        st.dictionaries(st.integers(0, 6), some_spans, min_size=1),
        st.dictionaries(some_days, some_spans, max_size=2),
        st.frozensets(some_days, max_size=2),
    ),
)
minutes = st.integers(1, 4000).map(lambda n: n * MINUTE)


@settings(max_examples=40)
@given(calendars, calendars, minutes, minutes, st.integers(0, 7 * 1440), st.integers(60, 900))
def test_the_holes_are_what_every_minute_says(own, team, within, least, first, length):
    """Around the change of clocks, by the minute and a moment on either side of it."""
    policy = making.policy("any", within, calendar=own)
    begin = datetime(2026, 3, 27, tzinfo=UTC) + first * MINUTE
    end = begin + length * MINUTE

    holes = coverage.holes(policy, team, least, begin, end)

    need = coverage.needed(policy, least)
    for minute in range(length):
        for moment in (0, 1):
            at = begin + minute * MINUTE + moment * coverage.INSTANT
            short = coverage.staffed_before_due(policy, team, at) < need
            assert short == any(hole.begin <= at < hole.end for hole in holes), at
    for hole in holes:
        shortest = min(
            coverage.staffed_before_due(policy, team, at)
            for at in (hole.begin, hole.end - coverage.INSTANT)
        )
        assert timedelta(0) <= hole.staffed <= shortest < need
        assert begin <= hole.begin < hole.end <= end


@pytest.mark.parametrize("least", [timedelta(0), -MINUTE])
def test_who_needs_no_time_has_no_hole(least):
    assert found(CONTRACT, DESK, "2026-03-02T00:00", "2026-03-16T00:00", least) == []
