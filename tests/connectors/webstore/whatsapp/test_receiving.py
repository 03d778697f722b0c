"""Who may push, and what is answered."""

from __future__ import annotations

import base64
import hmac
import json

import pytest

from connectors.webstore import signatures
from connectors.webstore.whatsapp import identity
from core.errors import BadPayload
from tests.connectors.webstore.meta import endpoints
from tests.connectors.webstore.whatsapp.test_mapping import recorded


@pytest.fixture
def content(line):
    """The recorded text, for our number."""
    found = recorded("text")
    found["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = line.id
    return found


async def test_what_meta_has_signed_is_stored(take, content):
    receipt = await take(content)
    assert (receipt.status, receipt.outcome) == (200, "stored")
    assert [m.body for m in receipt.pages["shop"].messages] == ["Where is my order?"]
    assert receipt.pushed.topic == "messages"


@pytest.fixture
def digest(line):
    def digest(body, secret=None):
        return hmac.digest((secret or line.app.secret).encode(), body, "sha256")

    return digest


def forged(body, digest):
    right = digest(body)
    return {
        "wrong": {"x-hub-signature-256": "sha256=" + digest(body, "another").hex()},
        "base64 where hex is due": {
            "x-hub-signature-256": "sha256=" + base64.b64encode(right).decode()
        },
        "capital digits": {"x-hub-signature-256": "sha256=" + right.hex().upper()},
        "without its scheme": {"x-hub-signature-256": right.hex()},
        "of another scheme": {"x-hub-signature-256": "sha1=" + right.hex()},
        "of other bytes": {"x-hub-signature-256": "sha256=" + digest(body + b" ").hex()},
        "empty": {"x-hub-signature-256": ""},
        "odd signs": {"x-hub-signature-256": "sha256=\udcff"},
    }


@pytest.mark.parametrize("how", sorted(forged(b"", lambda *_: b"")))
async def test_trap_15_a_signature_that_is_none_is_refused_and_nothing_stored(
    take, content, digest, how
):
    body = endpoints.written(content)
    receipt = await take(body, headers=forged(body, digest)[how])
    assert (receipt.status, receipt.outcome) == (401, "bad_signature")
    assert (receipt.pages, receipt.pushed) == ({}, None)


async def test_trap_15_the_digest_is_over_the_bytes_as_they_came(take, content):
    """Escapes and spaces are Meta's own: the same JSON, written otherwise, is another body."""
    again = json.dumps(content, ensure_ascii=True, indent=1).encode()
    receipt = await take(content, sign=again)
    assert receipt.outcome == "bad_signature"
    assert (await take(again)).outcome == "stored"


async def test_the_old_header_alone_is_no_signature(take, content, digest):
    old = {"x-hub-signature": "sha1=" + digest(endpoints.written(content)).hex()}
    receipt = await take(content, headers=old)
    assert (receipt.status, receipt.outcome) == (401, "no_signature")


async def test_a_replayed_push_is_known_by_its_bytes(take, content):
    first, again = await take(content), await take(content)
    assert first.pushed.id == again.pushed.id
    content["entry"][0]["id"] = "2"
    assert (await take(content)).pushed.id != first.pushed.id


async def test_a_message_is_known_by_its_own_id_whatever_push_it_comes_in(take, content):
    first = await take(content)
    content["entry"][0]["changes"].append({"field": "account_update", "value": {}})
    again = await take(content)
    assert {m.id for m in first.pages["shop"].messages} == {
        identity.message_id("wamid.HBgLNDg2MDAxMDAyMDA=")
    }
    assert first.pages == again.pages


async def test_the_handshake_gives_the_challenge_back(take):
    told = {"hub__mode": "subscribe", "hub__challenge": "1158201444"}
    receipt = await take(b"", method="GET", hub__verify_token="a-word-that-meta-asks-with", **told)
    assert (receipt.status, receipt.body, receipt.outcome) == (200, b"1158201444", "challenge")
    assert receipt.headers == {"Content-Type": "text/plain"}


@pytest.mark.parametrize(
    "query",
    [
        {"hub__verify_token": "wrong"},
        {"hub__verify_token": ""},
        {"hub__mode": "unsubscribe"},
        {"hub__mode": ""},
        {"hub__challenge": ""},
        {"hub__challenge": "9" * 201},
        {"hub__challenge": "٣"},
        {"hub__verify_token": "\udcff"},
    ],
)
async def test_a_handshake_that_is_none_is_refused(take, query):
    told = {
        "hub__mode": "subscribe", "hub__challenge": "1",
        "hub__verify_token": "a-word-that-meta-asks-with", **query,
    }  # fmt: skip
    receipt = await take(b"", method="GET", **told)
    assert (receipt.status, receipt.outcome, receipt.body) == (403, "no_challenge", b"")


async def test_an_unknown_number_is_acknowledged_and_counted(take, content):
    metadata = content["entry"][0]["changes"][0]["value"]["metadata"]
    metadata["phone_number_id"] = "9999"
    receipt = await take(content)
    assert (receipt.status, receipt.outcome, receipt.pages) == (200, "unknown_account", {})


async def test_other_news_is_acknowledged_and_counted(take, content):
    content["entry"][0]["changes"][0]["field"] = "message_template_status_update"
    receipt = await take(content)
    assert (receipt.status, receipt.outcome) == (200, "unknown_topic")
    assert receipt.pushed.topic == "more"


async def test_what_concerns_another_number_of_the_app_goes_there(
    take, content, endpoint, graph, line, sandbox, optioned
):
    other = graph.add_line("whatsapp", line.app)
    endpoint.accounts["other"] = optioned(other)
    metadata = content["entry"][0]["changes"][0]["value"]["metadata"]
    metadata["phone_number_id"] = other.id
    assert set((await take(content)).pages) == {"other"}


async def test_a_number_of_another_app_is_none_of_this_apps_to_speak_for(
    take, content, endpoint, graph, optioned
):
    stranger = graph.add_line("whatsapp")
    endpoint.accounts["stranger"] = optioned(stranger)
    metadata = content["entry"][0]["changes"][0]["value"]["metadata"]
    metadata["phone_number_id"] = stranger.id
    assert (await take(content)).outcome == "unknown_account"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"entry": {}}', b'"text"', b"null"])
async def test_what_is_signed_and_no_envelope_is_unreadable(take, body):
    with pytest.raises(BadPayload):
        await take(body)


def test_meta_signs_in_small_hex_digits(digest):
    assert signatures.in_hex(b"key", b"body") == digest(b"body", "key").hex()
