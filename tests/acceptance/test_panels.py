"""Every panel of every dashboard shows something, at a daemon and a Prometheus that are real.

First while all is well, then while a marketplace is away, another asks to wait, and one account is
muted: then also those that are rightly empty before.
"""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest

from deploy.grafana.__main__ import FOLDER
from deploy.grafana.asking import CALM, Refused, amiss, now, silent
from deploy.grafana.panels import Span, dashboards
from deploy.grafana.pictures.stage import Stage

pytestmark = [pytest.mark.needs("prometheus"), pytest.mark.timeout(300)]

PATIENCE = 120
FLEETING = {("engine", "What waits"), ("deadlines", "Contracts by mean")}
"""A notice waits for a moment; a contract by a mean shows where somebody was answered."""


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


def test_what_is_empty_while_all_is_well_shows_what_is_not(stage):
    stage.fail("bestbuy", 3600, status=503)
    stage.fail("mediamarkt-de", 3600, status=429, retry_after=300)
    stage.replyby("mute", "shop-phone", "--until", "2h")
    stirred = set(CALM) - FLEETING

    def still(queries):
        return [q for q in queries if (q.dashboard, q.panel) in stirred]

    assert seen(stage, still) == []
