"""Kill -9 and SIGTERM of the daemon at any instant of the journey, the first milliseconds too."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from core.loops import utcnow
from tests.acceptance.day import SEED, day_of, seed
from tests.acceptance.journey import journey_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import CompletedProcess

    from tests.acceptance.day import Day

pytestmark = [pytest.mark.serial]

MAKING, STARTING = 2.5, 1.5
"""Seconds within which a first and a later daemon is ready on a quiet machine."""
WINDOW = 0.006
"""Seconds between an arrival at the other end and the row that says so, and some more."""


@pytest.fixture
def day(place, tell) -> Iterator[Day]:
    number = seed()
    tell(f"{SEED} repeats its chances", number)
    with journey_at(place, promise="3s") as journey:
        yield from day_of(journey, number)


def while_making(day: Day) -> None:
    """While the database is made, or its tables."""
    time.sleep(day.random.uniform(0.5, MAKING))


def while_starting(day: Day) -> None:
    time.sleep(day.random.uniform(0, STARTING))


def while_working(day: Day) -> None:
    day.until_ready()
    time.sleep(day.random.uniform(0, 1.5))


def when_something_was_told(day: Day) -> None:
    """Between the arrival at a reader and the row that says so."""
    day.until_ready()
    told = day.journey.receiver.told
    before = len(told)
    day.wait_until(lambda: len(told) > before, 2)
    time.sleep(day.random.uniform(0, WINDOW))


def when_an_answer_left(day: Day) -> None:
    """Between the arrival at the marketplace and the row that says so."""
    day.until_ready()
    replies = day.journey.sandbox.replies
    before = len(replies)
    day.wait_until(lambda: len(replies) > before, 2)
    time.sleep(day.random.uniform(0, WINDOW))


INSTANTS = (while_starting, while_working, when_something_was_told, when_an_answer_left)


@pytest.mark.timeout(2400)
def test_no_kill_of_the_daemon_loses_anything_or_tells_more_than_one_thing_twice(
    day, tell, long_form
):
    kills, began = 200 if long_form else 25, time.monotonic()
    day.begin()
    with ThreadPoolExecutor(1) as beside:
        commands = []
        for number in range(kills):
            day.journey.shop.launch()
            instant = while_making if number < 3 else day.random.choice(INSTANTS)
            if number == kills * 3 // 5:  # so that the leases of answers end while we go on
                day.journey.beside.run(day.desk.stop())
            if instant is while_working and number % 4 == 0:
                commands.append(beside.submit(answered_by_command, day))
            instant(day)
            day.journey.shop.kill()
            day.mark()
        day.journey.shop.start()
        ended = [command.result() for command in commands]
    killed = time.monotonic()
    day.settle()
    tell(
        "seconds of killing, until all was quiet",
        (round(killed - began), round(time.monotonic() - killed)),
    )

    found = day.agrees()
    again = day.again()
    for name, stretches in again.items():
        assert stretches[-1] == 0, f"{name}: told twice without a kill"
        assert max(stretches) <= 1, f"{name}: more than one told twice by a kill: {stretches}"
    assert [done.stderr for done in ended if done and "Traceback" in done.stderr] == []
    tell("kills", kills)
    tell("messages stored, clocks", (len(found.messages), len(found.clocks)))
    tell("told (webhook, file)", tuple(len(heard) for heard in day.heard().values()))
    tell("told twice (webhook, file)", tuple(sum(stretches) for stretches in again.values()))
    states = [row["state"] for row in found.replies]
    doubted = sum(
        row["kind"] == "reply_unknown" and row["notifier"] == "hook" for row in found.told
    )
    tell(
        "replies that arrived, of doubtful fate, that never left",
        (states.count("confirmed"), doubted, states.count("unknown")),
    )
    tell("replies by command", sum(done is not None and done.returncode == 0 for done in ended))


def answered_by_command(day: Day) -> CompletedProcess[str] | None:
    """An answer by `replyby reply`, beside a daemon that may die meanwhile; None: nobody waits."""
    where = day.journey.beside.run(day.desk.waiting())
    if where is None:
        return None
    text = day.desk.words()
    day.desk.doubtful.add(text)
    done = day.journey.shop.command("reply", *where, "--text", text)
    if done.returncode == 0:
        day.desk.queued.add(text)
    return done


@pytest.mark.timeout(900)
def test_a_polite_end_in_the_middle_of_everything_is_quick_and_tells_nothing_twice(
    day, tell, long_form
):
    ends, took = 50 if long_form else 10, []
    day.begin()
    for number in range(ends):
        day.journey.shop.launch()
        (while_starting if number % 5 == 2 else day.random.choice(INSTANTS[1:]))(day)
        took.append(seconds_to_end(day))
        day.mark()
        if number % 5 == 4:
            assert seconds_until_all_is_read(day) < 5
            took.append(seconds_to_end(day))
            day.mark()
    day.journey.shop.start()
    day.settle()

    found = day.agrees()
    assert {name: sum(stretches) for name, stretches in day.again().items()} == {
        "hook": 0,
        "file": 0,
    }
    assert max(took) < 5
    tell("ends, and seconds of the longest", (len(took), round(max(took), 2)))
    tell("messages stored, clocks", (len(found.messages), len(found.clocks)))
    tell("told (webhook, file)", tuple(len(heard) for heard in day.heard().values()))


def seconds_to_end(day: Day) -> float:
    daemon = day.journey.shop.daemon
    assert daemon is not None
    began, before = time.monotonic(), day.journey.shop.log()[-200:]
    daemon.send_signal(signal.SIGTERM)
    code = daemon.wait(10)
    before_it_listened = day.journey.shop.log().endswith(before)
    assert code == 0 or (code == -signal.SIGTERM and before_it_listened), code
    return time.monotonic() - began


def seconds_until_all_is_read(day: Day) -> float:
    """How long after it is ready the next daemon has read every stream: no lease is in its way."""
    sandbox = day.journey.sandbox
    day.journey.shop.launch()
    day.until_ready()
    began, now = time.monotonic(), utcnow()

    def is_all_read() -> bool:
        read = {one.path for one in sandbox.calls("M11") if one.at > now}
        return len(read) == len(sandbox.operators)

    assert day.wait_until(is_all_read, 10), "a lease was not handed back"
    return time.monotonic() - began
