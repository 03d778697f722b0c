"""What kill -9 leaves, of the owner and of the server; and what stands in the way of a start."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from time import monotonic

import asyncpg
import psutil
import pytest
from structlog.testing import capture_logs

from core import store
from core.errors import StoreUnavailable
from core.store import embedded, pgbinaries, pgcluster
from core.store.postmaster import Postmaster
from core.store.waiting import until

pytestmark = pytest.mark.serial


def own(place):
    return embedded.own(place / "var", elsewhere=place / "lib")


def home_of(place):
    return pgcluster.Home((place / "var" / "postgres").resolve())


def postmaster_pid(place):
    return int((home_of(place).data / "postmaster.pid").read_text().split()[0])


def server_of(place):
    with suppress(OSError, IndexError):
        return postmaster_pid(place)


@asynccontextmanager
async def connected(address):
    db = await asyncpg.connect(**address)
    try:
        yield db
    finally:
        await db.close()


@asynccontextmanager
async def watched(server):
    task = asyncio.create_task(server.watch())
    yield task
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def committed(server):
    async with connected(server.address) as db:
        return await db.fetchval("select max(n) from t")


@pytest.fixture
def stray(place):
    """Start a server that nobody owns, as an owner's kill -9 leaves it on other systems."""
    strays = []

    def start():
        home, user = pgcluster.settle(place / "var", place / "lib")
        binaries = pgbinaries.prepare(user, place / "lib")
        process = subprocess.Popen(
            [binaries.directory / "postgres", "-D", home.data, "-h", "", "-k", home.cluster / "s"],
            cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            **({"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}),
        )  # fmt: skip
        strays.append(process)
        pidfile = home.data / "postmaster.pid"
        while not pidfile.exists() or "ready" not in pidfile.read_text():
            assert process.poll() is None
        return process

    yield start
    for process in strays:
        process.kill()
        process.wait()


async def vanilla_refuses(place):
    """Whether PostgreSQL by itself would not start on the directory as it is now."""
    home, user = pgcluster.settle(place / "var", place / "lib")
    binaries = pgbinaries.prepare(user, place / "lib")
    sockets = pgcluster.socket_directory(home, user)
    with suppress(StoreUnavailable):
        alone = Postmaster(home, binaries, sockets, {})
        await alone.ready()
        await alone.stop()
        return False
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a parent's end")
async def test_the_server_is_gone_within_a_second_of_its_owners_kill(made, started):
    owner = started("own")
    owner.counted()
    owner.kill()
    assert await until(lambda: not pgcluster.servers(home_of(made).data), 1.0)
    last = owner.rest()

    async with own(made) as again:
        assert await committed(again) in {last, last + 1}


async def test_an_owner_killed_while_it_makes_the_data_leaves_nothing_in_the_way(place, started):
    owner = started("own")
    home, _ = pgcluster.settle(place / "var", place / "lib")
    assert await until(lambda: list(home.cluster.glob("data.*")), 30)
    owner.kill()

    async with own(place) as server, connected(server.address) as db:
        assert await db.fetchval("select 1") == 1
    assert list(home.cluster.glob("data.*")) == []
    running = [p.info["name"] for p in psutil.process_iter(["name", "cmdline"])
               if str(place) in " ".join(p.info["cmdline"] or [])]  # fmt: skip
    assert running == []


async def test_a_server_that_outlived_its_owner_is_ended_first(made, stray):
    async with own(made) as server, connected(server.address) as db:
        await db.execute("create table t as select 7 as n")
    left = stray()

    with capture_logs() as logs:
        async with own(made) as server:
            assert left.wait(5) == 0
            assert await committed(server) == 7
    assert "automatic recovery" not in home_of(made).log.read_text()  # it was ended tidily
    assert "postgres was left running" in {entry["event"] for entry in logs}


async def test_a_server_that_does_not_listen_any_more_is_ended_too(made, stray):
    async with own(made):
        pass
    left = stray()
    left.send_signal(signal.SIGSTOP)
    home = home_of(made)

    clearing = asyncio.create_task(pgcluster.clear(home, patience=0.1))
    await asyncio.wait_for(clearing, 20)
    assert left.wait(5) == -signal.SIGKILL
    assert pgcluster.servers(home.data) == []
    async with own(made):  # which frees the shared memory, too
        pass


async def test_a_pid_that_now_belongs_to_another_program_does_not_stop_the_start(made):
    async with own(made) as server, connected(server.address) as db:
        await db.execute("create table t as select 7 as n")
        lines = (home_of(made).data / "postmaster.pid").read_text().splitlines()
    user = pgbinaries.User.unprivileged()
    stranger = pgbinaries.start(["/bin/sleep", "60"], user=user)
    try:
        pidfile = home_of(made).data / "postmaster.pid"
        pidfile.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert await vanilla_refuses(made)

        async with own(made) as server:
            assert await committed(server) == 7
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_a_pid_of_a_zombie_does_not_stop_the_start(made):
    async with own(made) as server, connected(server.address) as db:
        await db.execute("create table t as select 7 as n")
    dead = pgbinaries.start(["/bin/true"], user=None)
    assert await until(lambda: psutil.Process(dead.pid).status() == psutil.STATUS_ZOMBIE, 5)
    (home_of(made).data / "postmaster.pid").write_text(f"{dead.pid}\n{home_of(made).data}\n")
    try:
        async with own(made) as server:
            assert await committed(server) == 7
    finally:
        dead.wait()


async def test_a_pid_of_another_program_beside_the_socket_does_not_stop_the_start(made):
    async with own(made) as server, connected(server.address) as db:
        await db.execute("create table t as select 7 as n")
        lock = home_of(made).cluster / "s" / f"{pgcluster.SOCKET}.lock"
        lines = lock.read_text().splitlines()
    stranger = pgbinaries.start(["/bin/sleep", "60"], user=pgbinaries.User.unprivileged())
    try:
        lock.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert await vanilla_refuses(made)

        async with own(made) as server:
            assert await committed(server) == 7
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("text", ["", "not a number\n", "-1\n", "99999999999\n"])
async def test_a_pid_file_without_a_sensible_pid_does_not_stop_the_start(made, text):
    async with own(made):
        pass
    (home_of(made).data / "postmaster.pid").write_text(text)

    async with own(made) as server, connected(server.address) as db:
        assert await db.fetchval("select 1") == 1


async def test_a_killed_server_is_started_again_and_nothing_committed_is_lost(place, started):
    owner = started("own")
    for _ in range(2):
        owner.counted()
        killed = postmaster_pid(place)
        os.kill(killed, signal.SIGKILL)
        owner.counted()
        assert postmaster_pid(place) != killed
    owner.leave()
    assert owner.wait() == 0

    async with own(place) as server, connected(server.address) as db:
        missing = await db.fetchval(
            "select count(*) from generate_series(1, $1) n where not exists"
            " (select from t where t.n = n.n)", owner.number
        )  # fmt: skip
    assert missing == 0


async def test_a_pool_goes_on_after_the_server_was_killed(made):
    async with own(made) as server, watched(server):
        pool = await store.open_pool(server.address, size=3)
        await pool.execute("create table t as select 7 as n")
        killed = postmaster_pid(made)
        os.kill(killed, signal.SIGKILL)
        assert await until(lambda: server_of(made) not in {killed, None}, 10)
        begun = monotonic()
        found = None
        while found is None and monotonic() - begun < 10:
            with suppress(StoreUnavailable):
                async with store.statement(pool) as db:
                    found = await db.fetchval("select n from t")
            await asyncio.sleep(0.02)
        await pool.close()

    assert found == 7


async def test_who_uses_the_store_while_the_server_dies_is_told_that_it_is_away(made):
    told = set()

    async def use(pool):
        while True:
            try:
                async with store.transaction(pool) as db:
                    await db.fetchval("select n from t where n = $1", 7)
            except Exception as error:  # noqa: BLE001 - which one is what is asked
                told.add(type(error))
                await asyncio.sleep(0.001)

    async with own(made) as server, watched(server):
        pool = await store.open_pool(server.address, size=4)
        await pool.execute("create table t as select 7 as n")
        users = [asyncio.create_task(use(pool)) for _ in range(8)]
        for sign in (signal.SIGKILL, signal.SIGKILL, signal.SIGQUIT, signal.SIGINT, signal.SIGKILL):
            await asyncio.sleep(0.1)
            ended = server_of(made)
            os.kill(ended, sign)
            assert await until(lambda old=ended: server_of(made) not in {old, None}, 10)
            await (await until_connected(server.address)).close()
        for user in users:
            user.cancel()
        await asyncio.wait(users)
        await pool.close()

    assert told == {StoreUnavailable}


async def test_a_server_that_was_asked_to_end_and_still_serves_is_started_again(made):
    """By SIGTERM it waits for who is connected, and takes nobody any more: for a pool, for good."""
    async with own(made) as server, watched(server):
        pool = await store.open_pool(server.address, size=3)
        await pool.execute("create table t as select 7 as n")
        asked = postmaster_pid(made)
        with capture_logs() as logs:
            os.kill(asked, signal.SIGTERM)
            assert await until(lambda: server_of(made) not in {asked, None}, 10)
            again = await until_connected(server.address)
        assert await again.fetchval("select n from t") == 7
        await again.close()
        await pool.close()

    events = [entry["event"] for entry in logs]
    assert events[:2] == ["postgres was asked to end by somebody else", "postgres ended"]
    ended = next(entry for entry in logs if entry["event"] == "postgres ended")
    assert (ended["code"], ended["log_level"]) == (0, "warning")


async def test_a_backend_that_is_busy_does_not_hold_up_the_start_after_a_kill(made):
    async with own(made) as server, watched(server):
        db = await asyncpg.connect(**server.address)
        busy = asyncio.create_task(
            db.execute("select count(*) from generate_series(1, 1e12::bigint)")
        )
        await asyncio.sleep(0.2)
        os.kill(postmaster_pid(made), signal.SIGKILL)
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await asyncio.wait_for(busy, 10)
        db.terminate()
        again = await until_connected(server.address)
        await again.close()


async def until_connected(address):
    begun = monotonic()
    while monotonic() - begun < 10:
        with suppress(OSError, asyncpg.PostgresError):
            return await asyncpg.connect(**address)
        await asyncio.sleep(0.02)
    raise TimeoutError


async def test_a_server_that_cannot_start_again_is_tried_until_it_can(made):
    async with own(made) as server:
        home = home_of(made)
        control = home.data / "global" / "pg_control"
        with capture_logs() as logs:
            async with watched(server):
                aside = control.with_name("aside")
                control.rename(aside)
                os.kill(postmaster_pid(made), signal.SIGKILL)
                assert await until(lambda: "postgres did not start" in str(logs), 10)
                aside.rename(control)
                db = await until_connected(server.address)
                await db.close()

    events = [entry["event"] for entry in logs]
    assert events[0] == "postgres ended"
    assert events[-1] == "postgres started"
    told = {entry["error"] for entry in logs if entry["event"] == "postgres did not start"}
    assert "pg_control" in " ".join(told)


async def test_a_long_recovery_is_awaited_and_said(made):
    async with own(made) as server:
        async with connected(server.address) as db:
            await db.execute("create table t as select n from generate_series(1, 50000) n")
            await db.execute("update t set n = n")
        os.kill(postmaster_pid(made), signal.SIGKILL)
    home, user = pgcluster.settle(made / "var", made / "lib")
    await pgcluster.clear(home)
    binaries = pgbinaries.prepare(user, made / "lib")

    with capture_logs() as logs:
        again = Postmaster(home, binaries, pgcluster.socket_directory(home, user), {})
        await again.ready(say_after=0.0)
    async with connected(server.address) as db:
        assert await db.fetchval("select count(*) from t") == 50000
    await again.stop()

    assert {entry["event"] for entry in logs} == {"postgres is recovering"}
    written = home.log.read_text()
    assert all(str(entry["says"]) in written for entry in logs)


async def test_a_stop_without_patience_loses_nothing_committed(made):
    home, user = pgcluster.settle(made / "var", made / "lib")
    binaries = pgbinaries.prepare(user, made / "lib")
    word = pgcluster.password(home)
    alone = Postmaster(home, binaries, pgcluster.socket_directory(home, user), {})
    await alone.ready()
    address = {"host": str(home.cluster / "s"), "user": pgcluster.ROLE, "password": word,
               "database": "postgres"}  # fmt: skip
    async with connected(address) as db:
        await db.execute("create table t as select 7 as n")
    await alone.stop(patience=-1)

    async with own(made) as server:
        assert await committed(server) == 7


async def test_a_start_that_is_cancelled_leaves_no_server_and_no_lock(made):
    async with own(made):
        pass
    home = home_of(made)

    async def enter():
        async with own(made):
            raise AssertionError("too late")

    task = asyncio.create_task(enter())
    assert await until((home.data / "postmaster.pid").exists, 10, look_every=0.0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert pgcluster.servers(home.data) == []
    async with own(made):
        pass


async def test_an_end_that_is_cancelled_leaves_no_server(made):
    entered = asyncio.Event()
    stop = asyncio.Event()

    async def serve():
        async with own(made) as server:
            async with connected(server.address) as db:
                await db.execute("create table t as select 7 as n")
            entered.set()
            await stop.wait()

    task = asyncio.create_task(serve())
    await entered.wait()
    os.kill(postmaster_pid(made), signal.SIGSTOP)
    stop.set()
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert pgcluster.servers(home_of(made).data) == []
    async with own(made) as server:
        assert await committed(server) == 7


@pytest.mark.needs("ps")
async def test_without_proc_the_server_is_found_by_its_command_line(made, monkeypatch):
    async with own(made):
        home = home_of(made)
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(sys, "platform", "darwin")
            assert pgcluster.servers(home.data) == [postmaster_pid(made)]
            (home.cluster / "other").mkdir()
            assert pgcluster.servers(home.cluster / "other") == []


async def test_a_server_that_dies_soon_after_each_start_is_started_ever_more_rarely(made):
    async with own(made) as server, watched(server):
        begun, starts = monotonic(), 0
        while monotonic() - begun < 4:
            await (await until_connected(server.address)).close()
            starts += 1
            pid = postmaster_pid(made)
            os.kill(pid, signal.SIGKILL)
            assert await until(lambda old=pid: server_of(made) not in {old, None}, 10)
    assert 3 <= starts <= 6  # with pauses of 0, 0.1, 0.2, 0.5, 1 and 2 s between


async def test_a_server_whose_backend_dies_is_started_again_by_its_owner(made):
    async with own(made) as server, watched(server):
        db = await asyncpg.connect(**server.address)
        before, backend = postmaster_pid(made), await db.fetchval("select pg_backend_pid()")
        os.kill(backend, signal.SIGKILL)
        assert await until(lambda: server_of(made) not in {before, None}, 10)
        db.terminate()
        await (await until_connected(server.address)).close()
