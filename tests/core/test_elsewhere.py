"""Where else a buyer waits: what one account stores is found from another, and from no other's."""

from __future__ import annotations

import asyncio
from itertools import permutations

import pytest

from core import ingest
from core.arrival import erasing
from core.metrics import Metrics
from core.pushes import Member
from core.running import forgetting, keying
from core.store import accounts as store_accounts
from core.store import buyers, elsewhere, streams, transaction
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, page, seller, thread

DAY = 24 * HOUR
ORDER, MAIL, PHONE = "028-1234567-7654321", "ana@buyers.example", "+4915112345678"
SHOP = {"shop": "main"}
NAMES = ("mail", "chat", "phone", "amazon", "other")


@pytest.fixture
def rules():
    return seeds.rules(accounts=NAMES)


@pytest.fixture
def accounts(pool, now):
    """Settings: which account is of which shop and seller; keys are made from then on."""

    async def accounts(**groups):
        setups = [pages.setup(name, **group) for name, group in groups.items()]
        await pages.monitored(pool, now - 30 * DAY, *setups)
        await made(pool, now)

    return accounts


@pytest.fixture
def asks(pool, rules, now):
    """A buyer asks: by whatever is told of them, in a thread of an account."""

    async def asks(account, id_="T1", *orders, ago=HOUR, answered=False, name="", **reply_to):
        said = [buyer(f"{id_}-1", now - ago, id_)]
        if answered:
            said.append(seller(f"{id_}-2", now - ago / 2, id_))
        told = thread(
            id_, as_of=now - ago, order_ids=orders, buyer=name, reply_to={"kind": "k"} | reply_to
        )
        await pages.stored(pool, now, told, *said, of=rules, account=account)

    return asks


@pytest.fixture
def beside(pool):
    async def beside(account, id_="T1"):
        async with transaction(pool) as db:
            found = await elsewhere.of(db, [(account, id_)])
        return found.get((account, id_), elsewhere.NOWHERE)

    return beside


async def made(pool, now, place=None):
    """Let the loop make the keys that are not made."""
    place = place or keying.Place()
    while await keying.once(pool, place, now) is not None:
        pass


def places(found):
    return [(one.account, one.thread) for one in found.waits]


@pytest.mark.parametrize(
    ("orders", "told"),
    [((ORDER,), {}), (("#17",), {}), ((), {"mail": MAIL}), ((), {"phone": PHONE})],
)
async def test_who_asks_in_two_accounts_of_a_shop_waits_in_both(
    accounts, asks, beside, now, orders, told
):
    await accounts(mail=SHOP, amazon=SHOP)
    await asks("mail", "T1", *orders, ago=2 * HOUR, **told)
    await asks("amazon", "T1", *orders, **told)

    [one] = (await beside("mail")).waits
    assert one == elsewhere.Waiting("amazon", "T1", "reply-24h", now + 23 * HOUR)
    [other] = (await beside("amazon")).waits
    assert other == elsewhere.Waiting("mail", "T1", "reply-24h", now + 22 * HOUR)


async def test_who_shares_nothing_is_another(accounts, asks, beside):
    await accounts(mail=SHOP, amazon=SHOP)
    await asks("mail", "T1", ORDER, mail=MAIL, phone=PHONE)
    await asks(
        "amazon", "T1", "028-0000001-0000001", mail="b@buyers.example", phone="+4915100000000"
    )

    assert await beside("mail") == await beside("amazon") == elsewhere.NOWHERE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        (SHOP, {}),
        (SHOP, {"shop": "another"}),
        ({"seller": "x"}, {"seller": "y"}),
        ({"shop": "main", "seller": "x"}, {"shop": "main", "seller": "y"}),
        ({"shop": "main", "seller": "x"}, SHOP),
    ],
)
async def test_nothing_leads_from_one_seller_to_another(accounts, asks, beside, one, other):
    await accounts(mail=one, amazon=other)
    for name in ("mail", "amazon"):
        await asks(name, "T1", ORDER, mail=MAIL, phone=PHONE)

    assert await beside("mail") == await beside("amazon") == elsewhere.NOWHERE


