"""The row beside a clock that says what the watcher does next with it."""

from __future__ import annotations

import asyncio
from itertools import product

import asyncpg
import pytest

from core import store
from core.store import alarms, clocks, migrate, steps, transaction
from sla.clock import Given, Kind
from tests.core import pages, seeds
from tests.core.pages import buyer, seller, setup, stored, thread
from tests.core.seeds import HOUR, MINUTE, SECOND

DAY = 24 * HOUR
RULES = seeds.rules()
# Clocks as the version before has left them, by its columns.
BEFORE = """
    insert into clock (account, thread, promise, waits_for, metric, members, started_by, started_at,
                       due_at, due_from, steps, step, next_alert_at, ended, history, breached_at,
                       corrected_at)
    values ('mk', 'T1', 'p', 'buyer', 'first_reply', '{}', 'M1', $1, $1, 'policy', $2, $3, $4, $5,
            $6, $7, $8)
"""


@pytest.fixture
async def pool(pool, now):
    await pages.monitored(pool, now - 30 * DAY)
    return pool


async def only(pool):
    [row] = await pages.rows(pool, "clock")
    return row


async def right(pool):
    async with transaction(pool) as db:
        return await seeds.wrong_alarms(db) == {}


async def test_a_clock_has_one_while_something_is_to_be_told_or_counted(pool, now):
    """Warned at 12 h, 18 h and 21.6 h, due at 24 h; read a minute after that, and counted."""
    await stored(pool, now, buyer("M1", now))
    seen = [(await only(pool))["alarm"]]
    for after in (13 * HOUR, 22 * HOUR, 24 * HOUR + SECOND):
        await seeds.watched(pool, RULES, now + after)
        seen.append((await only(pool))["alarm"])
        assert await right(pool)
    await pool.execute("update stream set seen_through = $1", now + DAY)
    await seeds.watched(pool, RULES, now + DAY + MINUTE)

    assert seen == [
        (now + DAY / 2, "warning"),
        (now + 3 * DAY / 4, "warning"),
        (now + DAY, "breach"),
        (now + DAY, "told"),
    ]
    row = await only(pool)
    assert (row["alarm"], row["step"], row["breached_at"]) == (None, 4, now + DAY)


async def test_one_that_ends_has_none_and_remembers_what_was_told(pool, now):
    await stored(pool, now, buyer("M1", now - 13 * HOUR))
    await seeds.watched(pool, RULES, now)

    await stored(pool, now, seller("M2", now))

    row = await only(pool)
    assert (row["ended"], row["alarm"], row["step"]) == ("met", None, 1)


async def test_one_that_ended_late_while_the_hosts_clock_was_unsure_waits_to_be_counted(pool, now):
    await stored(pool, now, buyer("M1", now - 2 * DAY), seller("M2", now - HOUR), sure=False)

    assert (await only(pool))["alarm"] == (now - DAY, "late")
    assert await right(pool)


async def test_history_and_what_ended_at_first_sight_has_none(pool, now):
    await stored(
        pool, now, buyer("M1", now - 60 * DAY, "A"), buyer("M2", now - HOUR, "B"),
        seller("M3", now, "B"),
    )  # fmt: skip

    assert [row["alarm"] for row in await pages.rows(pool, "clock")] == [None, None]


async def test_an_account_that_leaves_takes_its_alarms_along(pool, now):
    await stored(pool, now, buyer("M1", now - 13 * HOUR, "A"), buyer("M2", now - HOUR, "B"))
    await seeds.watched(pool, RULES, now)

    await pages.monitored(pool, now, setup("other"))

    rows = await pages.rows(pool, "clock")
    assert [(r["thread"], r["ended"], r["alarm"], r["step"]) for r in rows] == [
        ("A", "void", None, 1), ("B", "void", None, 0),
    ]  # fmt: skip


def claim(now, **changes):
    reading = {
        "kind": "claim", "act": "A", "due_at": now - HOUR, "starts_at": now - 2 * DAY,
        "asks": True, "by_message": False, "acted_at": None, "outcome": None,
        "uncertain": False, "as_of": now, "read_at": now,
    }  # fmt: skip
    return "T1", Given(**{**reading, **changes})


async def opened_again(pool, now, how):
    """A clock that was counted as it ended late, before anything was told; now it runs again."""
    if how == "a date that asks again":
        before, since = now - 30 * MINUTE, now - 29 * MINUTE
        claimed = thread("T1", as_of=before, kind="claim")
        await stored(pool, before, claimed, claim(now, as_of=before, read_at=before))
        await stored(pool, since, claim(now, asks=False, as_of=since, read_at=since))
        await stored(pool, now, claim(now, as_of=now - MINUTE, read_at=now - MINUTE))
        return
    await stored(pool, now, buyer("M1", now - 2 * DAY), seller("M2", now - HOUR))
    if how == "an answer that was automatic":
        await stored(pool, now, seller("M2", now - HOUR, kind=Kind.AUTOMATIC))
    elif how == "an answer in another thread":
        await stored(pool, now, seller("M2", now - HOUR, "T2"))
    else:
        await stored(pool, now, seller("M2", now - HOUR, delivery="refused"), sure=False)


