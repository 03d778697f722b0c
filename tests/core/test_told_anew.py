"""What was told stands, or is told anew: after a mark that was wrong, and under other steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core import ingest
from core.access import Role, Who
from core.desk import escalating, marking
from core.model import NoticeKind
from core.store import marked, transaction
from sla.policy import Party
from tests.core import climbing, pages, seeds
from tests.core.climbing import KNOWN
from tests.core.seeds import HOUR, MINUTE

ADA = Who("ada", Role.AGENT)
BUYER = frozenset({Party.BUYER})
DAY = 24 * HOUR
RULES = climbing.rules(kinds=[NoticeKind.WARNING, NoticeKind.BREACH, NoticeKind.CORRECTED])
WARN = seeds.policy().warn


@pytest.fixture
async def db(pool, now):
    """A thread whose buyer has been waiting for a day and a minute."""
    await pages.monitored(pool, now - 30 * DAY)
    asked = pages.buyer("M1", now - DAY - MINUTE)
    await pages.stored(pool, now - DAY, pages.thread(as_of=now), asked, of=RULES)
    async with pool.acquire() as db:
        await db.execute("update account set first_walk_at = monitored_since")
        yield db


@pytest.fixture
def wrongly_corrected(pool, db, now):
    """Tell the breach, say that it was answered in time, tell that, and take it back."""

    async def go(at):
        await seeds.watched(pool, RULES, at)
        await db.execute("update dispatch set sent_at = $1 where suppressed is null", at)
        async with transaction(pool) as other:
            where = other, RULES, ADA, "mk", "T1"
            await marking.answered(*where, now - HOUR, BUYER, at + MINUTE)
        await db.execute("update dispatch set sent_at = $1 where suppressed is null", at)
        [said] = await marked.of(db, "mk", "T1")
        async with transaction(pool) as other:
            where = other, RULES, ADA, "mk", "T1"
            assert await marking.take_back(*where, said.id, at + 2 * MINUTE)

    return go


async def clock(db):
    return await db.fetchrow("select revision, step, cardinality(steps) as steps from clock")


async def test_a_breach_that_was_corrected_by_mistake_is_told_anew_and_climbs(
    pool, db, wrongly_corrected, now
):
    await wrongly_corrected(now)

    await seeds.watched(pool, RULES, now + 3 * MINUTE)

    last = len(WARN) + 1
    assert await seeds.dispatches(db) == [
        (f"1/0/{last}", "chat", "sent"),
        ("1/0/corrected", "chat", "sent"),
        (f"1/1/{last}", "chat", "waits"),
    ]
    assert await climbing.standing(db) == [(0, "answered"), (0, None)]
    breached = "select n from tally where metric = 'first_reply' and result = 'breached'"
    assert await db.fetchval(breached) == 1  # it is the same breach


async def test_who_is_told_anew_is_told_again_that_it_was_none(pool, db, wrongly_corrected, now):
    await wrongly_corrected(now)
    await wrongly_corrected(now + HOUR)

    keys = [key for key, _, state in await seeds.dispatches(db) if state == "sent"]

    assert keys[-2:] == [f"1/1/{len(WARN) + 1}", "1/1/corrected"]
    assert dict(await clock(db)) == {"revision": 2, "step": len(WARN), "steps": len(WARN) + 1}


async def test_a_mark_that_is_taken_back_before_the_deadline_tells_nothing_anew(pool, db, now):
    at = now - 2 * MINUTE
    await seeds.watched(pool, RULES, at)
    async with transaction(pool) as other:
        await marking.answered(other, RULES, ADA, "mk", "T1", at, BUYER, at)
    [said] = await marked.of(db, "mk", "T1")
    async with transaction(pool) as other:
        await marking.take_back(other, RULES, ADA, "mk", "T1", said.id, at)

    assert dict(await clock(db)) == {"revision": 0, "step": len(WARN), "steps": len(WARN) + 1}


async def test_what_waits_to_be_told_stands_under_other_steps_to_the_same_deadline(pool, db, now):
    """A route's quiet hours hold it for a night; meanwhile the settings name other warnings."""
    fewer = replace(RULES, policies={"mk": (seeds.policy(warn=WARN[:1]),)})
    await seeds.watched(pool, RULES, now)
    told = [(f"1/0/{len(WARN) + 1}", "chat", "waits")]
    assert await seeds.dispatches(db) == told

    async with transaction(pool) as other:
        await ingest.recompute(other, fewer, "mk", ["T1"], now + MINUTE)
    await seeds.watched(pool, fewer, now + 2 * MINUTE)

    assert await seeds.dispatches(db) == told
    assert dict(await clock(db)) == {"revision": 1, "step": 2, "steps": 2}
    await escalating.once(pool, fewer, KNOWN, now + 20 * MINUTE)
    assert await climbing.standing(db) == [(1, None)]
    assert await climbing.told(db) == [(1, "mail-lea")]
