"""What is wrong with a PromQL expression over our metrics: complaints, none where it is right.

Rules and dashboards are held to the catalogue of the code. An expression is walked from its
selectors outwards; each part has a `Shape`: the labels that it still has, and whether its series
are still told by every daemon alike, so that a `sum` would count them once for each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import promql_parser as promql

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

INSTANCE = frozenset({"instance", "job"})
"""What Prometheus adds to each series: which daemon told it."""

OF_COUNTERS = {"rate", "irate", "increase", "resets"}
OF_ANY = {"absent_over_time", "present_over_time", "count_over_time", "last_over_time", "changes"}
OF_DURABLE = {"max_over_time", "min_over_time"}
"""Also of a counter that every daemon tells alike: it never goes down, and the highest less the
lowest is how many there were, to the last one."""

LOOKS = {"absent", "timestamp", "count", "group"}
"""What may look at a counter as it stands: it asks whether it is there, not how much it is."""

DISSOLVES = {"max", "min", "group"}
"""What makes one of the same number told by several daemons."""

PICKS = {"topk", "bottomk", "limitk"}
SETS = {"and", "or", "unless"}
VARIABLE = re.compile(r"\$__\w+|\$\{__\w+\}")


@dataclass(frozen=True, slots=True)
class Metric:
    """A series as PromQL names it: of a histogram each of its three.

    *kind* is ``counter``, ``gauge``, ``info`` or ``recorded``. *everywhere*: every daemon tells
    the same, for it is read from the database. *values* are those of labels that are closed.
    """

    name: str
    kind: str
    labels: frozenset[str]
    everywhere: bool = False
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shape:
    """What an expression yields: its labels; None for a number.

    *same*: every daemon tells these series alike, and nothing has made one of them yet. *keep* are
    the labels that must be left when that happens, or one account's count would stand for all.
    *one*: each daemon tells but one of them, whatever its labels are.
    """

    labels: frozenset[str] | None
    same: bool = False
    keep: frozenset[str] = frozenset()
    one: bool = False

    def of(self, labels: Iterable[str]) -> Shape:
        """The same with other labels."""
        return Shape(frozenset(labels), self.same, self.keep)


NUMBER = Shape(None)


def complaints(
    expression: str, known: Mapping[str, Metric], *, shown: Iterable[str] = ()
) -> list[str]:
    """What is wrong with an expression, a sentence each.

    Args:
        expression: PromQL; Grafana's own variables (`$__rate_interval`) may stand in it.
        known: the metrics that there are, by name.
        shown: labels that whoever reads the result goes by: in a legend, in an annotation.
    """
    try:
        tree = promql.parse(VARIABLE.sub("5m", expression))
    except ValueError as fault:
        return [f"no PromQL: {fault}"]
    look = _Look(known)
    shape = look.shape(tree)
    if look.unknown:  # what else there is to say follows from that
        return [_unknown(name, known) for name in look.unknown]
    if shape.same:
        look.say("every daemon tells the same here: take max by (...) or min by (...)")
    if shape.labels is not None:
        for name in sorted(set(shown) - shape.labels):
            look.say(f"the result has no label {name}, only {_listed(shape.labels)}")
    return look.said


def shape(expression: str, known: Mapping[str, Metric]) -> Shape:
    """What an expression yields."""
    return _Look(known).shape(promql.parse(VARIABLE.sub("5m", expression)))


def metrics(expression: str) -> set[str]:
    """The names of all series that an expression selects."""
    seen = _Look({})
    seen.shape(promql.parse(VARIABLE.sub("5m", expression)))
    return seen.named


def recorded(name: str, expression: str, known: Mapping[str, Metric]) -> Metric:
    """The series that a recording rule makes."""
    return Metric(name, "recorded", shape(expression, known).labels or frozenset())


class _Look:
    """One walk through an expression, and what it had to complain of."""

    def __init__(self, known: Mapping[str, Metric]) -> None:
        self.known = known
        self.said: list[str] = []
        self.unknown: list[str] = []
        self.named: set[str] = set()

    def say(self, complaint: str) -> None:
        if complaint not in self.said:
            self.said.append(complaint)

    def shape(self, node: Any, *, by: str = "") -> Shape:
        """The shape of a part; *by* is the function or operator around it."""
        kind = type(node).__name__
        if kind in {"NumberLiteral", "StringLiteral"}:
            return NUMBER
        if kind in {"ParenExpr", "UnaryExpr", "SubqueryExpr"}:
            return self.shape(node.expr, by=by)
        if kind == "MatrixSelector":
            return self._series(node.vector_selector, by, over_time=True)
        if kind == "VectorSelector":
            return self._series(node, by, over_time=False)
        walks = {"Call": self._call, "AggregateExpr": self._aggregate, "BinaryExpr": self._binary}
        return walks[kind](node)

    def _series(self, node: Any, by: str, *, over_time: bool) -> Shape:
        matchers = node.matchers.matchers
        name = node.name or next((m.value for m in matchers if m.name == "__name__"), "")
        self.named.add(name)
        metric = self.known.get(name)
        if metric is None:
            self.unknown.append(name)
            return Shape(frozenset())
        self._fits(metric, by, over_time=over_time)
        for matcher in matchers:
            self._matches(metric, matcher)
        pinned = {m.name for m in matchers if str(m.op) == "MatchOp.Equal"}
        keep = metric.labels - pinned if metric.kind == "counter" else frozenset()
        own = metric.labels if metric.kind == "recorded" else metric.labels | INSTANCE
        keep = keep if metric.everywhere else frozenset()
        return Shape(frozenset(own), metric.everywhere, keep, one=metric.kind == "info")

    def _fits(self, metric: Metric, by: str, *, over_time: bool) -> None:
        name = metric.name
        if metric.kind == "recorded" or by in OF_ANY:
            return
        if metric.kind == "counter":
            durable = metric.everywhere and by in OF_DURABLE
            if over_time and by not in OF_COUNTERS and not durable:
                self.say(f"{name} is a counter: {by} is for gauges")
            if not over_time and by not in LOOKS and not (by == "max" and metric.everywhere):
                self.say(f"{name} is a counter: take increase or rate of it")
        elif over_time and by in OF_COUNTERS:
            self.say(f"{name} is a {metric.kind}: {by} is for counters")

    def _matches(self, metric: Metric, matcher: Any) -> None:
        if matcher.name == "__name__":
            return
        if matcher.name not in metric.labels | INSTANCE:
            self.say(f"{metric.name} has no label {matcher.name}, only {_listed(metric.labels)}")
            return
        allowed = metric.values.get(matcher.name)
        words = re.findall(r"[\w.]+", matcher.value)
        plain = matcher.value == "|".join(words)
        for word in words if allowed and plain else ():
            if word not in allowed:
                self.say(f"{metric.name} never has {matcher.name}={word!r}")

    def _call(self, node: Any) -> Shape:
        name = node.func.name
        shapes = [self.shape(arg, by=name) for arg in node.args]
        vectors = [s for s in shapes if s.labels is not None]
        if name in {"scalar", "time", "pi"}:
            return NUMBER
        if name == "vector" or not vectors:
            return Shape(frozenset())
        if name in {"absent", "absent_over_time"}:
            return Shape(frozenset(_pinned(node.args[0])))
        first = vectors[0]
        labels = first.labels or frozenset()
        if name in {"histogram_quantile", "histogram_fraction"}:
            if "le" not in labels:
                self.say(f"{name} needs the label le")
            return first.of(labels - {"le"})
        if name in {"label_replace", "label_join"}:
            return first.of(labels | {node.args[1].val})
        return first

    def _aggregate(self, node: Any) -> Shape:
        op = str(node.op)
        inner = self.shape(node.expr, by=op)
        labels = inner.labels or frozenset()
        left = self._grouped(node.modifier, labels)
        if inner.same and "instance" not in left:
            if op not in DISSOLVES:
                self.say(f"{op} counts each daemon: take max by (...) of it first")
            elif op != "group" and not inner.keep <= left:
                self.say(f"{op} loses {_listed(inner.keep - left)}: one of them stands for all")
        if op in PICKS:
            return inner
        if op == "count_values":
            left |= {node.param.val}
        return Shape(left, inner.same and "instance" in left, inner.keep)

    def _grouped(self, modifier: Any, labels: frozenset[str]) -> frozenset[str]:
        if modifier is None:
            return frozenset()
        named = frozenset(modifier.labels)
        for name in sorted(named - labels):
            self.say(f"grouped by {name}, which is not there, only {_listed(labels)}")
        return named if str(modifier.type) == "AggModifierType.By" else labels - named

    def _binary(self, node: Any) -> Shape:
        op, modifier = str(node.op), node.modifier
        left, right = self.shape(node.lhs), self.shape(node.rhs)
        if left.labels is None or right.labels is None:
            return right if left.labels is None else left
        matched = self._matched(op, modifier, left.labels, right.labels)
        if op in SETS:
            if op != "or":
                return left
            either = left.same or right.same
            return Shape(left.labels & right.labels, either, left.keep | right.keep)
        together = left.same or right.same
        if together and "instance" not in matched:
            self.say(f"{op} matches series of several daemons: take max by (...) of them first")
        added = frozenset(modifier.group_labels or ()) if modifier else frozenset()
        many = self._many(modifier)
        for side, of, may in (
            ("left", left, many == "ManyToOne"),
            ("right", right, many == "OneToMany"),
        ):
            extra = (of.labels or frozenset()) - matched - added
            one = of.one and "instance" in matched
            if extra and not (may or one) and modifier and modifier.matching:
                self.say(f"the {side} of {op} has {_listed(extra)} besides: several may match one")
        if many == "OneToMany":
            return Shape(right.labels | added, together, right.keep)
        return Shape(left.labels | added if many == "ManyToOne" else matched, together, left.keep)

    @staticmethod
    def _many(modifier: Any) -> str:
        return str(modifier.card).rpartition(".")[2] if modifier else "OneToOne"

    def _matched(
        self, op: str, modifier: Any, left: frozenset[str], right: frozenset[str]
    ) -> frozenset[str]:
        """The labels by which both sides find each other."""
        matching = modifier.matching if modifier else None
        if matching is None:
            if left != right and op != "or":
                self.say(f"{op} never matches: {_listed(left)} against {_listed(right)}")
            return left & right
        named = frozenset(matching.labels)
        if str(matching.type) == "LabelModifierType.Include":
            for name in sorted((named - left) | (named - right)):
                self.say(f"{op} matches on {name}, which one side does not have")
            return named
        if left - named != right - named and self._many(modifier) == "OneToOne":
            self.say(
                f"{op} never matches: {_listed(left - named)} against {_listed(right - named)}"
            )
        return (left & right) - named


def _pinned(node: Any) -> set[str]:
    while not hasattr(node, "matchers"):
        inner = getattr(node, "vector_selector", None) or getattr(node, "expr", None)
        if inner is None:
            return set()
        node = inner
    return {m.name for m in node.matchers.matchers if str(m.op) == "MatchOp.Equal"}


def _unknown(name: str, known: Iterable[str]) -> str:
    near = "".join(f"; {other}?" for other in get_close_matches(name, known, 1))
    return f"no metric {name}{near}" if name else "a selector that names no metric"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
