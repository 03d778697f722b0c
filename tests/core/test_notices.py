from __future__ import annotations

import asyncio

import pytest

from core import keys
from core.model import Notice, NoticeKind
from core.routing import Route
from core.store import dispatches, notices, transaction
from core.store.keeping import Cutoffs
from tests.core import seeds

DESK = Route("desk", ("chat", "mail"), frozenset({NoticeKind.WARNING, NoticeKind.BREACH}))
OPS = Route("ops", ("log",), fallback=True)


@pytest.fixture
def rules():
    return seeds.rules(DESK, OPS, of={"mk": ("desk",)})


def notice(now, key="7/0/2", kind=NoticeKind.BREACH, **changes):
    given = {"account": "mk", "raised_at": now, "thread": "T1", "clock": 7, "due_at": now}
    return Notice(key=key, kind=kind, **(given | changes))


async def told(pool):
    async with pool.acquire() as db:
        return await seeds.dispatches(db)


async def test_a_notice_goes_to_each_notifier_of_the_accounts_routes(pool, rules, now):
    async with transaction(pool) as db:
        assert await notices.raise_(db, rules, [notice(now)]) == 1

    assert await told(pool) == [("7/0/2", "chat", "waits"), ("7/0/2", "mail", "waits")]


async def test_a_kind_that_no_route_of_the_account_takes_goes_to_the_fallback(pool, rules, now):
    async with transaction(pool) as db:
        await notices.raise_(db, rules, [notice(now, kind=NoticeKind.BLIND)])

    assert await told(pool) == [("7/0/2", "log", "waits")]


async def test_a_key_is_raised_once_for_ever(pool, rules, now):
    async with transaction(pool) as db:
        first = await notices.raise_(db, rules, [notice(now), notice(now)])
        again = await notices.raise_(db, rules, [notice(now), notice(now, "7/1/2")])

    assert (first, again) == (1, 1)
    assert {key for key, _, _ in await told(pool)} == {"7/0/2", "7/1/2"}


async def test_two_transactions_that_raise_the_same_facts_tell_them_once(pool, rules, now):
    many = [notice(now, f"{n}/0/1", clock=n) for n in range(50)]

    async def raised(order):
        async with transaction(pool) as db:
            return await notices.raise_(db, rules, order)

    assert sum(await asyncio.gather(raised(many), raised(many[::-1]))) == 50


