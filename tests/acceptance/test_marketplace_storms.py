"""A marketplace at its worst, in every way at once: nothing is lost, and the others go on."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from core.labels import OUTCOMES
from core.loops import utcnow
from tests.acceptance import market
from tests.acceptance.beside import Beside
from tests.acceptance.ledger import Ledger
from tests.acceptance.receiver import received
from tests.acceptance.shop import shop_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from connectors.mirakl.sandbox.server import Sandbox
    from tests.acceptance.shop import Shop

pytestmark = [pytest.mark.serial, pytest.mark.timeout(900)]

CALM = "calm"
PAUSE = 0.2
"""Seconds between two messages at the marketplace that is well."""
PACE = 150
"""Messages a second that are read at least when it is over, the stand-ins' time with it."""
FLOOR = 0.6
"""Seconds of lag that are no matter: half the poll interval, and a moment."""


@dataclass(frozen=True, slots=True)
class Storm:
    """What goes wrong at a marketplace: a fault, and what `polls` must say of it."""

    outcome: str
    kind: str
    how: dict[str, Any] = field(default_factory=dict)


STORMS = {
    "asks-to-wait": Storm("throttled", "status", {"status": 429, "retry_after": 2}),
    "asks-for-more": Storm("throttled", "status", {"status": 429, "retry_after": 20}),
    "too-many": Storm("throttled", "status", {"status": 429}),
    "breaks": Storm("server_error", "status", {"status": 500}),
    "resets": Storm("network", "reset"),
    "drops": Storm("network", "drop"),
    "truncates": Storm("parse_error", "truncated"),
    "repeats": Storm("success", "duplicate"),
    "swaps": Storm("success", "swapped"),
    "circles": Storm("parse_error", "circle"),
    "drips": Storm("timeout", "drip", {"delay": 0.2}),
    "drips-too": Storm("timeout", "drip", {"delay": 0.2}),
    **{f"silent-{n}": Storm("timeout", "slow", {"delay": 33}) for n in range(6)},
    "floods": Storm("parse_error", "endless", {"count": 3}),
    "swells": Storm("success", "huge", {"size": 10_000_000}),
}
HARMLESS = {name for name, storm in STORMS.items() if storm.outcome == "success"}


@dataclass(slots=True)
class Bay:
    """A market with a calm operator and stormy ones, and the daemon that reads them all."""

    beside: Beside
    sandbox: Sandbox
    shop: Shop
    ledger: Ledger
    writing: asyncio.Task[None] | None = None
    before: dict[str, float] = field(default_factory=dict)
    """How many walks had ended as the storm has them end, when it was ordered."""

    def write(self, operators: list[str], threads: int) -> None:
        """Buyers open so many threads at each of *operators*."""

        async def opened() -> None:
            for name in operators:
                for n in range(threads):
                    market.shop(self.sandbox, name).open_thread(f"Where is it? {n}")
                    await asyncio.sleep(0)

        self.beside.run(opened())

    def begin_to_write(self) -> None:
        """From now on a buyer writes to the calm operator every `PAUSE` seconds."""

        async def writes() -> None:
            while True:
                market.shop(self.sandbox, CALM).open_thread("Where is it?")
                await asyncio.sleep(PAUSE)

        async def begun() -> asyncio.Task[None]:
            return asyncio.create_task(writes())

        self.writing = self.beside.run(begun())

    def end_writing(self) -> None:
        async def ended() -> None:
            if self.writing is not None:
                self.writing.cancel()
                await asyncio.wait([self.writing])

        self.beside.run(ended())

    def order(self) -> None:
        """Let each marketplace have its storm."""
        self.before = {name: self.polls(name, storm.outcome) for name, storm in STORMS.items()}

        async def ordered() -> None:
            for name, storm in STORMS.items():
                path = f"/{name}/api/*"
                self.sandbox.faults.order(storm.kind, path=path, **storm.how)

        self.beside.run(ordered())

    def lift(self) -> None:
        async def lifted() -> None:
            self.sandbox.faults.lift()

        self.beside.run(lifted())

    def unread(self) -> set[str]:
        return market.messages(self.sandbox) - self.ledger.stored()

    def uncounted(self) -> list[str]:
        """The storms of which no walk's end tells yet."""
        ended = {name: self.polls(name, storm.outcome) for name, storm in STORMS.items()}
        return [name for name, walks in ended.items() if walks <= self.before[name]]

    def trouble(self, account: str) -> float:
        """How many walks of *account* have not simply ended well."""
        return sum(self.polls(account, word) for word in OUTCOMES if word != "success")

    def polls(self, account: str, outcome: str) -> float:
        return self.shop.total("replyby_polls_total", account=account, outcome=outcome)


@pytest.fixture
def bay(place) -> Iterator[Bay]:
    with ExitStack() as stack:
        beside = stack.enter_context(Beside())
        sandbox = beside.enter(market.opened(CALM, *STORMS))
        receiver = beside.enter(received())
        settings = market.settings(sandbox, promise="4h", overlap="3s")
        shop = stack.enter_context(shop_at(place, settings))
        shop.environ.update(market.environ(sandbox, receiver.url))
        bay = Bay(beside, sandbox, shop, Ledger(beside, place))
        stack.callback(bay.end_writing)
        yield bay


@dataclass(frozen=True, slots=True)
class Phase:
    """A time with its *walks* of the calm account in each second."""

    begun: datetime
    ended: datetime
    walks: float

    @property
    def interval(self) -> float:
        """Seconds from one walk to the next."""
        return 1 / self.walks


def phase(bay: Bay, seconds: float) -> Phase:
    """Let *seconds* pass, and look at the calm account."""
    begun, walked = utcnow(), bay.polls(CALM, "success")
    time.sleep(seconds)
    ended, walks = utcnow(), bay.polls(CALM, "success") - walked
    return Phase(begun, ended, walks / (ended - begun).total_seconds())


def test_storms_are_counted_by_their_reasons_and_hold_nobody_else_up(bay, long_form, tell):
    """Every marketplace but one has its own bad day, all at the same time."""
    threads, seconds = (2_000, 120) if long_form else (250, 20)
    bay.write([CALM, *STORMS], 5)
    bay.shop.start()
    bay.shop.until(lambda: not bay.unread(), 60)
    bay.begin_to_write()
    before = phase(bay, 10)

    bay.order()
    bay.write(list(STORMS), threads)
    during = phase(bay, seconds)
    bay.shop.until(lambda: not HARMLESS.intersection(bay.uncounted()), 60)
    assert [bay.trouble(name) for name in HARMLESS] == [0] * len(HARMLESS)
    bay.lift()
    bay.shop.until(lambda: not bay.uncounted(), 90)
    bay.end_writing()
    bay.shop.until(lambda: not bay.unread(), 60 + threads * len(STORMS) / PACE)

    for name, one in (("before", before), ("in the storm", during)):
        lag = bay.ledger.lags(CALM, one.begun, one.ended)
        tell(f"lag {name}: median, longest", f"{median(lag):.2f} s, {lag[-1]:.2f} s")
        tell(f"seconds between walks {name}", f"{one.interval:.2f}")
    quiet, lags = (bay.ledger.lags(CALM, one.begun, one.ended) for one in (before, during))
    assert median(lags) <= 2 * max(median(quiet), FLOOR)
    assert lags[-1] <= 2 * max(quiet[-1], 2 * FLOOR)
    assert during.interval <= 2 * before.interval
    assert bay.polls(CALM, "success") == bay.shop.total("replyby_polls_total", account=CALM)
