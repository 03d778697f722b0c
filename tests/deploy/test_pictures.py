"""What the panels ask is asked of a real Prometheus, and drawn in a real browser."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import time
from http.client import HTTPConnection

import pytest

from deploy.grafana.__main__ import FOLDER
from deploy.grafana.asking import CALM, Answer, Refused, Series, amiss, answers, now, silent
from deploy.grafana.panels import Span, asked, dashboards, panels
from deploy.grafana.pictures.__main__ import HERE, content, painted

SHIPPED = dashboards(FOLDER)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    """Debian's, with nothing to scrape."""
    place = tmp_path_factory.mktemp("prometheus")
    (place / "prometheus.yml").write_text("{}")
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port = tried.getsockname()[1]
    process = subprocess.Popen(
        ["prometheus", f"--config.file={place}/prometheus.yml", f"--storage.tsdb.path={place}/tsdb",
         f"--web.listen-address=127.0.0.1:{port}"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not ready(port):
            assert process.poll() is None
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def ready(port):
    wire = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        wire.request("GET", "/-/ready")
        return wire.getresponse().status == 200
    except OSError:
        return False
    finally:
        wire.close()


def board(*exprs, once=True, **more):
    target = {"legendFormat": "x", "instant": once}
    found = [{**target, "refId": chr(65 + at), "expr": expr} for at, expr in enumerate(exprs)]
    return {"panels": [{"type": "stat", "title": "One", "targets": found, **more}]}


@pytest.mark.needs("prometheus")
def test_a_query_that_brings_nothing_is_named_and_what_is_no_number_is_nothing(prometheus):
    span = Span(now(prometheus), 60, 1)
    asks = board("vector(1)", "vector(1) > 2", "vector(1) / 0", "vector(0) / 0", "time()")

    assert [a.ref for a in silent(prometheus, {"one": asks}, span)] == ["B", "C", "D"]
    assert amiss(silent(prometheus, {"one": asks}, span))[0] == "one/One/B: vector(1) > 2"


@pytest.mark.needs("prometheus")
def test_a_range_ends_at_a_whole_step_and_a_panel_may_have_its_own(prometheus):
    span = Span(now(prometheus), 60, 1)
    (minute,) = answers(prometheus, "one", board("vector(1)", once=False), span)
    (days,) = answers(
        prometheus, "one", board("time()", once=False, timeFrom="14d", interval="1d"), span
    )

    assert len(minute.series[0].points) == 61
    assert (days.step, days.span.length) == (86400, 14 * 86400)
    assert [at % 86400 for at, _ in days.series[0].points] == [0] * 15


@pytest.mark.needs("prometheus")
def test_a_query_that_prometheus_refuses_is_told_with_its_reason(prometheus):
    with pytest.raises(Refused, match="parse error"):
        silent(prometheus, {"one": board("sum by (")}, Span(now(prometheus), 60, 1))


@pytest.mark.needs("prometheus")
def test_every_query_can_be_carried_out_and_says_nothing_where_no_process_is(prometheus):
    """A panel that then said 0 would say that all is well."""
    span = Span(now(prometheus), 3600, 15)
    everything = [q for name, shipped in SHIPPED.items() for q in asked(name, shipped)]

    assert silent(prometheus, SHIPPED, span) == everything


def test_what_may_be_empty_is_a_panel_that_there_is_and_says_why():
    known = {(q.dashboard, q.panel, q.ref) for name in SHIPPED for q in asked(name, SHIPPED[name])}

    assert {(*where, ref) for where, (refs, _) in CALM.items() for ref in refs} <= known
    assert all(reason.startswith("only ") for _, reason in CALM.values())


@pytest.mark.needs("chromium")
def test_each_panel_is_drawn_with_its_title_and_what_its_queries_brought(tmp_path):
    span = Span(1_700_000_000, 600, 15)
    drawn = {name: content(shipped, invented(name, shipped, span), [], span)
             for name, shipped in SHIPPED.items()}  # fmt: skip

    texts = painted(drawn, tmp_path)

    for name, shipped in SHIPPED.items():
        raw = (tmp_path / f"{name}.png").read_bytes()
        assert raw[:8] == b"\x89PNG\r\n\x1a\n"
        assert raw[25] == 3, "a palette keeps the file small"
        for panel in panels(shipped):
            assert panel["title"] in texts[name]
    assert "some-account" in texts["ingestion"]
    assert "4.2 mins" in texts["deadlines"]
    assert "No data" not in texts["engine"]


def invented(name, shipped, span):
    """A series for each query, at 252 throughout: what a page needs to draw."""
    for query in asked(name, shipped):
        step = span.step(15)
        points = [(span.end // step * step - step * at, 252.0) for at in range(20, -1, -1)]
        labels = {"marketplace": "some", "account": "some-account", "le": "1", "alertname": "A"}
        yield Answer(query, step, span, (Series(labels, tuple(points)),))


def test_the_library_that_draws_is_the_published_one():
    lines = (HERE / "NOTICE.txt").read_text().splitlines()
    sums = dict(reversed(line.split()) for line in lines if line.endswith((".js", ".css", "SE")))

    assert sorted(sums) == ["uPlot.LICENSE", "uPlot.iife.min.js", "uPlot.min.css"]
    for name, wanted in sums.items():
        assert hashlib.sha256((HERE / name).read_bytes()).hexdigest() == wanted
