from __future__ import annotations

from datetime import datetime, timedelta
from math import inf

import pytest

from core.measuring.facts import Aside, Clocks, Counted, Outbox, Snapshot
from core.model import SetAside
from core.store import budget, setaside, stats, tally
from core.store.dispatches import LEASE

ACCOUNT = """
    insert into account (name, connector, marketplace, budget_key, monitored_since, retired_at)
    values ($1, 'mirakl', 'conrad', 'k', $2, $3)
"""
THREAD = "insert into thread (account, id, kind, as_of) values ($1, 't', 'message', $2)"
CLOCK = """
    insert into clock (account, thread, promise, waits_for, metric, members, started_by,
                       started_at, due_at, due_from, steps, ended, history)
    values ('de', 't', 'p', 'buyer', 'first_reply', '{m}', 'm', $1, $2, 'policy', $3, $4, $5)
"""
STREAM = """
    insert into stream (account, stream, carries_clocks, ascending, next_due, "interval", health,
                        health_since, last_ok_at, seen_through, holder, backoff_until)
    values ($1, $2, $3, false, $4, $5, $6, $4, $7, $8, $9, $10)
"""
NOTICE = "insert into notice (key, kind, account, raised_at) values ($1, 'breach', 'de', $2)"
DISPATCH = """
    insert into dispatch (notice, notifier, next_try_at, sent_at, parked_reason)
    select id, 'log', raised_at, $2, $3 from notice where key = $1
"""
HOUR = timedelta(hours=1)


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        await db.execute(ACCOUNT, "de", now - 100 * HOUR, None)
        await db.execute(THREAD, "de", now)
        yield db


async def running(db, now: datetime, hours: int, *, warn=(0.5, 0.9), ended=None, history=False):
    """A clock of ten hours that is due in so many hours."""
    due = now + hours * HOUR
    started = due - 10 * HOUR
    steps = [started + share * 10 * HOUR for share in warn] + [due]
    await db.execute(CLOCK, started, due, steps, ended, history)


async def test_an_empty_database_has_an_empty_snapshot(pool, now):
    async with pool.acquire() as db:
        assert await stats.snapshot(db, now) == Snapshot()
        assert await stats.clocks(db, now) == Counted({}, at=now.timestamp())


async def test_clocks_stand_in_the_band_of_their_last_step(db, now):
    for hours in (6, 5, 4, 2, 1, 0, -1, -2):
        await running(db, now, hours)

    found = (await stats.clocks(db, now)).clocks["de"]

    assert found.bands == (2, 3, 1, 2)
    assert found.next_deadline == (now - 2 * HOUR).timestamp()
    assert found.oldest_unanswered == (now - 12 * HOUR).timestamp()


async def test_bands_move_with_the_instant_of_the_count(db, now):
    await running(db, now, 1)

    later = (await stats.clocks(db, now + 2 * HOUR)).clocks["de"]

    assert later.bands == (0, 0, 0, 1)


async def test_only_a_buyers_message_is_the_oldest_unanswered(db, now):
    await running(db, now, 1)
    await db.execute("update clock set waits_for = 'marketplace'")
    await running(db, now, 2)
    await db.execute("update clock set metric = 'given' where waits_for = 'buyer'")

    assert (await stats.clocks(db, now)).clocks["de"].oldest_unanswered == inf

    await running(db, now, 3)
    found = (await stats.clocks(db, now)).clocks["de"]
    assert found.oldest_unanswered == (now - 7 * HOUR).timestamp()
    assert found.next_deadline == (now + HOUR).timestamp()


async def test_one_warning_is_no_critical_and_none_is_ok(db, now):
    await running(db, now, 1, warn=(0.5,))
    await running(db, now, 1, warn=())

    assert (await stats.clocks(db, now)).clocks["de"].bands == (1, 1, 0, 0)


async def test_history_superseded_and_ended_clocks_are_outside(db, now):
    await running(db, now, -1, history=True)
    await running(db, now, 1, ended="met")
    superseded = (now, now + HOUR, [], None, False)
    await db.execute(CLOCK, *superseded)

    assert (await stats.clocks(db, now)).clocks.get("de", Clocks()) == Clocks()


async def stream(
    db, now, name, *, carries=True, health="ok", ok=None, seen=None, holder=None, due=HOUR,
    backoff=None, account="de", every=300,
):  # fmt: skip
    await db.execute(
        STREAM, account, name, carries, now + due, timedelta(seconds=every), health, ok, seen,
        holder, backoff,
    )  # fmt: skip


async def test_an_account_is_as_fresh_as_the_worst_stream_that_carries_clocks(db, now):
    await stream(db, now, "messages", ok=now, seen=now - HOUR)
    await stream(db, now, "incidents", ok=now - HOUR, seen=now, every=600)
    await stream(db, now, "reports", carries=False, health="bad_credentials")

    found = (await stats.snapshot(db, now)).readings["de"]

    assert found.last_success == found.seen_through == (now - HOUR).timestamp()
    assert found.interval == 300
    assert (found.authorized, found.retired, found.backoff_until) == (True, False, 0)


async def test_where_nothing_carries_clocks_any_stream_says_how_the_key_stands(db, now):
    await stream(db, now, "number", carries=False, health="bad_credentials")

    found = (await stats.snapshot(db, now)).readings["de"]
    assert (found.authorized, found.seen_through, found.interval) == (False, 0, 0)

    await db.execute("update stream set next_due = 'infinity'")
    assert (await stats.snapshot(db, now)).readings["de"].authorized, "it has ended"


