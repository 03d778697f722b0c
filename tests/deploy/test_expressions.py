"""The linter of expressions finds what would make a rule or a panel lie, and nothing else."""

from __future__ import annotations

import pytest

from tests.deploy.catalogue import catalogue
from tests.deploy.expressions import complaints, metrics, recorded, shape

KNOWN = catalogue()
CLOSED = "replyby_clocks_closed_total"
EACH = "max by (marketplace, account, clock, result)"
INTERVAL = "max by (marketplace, account) (replyby_poll_interval_seconds)"
THRESHOLD = "max by (marketplace) (replyby_risk_threshold_seconds)"
LAG = "rate(replyby_event_loop_delay_seconds_bucket[$__rate_interval])"


@pytest.mark.parametrize(
    "expression",
    [
        f"sum by (marketplace) ({EACH} (increase({CLOSED}[1d])))",
        f'max by (marketplace, account, clock) (increase({CLOSED}{{result="breached"}}[1d]))',
        'sum by (marketplace) (rate(replyby_polls_total{outcome!~"success|partial"}[5m]))',
        "min by (marketplace, account) (replyby_next_deadline_timestamp_seconds) - time()",
        f"histogram_quantile(0.99, sum by (le, instance) ({LAG}))",
        "absent(replyby_build_info)",
        "count(count by (version) (replyby_build_info))",
        'up{job="replyby"} == 0',
        "vector(1)",
        "min by (instance) (replyby_database_up) == 0",
        "time() > max by (marketplace, account) (replyby_blind_from_timestamp_seconds)",
        'max by (marketplace, account) (replyby_open_clocks{band="breached"}) > 0',
        f"{INTERVAL} > on (marketplace) group_left () {THRESHOLD}",
        "max(replyby_clock_unsure) or vector(0)",
        "process_resident_memory_bytes",
        "max(replyby_workers) unless on () replyby_leases_held",
        f"{THRESHOLD} unless {THRESHOLD} > 5",
        "rate(process_cpu_seconds_total[5m])",
        "topk(5, max by (account) (replyby_poll_interval_seconds))",
        (
            f"max by (marketplace, account, clock, result) (max_over_time({CLOSED}[1d]))"
            f" - min by (marketplace, account, clock, result) (min_over_time({CLOSED}[1d]))"
        ),
        "max_over_time((time() - max(replyby_poll_queue_oldest_due_timestamp_seconds))[1h:1m])",
    ],
)  # fmt: skip
def test_what_is_right_is_left_alone(expression):
    assert complaints(expression, KNOWN) == []


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("sum by (", "no PromQL"),
        ("replyby_workerz", "no metric replyby_workerz; replyby_workers?"),
        ("sum(rate(replyby_polls_total[5m])) / sum(rate(nothing_total[5m]))", "no metric nothing"),
        ('max(replyby_open_clocks{bands="breached"})', "has no label bands"),
        ('max(replyby_open_clocks{band="breeched"})', "never has band='breeched'"),
        ('sum(rate(replyby_polls_total{outcome=~"network|wire"}[5m]))', "outcome='wire'"),
        ("sum by (shop) (rate(replyby_polls_total[5m]))", "grouped by shop"),
        ("max by (account) (replyby_workers)", "grouped by account"),
        ("max(rate(replyby_workers[5m]))", "is a gauge: rate is for counters"),
        ("sum(increase(replyby_clock_unsure[5m]))", "is a gauge: increase is for counters"),
        ("sum(replyby_polls_total)", "is a counter: take increase or rate"),
        ("sum(max_over_time(replyby_polls_total[5m]))", "is a counter: max_over_time is for"),
        (f"max(max_over_time({CLOSED}[1d]))", "max loses account, clock, marketplace, result"),
        ("sum(deriv(replyby_polls_total[5m]))", "is a counter: deriv is for gauges"),
        (f"sum(increase({CLOSED}[1d]))", "sum counts each daemon"),
        ("sum(replyby_open_clocks)", "sum counts each daemon"),
        ("count(replyby_account_authorized == 0)", "count counts each daemon"),
        ("topk(3, replyby_poll_interval_seconds)", "topk counts each daemon"),
        (f"max by (marketplace) (increase({CLOSED}[1d]))", "max loses account, clock, result"),
        ("replyby_account_authorized == 0", "every daemon tells the same"),
        ("max(replyby_workers) or replyby_leases_held", "every daemon tells the same"),
        ("replyby_leases_held and on () max(replyby_workers) > 1", "every daemon tells the same"),
        ("sum(max by (account) (replyby_push_silent) or replyby_push_silent)", "sum counts each"),
        (f"{INTERVAL} > {THRESHOLD}", "> never matches"),
        (f"{INTERVAL} > on (marketplace) {THRESHOLD}", "the left of > has account besides"),
        (f"{THRESHOLD} > on (marketplace) group_left () {INTERVAL}", "the right of > has account"),
        (f"{THRESHOLD} and on (account) {INTERVAL}", "on account, which one side"),
        (f"{INTERVAL} > ignoring (account) replyby_poll_stale_after_seconds", "several daemons"),
        (f"histogram_quantile(0.9, sum({LAG}))", "needs the label le"),
    ],
)  # fmt: skip
def test_what_would_lie_is_complained_of(expression, complaint):
    assert [said for said in complaints(expression, KNOWN) if complaint in said] != []


def test_a_label_that_a_legend_shows_must_be_left():
    expression = "sum by (marketplace) (rate(replyby_polls_total[5m]))"

    assert complaints(expression, KNOWN, shown=["marketplace"]) == []
    assert complaints(expression, KNOWN, shown=["account"]) == [
        "the result has no label account, only marketplace"
    ]


def test_a_recorded_series_has_the_labels_that_its_rule_leaves():
    name = "marketplace:breaches"
    expression = (
        "sum by (marketplace) (max by (marketplace, account) (replyby_poll_interval_seconds))"
    )
    known = {**KNOWN, name: recorded(name, expression, KNOWN)}

    assert shape(name, known).labels == {"marketplace"}
    assert complaints(f"sum by (account) ({name})", known) == [
        "grouped by account, which is not there, only marketplace"
    ]


def test_every_series_of_an_expression_is_named():
    assert metrics("a > on (x) b / absent(c) or max_over_time(d[5m])") == {"a", "b", "c", "d"}


def test_the_catalogue_is_the_codes():
    assert KNOWN["replyby_clocks_closed_total"].everywhere
    assert KNOWN["replyby_clocks_closed_total"].values["result"] >= {"met", "breached"}
    assert not KNOWN["replyby_database_up"].everywhere
    assert KNOWN["replyby_event_loop_delay_seconds_bucket"].labels == {"le"}
    assert KNOWN["process_cpu_seconds_total"].kind == "counter"
    assert "replyby_build_info" in KNOWN
