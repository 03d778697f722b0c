"""What is asked by the dashboards as they are written: each panel's expressions.

Read from the JSON, as Grafana reads it, so that what is checked and drawn is what is delivered.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")


@dataclass(frozen=True, slots=True)
class Span:
    """The range that is shown: its end and length in seconds, the scrape's interval."""

    end: float
    length: float
    scrape: float = 15.0

    def step(self, least: float = 0.0, points: int = 800) -> float:
        """Seconds from point to point: no finer than the scrape, nor than a panel's *least*."""
        return max(self.length / points, self.scrape, least)

    def values(self, step: float) -> dict[str, str]:
        """Grafana's own variables for points *step* apart, and all of what can be chosen.

        The window of a rate holds four scrapes at least, and the point before it.
        """
        window = max(step + self.scrape, 4 * self.scrape)
        return {
            "__rate_interval": f"{round(window * 1000)}ms",
            "__interval": f"{round(step * 1000)}ms",
            "__range": f"{round(self.length)}s",
            "job": "replyby",
            "marketplace": ".*",
            "account": ".*",
            "instance": ".*",
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of one panel: *ref* is its letter, *once* at the end of the range only."""

    dashboard: str
    panel: str
    ref: str
    expr: str
    legend: str
    once: bool


def dashboards(folder: Path) -> dict[str, dict[str, Any]]:
    """Each dashboard by the name of its file, without the ending."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }


def panels(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The panels, without the headings of rows; those that a folded row holds too."""
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels", [])
        else:
            yield panel


def asked(name: str, dashboard: Mapping[str, Any]) -> Iterator[Asked]:
    """Every query of a dashboard, in the order of its panels."""
    for panel in panels(dashboard):
        yield from asked_by(name, panel)


def asked_by(name: str, panel: Mapping[str, Any]) -> Iterator[Asked]:
    """Every query of a panel of the dashboard *name*."""
    for target in panel["targets"]:
        yield Asked(
            name,
            panel["title"],
            target["refId"],
            target["expr"],
            target.get("legendFormat", ""),
            bool(target.get("instant")),
        )


def put(expr: str, values: Mapping[str, str]) -> str:
    """The expression with its variables replaced; one that is not known is a `KeyError`."""
    return VARIABLE.sub(lambda found: values[found[1] or found[2]], expr)


def seconds(text: str) -> float:
    """A duration as Grafana writes it: ``30s``, ``1m``, ``14d``; nothing is 0."""
    if not text:
        return 0.0
    return float(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[text[-1]]
