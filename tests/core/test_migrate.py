from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from core import store
from core.errors import SchemaMismatch, StoreUnavailable, Unstorable
from core.store import migrate

if TYPE_CHECKING:
    from pathlib import Path

FIRST = "create table first_ (n integer);"
SECOND = "create table second_ (n integer);"
BUILD = f"{migrate.WITHOUT_TRANSACTION}\ncreate index concurrently if not exists i on first_ (n)"


def folder(path: Path, **texts: str) -> list[migrate.Migration]:
    path.mkdir(exist_ok=True)
    for name, text in texts.items():
        number, word = name.split("_")[1:]
        (path / f"{number}_{word}.sql").write_text(text)
    return migrate.read(path)


@pytest.fixture
async def empty(address):
    connection = await store.connect(address)
    await connection.execute("drop schema public cascade; create schema public")
    await connection.close()
    return address


@pytest.fixture
async def db(empty):
    connection = await store.connect(empty)
    yield connection
    await connection.close()


async def test_files_are_applied_in_order_and_once(db, tmp_path):
    found = folder(tmp_path, m_9001_b=SECOND, m_9000_a=FIRST, m_x_y="nonsense")

    assert await migrate.pending(db, found) == ["9000_a.sql", "9001_b.sql"]
    assert await migrate.apply(db, found) == [9000, 9001]
    assert await migrate.apply(db, found) == []
    assert await migrate.pending(db, found) == []


async def test_a_look_at_what_is_pending_writes_nothing(db):
    await migrate.pending(db)

    assert not await db.fetchval(migrate.EXISTS)


async def test_an_edited_file_is_refused_by_name(db, tmp_path):
    await migrate.apply(db, folder(tmp_path, m_9000_a=FIRST))

    edited = folder(tmp_path, m_9000_a=FIRST + " ")

    with pytest.raises(SchemaMismatch, match="9000_a"):
        await migrate.apply(db, edited)


async def test_a_newer_database_is_refused(db, tmp_path):
    newer = folder(tmp_path, m_9000_a=FIRST, m_9001_b=SECOND)
    await migrate.apply(db, newer)

    with pytest.raises(SchemaMismatch, match=r"9001_b\.sql, which this version does not know"):
        await migrate.pending(db, newer[:1])


EXPAND = "-- expand\n" + SECOND
THIRD = "create table third_ (n integer);"


async def test_an_older_program_goes_on_where_newer_migrations_only_expand(db, tmp_path):
    newer = folder(tmp_path, m_9000_a=FIRST, m_9001_b=EXPAND)
    await migrate.apply(db, newer)

    assert await migrate.pending(db, newer[:1]) == []
    assert await migrate.apply(db, newer[:1]) == []
    assert await migrate.ahead(db, newer[:1]) == ["9001_b.sql"]
    assert await migrate.ahead(db, newer) == []


@pytest.mark.parametrize(
    ("text", "goes_on"),
    [
        ("-- contract: needs 9000\n" + THIRD, True),
        ("-- contract: needs 9001\n" + THIRD, False),
        ("-- contract: needs 9002\n" + THIRD, False),
        ("-- expands something\n" + THIRD, False),
        (THIRD, False),
    ],
)
async def test_a_contraction_says_which_programs_go_on(db, tmp_path, text, goes_on):
    newer = folder(tmp_path, m_9000_a=FIRST, m_9001_b=EXPAND, m_9002_c=text)
    await migrate.apply(db, newer)

    if goes_on:
        assert await migrate.pending(db, newer[:1]) == []
    else:
        with pytest.raises(SchemaMismatch, match=r"9002_c\.sql, which this version does not know"):
            await migrate.pending(db, newer[:1])


async def test_one_that_builds_an_index_beside_others_may_expand(db, tmp_path):
    newer = folder(tmp_path, m_9000_a=FIRST, m_9001_b=BUILD.replace("\n", "\n-- expand\n", 1))
    await migrate.apply(db, newer)

    assert await migrate.pending(db, newer[:1]) == []


