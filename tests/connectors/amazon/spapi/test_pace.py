from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.amazon import offer
from connectors.amazon.sandbox import spapi_market
from connectors.amazon.spapi import pace
from connectors.amazon.spapi.pace import Pace


def test_a_full_bucket_lets_its_burst_leave_at_once_and_then_one_at_its_rate():
    bucket = Pace(0.5, 3)
    for _ in range(3):
        assert bucket.wait(100) == 0
        bucket.take(100)

    assert bucket.wait(100) == 2
    assert bucket.wait(101) == 1
    assert bucket.wait(102) == 0


def test_what_was_refused_leaves_nothing():
    bucket = Pace(0.5, 30)

    assert bucket.refuse(100) == 2
    assert bucket.wait(101) == 1


@pytest.mark.parametrize("said", [None, "", "many", "nan", "inf", "-1", "0", "1e9", "0.5, 1"])
def test_trap_23_the_rate_of_a_header_may_be_absent_or_no_rate(said):
    bucket = Pace(0.25, 1)

    bucket.learn(said)

    assert bucket.rate == 0.25


def test_trap_23_the_header_is_the_rate_and_not_what_is_left():
    bucket = Pace(0.5, 10)

    bucket.learn("2.0")
    for _ in range(10):
        bucket.take(100)

    assert bucket.wait(100) == 0.5


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60), st.floats(0.01, 10), st.integers(1, 9))
def test_never_more_leaves_than_a_server_of_the_same_bucket_takes(pauses, rate, burst):
    bucket, left, now = Pace(rate, burst), float(burst), 1000.0
    for pause in pauses:
        now, left = now + pause, min(burst, left + pause * rate)
        if bucket.wait(now) == 0:
            bucket.take(now)
            left -= 1
            assert left > -1e-6


def test_no_pace_is_faster_than_what_the_stand_in_takes():
    for operation, (rate, burst) in pace.RATES.items():
        taken = spapi_market.RATES[operation]
        assert (rate, burst) <= taken
        assert burst <= taken[1]


def test_each_paced_call_has_its_name_in_the_metrics():
    assert {*pace.RATES, "token", "putFile", "getDocument"} == set(offer.OPERATIONS)
