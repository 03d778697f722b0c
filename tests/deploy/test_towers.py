"""From an exporter to the one who is woken: the shipped rules and routes in the real programs."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import prometheus_client
import pytest

from core.measuring import fleet
from core.measuring.facts import Clocks, Counted, Names, Promised, Snapshot
from core.metrics import Metrics
from tests.deploy.towers import Receiver, alertmanager, prometheus, wait

NAMES = Names(accounts=(("shop", "shop-de"),), notifiers=("chat",))


def page(overdue):
    """What a daemon would tell with so many overdue clocks."""
    metrics = Metrics()
    metrics.declare(NAMES)
    metrics.built("1", "unknown")
    clocks = {"shop-de": Clocks(bands=(0, 0, 0, overdue))}
    stored = fleet.write(
        NAMES, Promised(), metrics.account_gauges, Snapshot(counted=Counted(clocks, at=1)),
        open_metrics=False,
    )  # fmt: skip
    return prometheus_client.generate_latest(metrics.registry) + "".join(stored).encode()


@contextmanager
def exporter(pages):
    """Something that tells what stands in *pages* last, at a port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(pages[-1])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.needs("prometheus", "prometheus-alertmanager")
def test_two_daemons_tell_of_a_breach_once_and_its_end_is_told(tmp_path):
    pages = [page(0)]
    with (
        Receiver() as heard,
        alertmanager(tmp_path / "alertmanager", heard) as manager,
        exporter(pages) as one,
        exporter(pages) as two,
        prometheus(tmp_path / "prometheus", {"replyby": [one, two]}, manager) as asked,
    ):
        asked.until('count(up{job="replyby"} == 1) == 2')
        heard.until(lambda told: told.names() == {"ReplyByWatchdog"})
        pages.append(page(3))

        woken = heard.until(lambda told: told.names() == {"ReplyByReplyOverdue"})
        pages.append(page(0))
        heard.until(lambda told: told.status == "resolved")

        assert asked.query("count(replyby_open_clocks)") == [({}, 8)]
    assert woken.place == "on-call"
    (alert,) = woken.alerts
    assert alert["labels"]["account"] == "shop-de"
    assert alert["annotations"] == {
        "summary": "shop/shop-de: 3 waiting past the reply deadline",
        "runbook": "docs/runbook.md#replybyreplyoverdue",
    }


@pytest.mark.needs("prometheus", "prometheus-alertmanager")
def test_where_no_daemon_is_heard_of_only_that_is_told(tmp_path):
    with exporter([b""]) as gone:
        pass
    with (
        Receiver() as heard,
        alertmanager(tmp_path / "alertmanager", heard) as manager,
        prometheus(tmp_path / "prometheus", {"replyby": [gone]}, manager) as asked,
    ):
        woken = heard.until(lambda told: "ReplyByMetricsAbsent" in told.names())
        asked.until('ALERTS{alertname="ReplyByTargetDown",alertstate="firing"}')

        assert woken.place == "on-call"
        wait(lambda: "ReplyByTargetDown" in states(manager))
        assert states(manager)["ReplyByTargetDown"] == "suppressed"
        assert states(manager)["ReplyByWatchdog"] == "active"


def states(manager):
    return {one["labels"]["alertname"]: one["status"]["state"] for one in manager.alerts()}
