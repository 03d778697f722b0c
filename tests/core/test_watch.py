from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from core import keys, watch
from core.connector import Credential
from core.model import NoticeKind
from core.routing import Route
from core.store import clocks, steps, transaction
from sla.clock import next_alert_at, reached
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE, SECOND

TINY = seeds.SECOND / 1_000_000


@pytest.fixture
def rules():
    return seeds.rules()


@pytest.fixture
async def db(pool, now):
    """A connection to a database with one account that is read every minute."""
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        await seeds.put_stream(db, now, seen_through=now - 20 * SECOND)
        await seeds.put_thread(db, now)
        yield db


async def told(db):
    rows = await db.fetch("select key, kind from notice order by id")
    return [(row["key"], row["kind"]) for row in rows]


async def clock(db, number):
    return next(row for row in await seeds.clock_rows(db) if row["id"] == number)


async def changed(db, change, *values):
    """Clocks as some other program would have left them."""
    await db.execute(f"update clock set {change}", *values)
    await seeds.put_alarms(db)


async def tally(db):
    rows = await db.fetch("select * from tally order by 1, 2, 3")
    return [tuple(row) for row in rows]


async def test_a_step_that_has_passed_is_told_once_and_the_clock_moves_on(pool, db, rules, now):
    one = await seeds.put_clock(db, now + 30 * MINUTE)

    for _ in range(3):
        await seeds.watched(pool, rules, now)

    assert await told(db) == [(f"{one}/0/1", "warning")]
    row = await clock(db, one)
    assert (row["step"], row["next_alert_at"]) == (1, now + 30 * MINUTE)


async def test_of_several_steps_passed_at_once_only_the_highest_is_told(pool, db, rules, now):
    due_at = now - MINUTE
    steps = [due_at - 3 * HOUR, due_at - 2 * HOUR, due_at - HOUR, due_at]
    one = await seeds.put_clock(db, due_at, steps=steps)

    await seeds.watched(pool, rules, now)

    assert await told(db) == [(f"{one}/0/4", "breach")]
    assert (await clock(db, one))["next_alert_at"] is None


async def test_a_step_at_this_very_instant_has_not_passed(pool, db, rules, now):
    one = await seeds.put_clock(db, now, step=1)

    again = await seeds.watched(pool, rules, now)
    assert await told(db) == []
    assert again == now + TINY

    await seeds.watched(pool, rules, again)
    assert await told(db) == [(f"{one}/0/2", "breach")]


async def test_it_wants_to_run_again_just_after_the_next_step(pool, db, rules, now):
    assert await seeds.watched(pool, rules, now) is None
    await seeds.put_clock(db, now + 3 * HOUR)
    await seeds.put_clock(db, now + 2 * HOUR)

    assert await seeds.watched(pool, rules, now) == now + HOUR + TINY


async def test_two_watchers_tell_everybody_once(pool, db, rules, now):
    for n in range(300):
        await seeds.put_clock(db, now - (n + 1) * SECOND, step=1)

    await asyncio.gather(*(seeds.watched(pool, rules, now) for _ in range(4)))

    assert len(await told(db)) == 300
    assert await db.fetchval("select count(*) from dispatch") == 300


async def test_a_flood_is_told_in_one_round(pool, db, rules, now):
    await db.execute(
        """insert into clock (account, thread, promise, waits_for, metric, members, started_by,
               started_at, due_at, due_from, steps)
           select 'mk', 'T1', 'p', 'buyer', 'first_reply', '{}', n::text, at, at,
                  'policy', array[at]
           from generate_series(1, $2::integer) as n, (select $1::timestamptz as at) as a""",
        now - SECOND, 4 * steps.BATCH,
    )  # fmt: skip
    await seeds.put_alarms(db)

    assert await watch.once(pool, rules, now) == (True, now)
    assert len(await told(db)) == 4 * steps.BATCH
    assert await watch.once(pool, rules, now) == (False, None)


async def test_what_passes_closely_after_is_told_together(pool, db, rules, now):
    await seeds.put_clock(db, now - SECOND, step=1)

    assert await watch.once(pool, rules, now) == (True, now + watch.PAUSE)


