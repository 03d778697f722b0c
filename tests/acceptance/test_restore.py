"""The disk is lost amid traffic, and a dump of some seconds before comes back.

What happened in between is known to buyers, people and the marketplace, and to nobody here: it is
stored again, a reply does not leave again, and nobody is told again but in one digest an account.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from core.loops import utcnow
from core.store import embedded as embedded_server
from tests.acceptance import books
from tests.acceptance.day import day_of, seed
from tests.acceptance.journey import home, journey_at
from tests.conftest import connected
from tests.core import other_major

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.acceptance.day import Day
    from tests.acceptance.shop import Shop

pytestmark = [pytest.mark.paired, pytest.mark.timeout(300)]

ONE_BY_ONE = frozenset({"warning", "breach"})
GENERATION = 1_000_000_000
OPEN = """
    select coalesce(d.digest, n.key) from dispatch d join notice n on n.id = d.notice
    where d.sent_at is null and d.suppressed is null
"""
WAITING = "select count(*) from reply where state in ('queued', 'sending')"
WAITED = "select body from reply where state in ('queued', 'sending')"


@dataclass(slots=True)
class Embedded:
    """`replyby dump` and `restore`, of the daemon's own database."""

    place: Path
    dsn: str = "embedded"

    def address(self) -> Mapping[str, Any]:
        raise AssertionError

    def dump(self, shop: Shop) -> None:
        done = shop.command("dump", "x.dump")
        assert done.returncode == 0, done.stderr
        assert (self.place / "x.dump").stat().st_mode & 0o777 == 0o600

    def lose(self) -> None:
        """The disk is gone, and the database with it."""
        home(self.place).directory.rename(self.place / "lost")  # its server is just ending

    def restore(self, shop: Shop) -> str:
        done = shop.command("restore", "x.dump")
        assert done.returncode == 0, done.stderr
        return done.stderr


@dataclass(slots=True)
class Server:
    """`pg_dump` and `pg_restore`, of a server of another major version than the wheel's."""

    place: Path
    there: str

    @property
    def dsn(self) -> str:
        return "env:STORE_DSN"

    @property
    def database(self) -> str:
        return self.there.replace("/postgres?", "/replyby?")

    def address(self) -> Mapping[str, Any]:
        return {"dsn": self.database}

    def run(self, program: str, *words: object) -> None:
        subprocess.run(
            [other_major.programs() / program, *map(str, words)],
            check=True, capture_output=True, env={"LC_ALL": "C"}, timeout=60,
        )  # fmt: skip

    def dump(self, shop: Shop) -> None:
        self.run("pg_dump", "-Fc", "-f", self.place / "x.pgdump", "-d", self.database)

    def lose(self) -> None:
        self.run("psql", "-qc", "drop database replyby with (force)", self.there)

    def restore(self, shop: Shop) -> str:
        self.run("psql", "-qc", "create database replyby", self.there)
        file = self.place / "x.pgdump"
        self.run("pg_restore", "--exit-on-error", "--single-transaction", "-d", self.database, file)
        done = shop.command("restored")
        assert done.returncode == 0, done.stderr
        return done.stderr


@contextmanager
def embedded(place: Path) -> Iterator[Embedded]:
    yield Embedded(place)


@contextmanager
def server(place: Path) -> Iterator[Server]:
    with other_major.running(place) as dsn:
        there = Server(place, dsn)
        there.run("psql", "-qc", "create database replyby", dsn)
        yield there


@pytest.fixture(
    params=[embedded, pytest.param(server, marks=pytest.mark.needs(other_major.PROGRAM))],
    ids=["dump", "pg_dump"],
)
def kept(request, place):
    with request.param(place) as there:
        yield there


@pytest.fixture
def day(place, kept, tell) -> Iterator[Day]:
    number = seed()
    tell("REPLYBY_TEST_SEED repeats its chances", number)
    beside = kept if isinstance(kept, Server) else None
    with journey_at(place, dsn=kept.dsn, server=beside, promise="3s") as journey:
        if beside is not None:
            journey.shop.environ["STORE_DSN"] = beside.database
        yield from day_of(journey, number)


