"""The page of metrics, written from the metrics themselves.

`python -m core.web.catalogue` writes `docs/metrics.md` anew; a test compares. Nothing of the page
is edited by hand: a table's row is a family's declaration, the prose under a table is its
section's (`core.measuring.sections`), what a label's values mean stands in `core.measuring.values`,
and what is true of all of them in the template beside this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.instruments import Source
from core.measuring import fleet, sections, values
from core.metrics import Metrics

if TYPE_CHECKING:
    from core.instruments import Family, Section

PAGE = Path("docs", "metrics.md")

TEMPLATE = Path(__file__).with_suffix(".md")


def families() -> tuple[Family, ...]:
    """Every metric of the program: the catalogue that rules and dashboards are held to."""
    metrics = Metrics()
    gauges = (gauge.family for gauge in metrics.account_gauges)
    return (*fleet.FAMILIES, *gauges, *metrics.families)


def page() -> str:
    """`docs/metrics.md`."""
    known = families()
    found = dict.fromkeys([*sections.ALL, *(family.section for family in known)])
    parts = {
        "{labels}\n": _labels(),
        "{sections}\n": "".join(_section(section, known) for section in found),
    }
    text = TEMPLATE.read_text()
    for mark, part in parts.items():
        text = text.replace(mark, part)
    return text


def _labels() -> str:
    rows = "".join(f"{each.row()}\n" for each in values.ALL)
    return f"| label | values |\n| --- | --- |\n{rows}\n"


def _section(section: Section, known: tuple[Family, ...]) -> str:
    rows = "".join(_row(family) for family in known if family.section == section)
    head = "| metric | type | labels | from | meaning |\n| --- | --- | --- | --- | --- |\n"
    prose = f"{section.prose.strip()}\n\n" if section.prose else ""
    return f"## {section.title}\n\n{head}{rows}\n{prose}"


def _row(family: Family) -> str:
    names = ", ".join(family.labels) or "-"
    source = Source.SETTINGS.value if family.kind == "info" else family.source.value
    return f"| `{family.name}` | {family.kind} | {names} | {source} | {family.text} |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
