"""What a flood of one account brings leaves together; others are told as ever."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from core import deliver
from core.metrics import Metrics
from core.model import NoticeKind
from core.store import floods, notices, transaction
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE
from tests.core.test_floods import Chat, Time, notice, states

MANY = 300


class Desk:
    """Two accounts, of which ``mk`` is flooded, and who is told of both by one notifier."""

    def __init__(self, pool, now):
        self.time, self.pool = Time(pool, now), pool
        self.rules, self.chat = seeds.rules(accounts=("mk", "other")), Chat()
        self.since, self.clocks = now - HOUR, {}

    async def started(self, account, n, at):
        """So many clocks that began at an instant, their letters unanswered."""
        async with transaction(self.pool) as db:
            return [
                await seeds.put_clock(
                    db, at + 24 * HOUR, account=account, started_at=at, started_by=f"{at}{one}",
                    thread=f"T-{account}",
                )
                for one in range(n)
            ]  # fmt: skip

    async def raised(self, account, clocks, kind=NoticeKind.WARNING):
        each = [
            notice(self.time.now, clock, kind, account=account, thread=f"T-{account}")
            for clock in clocks
        ]
        async with transaction(self.pool) as db:
            await notices.raise_(db, self.rules, each)

    async def told(self):
        """Rounds until nothing more is due at once; who heard of what since the last time."""
        before = len(self.chat.got)
        to, now = {self.chat.name: self.chat}, self.time.now
        while True:
            again = await deliver.once(self.pool, to, self.rules, {}, Metrics(), self.time.now)
            if again is None or again > now:
                break
        fresh = self.chat.got[before:]
        return [(one.kind.value, one.account, sum(self.chat._told(one))) for one, _ in fresh]


@pytest.fixture
async def desk(pool, now):
    desk = Desk(pool, now)
    async with transaction(pool) as db:
        for account in ("mk", "other"):
            await seeds.put_account(db, now, account)
            await seeds.put_thread(db, now, f"T-{account}", account)
        await floods.begin(db, "mk", desk.since)
    return desk


async def test_a_flood_of_one_account_delays_no_other(desk):
    """The other's two of a minute are its own, and no digest holds them."""
    robot = await desk.started("mk", MANY, desk.since + MINUTE)
    buyers = await desk.started("other", 2, desk.since)
    await desk.raised("mk", robot)
    await desk.raised("other", buyers)

    first = await desk.told()
    await desk.time.passes(6)
    later = await desk.told()

    assert first == [("warning", "other", 1)] * 2
    assert later == [("digest", "mk", MANY)]
    assert await states(desk.pool) == {"sent": MANY + 2}


async def test_all_the_while_it_goes_on(desk):
    """Its steps come for a minute; every few seconds another account has one of its own."""
    waits = []
    for _ in range(12):
        await desk.raised("mk", await desk.started("mk", 25, desk.since + MINUTE))
        told = Counter()
        if len(waits) < 2:
            await desk.raised("other", await desk.started("other", 1, desk.since))
            told.update(account for _, account, _ in await desk.told())
            waits.append(told["other"])
        else:
            await desk.told()
        await desk.time.passes(5)
    for _ in range(8):
        await desk.time.passes(5)
        await desk.told()

    assert waits == [1, 1]
    of_robot = [one for one, _ in desk.chat.got if one.account == "mk"]
    assert {one.kind for one in of_robot} == {NoticeKind.DIGEST}
    assert len(of_robot) <= 4
    assert await states(desk.pool) == {"sent": 12 * 25 + 2}


async def test_what_began_before_or_after_the_flood_is_told_as_ever(desk):
    before = await desk.started("mk", 1, desk.since - MINUTE)
    after = await desk.started("mk", 1, desk.since + 40 * MINUTE)
    during = await desk.started("mk", MANY, desk.since + MINUTE)
    async with transaction(desk.pool) as db:
        (flood,) = await floods.go_on(db)
        await floods.end(db, flood, desk.since + 30 * MINUTE)
    await desk.raised("mk", [*during, *before, *after])

    assert await desk.told() == [("warning", "mk", 1)] * 2
    await desk.time.passes(6)
    assert await desk.told() == [("digest", "mk", MANY)]


async def test_two_floods_leave_apart_from_one_another(desk):
    async with transaction(desk.pool) as db:
        await floods.begin(db, "other", desk.since)
    for account in ("mk", "other"):
        await desk.raised(account, await desk.started(account, MANY, desk.since + MINUTE))
    await desk.told()

    for _ in range(8):
        await desk.time.passes(5)
        await desk.told()

    told = [(one.kind.value, one.account, sum(desk.chat._told(one))) for one, _ in desk.chat.got]
    assert sorted(told) == [("digest", "mk", MANY), ("digest", "other", MANY)]


async def test_the_digest_says_how_many_and_no_word_of_theirs(desk):
    await desk.raised("mk", await desk.started("mk", MANY, desk.since + MINUTE))
    await desk.told()
    await desk.time.passes(6)
    await desk.told()

    ((told, words),) = desk.chat.got
    assert dict(told.facts)["warnings"] == MANY
    assert f"0 late, {MANY} due soon" in words.subject
    assert "Quillon" not in words.text


async def test_breaches_of_it_are_digests_as_well(desk):
    clocks = await desk.started("mk", MANY, desk.since + MINUTE)
    await desk.raised("mk", clocks, NoticeKind.WARNING)
    await desk.told()
    await desk.time.passes(60)
    await desk.told()
    async with transaction(desk.pool) as db:
        told = [notice(desk.time.now, clock, thread="T-mk") for clock in clocks]
        each = [replace(one, key=f"{one.clock}/0/9") for one in told]
        await notices.raise_(db, desk.rules, each)
    await desk.told()
    await desk.time.passes(60)
    await desk.told()

    kinds = [(one.kind, dict(one.facts)["notices"]) for one, _ in desk.chat.got]
    assert kinds == [(NoticeKind.DIGEST, MANY)] * 2
