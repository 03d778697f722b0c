"""Every panel of every dashboard shows something, at a daemon and a Prometheus that are real.

First while all is well, then while a marketplace is away, another asks to wait, one account is
muted, a receiver of notices does not answer, and an operator that goes by the mean reply time saw a
reply: then also those that are rightly empty before.
"""

from __future__ import annotations

import json
import signal
import socket
import time
from contextlib import ExitStack

import pytest

from deploy.grafana.__main__ import FOLDER
from deploy.grafana.asking import CALM, Refused, amiss, now, silent
from deploy.grafana.panels import Span, dashboards
from deploy.grafana.pictures.stage import Stage

pytestmark = [pytest.mark.needs("prometheus"), pytest.mark.timeout(300)]

PATIENCE = 120
DEAF = """
[notifiers.deaf]
kind = "webhook"
url = "file:{url}"
allow_private = true
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    with ExitStack() as stack:
        made = Stage(tmp_path_factory.mktemp("stage"), stack, scrape=1)
        made.start()
        yield made


def seen(stage, wanted):
    """What *wanted* makes of the silent queries, once it is nothing, or as it is at the end."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        stage.lives()
        try:
            span = Span(now(stage.prometheus), 60, 1)
        except (OSError, Refused):  # it is not ready yet
            time.sleep(0.2)
            continue
        left = wanted(silent(stage.prometheus, dashboards(FOLDER), span))
        if not left:
            break
        time.sleep(0.5)
    return left


def test_while_all_is_well_only_those_are_empty_that_say_why(stage):
    assert seen(stage, amiss) == []


@pytest.fixture
def deaf():
    """An address that is taken, and where nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"


def tell(stage, address):
    """Have the desk's notices sent to *address* too."""
    url = stage.place / "deaf.url"
    url.write_text(address)
    text = stage.settings.read_text()
    before, desk, after = text.partition("[routes.desk]")
    assert desk
    after = after.replace('["log"]', '["log", "deaf"]', 1)
    stage.settings.write_text(before + desk + after + DEAF.format(url=url))
    stage.daemon.send_signal(signal.SIGHUP)


def answer(stage, promise):
    """Answer from here whoever waits by this promise."""
    until = time.monotonic() + PATIENCE
    waiting = []
    while not waiting and time.monotonic() < until:
        stage.lives()
        listed = json.loads(stage.replyby("threads", "--json") or "[]")
        waiting = [each for each in listed if each["promise"] == promise]
    assert waiting
    for each in waiting:
        stage.replyby("reply", each["account"], each["thread"], "--text", "It is on its way.")


def test_what_is_empty_while_all_is_well_shows_what_is_not(stage, deaf):
    tell(stage, deaf)
    stage.fail("bestbuy", 3600, status=503)
    stage.fail("mediamarkt-de", 3600, status=429, retry_after=300)
    stage.replyby("mute", "shop-phone", "--until", "2h")
    answer(stage, "mirakl-pccomponentes")

    def still(queries):
        return [q for q in queries if (q.dashboard, q.panel) in CALM]

    assert seen(stage, still) == []
