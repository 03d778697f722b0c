"""A disk that is full under the data: first for new pages, then for the log of writes itself."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from core.store import pgcluster
from tests.acceptance.disk import Disk, Limit, mounted
from tests.acceptance.journey import Journey, journey_at

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.paired, pytest.mark.timeout(1500), pytest.mark.needs("unshare", "nsenter"),
]  # fmt: skip


@pytest.fixture(params=["no room", "no file may grow"])
def disk(place, request) -> Iterator[Disk | Limit]:
    if request.param == "no file may grow":
        yield Limit(place / "var")
        return
    with mounted(place, "var", 200) as found:
        if isinstance(found, str):
            pytest.skip(f"nothing can be mounted here, the other way must do: {found}")
        yield found


@pytest.fixture
def journey(place, disk) -> Iterator[Journey]:
    with journey_at(place, before=disk.before) as found:
        found.address = lambda: address(disk)
        found.begin()
        yield found


def home(disk: Disk | Limit) -> pgcluster.Home:
    """As the test sees it: a link of root's own would lead out of the disk."""
    assert not (disk.seen / "postgres").is_symlink()
    return pgcluster.Home(disk.seen / "postgres")


def address(disk: Disk | Limit) -> dict[str, str]:
    return {
        "host": str(home(disk).cluster / "s"), "user": pgcluster.ROLE,
        "password": home(disk).password.read_text(), "database": "postgres",
    }  # fmt: skip


def said(journey: Journey, *happenings: str) -> list[dict[str, object]]:
    lines = (line for line in journey.shop.log().splitlines() if line.startswith("{"))
    return [told for told in map(json.loads, lines) if told["event"] in happenings]


FULL = re.compile("No space left on device|File too large")
SWITCH = "select pg_switch_wal()"


def until_it_dies(journey: Journey) -> None:
    """Let PostgreSQL need more files of its log of writes, until it dies for want of room.

    A statement alone may fail of it before.
    """
    end = time.monotonic() + 60
    while "replyby_database_up 1.0" in journey.shop.get("/metrics")[1]:
        assert time.monotonic() < end, "PostgreSQL has room"
        with suppress(Exception):
            journey.rows(SWITCH)
            journey.rows("create table if not exists spent (n int)")
            journey.rows("insert into spent values (1)")


@pytest.mark.parametrize("disk", ["no room"], indirect=True)
def test_while_nothing_can_be_stored_it_is_not_ready_though_the_database_answers(journey, disk):
    """PostgreSQL lives on a full disk, for as long as its log of writes needs no new file."""
    assert journey.shop.daemon is not None
    disk.fill(journey.shop.daemon.pid)
    journey.shop.until(lambda: "store_impaired" in journey.shop.get("/readyz")[1], 60)

    assert journey.shop.get("/readyz")[0] == 503
    assert journey.shop.get("/livez")[0] == 200
    metrics = journey.shop.get("/metrics")[1]
    assert "replyby_database_up 1.0" in metrics
    assert 'replyby_rounds_failed_total{reason="store_impaired"} 0.0' not in metrics
    disk.empty(journey.shop.daemon.pid)
    journey.shop.until(lambda: journey.shop.get("/readyz")[0] == 200, 40)
    assert said(journey, "postgres ended") == []


def test_a_full_disk_is_said_and_waited_for_and_nothing_is_lost(journey, disk, tell, long_form):
    assert journey.shop.daemon is not None
    daemon = journey.shop.daemon.pid
    counted = journey.counters()
    waits, rest = (300, 3) if long_form else (8, 1)
    for _ in range(rest):
        disk.fill(daemon)
        until_it_dies(journey)
        before = psutil.Process(daemon).cpu_times()
        began, tries = time.monotonic(), len(said(journey, "postgres did not start"))
        while time.monotonic() < began + waits:
            assert journey.shop.get("/livez")[0] == 200
            assert journey.shop.daemon.poll() is None
            time.sleep(0.5)
        tries = len(said(journey, "postgres did not start")) - tries
        now = psutil.Process(daemon).cpu_times()
        assert tries <= 3 + waits / 2, "it does not start again and again without a pause"
        disk.empty(daemon)
        freed = time.monotonic()
        journey.shop.until(lambda: journey.shop.get("/readyz")[0] == 200, 30)
        journey.seconds_until_told(30)
        tell("seconds full, tries to start meanwhile", f"{waits}, {tries}")
        tell("CPU seconds meanwhile", round(sum(now[:2]) - sum(before[:2]), 1))
        tell("seconds until told again", round(time.monotonic() - freed, 1))
    journey.settle(60)

    journey.agree(counted)
    assert journey.told_twice() == {}
    words = [str(told["error"]) for told in said(journey, "postgres did not start", "loop waits")]
    assert any(FULL.search(text) for text in words), words
    assert "Traceback" not in journey.shop.log()


@pytest.mark.parametrize("disk", ["no room"], indirect=True)
def test_that_it_fills_is_told_while_there_is_room_and_taken_back(journey, disk, tell):
    """Early: everything is still stored and told when a person hears of it."""
    free = "replyby_state_disk_free_bytes"
    journey.shop.until(lambda: journey.shop.total(free) > 0, 30)
    disk.leave(40 * 2**20)
    began = time.monotonic()
    journey.shop.until(lambda: journey.receiver.kinds()["disk_low"] == 1, 45)
    tell("seconds until told that the disk fills", round(time.monotonic() - began, 1))
    assert journey.shop.get("/readyz")[0] == 200
    assert journey.shop.total(free) < 64 * 2**20
    assert journey.shop.total("replyby_database_size_bytes") > 2**20
    assert [told["level"] for told in said(journey, "disk is nearly full")] == ["warning"]

    assert journey.shop.daemon is not None
    disk.empty(journey.shop.daemon.pid)
    journey.shop.until(lambda: journey.receiver.kinds()["disk_freed"] == 1, 45)
    journey.settle(60)
    assert journey.receiver.kinds()["disk_low"] == 1
