"""The dashboards are what their source makes, ask for what there is, and say what they show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from deploy.grafana.__main__ import DASHBOARDS, FOLDER, contents
from deploy.grafana.panels import Span, asked, dashboards, panels, put, seconds
from tests.deploy.catalogue import catalogue
from tests.deploy.expressions import Metric, complaints, metrics

ROOT = Path(__file__).resolve().parent.parent.parent
SHIPPED = dashboards(FOLDER)
KNOWN = catalogue() | {
    metric.name: metric
    for metric in (
        Metric("ALERTS", "gauge", frozenset({"alertname", "alertstate", "severity", "team"})),
        Metric("scrape_duration_seconds", "gauge", frozenset()),
    )
}
"""What a daemon tells, and what Prometheus tells of itself."""

VALUES = Span(end=0, length=3600).values(15)
UNITS = {
    "short", "s", "percentunit", "bytes", "none", "suffix:/min",
}  # fmt: skip
QUERIES = [q for name, content in SHIPPED.items() for q in asked(name, content)]
PANELS = [(name, panel) for name, content in SHIPPED.items() for panel in panels(content)]


def titled(case):
    return f"{case[0]}/{case[1]['title']}"


def shown(legend):
    return re.findall(r"\{\{(\w+)\}\}", legend)


def test_each_dashboard_is_what_its_source_makes_byte_for_byte():
    made = contents()

    assert sorted(path.name for path in FOLDER.glob("*.json")) == sorted(made)
    for name, text in made.items():
        assert (FOLDER / name).read_text() == text, f"{name}: python -m deploy.grafana"


def test_the_runbook_may_be_kept_anywhere():
    for text in contents("https://wiki.example/runbook").values():
        assert '"text": "https://wiki.example/runbook"' in text
        assert "replyby.example" not in text


def test_the_three_dashboards_are_there_under_names_of_their_own():
    assert set(SHIPPED) == set(DASHBOARDS) == {"deadlines", "ingestion", "engine"}
    assert len({content["uid"] for content in SHIPPED.values()}) == 3
    for content in SHIPPED.values():
        assert content["schemaVersion"] >= 39
        assert "replyby" in content["tags"]


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: f"{q.dashboard}/{q.panel}/{q.ref}")
def test_each_expression_asks_for_what_there_is(query):
    legend = shown(query.legend)

    assert complaints(put(query.expr, VALUES), KNOWN, shown=legend) == []


def test_a_panel_that_names_a_metric_which_there_is_not_fails_the_build():
    wrong = put('sum(rate(replyby_polled_total{job=~"$job"}[$__rate_interval]))', VALUES)

    assert complaints(wrong, KNOWN) == ["no metric replyby_polled_total; replyby_polls_total?"]


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: f"{q.dashboard}/{q.panel}/{q.ref}")
def test_each_rate_has_grafanas_window_and_each_series_the_chosen_job(query):
    windows = re.findall(r"\b(?:rate|irate|increase|changes)\([^\[]*\[([^\]]+)\]", query.expr)

    assert set(windows) <= ({"$__range"} if query.once else {"$__rate_interval"})
    own = [n for n in metrics(put(query.expr, VALUES)) if n.startswith(("replyby_", "process_"))]
    assert query.expr.count('job=~"$job"') >= len(own)


@pytest.mark.parametrize("case", PANELS, ids=titled)
def test_each_panel_says_what_it_shows_in_which_unit_and_asks_the_chosen_source(case):
    _, panel = case
    source = {"type": "prometheus", "uid": "${datasource}"}

    assert len(panel["description"]) > 20
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["datasource"] == source
    assert panel["targets"] != []
    assert all(target["datasource"] == source for target in panel["targets"])


@pytest.mark.parametrize("name", SHIPPED)
def test_no_source_stands_in_the_file_itself_and_variables_ask_for_what_there_is(name):
    content = SHIPPED[name]
    text = (FOLDER / f"{name}.json").read_text()
    variables = {v["name"]: v for v in content["templating"]["list"]}

    assert set(re.findall(r'"uid": "([^"]+)"', text)) == {"${datasource}", content["uid"]}
    assert list(variables)[:4] == ["datasource", "job", "marketplace", "account"]
    for variable in variables.values():
        if variable["type"] == "query":
            inner, label = re.fullmatch(
                r"label_values\((.*), (\w+)\)", variable["query"]["query"]
            ).groups()
            assert label in KNOWN[next(iter(metrics(put(inner, VALUES))))].labels | {
                "job", "instance",
            }  # fmt: skip
    used = {found[0] or found[1] for found in re.findall(r"\$\{(\w+)\}|\$(\w+)", text)}
    assert used - {"__rate_interval", "__range", "__all"} <= set(variables)


@pytest.mark.parametrize("name", SHIPPED)
def test_marks_ask_for_what_there_is(name):
    for note in SHIPPED[name]["annotations"]["list"]:
        said = complaints(put(note["expr"], VALUES), KNOWN, shown=shown(note["titleFormat"]))
        assert said == [], note["name"]


@pytest.mark.parametrize("name", SHIPPED)
def test_panels_have_places_and_numbers_of_their_own(name):
    taken = {}
    for panel in SHIPPED[name]["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
    numbers = [panel["id"] for panel in SHIPPED[name]["panels"]]
    assert len(set(numbers)) == len(numbers)
    titles = [panel["title"] for panel in panels(SHIPPED[name])]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("case", PANELS, ids=titled)
def test_each_panel_leads_to_a_heading_of_the_runbook(case):
    text = (ROOT / "docs" / "runbook.md").read_text()
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }

    for link in case[1]["links"]:
        base, _, heading = link["url"].partition("#")
        assert base == "${runbook}"
        assert heading in headings, case[1]["title"]


def test_instants_that_stand_for_none_or_never_are_left_out():
    for query in QUERIES:
        for metric in metrics(put(query.expr, VALUES)):
            if not metric.endswith("_timestamp_seconds") or "time() >" in query.expr:
                continue
            bounded = re.search(r"[<>] (Inf|0)|_configured", query.expr)  # "never" is mapped
            assert bounded, (query.panel, query.expr)


def test_where_accounts_are_too_many_for_a_label_a_chosen_ones_panels_are_not_empty():
    """A process's counters then carry no account; what is read from the database keeps it."""
    for query in QUERIES:
        found = [KNOWN[name] for name in metrics(put(query.expr, VALUES))]
        hidden = [m for m in found if "account" in m.labels and not m.everywhere]
        kept = [m for m in found if "account" in m.labels and m.everywhere]
        assert ('account=~"$account|"' in query.expr) == bool(hidden), query
        assert ('account=~"$account"' in query.expr) == bool(kept), query
        assert not (hidden and "account" in shown(query.legend)), query


def test_a_windows_variables_are_grafanas():
    span = Span(end=1000, length=6 * 3600, scrape=15)

    assert span.step() == 27
    assert span.step(least=60) == 60
    assert span.values(15)["__rate_interval"] == "60000ms"
    assert span.values(60)["__rate_interval"] == "75000ms"
    assert span.values(60)["__range"] == "21600s"
    assert put("a[$__rate_interval] $job ${job}", {"__rate_interval": "1m", "job": "x"}) == (
        "a[1m] x x"
    )
    with pytest.raises(KeyError):
        put("$nobody", {})
    assert [seconds(text) for text in ("", "30s", "2m", "14d")] == [0, 30, 120, 14 * 86400]


def test_what_grafana_is_given_at_its_start_fits_the_dashboards():
    folder = FOLDER.parent / "provisioning"
    source = yaml.safe_load((folder / "datasources" / "prometheus.yaml").read_text())
    provider = yaml.safe_load((folder / "dashboards" / "replyby.yaml").read_text())

    assert [s["type"] for s in source["datasources"]] == ["prometheus"]
    assert source["datasources"][0]["jsonData"]["timeInterval"] == "15s"
    assert provider["providers"][0]["options"]["path"] == "/etc/grafana/dashboards"
