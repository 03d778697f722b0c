from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.hostclock import HostClock, astray, jumped

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("wall", "monotonic", "answer"),
    [(10, 10, False), (15, 10, False), (15.1, 10, True), (4.9, 10, True), (-3600, 1, True)],
)
def test_more_than_five_seconds_apart_in_a_round_is_a_jump(wall, monotonic, answer):
    assert jumped(timedelta(seconds=wall), monotonic) is answer


@pytest.mark.parametrize(
    ("skews", "answer"),
    [([], False), ([30], False), ([30.1], True), ([-31, -40], True), ([3600, 0, 1], False)],
)
def test_a_median_more_than_thirty_seconds_off_is_astray(skews, answer):
    assert astray(skews) is answer


def test_a_steady_clock_is_believed():
    clock = HostClock()

    assert all(clock.turn(after(n), 100 + n) for n in range(600))


def test_after_a_jump_a_fresh_date_header_that_agrees_is_believed():
    clock = HostClock()
    clock.turn(NOON, 100)
    clock.dated("conrad", 0.2, 100.5)

    assert not clock.turn(after(3601), 101)
    assert not clock.turn(after(3602), 102)
    clock.dated("conrad", 0.3, 102.5)
    assert clock.turn(after(3603), 103)


def test_after_a_jump_a_date_header_that_disagrees_keeps_the_doubt():
    clock = HostClock()
    clock.turn(NOON, 100)
    clock.turn(after(3601), 101)
    clock.dated("conrad", -3600, 101.5)

    assert not any(clock.turn(after(3600 + n), 100 + n) for n in range(2, 120))


def test_after_a_jump_without_headers_a_quiet_minute_is_waited():
    clock = HostClock()
    clock.turn(NOON, 100)
    clock.turn(after(3601), 101)

    assert not clock.turn(after(3660), 160)
    assert clock.turn(after(3662), 162)


def test_an_old_date_header_counts_no_more():
    clock = HostClock()
    clock.dated("conrad", -3600, 0)

    assert not clock.sure(599)
    assert clock.sure(601)


def test_one_chatty_marketplace_with_a_wrong_clock_does_not_outvote_two():
    clock = HostClock()
    for n in range(50):
        clock.dated("wrong", 4000, n)
    clock.dated("conrad", 0.1, 50)
    clock.dated("empik", -0.1, 50)

    assert clock.sure(51)


def test_a_doubt_that_came_and_went_between_two_looks_is_known_of():
    clock = HostClock()
    clock.turn(NOON, 100)
    assert clock.doubts == 0

    clock.turn(after(3600), 101)
    clock.dated("empik", 0.0, 101.5)
    assert clock.turn(after(3601), 102)
    assert clock.doubts > 0

    known = clock.doubts
    clock.dated("empik", 4000.0, 102.5)
    assert not clock.sure(103)
    assert clock.doubts > known