async def test_what_another_has_locked_is_looked_at_again_and_not_told(pool, db, rules, now):
    """A process that was stopped in mid-transaction keeps it locked: no reason to go first."""
    due = await seeds.put_clock(db, now - SECOND, step=1)
    async with transaction(pool) as other:
        await other.execute("select from alarm where clock = $1 for update", due)

        assert await watch.once(pool, rules, now) == (False, now + watch.LOCKED)


async def test_telling_does_not_wait_for_counting(pool, db, rules, now):
    """Breaches that wait to be counted are locked by another; what is due is told all the same."""
    await db.execute("update stream set seen_through = $1", now)
    told_one = await seeds.put_clock(db, now - HOUR, step=2)
    due = await seeds.put_clock(db, now - SECOND, step=1)
    async with transaction(pool) as other:
        await other.execute("select from alarm where clock = $1 for update", told_one)
        await other.execute("lock table tally, stream in share row exclusive mode")

        await asyncio.wait_for(watch.once(pool, rules, now), 2)

    assert await told(db) == [(f"{due}/0/2", "breach")]


async def test_what_is_told_and_what_is_next_is_as_the_pure_functions_say(db, now):
    """Said once more in SQL, so that nothing need be sent to and fro: it may never differ."""
    chance = random.Random(7)
    wanted = {}
    for _ in range(200):
        seconds = sorted(chance.sample(range(-6, 7), chance.randint(1, 5)))
        at = [now + SECOND * each for each in seconds]
        step, sure = chance.randrange(len(at)), chance.random() < 0.7
        one = await seeds.put_clock(db, at[-1], steps=at, step=step)
        last = len(at) if sure else len(at) - 1
        told = min(reached(at, now), last)
        await steps.tell(db, now, sure=sure)
        row = await clock(db, one)
        moved = max(step, told)
        wanted[one] = moved if told > step else None
        assert (row["step"], row["next_alert_at"]) == (moved, next_alert_at(at, moved))
        assert one not in await seeds.wrong_alarms(db)
        await db.execute("delete from alarm")

    found = {row["clock"]: row for row in await db.fetch("select * from notice")}
    for one, number in wanted.items():
        assert (one in found) == (number is not None)
        if number is not None:
            row = await clock(db, one)
            last = number == len(row["steps"])
            assert found[one]["key"] == keys.step(one, 0, number)
            assert found[one]["kind"] == (NoticeKind.BREACH if last else NoticeKind.WARNING)


async def test_a_clock_that_changes_meanwhile_is_told_as_it_was_or_as_it_is(pool, db, now):
    """Whoever changes a row sees whether it was told: no notice tells of what was not there."""
    seen, stop = [], asyncio.Event()

    async def change():
        async with transaction(pool) as other:
            rows = await other.fetch(clocks.ROWS, "mk", ["T1"])
            await changed(
                other, "revision = 1, step = 0, due_at = $1, steps = array[$1]::timestamptz[]",
                now + HOUR,
            )  # fmt: skip
        seen.append({row["id"]: row["step"] for row in rows})

    async def tell():
        while not stop.is_set():
            async with transaction(pool) as other:
                await steps.tell(other, now)

    for _ in range(15):
        await db.execute("delete from notice")
        await db.execute("delete from clock; delete from alarm")
        for n in range(40):
            await seeds.put_clock(db, now - (n + 1) * SECOND, step=1)
        stop.clear()
        telling = [asyncio.create_task(tell()) for _ in range(2)]
        await change()
        stop.set()
        await asyncio.gather(*telling)

        notices = {key for key, _ in await told(db)}
        assert notices == {keys.step(one, 0, 2) for one, step in seen[-1].items() if step == 2}


async def test_a_clock_whose_next_step_is_told_already_moves_on_and_is_not_told_again(db, now):
    """As after rows were put back from a copy: the key is the memory of last resort."""
    one = await seeds.put_clock(db, now - HOUR, step=1)
    assert len(await steps.tell(db, now)) == 1
    await changed(db, "step = 1")

    assert await steps.tell(db, now) == []

    assert (await clock(db, one))["step"] == 2
    assert await told(db) == [(f"{one}/0/2", "breach")]


