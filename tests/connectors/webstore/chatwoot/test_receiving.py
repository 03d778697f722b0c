"""Pushes: who is believed, and what is made of what they say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore import signatures
from connectors.webstore.chatwoot import receiving
from connectors.webstore.chatwoot.options import ChatwootOptions, Push
from core.model import Page
from core.pushes import PushRequest
from sla.clock import Delivery, Kind
from sla.policy import Party, ThreadKind
from tests.connectors.webstore.chatwoot.conftest import ENDPOINT, SECRET
from tests.connectors.webstore.chatwoot.recorded import told

NOW = datetime(2026, 11, 20, 11, 55, 3, tzinfo=UTC)
SECOND = str(int(NOW.timestamp()))
DELIVERY = "6b0f0a52-7d5e-4c8a-9d43-3f0c6f8f1a11"


def options(**more):
    return ChatwootOptions(
        kind="chatwoot",
        **{
            "base_url": "https://chat.shop.example",
            "account_id": 1,
            "inbox_id": 3,
            "api_token": "t",
            "push": {"endpoint": ENDPOINT, "secret": SECRET},
            **more,
        },
    )


OURS = options()


def written(content):
    return content if isinstance(content, bytes) else json.dumps(content).encode()


def signed(body, *, second=SECOND, secret=SECRET, delivery=DELIVERY):
    digest = signatures.in_hex(secret.encode(), f"{second}.".encode() + body)
    headers = {"x-chatwoot-timestamp": second, "x-chatwoot-signature": f"sha256={digest}"}
    return headers | ({"x-chatwoot-delivery": delivery} if delivery else {})


def take(content=None, *, of=OURS, accounts=None, headers=None, now=NOW, method="POST", **how):
    body = written(told("push_message_created") if content is None else content)
    request = PushRequest(
        method, "/push/webstore/chat", {}, signed(body, **how) if headers is None else headers,
        body, {"chat": of} if accounts is None else accounts,
    )  # fmt: skip
    return receiving.receive(request, of, of.push, now)


def message(**changes):
    return {**told("push_message_created"), **changes}


def test_a_message_is_the_same_that_is_read_later():
    receipt = take()

    assert (receipt.status, receipt.outcome, receipt.wake) == (200, "stored", {"chat"})
    assert receipt.pushed.id == DELIVERY
    assert receipt.pushed.topic == "message_created"
    assert receipt.pushed.published_at == NOW
    page = receipt.pages["chat"]
    (one,) = page.messages
    assert (one.id, one.party, one.kind, one.body) == (
        "900", Party.BUYER, Kind.MESSAGE, "Where is my order?",
    )  # fmt: skip
    assert one.sent_at == datetime(2026, 11, 20, 11, 55, 1, tzinfo=UTC)
    assert [file.name for file in one.attachments] == ["my parcel.png"]
    (thread,) = page.threads
    assert (thread.id, thread.kind, thread.order_ids) == ("42", ThreadKind.CHAT, ("1001",))
    assert thread.reply_to["mail"] == "ada@buyers.example"


def test_what_a_push_says_of_a_thread_never_stands_over_what_a_walk_says():
    (thread,) = take().pages["chat"].threads

    assert thread.as_of < datetime(2001, 1, 1, tzinfo=UTC)
    assert thread.incomplete


def test_trap_15_a_signature_is_over_the_raw_bytes():
    body = written(message())
    again = json.dumps(json.loads(body), separators=(",", ":")).encode()

    receipt = take(body, headers=signed(again))

    assert (receipt.status, receipt.outcome) == (401, "bad_signature")
    assert receipt.pages == {}
    assert receipt.wake == frozenset()


def _headers(**changes):
    return {**signed(written(message())), **changes}


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"x-chatwoot-signature": ""}, "no_signature"),
        ({"x-chatwoot-timestamp": ""}, "no_signature"),
        ({"x-chatwoot-signature": "sha256=" + "0" * 64}, "bad_signature"),
        ({"x-chatwoot-signature": "0" * 64}, "bad_signature"),
        ({"x-chatwoot-signature": "sha256="}, "bad_signature"),
        ({"x-chatwoot-signature": "sha256=\u0661"}, "bad_signature"),
        ({"x-chatwoot-timestamp": str(int(SECOND) + 1)}, "bad_signature"),
        ({"x-chatwoot-timestamp": "\udcff"}, "bad_signature"),
    ],
)
def test_trap_15_what_is_not_rightly_signed_is_refused_and_nothing_is_kept(changes, outcome):
    receipt = take(message(), headers=_headers(**changes))

    assert (receipt.status, receipt.outcome) == (401, outcome)
    assert (receipt.pages, receipt.wake, receipt.pushed) == ({}, frozenset(), None)


def test_trap_15_a_digest_in_base64_or_without_its_second_is_none():
    body = written(message())
    in_base64 = signatures.in_base64(SECRET.encode(), f"{SECOND}.".encode() + body)
    alone = signatures.in_hex(SECRET.encode(), body)

    for digest in (in_base64, alone, _headers()["x-chatwoot-signature"].upper()):
        told_ = {"x-chatwoot-timestamp": SECOND, "x-chatwoot-signature": f"sha256={digest}"}
        assert take(body, headers=told_).outcome == "bad_signature"


def test_without_any_header_nothing_is_believed():
    assert take(headers={}).outcome == "no_signature"


def test_a_signature_by_another_secret_is_refused():
    assert take(secret="another").outcome == "bad_signature"


@pytest.mark.parametrize("away", [301, -301, 86400 * 90])
def test_what_is_sent_again_much_later_is_stale(away):
    receipt = take(now=NOW + timedelta(seconds=away))

    assert (receipt.status, receipt.outcome) == (412, "stale")
    assert receipt.pages == {}


def test_a_push_of_months_ago_that_is_signed_anew_is_stored():
    """A job queue that stood still signs when it sends."""
    later = NOW + timedelta(days=90)

    receipt = take(now=later, second=str(int(later.timestamp())))

    assert receipt.outcome == "stored"
    assert receipt.pages["chat"].messages[0].sent_at.month == 11


def test_the_same_delivery_has_the_same_id_and_without_one_the_same_content_has():
    assert take().pushed.id == take(second=str(int(SECOND) + 2)).pushed.id
    nameless = take(delivery=None).pushed.id
    assert nameless.startswith("sha256:")
    assert nameless == take(delivery="x" * 201).pushed.id == take(delivery="\u0661").pushed.id
    assert nameless != take(message(content="Other"), delivery=None).pushed.id


def test_words_and_numbers_mean_the_same():
    """`message_type` and `created_at` as a webhook writes them, and as a conversation does."""
    as_read = {"message_type": 0, "created_at": 1795175701, "status": "sent"}
    said = {"id": "900", "created_at": "2026-11-20 11:55:01 UTC"}

    pages = [take(message(**changes)).pages["chat"] for changes in ({}, as_read, said)]

    assert pages[0].messages == pages[1].messages == pages[2].messages


def test_trap_5_a_private_note_is_pushed_too_and_is_for_nobody():
    sender = {"id": 4, "name": "Olive", "type": "user"}
    note = message(message_type="outgoing", private=True, sender=sender)

    (one,) = take(note).pages["chat"].messages

    assert (one.kind, one.to) == (Kind.INTERNAL, frozenset())


@pytest.mark.parametrize("type_", ["agent_bot", "captain_assistant"])
def test_a_bots_answer_that_is_pushed_counts_as_automatic(type_):
    (one,) = take(message(message_type="outgoing", sender={"type": type_})).pages["chat"].messages

    assert one.kind is Kind.AUTOMATIC


def test_a_failure_that_is_pushed_refuses_the_answer():
    last = {**told("push_message_created")["conversation"]["messages"][0], "status": "failed"}
    conversation = {**told("push_message_created")["conversation"], "messages": [last]}
    failed = message(
        event="message_updated", message_type="outgoing", sender={"type": "user"},
        conversation=conversation,
    )  # fmt: skip

    (one,) = take(failed).pages["chat"].messages

    assert one.delivery is Delivery.REFUSED


def test_an_update_that_does_not_tell_its_state_lifts_no_refusal():
    """A webhook tells it of the conversation's last message alone: the walk reads the others'."""
    agents = {"message_type": "outgoing", "sender": {"type": "user"}, "content": "It left."}
    content = message(event="message_updated", id="899", **agents)

    receipt = take(content)

    assert (receipt.pages["chat"].messages, receipt.wake) == ((), {"chat"})
    assert [m.body for m in take({**content, "status": "sent"}).pages["chat"].messages]
    new = take({**content, "event": "message_created"}).pages["chat"].messages
    assert [m.delivery for m in new] == [Delivery.CONFIRMED]
    edited = take(message(event="message_updated", id="899", content="Where is it?"))
    assert [m.body for m in edited.pages["chat"].messages] == ["Where is it?"]


def test_a_change_of_status_brings_the_last_message_and_pulls_the_walk_forward():
    receipt = take(told("push_conversation_status_changed"))

    assert receipt.pushed.topic == "conversation_status_changed"
    (one,) = receipt.pages["chat"].messages
    assert (one.id, one.party, one.delivery) == ("905", Party.SELLER, Delivery.CONFIRMED)
    assert receipt.wake == {"chat"}


def test_other_topics_are_acknowledged_and_counted():
    receipt = take(message(event="contact_updated"))

    assert (receipt.status, receipt.outcome) == (200, "unknown_topic")
    assert (receipt.pages, receipt.wake) == ({}, frozenset())


@pytest.mark.parametrize(
    "changes",
    [{"account": {"id": 2}},
     {"inbox": {"id": 9},
      "conversation": {**told("push_message_created")["conversation"], "inbox_id": 9}}],
    ids=["account", "inbox"],
)  # fmt: skip
def test_what_is_of_another_inbox_is_acknowledged_and_counted(changes):
    receipt = take(message(**changes))

    assert (receipt.status, receipt.outcome) == (200, "unknown_account")
    assert (receipt.pages, receipt.wake) == ({}, frozenset())


def test_one_webhook_serves_all_accounts_that_read_its_inboxes():
    accounts = {
        "chat": options(inbox_id=5),
        "other": options(inbox_id=3, push=None),
        "all": options(inbox_id=None, push=None),
        "elsewhere": options(base_url="https://other.example"),
    }

    receipt = take(of=accounts["chat"], accounts=accounts)

    assert set(receipt.pages) == {"other", "all"}


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b"\xff", b"null", message(event=None), message(id=None),
     message(conversation=None), message(id="Ada"), b"[" * 100_000],
    ids=range(10),
)  # fmt: skip
def test_what_is_signed_and_cannot_be_read_has_us_look(content):
    receipt = take(content)

    assert (receipt.status, receipt.outcome) == (200, "unreadable")
    assert receipt.wake == {"chat"}
    assert receipt.pages == {}


def test_an_odd_part_costs_no_more_than_itself():
    receipt = take(message(attachments=[{"id": None}], sender=7, content_attributes="odd"))

    assert receipt.pages["chat"].messages[0].body == "Where is my order?"
    assert receipt.pages["chat"].set_aside


def test_an_odd_character_costs_nothing():
    body = written(message()).replace(b"Where is", b"Where\xff is")

    assert take(body).pages["chat"].messages[0].body == "Where\ufffd is my order?"


def test_only_a_post_is_a_push():
    assert take(method="GET").status == 405


def test_without_a_secret_nobody_is_believed_and_it_may_come_again():
    bare = options(push={"endpoint": ENDPOINT})

    receipt = take(of=bare, accounts={"chat": bare})

    assert (receipt.status, receipt.outcome) == (503, "unverified")
    assert receipt.pages == {}


@pytest.mark.parametrize("headers", [{}, _headers(), {"x-chatwoot-delivery": DELIVERY}])
def test_an_unsigned_push_only_has_us_look_and_stores_nothing(headers):
    """Whoever sent it: nothing that it says is kept, not even its id."""
    old = options(push={"endpoint": ENDPOINT, "unsigned": True})

    receipt = take(of=old, accounts={"chat": old, "other": OURS}, headers=headers)

    assert (receipt.status, receipt.wake, receipt.pushed) == (200, {"chat"}, None)
    assert receipt.pages == {"chat": Page()}


def test_the_settings_choose_unsigned_pushes_in_so_many_words():
    assert Push(endpoint=ENDPOINT).unsigned is False
