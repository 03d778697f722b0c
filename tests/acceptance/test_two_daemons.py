"""Two daemons on one database: one is stopped and goes on, or dies; the other takes over."""

from __future__ import annotations

import signal
import time
from datetime import timedelta
from math import ceil
from statistics import median
from typing import TYPE_CHECKING

import pytest

from core import deliver
from core.ingest import LEASE
from core.loops import utcnow
from tests.acceptance.day import SEED, Day, day_of, seed
from tests.acceptance.fleet import NAMES, fleet_at, no_stream_was_held_by_two

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from tests.acceptance.fleet import Fleet

    Tell = Callable[[str, object], None]

pytestmark = [pytest.mark.serial]

STOPPED = 12.0
AT_ONCE = 3.0
"""Seconds within which a dead one's streams are read, on a busy machine; what it took is told."""
SLOWLY = 0.3
"""Seconds that a receiver takes, so that a stop can fall between its hearing and its answer."""
LEAVING = ceil(SLOWLY / deliver.PATIENCE)
"""So many dispatches are under way to it at once: each begins when the last one took its time."""
LOCKED = 30.0
"""Seconds for which a stopped process keeps its locks."""


@pytest.fixture
def fleet(place) -> Iterator[Fleet]:
    with fleet_at(place) as found:
        yield found


@pytest.fixture
def day(fleet, tell) -> Iterator[Day]:
    number = seed()
    tell(f"{SEED} repeats its chances", number)
    for day in day_of(fleet.journey, number, fleet.shops["one"]):
        for shop in fleet.shops.values():
            shop.start()
        day.begin()
        yield day


def send(fleet: Fleet, who: str, sign: signal.Signals) -> None:
    daemon = fleet.shops[who].daemon
    assert daemon is not None
    daemon.send_signal(sign)


def slow(fleet: Fleet, seconds: float) -> None:
    """Let every walk take this long, so that leases are held when something befalls who holds."""
    fleet.journey.sandbox.faults.lift()
    fleet.journey.sandbox.faults.order("slow", delay=seconds, operation="M11")


def until_it_reads(fleet: Fleet, day: Day, who: str, streams: int) -> set[tuple[str, str]]:
    """Wait until *who* holds so many streams: where all are slow, who has them takes them again."""
    reads = day.wait_until(lambda: len(fleet.held(who)) >= streams, 180)
    assert reads, f"{who} reads nothing: {fleet.shops[who].log()[-5000:]}"
    return fleet.held(who)


def who_reads(fleet: Fleet, day: Day, streams: int) -> tuple[str, str]:
    """Wait until one of them holds so many streams; its name, and the other's.

    Who has room takes what is due at once, all of it: it may well be the same one for long.
    """
    reads: list[str] = []

    def holds() -> bool:
        reads[:] = [who for who in NAMES if len(fleet.held(who)) >= streams]
        return bool(reads)

    assert day.wait_until(holds, 30), "nobody reads anything"
    return reads[0], next(who for who in NAMES if who != reads[0])


def stop(fleet: Fleet, day: Day, who: str, *, amid: bool = False) -> None:
    """Stop *who* while it reads, in the middle of a transaction or not."""
    while True:
        until_it_reads(fleet, day, who, 1)
        time.sleep(day.random.uniform(0, 0.2))
        send(fleet, who, signal.SIGSTOP)
        time.sleep(0.2)  # what it had asked of the database comes to its end
        if fleet.is_amid(who) == amid and fleet.held(who):
            return
        send(fleet, who, signal.SIGCONT)


def stop_in_the_middle_of_telling(fleet: Fleet, day: Day, who: str) -> None:
    """Stop *who* while it reads, and while a receiver has its notice and has not answered yet."""
    receiver = fleet.journey.receiver
    receiver.delay = SLOWLY
    while True:
        told = len(receiver.told)
        assert day.wait_until(lambda n=told: len(receiver.told) > n, 30), "nothing is told"
        send(fleet, who, signal.SIGSTOP)
        key = receiver.told[-1]["key"]
        time.sleep(3)  # the other one would have written down what it told
        if fleet.is_unwritten(key) and fleet.held(who) and not fleet.is_amid(who):
            receiver.delay = 0.0
            return
        send(fleet, who, signal.SIGCONT)
        time.sleep(0.5)


def stop_and_go_on(fleet: Fleet, day: Day, who: str, seconds: float) -> set[tuple[str, str]]:
    """Stop *who* while it reads and tells: nobody has what it holds before the lease has ended.

    Beyond all leases, what was just leaving leaves again, once; the day marks that.
    """
    stop_in_the_middle_of_telling(fleet, day, who)
    if seconds > LEASE.total_seconds():
        day.mark()
    held = fleet.held(who)
    time.sleep(seconds)
    still = fleet.held(who)
    send(fleet, who, signal.SIGCONT)
    assert still == held if seconds < LEASE.total_seconds() else not still
    return held


def cut_off_and_go_on(
    fleet: Fleet, day: Day, who: str, other: str, *, amid: bool = False
) -> tuple[float, float]:
    """Stop *who* while it reads, and let the database lose it; `seconds_until_taken`.

    *amid* a transaction it keeps locks, and is stopped for as long; the day marks that. When it
    goes on, it does so in the middle of walks that another has made meanwhile.
    """
    stop(fleet, day, who, amid=amid)
    if amid:
        day.mark()
    held, lost = fleet.held(who), utcnow()
    fleet.end_liveness(who)
    took = seconds_until_taken(fleet, day, held, other, lost)
    time.sleep(max(0.0, STOPPED - (utcnow() - lost).total_seconds()))
    send(fleet, who, signal.SIGCONT)
    return took


