"""What a return and a promise of an earlier date change for threads that nobody touches again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import ingest, settings
from core.running import takeover
from core.store import accounts, tally, transaction
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, seller
from tests.core.test_settings import GOOD, SPECS

ENVIRON = {"SHOP_KEY": "k"}
DAY = 24 * HOUR
AWAY = GOOD.replace("[accounts.shop-fr", "[accounts.shop-de")


@pytest.fixture
def taken(tmp_path, pool):
    """Takes settings over at an instant; the rules."""

    async def taken(at, text=GOOD):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        found = settings.load(path, SPECS, ENVIRON, sandbox=False, now=at)
        return await takeover.take_over(pool, found, at)

    return taken


def with_goal(dates=""):
    """The settings with another goal of the account, which has dates of its own."""
    quick = f'[policies.quick]\nreply_within = "2h"\n{dates}\n'
    return GOOD.replace('goals = ["ours-4h"]', 'goals = ["ours-4h", "quick"]') + quick


async def stored(pool, rules, at, *items):
    return await pages.stored(pool, at, *items, of=rules, account="shop-fr")


async def contract(pool):
    """The clock of the marketplace's contract, by thread."""
    found = await pages.rows(pool, "clock")
    return {row["thread"]: row for row in found if row["promise"] == "shop-acme"}


async def goals(pool):
    found = await pages.rows(pool, "clock")
    return {row["thread"]: row for row in found if row["promise"] == "quick"}


async def test_what_waits_when_an_account_returns_runs_again_though_no_page_changes(
    pool, taken, now
):
    message = buyer("M1", now + HOUR, "A")
    await stored(pool, await taken(now), now + HOUR, message)
    await taken(now + 2 * HOUR, AWAY)
    assert (await contract(pool))["A"]["reason"] == "account_retired"

    rules = await taken(now + 2 * HOUR + MINUTE)
    again = await stored(pool, rules, now + 3 * HOUR, message)

    assert (again.repeated, again.changed) == (1, 0)
    row = (await contract(pool))["A"]
    assert (row["ended"], row["reason"], row["history"]) == (None, None, False)
    assert row["next_alert_at"] == row["started_at"] + DAY / 2
    await seeds.watched(pool, rules, now + 30 * HOUR)
    assert "breach" in {notice["kind"] for notice in await pages.rows(pool, "notice")}


async def test_what_was_due_while_it_was_away_is_history_and_in_the_summary(pool, taken, now):
    await stored(pool, await taken(now), now + HOUR, buyer("M1", now, "A"))
    await taken(now + 2 * HOUR, AWAY)

    await taken(now + 2 * DAY)

    row = (await contract(pool))["A"]
    assert (row["ended"], row["history"], row["next_alert_at"]) == (None, True, None)
    async with transaction(pool) as db:
        assert await accounts.end_first_walk(db, "shop-fr", now + 2 * DAY) == 1


async def test_a_goal_of_an_earlier_date_counts_at_once_for_what_waits_since_then(pool, taken, now):
    rules = await taken(now)
    await stored(pool, rules, now + 4 * HOUR, buyer("M1", now + HOUR, "A"))
    await stored(pool, rules, now + 4 * HOUR, buyer("M2", now + 4 * HOUR, "B"))
    date = (now + 2 * HOUR).isoformat()

    await taken(now + 5 * HOUR, with_goal(f"effective_from = {date}"))

    found = await goals(pool)
    assert found.keys() == {"B"}
    assert found["B"]["due_at"] == now + 6 * HOUR


async def test_and_for_what_was_answered_since_then(pool, taken, now):
    messages = buyer("M1", now + HOUR, "A"), seller("M2", now + 4 * HOUR, "A")
    await stored(pool, await taken(now), now + 4 * HOUR, *messages)

    await taken(now + 5 * HOUR, with_goal(f"effective_from = {now.isoformat()}"))

    row = (await goals(pool))["A"]
    assert (row["ended"], row["breached_at"]) == ("late", now + 3 * HOUR)


async def test_a_goal_without_a_date_leaves_what_waits_alone(pool, taken, now):
    await stored(pool, await taken(now), now + HOUR, buyer("M1", now + HOUR, "A"))

    await taken(now + 2 * HOUR, with_goal())

    assert await goals(pool) == {}
    async with transaction(pool) as db:
        assert await accounts.outdated(db) == {}


async def test_what_was_broken_off_is_done_by_the_next_call_once(pool, taken, now):
    await stored(pool, await taken(now), now + HOUR, buyer("M1", now + HOUR, "A"))
    await pool.execute("delete from clock_entry")
    await pool.execute("delete from clock")
    async with transaction(pool) as db:
        await accounts.outdate(db, "shop-fr", now + timedelta(minutes=90))
        await accounts.outdate(db, "shop-fr", now + HOUR)
        await accounts.up_to_date(db, "shop-fr", now + timedelta(minutes=90))

    await taken(now + 2 * HOUR)
    assert (await contract(pool)).keys() == {"A"}

    await pool.execute("delete from clock")
    await taken(now + 2 * HOUR)
    assert await contract(pool) == {}


async def test_many_threads_are_recomputed_in_batches(pool, taken, now):
    count = ingest.BATCH + 1
    messages = [buyer(f"M{n}", now + HOUR, f"T{n}") for n in range(count)]
    await stored(pool, await taken(now), now + HOUR, *messages)
    await taken(now + 2 * HOUR, AWAY)

    await taken(now + 2 * HOUR + MINUTE)

    found = await contract(pool)
    assert len(found) == count
    assert {row["ended"] for row in found.values()} == {None}
    transactions = await pool.fetch("select distinct xmin::text from clock")
    assert len(transactions) == 2
    async with transaction(pool) as db:
        assert (await tally.counts(db))["shop-fr", "first_reply", "void"] == 2 * count
