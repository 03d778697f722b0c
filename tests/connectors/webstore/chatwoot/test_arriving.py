"""From Chatwoot's stand-in to the committed clock: pushes as they really come, over HTTP."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from connectors.webstore.chatwoot import offer
from connectors.webstore.chatwoot.options import Push
from connectors.webstore.chatwoot.sandbox import opening
from tests.connectors.webstore.doors import served, stored
from tests.core import pages, seeds

RULES = seeds.rules(accounts=("chat",), policies={"chat": (offer.CHAT,)})


@pytest.fixture
async def doors(inbox, optioned, session, pool, clock):
    """Subscribed to, as if long ago: `await doors()`, `await doors(unsigned=True)`."""
    told = {"topics": offer.WANTED, "usual": ("message_created",), "woken": ("conversations",)}
    async with served("chat", RULES, clock, **told) as door:

        async def opened(**how):
            secret = opening.subscribe(inbox, Push(endpoint=door.url, **how))
            push = {"endpoint": door.url, "secret": secret, **how}
            await door.opens(pool, optioned(push=push), session)
            return door

        yield opened


@pytest.fixture
async def door(doors):
    return await doors()


@pytest.fixture
def deliver(sandbox):
    return sandbox.deliveries.deliver


async def test_a_message_is_stored_with_its_clock_before_it_is_acknowledged(
    door, account, deliver, pool
):
    account.open_chat("Is it still on sale?")

    assert await deliver() == [200, 200]

    assert await stored(pool) == ["Is it still on sale?"]
    (clock,) = await pages.rows(pool, "clock")
    assert clock["due_at"] - clock["started_at"] == timedelta(minutes=5)
    assert door.counted("stored") == 1
    assert door.counted("stored", "conversation_created") == 1


async def test_the_poll_that_confirms_a_push_finds_the_same_messages(
    door, account, deliver, pool, clock
):
    chat = account.open_chat("Is it still on sale?")
    chat.template_writes("Welcome!")
    clock.advance(seconds=40)
    chat.agent_writes("It is.")
    await deliver()

    told = await door.polled("conversations", clock())

    assert (told.received, told.changed, told.repeated) == (0, 0, 3)


async def test_the_same_delivery_twice_is_stored_once(door, account, sandbox, deliver, pool):
    sandbox.desk.habits.copies = 3
    account.open_chat("Hello?")

    assert set(await deliver()) == {200}

    assert await stored(pool) == ["Hello?"]
    assert (door.counted("stored"), door.counted("duplicate")) == (1, 2)


async def test_pushes_in_any_order_end_as_the_poll_says(
    door, account, sandbox, deliver, pool, clock
):
    sandbox.deliveries.is_held = True
    chat = account.open_chat("Hello?")
    clock.advance(seconds=30)
    answer = chat.agent_writes("Good day.")
    chat.fail(answer)
    sandbox.deliveries._waiting.reverse()
    sandbox.deliveries.is_held = False
    await deliver()

    await door.polled("conversations", clock())

    (found,) = await pages.rows(pool, "clock")
    assert found["ended"] is None, "the answer failed, whichever was told first"
    assert await stored(pool) == ["Good day.", "Hello?"]


async def test_what_is_lost_the_poll_brings(door, account, deliver, pool, clock):
    door.pool = None
    account.open_chat("Hello?")
    assert await deliver() == [503, 503]
    assert await stored(pool) == []
    door.pool = pool

    told = await door.polled("conversations", clock())

    assert told.received == 1


async def test_a_slow_door_is_not_waited_for(door, account, sandbox, deliver, monkeypatch):
    """Five seconds in the wild, and nothing comes again."""
    sandbox.desk.habits.waits = timedelta(seconds=0.2)

    async def slow(*_):
        await asyncio.sleep(0.6)

    door.connector.receive = slow
    account.open_chat("Hello?")

    assert await deliver() == [None, None]
    assert sandbox.deliveries.waiting == 0


async def test_an_unsigned_push_pulls_the_walk_forward_and_stores_nothing(
    doors, account, sandbox, deliver, pool
):
    sandbox.desk.habits.signs = False
    door = await doors(unsigned=True)
    async with pool.acquire() as db:
        await db.execute("update stream set next_due = now() + interval '1 hour'")
    account.open_chat("Hello?")

    assert await deliver() == [200, 200]

    assert await stored(pool) == []
    due = {row["stream"]: row["next_due"] for row in await pages.rows(pool, "stream")}
    assert due["conversations"] < due["webhooks"]
    assert door.counted("stored", "other") == 2


async def test_a_forged_push_is_refused_counted_and_stored_nowhere(door, session, pool):
    await door.refuses_the_unsigned(session, pool)
