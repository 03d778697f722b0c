"""A daemon that starts on what kill -9 left: half a data directory, and pids of other programs."""

from __future__ import annotations

import shutil
import signal
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import psutil
import pytest

from core.store import dispatches, pgbinaries, pgcluster
from tests.acceptance.day import chances
from tests.acceptance.journey import home, journey_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.journey import Journey

pytestmark = [pytest.mark.paired, pytest.mark.timeout(600)]

CLAIM = dispatches.LEASE.total_seconds()
"""Seconds that what a dead daemon had claimed waits at most."""
FIRST_START = 2.5
"""Seconds that a first start takes, made and migrated: where a kill is to fall."""


@pytest.fixture
def journey(place) -> Iterator[Journey]:
    with journey_at(place) as found:
        yield found


def kill_family(journey: Journey) -> None:
    """The daemon and all that it has started, at once."""
    daemon = journey.shop.daemon
    assert daemon is not None
    family = psutil.Process(daemon.pid).children(recursive=True)
    for process in (daemon, *family):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    daemon.wait()
    psutil.wait_procs(family, timeout=5)


def halves(journey: Journey) -> list[Path]:
    return list((journey.shop.place / "var" / "postgres" / "cluster").glob("data.*"))


def begun_to_make(journey: Journey) -> None:
    """Wait until the data directory is being made; a start that finds it made does not."""
    end = time.monotonic() + FIRST_START
    while not halves(journey) and time.monotonic() < end:
        time.sleep(0.005)


def test_a_first_start_killed_at_any_instant_is_made_good_by_the_next(journey, tell, long_form):
    chance, left, kills = chances(tell), 0, 40 if long_form else 8
    for number in range(kills):
        if number % 3 == 2:  # whole by now, it may be: begin again from nothing
            shutil.rmtree(journey.shop.place / "var", ignore_errors=True)
        journey.shop.launch()
        if number % 2:
            begun_to_make(journey)
        time.sleep(chance.uniform(0.0, 0.5 if number % 2 else FIRST_START))
        chance.choice([journey.shop.kill, partial(kill_family, journey)])()
        left += bool(halves(journey))
    journey.begin(40)
    counted = journey.counters()
    journey.settle()

    journey.agree(counted)
    assert halves(journey) == []
    assert "Traceback" not in journey.shop.log()
    tell("kills, of which left half a directory", f"{kills}, {left}")


def test_pids_of_other_programs_in_every_lock_do_not_stop_the_start(journey):
    journey.begin()
    counted = journey.counters()
    kill_family(journey)
    stranger = pgbinaries.start(["/bin/sleep", "600"], user=pgbinaries.User.unprivileged())
    try:
        where = home(journey.shop.place)
        for file in (
            where.data / "postmaster.pid",
            where.cluster / "s" / f"{pgcluster.SOCKET}.lock",
        ):
            lines = file.read_text().splitlines()
            file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        for file in (where.daemon_lock, where.server_lock):
            file.write_text(f'{{"pid": {stranger.pid}, "state": "serving", "host": "/nowhere"}}')
        journey.shop.start()
        journey.seconds_until_told(20)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
    journey.settle(CLAIM + 30)

    journey.agree(counted)
    assert len(journey.told_twice()) <= 1
