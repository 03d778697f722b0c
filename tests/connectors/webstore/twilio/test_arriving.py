"""From Twilio's stand-in to the committed clock: pushes as they really come, over HTTP."""

from __future__ import annotations

from datetime import timedelta

import aiohttp
import pytest

from connectors.webstore.twilio import offer
from connectors.webstore.twilio.sandbox import messaging, telephony
from connectors.webstore.twilio.sandbox.callbacks import sign
from core import ingest
from core.store import transaction
from tests.connectors.webstore import doors
from tests.connectors.webstore.doors import stored
from tests.connectors.webstore.twilio.conftest import BUYER, OURS
from tests.core import pages, seeds

POLICIES = {"sms": (offer.CHAT, offer.CALL_BACK)}


def rules():
    """The account as it is configured: Twilio says later what became of a reply."""
    return seeds.rules(accounts=("sms",), policies=POLICIES, says={"judged": True})


@pytest.fixture
async def door(number, optioned, session, pool, clock):
    told = {"topics": offer.TOPICS, "usual": ("message",), "woken": ("messages", "calls")}
    async with doors.served("sms", rules(), clock, **told) as door:
        number.sms_url = number.status_callback = door.url
        await door.opens(pool, optioned(endpoint=door.url), session)
        yield door


@pytest.fixture
def walked(door, pool, clock):
    """What a walk changes: `await walked()`."""

    async def walked(stream="messages"):
        page = await door.connector.fetch(stream, None, None, clock())
        position = page.position
        async with transaction(pool) as db:
            told = await ingest.page(db, rules(), "sms", page, clock(), None)
            while position:
                page = await door.connector.fetch(stream, None, position, clock())
                told += await ingest.page(db, rules(), "sms", page, clock(), None)
                position = page.position
        return told

    return walked


async def test_a_message_is_stored_with_its_clock_before_it_is_acknowledged(
    door, account, number, sandbox, pool
):
    messaging.buyer_writes(account, number, BUYER, "Where is my order?")

    assert await sandbox.callbacks.settled() == [200]

    assert await stored(pool) == ["Where is my order?"]
    (clock,) = await pages.rows(pool, "clock")
    assert clock["due_at"] - clock["started_at"] == timedelta(hours=1)
    assert door.counted("stored") == 1


async def test_the_poll_that_confirms_a_push_brings_its_date_and_nothing_new(
    door, account, number, sandbox, clock, walked
):
    messaging.buyer_writes(account, number, BUYER, "Hello?", media=("image/png",))
    await sandbox.callbacks.settled()
    clock.advance(seconds=2)

    first, second = await walked(), await walked()

    assert (first.received, first.changed) == (0, 1)
    assert (second.received, second.changed, second.repeated) == (0, 0, 1)


async def test_what_is_lost_the_poll_brings(door, account, number, sandbox, pool, walked):
    door.pool = None
    messaging.buyer_writes(account, number, BUYER, "Hello?")
    assert await sandbox.callbacks.settled() == [503]
    assert await stored(pool) == []
    door.pool = pool

    assert (await walked()).received == 1
    assert (await walked()).received == 0


async def test_the_same_push_twice_is_stored_once(door, account, number, sandbox, pool, session):
    messaging.buyer_writes(account, number, BUYER, "Hello?")
    await sandbox.callbacks.settled()
    (one,) = sandbox.callbacks.made

    async with session.post(door.url, data=one.body, headers=one.headers) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/xml"

    assert await stored(pool) == ["Hello?"]
    assert (door.counted("stored"), door.counted("duplicate")) == (1, 1)


async def test_a_push_that_is_replayed_when_it_was_forgotten_changes_nothing(
    door, account, number, sandbox, pool, clock, session, walked
):
    messaging.buyer_writes(account, number, BUYER, "Hello?")
    await sandbox.callbacks.settled()
    clock.advance(minutes=1)
    messaging.seller_writes(account, number, BUYER, "Hi")
    await walked()
    before = await pages.rows(pool, "clock")
    async with pool.acquire() as db:
        await db.execute("delete from push")
    clock.advance(days=60)
    one = sandbox.callbacks.made[0]

    async with session.post(door.url, data=one.body, headers=one.headers) as answer:
        assert answer.status == 200

    assert await stored(pool) == ["Hello?", "Hi"]
    assert await pages.rows(pool, "clock") == before