def one_by_one(told: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """What was told of deadlines by itself: what, of which thread, of which deadline."""
    return [(n["kind"], n["thread"], n["due_at"]) for n in told if n["kind"] in ONE_BY_ONE]


def test_what_comes_back_agrees_with_all_and_tells_nobody_twice(day, kept, tell):
    journey, shop = day.journey, day.journey.shop
    shop.start()
    day.begin()
    shop.until(lambda: journey.receiver.keys().total() > 5, 40)
    let_replies_wait(day)
    kept.dump(shop)
    let_replies_leave(day)
    at_dump = len(journey.receiver.told)
    journey.beside.run(day.desk.stop())  # nobody answers any more: who waits goes on waiting
    shop.until(lambda: breaches(journey.receiver.told[at_dump:]) > 3, 40)
    shop.kill()
    lost_at = utcnow()
    before, file_before = list(journey.receiver.told), shop.notices()
    kept.lose()

    said = kept.restore(shop)

    on_its_way = {key for (key,) in rows(day, kept, OPEN)}
    in_doubt = {body for (body,) in rows(day, kept, WAITED)}
    shop.start()
    day.settle()
    after, file_after = journey.receiver.told[len(before) :], shop.notices()[len(file_before) :]
    found = journey.beside.run(books.read(journey.address()))
    books.messages_are_stored(found, journey.sandbox)
    books.clocks_are_computed(found, journey.sandbox)
    assert day.settled_at is not None
    for old, new in ((before, after), (file_before, file_after)):
        again = {n["key"] for n in old} & {n["key"] for n in new}
        taken_back = {key for key in again if key.endswith("/corrected")}  # is learnt once more
        assert again <= on_its_way | taken_back, "told twice under one key"
        fresh = [n for n in new if n["key"] not in on_its_way]
        twice = Counter(one_by_one(old)) & Counter(one_by_one(fresh))
        assert twice == Counter(), "told one by one before and after"
        digests = Counter(n["account"] for n in new if n["kind"] == "digest")
        assert max(digests.values(), default=0) <= 1, digests
    left = Counter(reply.body for reply in journey.sandbox.replies)
    assert [body for body, n in left.items() if n > 1] == [], "a reply left twice"
    assert in_doubt & left.keys(), "a reply waited when the dump was made, and left afterwards"
    told = {row["key"] for row in found.told}
    for row in found.replies:
        if row["body"] in in_doubt:
            assert row["state"] == ("confirmed" if row["body"] in left else "unknown")
            assert f"reply:{row['id']}/unknown" in told
    young = [row.id for row in found.clocks if row.clock.started_at > lost_at]
    assert min(young) > GENERATION
    assert "Traceback" not in shop.log()
    tell(
        "told before the dump, since, after the restore",
        (at_dump, len(before) - at_dump, len(after)),
    )
    tell("digests after the restore", sum(n["kind"] == "digest" for n in after))
    tell("said", said.splitlines()[-4:])


@pytest.mark.parametrize("kept", [embedded], indirect=True, ids=["dump"])
def test_a_move_with_the_daemon_stopped_changes_nothing_for_anybody(day, kept):
    """To another machine, or another major version: all books agree as if it had gone on."""
    journey, shop = day.journey, day.journey.shop
    shop.start()
    day.begin()
    shop.until(lambda: journey.receiver.keys().total() > 5, 40)
    journey.beside.run(day.desk.stop())
    shop.until(lambda: journey.value(WAITING) == 0, 30)
    shop.stop()
    day.mark()
    kept.dump(shop)
    kept.lose()
    said = kept.restore(shop)
    shop.start()
    journey.seconds_until_told(30)
    day.settle()

    day.agrees()
    assert "replies that waited" not in said
    assert {name: sum(stretches) for name, stretches in day.again().items()} == {
        "hook": 0,
        "file": 0,
    }


def let_replies_wait(day):
    """Until one is queued that the marketplace takes only later."""
    journey = day.journey

    async def refuse():
        journey.sandbox.faults.order("status", status=429, retry_after=1, operation="M12")

    journey.beside.run(refuse())
    journey.shop.until(lambda: journey.value(WAITING) > 0, 30)


def let_replies_leave(day):
    """All that waited, as far as the marketplace saw."""
    journey = day.journey

    async def lift():
        journey.sandbox.faults.lift()

    waited = {body for (body,) in journey.rows(WAITED)}
    journey.beside.run(lift())
    journey.shop.until(lambda: waited <= {reply.body for reply in journey.sandbox.replies}, 30)


def breaches(told):
    return sum(notice["kind"] == "breach" for notice in told)


def rows(day, kept, query):
    """What *query* finds before the daemon starts."""
    if isinstance(kept, Server):
        return day.journey.rows(query)

    async def found():
        async with embedded_server.join(kept.place / "var") as address, connected(address) as db:
            return await db.fetch(query)

    return asyncio.run(found())