async def test_ended_clocks_and_history_are_never_told(pool, db, rules, now):
    await seeds.put_clock(db, now - HOUR, ended="met")
    await seeds.put_clock(db, now - HOUR, history=True)
    await seeds.put_clock(db, now - HOUR, steps=[])

    assert await seeds.watched(pool, rules, now) is None
    assert await told(db) == []
    assert await tally(db) == []


async def test_a_clock_that_another_transaction_holds_is_left_for_the_next_round(
    pool, db, rules, now
):
    held = await seeds.put_clock(db, now - HOUR, step=1)
    free = await seeds.put_clock(db, now - HOUR, step=1)
    async with transaction(pool) as other:
        await other.execute("delete from alarm where clock = $1", held)
        await other.execute("update clock set ended = 'met' where id = $1", held)

        again = await asyncio.wait_for(seeds.watched(pool, rules, now), 2)

        assert await told(db) == [(f"{free}/0/2", "breach")]
        assert again == now + watch.LOCKED
    await seeds.watched(pool, rules, again)
    assert len(await told(db)) == 1


async def test_a_breach_says_how_far_the_account_was_read(pool, db, rules, now):
    await seeds.put_stream(db, now, name="incidents", seen_through=now - HOUR)
    await seeds.put_stream(db, now, name="stock", seen_through=None, carries_clocks=False)
    await seeds.put_clock(db, now - MINUTE, step=1)

    await seeds.watched(pool, rules, now)

    facts = await db.fetchval("select facts from notice")
    assert facts["read_at"] == (now - HOUR).isoformat()
    assert facts["promise"] == "reply-24h"


async def test_a_breach_says_so_when_a_stream_was_never_read(pool, db, rules, now):
    await seeds.put_stream(db, now, name="incidents", seen_through=None)
    await seeds.put_clock(db, now - MINUTE, step=1)

    await seeds.watched(pool, rules, now)

    assert (await db.fetchval("select facts from notice"))["read_at"] is None


async def test_while_the_hosts_clock_is_unsure_warnings_go_on_and_breaches_wait(
    pool, db, rules, now
):
    breached = await seeds.put_clock(db, now - HOUR, step=1)
    unwarned = await seeds.put_clock(db, now - HOUR)
    await seeds.put_clock(db, now - HOUR, steps=[now - HOUR])
    warned = await seeds.put_clock(db, now + MINUTE)

    again = await seeds.watched(pool, rules, now, sure=False)

    assert await told(db) == [(f"{unwarned}/0/1", "warning"), (f"{warned}/0/1", "warning")]
    assert again is None
    assert (await clock(db, breached))["step"] == 1
    assert (await clock(db, unwarned))["next_alert_at"] == now - HOUR

    await seeds.watched(pool, rules, now + SECOND)
    assert sum(kind == "breach" for _, kind in await told(db)) == 3


async def test_no_breach_is_counted_while_the_hosts_clock_is_unsure(pool, db, rules, now):
    await seeds.put_clock(db, now - HOUR, step=2)

    await seeds.watched(pool, rules, now, sure=False)
    assert await tally(db) == []

    await seeds.watched(pool, rules, now)
    assert await tally(db) == [("mk", "first_reply", "breached", 1)]


async def test_a_breach_is_counted_when_reading_has_reached_its_deadline(pool, db, rules, now):
    due_at = now - 10 * SECOND
    one = await seeds.put_clock(db, due_at, step=2)

    await seeds.watched(pool, rules, now)
    assert (await clock(db, one))["breached_at"] is None

    await db.execute("update stream set seen_through = $1", due_at)
    await seeds.watched(pool, rules, now)
    await seeds.watched(pool, rules, now)
    assert (await clock(db, one))["breached_at"] == due_at
    assert await tally(db) == [("mk", "first_reply", "breached", 1)]


