from __future__ import annotations

import asyncpg
import pytest

from core import store
from core.errors import StoreUnavailable

LAST_WORDS = """
    select query from pg_stat_activity
    where application_name = 'replyby tried' and datname = current_database()
"""


@pytest.fixture
async def tried(address):
    pool = await store.open_pool(address, size=1, name="replyby tried")
    yield pool
    await pool.close()


async def test_a_connection_goes_back_to_its_pool_without_a_word_to_the_server(tried, pool):
    async with store.transaction(tried) as db:
        await db.execute("select 1")
    said = await pool.fetchval(LAST_WORDS)
    async with store.statement(tried) as db:
        await db.execute("select 2")

    assert said.lower().startswith("commit")
    assert await pool.fetchval(LAST_WORDS) == "select 2"


async def test_a_statement_by_itself_is_a_transaction(tried, pool):
    async with store.statement(tried) as db:
        await db.execute("insert into budget (key, next_at) values ('a', now())")
        assert await pool.fetchval("select count(*) from budget") == 1


async def test_what_a_transaction_left_open_changed_is_rolled_back(tried, pool):
    async with store.transaction(tried) as db:
        await db.execute("insert into budget (key, next_at) values ('a', now())")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await db.execute("select 1 / 0")
    async with store.statement(tried) as db:
        assert await db.fetchval("select count(*) from budget") == 0


async def test_a_statement_says_that_the_database_is_away(tried):
    await tried.close()

    with pytest.raises(StoreUnavailable):
        async with store.statement(tried):
            pass
