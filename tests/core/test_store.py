from __future__ import annotations

import asyncio
import time

import pytest

from core import store
from core.errors import StoreImpaired, StoreUnavailable
from core.store import transaction
from tests.core.silent import silent


async def idle_for_too_long(pool, *, stopped: bool) -> None:
    async with transaction(pool) as db:
        await db.execute("set local idle_in_transaction_session_timeout = '50ms'")
        if stopped:
            time.sleep(0.3)  # noqa: ASYNC251  # as a stopped process: nothing is read meanwhile
        else:
            await asyncio.sleep(0.3)
        await db.execute("select 1")


async def test_a_stopped_process_holds_its_locks_for_half_a_minute_and_no_longer(pool):
    async with pool.acquire() as db:
        assert await db.fetchval("show idle_in_transaction_session_timeout") == "30s"


@pytest.mark.parametrize("stopped", [False, True])
async def test_who_goes_on_after_that_finds_the_database_away_and_then_there(pool, stopped):
    with pytest.raises(StoreUnavailable):
        await idle_for_too_long(pool, stopped=stopped)

    async with transaction(pool) as db:
        assert await db.fetchval("select 1") == 1


@pytest.mark.parametrize(
    "state", ["53100", "53200", "58000", "58030", "58P01", "XX001", "XX002", "25006"]
)
async def test_a_database_that_cannot_do_its_work_is_waited_for(pool, state):
    """A full disk, files that are gone, cannot be read, are damaged; a server that only reads."""
    with pytest.raises(StoreImpaired):
        async with transaction(pool) as db:
            await db.execute(f"do $$ begin raise exception using errcode = '{state}'; end $$")


@pytest.mark.parametrize("state", ["53300", "57P03"])
async def test_a_database_that_takes_nobody_is_away(pool, state):
    with pytest.raises(StoreUnavailable) as told:
        async with transaction(pool) as db:
            await db.execute(f"do $$ begin raise exception using errcode = '{state}'; end $$")
    assert told.type is StoreUnavailable


async def test_a_database_that_does_not_answer_is_told_with_a_reason(monkeypatch):
    monkeypatch.setattr(store, "CONNECT_SECONDS", 0.2)
    async with silent() as port:
        address = {"host": "127.0.0.1", "port": port, "user": "x", "ssl": False}
        with pytest.raises(StoreUnavailable) as told:
            await store.connect(address)

    assert str(told.value) == "TimeoutError: no answer in time"
