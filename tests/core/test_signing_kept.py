"""What of people, sessions and the audit trail is kept, for how long, and through a restore."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.access import Role, Who
from core.configuration.retention import Keeping
from core.metrics import Metrics
from core.running import keeping, purging
from core.store import (
    audit,
    invitations,
    people,
    sessions,
    settling,
    stats,
    tokens,
    transaction,
    tries,
)
from tests.core.test_dumps import another, dumped, opened, restored

DAY = timedelta(days=1)
COUNTS = {
    "person": "select count(*) from person",
    "session": "select count(*) from session",
    "invitation": "select count(*) from invitation",
    "token": "select count(*) from token",
    "sign_in_try": "select count(*) from sign_in_try",
    "audit": "select count(*) from audit",
}


async def put(db, now, secret="s"):
    """Somebody with a session, a link, a token that ends, a failed try and a line of the trail."""
    await people.add(db, "anna", "Anna", Role.AGENT, {"mk"}, now)
    await sessions.begin(
        db, secret, "anna", "password", address="::1", network="::/64", browser="", now=now
    )
    await invitations.make(db, secret, "anna", "root", now, now + DAY)
    await tokens.make(db, secret, "anna", "a robot", Role.VIEWER, None, now, now + DAY)
    await tries.locked(db, ["name x"], now)
    await audit.write(db, Who("anna", Role.AGENT), "read", now=now)


async def counted(db):
    return {name: await db.fetchval(query) for name, query in COUNTS.items()}


@pytest.mark.parametrize(
    ("days", "left"),
    [
        (1, {"person", "session", "invitation", "token", "sign_in_try", "audit"}),
        (10, {"person", "session", "invitation", "token", "audit"}),
        (100, {"person", "audit"}),
        (500, {"person"}),
    ],
)
async def test_each_goes_when_its_time_is_over_and_people_stay(pool, now, days, left):
    async with transaction(pool) as db:
        await put(db, now)
    metrics = Metrics()
    await purging.once(pool, Keeping(), keeping.Place(), metrics, now + days * DAY, sure=True)

    async with pool.acquire() as db:
        assert {name for name, n in (await counted(db)).items() if n} == left


async def test_by_a_clock_that_is_not_believed_no_line_of_the_trail_goes(pool, now):
    async with transaction(pool) as db:
        await put(db, now)
    later = now + 5_000 * DAY
    await purging.once(pool, Keeping(), keeping.Place(), Metrics(), later, sure=False)

    async with pool.acquire() as db:
        assert (await counted(db))["audit"] == 1


async def test_a_restore_brings_people_and_the_trail_back_and_signs_nobody_in(address, server, now):
    async with opened(address) as db:
        await put(db, now)
        dump = await dumped(db, now)
    async with another(server) as fresh:
        await restored(fresh, dump, now)
        found = await counted(fresh)

        assert found == {
            "person": 1, "session": 0, "invitation": 0, "token": 1, "sign_in_try": 0, "audit": 1,
        }  # fmt: skip
        assert (await people.of(fresh, "anna")).accounts == frozenset({"mk"})


async def test_what_came_back_by_other_means_signs_nobody_in_either(pool, now):
    async with transaction(pool) as db:
        await put(db, now)
        await settling.settle(db, now)
        assert await sessions.of(db, "s") is None
        assert await invitations.of(db, "s", now) is None


async def test_sessions_that_were_used_of_late_are_shown(pool, now):
    async with transaction(pool) as db:
        await put(db, now)
        for later, shown in ((0, 1), (59, 1), (60, 0)):
            found = await stats.snapshot(db, now + timedelta(minutes=later))
            assert found.sessions == shown
