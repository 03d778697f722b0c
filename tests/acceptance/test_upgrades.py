"""A new version beside the old one: who migrates, who waits, who goes on, and who is refused."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from core.store import catalogue, migrate
from tests.acceptance import market
from tests.acceptance.journey import journey_at
from tests.acceptance.postgres import postgres_at
from tests.acceptance.shop import Shop
from tests.conftest import connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.acceptance.journey import Journey

pytestmark = [pytest.mark.paired, pytest.mark.timeout(240)]

# What a version of tomorrow may bring: nobody of today knows any of it.
TOMORROW = [
    migrate.Migration(
        9001, "9001_a.sql", "-- expand\ncreate table tomorrow (id bigint primary key);"
    ),
    migrate.Migration(9002, "9002_b.sql", "-- expand\n" + "".join(
        f"alter table {table} add column mood text, add column rank integer not null default 0;\n"
        for table in sorted(catalogue.made(migrate.shipped()))
    )),
    migrate.Migration(
        9003, "9003_c.sql",
        "-- no-transaction\n-- expand\ncreate index concurrently if not exists message_mood"
        " on message (account, mood)",
    ),
]  # fmt: skip
PASSED = [migrate.Migration(9004, "9004_d.sql", "-- contract: needs 9002\ndrop table tomorrow;")]


@pytest.fixture
def journey(place) -> Iterator[Journey]:
    with ExitStack() as stack:
        server = stack.enter_context(postgres_at(place))
        found = stack.enter_context(journey_at(place, dsn="env:STORE_DSN", server=server))
        found.shop.environ["STORE_DSN"] = server.dsn()
        yield found


def applied(journey, migrations):
    """What somebody else's program applies meanwhile."""

    async def apply():
        async with connected(journey.address()) as db:
            return await migrate.apply(db, migrations)

    return asyncio.run(apply())


def test_two_migrators_and_a_daemon_at_once_apply_each_file_once(journey):
    shop = journey.shop
    command = [sys.executable, "-m", "core", "migrate"]
    shop.launch()
    both = [
        subprocess.Popen(command, cwd=shop.place, env=shop.environ, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]  # fmt: skip
    said = [process.communicate(timeout=90) for process in both]
    shop.until(lambda: shop.get("/readyz")[0] == 200, 60)

    assert [process.returncode for process in both] == [0, 0], said
    told = journey.value("select count(*) from schema_migration")
    assert told == len(migrate.shipped())
    by_daemon = shop.log().count('"schema migrated"')
    by_commands = sum(int(out.split()[0]) for out, _ in said if out[0].isdigit())
    assert by_daemon + by_commands == told


def test_a_daemon_that_does_not_migrate_waits_for_the_step_that_does(journey):
    shop = journey.shop
    shop.environ["REPLYBY_STORE__MIGRATE"] = "never"
    shop.launch()
    shop.until(lambda: "schema:" in shop.get("/readyz")[1], 60)

    status, said = shop.get("/readyz")
    assert status == 503
    assert said.splitlines()[0] == "schema: 0001_initial.sql is not applied"
    assert shop.get("/livez")[0] == 200
    assert not journey.value(migrate.EXISTS)
    assert "0001_initial.sql is not applied: replyby migrate" in shop.log()

    done = shop.command("migrate")
    assert (done.returncode, done.stdout) == (0, f"{len(migrate.shipped())} applied\n")
    shop.until(lambda: shop.get("/readyz")[0] == 200, 60)


def test_an_old_daemon_goes_on_beside_a_newer_schema_until_a_contraction_passes_it(journey):
    """Expand, then contract: the daemon works while each is applied beside it."""
    shop = journey.shop
    journey.begin()
    newer = [*migrate.shipped(), *TOMORROW]

    assert applied(journey, newer) == [9001, 9002, 9003]

    journey.seconds_until_told(30)
    assert shop.get("/readyz") == (200, "ready\n")
    done = shop.command("threads")
    assert done.returncode == 0, done.stderr
    shop.stop()
    shop.start()  # an old one that is started again beside it, too
    assert "database is newer, and says that we go on" in shop.log()
    journey.seconds_until_told(30)
    journey.settle()
    assert journey.told_twice() == {}
    assert journey.stored() == market.messages(journey.sandbox)
    assert "Traceback" not in shop.log()

    assert applied(journey, [*newer, *PASSED]) == [9004]

    assert shop.get("/readyz")[0] == 503
    again = Shop(shop.place, (shop.place / "settings.toml").read_text())
    again.environ = {**shop.environ, "REPLYBY_OPS__LISTEN": "127.0.0.1:0"}
    assert again.launch().wait(60) == 1
    assert "9004_d.sql, which this version does not know: run a newer one" in again.log()


def test_no_command_works_with_tables_that_are_missing(journey):
    done = journey.shop.command("threads")

    assert done.returncode == 1
    assert "run: replyby migrate" in done.stderr


def test_a_dump_of_newer_tables_is_left_to_the_newer_program(journey):
    applied(journey, [*migrate.shipped(), *TOMORROW])

    done = journey.shop.command("dump", "x.dump")

    assert done.returncode == 1
    assert "9003_c.sql, which this version does not know: dump it with the newer one" in done.stderr
    assert not (journey.shop.place / "x.dump").exists()
    assert list(journey.shop.place.glob("*.part")) == []
