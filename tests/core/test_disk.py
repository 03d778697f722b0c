"""The disk under the embedded database: that it fills is told once, early, and taken back once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from core import settings, words
from core.configuration.sections import Store
from core.loops import Pulse
from core.metrics import Metrics
from core.model import Notice, NoticeKind
from core.routing import Route
from core.running import checks, disk
from core.running.disk import MIB, Space
from core.running.state import State
from core.web.ops import Watched
from tests.acceptance.disk import mounted
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE
from tests.core.test_settings import GOOD, SPECS

GIB = 1024 * MIB
RULES = seeds.rules(Route("ops", ("log",), fallback=True))


# When it is low. Pure


@pytest.mark.parametrize(
    ("size", "least"),
    [
        (200 * MIB, 64 * MIB),
        (4 * GIB, 4 * GIB // 10),
        (20 * GIB, GIB),
        (2000 * GIB, GIB),
    ],
)
def test_low_is_a_tenth_of_the_disk_or_a_gib_but_never_less_than_a_few_files(size, least):
    assert disk.least(Space(size, size), Store()) == least


def test_what_the_settings_say_counts_as_it_is():
    store = Store(least_free_bytes=50 * GIB)

    assert disk.least(Space(10 * GIB, 60 * GIB), store) == 50 * GIB


def test_a_disk_that_fills_is_low_before_it_is_nearly_full(now):
    """A quarter of 100 GiB is left, and 5 of them go in an hour: told while there are hours."""
    seen = [(now + n * MINUTE, 25 * GIB - n * 5 * GIB // 60) for n in range(61)]
    left = disk.lasts(seen)

    assert left == timedelta(hours=4)
    assert disk.is_low(Space(20 * GIB, 100 * GIB), GIB, left, told=False)
    assert not disk.is_low(Space(40 * GIB, 100 * GIB), GIB, left, told=False)


def test_a_pace_is_believed_after_half_an_hour_only_and_never_upwards(now):
    falls = [(now, 10 * GIB), (now + 29 * MINUTE, GIB)]
    rises = [(now, GIB), (now + HOUR, 10 * GIB)]

    assert [disk.lasts(seen) for seen in (falls, rises, [], falls[:1])] == [None] * 4


def test_what_is_told_ends_when_there_is_clearly_more():
    """A disk that breathes about its limit is told of once."""
    full = 100 * GIB

    assert disk.is_low(Space(int(1.1 * GIB), full), GIB, None, told=True)
    assert not disk.is_low(Space(int(1.1 * GIB), full), GIB, None, told=False)
    assert not disk.is_low(Space(int(1.3 * GIB), full), GIB, None, told=True)


# On a real file system


@pytest.fixture
def var(tmp_path):
    with mounted(tmp_path, "var", 100) as found:
        if isinstance(found, str):
            pytest.skip(f"nothing can be mounted here: {found}")
        yield found


@pytest.fixture
def opened(tmp_path, pool, now):
    """A daemon's state, its database at *dsn*, its state directory at *place*."""

    def opened(place, **environ):
        path = tmp_path / "settings.toml"
        path.write_text(GOOD)
        said = {"SHOP_KEY": "k", "REPLYBY_STORE__STATE_DIR": str(place)} | environ
        read = settings.load(path, SPECS, said, sandbox=False, now=now)
        watched = Watched(Metrics(), Pulse(), lambda: now, pool=pool)
        return State(read, watched.metrics, watched.pulse, watched, rules=RULES)

    return opened


@pytest.fixture
def state(opened, var):
    return opened(var.seen)


def exported(state):
    return {
        sample.name: sample.value
        for family in state.metrics.registry.collect()
        for sample in family.samples
        if sample.name.endswith("_bytes") and "replyby" in sample.name
    }


async def told(pool):
    return [row["kind"] for row in await pool.fetch("select kind from notice order by id")]


