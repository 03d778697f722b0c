"""From the stand-in to the committed clock: pushes as they really come, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.generic import offer
from tests.connectors.webstore import doors
from tests.connectors.webstore.conftest import NOON
from tests.connectors.webstore.doors import stored
from tests.connectors.webstore.generic.shapes import FLAT, SHAPES, changed
from tests.core import pages, seeds
from tests.core.pages import HOUR

RULES = seeds.rules(accounts=("lamps",), policies={"lamps": (offer.MESSAGE,)})


@pytest.fixture
async def opened(sandbox, placed, session, pool, clock):
    """A door for a store of this shape: `await opened(FLAT)`."""
    sandbox.deliveries.is_held = False
    told = {"topics": offer.TOPICS, "usual": ("message",), "woken": ("messages",)}
    async with doors.served("lamps", RULES, clock, **told) as door:

        async def opened(shape=FLAT):
            door.place = placed(changed(shape, webhook={"endpoint": door.url}))
            await door.opens(pool, door.place.options, session)
            return door

        yield opened


@pytest.mark.parametrize("name", SHAPES)
async def test_a_message_is_stored_with_its_clock_before_it_is_acknowledged(
    opened, sandbox, pool, name
):
    door = await opened(SHAPES[name])
    door.place.shop.asks("Where is it?")

    assert await sandbox.deliveries.deliver() == [200]

    assert await stored(pool) == ["Where is it?"]
    (clock,) = await pages.rows(pool, "clock")
    assert clock["due_at"] - clock["started_at"] == timedelta(hours=24)
    assert door.counted("stored") == 1


async def test_a_store_that_only_pushes_has_its_clocks_too(opened, sandbox, pool):
    door = await opened({name: told for name, told in FLAT.items() if name != "poll"})
    asked = door.place.shop.asks("Where is it?")
    await sandbox.deliveries.deliver()
    door.place.shop.writes(asked.conversation.id, "seller", "Here.", at=NOON + HOUR)

    assert await sandbox.deliveries.deliver() == [200, 200]
    assert await stored(pool) == ["Here.", "Where is it?"]


async def test_the_same_push_twice_is_stored_once(opened, sandbox, pool):
    door = await opened()
    door.place.shop.asks("Where is it?")
    await sandbox.deliveries.deliver()
    again = replace(sandbox.deliveries.made[0], tries=0)
    sandbox.deliveries.put(again)

    assert await sandbox.deliveries.deliver() == [200, 200]

    assert await stored(pool) == ["Where is it?"]
    assert (door.counted("stored"), door.counted("duplicate")) == (1, 1)


async def test_pushes_in_the_wrong_order_give_the_same_clocks(opened, sandbox, pool, clock):
    door = await opened()
    shop, door.place.shop.tell = door.place.shop, lambda _shop, _message: None
    asked = shop.asks("Where is it?")
    clock.advance(seconds=60)
    noted = shop.writes(asked.conversation.id, "private", "I look.")
    clock.advance(seconds=60)
    answered = shop.writes(asked.conversation.id, "seller", "Here.")
    for message in (answered, noted, asked):
        sandbox.deliveries.tell(shop, message)
        await sandbox.deliveries.deliver()

    (found,) = await pages.rows(pool, "clock")
    assert (found["started_at"], found["ended"]) == (NOON, "met")


async def test_trap_14_what_was_not_pushed_the_poll_finds_and_what_was_is_the_same(
    opened, sandbox, pool, clock
):
    door = await opened()
    door.place.shop.asks("pushed")
    await sandbox.deliveries.deliver()
    sandbox.deliveries.is_held = True
    door.place.shop.asks("lost")

    told = await door.polled("messages", clock())

    assert (told.received, told.changed, told.repeated) == (1, 0, 1)
    assert await stored(pool) == ["lost", "pushed"]
    assert spec.streams(door.place.options)[0].pushed


async def test_what_is_not_acknowledged_comes_again(opened, sandbox, pool, clock):
    door = await opened()
    door.pool = None
    door.place.shop.asks("Is anybody there?")
    assert await sandbox.deliveries.deliver() == [503]
    door.pool = pool
    clock.advance(seconds=11)

    assert await sandbox.deliveries.deliver() == [503, 200]
    assert await stored(pool) == ["Is anybody there?"]


async def test_a_forged_push_is_refused_counted_and_stored_nowhere(opened, session, pool):
    door = await opened()
    body = b'{"event": "message.created", "payload": {}}'
    await door.refuses_the_unsigned(session, pool, body)

    assert await pages.rows(pool, "set_aside") == []