async def test_a_stream_never_read_makes_the_account_never_read(db, now):
    await stream(db, now, "messages", ok=now, seen=now)
    await stream(db, now, "incidents", health="bad_credentials", backoff=now + HOUR)

    found = (await stats.snapshot(db, now)).readings["de"]

    assert (found.last_success, found.seen_through, found.authorized) == (0, 0, False)
    assert found.backoff_until == (now + HOUR).timestamp()


async def test_a_retired_account_is_not_enabled(db, now):
    await db.execute(ACCOUNT, "old", now, now)

    assert (await stats.snapshot(db, now)).readings["old"].retired


async def test_the_queue_holds_what_is_due_and_not_claimed(db, now):
    await stream(db, now, "due", due=-HOUR)
    await stream(db, now, "claimed", due=-HOUR, holder=7)
    await stream(db, now, "later", due=HOUR)

    found = await stats.snapshot(db, now)

    assert found.due == {"conrad": 1}
    assert found.oldest_due == (now - HOUR).timestamp()


async def test_the_outbox_is_counted_by_notifier(db, now):
    states = {"new": (None, None), "older": (None, None), "sent": (now, None), "bad": (None, "x")}
    for age, (key, state) in enumerate(states.items()):
        await db.execute(NOTICE, key, now - age * HOUR)
        await db.execute(DISPATCH, key, *state)

    assert (await stats.snapshot(db, now)).outbox == {"log": Outbox(2, (now - HOUR).timestamp(), 1)}


async def test_what_is_held_back_on_purpose_is_pending_and_not_overdue(db, now):
    """A first walk's digest, raised long ago: it waits from the time on at which it may leave."""
    await db.execute(NOTICE, "held", now - 3 * HOUR)
    await db.execute(DISPATCH, "held", None, None)

    async def found(change):
        await db.execute(f"update dispatch set {change}")
        return (await stats.snapshot(db, now)).outbox["log"]

    held = await found("digest = 'de/digest/1', next_try_at = now() + interval '9 min'")
    assert held == Outbox(1)
    late = await found("next_try_at = now() - interval '6 min'")
    assert late.oldest == (await db.fetchval("select next_try_at from dispatch")).timestamp()
    failing = await found(
        "attempts = 1, error = 'no answer', next_try_at = now() + interval '9 min'"
    )
    assert failing == Outbox(1, (now - 3 * HOUR).timestamp())


async def test_what_waits_for_room_within_a_rate_is_pending_and_not_overdue(db, now):
    await db.execute(NOTICE, "much", now - 3 * HOUR)
    await db.execute(DISPATCH, "much", None, None)
    await db.execute(
        "update dispatch set digest = 'log/flood/1', next_try_at = now() - interval '1 h'"
    )
    overdue = (await stats.snapshot(db, now)).outbox["log"]
    await db.execute("insert into budget values ('notifier log', now() + interval '1 min')")
    waiting = (await stats.snapshot(db, now)).outbox["log"]
    await db.execute("update dispatch set attempts = 1")
    failing = (await stats.snapshot(db, now)).outbox["log"]

    assert (waiting, overdue.oldest > 0, failing.oldest > 0) == (Outbox(1), True, True)


async def test_what_was_sent_costs_no_scrape_anything(db, now):
    """Both halves of the outbox by their indexes, however many were sent and are kept."""
    await db.execute("set enable_seqscan = off")
    await db.execute("set enable_bitmapscan = off")
    plan = "\n".join(row[0] for row in await db.fetch("explain " + stats.OUTBOX, LEASE))

    assert "dispatch_unsent" in plan
    assert "dispatch_refused" in plan


async def test_counts_come_from_the_tally(db, now):
    counts = {("de", "first_reply", "met"): 2, ("at", "first_reply", "met"): 3}
    await tally.add(db, {**counts, ("at", "reply", "refused"): 1})

    assert (await stats.snapshot(db, now)).counts == {
        ("first_reply", "met"): {"de": 2, "at": 3},
        ("reply", "refused"): {"at": 1},
    }
    assert await tally.counts(db) == {**counts, ("at", "reply", "refused"): 1}


async def test_a_shared_limit_is_shown_until_it_is_over(db, now):
    await budget.defer(db, "key 1", HOUR)
    await budget.defer(db, "key 2", -HOUR)

    (found,) = (await stats.snapshot(db, now)).budgets.items()

    assert found == ("key 1", pytest.approx((now + HOUR).timestamp(), abs=5))


async def test_the_pool_tells_of_its_connections(pool, db, now):
    idle, used, most = (await stats.snapshot(db, now, pool)).pool

    assert used >= 1
    assert (idle >= 0, most) == (True, 10)


async def test_what_is_set_aside_is_as_new_as_the_newest_of_it_and_never_twice(db, now):
    async def met(at, *sources):
        items = [SetAside(source, "unreadable", b"{") for source in sources]
        await setaside.add(db, "de", "messages", items, at)
        return (await stats.snapshot(db, now)).aside

    assert await met(now - HOUR, "1", "2") == {"de": Aside(2, (now - HOUR).timestamp())}
    assert await met(now, "1") == {"de": Aside(2, (now - HOUR).timestamp())}, "it is known"
    assert await met(now, "3") == {"de": Aside(3, now.timestamp())}

    await setaside.drop(db, [each.id for each in await setaside.kept(db)])
    assert (await stats.snapshot(db, now)).aside == {}
