"""Answers: sent once, refused before they leave where that is known, and read back."""

from __future__ import annotations

import pytest

from connectors.webstore import spec
from connectors.webstore.chatwoot import answering, offer
from core.errors import BadCredentials, OutcomeUnknown, Refused, Unreachable
from core.model import Draft, File
from sla.clock import Delivery, Kind
from sla.policy import Party


@pytest.fixture
async def thread(account, inbox, read):
    account.open_chat("Where is it?")
    return (await read()).threads["1"]


def draft(body="It left today.", **more):
    given = {"id": 1, "account": "chat", "thread": "1", "queued_at": "2026-11-20T12:00:00Z"}
    return Draft(body=body, **given, **more)


def files(count=1, size=3):
    return tuple(
        File(f"label {n}.pdf", b"\x00\r\n"[:size], "application/pdf") for n in range(count)
    )


async def test_an_answer_leaves_once_for_the_buyer(chatwoot, thread, sandbox, clock, read):
    sent = await chatwoot.reply(thread, draft("Ünë *day*"), clock.now)

    (reply,) = sandbox.replies
    assert (reply.content, reply.private, reply.conversation) == ("Ünë *day*", False, 1)
    found = (await read()).messages[sent.message_id]
    assert (found.party, found.kind, found.delivery) == (
        Party.SELLER, Kind.MESSAGE, Delivery.CONFIRMED,
    )  # fmt: skip


async def test_files_go_along_in_one_form(chatwoot, thread, sandbox, clock, account):
    await chatwoot.reply(thread, draft(files=files(2)), clock.now)

    (reply,) = sandbox.replies
    assert (reply.content, reply.private) == ("It left today.", False)
    assert reply.files == ("label 0.pdf", "label 1.pdf")
    sent = account.chats[1].messages[-1].attachments
    assert [(one.media_type, one.content) for one in sent] == [("application/pdf", b"\x00\r\n")] * 2
    assert len(sandbox.calls("send")) == 1


async def test_files_that_were_sent_are_read_with_their_names(chatwoot, thread, clock, read):
    sent = await chatwoot.reply(thread, draft(files=files()), clock.now)

    (file,) = (await read()).messages[sent.message_id].attachments
    assert (file.name, file.size, file.media_type) == ("label 0.pdf", 3, "application/pdf")


async def test_a_conversation_that_takes_no_answer_is_refused_before_it_leaves(
    chatwoot, account, inbox, read, sandbox, clock
):
    account.open_chat("Where is it?").can_reply = False
    shut = (await read()).threads["1"]

    assert spec.refuses(shut, {Party.BUYER}) is None, "the buyer may write again until it leaves"
    with pytest.raises(Refused, match=r"nothing can be written.*template") as caught:
        await chatwoot.reply(shut, draft(), clock.now)
    assert caught.value.detail == "window"
    assert sandbox.calls("send") == []


async def test_who_wrote_since_is_answered_though_no_walk_has_read_it(
    chatwoot, account, inbox, read, sandbox, clock
):
    """A push tells no state of the conversation: what is stored of it may be old."""
    chat = account.open_chat("Where is it?")
    chat.can_reply = False
    shut = (await read()).threads["1"]
    chat.contact_writes("Hello?")
    chat.can_reply = True

    await chatwoot.reply(shut, draft(), clock.now)

    assert len(sandbox.replies) == 1


async def test_where_nobody_says_whether_it_is_open_the_answer_has_certainly_not_left(
    chatwoot, account, inbox, read, sandbox, clock
):
    account.open_chat("Where is it?").can_reply = False
    shut = (await read()).threads["1"]
    for status, error in ((404, Refused), (500, Unreachable)):
        sandbox.faults.order("status", status=status, operation="conversation")
        with pytest.raises(error) as caught:
            await chatwoot.reply(shut, draft(), clock.now)
        assert type(caught.value) is error
        sandbox.faults.lift()
    assert sandbox.calls("send") == []


async def test_a_window_that_shut_since_is_told_by_what_became_of_the_answer(
    chatwoot, thread, account, clock, read
):
    account.chats[1].can_reply = False
    sent = await chatwoot.reply(thread, draft(), clock.now)

    assert (await read()).messages[sent.message_id].delivery is Delivery.REFUSED


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"body": "x" * 150_001}, "150000"),
        ({"body": ""}, "1 to"),
        ({"files": files(16)}, "15 files"),
        ({"files": (File("a", url="https://x.example/a"),)}, "addresses"),
        ({"to": frozenset({Party.MARKETPLACE})}, "nobody to answer but the buyer"),
    ],
)
async def test_what_would_be_refused_never_leaves(chatwoot, thread, sandbox, clock, changes, why):
    with pytest.raises(Refused, match=why):
        await chatwoot.reply(thread, draft(**changes), clock.now)

    assert sandbox.calls("send") == []


async def test_fifteen_files_and_the_longest_text_go(chatwoot, thread, sandbox, clock):
    await chatwoot.reply(thread, draft("x" * offer.LONGEST, files=files(15)), clock.now)

    assert len(sandbox.replies[0].files) == 15


def test_whom_an_answer_may_go_to_is_known_without_a_call(optioned):
    can = spec.can(optioned())

    assert (can.most_files, can.longest_reply, can.linked) == (15, 150_000, frozenset())


async def test_chatwoots_reason_is_told_but_no_words_and_no_token(chatwoot, thread, sandbox, clock):
    sandbox.faults.error = lambda _: {"error": "Too many messages"}
    sandbox.faults.order("status", status=422, operation="send")
    with pytest.raises(Refused, match="status 422, Too many messages"):
        await chatwoot.reply(thread, draft(), clock.now)

    for secret in ("It left today.", sandbox.desk.accounts[1].agents[0].token):
        sandbox.faults.error = lambda _, said=secret: {"message": f"no: {said}"}
        with pytest.raises(Refused) as caught:
            await chatwoot.reply(thread, draft(), clock.now)
        assert secret not in str(caught.value)


def test_a_refusal_that_is_no_json_has_no_reason():
    assert answering.reason(b"<html>") == ""


async def test_a_dead_token_sends_nothing(chatwoot, thread, sandbox, clock):
    sandbox.desk.tokens.clear()

    with pytest.raises(BadCredentials):
        await chatwoot.reply(thread, draft(), clock.now)


async def test_an_answer_of_which_nobody_knows_is_found_by_a_look(chatwoot, thread, sandbox, clock):
    sandbox.faults.order("status", status=502, operation="send", after_work=True, count=1)
    with pytest.raises(OutcomeUnknown):
        await chatwoot.reply(thread, draft(), clock.now)

    page = await chatwoot.look(["1"], clock.now)

    assert [m.body for m in page.messages] == ["Where is it?", "It left today."]
    assert len(sandbox.calls("send")) == 1


async def test_an_answer_that_tells_no_id_is_sent_all_the_same(chatwoot, thread, sandbox, clock):
    sandbox.faults.order("missing", field="id", operation="send")

    sent = await chatwoot.reply(thread, draft(), clock.now)

    assert sent.message_id is None
    assert len(sandbox.replies) == 1
