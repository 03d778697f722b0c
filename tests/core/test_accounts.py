from __future__ import annotations

import asyncio

import pytest

from core.errors import LeaseLost
from core.model import Stream
from core.store import accounts, streams, tally, transaction
from sla.clock import Given
from sla.policy import ThreadKind
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, monitored, seller, setup, stored, thread

DAY = 24 * HOUR


@pytest.fixture
async def db(pool):
    async with pool.acquire() as db:
        yield db


async def test_an_account_is_monitored_since_its_row_was_made(pool, now):
    assert (await monitored(pool, now)).added == {"mk"}
    assert (await monitored(pool, now + HOUR)).added == frozenset()

    [row] = await pages.rows(pool, "account")
    assert row["monitored_since"] == now


async def test_changed_settings_change_the_row(pool, now):
    await monitored(pool, now)
    changed = setup("mk", Stream("threads", HOUR), budget="new", marketplace="conrad")

    await monitored(pool, now + HOUR, changed)

    [row] = await pages.rows(pool, "account")
    assert (row["marketplace"], row["budget_key"]) == ("conrad", "new")
    assert (await pages.rows(pool, "stream"))[0]["interval"] == HOUR


async def test_a_clock_due_before_the_account_was_monitored_is_history(pool, now):
    await monitored(pool, now)

    await stored(pool, now, buyer("M1", now - 2 * DAY, "A"), buyer("M2", now - HOUR, "B"))

    found = await pages.rows(pool, "clock")
    assert [(row["history"], row["next_alert_at"] is None) for row in found] == [
        (True, True), (False, False),
    ]  # fmt: skip


async def test_an_account_that_left_is_not_read_and_its_clocks_are_void(pool, db, now):
    await monitored(pool, now - DAY)
    await stored(
        pool, now, buyer("M1", now - HOUR, "A"), buyer("M2", now - HOUR, "B"),
        seller("M3", now, "B"),
    )  # fmt: skip

    done = await monitored(pool, now + MINUTE, setup("other"))

    assert done.retired == {"mk": 1}
    assert await pages.clock_rows(pool) == [
        ("A", "M1", "void", "account_retired"), ("B", "M2", "met", None),
    ]  # fmt: skip
    assert (await tally.counts(db))["mk", "first_reply", "void"] == 1
    [entry] = [e for e in await pages.rows(pool, "clock_entry") if e["at"] == now + MINUTE]
    assert entry["after"] == {"ended": "void", "reason": "account_retired"}
    leases = await streams.claim(db, 1, 10, MINUTE)
    assert [lease.account for lease in leases] == ["other"]
    assert (await monitored(pool, now + HOUR, setup("other"))).retired == {}


async def test_a_superseded_clock_of_an_account_that_left_is_not_counted(pool, db, now):
    await monitored(pool, now - DAY)
    deadline = Given("claim", "approve", asks=True, as_of=now, read_at=now, due_at=now + DAY)
    claim = thread("A", as_of=now, kind=ThreadKind.CLAIM)
    await stored(pool, now, claim, buyer("M1", now - HOUR, "A"), ("A", deadline))

    done = await monitored(pool, now + MINUTE, setup("other"))

    assert done.retired == {"mk": 1}
    assert await tally.counts(db) == {("mk", "given", "started"): 1, ("mk", "given", "void"): 1}
    assert {row[2:] for row in await pages.clock_rows(pool)} == {("void", "account_retired")}


async def test_what_is_just_being_read_of_it_is_dropped(pool, db, now):
    await monitored(pool, now - DAY)
    [lease] = await streams.claim(db, 1, 1, MINUTE)

    await monitored(pool, now, setup("other"))

    with pytest.raises(LeaseLost):
        await streams.hold(db, lease, MINUTE)


async def test_an_account_that_returns_is_monitored_anew(pool, now):
    await monitored(pool, now - 10 * DAY)
    await stored(pool, now, buyer("M1", now - 3 * DAY, "A"), buyer("M2", now, "B"))
    await monitored(pool, now, setup("other"))

    back = await monitored(pool, now + HOUR)
    await stored(pool, now + HOUR, buyer("M4", now, "A"), buyer("M5", now, "B"))

    assert back.returned == {"mk"}
    [row] = [r for r in await pages.rows(pool, "account") if r["name"] == "mk"]
    assert (row["monitored_since"], row["retired_at"]) == (now + HOUR, None)
    found = {row["thread"]: row for row in await pages.rows(pool, "clock")}
    assert (found["A"]["ended"], found["A"]["history"]) == (None, True)
    assert (found["B"]["ended"], found["B"]["history"]) == (None, False)


async def test_a_stream_that_left_is_not_read_and_holds_up_no_breach(pool, db, now):
    await monitored(pool, now, setup("mk", Stream("a", MINUTE), Stream("b", MINUTE)))
    await monitored(pool, now, setup("mk", Stream("a", MINUTE)))

    assert [lease.stream for lease in await streams.claim(db, 1, 10, MINUTE)] == ["a"]
    assert [r["carries_clocks"] for r in await pages.rows(pool, "stream")] == [True, False]

    await monitored(pool, now, setup("mk", Stream("a", MINUTE), Stream("b", MINUTE)))
    assert [lease.stream for lease in await streams.claim(db, 1, 10, MINUTE)] == ["b"]


@pytest.mark.parametrize("refused", ["bad_credentials", "forbidden"])
async def test_a_start_tries_a_refused_key_again_and_leaves_a_backoff_alone(pool, db, now, refused):
    await monitored(pool, now, setup("a", budget="a"), setup("b", budget="b"))
    for lease in await streams.claim(db, 1, 10, MINUTE):
        health = refused if lease.account == "a" else "unreachable"
        await streams.fail(db, lease, health, "", now, HOUR)

    await monitored(pool, now, setup("a", budget="a"), setup("b", budget="b"))

    assert [lease.account for lease in await streams.claim(db, 1, 10, MINUTE)] == ["a"]


async def test_two_daemons_that_start_together_make_one_set_of_rows(pool, now):
    setups = [setup(f"a{n}", budget=f"b{n}") for n in range(10)]

    done = await asyncio.gather(*(monitored(pool, now, *setups) for _ in range(4)))

    assert sum(len(each.added) for each in done) == len(await pages.rows(pool, "stream")) == 10


async def test_unanswered_breaches_waiting_for_their_notice_are_not_told_of_a_retired_account(
    pool, now
):
    await monitored(pool, now - 10 * DAY)
    await stored(pool, now - 2 * DAY, buyer("M1", now - 3 * DAY + HOUR))
    await seeds.watched(pool, seeds.rules(), now - DAY)
    async with transaction(pool) as db:
        assert [state for _, _, state in await seeds.dispatches(db)] == ["waits"]

    await monitored(pool, now, setup("other"))

    async with transaction(pool) as db:
        assert [state for _, _, state in await seeds.dispatches(db)] == ["ended"]
        assert await accounts.standing(db, "mk") is None