async def test_a_database_of_the_version_before_learns_to_say_what_it_needs(db, tmp_path):
    await db.execute(migrate.CREATE.replace(",\n        needs      integer", ""))
    newer = folder(tmp_path, m_9000_a=FIRST, m_9001_b=EXPAND)
    await migrate.apply(db, newer[:1])
    await db.execute("update schema_migration set needs = null")
    await migrate.apply(db, newer)

    assert [one.needs for one in await migrate.applied(db)] == [None, 0]


async def test_where_nothing_is_to_be_applied_nobody_is_waited_for(db, empty, tmp_path):
    """A daemon starts beside a dump that takes an hour."""
    found = folder(tmp_path, m_9000_a=FIRST)
    await migrate.apply(db, found)
    other = await store.connect(empty)
    async with migrate.unchanged(other):
        assert await asyncio.wait_for(migrate.apply(db, found), 10) == []
        async with migrate.unchanged(db):  # and several dumps go together
            pass
    await other.close()


async def test_a_migration_waits_for_a_dump(db, empty, tmp_path):
    other = await store.connect(empty)
    async with migrate.unchanged(other):
        applying = asyncio.create_task(migrate.apply(db, folder(tmp_path, m_9000_a=FIRST)))
        for _ in range(20):
            await asyncio.sleep(migrate.LOOK_EVERY / 4)
            assert not await other.fetchval(migrate.EXISTS)
    assert await asyncio.wait_for(applying, 10) == [9000]
    await other.close()


async def test_a_file_that_meets_a_deadlock_is_tried_again(db, empty, tmp_path):
    """Of two who wait for each other PostgreSQL ends one: here whoever waited first, the file."""
    first = folder(tmp_path, m_9000_a=FIRST, m_9001_b=SECOND)
    await migrate.apply(db, first)
    both = "alter table first_ add m int; alter table second_ add m int;"
    other = await store.connect(empty)
    await other.execute("set deadlock_timeout = '1min'")
    async with other.transaction():
        await other.execute("lock table second_ in share mode")
        applying = asyncio.create_task(migrate.apply(db, folder(tmp_path, m_9002_c=both)))
        while not await other.fetchval("select exists (select from pg_locks where not granted)"):
            assert not applying.done()
        await other.fetch("select from first_")

    assert await asyncio.wait_for(applying, 30) == [9002]
    await other.close()


async def test_two_files_with_one_number_are_refused(tmp_path):
    with pytest.raises(SchemaMismatch, match="9000"):
        folder(tmp_path, m_9000_a=FIRST, m_9000_b=SECOND)


async def test_a_file_that_fails_leaves_nothing_and_can_be_mended(db, tmp_path):
    broken = folder(tmp_path, m_9000_a=FIRST, m_9001_b=SECOND + "select 1/0;")
    with pytest.raises(Exception, match="division"):
        await migrate.apply(db, broken)

    mended = folder(tmp_path, m_9001_b=SECOND)

    assert await migrate.apply(db, mended) == [9001]


async def test_trap_10_three_at_once_apply_each_file_once_concurrent_index_included(
    empty, tmp_path
):
    found = folder(tmp_path, m_9000_a=FIRST, m_9001_b=BUILD)
    several = [await store.connect(empty) for _ in range(3)]

    applied = await asyncio.gather(*(migrate.apply(each, found) for each in several))

    assert sorted(version for each in applied for version in each) == [9000, 9001]
    for each in several:
        await each.close()


WAITING = "select wait_event_type = 'Lock' from pg_stat_activity where pid = $1"
WRITING = """
    do $$ declare name text; begin
        for name in select tablename from pg_tables where schemaname = 'public' loop
            execute format('lock table %I in row exclusive mode', name);
        end loop;
    end $$
"""


