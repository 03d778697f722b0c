"""What is dumped comes back: all of it, on another major version, or not at all."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import subprocess
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from random import Random

import asyncpg
import pytest

from core import store
from core.errors import Mistaken
from core.store import (
    catalogue,
    dumpfile,
    dumping,
    migrate,
    pgbinaries,
    restoring,
    settling,
    workers,
)
from tests.conftest import connected, run_on
from tests.core import other_major, seeds

EVERY_TYPE = """
    insert into message (account, id, thread, party, kind, addressed_to, delivery, origin, sent_at,
                         seen_at, body, attachments, hash)
    values ('mk', 'odd', 'T1', 'buyer', 'message', '{buyer,"a, b",NULL}', null, 'elsewhere',
            '0001-01-01 00:00:00+00', 'infinity',
            E'\\\\.\n\\\\N\ttab \r\n\\\\ back', '[{"name": "a\\\\b", "n": 1.5}]',
            '\\x00ff5c0a2e')
"""


def quiet(table, rows):
    """Says nothing."""


@asynccontextmanager
async def another(server):
    """An empty database on the same server."""
    name = "replyby_other"
    await run_on(server, f"create database {name}")
    try:
        async with opened({**server, "database": name}) as db:
            yield db
    finally:
        await run_on(server, f"drop database {name} with (force)")


@asynccontextmanager
async def opened(address):
    db = await store.connect(address)
    try:
        yield db
    finally:
        await db.close()


@pytest.fixture
async def db(address, now):
    """A database with a little of much."""
    async with opened(address) as connection:
        await seeds.put_account(connection, now)
        await seeds.put_stream(connection, now, seen_through=now)
        await seeds.put_thread(connection, now)
        await seeds.put_message(connection, now - timedelta(hours=1))
        await connection.execute(EVERY_TYPE)
        await seeds.put_clock(connection, now + timedelta(hours=4))
        yield connection


async def dumped(db, now):
    file = io.BytesIO()
    assert await dumping.dump(db, dumpfile.Writer(file), "1.2.3", now, quiet) == []
    return file.getvalue()


async def restored(db, dump, now):
    reader = dumpfile.Reader(io.BytesIO(dump), "x.dump")
    return await restoring.restore(db, reader, now, quiet)


async def content(db, *, apart=()):
    """Every row of every table, as text, but of tables that are *apart*."""
    found = {}
    for table in await catalogue.tables(db):
        if table.name not in dumping.LEFT_OUT | set(apart):
            columns = ", ".join(map(dumpfile.quoted, table.columns))
            rows = await db.fetch(f'select ({columns})::text as row from "{table.name}" order by 1')
            found[table.name] = [row["row"] for row in rows]
    return found


SETTLED = ("account", "stream", "budget")
"""Tables of which a restore changes rows, in a database where nothing waited to be sent."""


async def test_no_table_is_forgotten(pool):
    async with pool.acquire() as db:
        there = {table.name for table in await catalogue.tables(db)}

    assert there - {"schema_migration"} == catalogue.made(migrate.shipped())


async def test_a_table_comes_after_those_that_it_refers_to(pool):
    async with pool.acquire() as db:
        order = [table.name for table in await catalogue.tables(db)]
        needs = await db.fetch(catalogue.NEEDED)

    assert len(needs) > 3
    assert [tuple(n) for n in needs if order.index(n["needs"]) > order.index(n["name"])] == []


async def test_all_rows_come_back_as_they_were(db, server, now):
    before = await content(db, apart=SETTLED)
    dump = await dumped(db, now)

    async with another(server) as fresh:
        await restored(fresh, dump, now)

        assert await content(fresh, apart=SETTLED) == before
        assert await migrate.pending(fresh) == []
    assert len(before["message"]) == 2


@pytest.mark.needs(other_major.PROGRAM)
async def test_a_dump_goes_to_another_major_version_and_back(db, server, place, now):
    before = await content(db, apart=SETTLED)
    dump = await dumped(db, now)
    ours = await db.fetchval(migrate.SERVER) // 10_000
    with other_major.running(place) as dsn:
        async with opened({"dsn": dsn}) as other:
            assert await other.fetchval(migrate.SERVER) // 10_000 == other_major.major() != ours
            await restored(other, dump, now)
            there = await content(other, apart=SETTLED)
            back = await dumped(other, now)
    async with another(server) as fresh:
        await restored(fresh, back, now)

        assert await content(fresh, apart=SETTLED) == there == before


async def schema(address):
    """The schema as pg_dump writes it: every column, index, comment and default."""
    binaries = pgbinaries.shipped()
    environ = {"PGPASSWORD": str(address["password"]), "PATH": "/usr/bin:/bin"}
    said = await asyncio.to_thread(
        subprocess.run,
        [binaries / "pg_dump", "-s", "--no-owner", "--restrict-key=x", "-h", str(address["host"]),
         "-U", str(address["user"]), str(address["database"])],
        env=environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return said.stdout


async def test_tables_are_the_same_whether_built_at_once_or_one_by_one(address, server):
    """The restore builds them in one transaction, where indexes cannot be built beside others."""
    stepwise = await schema(address)
    async with another(server) as db:
        async with db.transaction():
            await migrate.build(db, migrate.shipped())

        assert await schema({**server, "database": "replyby_other"}) == stepwise
    assert stepwise.count("CREATE INDEX") > 20


async def test_empty_tables_make_room(db, address, server, now):
    """`replyby migrate` came first, as in a cluster where migrations are a step of their own."""
    before = await schema(address)
    async with another(server) as fresh:
        await migrate.apply(fresh)
        await restored(fresh, await dumped(db, now), now)

        assert await schema({**server, "database": "replyby_other"}) == before


async def test_what_holds_something_is_refused(db, now):
    before = await content(db)

    with pytest.raises(Mistaken, match="holds something already"):
        await restored(db, await dumped(db, now), now)

    assert await content(db) == before


async def test_beside_a_daemon_nothing_is_restored(db, server, now):
    dump = await dumped(db, now)
    async with another(server) as fresh:
        await migrate.apply(fresh)
        async with opened({**server, "database": "replyby_other"}) as daemon:
            await workers.register(daemon)
            with pytest.raises(Mistaken, match="a daemon works"):
                await restored(fresh, dump, now)


async def test_a_dump_that_is_cut_anywhere_leaves_nothing_behind(db, server, now):
    dump = await dumped(db, now)
    async with another(server) as fresh:
        for size in range(0, len(dump), len(dump) // 8):
            with pytest.raises(Mistaken, match=r"cut off or damaged|is no dump"):
                await restored(fresh, dump[:size], now)
            assert await catalogue.tables(fresh) == []


async def test_a_dump_of_which_a_byte_changed_leaves_nothing_behind(db, server, now):
    dump = await dumped(db, now)
    async with another(server) as fresh:
        for place in range(20, len(dump), len(dump) // 8):
            harmed = dump[:place] + bytes([dump[place] ^ 0x41]) + dump[place + 1 :]
            with pytest.raises(Mistaken):
                await restored(fresh, harmed, now)
            assert await catalogue.tables(fresh) == []


def rewritten(dump, *changes):
    text = gzip.decompress(dump)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return gzip.compress(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"my parcel, please", b"my parcel, prease"),  # a row of which the digest tells
        (b'COPY "account"', b'COPY "budget"'),
        (b"-- sequence ", b"-- sequense "),
        (b'"value": 1}', b'"value": 2}'),
        (b"\n-- end", b"\n-- more {}\n-- end"),
    ],
)
async def test_what_was_changed_by_hand_is_refused(db, server, now, old, new):
    dump = await dumped(db, now)
    async with another(server) as fresh:
        with pytest.raises(Mistaken, match="cut off or damaged"):
            await restored(fresh, rewritten(dump, (old, new)), now)

        assert await catalogue.tables(fresh) == []


async def test_no_change_of_the_text_goes_unnoticed(db, now):
    """By chance: something is left out, doubled, or other; gzip's own digest is right each time."""
    text, random = gzip.decompress(await dumped(db, now)), Random(20261123)
    for _ in range(400):
        begin = random.randrange(len(text))
        end = min(len(text), begin + random.randrange(60))
        new = random.choice([b"", text[begin:end] * 2, random.randbytes(end - begin), b"\\.\n"])
        if new != text[begin:end]:
            harmed = gzip.compress(text[:begin] + new + text[end:], 1)
            with pytest.raises(Mistaken):
                dumpfile.Reader(io.BytesIO(harmed), "x.dump").verify()


