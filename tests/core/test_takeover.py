from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from core import settings, store
from core.running import takeover
from core.store import workers
from tests.core.test_settings import GOOD, SPECS

ENVIRON = {"SHOP_KEY": "k"}
WITHOUT = GOOD.replace("[accounts.shop-fr", "[accounts.shop-de")


@pytest.fixture
def read(tmp_path, now):
    def read(text=GOOD):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        return settings.load(path, SPECS, ENVIRON, sandbox=False, now=now)

    return read


async def test_the_settings_become_rows_and_rules(pool, read, now):
    with capture_logs() as lines:
        rules = await takeover.take_over(pool, read(), now)

    assert {p.name for p in rules.policies["shop-fr"]} == {"shop-acme", "ours-4h"}
    assert rules.accounts["shop-fr"].title == "Shop (FR)"
    assert await pool.fetchval("select name from account") == "shop-fr"
    assert await pool.fetchval("select stream from stream") == "messages"
    assert [line["event"] for line in lines] == ["account added"]


async def test_an_account_that_left_is_retired_and_told_once(pool, read, now):
    await takeover.take_over(pool, read(), now)

    await takeover.take_over(pool, read(WITHOUT), now)
    await takeover.take_over(pool, read(WITHOUT), now)

    told = await pool.fetch("select kind, account, facts from notice")
    assert [tuple(row)[:2] for row in told] == [("account_retired", "shop-fr")]
    assert await pool.fetchval("select notifier from dispatch") == "log"


async def test_beside_a_running_daemon_a_command_retires_nothing(pool, address, read, now):
    await takeover.take_over(pool, read(), now)
    daemon = await store.connect(address)
    await workers.register(daemon)

    rules = await takeover.follow(pool, read(WITHOUT), now)

    assert dict(rules.accounts) == {}
    assert await pool.fetchval("select retired_at from account where name = 'shop-fr'") is None
    assert await pool.fetchval("select count(*) from account") == 1
    await daemon.close()


async def test_without_a_daemon_a_command_takes_over_itself(pool, read, now):
    rules = await takeover.follow(pool, read(), now)

    assert set(rules.accounts) == {"shop-fr"}
    assert await pool.fetchval("select count(*) from account") == 1