async def test_two_threads_of_one_account_are_one_buyers_too(accounts, asks, beside):
    await accounts(mail={})
    await asks("mail", "T1", mail=MAIL)
    await asks("mail", "T2", mail=MAIL)

    assert places(await beside("mail", "T2")) == [("mail", "T1")]


async def test_an_answer_in_one_account_leaves_the_clock_of_the_other(
    pool, rules, accounts, asks, beside, now
):
    await accounts(mail=SHOP, amazon=SHOP)
    await asks("mail", mail=MAIL)
    await asks("amazon", mail=MAIL)
    before = (await beside("mail")).waits

    await pages.stored(pool, now, seller("answer", now), of=rules, account="mail")

    assert (await beside("mail")).waits == before
    assert places(await beside("amazon")) == []


@pytest.mark.parametrize("turns", list(permutations(range(4)))[::5])
async def test_one_thread_leads_to_the_next_in_whatever_order_they_come(
    accounts, asks, beside, turns
):
    """A mail with an order, a chat by that address, one by phone about the order, and a call."""
    await accounts(mail=SHOP, chat=SHOP, amazon=SHOP, phone=SHOP)
    steps = [
        lambda: asks("mail", "T1", "#17", mail=MAIL),
        lambda: asks("chat", "T1", mail=MAIL),
        lambda: asks("amazon", "T1", "17", phone=PHONE, answered=True),
        lambda: asks("phone", "T1", phone=PHONE),
    ]
    for turn in turns:
        await steps[turn]()

    waiting = [("chat", "T1"), ("mail", "T1"), ("phone", "T1")]
    for account, id_ in [*waiting, ("amazon", "T1")]:
        others = [one for one in waiting if one != (account, id_)]
        assert sorted(places(await beside(account, id_))) == others


async def test_a_chain_of_strangers_ends_after_three_steps_on_either_side(accounts, asks, beside):
    """A company's phone, a mistyped order, a family's address: each joins two of seven alone."""
    await accounts(mail=SHOP)
    family, company = {"mail": MAIL}, {"phone": PHONE}
    chain = [(company, ""), (company, "17"), (family, "17"), (family, "18"),
             ({"phone": "+4915112345679"}, "18"), ({"phone": "+4915112345679"}, "19"),
             ({}, "19")]  # fmt: skip
    for n, (told, order) in enumerate(chain):
        await asks("mail", f"T{n}", *filter(None, [order]), **told)

    for n in range(len(chain)):
        near = [m for m in range(len(chain)) if 0 < abs(m - n) <= elsewhere.STEPS]
        assert sorted(places(await beside("mail", f"T{n}"))) == [("mail", f"T{m}") for m in near]


async def test_what_is_told_of_a_buyer_later_leads_on_from_then(pool, rules, accounts, asks, now):
    await accounts(mail=SHOP, amazon=SHOP)
    await asks("mail", mail=MAIL)
    await asks("amazon", ago=2 * HOUR)
    for said, there in (({"mail": MAIL}, 1), ({}, 0)):
        now += MINUTE
        restated = thread(as_of=now, reply_to=said)
        await pages.stored(pool, now, restated, of=rules, account="amazon")
        async with transaction(pool) as db:
            assert len(await elsewhere.of(db, [("mail", "T1")])) == there


async def test_pushes_to_several_accounts_have_their_keys_at_once(
    pool, rules, accounts, now, beside
):
    await accounts(mail=SHOP, amazon=SHOP)
    told = {
        name: page(buyer("M1", now - HOUR), thread(as_of=now, reply_to={"phone": PHONE}))
        for name in ("mail", "amazon")
    }
    async with transaction(pool) as db:
        await ingest.pages(db, rules, told, now)

    assert places(await beside("mail")) == [("amazon", "T1")]