async def test_the_slowest_stream_that_carries_clocks_decides(pool, db, rules, now):
    due_at = now - 10 * SECOND
    await db.execute("update stream set seen_through = $1", now)
    await seeds.put_stream(db, now, name="incidents", seen_through=due_at - TINY)
    await seeds.put_stream(db, now, name="stock", seen_through=None, carries_clocks=False)
    one = await seeds.put_clock(db, due_at, step=2)

    await seeds.watched(pool, rules, now)
    assert (await clock(db, one))["breached_at"] is None

    await db.execute("update stream set seen_through = $1 where stream = 'incidents'", due_at)
    await seeds.watched(pool, rules, now)
    assert (await clock(db, one))["breached_at"] == due_at


async def test_without_a_good_reading_it_is_counted_an_interval_and_a_minute_later(
    pool, db, rules, now
):
    """Read every minute, so at due_at + 2 min exactly it is not yet counted."""
    due_at = now - 2 * MINUTE
    one = await seeds.put_clock(db, due_at, step=2)
    await db.execute("update stream set seen_through = null")

    await seeds.watched(pool, rules, now)
    assert (await clock(db, one))["breached_at"] is None

    await seeds.watched(pool, rules, now + TINY)
    assert (await clock(db, one))["breached_at"] == due_at


async def test_a_breach_that_is_not_told_is_not_counted(pool, db, rules, now):
    await db.execute("update stream set seen_through = $1", now)
    await seeds.put_clock(db, now - HOUR, step=1)
    async with transaction(pool) as other:
        await other.execute("select from alarm for update")
        await seeds.watched(pool, rules, now)
        assert await tally(db) == []


async def test_a_superseded_clock_is_counted_nowhere(pool, db, rules, now):
    await seeds.put_clock(db, now - HOUR, steps=[], flags=["superseded"])

    await seeds.watched(pool, rules, now)

    assert await tally(db) == []


async def test_a_corrected_clock_that_passes_a_later_deadline_is_counted_anew(pool, db, rules, now):
    one = await seeds.put_clock(
        db, now - HOUR, step=2, revision=1, breached_at=now - 5 * HOUR,
        corrected_at=now - 4 * HOUR, correction="deadline_moved",
    )  # fmt: skip

    await seeds.watched(pool, rules, now)

    row = await clock(db, one)
    assert row["breached_at"] == now - HOUR
    assert (row["corrected_at"], row["correction"]) == (None, None)
    entry = await db.fetchrow("select * from clock_entry")
    assert (entry["clock"], entry["what"], entry["at"]) == (one, "breached", now)
    assert entry["before"]["correction"] == "deadline_moved"
    assert await tally(db) == [("mk", "first_reply", "breached", 1)]


async def test_a_counted_breach_is_not_counted_again(pool, db, rules, now):
    await seeds.put_clock(db, now - HOUR, step=2, breached_at=now - HOUR)

    await seeds.watched(pool, rules, now)

    assert await tally(db) == []


async def test_a_walk_is_pulled_forward_to_just_before_a_deadline(pool, db, rules, now):
    """The stream is due in a minute; the deadline comes in 12 s, so it is read in 7 s."""
    await seeds.put_clock(db, now + 12 * SECOND, step=1)
    await db.execute("update stream set next_due = now() + interval '60 s'")

    await seeds.watched(pool, rules, now)

    wait = await db.fetchval("select extract(epoch from next_due - now())::float8 from stream")
    assert 4 < wait <= 7


async def test_a_walk_that_began_just_before_the_deadline_will_do(pool, db, rules, now):
    await seeds.put_clock(db, now + 3 * SECOND, step=1)
    await db.execute("update stream set seen_through = $1", now - 2 * SECOND)
    before = await db.fetchval("select next_due from stream")

    await seeds.watched(pool, rules, now)

    assert await db.fetchval("select next_due from stream") == before


async def test_a_backoff_is_respected(pool, db, rules, now):
    await seeds.put_clock(db, now + 12 * SECOND, step=1)
    await db.execute("update stream set not_before = next_due")
    before = await db.fetchval("select next_due from stream")

    await seeds.watched(pool, rules, now)

    assert await db.fetchval("select next_due from stream") == before


