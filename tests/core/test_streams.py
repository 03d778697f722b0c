from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from datetime import timedelta

import pytest

from core import store
from core.errors import LeaseLost
from core.model import HealthState, Stream
from core.store import budget, streams, transaction, wake, workers
from core.store.streams import Finished
from tests.core import pages
from tests.core.pages import HOUR, MINUTE, setup
from tests.core.seeds import SECOND

LEASE = 30 * SECOND


@pytest.fixture
async def db(pool):
    async with pool.acquire() as db:
        yield db


async def names(db, worker=1, limit=10):
    return [(one.account, one.stream) for one in await streams.claim(db, worker, limit, LEASE)]


async def put(pool, now, *setups):
    await pages.monitored(pool, now, *setups)


async def due_in(db, name="threads"):
    """Seconds until a stream is due, rounded."""
    wait = await db.fetchval("select next_due - now() from stream where stream = $1", name)
    return round(wait.total_seconds())


async def test_a_due_stream_is_leased_to_one_worker(pool, db, now):
    await put(pool, now)

    assert await names(db, 1) == [("mk", "threads")]
    assert await names(db, 2) == []


async def test_two_workers_that_claim_at_once_share_the_streams(pool, now):
    await put(pool, now, *(pages.setup(f"a{n}", budget=f"b{n}") for n in range(30)))

    async def claim(worker):
        async with transaction(pool) as db:
            return await names(db, worker)

    found = [one for some in await asyncio.gather(*map(claim, range(1, 6))) for one in some]

    assert len(found) == len(set(found)) == 30


async def test_a_dead_claim_becomes_due_by_itself_and_its_result_does_not_count(pool, db, now):
    await put(pool, now)
    [dead] = await streams.claim(db, 1, 1, timedelta(0))
    [lease] = await streams.claim(db, 2, 1, LEASE)

    for late in (
        streams.hold(db, dead, LEASE),
        streams.advance(db, dead, "c"),
        streams.finish(db, Finished(dead, "c", now, now, MINUTE)),
        streams.fail(db, dead, HealthState.UNREACHABLE, "", now, MINUTE),
    ):
        with pytest.raises(LeaseLost, match="mk/threads"):
            await late
    await streams.put_back(db, dead, MINUTE)
    await streams.finish(db, Finished(lease, "c", now, now, MINUTE))


async def test_of_walks_that_end_together_only_those_still_held_are_given_back(pool, db, now):
    await put(pool, now, *(setup(name, budget=name) for name in ("a", "b", "c", "stale")))
    *held, stale = sorted(await streams.claim(db, 1, 9, LEASE), key=lambda one: one.account)
    ends = [Finished(each, f"{each.account}1", now, now, HOUR) for each in (stale, *held[::-1])]
    ends += [Finished(replace(held[0], worker=2), "another's", now, now, HOUR)]
    await db.execute("update stream set fence = fence + 1 where account = 'stale'")

    found = await streams.finish_all(db, ends)

    assert found == {("a", "threads"), ("b", "threads"), ("c", "threads")}
    rows = await db.fetch("select account, holder, cursor from stream order by account")
    assert [tuple(row) for row in rows] == [
        ("a", None, "a1"), ("b", None, "b1"), ("c", None, "c1"), ("stale", 1, None),
    ]  # fmt: skip


async def test_a_lease_that_is_held_lasts(pool, db, now):
    await put(pool, now)
    [lease] = await streams.claim(db, 1, 1, SECOND)

    await streams.hold(db, lease, HOUR)

    assert await due_in(db) == 3600


async def test_a_long_cursor_that_did_not_change_is_not_written_again(pool, db, now):
    """A mailbox's may have hundreds of kilobytes, which would be written with every poll."""
    await put(pool, now)
    cursor, written = secrets.token_hex(200_000), []
    for _ in range(2):
        await db.execute("update stream set next_due = now()")
        (lease,) = await streams.claim(db, 1, 1, LEASE)
        before = await db.fetchval("select pg_current_wal_insert_lsn()")
        await streams.finish(db, Finished(lease, cursor, now, now, timedelta(0)))
        written.append(await db.fetchval("select pg_current_wal_insert_lsn()") - before)

    first, again = written
    assert first > 100_000
    assert again < 20_000


