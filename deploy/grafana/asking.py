"""Asking a Prometheus what the panels ask, as Grafana does: what came back, and what did not.

    for asked in silent("http://127.0.0.1:9090", Span(end=now, length=900, scrape=1)): ...

Some panels are rightly empty while all is well: `CALM` says which, and why.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from deploy.grafana.panels import Span, asked_by, panels, put, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from deploy.grafana.panels import Asked

CALM: dict[tuple[str, str], tuple[str, str]] = {
    ("deadlines", "A promise may break unseen in"): ("A", "only while an account is blind"),
    ("deadlines", "Alerts that fired"): ("A", "only what the shipped rules complained of"),
    ("deadlines", "Contracts by mean"): ("ABC", "only once a reply counts for a contract by mean"),
    ("deadlines", "Muted"): ("A", "only while an account or a route is muted"),
    ("ingestion", "First key ends in"): ("A", "only where the settings say when a key was made"),
    ("ingestion", "Blind accounts"): ("ABC", "only while an account is blind"),
    ("ingestion", "Asked to wait"): ("A", "only while a marketplace asks accounts to wait"),
    ("ingestion", "Left alone after failures"): ("A", "only while an account is left alone"),
    ("ingestion", "Keys that end"): ("A", "only where the settings say when a key was made"),
    ("ingestion", "Automatic acknowledgements"): ("A", "only where an account acknowledges"),
    ("ingestion", "When pushes came"): ("B", "only once enough pushes came to know what is usual"),
    ("engine", "Heartbeat"): ("A", "only where a heartbeat is configured"),
    ("engine", "What waits"): ("B", "only while a notice waits to be sent"),
    ("engine", "Disk free"): ("A", "only where the state directory holds the database"),
}
"""Panels that may show nothing while all is well, by dashboard and title: which of their queries,
and what shows in them otherwise. All others show something as long as a daemon works."""


class Refused(Exception):
    """Prometheus did not answer a query with data; its message says why."""


@dataclass(frozen=True, slots=True)
class Series:
    """A series: its labels, its points (instant, value), without those that are no number."""

    labels: dict[str, str]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one query of a panel brought."""

    asked: Asked
    step: float
    span: Span
    series: tuple[Series, ...]


def now(prometheus: str) -> float:
    """What time Prometheus says it is, in seconds since 1970."""
    return float(_get(prometheus, "query", {"query": "time()"})["result"][0])


def answers(
    prometheus: str, name: str, dashboard: Mapping[str, Any], span: Span, *, ahead: bool = False
) -> Iterator[Answer]:
    """What each query of a dashboard brings.

    Args:
        prometheus: its address, as ``http://127.0.0.1:9090``.
        name: the dashboard's, as its file is called.
        dashboard: its content.
        span: what is shown; a panel with a range of its own shows that.
        ahead: the last point is the one that the end of the span belongs to. Grafana ends at the
            one before: of five minutes it shows nothing before they are over.

    Raises:
        Refused: it could not carry out a query.
    """
    for panel in panels(dashboard):
        shown = span
        if panel.get("timeFrom"):
            shown = Span(span.end, seconds(panel["timeFrom"]), span.scrape)
        step = shown.step(seconds(panel.get("interval", "")))
        for asked in asked_by(name, panel):
            found = _series(prometheus, asked, shown, step, ahead=ahead)
            yield Answer(asked, step, shown, tuple(found))


def silent(prometheus: str, dashboards: Mapping[str, Mapping[str, Any]], span: Span) -> list[Asked]:
    """The queries that bring nothing at all up to now, of all dashboards."""
    return [
        answer.asked
        for name, dashboard in dashboards.items()
        for answer in answers(prometheus, name, dashboard, span, ahead=True)
        if not answer.series
    ]


def amiss(asked: Iterable[Asked]) -> list[str]:
    """Of silent queries those that should not be silent while all is well, as they are read."""
    return [
        f"{a.dashboard}/{a.panel}/{a.ref}: {a.expr}"
        for a in asked
        if a.ref not in CALM.get((a.dashboard, a.panel), ("", ""))[0]
    ]


def instants(prometheus: str, expr: str, span: Span) -> list[float]:
    """The instants that a mark's expression names in its values, milliseconds, within the span."""
    wanted = {
        "query": put(expr, span.values(span.step())),
        "start": span.end - span.length,
        "end": span.end,
        "step": span.step(),
    }
    found = _get(prometheus, "query_range", wanted)["result"]
    seen = {float(value) / 1000 for each in found for _, value in each["values"]}
    return sorted(at for at in seen if span.end - span.length <= at <= span.end)


def _series(
    prometheus: str, asked: Asked, span: Span, step: float, *, ahead: bool
) -> Iterator[Series]:
    query = {"query": put(asked.expr, span.values(step))}
    if asked.once:
        found = _get(prometheus, "query", {**query, "time": span.end})
    else:
        end = (span.end // step + ahead) * step
        wanted = {"start": end - span.length, "end": end, "step": step}
        found = _get(prometheus, "query_range", {**query, **wanted})
    if found["resultType"] == "scalar":
        found = {"result": [{"metric": {}, "value": found["result"]}]}
    for each in found["result"]:
        raw = each.get("values") or [each["value"]]
        points = tuple((float(at), float(v)) for at, v in raw if isfinite(float(v)))
        if points:
            yield Series(each["metric"], points)


def _get(prometheus: str, what: str, query: Mapping[str, object]) -> dict[str, Any]:
    host = urlsplit(prometheus).netloc
    wire = HTTPConnection(host, timeout=30)
    try:
        wire.request(
            "POST", f"/api/v1/{what}", urlencode(query),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        answer = wire.getresponse()
        raw = answer.read()
    finally:
        wire.close()
    if answer.getheader("Content-Type") != "application/json":
        raise Refused(f"{answer.status} {raw[:80].decode(errors='replace')}")  # it starts or ends
    said = json.loads(raw)
    if said["status"] != "success":
        raise Refused(f"{query['query']}: {said.get('error')}")
    content: dict[str, Any] = said["data"]
    return content
