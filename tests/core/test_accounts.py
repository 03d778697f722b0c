from __future__ import annotations

import asyncio
from dataclasses import replace

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


HOOKS = Stream("hooks", HOUR, carries_clocks=False)


def pushed(*streams):
    """An account of which these *streams* alone are read; the clocks of its messages are pushed."""
    return replace(setup("mk"), streams=streams)


async def first_walks(pool):
    return {row["name"]: row["first_walk_at"] for row in await pages.rows(pool, "account")}


@pytest.mark.parametrize("streams", [(), (HOOKS,)], ids=["no stream", "a stream without clocks"])
async def test_where_pushes_alone_start_clocks_no_first_walk_is_waited_for(pool, now, streams):
    """What has passed since is told at once, by itself, not in the digest of a first walk."""
    await monitored(pool, now - 9 * DAY, pushed(*streams), setup("other"))
    async with transaction(pool) as db:
        await seeds.put_thread(db, now)
        await seeds.put_message(db, now - HOUR)
        steps = [now - 30 * MINUTE, now - 2 * MINUTE]
        await seeds.put_clock(db, steps[-1], started_at=now - HOUR, steps=steps)

    await seeds.watched(pool, seeds.rules(says={"receives": True, "polled": False}), now)
    await monitored(pool, now, pushed(*streams), setup("other"))

    assert await first_walks(pool) == {"mk": now - 9 * DAY, "other": None}
    assert [row["digest"] for row in await pages.rows(pool, "dispatch")] == [None]


async def test_a_first_walk_is_over_once_nothing_is_left_to_walk(pool, now):
    """Its polls are taken out of the settings, or a version before this one had made its row."""
    await monitored(pool, now - DAY, pushed(Stream("threads", MINUTE), HOOKS))
    assert await first_walks(pool) == {"mk": None}

    await monitored(pool, now, pushed(HOOKS))

    assert await first_walks(pool) == {"mk": now}


async def test_an_account_of_pushes_that_returns_has_no_first_walk_either(pool, now):
    await monitored(pool, now - DAY, pushed(HOOKS))
    await monitored(pool, now - HOUR, setup("other"))

    await monitored(pool, now, pushed(HOOKS))

    assert await first_walks(pool) == {"mk": now, "other": None}


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
