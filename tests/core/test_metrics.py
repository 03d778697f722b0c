from __future__ import annotations

from dataclasses import replace
from math import inf

import prometheus_client as prometheus
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from core import errors, labels
from core.instruments import Distribution
from core.measuring.facts import Names
from core.metrics import Metrics
from core.model import NoticeKind
from core.running import timing

NAMES = Names(
    accounts=(("conrad", "conrad-de"), ("empik", "empik-pl")),
    acknowledging=(("conrad", "conrad-de"),),
    notifiers=("log", "chat"),
    operations=(("conrad", "M11"),),
    topics=(("conrad", "NEW_MESSAGE"),),
    budgets=(("conrad", "conrad-de", "shop.example 4f6e"),),
    duties=("night",),
)


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = generate_latest(metrics.registry).decode()
    return {
        (s.name, frozenset(s.labels.items())): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


@pytest.fixture
def metrics():
    made = Metrics()
    made.declare(NAMES)
    return made


def test_every_combination_of_labels_exists_at_zero(metrics):
    seen = samples(metrics)

    for marketplace, account in NAMES.accounts:
        for outcome in labels.OUTCOMES:
            key = {"marketplace": marketplace, "account": account, "outcome": outcome}
            assert seen["replyby_polls_total", frozenset(key.items())] == 0
    for level in labels.LEVELS:
        for outcome in labels.SENT:
            key = {"notifier": "chat", "level": level, "outcome": outcome}
            assert seen["replyby_notifications_total", frozenset(key.items())] == 0
    for code in labels.CODES:
        key = {"marketplace": "conrad", "operation": "M11", "code": code}
        assert seen["replyby_marketplace_requests_total", frozenset(key.items())] == 0


def test_what_is_free_and_how_large_the_database_is_stands_nowhere_before_it_is_known(metrics):
    """A 0 would be a full disk, and where the database lies elsewhere nobody knows its disk."""
    assert not [name for name, _ in samples(metrics) if name.endswith("_bytes")]

    metrics.disk.show(1, 2)

    assert samples(metrics)["replyby_state_disk_free_bytes", frozenset()] == 1
    assert ("replyby_database_size_bytes", frozenset()) not in samples(metrics)


def test_every_family_shows_up_once_declared(metrics):
    timing.of_statements(metrics)
    metrics.disk.show(1, 2)
    metrics.disk.measured(3)
    text = generate_latest(metrics.registry).decode()
    shown = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}

    assert {f.name for f in metrics.families} == shown
    for name in shown - {"replyby_build_info"}:
        assert f"\n{name}" in text, f"{name} has no sample"


def test_no_created_series_is_shown(metrics):
    assert not [name for name, _ in samples(metrics) if name.endswith("_created")]


def test_no_histogram_carries_an_account(metrics):
    assert [f for f in metrics.families if f.kind == "histogram" and "account" in f.labels] == []


def test_a_shared_limit_is_shown_by_a_name_and_never_by_its_key(metrics):
    metrics.rate_limited("conrad", "shop.example 4f6e", 2.5)
    metrics.rate_limited("conrad", "another 99ab", 1)

    def waited(name):
        return samples(metrics)[
            "replyby_rate_budget_wait_seconds_total",
            frozenset({"marketplace": "conrad", "budget": name}.items()),
        ]

    assert (waited("conrad-de"), waited("other")) == (2.5, 1)
    assert "4f6e" not in generate_latest(metrics.registry).decode()


def test_a_value_outside_its_set_counts_as_other(metrics):
    metrics.polls.labels("conrad", "conrad-de", "it exploded: secret").inc()

    key = {"marketplace": "conrad", "account": "conrad-de", "outcome": "other"}
    assert samples(metrics)["replyby_polls_total", frozenset(key.items())] == 1
    assert "secret" not in generate_latest(metrics.registry).decode()


def test_without_the_account_label_accounts_are_added_up():
    metrics = Metrics()
    metrics.declare(NAMES)
    metrics.declare(
        Names(accounts=(("conrad", "conrad-de"), ("conrad", "conrad-at"))), account_label=False
    )

    metrics.polls.labels("conrad", "conrad-de", "success").inc()
    metrics.polls.labels("conrad", "conrad-at", "success").inc()

    key = {"marketplace": "conrad", "account": "", "outcome": "success"}
    seen = samples(metrics)
    assert seen["replyby_polls_total", frozenset(key.items())] == 2
    assert not [n for n, k in seen if ("account", "conrad-de") in k]


