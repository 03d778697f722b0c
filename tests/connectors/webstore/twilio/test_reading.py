"""Walks through messages: what is asked for, and that nothing is lost between them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore.twilio import offer, paging, reading
from connectors.webstore.twilio.sandbox import messaging
from core.errors import BadPayload
from core.stage import walk
from sla.clock import Delivery
from sla.policy import Party
from tests.connectors.webstore.conftest import NOON
from tests.connectors.webstore.twilio.conftest import BUYER, WA_BUYER


async def test_the_first_walk_asks_for_the_look_back(sandbox, account, number, read, clock):
    messaging.buyer_writes(account, number, BUYER, "Old", at=clock.now - timedelta(days=31))
    messaging.buyer_writes(account, number, BUYER, "New", at=clock.now - timedelta(days=29))

    found = await read()

    assert [m.body for m in found.messages.values()] == ["New"]
    asked = [one.query for one in sandbox.calls("messages")]
    assert asked[0]["DateSent>"] == "2026-10-21T12:00:00Z"
    assert [("To" in one, "From" in one) for one in asked] == [(True, False), (False, True)]


async def test_later_walks_read_again_a_little_and_now_and_then_hours_of_ours(
    sandbox, account, number, read, clock
):
    messaging.buyer_writes(account, number, BUYER, "Hello?")
    cursor, asked = None, []
    for minutes in (0, 1, 13, 1, 1):
        clock.advance(minutes=minutes)
        cursor = (await read("messages", cursor)).cursor
        theirs, ours = [one.query["DateSent>"] for one in sandbox.calls("messages")][-2:]
        asked.append((theirs[5:16], ours[5:16]))

    assert asked == [
        ("10-21T12:00", "10-21T12:00"),
        ("11-20T11:50", "11-20T11:50"),
        ("11-20T11:50", "11-20T11:50"),
        ("11-20T11:50", "11-20T01:50"),
        ("11-20T11:50", "11-20T11:50"),
    ]
    assert timedelta(hours=10) == reading.UNDER_WAY
    assert timedelta(minutes=15) == reading.AGAIN


async def test_a_walk_goes_to_its_end_page_by_page(sandbox, account, number, read, monkeypatch):
    for second in range(2 * paging.AT_ONCE + 1):
        at = NOON - timedelta(hours=1) + timedelta(seconds=second)
        messaging.buyer_writes(account, number, f"+4860010{second:04}", "Hello?", at=at)

    found = await read()

    assert len(found.messages) == 2 * paging.AT_ONCE + 1
    assert [bool(page.cursor) for page in found.pages] == [False, False, False, True]
    for page in found.pages:
        assert "+48" not in (page.position or "")
        assert "%2B48" not in (page.position or "")
        assert "48221230001" not in (page.cursor or "")
    assert [one.query.get("Page") for one in sandbox.calls("messages")] == [None, "1", "2", None]


def test_a_page_that_leads_nowhere_or_back_ends_the_walk():
    here = paging.Walk("in", "1", "PASM1")

    assert here.onward(None) is None
    for uri in ("/2010-04-01/x.json?Page=1&PageToken=PASM1", "/2010-04-01/x.json?Page=2"):
        with pytest.raises(BadPayload):
            here.onward(uri)


async def test_a_status_that_nobody_told_is_read_hours_later(account, number, read, clock):
    messaging.buyer_writes(account, number, BUYER, "Hello?")
    sent = messaging.seller_writes(account, number, BUYER, "Hi", arrives=False)
    first = await read()
    assert first.messages[sent.sid].delivery is Delivery.ACCEPTED

    clock.advance(hours=9)
    messaging.buyer_writes(account, number, BUYER, "Still there?")
    cursor = (await read("messages", first.cursor)).cursor
    messaging.fail(account, sent, 30003)
    clock.advance(minutes=15)
    later = await read("messages", cursor)

    assert later.messages[sent.sid].delivery is Delivery.REFUSED
    (verdict,) = [v for page in later.pages for v in page.verdicts]
    assert (verdict.message_id, verdict.delivery) == (sent.sid, Delivery.REFUSED)


async def test_files_are_named_with_their_types(account, number, sandbox, read):
    told = messaging.buyer_writes(account, number, BUYER, "", media=("image/png", "image/jpeg"))

    message = (await read()).messages[told.sid]

    assert [a.media_type for a in message.attachments] == ["image/png", "image/jpeg"]
    assert [a.id for a in message.attachments] == [sid for sid, _ in told.media]


async def test_files_that_twilio_no_longer_keeps_are_none(account, number, sandbox, read):
    messaging.buyer_writes(account, number, BUYER, "", media=("image/png",))
    sandbox.faults.order("status", status=404, operation="media")

    (message,) = (await read()).messages.values()

    assert message.attachments == ()


async def test_what_another_number_of_the_account_hears_is_not_ours(account, number, read):
    other = account.add_number("+48221230002")
    messaging.buyer_writes(account, other, BUYER, "Of another number")
    messaging.seller_writes(account, other, BUYER, "From another number")

    assert (await read()).messages == {}


async def test_an_answer_given_elsewhere_is_read(account, number, read):
    messaging.buyer_writes(account, number, BUYER, "Hello?", at=NOON - timedelta(minutes=5))
    messaging.seller_writes(account, number, BUYER, "From the console")

    parties = [m.party for m in (await read()).messages.values()]

    assert sorted(parties) == [Party.BUYER, Party.SELLER]


async def test_a_walk_through_whatsapp_reads_its_sender_alone(
    account, number, sender, opened, clock
):
    messaging.buyer_writes(account, sender, WA_BUYER, "Hello?")
    messaging.buyer_writes(account, number, BUYER, "By SMS")
    connector = opened(sender)

    found = await walk(connector, offer.MESSAGES, None, clock.now)

    assert [m.body for m in found.messages.values()] == ["Hello?"]


async def test_a_look_shows_a_thread_whole_however_old(
    account, number, sandbox, twilio, read, clock
):
    old = messaging.buyer_writes(account, number, BUYER, "Old", at=NOON - timedelta(days=40))
    new = messaging.buyer_writes(account, number, BUYER, "New")
    sent = messaging.seller_writes(account, number, BUYER, "Answer")
    messaging.buyer_writes(account, number, "+48600100201", "Another")
    thread = (await read()).messages[new.sid].thread

    page = await twilio.look([thread, "sms:0000000000000000", "odd"], clock.now)

    assert [t.id for t in page.threads] == [thread]
    assert {m.id for m in page.messages} == {old.sid, new.sid, sent.sid}
    assert page.threads[0].as_of == NOON


async def test_there_is_no_other_stream(twilio, clock):
    with pytest.raises(ValueError, match="no stream"):
        await twilio.fetch("letters", None, None, clock.now)
