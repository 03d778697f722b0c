"""`python -m deploy.kubernetes`: render the chart into replyby.yaml, for those without Helm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from helm_python import Chart

HERE = Path(__file__).resolve().parent
MANIFEST = HERE / "replyby.yaml"
CHART = HERE.parent / "helm" / "replyby"
NAME = "replyby"
HEAD = """\
# Rendered from deploy/helm/replyby by `python -m deploy.kubernetes`: change the chart.
# What it needs besides: the Secret "replyby", see docs/deployment.md.
"""
HELMS = ("app.kubernetes.io/managed-by", "helm.sh/chart")


class Dumper(yaml.SafeDumper):
    """Writes a text of several lines as one."""


def _text(dumper: Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Dumper.add_representer(str, _text)


def objects(values: dict[str, Any], name: str = NAME) -> list[dict[str, Any]]:
    """What the chart makes of *values* as the release *name*, in the order of its files."""
    with Chart.load(CHART) as chart:
        rendered = chart.render(values, name=name, namespace="default")
    texts = [text for path, text in sorted(rendered.items()) if not path.endswith("NOTES.txt")]
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def plain(found: Any) -> Any:
    """*found* without the labels by which Helm knows what is its own."""
    if isinstance(found, dict):
        return {key: plain(value) for key, value in found.items() if key not in HELMS}
    return [plain(one) for one in found] if isinstance(found, list) else found


def manifest() -> str:
    """The whole manifest."""
    values = yaml.safe_load((HERE / "values.yaml").read_text(encoding="utf-8"))
    texts = [
        yaml.dump(plain(one), Dumper=Dumper, sort_keys=False, width=1000) for one in objects(values)
    ]
    return HEAD + "---\n".join(texts)


def main() -> None:
    """Write it."""
    MANIFEST.write_text(manifest(), encoding="utf-8")


if __name__ == "__main__":
    main()