@pytest.mark.parametrize(("walked", "digest"), [(None, True), ("later", True), ("earlier", False)])
async def test_what_a_first_walk_has_to_tell_waits_for_its_digest(pool, rules, now, walked, digest):
    """A step at 11:00 of an account walked never, at 11:30, at 10:30."""
    at = {None: None, "later": now - 30 * MINUTE, "earlier": now - 90 * MINUTE}[walked]
    since = now - 2 * HOUR
    async with pool.acquire() as db:
        await seeds.put_account(db, now, first_walk_at=at, since=since)
        await seeds.put_thread(db, now)
        await seeds.put_clock(db, now)

        await seeds.watched(pool, rules, now)

        row = await db.fetchrow("select digest, next_try_at > now() as held from dispatch")
    expected = f"mk/digest/{since.isoformat()}" if digest else None
    assert (row["digest"], row["held"]) == (expected, digest)


async def test_what_a_restore_has_to_tell_waits_for_a_digest_of_its_own(pool, rules, now):
    at = now - 30 * MINUTE
    async with pool.acquire() as db:
        await seeds.put_account(db, now, first_walk_at=None)
        await db.execute("update account set restored_at = $1", at)
        await seeds.put_thread(db, now)
        await seeds.put_clock(db, now)

        await seeds.watched(pool, rules, now)

        digest = await db.fetchval("select digest from dispatch")
    assert (digest, keys.restored_at(digest)) == (keys.restored("mk", at), at)


async def test_a_promise_past_its_review_date_is_told_once_a_date(pool, db, now):
    def reviewed(day):
        old = seeds.policy(review_after=day)
        rules = seeds.rules(accounts=("mk", "other"), policies={"mk": (old,), "other": (old,)})
        return seeds.watched(pool, rules, now)

    for day in (date(2026, 11, 21), date(2026, 11, 20), date(2026, 11, 20), date(2026, 6, 1)):
        await reviewed(day)

    assert await told(db) == [
        ("reply-24h/review/2026-11-20", "policy_review"),
        ("reply-24h/review/2026-06-01", "policy_review"),
    ]


async def test_a_key_that_ends_is_told_at_each_step_once_and_nobody_is_told_of_steps_before(
    pool, db, now
):
    ends = now + timedelta(days=40)

    async def tended(days, reviewed):
        rules = replace(seeds.rules(), credentials={"mk": (Credential("client secret", ends),)})
        await watch.tend(pool, rules, now + timedelta(days=days), reviewed)
        return [key for key, kind in await told(db) if kind == "credential_expiring"]

    first = await tended(9, set())
    second = await tended(34, set())
    again = await tended(34.5, set())
    ended = await tended(41, set())

    week = f"mk/credential_expiring/client secret/{(ends - timedelta(days=7)).isoformat()}"
    assert (first, second, again) == ([], [week], [week])
    last = f"mk/credential_expiring/client secret/{ends.isoformat()}"
    assert ended == [week, last]


async def test_the_database_is_asked_once_whether_a_review_was_told(pool, db, now):
    rules = seeds.rules(policies={"mk": (seeds.policy(review_after=date(2026, 11, 20)),)})
    reviewed: set[str] = set()

    await watch.tend(pool, rules, now, reviewed)
    assert reviewed == {"reply-24h/review/2026-11-20"}
    async with transaction(pool) as other:
        await other.execute("lock table notice in access exclusive mode")
        await asyncio.wait_for(watch.tend(pool, rules, now, reviewed), 2)

    assert await told(db) == [("reply-24h/review/2026-11-20", "policy_review")]


def test_a_promise_that_is_over_needs_no_review(now):
    over = seeds.policy(review_after=date(2026, 1, 1), effective_to=now)

    assert watch.reviews(seeds.rules(policies={"mk": (over,)}), now) == []


async def test_routes_decide_who_hears_of_a_breach(pool, db, now):
    desk = Route("desk", ("chat",), frozenset({NoticeKind.BREACH}))
    ops = Route("ops", ("log",), fallback=True)
    await seeds.put_clock(db, now - HOUR, step=1)
    await seeds.put_clock(db, now + MINUTE)

    await seeds.watched(pool, seeds.rules(desk, ops, of={"mk": ("desk",)}), now)

    assert {(to, state) for _, to, state in await seeds.dispatches(db)} == {
        ("chat", "waits"), ("log", "waits"),
    }  # fmt: skip