async def waits_or_is_done(db, other, task):
    while not task.done() and not await db.fetchval(WAITING, other.get_server_pid()):  # noqa: ASYNC110  # another process waits
        await asyncio.sleep(0.01)


async def test_what_is_new_holds_up_nobody_who_writes_meanwhile(db, empty):
    """A writer of the version before is in mid-transaction; another wants to commit a notice."""
    await migrate.apply(db, migrate.shipped()[:1])
    writer, other = [await store.connect(empty) for _ in range(2)]
    async with writer.transaction():
        await writer.execute(WRITING)
        applying = asyncio.create_task(migrate.apply(db))
        await asyncio.wait_for(waits_or_is_done(writer, db, applying), 10)
        assert not applying.done()

        async with other.transaction():
            await other.execute("set local lock_timeout = '1s'")
            await other.execute(WRITING)

    assert await asyncio.wait_for(applying, 10) == [m.version for m in migrate.shipped()[1:]]
    for each in (writer, other):
        await each.close()


async def test_a_build_that_was_cut_off_is_built_anew(db, empty, tmp_path):
    found = folder(tmp_path, m_9000_a=FIRST, m_9001_b=BUILD)
    await migrate.apply(db, found[:1])
    await db.execute("insert into first_ values (1), (1)")
    with pytest.raises(Exception, match="unique index"):
        await db.execute("create unique index concurrently i on first_ (n)")
    assert await db.fetchval(migrate.INVALID, "i")

    assert await migrate.apply(db, found) == [9001]

    assert await db.fetchval(migrate.INVALID, "i") is False


@pytest.mark.parametrize("first_line", ["", migrate.WITHOUT_TRANSACTION])
async def test_a_file_may_take_longer_than_any_command(empty, tmp_path, first_line):
    found = folder(tmp_path, m_9000_a=f"{first_line}\nselect pg_sleep(0.8)")
    hasty = await store.connect({**empty, "command_timeout": 0.4})

    assert await migrate.apply(hasty, found) == [9000]

    await hasty.close()


async def test_an_unreachable_database_says_that_the_store_is_unavailable(tmp_path):
    with pytest.raises(StoreUnavailable):
        await store.open_pool({"host": str(tmp_path), "port": 1})


async def test_a_lost_connection_says_that_the_store_is_unavailable(pool):
    async def cut() -> None:
        async with store.transaction(pool) as db:
            async with pool.acquire() as other:
                await other.execute("select pg_terminate_backend($1)", db.get_server_pid())
            await db.execute("select 1")

    with pytest.raises(StoreUnavailable):
        await cut()


async def test_jsonb_comes_back_as_it_went(pool):
    value = {"a": [1, None, "\u2603"]}
    async with store.transaction(pool) as db:
        assert value == await db.fetchval("select $1::jsonb", value)


async def test_what_the_database_cannot_hold_is_called_unstorable(pool):
    for value in ("\x00", "\ud800"):
        with pytest.raises(Unstorable) as caught, store.refusing():
            async with store.transaction(pool) as db:
                await db.fetchval("select $1::text", value)
        assert value not in str(caught.value)


@pytest.mark.parametrize("server", [140_000, 140_011, 170_002])
def test_a_server_that_is_new_enough_will_do(server):
    assert migrate.too_old(server) is None


@pytest.mark.parametrize(("server", "major"), [(130_018, "13"), (90_624, "9")])
def test_a_server_that_is_too_old_is_named_with_what_to_do(server, major):
    told = migrate.too_old(server)

    assert told == (
        f"the server is PostgreSQL {major}; replyby needs 14 or newer: upgrade the server"
    )


async def test_a_server_that_is_too_old_gets_no_tables(db, monkeypatch):
    monkeypatch.setattr(migrate, "OLDEST", 99)

    for act in (migrate.pending, migrate.apply):
        with pytest.raises(SchemaMismatch, match="needs 99 or newer"):
            await act(db)
