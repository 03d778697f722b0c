"""The metrics that there are, from the code that exports them: what expressions are held to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import prometheus_client as prometheus
from prometheus_client.parser import text_string_to_metric_families

from core.instruments import Source
from core.measuring import fleet
from core.measuring.facts import Counted, Names, Promised, Snapshot
from core.metrics import Metrics
from core.web.catalogue import families
from tests.deploy.expressions import INSTANCE, Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from core.instruments import Family

FREE = {
    "marketplace", "account", "notifier", "operation", "topic", "budget", "policy", "window",
    "name", "worker", "version", "revision", "python", "le",
}  # fmt: skip
"""Labels whose values come from the settings or the machine; all others are closed sets."""

NAMES = Names(
    accounts=(("shop", "shop-de"),),
    acknowledging=(("shop", "shop-de"),),
    notifiers=("chat",),
    operations=(("shop", "M11"),),
    topics=(("shop", "NEW_MESSAGE"),),
    budgets=(("shop", "shop-de", "key"),),
)


def catalogue() -> dict[str, Metric]:
    """Every series of a daemon, and what Prometheus itself adds, by name."""
    values = _values()
    known = [
        *(metric for family in families() for metric in _series(family, values)),
        *_stock(),
        Metric("up", "gauge", INSTANCE),
    ]
    return {metric.name: metric for metric in known}


def _series(family: Family, values: Mapping[str, Mapping[str, set[str]]]) -> Iterator[Metric]:
    labels = frozenset(family.labels)
    parts = {"": labels}
    if family.kind == "histogram":
        parts = {"_bucket": labels | {"le"}, "_sum": labels, "_count": labels}
    for suffix, own in parts.items():
        name = family.name + suffix
        kind = "counter" if suffix else family.kind
        closed = {label: frozenset(seen) for label, seen in values.get(name, {}).items()}
        yield Metric(name, kind, own, family.source is not Source.PROCESS, closed)


def _values() -> dict[str, dict[str, set[str]]]:
    """By series and closed label the values that a scrape shows."""
    metrics = Metrics()
    metrics.declare(NAMES)
    snapshot = Snapshot(counted=Counted(at=1))
    stored = fleet.write(NAMES, Promised(), metrics.account_gauges, snapshot, open_metrics=False)
    text = prometheus.generate_latest(metrics.registry).decode() + "".join(stored)
    seen: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            for label in sample.labels.keys() - FREE:
                seen.setdefault(sample.name, {}).setdefault(label, set()).add(sample.labels[label])
    return seen


def _stock() -> Iterator[Metric]:
    """process_*, python_*: what the library itself exports on this system."""
    registry = prometheus.CollectorRegistry()
    prometheus.ProcessCollector(registry=registry)
    prometheus.GCCollector(registry=registry)
    prometheus.PlatformCollector(registry=registry)
    for family in registry.collect():
        for sample in family.samples:
            yield Metric(sample.name, family.type, frozenset(sample.labels))
