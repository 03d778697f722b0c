"""Answers: what leaves, and what is refused before it does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.twilio import offer
from connectors.webstore.twilio.sandbox import messaging, telephony
from core.errors import OutcomeUnknown, Refused, Unreachable
from core.model import Draft, File
from core.stage import walk
from sla.policy import Party
from tests.connectors.webstore.conftest import NOON
from tests.connectors.webstore.twilio.conftest import BUYER, ENDPOINT, WA_BUYER

PICTURE = File("a.png", media_type="image/png", url="https://shop.example/a.png")


def draft(thread, body="It left today.", **more):
    return Draft(id=1, account="sms", thread=thread.id, body=body, queued_at=NOON, **more)


@pytest.fixture
async def thread(account, number, read):
    messaging.buyer_writes(account, number, BUYER, "Hello?")
    (thread,) = (await read()).threads.values()
    return thread


async def test_a_reply_leaves_with_an_address_for_what_becomes_of_it(
    thread, opened, sandbox, account
):
    sent = await opened(endpoint=ENDPOINT).reply(thread, draft(thread, files=(PICTURE,)), NOON)

    (reply,) = sandbox.replies
    assert (reply.sid, reply.to, reply.body) == (sent.message_id, BUYER, "It left today.")
    assert (reply.callback, reply.media) == (ENDPOINT, ("https://shop.example/a.png",))
    told = [one.fields["MessageStatus"] for one in sandbox.callbacks.made
            if one.fields.get("MessageSid") == sent.message_id]  # fmt: skip
    assert told == ["queued", "sent", "delivered"]


async def test_a_reply_without_an_endpoint_names_none(thread, twilio, sandbox):
    await twilio.reply(thread, draft(thread), NOON)

    assert sandbox.replies[0].callback is None


async def refused(connector, thread, one, sandbox, now=NOON):
    with pytest.raises(Refused) as caught:
        await connector.reply(thread, one, now)
    assert sandbox.replies == []
    return str(caught.value)


async def test_what_is_too_long_is_refused_before_it_leaves(thread, twilio, sandbox, optioned):
    said = await refused(twilio, thread, draft(thread, "x" * 1601), sandbox)

    assert said == "a message has 1 to 1600 characters"
    assert not sandbox.calls("send")
    assert offer.can(optioned()).longest_reply == 1600


async def test_files_go_by_their_public_address_alone(thread, twilio, sandbox):
    odd = File("a.exe", media_type="application/x-ms", url="https://shop.example/a")
    for file in (File("a.png", b"x", "image/png"), odd):
        said = await refused(twilio, thread, draft(thread, files=(file,)), sandbox)
        assert "public address" in said
    assert "10 files" in await refused(
        twilio, thread, draft(thread, files=(PICTURE,) * 11), sandbox
    )


async def test_who_opted_out_is_not_written_to(account, number, read, twilio, sandbox):
    messaging.buyer_writes(account, number, BUYER, "STOP")
    (thread,) = (await read()).threads.values()

    assert "opted out" in await refused(twilio, thread, draft(thread), sandbox)
    assert "opted out" in spec.refuses(thread, {Party.BUYER})


async def test_twilios_refusal_is_told_in_words_of_ours(thread, number, twilio, sandbox):
    number.opted_out.add(BUYER)

    with pytest.raises(Refused, match="error 21610: the buyer opted out") as caught:
        await twilio.reply(thread, draft(thread), NOON)

    assert caught.value.unanswerable, "no other answer would be let through"
    assert BUYER not in str(caught.value)
    assert sandbox.replies == []


async def test_any_other_refusal_leaves_the_buyer_waiting(thread, twilio, sandbox):
    sandbox.faults.error = lambda _: {"code": 21612, "message": BUYER}
    sandbox.faults.order("status", status=400, operation="send")

    with pytest.raises(Refused, match="error 21612") as caught:
        await twilio.reply(thread, draft(thread), NOON)

    assert not caught.value.unanswerable


async def test_a_call_is_answered_by_calling_back(account, number, read, twilio, sandbox):
    telephony.buyer_calls(account, number, BUYER)
    telephony.buyer_calls(account, number, "anonymous")
    threads = sorted((await read("calls")).threads.values(), key=lambda one: one.buyer)

    assert "call the number back" in await refused(twilio, threads[0], draft(threads[0]), sandbox)
    assert "hides" in await refused(twilio, threads[1], draft(threads[1]), sandbox)
    assert spec.refuses(threads[0], {Party.BUYER}) is not None


async def test_nobody_but_the_buyer_is_answered(thread, twilio, sandbox):
    to = frozenset({Party.BUYER, Party.MARKETPLACE})

    assert "nobody to answer" in await refused(twilio, thread, draft(thread, to=to), sandbox)
    assert spec.refuses(thread, {Party.BUYER}) is None


async def test_trap_21_whatsapp_takes_no_free_answer_after_a_day(
    account, sender, opened, sandbox, clock
):
    messaging.buyer_writes(account, sender, WA_BUYER, "Hello?", at=NOON - timedelta(hours=20))
    connector = opened(sender)
    (thread,) = (await walk(connector, "messages", None, NOON)).threads.values()

    said = await refused(connector, thread, draft(thread), sandbox, NOON + timedelta(hours=5))
    assert "templates alone" in said
    sent = await connector.reply(thread, draft(thread), NOON)
    assert sandbox.replies[0].sid == sent.message_id
    assert sandbox.replies[0].to == WA_BUYER


async def test_who_wrote_since_is_answered_though_no_walk_has_read_it(
    account, sender, opened, sandbox, clock
):
    """A push names no date: what is stored of the window may be old."""
    messaging.buyer_writes(account, sender, WA_BUYER, "Hello?", at=NOON - timedelta(hours=30))
    connector = opened(sender)
    (thread,) = (await walk(connector, "messages", None, NOON)).threads.values()
    messaging.buyer_writes(account, sender, WA_BUYER, "Anybody?", at=NOON - timedelta(hours=1))

    await connector.reply(thread, draft(thread), NOON)

    assert len(sandbox.replies) == 1


@pytest.mark.parametrize(("status", "error"), [(404, Refused), (503, Unreachable)])
async def test_where_nobody_says_whether_it_is_open_the_answer_has_certainly_not_left(
    account, sender, opened, sandbox, status, error
):
    messaging.buyer_writes(account, sender, WA_BUYER, "Hello?", at=NOON - timedelta(hours=30))
    connector = opened(sender)
    (thread,) = (await walk(connector, "messages", None, NOON)).threads.values()
    sandbox.faults.order("status", status=status, operation="messages")

    with pytest.raises(error) as caught:
        await connector.reply(thread, draft(thread), NOON)

    assert type(caught.value) is error
    assert sandbox.replies == []


async def test_an_answer_that_cannot_be_read_is_no_id(thread, twilio, sandbox):
    sandbox.faults.order("missing", field="sid", operation="send")

    assert (await twilio.reply(thread, draft(thread), NOON)).message_id is None


async def test_a_reply_that_may_have_left_is_found_by_a_look(thread, twilio, sandbox, clock):
    sandbox.faults.order("status", operation="send", after_work=True)
    with pytest.raises(OutcomeUnknown):
        await twilio.reply(thread, draft(thread), NOON)
    sandbox.faults.lift()

    page = await twilio.look([thread.id], clock.now)

    assert [m.body for m in page.messages if m.party is Party.SELLER] == ["It left today."]
