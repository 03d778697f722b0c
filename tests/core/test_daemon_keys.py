"""The daemon makes the keys by which buyers are known of threads that were stored without them."""

from __future__ import annotations

import asyncio

import pytest

from core import store
from tests.core.terminal import dsn_of
from tests.core.test_daemon import Daemon

pytestmark = [pytest.mark.paired, pytest.mark.timeout(90)]

ABOUT_ORDERS = "select count(*), count(keys) from thread where order_ids <> '{}'"
BEFORE = "update thread set keys = null"


@pytest.fixture
def daemons(tmp_path, address):
    found = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        found.append(Daemon(tmp_path / name, dsn_of(address)))
    yield found
    for daemon in found:
        if daemon.process is not None:
            daemon.process.kill()
            daemon.process.wait()


@pytest.fixture
def ask(address):
    def ask(query):
        async def connected():
            db = await store.connect(address)
            try:
                return [tuple(row) for row in await db.fetch(query)]
            finally:
                await db.close()

        return asyncio.run(connected())

    return ask


def test_a_second_daemon_makes_what_was_stored_without_keys(daemons, ask):
    first, second = daemons
    first.start()
    first.until(first.is_ready)
    first.until(lambda: ask(ABOUT_ORDERS)[0][0] > 0)
    first.until(lambda: ask("select bool_and(keyed) from account") == [(True,)])
    assert ask("select count(*) from thread where order_ids <> '{}' and keys is null") == [(0,)]
    ask(BEFORE)
    ask("update account set keyed = false")

    second.start()
    second.until(lambda: ask("select bool_and(keyed) from account") == [(True,)])

    [(threads, keyed)] = ask(ABOUT_ORDERS)
    assert threads == keyed > 0
    assert not first.said("round failed")
    assert not second.said("round failed")
