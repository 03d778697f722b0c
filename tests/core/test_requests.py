from __future__ import annotations

from time import monotonic

from core.hostclock import HostClock
from core.metrics import Metrics
from core.running.requests import Requests


def test_a_request_is_counted_by_its_status_and_is_a_sign_of_life():
    metrics, beats = Metrics(), []
    seen = Requests("conrad", metrics, HostClock(), lambda: beats.append(1))

    seen.requested("M11", "429", 0.2)
    seen.requested("M11", "0", 0.2)
    seen.retried("rate_limited")

    value = metrics.registry.get_sample_value
    of = {"marketplace": "conrad", "operation": "M11"}
    assert value("replyby_marketplace_requests_total", {**of, "code": "429"}) == 1
    assert value("replyby_marketplace_requests_total", {**of, "code": "0"}) == 1
    assert value("replyby_marketplace_request_duration_seconds_count", of) == 2
    retried = {"marketplace": "conrad", "reason": "rate_limited"}
    assert value("replyby_marketplace_retries_total", retried) == 1
    assert len(beats) == 2


def test_a_date_header_is_shown_and_may_raise_doubt():
    metrics, clock = Metrics(), HostClock()
    seen = Requests("conrad", metrics, clock, lambda: None)

    seen.dated(-45.0)

    of = {"marketplace": "conrad"}
    assert metrics.registry.get_sample_value("replyby_marketplace_clock_skew_seconds", of) == -45
    assert not clock.sure(monotonic())
