"""The daemon, PostgreSQL, Prometheus and Alertmanager as they are shipped: who is woken by what.

Each trouble is made for real and mended again; who hears of it, and who hears that it is over, is
written down at the receivers. Nobody may hear of anything else.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.acceptance import market
from tests.acceptance.beside import Beside
from tests.acceptance.hostclock import Clock
from tests.acceptance.postgres import postgres_at
from tests.acceptance.receiver import received
from tests.acceptance.shop import ROOT, shop_at
from tests.deploy.towers import Receiver, alertmanager, prometheus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from connectors.mirakl.sandbox.inbox import Thread
    from connectors.mirakl.sandbox.server import Sandbox
    from tests.acceptance.postgres import Postgres
    from tests.acceptance.shop import Shop
    from tests.deploy.towers import Prometheus, Told

pytestmark = [
    pytest.mark.serial,
    pytest.mark.timeout(400),
    pytest.mark.needs("prometheus", "promtool", "prometheus-alertmanager", "faketime"),
]

PROMISE, EVERY = "30s", "10s"
"""A buyer is to be answered within, and how often the marketplace is read."""
PACE = 12
"""So many times shorter are the waits of rules; a blind account is looked for as often as ever."""
HOUR = 3600
PATIENCE = 120
"""Seconds for who is told to hear of it; how long it took is written down."""
QUIET = 3.0
"""Seconds in which nobody else may hear of anything."""
ON_CALL, DESK, DEADMAN = "on-call", "desk", "deadman"
WATCHDOG = "Watchdog"
LOG = ROOT / "artefacts" / "operations.log"
"""Who was told of what, and when: kept after the run, by CI too."""


class Heard(NamedTuple):
    """Who was told of which alert, whether it is ``firing`` or ``resolved``, in which words."""

    receiver: str
    alert: str
    status: str
    summary: str


def heard(told: Told) -> Iterator[Heard]:
    """The alerts of a message: of a webhook's, and of a chat's by its title."""
    for alert in told.alerts:
        name, said = alert["labels"]["alertname"], alert["annotations"].get("summary", "")
        yield Heard(told.place, name.removeprefix("ReplyBy"), alert["status"], said)
    for part in told.payload.get("attachments", ()):
        name = part["title"].removesuffix(": over").rpartition(" of ")[2].split()[0]
        status = "resolved" if part["title"].endswith(": over") else "firing"
        yield Heard(told.place, name.removeprefix("ReplyBy"), status, part["text"].splitlines()[0])


@dataclass(slots=True)
class Town:
    """Everything that an ops team runs, and the marketplace."""

    beside: Beside
    sandbox: Sandbox
    server: Postgres
    clock: Clock
    shop: Shop
    receiver: Receiver
    asked: Prometheus
    log: list[str]
    began: float

    def buyer_writes(self, operator: str = "alpha") -> Thread:
        async def opened() -> Thread:
            return market.shop(self.sandbox, operator).open_thread("Where is my parcel?")

        return self.beside.run(opened())

    def shop_answers(self, thread: Thread) -> None:
        async def answered() -> None:
            thread.shop_answers("It leaves the house today.")

        self.beside.run(answered())

    def goes_wrong(self, kind: str, **how: object) -> int:
        async def ordered() -> int:
            return self.sandbox.faults.order(kind, **how)

        return self.beside.run(ordered())

    def mended(self, fault: int) -> None:
        async def lifted() -> None:
            self.sandbox.faults.lift(fault)

        self.beside.run(lifted())

    def told(self, since: int = 0) -> list[Heard]:
        """What was told, but for the Watchdog."""
        messages = self.receiver.told()[since:]
        found = [one for message in messages for one in heard(message)]
        return [one for one in found if one.alert != WATCHDOG]

    def hears(self, *told: tuple[str, str], amid: Callable[[], object]) -> None:
        """Let *amid* make a trouble: exactly these receivers hear of exactly these alerts."""
        since = self._note("trouble")
        amid()
        self._until(lambda: set(told) <= self._of("firing", since), f"{told} firing")
        time.sleep(QUIET)
        assert self._of("firing", since) == set(told), self.said()

    def hears_the_end(self, *told: tuple[str, str], after: Callable[[], object]) -> None:
        """Let *after* mend it: the same hear that it is over, and nothing fires any more."""
        since = self._note("mended")
        after()
        self._until(lambda: set(told) <= self._of("resolved", since), f"{told} resolved")
        self.is_calm()
        assert self._of("resolved", since) == set(told), self.said()
        # What another held back may be heard of for a moment, hurried as these waits are.
        assert self._of("firing", since) <= set(told), self.said()

    def is_calm(self) -> None:
        """Wait until no alert is true, nor nearly so."""
        self._until(lambda: self._alerts() == {WATCHDOG}, "calm")

    def said(self) -> str:
        """All that was told, in its order."""
        lines = [
            f"{one.receiver:8} {one.status:8} {one.alert}: {one.summary}" for one in self.told()
        ]
        return "\n".join([*self.log, "", *lines])

    def _note(self, what: str) -> int:
        self.log.append(f"{time.monotonic() - self.began:6.1f} s  {what}")
        return len(self.receiver.told())

    def _of(self, status: str, since: int) -> set[tuple[str, str]]:
        return {(one.receiver, one.alert) for one in self.told(since) if one.status == status}

    def _alerts(self) -> set[str]:
        return {one["labels"]["alertname"].removeprefix("ReplyBy") for one in self.asked.alerts()}

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        began = time.monotonic()
        while not holds():
            took = time.monotonic() - began
            assert took < PATIENCE, (
                f"{what}\n{self.said()}\nnow: {self._alerts()}\n{self.shop.log()[-3000:]}"
            )
            time.sleep(0.2)
        took = time.monotonic() - began
        self.log.append(f"{time.monotonic() - self.began:6.1f} s  {what}, after {took:.1f} s")


@pytest.fixture(scope="module")
def town(long_place: Path) -> Iterator[Town]:
    place = long_place / "operations"
    place.mkdir()
    clock = Clock(place)
    with ExitStack() as stack:
        server = stack.enter_context(postgres_at(place))
        beside = stack.enter_context(Beside())
        sandbox = beside.enter(market.opened("alpha", "beta", "gamma"))
        hook = beside.enter(received())
        told = market.settings(sandbox, dsn="env:TEST_DSN", promise=PROMISE, every=EVERY)
        told = told.replace("policies = []\n", "")  # the marketplace's own contracts, too
        told = told.replace('["50%", "75%"]', '["25%", "50%"]')
        shop = stack.enter_context(shop_at(place, told))
        shop.environ.update(market.environ(sandbox, hook.url), TEST_DSN=server.dsn())
        shop.start()
        shop.until(lambda: _is_read(shop), 60)
        receiver = stack.enter_context(Receiver())
        manager = stack.enter_context(
            alertmanager(place / "alertmanager", receiver, wait="1s", again="2s")
        )
        targets = {"replyby": [f"127.0.0.1:{shop.port}"]}
        asked = stack.enter_context(
            prometheus(place / "prometheus", targets, manager, every="1s", pace=PACE, most=HOUR)
        )
        began = time.monotonic()
        found = Town(beside, sandbox, server, clock, shop, receiver, asked, [], began)
        yield found
        LOG.parent.mkdir(exist_ok=True)
        LOG.write_text(found.said() + "\n")


def _is_read(shop: Shop) -> bool:
    names = ("alpha", "beta", "gamma")
    read = "replyby_poll_last_success_timestamp_seconds"
    return all(shop.total(read, marketplace=name, account=name) > 0 for name in names)


def test_while_all_is_well_nobody_hears_but_the_dead_mans_switch(town: Town) -> None:
    town.receiver.until(lambda told: told.place == DEADMAN)
    town.is_calm()
    time.sleep(QUIET)

    assert town.told() == []
    assert {told.place for told in town.receiver.told()} == {DEADMAN}


def test_what_is_scraped_is_in_order(town: Town) -> None:
    told = subprocess.run(
        ["promtool", "check", "metrics"],
        input=town.shop.get("/metrics")[1], text=True, capture_output=True, check=False,
    )  # fmt: skip

    assert (told.returncode, told.stdout + told.stderr) == (0, "")


def test_three_accounts_in_trouble_are_three_troubles(town: Town) -> None:
    """A marketplace that never answers, a key that is refused, a buyer whom nobody answers."""
    faults: list[int] = []
    threads: list[Thread] = []
    told = (
        (ON_CALL, "AccountBlind"),
        (ON_CALL, "AccountAuthFailed"),
        (DESK, "DeadlineImminent"),
        (ON_CALL, "ReplyOverdue"),
    )

    def trouble() -> None:
        faults.append(town.goes_wrong("drip", path="/alpha/*"))
        faults.append(town.goes_wrong("status", path="/beta/*", status=401))
        threads.append(town.buyer_writes("gamma"))

    def mend() -> None:
        for fault in faults:
            town.mended(fault)
        town.shop_answers(threads[0])
        answer = town.shop.command("check")  # an account that is well again is read at once
        assert answer.returncode == 0, answer.stdout + answer.stderr

    town.hears(*told, amid=trouble)
    summaries = [one.summary for one in town.told() if one.alert == "AccountBlind"]
    assert summaries[0].startswith(("alpha/alpha: blind for ", "beta/beta: blind for "))
    assert all("messages unseen, earliest possible breach 20" in one for one in summaries)
    summaries = [one.summary for one in town.told() if one.alert == "ReplyOverdue"]
    assert summaries == ["gamma/gamma: 1 waiting past the reply deadline"]
    town.hears_the_end(*told, after=mend)


def test_a_stopped_database_is_one_alert_and_hides_what_follows_from_it(town: Town) -> None:
    town.hears((ON_CALL, "DatabaseDown"), amid=town.server.stop)
    town.hears_the_end((ON_CALL, "DatabaseDown"), after=town.server.start)


def test_a_daemon_that_hangs_or_is_killed_is_heard_of(town: Town) -> None:
    """A process that stands still answers no scrape: to who looks from outside it hangs."""
    daemon, told = town.shop.daemon, (ON_CALL, "MetricsAbsent")
    assert daemon is not None

    town.hears(told, amid=lambda: os.kill(daemon.pid, signal.SIGSTOP))
    town.hears_the_end(told, after=lambda: os.kill(daemon.pid, signal.SIGCONT))
    town.hears(told, amid=town.shop.kill)
    town.hears_the_end(told, after=town.shop.start)


def test_a_host_clock_that_jumps_either_way_is_heard_of(town: Town) -> None:
    town.shop.stop()
    town.shop.environ.update(town.clock.environ)
    town.shop.start()
    town.is_calm()
    told = (ON_CALL, "HostClockUnsure")

    town.hears(told, amid=lambda: town.clock.jump(HOUR))
    town.hears_the_end(told, after=lambda: town.clock.jump(0))
    town.hears(told, amid=lambda: town.clock.jump(-HOUR))
