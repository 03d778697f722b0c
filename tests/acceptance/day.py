"""A bad day: a journey with a desk, ended by the books. *REPLYBY_TEST_SEED* repeats its chances."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from core.errors import StoreUnavailable
from core.loops import utcnow
from tests.acceptance import books
from tests.acceptance.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from tests.acceptance.journey import Journey
    from tests.acceptance.shop import Shop

SEED = "REPLYBY_TEST_SEED"
QUIET = 150
"""Seconds within which something is settled: the leases of what was killed have ended by then."""


@dataclass(slots=True, repr=False)
class Day:
    """*others* are shops whose daemons share the database; the journey's own is alive at the end.

    *hook* and *file* count what the readers had been told at each end of a daemon.
    """

    journey: Journey
    desk: Desk
    random: Random
    others: tuple[Shop, ...] = ()
    hook: list[int] = field(default_factory=list)
    file: list[int] = field(default_factory=list)
    settled_at: datetime | None = None

    def begin(self) -> None:
        """Let buyers write, and people answer."""
        self.journey.beside.run(self.journey.traffic.start())
        self.journey.beside.run(self.desk.start())

    def wait_until(self, holds: Callable[[], object], seconds: float) -> bool:
        """Wait in small steps; False when *seconds* have passed."""
        end = time.monotonic() + seconds
        while not holds():
            self.is_alive()
            if time.monotonic() > end:
                return False
            time.sleep(0.002)
        return True

    def until_ready(self) -> None:
        shop = self.journey.shop
        ready = self.wait_until(lambda: shop.get("/readyz")[0] == 200, 30)
        assert ready, shop.log()[-3000:]

    def is_alive(self) -> None:
        """Hold that nobody has ended by itself; somebody is at work."""
        shops = [shop for shop in (self.journey.shop, *self.others) if shop.daemon is not None]
        assert shops
        for shop in shops:
            assert shop.daemon is not None
            assert shop.daemon.poll() is None, shop.log()[-3000:]

    def mark(self) -> None:
        """Note what was told up to the end of the daemon, what was on its way included."""
        time.sleep(0.05)
        heard = self.heard()
        self.hook.append(len(heard["hook"]))
        self.file.append(len(heard["file"]))

    def settle(self) -> None:
        """Let everything come to its end."""
        self.journey.beside.run(self.journey.traffic.stop())
        self.journey.beside.run(self.desk.stop())
        end, before, looked_at = time.monotonic() + QUIET, {}, utcnow()
        while left := self._left():
            self.is_alive()
            if left != before:
                end, before = time.monotonic() + QUIET, left
            assert time.monotonic() < end, (left, self.journey.shop.log()[-3000:])
            time.sleep(0.5)
            looked_at = utcnow()
        self.settled_at = looked_at

    def agrees(self) -> books.Books:
        """Hold the books against everybody."""
        journey, before = self.journey, self.heard()
        assert self.settled_at is not None
        found = journey.beside.run(books.read(journey.address()))
        books.messages_are_stored(found, journey.sandbox)
        books.clocks_are_computed(found, journey.sandbox)
        books.steps_are_told(found)
        books.replies_left_once(found, journey.sandbox, self.desk)
        for notifier, received in self.heard().items():
            earlier = before[notifier]
            books.dispatches_arrived(found, notifier, earlier, received, self.settled_at)
            books.breaches_taken_back(found, notifier, received)
        for shop in (journey.shop, *self.others):
            assert "Traceback" not in shop.log()
        return found

    def heard(self) -> dict[str, list[dict[str, Any]]]:
        """What each notifier brought to its readers, in the order of arrival."""
        file = [told for shop in (self.journey.shop, *self.others) for told in shop.notices()]
        return {"hook": list(self.journey.receiver.told), "file": file}

    def again(self) -> dict[str, list[int]]:
        """By notifier, how many dispatches of each stretch were told again after its end."""
        heard, marks = self.heard(), {"hook": self.hook, "file": self.file}
        return {name: books.repeated(heard[name], marks[name]) for name in heard}

    def _left(self) -> dict[str, int]:
        address, sandbox = self.journey.address(), self.journey.sandbox
        try:
            return self.journey.beside.run(books.still_open(address, sandbox))
        except StoreUnavailable:
            return {"database": 1}


def seed() -> int:
    """What the chances of a day follow from."""
    return int(os.environ.get(SEED, secrets.randbelow(10**9)))


def chances(tell: Callable[[str, object], None]) -> Random:
    """Chances whose seed is told."""
    number = seed()
    tell(f"{SEED} repeats its chances", number)
    return Random(number)


def day_of(journey: Journey, number: int, *others: Shop) -> Iterator[Day]:
    """A day on *journey*, with the chances of *number*."""
    journey.traffic.random = Random(number)
    desk = Desk(journey.traffic, journey.address, random=Random(number + 1))
    try:
        yield Day(journey, desk, Random(number + 2), others)
    finally:
        journey.beside.run(desk.stop())
