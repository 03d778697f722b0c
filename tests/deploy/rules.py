"""The rules that are shipped, and their tests: read from the files that Prometheus reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.deploy.catalogue import catalogue
from tests.deploy.expressions import Metric, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
TESTS = sorted((FOLDER / "tests").glob("*.yml"))

ASKED = re.compile(r'printf "(?P<printed>(?:[^"\\]|\\.)+)"(?= \$)|query "(?P<plain>[^"]+)"')
"""An expression inside an annotation, with %q for a label's value."""
SHOWN = re.compile(r"\$labels\.(\w+)")


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert rule as it is written."""

    name: str
    expression: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spans: Mapping[str, str]

    def shows(self) -> set[str]:
        """The labels of the result that its annotations name."""
        return {name for text in self.annotations.values() for name in SHOWN.findall(text)}

    def asks(self) -> Iterator[str]:
        """The expressions that its annotations ask."""
        for text in self.annotations.values():
            for found in ASKED.finditer(text):
                asked = found["printed"] or found["plain"]
                if "{" in asked or found["plain"]:
                    yield asked.replace("%q", '"x"')


def alerts() -> list[Alert]:
    """All alerts, those of one name as often as there are."""
    return [
        Alert(
            rule["alert"],
            rule["expr"],
            rule["labels"],
            rule["annotations"],
            {key: rule[key] for key in ("for", "keep_firing_for") if key in rule},
        )
        for rule in _rules("alerts.yml")
    ]


def known() -> dict[str, Metric]:
    """What expressions may name: the catalogue of the code, and what is recorded from it."""
    names = catalogue()
    for rule in _rules("recording.yml"):
        names[rule["record"]] = recorded(rule["record"], rule["expr"], names)
    return names


def recordings() -> dict[str, str]:
    """The expressions of the recording rules by the name that each makes."""
    return {rule["record"]: rule["expr"] for rule in _rules("recording.yml")}


def tests() -> Iterator[tuple[str, list[Any]]]:
    """The expectations of each test group of each file, with the group's name."""
    for path in TESTS:
        for group in yaml.safe_load(path.read_text())["tests"]:
            yield group["name"], group.get("alert_rule_test", [])


def _rules(name: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / name).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]