AGAIN = [
    "an answer that was automatic", "an answer in another thread",
    "a date that asks again", "a refusal while our clock was unsure",
]  # fmt: skip


@pytest.mark.parametrize("how", AGAIN)
async def test_a_breach_that_was_counted_before_it_was_told_is_counted_once(pool, now, how):
    await opened_again(pool, now, how)
    row = await only(pool)
    assert (row["ended"], row["breached_at"] is None) == (None, False)
    await pool.execute("update stream set seen_through = $1", now)
    await seeds.watched(pool, RULES, now + MINUTE)

    tally = await pool.fetch("select n from tally where result = 'breached'")
    entries = await pool.fetch("select 1 from clock_entry where what = 'breached'")
    row = await only(pool)
    assert [n for (n,) in tally] == [1]
    assert len(entries) <= 1
    assert (row["alarm"], row["step"]) == (None, len(row["steps"]))
    assert await right(pool)


async def waits(task):
    await asyncio.sleep(0.2)
    assert not task.done()


async def test_what_is_just_being_told_is_seen_by_whoever_changes_the_clock(pool, now):
    await stored(pool, now, buyer("M1", now - 13 * HOUR))

    async with transaction(pool) as db:
        assert len(await steps.tell(db, now)) == 1
        answer = asyncio.create_task(stored(pool, now, seller("M2", now)))
        await waits(answer)
    await answer

    row = await only(pool)
    assert (row["ended"], row["step"], row["alarm"]) == ("met", 1, None)


async def test_what_is_just_being_counted_is_seen_by_whoever_changes_the_clock(pool, now):
    await stored(pool, now, buyer("M1", now - 25 * HOUR))
    await pool.execute("update stream set seen_through = $1", now)
    async with transaction(pool) as db:
        await steps.tell(db, now)

    async with transaction(pool) as db:
        assert await steps.count(db, now) == {("mk", "first_reply"): 1}
        answer = asyncio.create_task(stored(pool, now, seller("M2", now - 2 * HOUR)))
        await waits(answer)
    await answer

    row = await only(pool)
    assert (row["ended"], row["step"], row["alarm"]) == ("met", 4, None)
    assert row["correction"] == "answered_elsewhere"


async def test_an_account_that_leaves_waits_for_what_is_just_being_told(pool, now):
    await stored(pool, now, buyer("M1", now - 13 * HOUR))

    async with transaction(pool) as db:
        await steps.tell(db, now)
        leaving = asyncio.create_task(pages.monitored(pool, now, setup("other")))
        await waits(leaving)
    await leaving

    row = await only(pool)
    assert (row["ended"], row["step"], row["alarm"]) == ("void", 1, None)


async def test_who_changes_a_clock_writes_its_alarm_anew_though_it_is_as_before(pool, now):
    """By that the watcher sees that the clock is not what he has read."""
    await stored(pool, now, buyer("M1", now - HOUR))
    before = await pool.fetchrow("select ctid::text, at, kind::text, step from alarm")

    await stored(pool, now, buyer("M2", now))

    after = await pool.fetchrow("select ctid::text, at, kind::text, step from alarm")
    assert (await only(pool))["members"] == ["M1", "M2"]
    assert tuple(after)[1:] == tuple(before)[1:]
    assert after["ctid"] != before["ctid"]


@pytest.fixture
async def before(address):
    """A database as the version before has left it."""
    db = await store.connect(address)
    await db.execute("drop schema public cascade; create schema public")
    await migrate.apply(db, [each for each in migrate.shipped() if each.version < 7])
    yield db
    await db.close()


def states(now):
    at = [now - HOUR, now, now + HOUR]
    ends, either, maybe = (None, "met", "late", "void"), (False, True), (None, now)
    found = []
    for said, step, ended, history, *counted in product(
        ([], at[:1], at), (0, 1, 2, 3), ends, either, maybe, maybe
    ):
        told = min(step, len(said))
        ahead = told < len(said) and not ended and not history
        next_ = said[told] if ahead else None
        due_at = said[-1] if said else now
        found.append((due_at, said, told, next_, ended, history, *counted))
    return found


async def test_an_upgrade_gives_clocks_of_every_state_their_alarm(before, now):
    await before.executemany(BEFORE, states(now))

    assert 7 in await migrate.apply(before)

    assert await seeds.wrong_alarms(before) == {}
    kinds = await before.fetch("select kind::text as kind, count(*) as n from alarm group by 1")
    assert {row["kind"] for row in kinds} == {"warning", "breach", "told", "late"}
    steps_ = await before.fetch(
        "select a.step = c.step from alarm a join clock c on c.id = a.clock"
    )
    assert {row[0] for row in steps_} == {True}


async def test_the_version_before_writes_no_clock_that_would_never_be_told(before, now):
    await migrate.apply(before)

    with pytest.raises(asyncpg.UndefinedColumnError):
        await before.execute(BEFORE, *states(now)[0])


async def test_a_superseded_clock_has_none_though_a_step_was_told(pool, now):
    async with transaction(pool) as db:
        await seeds.put_clock(db, now + HOUR, steps=[], step=1)
        [row] = await clocks.of_thread(db, "mk", "T1")

    assert alarms.of(row) is None
