from __future__ import annotations

from math import inf

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_open_metrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from core import labels
from core.measuring import fleet
from core.measuring.facts import Aside, Clocks, Counted, Names, Outbox, Promised, Reading, Snapshot
from core.metrics import Metrics

NAMES = Names(
    accounts=(("conrad", "conrad-de"), ("empik", "empik-pl")),
    notifiers=("log",),
    budgets=(("conrad", "conrad-de", "key 1"), ("empik", "empik-pl", "key 2")),
)
PROMISED = Promised({"conrad": 0.9}, {("conrad", "critical"): 8640.0}, {"conrad-de": 900.0})
FACTS = Snapshot(
    counted=Counted(
        {"conrad-de": Clocks((3, 2, 1, 4), 1_800_000_000.5, 1_790_000_000)}, at=1_799_999_990
    ),
    readings={"empik-pl": Reading(1.0, 2.0, 300.0, 4.0, authorized=False, retired=True)},
    counts={
        ("first_reply", "met"): {"conrad-de": 7},
        ("first_reply", "late"): {"conrad-de": 2},
        ("next_reply", "late"): {"conrad-de": 1},
        ("given", "corrected"): {"conrad-de": 5},
    },
    outbox={"log": Outbox(2, 1_800_000_001, parked=1)},
    aside={"conrad-de": Aside(2, 7.0), "gone": Aside(9, 9.0)},
    replies={"unknown": 1},
    due={"conrad": 3},
    oldest_due=1_800_000_002,
    budgets={"key 1": 1_800_000_003},
    leases=2,
    workers=1,
    pool=(4, 1, 10),
)


def read(text: str, *, open_metrics: bool = False):
    parse = parse_open_metrics if open_metrics else parse_text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def write(snapshot: Snapshot | None = FACTS, *, open_metrics: bool = False) -> str:
    gauges = Metrics().account_gauges
    text = "".join(fleet.write(NAMES, PROMISED, gauges, snapshot, open_metrics=open_metrics))
    return text + "# EOF\n" if open_metrics else text


def key(name: str, **of: str):
    return f"replyby_{name}", frozenset(of.items())


DE = {"marketplace": "conrad", "account": "conrad-de"}
PL = {"marketplace": "empik", "account": "empik-pl"}


@pytest.mark.parametrize("open_metrics", [False, True])
def test_what_is_stored_is_shown(open_metrics):
    seen = read(write(open_metrics=open_metrics), open_metrics=open_metrics)

    assert seen[key("open_clocks", **DE, band="critical")] == 1
    assert seen[key("open_clocks_counted_timestamp_seconds")] == 1_799_999_990
    assert seen[key("next_deadline_timestamp_seconds", **DE)] == 1_800_000_000.5
    assert seen[key("clocks_closed_total", **DE, clock="first_reply", result="met")] == 7
    assert seen[key("replies_late_total", **DE)] == 3
    assert seen[key("clocks_corrected_total", **DE, clock="given")] == 5
    assert seen[key("account_authorized", **PL)] == 0
    assert seen[key("account_authorized", **DE)] == 1
    assert seen[key("account_enabled", **PL)] == 0
    assert seen[key("poll_last_success_timestamp_seconds", **PL)] == 1
    assert seen[key("seen_through_timestamp_seconds", **PL)] == 2
    assert seen[key("poll_stale_after_seconds", **DE)] == 900
    assert seen[key("slo_objective_ratio", marketplace="conrad")] == 0.9
    assert seen[key("risk_threshold_seconds", marketplace="conrad", band="critical")] == 8640
    assert seen[key("notifications_pending", notifier="log")] == 2
    assert seen[key("notifications_parked", notifier="log")] == 1
    assert seen[key("payloads_set_aside", marketplace="conrad")] == 2
    assert seen[key("payloads_set_aside_last_timestamp_seconds", marketplace="conrad")] == 7
    assert seen[key("payloads_set_aside", marketplace="empik")] == 0
    assert seen[key("payloads_set_aside_last_timestamp_seconds", marketplace="empik")] == 0
    assert seen[key("replies_open", state="unknown")] == 1
    until = "rate_budget_until_timestamp_seconds"
    assert seen[key(until, marketplace="conrad", budget="conrad-de")] == 1_800_000_003
    assert seen[key(until, marketplace="empik", budget="empik-pl")] == 0
    assert seen[key("poll_queue_due_targets", marketplace="conrad")] == 3
    assert seen[key("database_pool_connections", state="used")] == 1
    assert (
        sum(n for (name, _), n in seen.items() if name == "replyby_database_pool_connections") == 5
    )
    assert seen[key("database_pool_connections_max")] == 10
    assert seen[key("database_up")] == 1