async def test_a_finished_stream_says_how_far_it_was_read_and_is_due_again(pool, db, now):
    await put(pool, now)
    [lease] = await streams.claim(db, 1, 1, LEASE)

    await streams.finish(db, Finished(lease, "cursor", now - SECOND, now, MINUTE))

    [row] = await pages.rows(pool, "stream")
    assert (row["cursor"], row["seen_through"], row["last_ok_at"]) == ("cursor", now - SECOND, now)
    assert (row["holder"], row["health"], row["health_since"]) == (None, "ok", now)
    assert await due_in(db) == 60


async def test_a_walk_without_a_cursor_leaves_the_old_one(pool, db, now):
    await put(pool, now)
    for cursor in ("cursor", None):
        [lease] = await streams.claim(db, 1, 1, LEASE)
        await streams.finish(db, Finished(lease, cursor, now, now, timedelta(0)))
        await db.execute("update stream set next_due = now()")

    assert (await pages.rows(pool, "stream"))[0]["cursor"] == "cursor"


async def test_a_failure_is_counted_and_says_since_when(pool, db, now):
    await put(pool, now)
    for minutes, failures in ((0, 0), (1, 1)):
        await db.execute("update stream set next_due = now()")
        [lease] = await streams.claim(db, 1, 1, LEASE)
        assert lease.failures == failures
        at = now + minutes * MINUTE
        await streams.fail(db, lease, HealthState.UNREACHABLE, "HTTP 503", at, 20 * SECOND)

    [row] = await pages.rows(pool, "stream")
    assert (row["failures"], row["health"], row["health_since"]) == (2, "unreachable", now)
    assert (row["error"], await due_in(db)) == ("HTTP 503", 20)


# Pulled forward


async def test_a_reading_is_pulled_forward_and_never_put_off(pool, db, now):
    await put(pool, now)
    [lease] = await streams.claim(db, 1, 1, LEASE)
    await streams.finish(db, Finished(lease, None, now, now, HOUR))

    assert await streams.pull_forward(db, {"mk": now + MINUTE}, now) == 1
    assert await due_in(db) == 60
    assert await streams.pull_forward(db, {"mk": now + 2 * MINUTE, "other": now}, now) == 0
    assert await due_in(db) == 60


async def test_a_walk_that_began_since_then_will_do(pool, db, now):
    await put(pool, now)
    [lease] = await streams.claim(db, 1, 1, LEASE)
    await streams.finish(db, Finished(lease, None, now, now, HOUR))

    assert await streams.pull_forward(db, {"mk": now}, now + SECOND) == 0


async def test_nothing_is_pulled_past_the_floor_or_a_backoff(pool, db, now):
    await put(pool, now, pages.setup("mk", Stream("threads", HOUR, floor=10 * MINUTE)))
    [lease] = await streams.claim(db, 1, 1, LEASE)
    await streams.finish(db, Finished(lease, None, now, now, HOUR))
    await streams.pull_forward(db, {"mk": now + SECOND}, now)
    assert await due_in(db) == 600

    await db.execute("update stream set next_due = now()")
    [lease] = await streams.claim(db, 1, 1, LEASE)
    await streams.fail(db, lease, HealthState.UNREACHABLE, "", now, 20 * MINUTE)
    await streams.pull_forward(db, {"mk": now + SECOND}, now)
    assert await due_in(db) == 1200


async def test_a_stream_that_is_being_read_remembers_that_it_is_wanted_again(pool, db, now):
    await put(pool, now)
    [lease] = await streams.claim(db, 1, 1, LEASE)

    await streams.pull_forward(db, {"mk": now + 2 * SECOND}, now)
    assert await names(db, 2) == []
    await streams.finish(db, Finished(lease, None, now, now, HOUR))

    assert await due_in(db) in {1, 2}


# Shared limits


