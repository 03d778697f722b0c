"""From the stand-in to the committed clock: pushes as they really come, over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore.woocommerce import offer
from connectors.webstore.woocommerce.sandbox.deliveries import Push as Delivery
from tests.connectors.webstore import doors
from tests.connectors.webstore.conftest import NOON
from tests.connectors.webstore.doors import stored
from tests.connectors.webstore.woocommerce.conftest import SECRET
from tests.core import pages, seeds
from tests.core.pages import HOUR

RULES = seeds.rules(accounts=("toys",), policies={"toys": (offer.REMARK,)})


@pytest.fixture
async def door(sandbox, shop, optioned, session, pool, clock):
    """Subscribed to, as if long ago."""
    told = {"topics": offer.TOPICS, "usual": (offer.CREATED,), "woken": ("orders",)}
    async with doors.served("toys", RULES, clock, **told) as door:
        push = {"endpoint": door.url, "secret": SECRET}
        await door.opens(pool, optioned(push=push), session)
        assert [line async for line in door.connector.subscribe(None, clock.now)]
        sandbox.deliveries.is_held = False
        yield door


async def test_a_remark_is_stored_with_its_clock_before_it_is_acknowledged(
    door, shop, sandbox, pool
):
    shop.add_order("Gift, please")

    assert await sandbox.deliveries.deliver() == [200]

    assert await stored(pool) == ["Gift, please"]
    (clock,) = await pages.rows(pool, "clock")
    assert clock["due_at"] - clock["started_at"] == timedelta(hours=24)
    assert door.counted("stored") == 1


async def test_the_ping_of_a_new_webhook_is_answered_and_stored_nowhere(door, sandbox, pool):
    assert sandbox.deliveries.pings == [200, 200, 200]
    assert await stored(pool) == []
    assert door.counted("challenge", "other") == 3


async def test_an_answer_in_the_shop_ends_the_clock_at_once(door, shop, sandbox, pool, clock):
    order = shop.add_order("Gift, please")
    await sandbox.deliveries.deliver()
    clock.advance(hours=1)
    shop.note(order.id, "Gladly.")
    await sandbox.deliveries.deliver()

    (row,) = await pages.rows(pool, "clock")
    assert (row["ended"], row["stopped_at"]) == ("met", NOON + HOUR)


async def test_the_same_push_twice_is_stored_once(door, shop, sandbox, pool):
    sandbox.deliveries.is_held = True
    shop.add_order("Gift, please")
    (one,) = sandbox.deliveries.waiting
    sandbox.deliveries.waiting.append(Delivery(one.shop, one.hook, one.about))
    sandbox.deliveries.is_held = False

    assert await sandbox.deliveries.deliver() == [200, 200]

    assert await stored(pool) == ["Gift, please"]
    assert (door.counted("stored"), door.counted("duplicate")) == (1, 1)


async def test_two_orders_of_one_second_are_both_stored(door, shop, sandbox, pool):
    shop.add_order("First")
    shop.add_order("Second")
    await sandbox.deliveries.deliver()

    assert len({one.id for one in sandbox.deliveries.tried}) == 1
    assert await stored(pool) == ["First", "Second"]


async def test_the_poll_that_confirms_a_push_finds_the_same_messages(
    door, shop, sandbox, pool, clock
):
    shop.add_order("Gift, please")
    await sandbox.deliveries.deliver()

    told = await door.polled("orders", clock())

    assert (told.received, told.changed, told.repeated) == (0, 0, 1)


async def test_trap_14_a_webhook_that_fails_again_and_again_is_off_and_that_is_told(
    door, shop, sandbox, pool, clock
):
    door.pool = None
    for number in range(8):
        clock.advance(minutes=1)
        shop.add_order(f"Number {number}")
        await sandbox.deliveries.deliver()

    assert {one.status for one in sandbox.deliveries.tried} == {503}
    assert [one.status for one in shop.hooks.values()] == ["disabled", "active", "active"]
    door.pool = pool
    assert (await door.connector.fetch("hooks", None, None, clock())).pushes == (
        "destination_disabled",
    )
    page = await door.connector.fetch("orders", None, None, clock())
    assert len(page.threads) == 8


async def test_a_forged_push_is_refused_counted_and_stored_nowhere(door, session, pool):
    await door.refuses_the_unsigned(session, pool)