def test_every_combination_exists_at_zero_before_anything_happened():
    seen = read(write(Snapshot(counted=Counted(at=1_800_000_000))))

    for account in (DE, PL):
        for band in labels.BANDS:
            assert seen[key("open_clocks", **account, band=band)] == 0
        for clock in labels.CLOCKS:
            assert seen[key("clocks_started_total", **account, clock=clock)] == 0
            for result in labels.CLOSED:
                of = {**account, "clock": clock, "result": result}
                assert seen[key("clocks_closed_total", **of)] == 0
        assert seen[key("next_deadline_timestamp_seconds", **account)] == inf
        assert seen[key("oldest_unanswered_timestamp_seconds", **account)] == inf
        assert seen[key("earliest_possible_breach_timestamp_seconds", **account)] == inf
    assert seen[key("notification_oldest_pending_timestamp_seconds", notifier="log")] == 0


def test_clocks_that_were_never_counted_are_not_said_to_be_none():
    seen = read(write(Snapshot()))

    assert seen[key("open_clocks_counted_timestamp_seconds")] == 0
    assert seen[key("database_up")] == 1
    for name in ("open_clocks", "next_deadline_timestamp", "oldest_unanswered_timestamp"):
        assert not [sample for sample, _ in seen if sample.startswith(f"replyby_{name}_seconds")]
        assert not [sample for sample, _ in seen if sample == f"replyby_{name}"]


def test_every_family_is_shown():
    shown = {line.split()[2] for line in write().splitlines() if line.startswith("# TYPE")}

    assert {family.name for family in fleet.FAMILIES} <= shown


def test_a_lost_database_leaves_the_constants_and_says_so():
    seen = read(write(None))

    assert seen[key("database_up")] == 0
    assert seen[key("slo_objective_ratio", marketplace="conrad")] == 0.9
    assert key("open_clocks", **DE, band="ok") not in seen


def test_no_name_is_written_twice():
    metrics = Metrics()
    both = [family.name for family in (*metrics.families, *fleet.FAMILIES)]
    both += [gauge.family.name for gauge in metrics.account_gauges]

    assert len(both) == len(set(both))


def test_it_follows_the_process_s_own_metrics():
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.declare(NAMES)
    own = exposition.generate_latest(registry).decode().removesuffix("# EOF\n")

    read(own + write(open_metrics=True), open_metrics=True)
    read(generate_latest(registry).decode() + write())


def test_label_values_are_escaped():
    names = Names(accounts=(('a"b\\c\nd', "x"),))

    seen = read("".join(fleet.write(names, Promised(), (), Snapshot(), open_metrics=False)))

    assert key("account_enabled", marketplace='a"b\\c\nd', account="x") in seen


@pytest.mark.parametrize("family", [*fleet.FAMILIES, *Metrics().families], ids=lambda f: f.name)
def test_names_follow_prometheus(family):
    """What `promtool check metrics` asks for, without the program."""
    assert family.name.startswith("replyby_")
    assert family.text
    assert (family.kind == "counter") == family.name.endswith("_total")
    assert not family.name.endswith(("_count", "_sum", "_bucket"))
    for unit in ("milliseconds", "minutes", "hours", "percent", "kilobytes"):
        assert unit not in family.name
    assert not {"le", "quantile", "job", "instance"} & set(family.labels)
    assert "thread" not in family.labels