@pytest.mark.needs("unshare")
async def test_it_is_told_once_and_taken_back_once(state, var, pool, now):
    place = disk.Place()
    await disk.once(state, place, now)
    assert await told(pool) == []
    assert exported(state)["replyby_state_disk_size_bytes"] == 100 * MIB

    var.leave(30 * MIB)
    with capture_logs() as said:
        for n in range(3):
            await disk.once(state, place, now + n * MINUTE)
    assert await told(pool) == ["disk_low"]
    assert [line["event"] for line in said] == ["disk is nearly full"]
    assert exported(state)["replyby_state_disk_free_bytes"] == 30 * MIB

    (var.seen / "ballast").unlink()
    for n in range(3, 6):
        await disk.once(state, place, now + n * MINUTE)
    assert await told(pool) == ["disk_low", "disk_freed"]


@pytest.mark.needs("unshare")
async def test_a_restart_neither_tells_again_nor_forgets_to_take_back(state, var, pool, now):
    var.leave(30 * MIB)
    await disk.once(state, disk.Place(), now)
    await disk.once(state, disk.Place(), now + MINUTE)
    assert await told(pool) == ["disk_low"]

    (var.seen / "ballast").unlink()
    await disk.once(state, disk.Place(), now + 2 * MINUTE)
    await disk.once(state, disk.Place(), now + 3 * MINUTE)

    assert await told(pool) == ["disk_low", "disk_freed"]
    var.leave(30 * MIB)
    await disk.once(state, disk.Place(), now + 4 * MINUTE)
    assert (await told(pool))[2:] == ["disk_low"], "it is a new trouble"


@pytest.mark.needs("unshare")
async def test_a_clock_that_goes_back_starts_the_pace_anew(state, var, pool, now):
    place = disk.Place()
    await disk.once(state, place, now)
    await disk.once(state, place, now - HOUR)

    assert len(place.seen) == 1


async def test_of_a_database_elsewhere_the_size_alone_is_shown(opened, tmp_path, pool, now):
    state = opened(tmp_path, DSN="postgresql://there/db", REPLYBY_STORE__DSN="env:DSN")
    assert exported(state) == {}

    await disk.once(state, disk.Place(), now)

    ((name, size),) = exported(state).items()
    assert name == "replyby_database_size_bytes"
    assert size > MIB
    assert not any("state_dir" in line for line in checks.findings(state.settings, now))


@pytest.mark.needs("unshare")
def test_check_warns_of_it_too(state, var, now):
    def found():
        return [line for line in checks.findings(state.settings, now) if "state_dir" in line]

    assert found() == []
    var.leave(30 * MIB)

    (said,) = found()
    assert said.startswith("store.state_dir: 30 MiB are free where the database lies, less than 64")
    assert said.endswith("make room, or nothing is stored any more")


def test_the_database_may_lie_where_a_link_leads(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "var").mkdir()
    assert disk.place(tmp_path / "var") == tmp_path / "var"

    (tmp_path / "var" / "postgres").symlink_to(tmp_path / "there")

    assert disk.place(tmp_path / "var") == tmp_path / "there"


def test_a_person_reads_how_much_is_left_and_for_how_long(now):
    facts = (("free", 300 * MIB), ("size", 20 * GIB), ("left", 5400))
    low = Notice("service/disk_low/x", NoticeKind.DISK_LOW, "", now, facts=facts)

    said = words.render(low, RULES, url=None, zone="UTC", now=now)

    assert said.subject == "Disk nearly full: 300 MiB free"
    assert said.text.splitlines()[:2] == [
        "Where the database lies 300 MiB of 20.0 GiB are free.",
        "At the pace of the last hour it is full in 1 h 30 min.",
    ]
    freed = Notice("service/disk_freed/x", NoticeKind.DISK_FREED, "", now, facts=facts[:2])
    said = words.render(freed, RULES, url=None, zone="UTC", now=now)
    assert said.subject == "Disk has room again"
