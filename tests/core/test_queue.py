from __future__ import annotations

import pytest

from core.store import queue
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE

CLOCK = """
    insert into clock (account, thread, promise, waits_for, metric, members, started_by,
                       started_at, due_at, due_from, steps, ended, history)
    values ('mk', 'T1', $1, 'buyer', 'first_reply', '{m}', 'm', $2, $3, 'policy', $4, $5, $6)
"""


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        await seeds.put_thread(db, now)
        yield db


async def put(db, now, name, hours, *, warn=(0.5, 0.9), ended=None, history=False):
    """A clock of ten hours that is due in so many."""
    due = now + hours * HOUR
    steps = [due - (1 - share) * 10 * HOUR for share in warn] + [due]
    await db.execute(CLOCK, name, due - 10 * HOUR, due, steps, ended, history)


async def test_the_most_urgent_comes_first(db, now):
    for name, hours in {"later": 9, "late": -1, "soon": 1}.items():
        await put(db, now, name, hours)
    await put(db, now, "met", 1, ended="met")

    found = await queue.running(db, 10)

    assert [(c.promise, c.band(now)) for c in found] == [
        ("late", "breached"),
        ("soon", "warning"),
        ("later", "ok"),
    ]
    assert found[0].url == "https://shop.example/threads/T1"


async def test_at_risk_is_what_was_warned_of_or_is_late(db, now):
    for name, hours in {"later": 9, "late": -1, "soon": 1, "now": 0.5}.items():
        await put(db, now, name, hours)

    found = await queue.running(db, 10, at_risk_at=now)

    assert {c.promise: c.band(now) for c in found} == {
        "late": "breached",
        "now": "critical",
        "soon": "warning",
    }


async def test_one_warning_is_no_critical_and_none_is_ok(db, now):
    await put(db, now, "one", 1, warn=(0.5,))
    await put(db, now, "none", 1, warn=())

    assert {c.promise: c.band(now) for c in await queue.running(db, 10)} == {
        "one": "warning",
        "none": "ok",
    }


async def test_history_is_by_itself(db, now):
    await put(db, now, "old", -100, history=True)
    await put(db, now, "new", -1)

    assert [c.promise for c in await queue.history(db, 10)] == ["old"]
    assert [c.promise for c in await queue.running(db, 10)] == ["new"]


async def test_no_more_are_shown_than_asked_for(db, now):
    for n in range(3):
        await put(db, now, str(n), n + 1)

    assert len(await queue.running(db, 2)) == 2


async def test_a_superseded_clock_is_not_listed(db, now):
    for history in (True, False):
        await db.execute(CLOCK, "p", now - HOUR, now - MINUTE, [], None, history)

    assert await queue.history(db, 10) == []
    assert await queue.running(db, 10) == await queue.running(db, 10, at_risk_at=now) == []
