"""From the stand-in to the committed clock: pushes as they really come, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.webstore.bigcommerce import offer
from tests.connectors.webstore import doors
from tests.connectors.webstore.doors import stored
from tests.core import pages, seeds

RULES = seeds.rules(accounts=("toys",), policies={"toys": (offer.MESSAGE,)})


@pytest.fixture
async def door(sandbox, store, optioned, session, pool, clock):
    """Subscribed to, as if long ago."""
    sandbox.deliveries.is_held = False
    told = {"topics": offer.TOPICS, "usual": (offer.CREATED,), "woken": ("messages",)}
    async with doors.served("toys", RULES, clock, **told) as door:
        store.add_hook(offer.CREATED, door.url)
        push = {"endpoint": door.url, "client_secret": store.client_secret}
        await door.opens(pool, optioned(push=push), session)
        yield door


def asks(store, text="Where is it?"):
    order = store.add_order()
    store.customer_writes(order.id, text)
    return order


async def test_a_message_is_stored_with_its_clock_before_it_is_acknowledged(
    door, store, sandbox, pool
):
    store.habits.touches = False  # then no walk would find it
    asks(store)

    assert await sandbox.deliveries.deliver() == [200]

    assert await stored(pool) == ["Where is it?"]
    (clock,) = await pages.rows(pool, "clock")
    assert clock["due_at"] - clock["started_at"] == timedelta(hours=24)
    assert door.counted("stored") == 1


async def test_a_message_that_its_list_does_not_show_yet_is_asked_for_again(
    door, store, sandbox, pool, clock
):
    """Else nothing would find it: its order does not change."""
    store.habits.touches, store.habits.lags = False, 20
    asks(store)

    assert await sandbox.deliveries.deliver() == [503]
    assert await stored(pool) == []

    clock.advance(minutes=1)
    assert await sandbox.deliveries.deliver() == [503, 200]
    assert await stored(pool) == ["Where is it?"]


async def test_a_message_that_never_shows_is_told_and_costs_the_webhook_nothing(
    door, store, sandbox, pool, clock
):
    """It may have been removed: refused for two days it would switch the webhook off."""
    store.habits.lags = 10**6
    asks(store)
    for _ in range(5):
        await sandbox.deliveries.deliver()
        clock.advance(minutes=10)

    assert [one.status for one in sandbox.deliveries.tried][-1] == 200
    assert sandbox.deliveries.waiting == []
    (aside,) = await pages.rows(pool, "set_aside")
    assert aside["reason"].startswith("missing:")


async def test_the_same_push_twice_is_stored_once(door, store, sandbox, pool):
    sandbox.deliveries.is_held = True
    asks(store)
    (one,) = sandbox.deliveries.waiting
    sandbox.deliveries.waiting.append(replace(one))
    sandbox.deliveries.is_held = False

    assert await sandbox.deliveries.deliver() == [200, 200]

    assert await stored(pool) == ["Where is it?"]
    assert (door.counted("stored"), door.counted("duplicate")) == (1, 1)


async def test_the_poll_that_confirms_a_push_finds_the_same_messages(
    door, store, sandbox, pool, clock
):
    order = asks(store)
    clock.advance(seconds=30)
    store.staff_writes(order.id, "Tomorrow.")
    await sandbox.deliveries.deliver()

    told = await door.polled("messages", clock())

    assert (told.received, told.changed, told.repeated) == (0, 0, 2)


async def test_trap_14_what_is_not_acknowledged_comes_again_for_two_days_and_then_no_more(
    door, store, sandbox, pool, clock
):
    door.pool = None
    asks(store, "Is anybody there?")
    await sandbox.deliveries.deliver()
    for _ in range(60):
        clock.advance(hours=1)
        await sandbox.deliveries.deliver()
    assert {one.status for one in sandbox.deliveries.tried} == {503}
    assert len(sandbox.deliveries.tried) == 12
    assert len({one.id for one in sandbox.deliveries.tried}) == 1
    assert [hook.is_active for hook in store.hooks.values()] == [False]
    door.pool = pool

    page = await door.connector.fetch("hooks", None, None, clock())
    assert page.pushes == ("destination_disabled",)
    page = await door.connector.fetch("messages", None, None, clock())
    assert [m.body for m in page.messages] == ["Is anybody there?"]


async def test_what_failed_once_is_stored_by_the_next_try(door, store, sandbox, pool, clock):
    sandbox.faults.order("status", status=500, operation="order")
    asks(store)
    assert await sandbox.deliveries.deliver() == [503]
    sandbox.faults.lift()
    clock.advance(seconds=61)

    assert (await sandbox.deliveries.deliver())[-1] == 200
    assert await stored(pool) == ["Where is it?"]


async def test_a_forged_push_is_refused_counted_and_stored_nowhere(door, session, pool):
    await door.refuses_the_unsigned(session, pool)
