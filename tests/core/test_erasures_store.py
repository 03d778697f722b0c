"""Who is to be erased is written down in the caller's transaction, and known by digests alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from core.arrival import erasing
from core.pushes import Member, Pushed
from core.store import erasures, forgotten, transaction
from tests.core.pages import HOUR, undone

IDS = frozenset({"Buyer-A", "uId0000001", "AAAA0000example=="})
DAY = 24 * HOUR


async def asked(pool, now, *ids, push=None, account=None):
    members = [Member(frozenset(each)) for each in ids]
    async with transaction(pool) as db:
        return await erasing.ask(db, "ebay", push, members, now, account=account)


async def test_a_push_asks_once_however_often_it_comes(pool, now):
    push = Pushed("N1", "MARKETPLACE_ACCOUNT_DELETION", now - HOUR)

    first = await asked(pool, now, IDS, push=push)
    again = await asked(pool, now + HOUR, IDS, push=push)

    async with transaction(pool) as db:
        [proof] = await erasures.proofs(db, 10)
    assert (first, again) == (proof.id, None)
    assert (proof.push, proof.published_at, proof.asked_at) == ("N1", now - HOUR, now)
    assert (proof.members, proof.done_at) == (1, None)


async def test_the_request_is_gone_with_the_callers_transaction(pool, now):
    async with undone(pool) as db:
        await erasing.ask(db, "ebay", None, [Member(IDS)], now)

    async with transaction(pool) as db:
        assert await erasures.waiting(db) == (0, None)
        assert await forgotten.digests_if_any(db, "ebay") is None


async def test_no_id_outlives_the_work(pool, now):
    number = await asked(pool, now, IDS)

    async with transaction(pool) as db:
        [request] = await erasures.claim(db, 10)
        await erasures.done(db, [number], now)
        told = [
            [tuple(row) for row in await db.fetch(f"select * from {table}")]
            for table in ("erasure", "erasure_member", "forgotten")
        ]
    assert request.ids == {id_.casefold() for id_ in IDS}
    for id_ in IDS:
        assert id_.casefold() not in repr(told).casefold()
    assert len(told[2]) == len(IDS) + 2  # what two of them are put together like


async def test_only_whoever_has_the_id_finds_its_digest(pool, now):
    await asked(pool, now, IDS, account="mk")

    async with transaction(pool) as db:
        made = await forgotten.digests(db, "ebay")
        other = await forgotten.digests(db, "mirakl")
        known = [
            await forgotten.known(db, account, [one.of("buyer-a")], [])
            for account, one in (("mk", made), ("other", made), ("mk", other))
        ]
    assert [len(found) for found in known] == [1, 0, 0]


async def test_what_one_does_no_other_takes_until_its_lease_ends(pool, now):
    await asked(pool, now, IDS)

    async with transaction(pool) as db:
        first, second = await erasures.claim(db, 10), await erasures.claim(db, 10)
        await db.execute("update erasure set leased_until = now() - interval '1 s'")
        third = await erasures.claim(db, 10)
    assert (len(first), second, third) == (1, [], first)


@pytest.mark.parametrize("after", [30 * DAY, 30 * DAY + timedelta(seconds=1)])
async def test_digests_and_proofs_go_when_their_time_is_over(pool, now, after):
    number = await asked(pool, now, IDS)

    async with transaction(pool) as db:
        await erasures.done(db, [number], now)
        gone = await forgotten.purge(db, now + after - 30 * DAY)
        proofs = await erasures.purge(db, now + after - 30 * DAY)
    over = after > 30 * DAY
    assert (gone, proofs) == ((5, 1) if over else (0, 0))


async def test_ids_without_a_letter_in_them_are_no_ids(pool, now):
    number = await asked(pool, now, {" ", ""}, {"Buyer-A ", "\0"})

    async with transaction(pool) as db:
        [request] = await erasures.claim(db, 10)
    assert (request.id, request.ids) == (number, {"buyer-a"})


async def test_two_who_are_told_of_the_same_members_do_not_block_one_another(pool, now):
    """As two addresses, or two daemons, are: each in an order of its own."""
    members = [Member(frozenset({f"member {n}", f"uid-{n}"})) for n in range(30)]

    async def asked(address, of):
        requests = [
            erasing.Request("ebay", Pushed(f"{address} {n}", "D"), [member])
            for n, member in enumerate(of)
        ]
        async with transaction(pool) as db:
            return await erasing.ask_all(db, requests, now)

    for n in range(10):
        told = await asyncio.gather(asked(f"a{n}", members), asked(f"b{n}", members[::-1]))
        assert all(None not in numbers for numbers in told)


async def test_the_same_notices_in_two_orders_are_written_down_once(pool, now):
    requests = [
        erasing.Request("ebay", Pushed(f"N{n}", "D"), [Member(frozenset({f"uid-{n}"}))])
        for n in range(30)
    ]

    async def asked(of):
        async with transaction(pool) as db:
            return await erasing.ask_all(db, of, now)

    one, two = await asyncio.gather(asked(requests), asked(requests[::-1]))

    assert [(a is None) + (b is None) for a, b in zip(one, two[::-1], strict=True)] == [1] * 30
