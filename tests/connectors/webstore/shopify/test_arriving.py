"""From the stand-in to the committed clock: pushes as they really come, over HTTP."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from connectors.webstore.shopify import offer
from core.running import forgetting
from tests.connectors.webstore import doors
from tests.connectors.webstore.doors import stored
from tests.core import pages, seeds

RULES = seeds.rules(accounts=("toys",), policies={"toys": (offer.MESSAGE,)})


@pytest.fixture
async def door(sandbox, shop, optioned, session, pool, clock):
    """Subscribed to, as if long ago."""
    sandbox.deliveries.is_held = False
    told = {
        "topics": offer.TOPICS, "usual": (offer.ORDER_CREATED,), "woken": ("orders", "disputes"),
    }  # fmt: skip
    async with doors.served("toys", RULES, clock, **told) as door:
        for topic in offer.wanted(optioned()):
            shop.subscribe(topic, door.url)
        options = optioned(push={"endpoint": door.url})
        await door.opens(pool, options, session, connector="webstore")
        yield door


async def test_a_remark_is_stored_with_its_clock_before_it_is_acknowledged(
    door, shop, sandbox, pool
):
    shop.buys("Ring twice")

    assert await sandbox.deliveries.deliver() == [200, 200]

    assert await stored(pool) == ["Ring twice"]
    (clock,) = await pages.rows(pool, "clock")
    assert clock["due_at"] - clock["started_at"] == timedelta(hours=24)
    assert door.counted("stored") == door.counted("stored", offer.ORDER_UPDATED) == 1


async def test_the_same_delivery_twice_is_stored_once(door, shop, sandbox, pool):
    shop.habits.pushes_twice = True
    shop.buys("Ring twice")

    assert await sandbox.deliveries.deliver() == [200] * 4

    assert await stored(pool) == ["Ring twice"]
    assert (door.counted("stored"), door.counted("duplicate")) == (1, 1)


async def test_the_poll_that_confirms_a_push_finds_the_same_messages(
    door, shop, sandbox, pool, clock
):
    shop.buys("Ring twice")
    await sandbox.deliveries.deliver()
    clock.advance(seconds=30)

    told = await door.polled("orders", clock())

    assert (told.received, told.changed, told.repeated) == (0, 0, 1)


async def test_trap_14_what_is_not_acknowledged_comes_again_and_then_the_subscription_is_gone(
    door, shop, sandbox, pool, clock
):
    door.pool = None
    begun = clock.now
    shop.buys("Is anybody there?")
    for _ in range(14):
        await sandbox.deliveries.deliver()
        clock.advance(hours=1)
    assert {one.status for one in sandbox.deliveries.tried} == {503}
    assert {hook.topic for hook in shop.hooks.values()} == set(offer.ABOUT_DISPUTES)
    door.pool = pool

    page = await door.connector.fetch("hooks", None, None, clock())
    assert page.pushes == ("subscription_missing",)
    page = await door.connector.fetch("orders", begun.isoformat(), None, clock())
    assert [m.body for m in page.messages] == ["Is anybody there?"]


async def test_a_dispute_pulls_its_walk_forward_and_gets_the_date_of_shopify(
    door, shop, sandbox, pool, clock
):
    order = shop.buys(None)
    dispute = shop.disputed(order.id, due_by=date(2026, 11, 28), type="INQUIRY")
    assert set(await sandbox.deliveries.deliver()) == {200}

    async def polled():
        page = await door.connector.fetch("disputes", None, None, clock.advance(minutes=15))
        said = (*page.messages, *page.threads, *page.given)
        await pages.stored(pool, clock(), *said, account="toys", of=RULES)
        return {row["promise"]: row["ended"] for row in await pages.rows(pool, "clock")}

    for _ in range(3):
        assert await polled() == {"given:dispute:ANSWER_INQUIRY": None}
    (found,) = await pages.rows(pool, "clock")
    assert found["due_at"].isoformat() == "2026-11-28T00:00:00+00:00"
    shop.becomes(dispute.id, "NEEDS_RESPONSE", type="CHARGEBACK", due_by=date(2026, 12, 9))
    for _ in range(3):
        assert await polled() == {
            "given:dispute:ANSWER_INQUIRY": "void", "given:dispute:CONTEST_CHARGEBACK": None,
        }  # fmt: skip
    shop.becomes(dispute.id, "UNDER_REVIEW", sent_on=clock.now.date())
    assert (await polled())["given:dispute:CONTEST_CHARGEBACK"] == "met"


async def test_a_forged_push_is_refused_counted_and_stored_nowhere(door, session, pool):
    await door.refuses_the_unsigned(session, pool)


@pytest.mark.parametrize(
    "known",
    [{"email": "ada@buyers.example"}, {"email": None}],
    ids=["by what Shopify calls them", "by the order alone"],
)
async def test_a_customer_who_is_to_be_forgotten_is_forgotten_here(
    door, shop, sandbox, pool, clock, known
):
    mine = shop.buys("My door code is 4711", **known, phone=None)
    other = shop.buys("Ring", email="bob@buyers.example", phone="+442222222222")
    await sandbox.deliveries.deliver()
    clock.advance(days=10)
    shop.redacts(mine.id)
    assert set(await sandbox.deliveries.deliver()) == {200}
    assert door.counted("erasure", offer.REDACT_CUSTOMER) == 1
    means = forgetting.Means(pool, RULES, door.metrics, lambda: None)
    await forgetting.once(means, forgetting.Pace(), clock.now)

    assert [body for body in await stored(pool) if body] == ["Ring"]
    threads = {row["id"]: row for row in await pages.rows(pool, "thread")}
    assert (threads[str(mine.id)]["buyer"], threads[str(mine.id)]["reply_to"]) == ("", {})
    assert threads[str(other.id)]["reply_to"]["mail"] == "bob@buyers.example"
