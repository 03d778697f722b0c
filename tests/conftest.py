"""A database for each test that asks for one, from a template migrated once; a fixed now; a pool.

The server is PostgreSQL from the wheel, one a worker, in a directory that goes away; or, with
REPLYBY_TEST_DSN, any other whose user may create databases.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import psutil
import pytest
from hypothesis import settings

from core import store
from core.store import migrate, pgbinaries, pgcluster
from core.store.postmaster import Postmaster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from _pytest.terminal import TerminalReporter

pytest.register_assert_rewrite("core.conformance")

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
# Who loses the machine has lost the tests too: nothing here need reach a disk.
HASTY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
MEMORY = Path("/dev/shm")
ROOM = 2 << 30

# Speed is measured by benchmarks; a busy machine is no reason for a property to fail.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_configure() -> None:
    """Refuse to test another tree: in a copy, `pytest` alone imports what is installed."""
    if Path(store.__file__).resolve().parents[2] != Path(__file__).resolve().parents[1]:
        raise pytest.UsageError("core comes from another tree: run `python -m pytest` from here")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--torture", action="store_true", help="the long form of tests that have one; takes hours"
    )


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print what tests have told (`tell`) as a table, the figures of bad days among it."""
    reports = [r for told in terminalreporter.stats.values() for r in told]
    rows = [
        (report.nodeid.rpartition("::")[2], name, value)
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
    ]
    if rows:
        terminalreporter.section("told by the tests")
        terminalreporter.line("| test | what | seen |")
        terminalreporter.line("| --- | --- | --- |")
        for test, name, value in rows:
            terminalreporter.line(f"| {test} | {name} | {value} |")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        missing = ", ".join(name for name in mark.args if shutil.which(name) is None)
        if missing and os.environ.get("CI"):
            pytest.fail(f"not installed: {missing} (.ci/programs)", pytrace=False)
        if missing:
            pytest.skip(f"not installed: {missing} (.ci/programs)")
    for mark in item.iter_markers("needs_shared"):
        absent = ", ".join(str(name) for name in mark.args if not (SHARED / name).exists())
        if absent:
            pytest.skip(f"not beside this repository, in ../shared: {absent}")


@pytest.fixture
def long_form(pytestconfig: pytest.Config) -> bool:
    """Whether the long form of a test is asked for: `make torture`."""
    return bool(pytestconfig.getoption("--torture"))


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str, object], None]:
    """Tell a figure, `tell("kills", 25)`: it stands in the table at the end of the run."""
    return record_property


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that PostgreSQL's user may enter too, unlike `tmp_path`."""
    with opened_place() as path:
        yield path


@pytest.fixture(scope="session")
def long_place() -> Iterator[Path]:
    """Such a directory for what several tests share."""
    with opened_place() as path:
        yield path


@pytest.fixture(scope="session")
def server() -> Iterator[store.Address]:
    """A server on which databases may be created."""
    if dsn := os.environ.get("REPLYBY_TEST_DSN"):
        yield {"dsn": dsn}
        return
    with opened_place() as path, asyncio.Runner() as runner:
        home, user = pgcluster.settle(path / "var", elsewhere=path / "lib")
        binaries = pgbinaries.prepare(user, elsewhere=path / "lib")
        word = pgcluster.password(home)
        runner.run(pgcluster.create(home, binaries, word))
        sockets = pgcluster.socket_directory(home, user)
        postmaster = Postmaster(home, binaries, sockets, HASTY)
        runner.run(postmaster.ready())
        yield {
            "host": str(sockets),
            "user": pgcluster.ROLE,
            "password": word,
            "database": "postgres",
        }
        runner.run(postmaster.stop())


@pytest.fixture(scope="session")
def template(server: store.Address) -> Iterator[str]:
    """The name of a database with every migration applied."""
    name = f"replyby_{secrets.token_hex(6)}"
    with asyncio.Runner() as runner:
        runner.run(run_on(server, f"create database {name}"))
        runner.run(migrated({**server, "database": name}))
        yield name
        runner.run(run_on(server, f"drop database {name}"))


@pytest.fixture
async def address(server: store.Address, template: str) -> AsyncIterator[store.Address]:
    """A database of the test's own, migrated and empty."""
    name = f"replyby_{secrets.token_hex(6)}"
    await run_on(server, f"create database {name} template {template}")
    yield {**server, "database": name}
    await run_on(server, f"drop database {name} with (force)")


@pytest.fixture
async def pool(address: store.Address) -> AsyncIterator[store.Pool]:
    pool = await store.open_pool(address)
    yield pool
    await asyncio.wait_for(pool.close(), 5)


def memory_will_do() -> bool:
    """Whether there is room, and programs copied there would run: not so in most containers."""
    if not os.access(MEMORY, os.W_OK):
        return False
    may_execute = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    return may_execute and shutil.disk_usage(MEMORY).free > ROOM


@contextmanager
def opened_place() -> Iterator[Path]:
    base = MEMORY if memory_will_do() else Path(tempfile.gettempdir())
    for left in base.glob("replyby-tests-*"):  # by tests that were killed
        if not psutil.pid_exists(int(left.name.split("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    path = Path(tempfile.mkdtemp(prefix=f"replyby-tests-{os.getpid()}-", dir=base))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path)


@asynccontextmanager
async def connected(address: store.Address) -> AsyncIterator[store.Db]:
    connection = await asyncpg.connect(**address)
    try:
        yield connection
    finally:
        await connection.close()


async def run_on(address: store.Address, statement: str) -> None:
    async with connected(address) as db:
        await db.execute(statement)


async def migrated(address: store.Address) -> None:
    async with connected(address) as db:
        await migrate.apply(db)
