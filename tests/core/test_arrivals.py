from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.reading.arrivals import DAY, HOUR, UNKNOWN, WEEK, Arrivals, zone_of
from sla.calendar import Calendar

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
"""A Saturday."""
BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")


def learnt(came=None, weeks=4.0, zone=UTC, **changes):
    """What came until now; *came* by hours ago."""
    hours = {NOW - n * HOUR: count for n, count in (came or {}).items()}
    return Arrivals(hours, NOW - weeks * WEEK, NOW, zone, **changes)


def weekly(hours, n):
    """*n* messages this many hours ago, and in the three weeks before."""
    return {hours + week * 168: n for week in range(4)}


def test_messages_are_expected_by_the_hour_of_the_week():
    """In each of four weeks 2 came at noon on Saturday, and 1 in the hour after."""
    found = learnt(weekly(168, 2) | weekly(167, 1))

    assert found.expected(NOW, NOW + HOUR / 2) == pytest.approx(1.0)
    assert found.expected(NOW, NOW + 2 * HOUR) == pytest.approx(3.0)
    assert found.expected(NOW + 2 * HOUR, NOW + DAY) == 0
    assert found.expected(NOW, NOW + 10 * WEEK) == pytest.approx(30.0)
    assert learnt().expected(NOW, NOW + 500 * WEEK) == 0


def test_where_there_is_no_history_a_message_an_hour_is_expected():
    found = learnt(weeks=0)

    assert not found.is_known(NOW)
    assert found.expected(NOW, NOW + 47 * MINUTE) == pytest.approx(47 / 60 * UNKNOWN)
    assert found.expected(NOW, NOW + 2 * WEEK) == pytest.approx(2 * 168 * UNKNOWN)
    assert learnt(weeks=0, unknown=0.0).expected(NOW, NOW + WEEK) == 0


def test_a_short_history_knows_its_own_hours_and_assumes_the_others():
    """Two days old, on Saturday noon: of Thursday and Friday it knows, next week."""
    found = learnt({24: 5}, weeks=2 / 7)

    assert found.expected(NOW, NOW + DAY) == pytest.approx(24 * UNKNOWN)
    thursday = NOW + 5 * DAY
    assert found.is_known(thursday)
    assert not found.is_known(thursday - MINUTE)
    assert found.expected(thursday, thursday + DAY) == 0
    assert found.expected(thursday + DAY, thursday + DAY + HOUR) == pytest.approx(5)
    assert found.expected(thursday - HOUR, thursday) == pytest.approx(UNKNOWN)


def test_a_busy_account_that_is_new_expects_as_much_as_it_has_had():
    """Three an hour for two days: more than is assumed of one that nobody knows."""
    busy = dict.fromkeys(range(1, 49), 3)

    assert learnt(busy, weeks=2 / 7).expected(NOW, NOW + 2 * HOUR) == pytest.approx(6)
    assert learnt(dict.fromkeys(range(1, 4), 9), weeks=3 / 168).expected(
        NOW, NOW + 2 * HOUR
    ) == pytest.approx(2 * UNKNOWN)


def test_hours_count_in_the_accounts_own_zone_through_the_change_of_time():
    """At 20:00 in Berlin four came on each Monday of summer; winter time has begun on Sunday."""
    until = datetime(2026, 10, 26, 12, tzinfo=UTC)
    evening = datetime(2026, 10, 19, 20, tzinfo=BERLIN)
    came = {(evening - week * WEEK).astimezone(UTC): 4 for week in range(4)}
    found = Arrivals(came, until - 4 * WEEK, until, BERLIN)

    begin = datetime(2026, 10, 26, 20, tzinfo=BERLIN).astimezone(UTC)
    assert found.expected(begin, begin + HOUR) == pytest.approx(4)
    assert found.expected(begin - HOUR, begin) == 0


def test_a_zone_half_an_hour_off_counts_by_its_own_hours():
    """What came from 12:00 to 13:00 UTC is of the hour that began at 17:00 in Kolkata."""
    found = learnt(weekly(168, 6), zone=KOLKATA)

    assert found.expected(NOW, NOW + HOUR / 2) == pytest.approx(3)
    assert found.expected(NOW, NOW + HOUR) == pytest.approx(3)


@given(
    st.dictionaries(st.integers(1, 672), st.integers(0, 50)),
    st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 60 * 168),
    st.sampled_from([UTC, KOLKATA, BERLIN]),
)  # fmt: skip
def test_what_is_expected_adds_up_and_is_never_less_than_nothing(
    came, offset, first, second, known, zone
):
    hours = {NOW - n * HOUR: count for n, count in came.items() if n * 60 <= known}
    found = Arrivals(hours, NOW - known * MINUTE, NOW, zone)
    begin = NOW + offset * MINUTE
    middle, end = begin + first * MINUTE, begin + (first + second) * MINUTE

    parts = found.expected(begin, middle), found.expected(middle, end)

    assert found.expected(begin, end) == pytest.approx(sum(parts))
    assert min(parts) >= 0


def test_the_zone_is_that_of_a_calendar_that_names_one():
    calendars = [Calendar.always(), Calendar("Europe/Berlin", {}), Calendar("Asia/Kolkata", {})]

    assert zone_of(calendars).key == "Europe/Berlin"
    assert zone_of(calendars[:1]).key == zone_of([]).key == "UTC"