async def test_a_dump_of_a_newer_program_is_refused_by_its_version(db, server, now):
    [(_, name, _)] = [(m.version, m.name, m.sha256) for m in migrate.shipped()[-1:]]
    newer = rewritten(
        await dumped(db, now), (f'"{name}"'.encode(), b'"9999_x.sql"'),
        (f"[{migrate.shipped()[-1].version}, ".encode(), b"[9999, "),
    )  # fmt: skip
    async with another(server) as fresh:
        with pytest.raises(Mistaken, match=r"made by replyby 1\.2\.3 and has 9999_x\.sql"):
            await restored(fresh, newer, now)


@pytest.mark.parametrize(
    "text", [b"", b"PGDMP", b"-- replyby dump 1 {}\n", gzip.compress(b"hello\n", mtime=0)]
)
def test_a_foreign_file_is_refused(text):
    with pytest.raises(Mistaken, match="is no dump of replyby"):
        dumpfile.Reader(io.BytesIO(text), "x.dump")


def test_another_format_is_refused_by_name():
    text = gzip.compress(b"-- replyby dump 2 {}\n")

    with pytest.raises(Mistaken, match="has format 2, this version reads 1"):
        dumpfile.Reader(io.BytesIO(text), "x.dump")


async def test_an_older_schema_is_filled_and_then_migrated(server, now):
    """A dump of the first schema: what later migrations compute from rows is computed."""
    async with another(server) as old:
        await migrate.apply(old, migrate.shipped()[:1])
        await seeds.put_account(old, now)
        await seeds.put_thread(old, now)
        number = await old.fetchval(
            "insert into clock (account, thread, promise, waits_for, metric, members, started_by,"
            " started_at, due_at, due_from, steps, next_alert_at) values ('mk', 'T1', 'p', 'buyer',"
            " 'first_reply', '{M1}', 'M1', $1, $2, 'policy', array[$2::timestamptz], $2)"
            " returning id", now, now + timedelta(hours=1),
        )  # fmt: skip
        dump = await dumped(old, now)
    async with another(server) as fresh:
        await restored(fresh, dump, now)

        assert await migrate.pending(fresh) == []
        assert await fresh.fetchval("select clock from alarm") == number