def test_declaring_again_keeps_what_was_counted(metrics):
    metrics.polls.labels("conrad", "conrad-de", "success").inc()

    metrics.declare(NAMES)

    key = {"marketplace": "conrad", "account": "conrad-de", "outcome": "success"}
    assert samples(metrics)["replyby_polls_total", frozenset(key.items())] == 1


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (errors.Unreachable("", detail="timeout"), "timeout"),
        (errors.Unreachable("", detail="503"), "server_error"),
        (errors.Unreachable("", detail="404"), "client_error"),
        (errors.Unreachable("", detail="dns"), "network"),
        (errors.RateLimited(""), "throttled"),
        (errors.BadCredentials(""), "auth_error"),
        (errors.BadPayload(""), "parse_error"),
        (errors.BadPayload("", detail="404"), "client_error"),
        (errors.BadPayload("", detail="too_large"), "parse_error"),
        (errors.LeaseLost(""), "lease_lost"),
    ],
)
def test_each_error_has_its_outcome(fault, word):
    assert word == labels.outcome(fault)
    assert word in labels.OUTCOMES


@pytest.mark.parametrize(
    ("status", "label"),
    [(200, "200"), (429, "429"), (418, "4xx"), (507, "5xx"), (206, "2xx"), (None, "0"), (99, "0")],
)
def test_a_status_is_itself_or_its_class(status, label):
    assert label == labels.code(status)


def test_each_kind_of_notice_has_a_level():
    assert {labels.level(kind) for kind in NoticeKind} == set(labels.LEVELS)
    assert labels.level(NoticeKind.BREACH) == "critical"
    assert labels.level(NoticeKind.ACCOUNT_UP) == "info"


def counted(metrics):
    return {key: value for key, value in samples(metrics).items() if "_delay_" in key[0]}


def test_many_values_at_once_count_as_each_by_itself():
    one, all_ = Metrics(), Metrics()
    values = (0.5, 1, 1.5, 90, 10**7, 60)

    for value in values:
        one.ingest_delay.labels("empik").observe(value)
    all_.ingest_delay.labels("empik").observe_all(values)
    all_.ingest_delay.labels("empik").observe_all(())

    assert counted(all_) == counted(one)
    assert (
        sum(
            value
            for (name, _), value in samples(one).items()
            if name.endswith("delay_seconds_count")
        )
        == 6
    )


def test_a_value_counts_as_the_library_counts_it():
    found = []
    for kind in (Distribution, prometheus.Histogram):
        one = kind("seconds", "Seconds.", ("place",), registry=None, buckets=(1, 60))
        for value in (0, 0.5, 1, 1.5, 60, 61, inf):
            one.labels("here").observe(value)
        found.append([(s.name, s.labels, s.value) for m in one.collect() for s in m.samples])

    assert found[0] == found[1]


def test_a_topic_counts_only_where_the_push_is_believed(metrics):
    """Every outcome stands under ``other`` from the start, and under a topic what was read."""
    metrics.declare(replace(NAMES, topics=(*NAMES.topics, ("conrad", labels.OTHER))))
    found = {
        (dict(key)["topic"], dict(key)["outcome"])
        for name, key in samples(metrics)
        if name == "replyby_pushes_total"
    }
    read = {("NEW_MESSAGE", outcome) for outcome in labels.READ}
    assert found == read | {(labels.OTHER, outcome) for outcome in labels.PUSHED}

    metrics.pushed("conrad", "NEW_MESSAGE", "bad_signature", 0.1)
    metrics.pushed("conrad", "NEW_MESSAGE", "stored", 0.1)

    def count(topic, outcome):
        key = {"marketplace": "conrad", "topic": topic, "outcome": outcome}
        return samples(metrics).get(("replyby_pushes_total", frozenset(key.items())))

    assert count(labels.OTHER, "bad_signature") == 1
    assert count("NEW_MESSAGE", "stored") == 1
    assert count("NEW_MESSAGE", "bad_signature") is None
