"""`docs/metrics.md` is written from the code; what is exported stands in it, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.instruments import Section
from core.measuring import sections, values
from core.measuring.values import Values
from core.web import catalogue

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_metrics_is_the_one_that_the_code_writes():
    written = (ROOT / catalogue.PAGE).read_text()

    assert written == catalogue.page(), "run: .venv/bin/python -m core.web.catalogue"


def test_every_metric_stands_in_the_page_once():
    rows = re.findall(r"^\| `(replyby_\w+)`", catalogue.page(), re.MULTILINE)

    assert sorted(rows) == sorted(family.name for family in catalogue.families())


def test_each_label_of_a_metric_has_its_values_in_the_table():
    told = {name for each in values.ALL for name in each.label.split()}
    used = {
        name for family in catalogue.families() for name in family.labels if family.kind != "info"
    }

    assert used == told


def test_a_meaning_of_what_is_no_value_is_refused():
    with pytest.raises(ValueError, match="no values of the label band: purple"):
        Values("band", ("ok",), {"purple": "nobody knows"})


def test_a_section_that_is_nowhere_listed_stands_behind_the_others(monkeypatch):
    later = Section("Later", "All of it.")
    family = later.family("x_seconds", "gauge", ("account",), "An x.")
    known = (family, *catalogue.families())
    monkeypatch.setattr(catalogue, "families", lambda: known)

    page = catalogue.page()

    assert page.index(f"## {sections.ALL[-1].title}") < page.index("## Later\n")
    assert "| `replyby_x_seconds` | gauge | account | database | An x. |\n\nAll of it.\n" in page