async def test_a_dump_is_of_one_instant(db, address, now):
    """What is committed while tables are written is in none of them."""
    file, numbers = io.BytesIO(), count()
    async with connected(address) as other:

        class Slow(dumpfile.Writer):
            async def take(self, rows):
                await super().take(rows)
                await seeds.put_thread(other, now, f"T-{next(numbers)}")
                await other.execute("insert into push_hour values ('mk', clock_timestamp(), 1)")

        await dumping.dump(db, Slow(file), "1.2.3", now, quiet)

    found = dumpfile.Reader(io.BytesIO(file.getvalue()), "x").verify()
    assert await db.fetchval("select count(*) from push_hour") > 0
    assert (found["thread"], found["push_hour"]) == (1, 0)


class Full(io.RawIOBase):
    """A disk that takes no more."""

    def write(self, squeezed):
        if squeezed:
            raise OSError(28, "No space left on device")
        return 0


async def test_a_disk_that_fills_up_meanwhile_is_no_fault_of_the_database(db, now):
    noise = "insert into raw_message select 'mk', n::text, now(), sha256(n::text::bytea) from"
    await db.execute(f"{noise} generate_series(1, 40000) as n")

    with pytest.raises(Mistaken, match="cannot be written: No space left on device"):
        await dumping.dump(db, dumpfile.Writer(Full()), "1", now, quiet)


async def test_what_somebody_else_keeps_there_is_left_out_and_named(db, now):
    await db.execute("create table theirs (secret text)")
    await db.execute("insert into theirs values ('not ours to tell')")
    file = io.BytesIO()

    assert await dumping.dump(db, dumpfile.Writer(file), "1", now, quiet) == ["theirs"]

    assert b"not ours to tell" not in gzip.decompress(file.getvalue())


async def test_an_empty_database_is_no_dump(server, now):
    async with another(server) as fresh:
        with pytest.raises(Mistaken, match="nothing to dump"):
            await dumped(fresh, now)


async def test_psql_reads_a_dump_too(db, server, now):
    """Without replyby: into tables that its migrations have made."""
    dump = gzip.decompress(await dumped(db, now))
    async with another(server) as fresh:
        await migrate.apply(fresh)
        address = {**server, "database": "replyby_other"}
        await asyncio.to_thread(
            subprocess.run,
            [pgbinaries.shipped() / "psql", "-v", "ON_ERROR_STOP=1", "-qX", "-h",
             str(address["host"]), "-U", str(address["user"]), str(address["database"])],
            input=dump, env={"PGPASSWORD": str(address["password"]), "PATH": "/usr/bin:/bin"},
            capture_output=True, check=True,
        )  # fmt: skip

        assert await content(fresh) == await content(db)


def test_a_manifest_says_what_the_dump_is_of(now):
    file = io.BytesIO()
    writer = dumpfile.Writer(file)
    said = dumpfile.Manifest(now, "1", 180_000, (dumpfile.Applied(1, "0001_a.sql", "ff"),), (), 2)
    writer.begin(said)
    writer.end()

    assert dumpfile.Reader(io.BytesIO(file.getvalue()), "x").manifest == said
    first = gzip.decompress(file.getvalue()).decode().splitlines()[0]
    assert json.loads(first.removeprefix("-- replyby dump 1 "))["program"] == "1"


async def test_numbers_go_on_far_beyond_those_that_may_have_been_given(db, server, now):
    dump = await dumped(db, now)
    async with another(server) as fresh:
        await restored(fresh, dump, now)
        await seeds.put_thread(fresh, now, "T2")

        assert await seeds.put_clock(fresh, now, thread="T2") == settling.GENERATION + 1


@pytest.mark.parametrize("number", [0, 1, 499_999_999, 500_000_000, 999_999_999, 1_000_000_000])
def test_numbers_leave_room_for_what_was_given_since(number):
    beyond = settling.beyond(number)

    assert beyond % settling.GENERATION == 0
    assert beyond - number >= settling.GENERATION // 2


async def test_a_closed_connection_is_told_as_the_databases(db, server, now):
    dump = await dumped(db, now)
    async with another(server) as fresh:
        pid = fresh.get_server_pid()
        await db.execute("select pg_terminate_backend($1)", pid)
        with pytest.raises((store.StoreUnavailable, asyncpg.PostgresError)):
            await restored(fresh, dump, now)
