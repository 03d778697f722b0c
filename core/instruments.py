"""What metrics are made of: labels with closed sets, and a histogram that counts cheaply."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Counts
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from itertools import product, starmap
from typing import TYPE_CHECKING, Generic, TypeVar

import prometheus_client as prometheus
from prometheus_client.metrics import MetricWrapperBase

from core import labels as closed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MetricT = TypeVar("MetricT", bound=MetricWrapperBase)
ACCOUNT = ("marketplace", "account")


class Source(Enum):
    """Where a metric's value comes from, and so how several processes are added up."""

    DATABASE = "database"
    """Read at the scrape, the same from every process: `max by`; absent while the database is."""
    LOOK = "look"
    """What a loop of this process found at its last look at the database: `max by`."""
    PROCESS = "process"
    """What this process did or is: `sum`."""
    SETTINGS = "settings"
    """What the settings say: `max by`."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page of metrics: families under a *title*, and *prose* that explains them."""

    title: str
    prose: str = ""

    def family(
        self,
        name: str,
        kind: str,
        labels: Sequence[str],
        text: str,
        source: Source = Source.DATABASE,
    ) -> Family:
        """A family of this section; *name* is without the program's prefix."""
        return Family(f"replyby_{name}", kind, tuple(labels), text, self, source)


@dataclass(frozen=True, slots=True)
class Family:
    """A metric as `docs/metrics.md` lists it: *name* as Prometheus shows it, *kind* its type."""

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str
    section: Section
    source: Source


class Labelled(Generic[MetricT]):
    """A metric by closed sets of labels; a value outside its set counts as ``other``."""

    def __init__(
        self, metric: MetricT, names: tuple[str, ...], sets: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._metric = metric
        self.names = names
        self._sets = sets
        self._known: dict[tuple[str, ...], MetricT] = {}
        self.account_label = True

    def labels(self, *values: str) -> MetricT:
        """The child for these values, in the order of the metric's labels."""
        child = self._known.get(values)
        if child is None:
            pairs = zip(self.names, values, strict=True)
            child = self._known[values] = self._metric.labels(*starmap(self._value, pairs))
        return child

    def _value(self, name: str, value: str) -> str:
        if name == "account" and not self.account_label:
            return ""
        allowed = self._sets.get(name)
        return value if allowed is None or value in allowed else closed.OTHER

    def create(self, **given: Iterable[str]) -> None:
        """Create every combination of *given* and of the closed sets, at 0."""
        choices = [tuple(given.get(n, self._sets.get(n, ()))) for n in self.names]
        for values in product(*choices):
            self.labels(*values)

    def forget(self) -> None:
        """Drop every child: the labels themselves changed."""
        self._known.clear()
        self._metric.clear()


class Distribution(prometheus.Histogram):
    """A histogram that takes a thousand values as cheaply as a few, and one without a search.

    It has its labels: whoever asks for a child by `Labelled` gives them.
    """

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """Count *amount*; no exemplar is kept."""
        del exemplar
        self._sum.inc(amount)
        self._buckets[bisect_left(self._upper_bounds, amount)].inc(1)

    def observe_all(self, values: Sequence[float]) -> None:
        """Count *values*, as `observe` counts each."""
        if values:
            self._sum.inc(sum(values))
        for place, n in Counts(map(partial(bisect_left, self._upper_bounds), values)).items():
            self._buckets[place].inc(n)


Counter = Labelled[prometheus.Counter]
Gauge = Labelled[prometheus.Gauge]
Histogram = Labelled[Distribution]


@dataclass(slots=True)
class Maker:
    """Makes the metrics of a process, and knows the families of all that it made."""

    registry: prometheus.CollectorRegistry
    families: list[Family] = field(default_factory=list)
    labelled: list[Counter | Gauge | Histogram] = field(default_factory=list)

    def under(self, section: Section) -> Shelf:
        """What makes the metrics of one section of the page."""
        return Shelf(self, section)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Makes the metrics of one *section*. Names are without prefix and, of counters, suffix.

    Labels are words, parted by a space; the closed sets stand by label.
    """

    maker: Maker
    section: Section

    def counter(self, name: str, text: str, labels: str, **sets: tuple[str, ...]) -> Counter:
        """A counter by labels."""
        names = tuple(labels.split())
        made = prometheus.Counter(f"replyby_{name}", text, names, registry=self.maker.registry)
        return self._keep(f"{name}_total", "counter", text, Labelled(made, names, sets))

    def gauge(self, name: str, text: str, labels: str, **sets: tuple[str, ...]) -> Gauge:
        """A gauge by labels."""
        names = tuple(labels.split())
        made = prometheus.Gauge(f"replyby_{name}", text, names, registry=self.maker.registry)
        return self._keep(name, "gauge", text, Labelled(made, names, sets))

    def histogram(
        self, name: str, text: str, labels: str, buckets: Sequence[float], **sets: tuple[str, ...]
    ) -> Histogram:
        """A histogram by labels."""
        names, registry = tuple(labels.split()), self.maker.registry
        made = Distribution(f"replyby_{name}", text, names, registry=registry, buckets=buckets)
        return self._keep(name, "histogram", text, Labelled(made, names, sets))

    def plain_counter(self, name: str, text: str) -> prometheus.Counter:
        """A counter without labels."""
        self._list(f"{name}_total", "counter", (), text)
        return prometheus.Counter(f"replyby_{name}", text, registry=self.maker.registry)

    def plain_gauge(self, name: str, text: str) -> prometheus.Gauge:
        """A gauge without labels."""
        self._list(name, "gauge", (), text)
        return prometheus.Gauge(f"replyby_{name}", text, registry=self.maker.registry)

    def plain_histogram(
        self, name: str, text: str, buckets: Sequence[float]
    ) -> prometheus.Histogram:
        """A histogram without labels."""
        self._list(name, "histogram", (), text)
        registry = self.maker.registry
        return prometheus.Histogram(f"replyby_{name}", text, registry=registry, buckets=buckets)

    def info(self, name: str, text: str, labels: str) -> prometheus.Info:
        """Constants of this process, as labels."""
        self._list(f"{name}_info", "info", tuple(labels.split()), text)
        return prometheus.Info(f"replyby_{name}", text, registry=self.maker.registry)

    def account_gauge(self, name: str, text: str, default: float) -> AccountGauge:
        """What a loop last saw of each account."""
        return AccountGauge(self.section.family(name, "gauge", ACCOUNT, text, Source.LOOK), default)

    def _keep(self, name: str, kind: str, text: str, made: Labelled[MetricT]) -> Labelled[MetricT]:
        self._list(name, kind, made.names, text)
        self.maker.labelled.append(made)  # type: ignore[arg-type]  # one of the three kinds
        return made

    def _list(self, name: str, kind: str, labels: tuple[str, ...], text: str) -> None:
        family = self.section.family(name, kind, labels, text, Source.PROCESS)
        self.maker.families.append(family)


class AccountGauge:
    """A value for each account, written beside what is read from the database."""

    def __init__(self, family: Family, default: float) -> None:
        self.family = family
        self.default = default
        self._values: dict[str, float] = {}

    def show(self, values: Mapping[str, float]) -> None:
        """Say *values* by account until told otherwise; the default for all others."""
        self._values = dict(values)

    def get(self, account: str) -> float:
        """What was said last, else the default."""
        return self._values.get(account, self.default)
