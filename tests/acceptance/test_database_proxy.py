"""The database behind a bad network: away, slow, mute, cutting in mid-sentence."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from core import loops
from tests.acceptance.beside import Beside
from tests.acceptance.journey import journey_at
from tests.acceptance.postgres import postgres_at
from tests.acceptance.proxy import Cut, Proxy, proxied

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from tests.acceptance.journey import Journey
    from tests.acceptance.postgres import Postgres

pytestmark = [pytest.mark.paired, pytest.mark.timeout(300)]

RECOVERS = loops.LONGEST_WAIT + 10
"""Seconds: the longest backoff, and a round on a busy machine."""


@pytest.fixture
def server(place) -> Iterator[Postgres]:
    with postgres_at(place) as found:
        yield found


@pytest.fixture
def beside() -> Iterator[Beside]:
    with Beside() as found:
        yield found


@pytest.fixture
def do(beside) -> Callable[[Coroutine[object, object, None]], None]:
    """Run what the proxy is to do where the proxy runs."""
    return beside.run


@pytest.fixture
def proxy(beside, server) -> Proxy:
    return beside.enter(proxied(server.port))


@pytest.fixture
def ready(place, server, proxy) -> Iterator[Journey]:
    with journey_at(place, dsn="env:TEST_DSN", server=server) as found:
        found.shop.environ["TEST_DSN"] = server.dsn(proxy.port)
        found.shop.start()
        yield found


@pytest.fixture
def journey(ready) -> Journey:
    ready.go_on()
    return ready


def reason(journey: Journey) -> str:
    """Why it is not ready; empty when it is."""
    status, text = journey.shop.get("/readyz")
    return "" if status == 200 else text


def said(journey: Journey) -> Counter[tuple[str, str]]:
    """How often each loop said what, above `info`."""
    lines = (line for line in journey.shop.log().splitlines() if line.startswith("{"))
    told = (line for line in map(json.loads, lines) if line["level"] != "info")
    return Counter((line.get("loop", ""), line["event"]) for line in told)


def stays_away(journey: Journey, seconds: float, why: str = "database: ") -> None:
    """For so long it is alive, not ready, and says *why*."""
    journey.shop.until(lambda: reason(journey).startswith(why), 10)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert journey.shop.get("/livez") == (200, "alive\n")
        assert reason(journey).startswith(why)
        time.sleep(0.5)


def recovered(journey: Journey, within: float = RECOVERS) -> str:
    """How many seconds it took until it was ready, and until something new was told."""
    began = time.monotonic()
    journey.shop.until(lambda: not reason(journey), within)
    ready = time.monotonic() - began
    journey.seconds_until_told(within)
    return f"{ready:.1f}, {time.monotonic() - began:.1f}"


def stopped_in_time(journey: Journey) -> float:
    """Seconds that a polite end takes."""
    daemon = journey.shop.daemon
    assert daemon is not None
    began = time.monotonic()
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(10) == 0, journey.shop.log()[-2000:]
    seconds = time.monotonic() - began
    assert seconds < 5
    assert "Traceback" not in journey.shop.log()
    return round(seconds, 1)


@pytest.mark.timeout(1800)
def test_a_database_that_is_away_is_waited_for_and_nothing_is_lost(
    journey, proxy, do, tell, long_form
):
    away = 600 if long_form else 20
    counted, before = journey.counters(), said(journey)

    do(proxy.close())
    stays_away(journey, away)
    assert journey.shop.total("replyby_database_up") == 0
    meanwhile = said(journey) - before
    do(proxy.open())
    seconds = recovered(journey)
    journey.settle()

    assert max(meanwhile.values()) <= 5, meanwhile  # a slot each, and not a line each second
    journey.agree(counted)
    assert journey.told_twice() == {}
    tell("seconds away", away)
    tell("lines of the log meanwhile", meanwhile.total())
    tell("seconds until ready, until told", seconds)


@pytest.mark.timeout(1800)
def test_a_mute_database_is_as_good_as_away(journey, proxy, do, tell, long_form):
    """Half-open: connections are taken and stay, and nothing is ever answered."""
    away = 600 if long_form else 20
    counted, before = journey.counters(), said(journey)

    do(proxy.mute())
    stays_away(journey, away)
    meanwhile = said(journey) - before
    do(proxy.drop())  # as the network's own reset, when it comes back
    do(proxy.speak())
    seconds = recovered(journey)
    journey.settle()

    assert max(meanwhile.values(), default=0) <= 5, meanwhile
    journey.agree(counted)
    assert journey.told_twice() == {}
    tell("seconds mute", away)
    tell("seconds until ready, until told", seconds)


def test_a_slow_database_makes_it_late_and_nothing_else(journey, proxy, do, tell, long_form):
    counted = journey.counters()

    proxy.pace = 2.0
    time.sleep(120 if long_form else 15)
    assert journey.shop.get("/livez") == (200, "alive\n")
    proxy.pace = 0.0
    seconds = recovered(journey)
    journey.settle()

    journey.agree(counted)
    assert journey.told_twice() == {}
    tell("seconds until ready, until told", seconds)


WRITES = r'(?i)(copy|insert into) "?{}"?\b'
STATEMENTS = {
    "claims of streams": "update stream s",
    "messages": WRITES.format("message"),
    "clocks": WRITES.format("clock"),
    "steps and notices": WRITES.format("dispatch"),
    "claims of dispatches": "update dispatch d set attempts",
    "what was sent": "update dispatch d set sent_at",
}


@pytest.mark.parametrize("when", ["amid", "before", "after"])
def test_a_connection_cut_in_a_transaction_loses_and_doubles_nothing(
    journey, proxy, do, tell, long_form, when
):
    counted = journey.counters()
    for _ in range(8 if long_form else 1):
        for having in STATEMENTS.values():
            cut = Cut(when, having)
            do(proxy.order(cut))
            journey.shop.until(lambda cut=cut: cut.done, 20)
    journey.settle()

    journey.agree(counted)
    assert journey.told_twice() == {}
    assert not reason(journey)


@pytest.mark.parametrize("how", ["away", "mute", "slow", "cut"])
def test_it_stops_in_time_whatever_the_database_does(ready, proxy, do, tell, how):
    if how == "away":
        do(proxy.close())
    elif how == "mute":
        do(proxy.mute())
    elif how == "slow":
        proxy.pace = 2.0
    else:
        for having in STATEMENTS.values():
            do(proxy.order(Cut("after", having)))
    time.sleep(3)

    tell("seconds", stopped_in_time(ready))