async def test_what_many_threads_share_leads_nowhere_and_says_so(
    accounts, asks, beside, monkeypatch
):
    monkeypatch.setattr(elsewhere, "MOST", 3)
    await accounts(mail=SHOP, chat=SHOP)
    for n in range(3):
        await asks("mail", f"T{n}", mail=MAIL)
    assert places(await beside("mail", "T0")) == [("mail", "T1"), ("mail", "T2")]

    await asks("chat", "T9", "#17", mail=MAIL)
    await asks("mail", "T10", "17")

    assert await beside("mail", "T0") == elsewhere.Elsewhere((), too_common=True)
    assert await beside("chat", "T9") == elsewhere.Elsewhere(
        (await beside("chat", "T9")).waits, too_common=True
    )
    assert places(await beside("chat", "T9")) == [("mail", "T10")]


async def test_a_form_that_a_robot_floods_is_found_nowhere_soon(pool, rules, accounts, now, beside):
    await accounts(mail=SHOP)
    told = [thread(f"T{n}", as_of=now, reply_to={"mail": MAIL}) for n in range(3_000)]
    said = [buyer(f"M{n}", now - HOUR, f"T{n}") for n in range(3_000)]
    for first in range(0, 3_000, 1_000):
        part = [*told[first : first + 1_000], *said[first : first + 1_000]]
        await pages.stored(pool, now, *part, of=rules, account="mail")

    async with transaction(pool) as db:
        found = await elsewhere.of(db, [("mail", f"T{n}") for n in range(1_000)])

    assert set(found.values()) == {elsewhere.Elsewhere((), too_common=True)}


async def test_an_account_that_left_the_settings_waits_no_more(accounts, asks, beside):
    await accounts(mail=SHOP, amazon=SHOP)
    await asks("mail", mail=MAIL)
    await asks("amazon", mail=MAIL)
    await accounts(mail=SHOP)

    assert await beside("mail") == elsewhere.NOWHERE


async def test_old_threads_and_who_waits_for_the_marketplace_are_left_out(
    pool, rules, accounts, asks, beside, now
):
    await accounts(mail=SHOP, amazon=SHOP)
    await asks("mail", mail=MAIL)
    await asks("amazon", mail=MAIL, ago=60 * DAY)
    await _clocks(pool, "history = false")
    assert (await beside("mail")).waits
    for what in ("history = true", "waits_for = 'marketplace'", "steps = '{}'"):
        async with pages.undone(pool) as db:
            await db.execute(f"update clock set {what} where account = 'amazon'")
            assert await elsewhere.of(db, [("mail", "T1")]) == {}


async def test_an_unchanged_page_writes_nothing(pool, rules, accounts, asks):
    await accounts(mail=SHOP)
    await asks("mail", "T1", ORDER, mail=MAIL)
    async with pool.acquire() as db:
        before = await db.fetchval("select xmin::text from thread")

    await asks("mail", "T1", ORDER, mail=MAIL)

    async with pool.acquire() as db:
        assert await db.fetchval("select xmin::text from thread") == before


async def test_threads_of_before_get_their_keys_by_and_by(
    pool, accounts, asks, beside, now, monkeypatch
):
    """From before the migration: no key, no secret, and accounts of no shop."""
    monkeypatch.setattr(keying, "CHUNK", 2)
    await pages.monitored(pool, now - 30 * DAY, *map(pages.setup, NAMES))
    async with pool.acquire() as db:
        await db.execute("delete from erasure_key")
    for n in range(5):
        await asks("mail", f"T{n}", mail=f"{n}@buyers.example")
    await asks("amazon", "T1", mail="4@buyers.example")
    async with pool.acquire() as db:
        assert await db.fetchval("select count(keys) from thread") == 0

    await accounts(mail=SHOP, amazon=SHOP)

    assert places(await beside("mail", "T4")) == [("amazon", "T1")]
    assert places(await beside("mail", "T3")) == []


async def test_settings_that_change_part_and_join_what_is_stored(accounts, asks, beside):
    await accounts(mail=SHOP, amazon=SHOP)
    await asks("mail", mail=MAIL)
    await asks("amazon", mail=MAIL)
    for mail, amazon, there in (
        ({"shop": "new"}, SHOP, False),
        ({"shop": "new"}, {"shop": "new"}, True),
        ({"shop": "new", "seller": "x"}, {"shop": "new"}, False),
        ({"shop": "new", "seller": "x"}, {"shop": "old", "seller": "x"}, True),
        ({}, {}, False),
    ):
        await accounts(mail=mail, amazon=amazon)
        assert bool((await beside("mail")).waits) is there


