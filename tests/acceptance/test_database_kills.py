"""Kill -9 of the embedded server, of who owns it, of both, of one backend: in mid-journey."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import asyncpg
import pytest

from core.store import dispatches, pgcluster
from tests.acceptance import books
from tests.acceptance.day import chances
from tests.acceptance.journey import home, journey_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from tests.acceptance.journey import Journey

pytestmark = [pytest.mark.paired, pytest.mark.timeout(900)]

CLAIM = dispatches.LEASE.total_seconds()
SOON = 15
"""Seconds within which it goes on by itself, on a busy machine; what it took is told."""
SINCE = "select pg_postmaster_start_time()"


@pytest.fixture
def journey(place) -> Iterator[Journey]:
    with journey_at(place) as found:
        found.begin()
        yield found


def postmaster(journey: Journey) -> int:
    return int((home(journey.shop.place).data / "postmaster.pid").read_text().split()[0])


def said(journey: Journey, happening: str) -> list[dict[str, object]]:
    lines = (line for line in journey.shop.log().splitlines() if line.startswith("{"))
    return [told for told in map(json.loads, lines) if told["event"] == happening]


def end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_postmaster(journey: Journey) -> None:
    end(postmaster(journey))


def kill_daemon(journey: Journey) -> None:
    journey.shop.kill()
    journey.shop.launch()


def kill_both(journey: Journey) -> None:
    assert journey.shop.daemon is not None
    for pid in (postmaster(journey), journey.shop.daemon.pid):
        end(pid)
    journey.shop.daemon.wait()
    journey.shop.launch()


def is_up_anew(journey: Journey, before: datetime) -> bool:
    """Whether another server answers than the one that had started at *before*."""
    with suppress(OSError, asyncpg.PostgresError):
        return bool(journey.value(SINCE) != before)
    return False


@pytest.mark.parametrize(
    ("kill", "times", "most"),
    [(kill_postmaster, 4, 25), (kill_daemon, 2, 25), (kill_both, 3, 25)],
    ids=["the postmaster", "the daemon", "both"],
)
def test_after_a_kill_the_journey_goes_on_by_itself_and_nothing_is_lost(
    journey, tell, long_form, kill: Callable[[Journey], None], times: int, most: int
):
    chance, took, marks = chances(tell), [], []
    counted = journey.counters()
    for _ in range(most if long_form else times):
        time.sleep(chance.uniform(0.2, 1.5))
        before = journey.value(SINCE)
        kill(journey)
        marks.append({name: len(heard) for name, heard in journey.heard().items()})
        began = time.monotonic()
        journey.shop.until(partial(is_up_anew, journey, before), 30)
        journey.shop.until(lambda: journey.shop.get("/readyz")[0] == 200, 30)
        journey.seconds_until_told(SOON)
        took.append(time.monotonic() - began)
    # What a dead daemon had claimed waits for the end of its claim.
    journey.settle(30 if kill is kill_postmaster else CLAIM + 30)

    journey.agree(counted)
    twice = journey.told_twice()
    most_again = 0 if kill is kill_postmaster else 1
    for name, heard in journey.heard().items():
        again = books.repeated(heard, [mark[name] for mark in marks])
        assert max(again) <= most_again, f"{name}: told again after each kill: {again}"
    assert pgcluster.servers(home(journey.shop.place).data)
    if kill is kill_postmaster:
        assert len(said(journey, "postgres ended")) == len(took)
        assert len(said(journey, "postgres started")) == len(took) + 1
    tell("kills", len(took))
    tell("seconds until told again, mean and longest", spread(took))
    tell("told twice", len(twice))
    tell("messages, dispatches", (len(journey.stored()), len(journey.receiver.told)))


def spread(took: list[float]) -> str:
    return f"{sum(took) / len(took):.1f}, {max(took):.1f}"


BACKENDS = "select pid from pg_stat_activity where application_name = $1"


def test_a_killed_backend_takes_the_others_along_and_all_of_them_come_back(
    journey, tell, long_form
):
    """PostgreSQL ends as a whole when one backend dies, for shared memory may be torn."""
    chance, took = chances(tell), []
    counted = journey.counters()
    for number in range(25 if long_form else 3):
        time.sleep(chance.uniform(0.2, 1.5))
        who = "replyby worker" if number % 2 else "replyby"
        before = journey.value(SINCE)
        end(chance.choice(journey.rows(BACKENDS, who))[0])
        began = time.monotonic()
        journey.shop.until(partial(is_up_anew, journey, before), 30)
        journey.shop.until(lambda: journey.shop.get("/readyz")[0] == 200, 30)
        journey.seconds_until_told(SOON)
        took.append(time.monotonic() - began)
    journey.settle()

    journey.agree(counted)
    assert len(said(journey, "postgres ended")) == len(took)
    assert sum(n - 1 for n in journey.told_twice().values()) <= len(took)
    tell("kills", len(took))
    tell("seconds until told again, mean and longest", spread(took))


def test_a_session_that_is_ended_alone_costs_one_round(journey, tell, long_form):
    """The administrator's own `pg_terminate_backend`, which leaves the other sessions alone."""
    chance, took = chances(tell), []
    counted = journey.counters()
    for number in range(30 if long_form else 8):
        time.sleep(chance.uniform(0.2, 0.8))
        who = "replyby worker" if number % 4 == 3 else "replyby"
        journey.rows(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1"
            " order by state = 'idle', random() limit 1", who
        )  # fmt: skip
        took.append(journey.seconds_until_told(SOON))
    journey.settle()

    journey.agree(counted)
    assert sum(n - 1 for n in journey.told_twice().values()) <= len(took)
    tell("sessions ended", len(took))
    tell("seconds until told again, mean and longest", spread(took))
