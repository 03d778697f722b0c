"""Every metric of the program.

`Metrics` holds what this process did, `core.measuring.fleet` what is stored.

Names, units and label sets are closed; `docs/metrics.md` lists them all. A process exports
instants, not ages: a hung one then shows a growing age. Every combination of labels exists from
the start at 0, for a counter that is born with its first event hides it from `increase()`.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import prometheus_client as prometheus

from core import labels as closed
from core.instruments import AccountGauge, Counter, Distribution, Family, Gauge, Histogram, Labelled

if TYPE_CHECKING:
    from core.instruments import MetricT


@dataclass(frozen=True, slots=True)
class Names:
    """The closed sets that come from the settings.

    *accounts* are pairs (marketplace, account), *acknowledging* those that acknowledge by
    themselves; *operations* and *topics* stand by marketplace,
    topics where there are pushes; *budgets* are the limits that accounts share: marketplace, the
    name to show, the key that nobody is shown.
    """

    accounts: tuple[tuple[str, str], ...] = ()
    acknowledging: tuple[tuple[str, str], ...] = ()
    notifiers: tuple[str, ...] = ()
    operations: tuple[tuple[str, str], ...] = ()
    topics: tuple[tuple[str, str], ...] = ()
    budgets: tuple[tuple[str, str, str], ...] = ()

    @property
    def marketplaces(self) -> tuple[str, ...]:
        """Each marketplace once."""
        return tuple(dict.fromkeys(marketplace for marketplace, _ in self.accounts))


class Metrics:
    """What this process did. An attribute is named as its metric, without prefix and suffix."""

    def __init__(self, registry: prometheus.CollectorRegistry | None = None) -> None:
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types here
        self.registry = registry or prometheus.CollectorRegistry()
        self.families: list[Family] = []
        self._labelled: list[Counter | Gauge | Histogram] = []
        self._budgets: dict[str, str] = {}
        self._topics: frozenset[tuple[str, str]] = frozenset()
        self._deadlines()
        self._ingestion()
        self._requests()
        self._pushes()
        self._engine()
        self._notifications()
        self._service()

    def _deadlines(self) -> None:
        self.reply_duration = self._histogram(
            "reply_duration_seconds",
            "From the buyer's oldest unanswered message to the reply, in real time.",
            "marketplace clock",
            closed.REPLY_SECONDS,
            clock=closed.CLOCKS,
        )
        self.reply_time_used = self._histogram(
            "reply_time_used_ratio",
            "Share of the allowed working time that had passed when the reply came.",
            "marketplace clock",
            closed.USED_RATIO,
            clock=closed.CLOCKS,
        )
        self.clock_unsure = self._plain_gauge(
            "clock_unsure",
            "1 while the host's clock is not believed: no breach is counted or told.",
        )
        self.unseen_messages_expected = AccountGauge(
            "replyby_unseen_messages_expected",
            "Buyers' messages that have probably arrived unread while a stream is blind.",
            0,
        )
        self.earliest_possible_breach = AccountGauge(
            "replyby_earliest_possible_breach_timestamp_seconds",
            "The first instant at which a promise may break unseen; +Inf while nothing is blind.",
            inf,
        )
        self.blind_from = AccountGauge(
            "replyby_blind_from_timestamp_seconds",
            "From when the account is blind if nothing is read before; +Inf before the first look.",
            inf,
        )
        self.push_silent_from = AccountGauge(
            "replyby_push_silent_from_timestamp_seconds",
            "From when the silence of pushes is told if none comes before; +Inf: nobody knows.",
            inf,
        )
        self.account_gauges = (
            self.blind_from, self.unseen_messages_expected, self.earliest_possible_breach,
            self.push_silent_from,
        )  # fmt: skip

    def _ingestion(self) -> None:
        self.messages_stored = self._counter(
            "messages_stored",
            "Messages stored at first sight; from a buyer or a marketplace: in.",
            "marketplace account direction",
            direction=closed.DIRECTIONS,
        )
        self.messages_duplicate = self._counter(
            "messages_duplicate", "Messages that were read again.", "marketplace account"
        )
        self.ingest_delay = self._histogram(
            "ingest_delay_seconds",
            "From the marketplace's instant of a message to its storing.",
            "marketplace",
            closed.INGEST_SECONDS,
        )
        self.acknowledgements = self._counter(
            "acknowledgements",
            "Automatic acknowledgements by what became of them, or why none went out.",
            "marketplace account outcome",
            outcome=closed.ACKNOWLEDGED,
        )
        self.payloads_quarantined = self._counter(
            "payloads_quarantined",
            "Unreadable payloads that were set aside.",
            "marketplace reason",
            reason=closed.QUARANTINE,
        )
        self.polls = self._counter(
            "polls",
            "Walks of a stream by how they ended.",
            "marketplace account outcome",
            outcome=closed.OUTCOMES,
        )
        self.poll_duration = self._histogram(
            "poll_duration_seconds", "How long a walk took.", "marketplace", closed.POLL_SECONDS
        )

    def _requests(self) -> None:
        self.marketplace_requests = self._counter(
            "marketplace_requests",
            "Requests to the marketplace by HTTP status; 0: no answer.",
            "marketplace operation code",
            code=closed.CODES,
        )
        self.marketplace_request_duration = self._histogram(
            "marketplace_request_duration_seconds",
            "How long a request took.",
            "marketplace operation",
            closed.REQUEST_SECONDS,
        )
        self.marketplace_retries = self._counter(
            "marketplace_retries",
            "Requests that were made again at once.",
            "marketplace reason",
            reason=closed.RETRIES,
        )
        self.marketplace_clock_skew = self._gauge(
            "marketplace_clock_skew_seconds",
            "Its Date header minus our clock, as last seen.",
            "marketplace",
        )
        self.rate_budget_wait = self._counter(
            "rate_budget_wait_seconds",
            "Time for which walks waited for a shared rate limit.",
            "marketplace budget",
        )

    def _pushes(self) -> None:
        self.pushes = self._counter(
            "pushes",
            "Pushes by what became of them; refused are wrong signatures, stale ones and faults.",
            "marketplace topic outcome",
            outcome=closed.PUSHED,
        )
        self.push_duration = self._histogram(
            "push_duration_seconds",
            "From the arrival of a push to its answer, what it brought being stored before.",
            "marketplace",
            closed.PUSH_SECONDS,
        )

    def _engine(self) -> None:
        self.leases_lost = self._counter(
            "leases_lost",
            "Results dropped by the fence: another worker had the stream.",
            "marketplace",
        )
        self.leases_taken_over = self._plain_counter(
            "leases_taken_over", "Leases that were freed from a dead worker."
        )
        self.rounds_failed = self._counter(
            "rounds_failed", "Rounds of a loop that broke off.", "reason", reason=closed.FAILED
        )
        self.rounds_failed.create()
        self.event_loop_delay = self._plain_histogram(
            "event_loop_delay_seconds", "How late a timer of 250 ms fired.", closed.LAG_SECONDS
        )

    def _notifications(self) -> None:
        self.notifications = self._counter(
            "notifications",
            "Attempts to send a notice; dead: parked for a person.",
            "notifier level outcome",
            level=closed.LEVELS,
            outcome=closed.SENT,
        )
        self.notifications_suppressed = self._counter(
            "notifications_suppressed",
            "Notices not sent because they were no longer true.",
            "notifier reason",
            reason=closed.SUPPRESSED,
        )
        self.notification_delay = self._histogram(
            "notification_delay_seconds",
            "From the decision to the notifier's acceptance.",
            "notifier",
            closed.NOTICE_SECONDS,
        )

    def _service(self) -> None:
        self.config_last_reload_successful = self._plain_gauge(
            "config_last_reload_successful", "1 when the settings were last read without complaint."
        )
        self.config_last_reload_success = self._plain_gauge(
            "config_last_reload_success_timestamp_seconds", "When settings were last taken over."
        )
        self.retention_rows_deleted = self._counter(
            "retention_rows_deleted",
            "Rows removed because their time was over.",
            "table action",
            table=closed.TABLES,
            action=closed.ACTIONS,
        )
        self.retention_rows_deleted.create()
        self.erasures = self._plain_counter("erasures", "Requests to erase members that are done.")
        self.erased_rows = self._counter(
            "erased_rows",
            "Threads of erased members, and rows elsewhere that named one.",
            "what",
            what=closed.ERASED,
        )
        self.erased_rows.create()
        self.erasure_oldest_asked = self._plain_gauge(
            "erasure_oldest_asked_timestamp_seconds",
            "Since when the oldest request to erase somebody waits; 0: none waits.",
        )
        self._build = prometheus.Info(
            "replyby_build", "The version that runs.", registry=self.registry
        )
        labels = ("version", "revision", "python")
        self.families.append(Family("replyby_build_info", "info", labels, "The version that runs."))

    def built(self, version: str, revision: str) -> None:
        """Say what runs: the distribution's version and the commit, ``unknown`` where not told."""
        facts = {"version": version, "revision": revision, "python": platform.python_version()}
        self._build.info(facts)

    def stock(self) -> None:
        """Add the stock collectors: process_*, python_gc_*, python_info."""
        prometheus.ProcessCollector(registry=self.registry)
        prometheus.GCCollector(registry=self.registry)
        prometheus.PlatformCollector(registry=self.registry)

    def declare(self, names: Names, *, account_label: bool = True) -> None:
        """Create every combination of labels that these settings can cause, at 0.

        Without *account_label* the process's counters are added up over a marketplace's accounts.
        """
        for metric in self._labelled:
            if metric.account_label != account_label:
                metric.forget()
                metric.account_label = account_label
        for marketplace, account in names.accounts:
            for counter in (self.messages_stored, self.messages_duplicate, self.polls):
                counter.create(marketplace=[marketplace], account=[account])
        for marketplace, account in names.acknowledging:
            self.acknowledgements.create(marketplace=[marketplace], account=[account])
        self._declare_marketplaces(names)
        for notifier in (
            self.notifications, self.notifications_suppressed, self.notification_delay,
        ):  # fmt: skip
            notifier.create(notifier=names.notifiers)

    def pushed(self, marketplace: str, topic: str, outcome: str, seconds: float) -> None:
        """Count a push answered after *seconds*; a topic that is in no list is ``other``."""
        known = topic if (marketplace, topic) in self._topics else closed.OTHER
        self.pushes.labels(marketplace, known, outcome).inc()
        self.push_duration.labels(marketplace).observe(seconds)

    def rate_limited(self, marketplace: str, budget: str, seconds: float) -> None:
        """Count for how long walks wait for the shared limit of this key."""
        name = self._budgets.get(budget, closed.OTHER)
        self.rate_budget_wait.labels(marketplace, name).inc(seconds)

    def _declare_marketplaces(self, names: Names) -> None:
        for metric in (
            self.reply_duration, self.reply_time_used, self.ingest_delay, self.poll_duration,
            self.payloads_quarantined, self.marketplace_retries, self.marketplace_clock_skew,
            self.leases_lost,
        ):  # fmt: skip
            metric.create(marketplace=names.marketplaces)
        for marketplace, operation in names.operations:
            for asked in (self.marketplace_requests, self.marketplace_request_duration):
                asked.create(marketplace=[marketplace], operation=[operation])
        self._topics = frozenset(names.topics)
        for marketplace, topic in names.topics:
            self.pushes.create(marketplace=[marketplace], topic=[topic])
        self.push_duration.create(marketplace=[marketplace for marketplace, _ in names.topics])
        for marketplace, name, key in names.budgets:
            self._budgets[key] = name
            self.rate_budget_wait.create(marketplace=[marketplace], budget=[name])

    def _counter(self, name: str, text: str, labels: str, **sets: tuple[str, ...]) -> Counter:
        names = tuple(labels.split())
        made = prometheus.Counter(f"replyby_{name}", text, names, registry=self.registry)
        return self._keep(f"replyby_{name}_total", "counter", text, Labelled(made, names, sets))

    def _gauge(self, name: str, text: str, labels: str, **sets: tuple[str, ...]) -> Gauge:
        names = tuple(labels.split())
        made = prometheus.Gauge(f"replyby_{name}", text, names, registry=self.registry)
        return self._keep(f"replyby_{name}", "gauge", text, Labelled(made, names, sets))

    def _histogram(
        self, name: str, text: str, labels: str, buckets: tuple[float, ...], **sets: tuple[str, ...]
    ) -> Histogram:
        names = tuple(labels.split())
        made = Distribution(f"replyby_{name}", text, names, registry=self.registry, buckets=buckets)
        return self._keep(f"replyby_{name}", "histogram", text, Labelled(made, names, sets))

    def _keep(self, name: str, kind: str, text: str, made: Labelled[MetricT]) -> Labelled[MetricT]:
        self.families.append(Family(name, kind, made.names, text))
        self._labelled.append(made)  # type: ignore[arg-type]  # one of the three kinds
        return made

    def _plain_counter(self, name: str, text: str) -> prometheus.Counter:
        self.families.append(Family(f"replyby_{name}_total", "counter", (), text))
        return prometheus.Counter(f"replyby_{name}", text, registry=self.registry)

    def _plain_gauge(self, name: str, text: str) -> prometheus.Gauge:
        self.families.append(Family(f"replyby_{name}", "gauge", (), text))
        return prometheus.Gauge(f"replyby_{name}", text, registry=self.registry)

    def _plain_histogram(
        self, name: str, text: str, buckets: tuple[float, ...]
    ) -> prometheus.Histogram:
        self.families.append(Family(f"replyby_{name}", "histogram", (), text))
        return prometheus.Histogram(
            f"replyby_{name}", text, registry=self.registry, buckets=buckets
        )