async def test_what_is_made_is_not_made_again(pool, accounts, asks, now):
    await accounts(mail=SHOP)
    await asks("mail", mail=MAIL)
    async with pool.acquire() as db:
        before = await db.fetchval("select xmin::text from thread")
        await db.execute("update account set keyed = false")

    await made(pool, now)
    await accounts(mail=SHOP)

    async with pool.acquire() as db:
        assert await db.fetchval("select xmin::text from thread") == before
        assert await db.fetchval("select keyed from account where name = 'mail'")


async def test_two_daemons_make_the_keys_side_by_side(
    pool, accounts, asks, beside, now, monkeypatch
):
    monkeypatch.setattr(keying, "CHUNK", 3)
    await accounts(mail=SHOP, amazon={})
    for n in range(20):
        await asks("mail", f"T{n}", mail=f"{n}@buyers.example")
        await asks("amazon", f"T{n}", mail=f"{n}@buyers.example")
    setups = [pages.setup(name, seller="x") for name in ("mail", "amazon")]
    await pages.monitored(pool, now - 30 * DAY, *setups)

    await asyncio.gather(made(pool, now), made(pool, now))

    for n in range(20):
        assert places(await beside("mail", f"T{n}")) == [("amazon", f"T{n}")]


async def test_keys_wait_for_settings_that_are_just_taken_over(pool, accounts, asks, now):
    await accounts(mail=SHOP)
    await asks("mail", mail=MAIL)
    async with transaction(pool) as db:
        await store_accounts.sync(db, [pages.setup("mail", shop="new")], now)
        place = keying.Place(buyers.Group("mail", "main"))
        making = asyncio.create_task(keying.once(pool, place, now))
        await asyncio.sleep(0.2)
        assert not making.done()
    await making


async def test_settings_that_change_on_the_way_are_begun_with_anew(
    pool, accounts, asks, now, monkeypatch
):
    monkeypatch.setattr(keying, "CHUNK", 1)
    await accounts(mail=SHOP)
    for n in range(3):
        await asks("mail", f"T{n}", mail=MAIL)
    await pages.monitored(pool, now - 30 * DAY, pages.setup("mail", shop="second"))
    place = keying.Place()
    await keying.once(pool, place, now)
    await keying.once(pool, place, now)
    assert place.after == "T1"

    await pages.monitored(pool, now - 30 * DAY, pages.setup("mail", shop="third"))
    await made(pool, now, place)

    secret = await _secret(pool)
    right = buyers.Keys(secret, buyers.Group("mail", "third")).of((), {"mail": MAIL})
    assert await _keys(pool) == [right] * 3


async def test_settings_that_change_and_return_on_the_way_leave_nothing_behind(
    pool, accounts, asks, now, monkeypatch
):
    monkeypatch.setattr(keying, "CHUNK", 1)
    await accounts(mail=SHOP)
    for n in range(3):
        await asks("mail", f"T{n}", mail=MAIL)
    second, third = (pages.setup("mail", shop=shop) for shop in ("second", "third"))
    await pages.monitored(pool, now - 30 * DAY, second)
    place = keying.Place()
    await keying.once(pool, place, now)
    await pages.monitored(pool, now - 30 * DAY, third)
    await asks("mail", "T0", ago=MINUTE, mail=MAIL.upper())
    await keying.once(pool, place, now)

    await pages.monitored(pool, now - 30 * DAY, second)
    await made(pool, now, place)

    keys = buyers.Keys(await _secret(pool), buyers.Group("mail", "second"))
    assert await _keys(pool) == [keys.of((), {"mail": MAIL})] * 3