async def test_a_notice_falls_with_the_transaction_that_raised_it(pool, rules, now):
    async def broken():
        async with transaction(pool) as db:
            await notices.raise_(db, rules, [notice(now)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await broken()

    assert await told(pool) == []


async def test_raising_wakes_the_deliverers_and_repeating_does_not(pool, rules, now):
    heard = []
    async with pool.acquire() as listener:
        await listener.add_listener("replyby", lambda *args: heard.append(args[-1]))
        for _ in range(2):
            async with transaction(pool) as db:
                await notices.raise_(db, rules, [notice(now)])
        await listener.execute("select 1")
        await listener.reset()

    assert heard == ["deliver"]


async def test_facts_come_back_as_they_were_told(pool, rules, now):
    facts = (("due_from", "policy"), ("late", True), ("n", 3), ("read_at", None), ("share", 0.5))
    async with transaction(pool) as db:
        await notices.raise_(db, rules, [notice(now, facts=facts)])
    async with transaction(pool) as db:
        (claimed,) = await dispatches.claim(db, "chat", 5)

    assert claimed.notice == notice(now, facts=facts, id=claimed.notice.id)


async def test_what_was_not_sent_is_dropped_and_what_was_sent_is_corrected(pool, rules, now):
    async with transaction(pool) as db:
        await notices.raise_(db, rules, [notice(now)])
        (breach,) = await dispatches.claim(db, "mail", 5)
        await dispatches.done(db, "mail", [breach.notice.id], now)
    async with transaction(pool) as db:
        assert await notices.drop(db, [7], "answered") == 1
        right = notice(now, keys.corrected(7, 0), NoticeKind.CORRECTED)
        assert await notices.correct(db, [right]) == 1

    assert await told(pool) == [
        ("7/0/2", "chat", "answered"),
        ("7/0/2", "mail", "sent"),
        ("7/0/corrected", "mail", "waits"),
    ]


async def test_a_correction_that_nobody_needs_is_not_told(pool, rules, now):
    async with transaction(pool) as db:
        await notices.raise_(db, rules, [notice(now, "7/0/1", NoticeKind.WARNING)])
        (warning,) = await dispatches.claim(db, "mail", 5)
        await dispatches.done(db, "mail", [warning.notice.id], now)
        right = notice(now, keys.corrected(7, 0), NoticeKind.CORRECTED)
        assert await notices.correct(db, [right]) == 0

    assert [key for key, _, _ in await told(pool)] == ["7/0/1", "7/0/1"]


async def test_a_correction_is_told_once_to_each(pool, rules, now):
    async with transaction(pool) as db:
        await notices.raise_(db, rules, [notice(now)])
        for name in ("chat", "mail"):
            (breach,) = await dispatches.claim(db, name, 5)
            await dispatches.done(db, name, [breach.notice.id], now)
        right = notice(now, keys.corrected(7, 0), NoticeKind.CORRECTED)
        await notices.correct(db, [right, right])
        await notices.correct(db, [right])

    assert [row for row in await told(pool) if row[0] == "7/0/corrected"] == [
        ("7/0/corrected", "chat", "waits"),
        ("7/0/corrected", "mail", "waits"),
    ]


async def test_dropping_leaves_other_clocks_and_other_kinds_alone(pool, rules, now):
    async with transaction(pool) as db:
        refused = notice(now, keys.refused(7, "m"), NoticeKind.REPLY_REFUSED)
        await notices.raise_(db, rules, [refused, notice(now, "8/0/1", clock=8)])

        assert await notices.drop(db, [7], "ended") == 0


async def test_a_dispatch_is_claimed_by_one_and_due_again_when_its_lease_ends(pool, rules, now):
    async with transaction(pool) as db:
        await notices.raise_(db, rules, [notice(now, f"{n}/0/1") for n in range(10)])

    async def claimed():
        async with transaction(pool) as db:
            return {d.notice.key for d in await dispatches.claim(db, "chat", 10)}

    one, other = await asyncio.gather(claimed(), claimed())
    assert len(one) + len(other) == 10
    assert not one & other
    assert await claimed() == set()
    async with pool.acquire() as db:
        await db.execute("update dispatch set next_try_at = now() where notifier = 'chat'")
    assert len(await claimed()) == 10


async def test_parked_ones_are_listed_and_can_be_tried_again(pool, rules, now):
    async with transaction(pool) as db:
        await notices.raise_(db, rules, [notice(now), notice(now, "8/0/2", clock=8)])
        ids = [d.notice.id for d in await dispatches.claim(db, "chat", 5)]
        assert await dispatches.park(db, "chat", ids, "refused", "404") == set(ids)
        assert [(d.notice.key, d.parked_reason, d.error) for d in await dispatches.parked(db)] == [
            ("7/0/2", "refused", "404"),
            ("8/0/2", "refused", "404"),
        ]
        assert await dispatches.claim(db, "chat", 5) == []
        assert await dispatches.retry_parked(db, ids[:1]) == 1
        assert await dispatches.retry_parked(db, notifier="mail") == 0
    async with transaction(pool) as db:
        assert [d.notice.id for d in await dispatches.claim(db, "chat", 5)] == ids[:1]
        assert await dispatches.retry_parked(db) == 1


async def test_a_parked_breach_that_is_no_longer_true_is_neither_listed_nor_tried_again(
    pool, rules, now
):
    """Nobody has heard of it, so no correction was raised: told now, it would stay untrue."""
    async with transaction(pool) as db:
        await notices.raise_(db, rules, [notice(now), notice(now, "8/0/2", clock=8)])
        ids = [d.notice.id for d in await dispatches.claim(db, "chat", 5)]
        await dispatches.park(db, "chat", ids, "refused", "404")

        assert await notices.drop(db, [7], "answered") == 2
        assert [d.notice.key for d in await dispatches.parked(db)] == ["8/0/2"]
        assert await dispatches.retry_parked(db, ids[:1]) == 0
        assert await dispatches.retry_parked(db) == 1
        assert await notices.purge(db, Cutoffs(now + seeds.SECOND)) == 1
    async with transaction(pool) as db:
        assert [d.notice.key for d in await dispatches.claim(db, "chat", 5)] == ["8/0/2"]


async def test_purging_keeps_what_waits_and_what_is_parked(pool, rules, now):
    async with transaction(pool) as db:
        await notices.raise_(db, rules, [notice(now, f"{n}/0/1", clock=n) for n in range(4)])
        ids = [d.notice.id for d in await dispatches.claim(db, "chat", 5)]
        await dispatches.claim(db, "mail", 5)
        await dispatches.done(db, "mail", ids, now)
        await dispatches.done(db, "chat", ids[:1], now)
        await notices.drop(db, [1], "answered")
        await dispatches.park(db, "chat", ids[2:3], "refused", "404")

        assert await notices.purge(db, Cutoffs(now)) == 0
        assert await notices.purge(db, Cutoffs(now + seeds.SECOND)) == 2
        keys_left = await notices.known(db, [f"{n}/0/1" for n in range(4)])
    assert keys_left == {"2/0/1", "3/0/1"}


async def test_the_next_try_is_known(pool, rules, now):
    async with transaction(pool) as db:
        assert await dispatches.waits(db, "chat") is None
        await notices.raise_(db, rules, [notice(now)])
        assert await dispatches.waits(db, "chat") == pytest.approx(0, abs=5)
        await dispatches.claim(db, "chat", 5)
        assert await dispatches.waits(db, "chat") == pytest.approx(60, abs=5)