def seconds_until_taken(
    fleet: Fleet, day: Day, held: set[tuple[str, str]], other: str, since: datetime
) -> tuple[float, float]:
    """How long until *other* had freed the last of the streams *held*, and until it read it."""

    def claims() -> list[datetime | None]:
        return [fleet.claimed_at(other, stream, since) for stream in held]

    assert day.wait_until(lambda: None not in claims(), LOCKED + 20), (
        "streams of a dead one are not read"
    )
    frees = [fleet.freed_at(other, stream, since) for stream in held]
    freed, read = (max((at for at in found if at), default=since) for found in (frees, claims()))
    return (freed - since).total_seconds(), (read - since).total_seconds()


def spread(seconds: list[float]) -> str:
    return f"{median(seconds):.2f}, {max(seconds):.2f}"


def rejected(fleet: Fleet, who: str) -> float:
    """How many results of *who* came too late to count."""
    return fleet.shops[who].total("replyby_leases_lost_total")


@pytest.mark.timeout(3600)
def test_who_is_stopped_and_goes_on_holds_nothing_with_another_and_tells_nothing_twice(
    fleet, day, tell, long_form
):
    began, waited = time.monotonic(), 0
    took: list[tuple[float, float]] = []
    slow(fleet, 0.4)
    for number in range(10 if long_form else 1):
        who, other = NAMES if number % 2 else NAMES[::-1]
        waited += len(stop_and_go_on(fleet, day, who, STOPPED))
        time.sleep(3)
        before = rejected(fleet, who)
        took.append(cut_off_and_go_on(fleet, day, who, other))
        late = day.wait_until(lambda who=who, n=before: rejected(fleet, who) > n, 30)
        assert late, "a late result was not rejected"
        until_it_reads(fleet, day, who, 1)
    told_again = {name: sum(again) for name, again in day.again().items()}
    assert told_again == {"hook": 0, "file": 0}, "a short stop tells something twice"
    for who, other in (NAMES, NAMES[::-1]) if long_form else ():
        freed, _ = cut_off_and_go_on(fleet, day, who, other, amid=True)
        assert freed < LOCKED + AT_ONCE
        tell("seconds until one stopped in mid-transaction was free", round(freed, 2))
        stop_and_go_on(fleet, day, who, LEASE.total_seconds() + 10)
        time.sleep(5)
    slow(fleet, 0)
    day.settle()

    leases = no_stream_was_held_by_two(fleet.changes())
    found = day.agrees()
    for name, stretches in day.again().items():
        assert stretches[-1] == 0, f"{name}: told twice without a stop"
        assert max(stretches) <= LEAVING, f"{name}: told twice beyond what was leaving: {stretches}"
    freed, read = map(list, zip(*took, strict=True))
    assert max(freed) < AT_ONCE
    tell("seconds of two daemons", round(time.monotonic() - began))
    tell("leases, streams that waited for a stopped one", (leases, waited))
    tell("late results rejected", sum(rejected(fleet, who) for who in NAMES))
    tell("seconds until a lost one's streams were free, median and longest", spread(freed))
    tell("seconds until they were read, median and longest", spread(read))
    tell("messages stored, clocks", (len(found.messages), len(found.clocks)))
    tell("told (webhook, file)", tuple(len(heard) for heard in day.heard().values()))


def handed_back_by_one_that_ends(fleet: Fleet, day: Day) -> None:
    """A polite end in the middle of walks that it cannot wait for."""
    slow(fleet, 6)
    who, _ = who_reads(fleet, day, 2)
    held, asked = fleet.held(who), utcnow()
    send(fleet, who, signal.SIGTERM)
    daemon = fleet.shops[who].daemon
    assert daemon is not None
    assert daemon.wait(10) == 0
    assert utcnow() - asked < timedelta(seconds=5)
    day.mark()
    assert fleet.held(who) == set()
    left = [c for c in fleet.changes() if c.at > asked and c.who == who and not c.holder]
    assert held <= {(change.account, change.stream) for change in left}, "it did so itself"
    slow(fleet, 1.5)
    fleet.shops[who].start()


@pytest.mark.timeout(900)
def test_the_streams_of_one_that_was_killed_are_read_by_the_other_at_once(
    fleet, day, tell, long_form
):
    took: list[tuple[float, float]] = []
    streams = 0
    handed_back_by_one_that_ends(fleet, day)
    for _ in range(30 if long_form else 4):
        who, other = who_reads(fleet, day, 2)
        killed = utcnow()
        fleet.shops[who].kill()
        day.mark()
        left = fleet.left(who, killed)
        took.append(seconds_until_taken(fleet, day, left, other, killed))
        streams += len(left)
        fleet.shops[who].start()
    no_stream_was_held_by_two(fleet.changes())
    freed, read = map(list, zip(*took, strict=True))
    tell("kills, streams taken over", (len(took), streams))
    tell("seconds until the last was free, median and longest", spread(freed))
    tell("seconds until it was read, median and longest", spread(read))
    assert max(freed) < AT_ONCE
    if long_form:
        agrees_after_kills(fleet, day, tell)


def agrees_after_kills(fleet: Fleet, day: Day, tell: Tell) -> None:
    """Hold the books, when all leases of the dead have ended."""
    slow(fleet, 0)
    day.settle()
    day.agrees()
    for name, stretches in day.again().items():
        assert stretches[0] == 0, f"{name}: a polite end tells something twice"
        assert stretches[-1] == 0, f"{name}: told twice without a kill"
        assert max(stretches) <= 1, f"{name}: more than one told twice by a kill: {stretches}"
    tell("told twice (webhook, file)", tuple(sum(again) for again in day.again().values()))