async def test_what_a_stranger_sends_is_refused_and_stored_nowhere(door, account, pool, session):
    fields = {
        "MessageSid": "SM1",
        "AccountSid": account.sid,
        "From": BUYER,
        "To": OURS,
        "Body": "x",
    }
    right = sign(account.token, door.url, fields)
    over_another = sign(account.token, door.url.replace("127.0.0.1", "localhost"), fields)
    for signature in (None, "wrong", over_another, right.lower()):
        headers = {} if signature is None else {"X-Twilio-Signature": signature}
        async with session.post(door.url, data=aiohttp.FormData(fields), headers=headers) as answer:
            assert answer.status == 403

    assert await stored(pool) == []
    assert await pages.rows(pool, "push") == []
    told = {"marketplace": "empik", "topic": "other"}
    counted = door.metrics.registry.get_sample_value
    assert counted("replyby_pushes_total", told | {"outcome": "no_signature"}) == 1
    assert counted("replyby_pushes_total", told | {"outcome": "bad_signature"}) == 3


@pytest.mark.parametrize("disorderly", [False, True])
async def test_statuses_in_any_order_end_as_the_poll_says(
    door, account, number, sandbox, pool, clock, walked, disorderly
):
    messaging.buyer_writes(account, number, BUYER, "Hello?")
    clock.advance(minutes=1)
    sent = messaging.seller_writes(account, number, BUYER, "Hi", callback=door.url, arrives=False)
    await walked()
    messaging.deliver(account, sent, disorderly=disorderly)
    await sandbox.callbacks.settled()
    await walked()

    (clock_,) = await pages.rows(pool, "clock")
    assert (clock_["ended"], clock_["stopped_by"]) == ("met", sent.sid)


async def test_a_reply_that_failed_leaves_the_buyer_waiting(
    door, account, number, sandbox, pool, clock, walked
):
    messaging.buyer_writes(account, number, BUYER, "Hello?")
    clock.advance(minutes=1)
    sent = messaging.seller_writes(account, number, BUYER, "Hi", callback=door.url, arrives=False)
    await walked()
    assert [one["ended"] for one in await pages.rows(pool, "clock")] == ["met"]

    messaging.fail(account, sent, 30003)
    await sandbox.callbacks.settled()

    assert [one["ended"] for one in await pages.rows(pool, "clock")] == [None]


async def test_who_opts_out_waits_no_more(door, account, number, sandbox, pool, clock, walked):
    messaging.buyer_writes(account, number, BUYER, "Hello?")
    await sandbox.callbacks.settled()
    await walked()
    clock.advance(minutes=1)
    messaging.buyer_writes(account, number, BUYER, "STOP")
    await sandbox.callbacks.settled()
    await walked()

    (found,) = await pages.rows(pool, "clock")
    assert (found["ended"], found["reason"]) == ("void", "unanswerable")


async def test_a_voicemail_waits_until_somebody_calls_back(
    door, account, number, sandbox, pool, clock, walked
):
    telephony.buyer_calls(account, number, BUYER, "voicemail", text="Where is it?")
    await sandbox.callbacks.settled()
    await walked("calls")
    (found,) = await pages.rows(pool, "clock")
    assert found["ended"] is None
    assert found["due_at"] - found["started_at"] == timedelta(hours=4)
    assert await stored(pool) == ["Missed call", "Voicemail of 17 s", "Where is it?"]

    clock.advance(minutes=30)
    telephony.agent_calls(account, number, BUYER)
    await walked("calls")

    (found,) = await pages.rows(pool, "clock")
    assert found["ended"] == "met"
