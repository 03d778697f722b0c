"""Whatever happens to one part of what comes, nothing crashes and its neighbours are read."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.webstore import signatures
from connectors.webstore.chatwoot import mapping, receiving
from connectors.webstore.chatwoot.mapping import Read
from connectors.webstore.chatwoot.options import ChatwootOptions
from connectors.webstore.chatwoot.payload import Conversations, Messages
from core.errors import BadPayload
from core.pushes import PushRequest
from core.transport import answers, salvage
from tests.connectors.spoiling import anything, changed, places
from tests.connectors.webstore.chatwoot.recorded import told

NOW = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
OPTIONS = ChatwootOptions(
    kind="chatwoot", base_url="https://chat.shop.example", account_id=1, api_token="t",
    push={"endpoint": "https://push.shop.example/", "secret": "s"},
)  # fmt: skip
LISTED, SAID = told("conversations"), told("messages")
PUSHED = told("push_message_created")
JSON = anything("incoming", "User")
IN_A_CONVERSATION = [p for p in places(LISTED["data"]["payload"][0]) if p]
IN_A_MESSAGE = [p for p in places(SAID["payload"][0]) if p]
IN_A_PUSH = [p for p in places(PUSHED) if p]


def mapped(conversations, messages):
    listed = salvage.read(Conversations, conversations).value.data.payload
    entries = tuple(salvage.read(Messages, messages).value.payload)
    return mapping.page([Read(one, entries) for one in listed[-1:]], OPTIONS, NOW), listed


@settings(max_examples=300)
@given(st.sampled_from(IN_A_CONVERSATION), JSON, st.booleans())
def test_whatever_one_conversation_is_the_next_is_read(path, value, drop):
    page = changed(LISTED, ("data", "payload", 0, *path), value, drop=drop)
    found, listed = mapped(page, deepcopy(SAID))

    assert {t.id for t in found.threads} == {"41"}
    for one in listed:
        (thread,) = mapping.page([Read(one, ())], OPTIONS, NOW).threads
        assert thread.as_of <= NOW + mapping.LEAD
        assert len(mapping.mark(one)) == 16
        mapping.active_at(one)


@settings(max_examples=300)
@given(st.sampled_from(IN_A_MESSAGE), JSON, st.booleans())
def test_whatever_one_message_is_its_neighbours_are_read(path, value, drop):
    page = changed(SAID, ("payload", 0, *path), value, drop=drop)
    found, _ = mapped(deepcopy(LISTED), page)

    bodies = {m.id: m.body for m in found.messages}
    assert bodies["905"] == "It left today."
    assert len(bodies) in {5, 6}
    assert {m.thread for m in found.messages} <= {t.id for t in found.threads}


@settings(max_examples=300)
@given(st.sampled_from(IN_A_PUSH), JSON, st.booleans())
def test_whatever_is_pushed_it_is_answered(path, value, drop):
    body = json.dumps(changed(PUSHED, path, value, drop=drop)).encode()
    second = str(int(NOW.timestamp()))
    digest = signatures.in_hex(b"s", f"{second}.".encode() + body)
    headers = {"x-chatwoot-timestamp": second, "x-chatwoot-signature": f"sha256={digest}"}
    request = PushRequest("POST", "/push/webstore/chat", {}, headers, body, {"chat": OPTIONS})

    receipt = receiving.receive(request, OPTIONS, OPTIONS.push, NOW)

    assert receipt.status == 200
    assert receipt.outcome in {"stored", "unknown_topic", "unknown_account", "unreadable"}


@settings(max_examples=200)
@given(st.binary(max_size=200) | st.text().map(lambda text: json.dumps(text).encode()))
def test_whatever_bytes_come_the_error_is_one_of_ours(body):
    with pytest.raises(BadPayload, match=r"^conversations: ") as caught:
        answers.salvaged(answers.Answer(200, {}, body), Conversations, "conversations", ("id",))

    assert caught.value.raw == body


@settings(max_examples=100)
@given(st.binary(max_size=100), st.text(max_size=30), st.text(max_size=80))
def test_whatever_is_sent_without_the_secret_is_refused(body, second, digest):
    headers = {"x-chatwoot-timestamp": second, "x-chatwoot-signature": f"sha256={digest}"}
    request = PushRequest("POST", "/push/webstore/chat", {}, headers, body, {"chat": OPTIONS})

    receipt = receiving.receive(request, OPTIONS, OPTIONS.push, NOW)

    assert receipt.status == 401
    assert receipt.pages == {}
