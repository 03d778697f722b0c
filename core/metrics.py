"""Every metric of the program.

`Metrics` holds what this process did, `core.measuring.fleet` what is stored.

To add what a process counts: attributes here, or a class of a module under `core/measuring/` that
takes the `Maker` and is made in `Metrics.__init__`; what has labels of the settings is created in
`declare`. The page of metrics follows by itself.

Names, units and label sets are closed; `docs/metrics.md` lists them all. A process exports
instants, not ages: a hung one then shows a growing age. Every combination of labels exists from
the start at 0, for a counter that is born with its first event hides it from `increase()`.
"""

from __future__ import annotations

import platform
from math import inf, isnan, nan
from typing import TYPE_CHECKING

import prometheus_client as prometheus

from core import labels as closed
from core.instruments import Maker
from core.measuring import sections
from core.measuring.disk import Disk
from core.measuring.duties import Duties
from core.measuring.inflight import InFlight
from core.measuring.outward import Heartbeats
from core.measuring.signins import SignIns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.instruments import Family
    from core.measuring.facts import Names


class Metrics:
    """What this process did. An attribute is named as its metric, without prefix and suffix."""

    def __init__(self, registry: prometheus.CollectorRegistry | None = None) -> None:
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types here
        self.registry = registry or prometheus.CollectorRegistry()
        self._maker = Maker(self.registry)
        self._budgets: dict[str, str] = {}
        self._topics: frozenset[tuple[str, str]] = frozenset()
        self._deadlines()
        self._ingestion()
        self._requests()
        self._pushes()
        self._engine()
        self._notifications()
        self._service()

    @property
    def families(self) -> tuple[Family, ...]:
        """What this process exports by itself; the gauges by account are not among them."""
        return tuple(self._maker.families)

    def _deadlines(self) -> None:
        of = self._maker.under(sections.DEADLINES)
        self.reply_duration = of.histogram(
            "reply_duration_seconds",
            "From the buyer's oldest unanswered message to the reply, in real time.",
            "marketplace clock",
            closed.REPLY_SECONDS,
            clock=closed.CLOCKS,
        )
        self.reply_time_used = of.histogram(
            "reply_time_used_ratio",
            "Share of the allowed working time that had passed when the reply came.",
            "marketplace clock",
            closed.USED_RATIO,
            clock=closed.CLOCKS,
        )
        self.clock_unsure = of.plain_gauge(
            "clock_unsure",
            "1 while the host's clock is not believed: no breach is counted or told.",
        )
        blind = self._maker.under(sections.BLINDNESS)
        self.blind_from = blind.account_gauge(
            "blind_from_timestamp_seconds",
            "From when the account is blind if nothing is read before; +Inf before the first look.",
            inf,
        )
        self.unseen_messages_expected = blind.account_gauge(
            "unseen_messages_expected",
            "Buyers' messages that have probably arrived unread while a stream is blind:"
            " by the same hours of its last weeks; one an hour where no history tells.",
            0,
        )
        self.earliest_possible_breach = blind.account_gauge(
            "earliest_possible_breach_timestamp_seconds",
            "The first instant at which a promise may break unseen; +Inf while nothing is blind.",
            inf,
        )
        self.push_silent_from = self._maker.under(sections.PUSHES).account_gauge(
            "push_silent_from_timestamp_seconds",
            "From when the silence of pushes is told if none comes before; +Inf: nobody knows.",
            inf,
        )
        self.account_gauges = (
            self.blind_from, self.unseen_messages_expected, self.earliest_possible_breach,
            self.push_silent_from,
        )  # fmt: skip

    def _ingestion(self) -> None:
        of = self._maker.under(sections.INGESTION)
        self.messages_stored = of.counter(
            "messages_stored",
            "Messages stored at first sight; from a buyer or a marketplace: in.",
            "marketplace account direction",
            direction=closed.DIRECTIONS,
        )
        self.messages_duplicate = of.counter(
            "messages_duplicate", "Messages that were read again.", "marketplace account"
        )
        self.ingest_delay = of.histogram(
            "ingest_delay_seconds",
            "Detection lag, ours: from the marketplace's instant of a message to its storing.",
            "marketplace",
            closed.INGEST_SECONDS,
        )
        self.acknowledgements = of.counter(
            "acknowledgements",
            "Automatic acknowledgements by what became of them, or why none went out.",
            "marketplace account outcome",
            outcome=closed.ACKNOWLEDGED,
        )
        self.payloads_quarantined = of.counter(
            "payloads_quarantined",
            "Unreadable payloads that were set aside.",
            "marketplace reason",
            reason=closed.QUARANTINE,
        )
        self.polls = of.counter(
            "polls",
            "Walks of a stream by how they ended.",
            "marketplace account outcome",
            outcome=closed.OUTCOMES,
        )
        self.poll_duration = of.histogram(
            "poll_duration_seconds", "How long a walk took.", "marketplace", closed.POLL_SECONDS
        )

    def _requests(self) -> None:
        of = self._maker.under(sections.API)
        self.marketplace_requests = of.counter(
            "marketplace_requests",
            "Requests to the marketplace by HTTP status; 0: no answer.",
            "marketplace operation code",
            code=closed.CODES,
        )
        self.marketplace_request_duration = of.histogram(
            "marketplace_request_duration_seconds",
            "How long a request took.",
            "marketplace operation",
            closed.REQUEST_SECONDS,
        )
        self.marketplace_retries = of.counter(
            "marketplace_retries",
            "Requests that were made again at once.",
            "marketplace reason",
            reason=closed.RETRIES,
        )
        self.marketplace_clock_skew = of.gauge(
            "marketplace_clock_skew_seconds",
            "Its Date header minus our clock, as last seen.",
            "marketplace",
        )
        self.rate_budget_wait = of.counter(
            "rate_budget_wait_seconds",
            "Time for which walks waited for a shared rate limit.",
            "marketplace budget",
        )

    def _pushes(self) -> None:
        of = self._maker.under(sections.PUSHES)
        self.pushes = of.counter(
            "pushes",
            "Pushes by what became of them; refused are wrong signatures, stale ones and faults.",
            "marketplace topic outcome",
            outcome=closed.PUSHED,
        )
        self.push_duration = of.histogram(
            "push_duration_seconds",
            "From the arrival of a push to its answer, what it brought being stored before.",
            "marketplace",
            closed.PUSH_SECONDS,
        )

    def _engine(self) -> None:
        of = self._maker.under(sections.ENGINE)
        self.leases_lost = of.counter(
            "leases_lost",
            "Results dropped by the fence: another worker had the stream.",
            "marketplace",
        )
        self.leases_taken_over = of.plain_counter(
            "leases_taken_over", "Leases that were freed from a dead worker."
        )
        self.rounds_failed = of.counter(
            "rounds_failed", "Rounds of a loop that broke off.", "reason", reason=closed.FAILED
        )
        self.rounds_failed.create()
        self.event_loop_delay = of.plain_histogram(
            "event_loop_delay_seconds", "How late a timer of 250 ms fired.", closed.LAG_SECONDS
        )

        self.database_query_duration = of.histogram(
            "database_query_duration_seconds",
            "How long statements of a table module took, faults included.",
            "statement",
            closed.STATEMENT_SECONDS,
        )
        self.loop_last_turn = of.gauge(
            "loop_last_turn_timestamp_seconds",
            "When the loop last ended a round without fault, or began; of several the slowest."
            " NaN: it does not run.",
            "loop",
            loop=closed.LOOPS,
        )
        self.turned({})
        self.disk = Disk(of)
        self.outward = Heartbeats(self._maker.under(sections.SERVICE))
        self.polling = InFlight(self._maker.under(sections.INGESTION))

    def turned(self, loops: Mapping[str, float]) -> None:
        """Show when each loop last ended a round, by its full name: of one kind the slowest."""
        kinds = dict.fromkeys(closed.LOOPS, nan)
        for name, at in loops.items():
            kind = name.partition(" ")[0]
            known = kinds.get(kind, nan)
            kinds[kind] = at if isnan(known) else min(at, known)
        for kind, at in kinds.items():
            self.loop_last_turn.labels(kind).set(at)

    def _notifications(self) -> None:
        of = self._maker.under(sections.NOTIFICATIONS)
        self.notifications = of.counter(
            "notifications",
            "Attempts to send a notice; dead: parked for a person.",
            "notifier level outcome",
            level=closed.LEVELS,
            outcome=closed.SENT,
        )
        self.notifications_suppressed = of.counter(
            "notifications_suppressed",
            "Notices not sent because they were no longer true.",
            "notifier reason",
            reason=closed.SUPPRESSED,
        )
        self.notification_delay = of.histogram(
            "notification_delay_seconds",
            "From the decision to the notifier's acceptance.",
            "notifier",
            closed.NOTICE_SECONDS,
        )
        self.duties = Duties(of)

    def _service(self) -> None:
        of = self._maker.under(sections.SERVICE)
        self.config_last_reload_successful = of.plain_gauge(
            "config_last_reload_successful", "1 when the settings were last read without complaint."
        )
        self.config_last_reload_success = of.plain_gauge(
            "config_last_reload_success_timestamp_seconds", "When settings were last taken over."
        )
        self.retention_rows_deleted = of.counter(
            "retention_rows_deleted",
            "Rows removed because their time was over.",
            "table action",
            table=closed.TABLES,
            action=closed.ACTIONS,
        )
        self.retention_rows_deleted.create()
        self.erasures = of.plain_counter("erasures", "Requests to erase members that are done.")
        self.erased_rows = of.counter(
            "erased_rows",
            "Threads of erased members, and rows elsewhere that named one.",
            "what",
            what=closed.ERASED,
        )
        self.erased_rows.create()
        self.erasure_oldest_asked = of.plain_gauge(
            "erasure_oldest_asked_timestamp_seconds",
            "Since when the oldest request to erase somebody waits; 0: none waits.",
        )
        self.sign_ins = SignIns(of)
        self._build = of.info("build", "The version that runs.", "version revision python")

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
        for metric in self._maker.labelled:
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
        self.duties.adopt(names.duties)

    def pushed(self, marketplace: str, topic: str, outcome: str, seconds: float) -> None:
        """Count a push answered after *seconds*.

        A topic that is in no list is ``other``, and so is that of one whose word is not believed.
        """
        is_known = (marketplace, topic) in self._topics and outcome in closed.READ
        known = topic if is_known else closed.OTHER
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
            outcomes = closed.PUSHED if topic == closed.OTHER else closed.READ
            self.pushes.create(marketplace=[marketplace], topic=[topic], outcome=outcomes)
        self.push_duration.create(marketplace=[marketplace for marketplace, _ in names.topics])
        for marketplace, name, key in names.budgets:
            self._budgets[key] = name
            self.rate_budget_wait.create(marketplace=[marketplace], budget=[name])