async def test_a_rate_limit_puts_off_every_account_of_its_key(pool, db, now):
    shops = [pages.setup(name, budget="operator") for name in ("a", "b")]
    await put(pool, now, *shops, pages.setup("c", budget="other"))

    await budget.defer(db, "operator", HOUR)
    await budget.defer(db, "operator", MINUTE)

    assert await names(db) == [("c", "threads")]
    assert await names(db) == []
    assert round((await budget.waiting(db))["operator"].total_seconds()) == 3600
    waits = await db.fetch("select next_due - now() as w from stream where account in ('a', 'b')")
    assert {round(row["w"].total_seconds()) for row in waits} == {3600}


# Workers


async def test_a_dead_workers_streams_are_due_at_once(address, pool, db, now):
    await put(pool, now)
    dead, alive = await store.connect(address), await store.connect(address)
    one, other = await workers.register(dead), await workers.register(alive)
    await streams.claim(db, one, 1, HOUR)
    assert (await workers.look(db, other)).freed == []
    assert await workers.alive(db) == 2

    await dead.close()
    await _gone(db, 1)

    assert (await workers.look(db, other)).freed == [("mk", "threads")]
    assert await names(db, other) == [("mk", "threads")]
    assert [row["id"] for row in await pages.rows(pool, "worker")] == [other]
    await alive.close()


async def test_what_a_stopped_process_has_locked_holds_up_nothing_else(address, pool, db, now):
    """Its session is lost, and its transaction stands open: its other streams are freed at once."""
    await put(pool, now, setup("mk", Stream("locked", MINUTE), Stream("threads", MINUTE)))
    dead, alive = await store.connect(address), await store.connect(address)
    one, other = await workers.register(dead), await workers.register(alive)
    await streams.claim(db, one, 2, HOUR)
    await dead.close()
    await _gone(db, 1)

    async with transaction(pool) as stopped:
        await stopped.execute("select from stream where stream = 'locked' for no key update")
        async with asyncio.timeout(5):
            assert (await workers.look(db, other)).freed == [("mk", "threads")]
            assert (await workers.look(db, other)).freed == []

    assert (await workers.look(db, other)).freed == [("mk", "locked")]
    assert [row["id"] for row in await pages.rows(pool, "worker")] == [other]
    await alive.close()


async def _gone(db, left):
    async with asyncio.timeout(5):
        while await workers.alive(db) > left:  # noqa: ASYNC110  # a server's session ends when it ends
            await asyncio.sleep(0.01)


async def test_a_worker_that_ends_in_order_hands_its_leases_back(address, pool, db, now):
    await put(pool, now)
    own = await store.connect(address)
    worker = await workers.register(own)
    await streams.claim(db, worker, 1, HOUR)

    assert await streams.free(db, worker) == 1
    await workers.leave(db, worker)

    assert await names(db, worker) == [("mk", "threads")]
    assert await pages.rows(pool, "worker", "1") == []
    await own.close()


async def test_a_loop_is_woken_when_the_transaction_commits(address, pool):
    heard = {name: asyncio.Event() for name in wake.LOOPS}
    listener = await store.connect(address)
    await wake.listen(listener, heard)

    async with transaction(pool) as db:
        await wake.send(db, "watch", "watch", "deliver", "nobody")
        await asyncio.sleep(0.02)
        assert not heard["watch"].is_set()

    async with asyncio.timeout(5):
        await heard["watch"].wait()
        await heard["deliver"].wait()
    assert not heard["poll"].is_set()
    await listener.close()


async def test_the_next_due_stream_is_known_and_a_retired_one_is_not(pool, db, now):
    assert await streams.next_due(db) == HOUR
    await put(pool, now)
    [lease] = await streams.claim(db, 1, 1, LEASE)
    await streams.finish(db, Finished(lease, None, now, now, MINUTE))
    assert round((await streams.next_due(db)).total_seconds()) == 60

    await put(pool, now, pages.setup("other"))
    [lease] = await streams.claim(db, 1, 1, LEASE)
    assert lease.account == "other"
    await streams.finish(db, Finished(lease, None, now, now, 3 * HOUR))

    assert round((await streams.next_due(db)).total_seconds()) == 3600
