"""What metrics are made of: labels with closed sets, and a histogram that counts cheaply."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Counts
from dataclasses import dataclass
from functools import partial
from itertools import product, starmap
from typing import TYPE_CHECKING, Generic, TypeVar

import prometheus_client as prometheus
from prometheus_client.metrics import MetricWrapperBase

from core import labels as closed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MetricT = TypeVar("MetricT", bound=MetricWrapperBase)


@dataclass(frozen=True, slots=True)
class Family:
    """A metric as `docs/metrics.md` lists it: *name* as Prometheus shows it, *kind* its type."""

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str


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


class AccountGauge:
    """A value for each account, written beside what is read from the database."""

    def __init__(self, name: str, text: str, default: float) -> None:
        self.family = Family(name, "gauge", ("marketplace", "account"), text)
        self.default = default
        self._values: dict[str, float] = {}

    def show(self, values: Mapping[str, float]) -> None:
        """Say *values* by account until told otherwise; the default for all others."""
        self._values = dict(values)

    def get(self, account: str) -> float:
        """What was said last, else the default."""
        return self._values.get(account, self.default)