async def put_many(db, at):
    """As at a closing time: 40,000 clocks a second apart, anywhere in the table.

    A half is to be told; the others are to be counted, every second of them for it ended late.
    """
    await db.execute(
        "insert into clock (account, thread, promise, waits_for, metric, members, started_by,"
        " started_at, due_at, due_from, steps, step, ended)"
        " select 'mk', 'T1', 'p', 'buyer', 'first_reply', '{}', n::text, at, at, 'policy',"
        " array[at], n % 2, case when n % 4 = 1 then 'late' end"
        " from generate_series(1, 40000) as n,"
        " lateral (select $1::timestamptz + n * interval '1 s' as at) as a order by random()", at,
    )  # fmt: skip
    await seeds.put_alarms(db)
    await db.execute("analyze clock, alarm")


async def planned(db, query, arguments):
    """How PostgreSQL means to answer it, whether it knows the values or not."""
    await db.execute(f"prepare asked as {query}")
    for mode in ("force_generic_plan", "force_custom_plan"):
        await db.execute(f"set plan_cache_mode = {mode}")
        rows = await db.fetch(f"explain execute asked({arguments})")
        yield "\n".join(row[0] for row in rows)
    await db.execute("deallocate asked; reset plan_cache_mode")


@pytest.mark.parametrize(
    ("query", "arguments", "first", "index"),
    [(steps.TELL, ", true", "due", "untold"), (steps.COUNT, "", "ready", "uncounted")],
)
async def test_a_batch_of_many_is_found_in_order_and_changed_by_its_place(
    db, now, query, arguments, first, index
):
    """At a closing time everything is due at once: no batch may look at all of it, nor sort it."""
    await put_many(db, now)

    async for plan in planned(db, query, f"'{now + 200 * SECOND}'{arguments}"):
        found = plan[plan.index(f"CTE {first}") :]
        found = found[: found.index("CTE", 5)]
        assert f"Index Scan using alarm_{index}" in found
        assert "Sort" not in found
        assert "Join" not in found
        assert "Tid Scan on alarm" in plan
        assert "Seq Scan on clock" not in plan
        assert "Seq Scan on alarm" not in plan
        assert "Join Filter" not in plan


async def test_nothing_is_countable_before_a_reading_or_a_minute_has_passed(db, now):
    await seeds.put_clock(db, now - 10 * SECOND, step=2)

    assert not await steps.is_countable(db, now)
    assert await steps.is_countable(db, now + 51 * SECOND)
    await db.execute("update stream set seen_through = $1", now - 10 * SECOND)
    assert await steps.is_countable(db, now)


async def test_what_ended_late_is_countable_at_once(db, now):
    late = await seeds.put_clock(db, now - SECOND, step=2, ended="late")

    assert await steps.is_countable(db, now)
    assert await steps.count(db, now) == {("mk", "first_reply"): 1}
    assert (await clock(db, late))["breached_at"] == now - SECOND


async def test_a_clock_that_has_ended_is_not_moved_though_a_step_seems_left(db, now):
    one = await seeds.put_clock(db, now - HOUR, step=1)
    await db.execute("update clock set ended = 'met'")
    before = await clock(db, one)

    assert await steps.tell(db, now) == []

    assert await clock(db, one) == before


async def test_what_passed_first_is_told_first(pool, db, rules, now):
    passed = [7, 3, 9, 1, 5, 8, 2]
    clocks = {each: await seeds.put_clock(db, now - each * SECOND, step=1) for each in passed}

    await seeds.watched(pool, rules, now)

    assert [key for key, _ in await told(db)] == [
        keys.step(clocks[each], 0, 2) for each in sorted(passed, reverse=True)
    ]


@pytest.mark.parametrize("query", [steps.TELL, steps.COUNT])
def test_the_size_of_a_batch_is_the_one_that_is_said(query):
    assert f"limit {steps.BATCH}\n" in query
