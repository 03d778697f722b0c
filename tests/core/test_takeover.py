from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from core import settings, store
from core.connector import Capabilities, Credential
from core.running import takeover
from core.store import workers
from tests.core.test_settings import GOOD, SHOP, SPECS

ENVIRON = {"SHOP_KEY": "k"}
MARKED = replace(SHOP, name="marked", can=lambda _: Capabilities(own_mark=True))
WITHOUT = GOOD.replace("[accounts.shop-fr", "[accounts.shop-de")


@pytest.fixture
def read(tmp_path, now):
    def read(text=GOOD):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        return settings.load(path, {**SPECS, "marked": MARKED}, ENVIRON, sandbox=False, now=now)

    return read


async def test_the_settings_become_rows_and_rules(pool, read, now):
    with capture_logs() as lines:
        rules = await takeover.take_over(pool, read(), now)

    assert {p.name for p in rules.policies["shop-fr"]} == {"shop-acme", "ours-4h"}
    assert rules.accounts["shop-fr"].title == "Shop (FR)"
    assert await pool.fetchval("select name from account") == "shop-fr"
    assert await pool.fetchval("select stream from stream") == "messages"
    assert [line["event"] for line in lines] == ["account added"]


async def test_keys_that_end_become_rules_but_for_those_of_a_stand_in(read, now, tmp_path, pool):
    ends = Credential("client secret", now)
    ending = replace(SHOP, name="marked", credentials=lambda _: (ends,))
    path = tmp_path / "settings.toml"
    path.write_text(GOOD + KEYED)
    found = settings.load(path, {**SPECS, "marked": ending}, ENVIRON, sandbox=False, now=now)

    rules = await takeover.take_over(pool, found, now)

    assert rules.credentials == {"other": (ends,)}
    played = replace(
        found.accounts["other"],
        account=found.accounts["other"].account.model_copy(update={"sandbox": True}),
    )
    assert played.credentials == ()


KEYED = """
[accounts.other]
connector = "marked"
[accounts.other.options]
base_url = "https://other.example"
api_key = "env:SHOP_KEY"
"""
OURS = """
[policies.both]
role = "contract"
reply_within = "12h"

[accounts.other]
connector = "marked"
policies = ["both"]
[accounts.other.options]
base_url = "https://other.example"
api_key = "env:SHOP_KEY"
"""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", {"shop-fr": False, "other": True}),
        ("marketplace_mark = true", {"shop-fr": True, "other": True}),
        ("marketplace_mark = false", {"shop-fr": False, "other": False}),
    ],
)
async def test_a_contract_in_the_settings_keeps_each_marketplaces_own_mark(
    pool, read, now, written, expected
):
    """One contract, two connectors: where it is left open, each account's connector says."""
    text = GOOD.replace('goals = ["ours-4h"]', 'policies = ["both"]') + OURS
    text = text.replace('reply_within = "12h"', f'reply_within = "12h"\n{written}')

    await takeover.take_over(pool, read(text), now)
    rules = await takeover.follow(pool, read(text), now)

    found = {name: policies[0].marketplace_mark for name, policies in rules.policies.items()}
    assert found == expected
    assert await pool.fetchval("select count(*) from policy_version") == 1


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


REST = """
    update stream set health = $1, next_due = now() + interval '8 minutes',
        not_before = now() + interval '8 minutes', backoff_until = now() + interval '8 minutes'
"""
IS_DUE = "select next_due <= now() from stream"


@pytest.mark.parametrize("health", ["bad_credentials", "forbidden"])
async def test_what_was_refused_is_read_as_soon_as_new_settings_count(pool, read, now, health):
    await takeover.take_over(pool, read(), now)
    await pool.execute(REST, health)

    await takeover.read_anew(pool, read().accounts, read().accounts, now)

    assert await pool.fetchval(IS_DUE)


async def test_an_account_whose_options_changed_is_read_at_once(pool, read, now):
    """So that a key which was mistyped shows while somebody looks."""
    found = read()
    await takeover.take_over(pool, found, now)
    await pool.execute("update stream set next_due = now() + interval '4 minutes', health = 'ok'")

    await takeover.read_anew(pool, found.accounts, read().accounts, now)
    assert not await pool.fetchval(IS_DUE), "nothing has changed"

    other = read(GOOD.replace("https://shop.example", "https://other.example"))
    await takeover.read_anew(pool, found.accounts, other.accounts, now)
    assert await pool.fetchval(IS_DUE)


async def test_a_new_account_is_read_at_once_though_who_did_not_know_it_had_it_before(
    pool, read, now
):
    found = read()
    await takeover.take_over(pool, found, now)
    await pool.execute("update stream set next_due = now() + interval '1 minute'")

    await takeover.read_anew(pool, {}, found.accounts, now)

    assert await pool.fetchval(IS_DUE)