async def test_two_daemons_come_to_the_end_at_once(pool, accounts, asks, now):
    await accounts(mail=SHOP)
    await asks("mail", mail=MAIL)
    for _ in range(20):
        async with pool.acquire() as db:
            await db.execute("update account set keyed = false")
        group = buyers.Group("mail", "main")
        await asyncio.gather(*(keying.once(pool, keying.Place(group), now) for _ in range(4)))
        async with pool.acquire() as db:
            assert await db.fetchval("select keyed from account")


@pytest.mark.parametrize("leased", [True, False])
async def test_a_page_on_its_way_has_the_keys_of_settings_taken_over_meanwhile(
    pool, rules, accounts, now, leased
):
    """Who takes them over waits for it: the keys that it was stored with are made anew."""
    await accounts(mail=SHOP)
    async with transaction(pool) as db:
        lease = (await streams.claim(db, 1, 1, HOUR))[0] if leased else None
    async with transaction(pool) as db:
        told = page(buyer("M1", now - HOUR), thread(as_of=now, reply_to={"mail": MAIL}))
        await ingest.page(db, rules, "mail", told, now, lease)
        setup = pages.setup("mail", shop="new")
        changing = asyncio.create_task(pages.monitored(pool, now - 30 * DAY, setup))
        await asyncio.sleep(0.2)
        assert not changing.done()
        await made(pool, now)
    await changing
    await made(pool, now)

    right = buyers.Keys(await _secret(pool), buyers.Group("mail", "new")).of((), {"mail": MAIL})
    assert await _keys(pool) == [right]


@pytest.mark.parametrize("side_by_side", [True, False])
async def test_a_push_that_waits_for_settings_has_the_keys_that_these_make(
    pool, rules, accounts, now, side_by_side
):
    await accounts(mail=SHOP)

    async def push():
        told = page(buyer("M1", now - HOUR), thread(as_of=now, reply_to={"mail": MAIL}))
        async with transaction(pool) as db:
            if side_by_side:
                return await ingest.pages(db, rules, {"mail": told}, now)
            return await ingest.page(db, rules, "mail", told, now, None)

    async with transaction(pool) as db:
        await store_accounts.sync(db, [pages.setup("mail", shop="new")], now)
        pushing = asyncio.create_task(push())
        await asyncio.sleep(0.2)
        assert not pushing.done()
    await pushing

    right = buyers.Keys(await _secret(pool), buyers.Group("mail", "new")).of((), {"mail": MAIL})
    assert await _keys(pool) == [right]


@pytest.mark.parametrize("name", ["Quill-Buyer_7", MAIL])
async def test_nothing_leads_to_a_buyer_who_was_erased(
    pool, rules, accounts, asks, beside, now, name
):
    await accounts(mail=SHOP, amazon=SHOP)
    await asks("mail", "T1", ORDER, mail=MAIL)
    await asks("amazon", "T1", ORDER, name="Quill-Buyer_7", mail=MAIL, phone=PHONE)
    assert (await beside("mail")).waits

    async with transaction(pool) as db:
        member = Member(frozenset({name}))
        await erasing.ask(db, "mirakl", None, [member], now, account="amazon")
    means = forgetting.Means(pool, rules, Metrics(), lambda: None)
    while await forgetting.once(means, forgetting.Pace(), now) is not None:
        pass
    later = thread(as_of=now + MINUTE, order_ids=(ORDER, "17"), reply_to={"mail": MAIL})
    await pages.stored(pool, now + MINUTE, later, of=rules, account="amazon")
    async with pool.acquire() as db:
        await db.execute("update account set keyed = false")
    await made(pool, now)

    assert await beside("mail") == elsewhere.NOWHERE
    async with pool.acquire() as db:
        assert await db.fetchval("select keys from thread where account = 'amazon'") is None


async def _clocks(pool, what):
    async with pool.acquire() as db:
        await db.execute(f"update clock set {what} where account = 'amazon'")


async def _secret(pool):
    async with pool.acquire() as db:
        return await db.fetchval("select key from erasure_key")


async def _keys(pool):
    async with pool.acquire() as db:
        return [row["keys"] for row in await db.fetch("select keys from thread order by id")]
