"""Who may push, and what a push means: traps 28, 29 and 38 to 43."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.ebay.push import topics
from connectors.ebay.push.pushes import Pushes
from connectors.ebay.sandbox import payload
from connectors.ebay.sandbox.signing import Keys
from core.payload import instant
from core.pushes import Member, Pushed, PushRequest
from sla.policy import Party
from tests.connectors.ebay.conftest import NOON
from tests.connectors.ebay.push.conftest import STAMP, TOKEN, envelope, message, written

GONE = {"username": "buyer-a", "userId": "uId0000001", "eiasToken": "AAAA0000example=="}


async def test_a_message_is_taken_and_wakes_its_account(take):
    receipt = await take()

    assert (receipt.status, receipt.outcome) == (204, "stored")
    assert receipt.wake == {"shop"}
    [(account, page)] = receipt.pages.items()
    [one] = page.messages
    assert (account, one.id, one.thread, one.party) == ("shop", "9001", "101", Party.BUYER)
    at = datetime(2026, 11, 20, 11, 59, 59, tzinfo=UTC)
    assert receipt.pushed == Pushed("N1", "NEW_MESSAGE", at)


async def test_a_push_without_a_signature_gets_401(take):
    receipt = await take(headers={})

    assert (receipt.status, receipt.outcome, receipt.pages) == (401, "no_signature", {})


@pytest.mark.parametrize(
    "header",
    ["", "no base64!", base64.b64encode(b"no json").decode(), base64.b64encode(b"[]").decode(),
     base64.b64encode(b'{"kid":"../config","signature":"AAAA"}').decode(),
     base64.b64encode(b'{"kid":"k","signature":"no base64!"}').decode(),
     "A" * 100_000],
)  # fmt: skip
async def test_a_signature_that_is_none_gets_412_and_asks_for_no_key(take, sandbox, header):
    receipt = await take(headers={"x-ebay-signature": header})

    assert (receipt.status, receipt.outcome, receipt.pages) == (412, "bad_signature", {})
    if b"kid" not in base64.b64decode(header + "==", validate=False):
        assert sandbox.calls("getPublicKey") == []


async def test_a_signature_by_a_key_that_ebay_does_not_know_gets_412(take):
    stranger = Keys(Random(5)).current

    assert (await take(key=stranger)).outcome == "bad_signature"


async def test_trap_39_the_signature_is_over_the_bytes_as_they_came(take):
    spaced = json.dumps(envelope(topics.MESSAGE, message()), indent=2).encode()

    assert (await take(spaced)).outcome == "stored"
    assert (await take(spaced, sign=written(None))).outcome == "bad_signature"


@pytest.mark.parametrize("digest", ["SHA1", "SHA256"])
async def test_trap_39_the_digest_is_the_one_that_the_key_names(take, sandbox, digest):
    sandbox.market.keys.rotate(digest)

    assert (await take()).outcome == "stored"


async def test_trap_39_the_digest_in_the_header_does_not_count(take, sandbox):
    key = sandbox.market.keys.rotate("SHA256")
    said = json.loads(base64.b64decode(key.header(written(None))))
    header = base64.b64encode(json.dumps(said | {"digest": "SHA1"}).encode()).decode()

    assert (await take(headers={"x-ebay-signature": header})).outcome == "stored"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.integers(0, 300), bit=st.integers(0, 7))
async def test_no_bit_of_a_signed_body_may_differ(take, place, bit):
    body = bytearray(written(None))
    body[place % len(body)] ^= 1 << bit

    assert (await take(bytes(body), sign=written(None))).outcome == "bad_signature"


async def test_trap_40_the_challenge_is_answered_with_the_address_as_registered(take, options):
    receipt = await take(b"", method="GET", challenge_code="a8f5")

    endpoint = options.push.endpoint
    expected = hashlib.sha256(f"a8f5{TOKEN}{endpoint}".encode()).hexdigest()
    assert (receipt.status, receipt.outcome) == (200, "challenge")
    assert receipt.headers["Content-Type"] == "application/json"
    assert receipt.body == json.dumps({"challengeResponse": expected}).encode()


async def test_a_question_without_a_challenge_is_refused(take):
    receipt = await take(b"", method="GET")

    assert (receipt.status, receipt.outcome) == (400, "no_challenge")


@pytest.mark.parametrize(
    "body",
    [b"", b"no json", b"[]", b"{}", b'{"metadata":{"topic":"NEW_MESSAGE"}}', b"\xff\xfe",
     b"[" * 5000, written(envelope("NEW_MESSAGE", "no object")),
     written(envelope("MARKETPLACE_ACCOUNT_DELETION", {"username": " "}))],
)  # fmt: skip
async def test_what_is_signed_and_cannot_be_read_is_acknowledged_and_stored_nowhere(take, body):
    receipt = await take(body)

    assert (receipt.status, receipt.outcome) == (204, "unreadable")
    assert (receipt.pages, receipt.erase, receipt.wake) == ({}, (), frozenset())


@pytest.mark.parametrize("id_", [None, 12345, 1.5, "", "a\0b", "x" * 301, ["N1"]])
async def test_who_is_to_be_forgotten_is_whatever_the_notification_is_called(take, id_):
    """Trap 43. Sent again it has the same id, another notice another one."""
    notice, other = (
        written(envelope(topics.DELETION, {**GONE, "userId": user}, id_=id_))
        for user in ("uId0000001", "uId0000002")
    )

    receipt, again, unlike = await take(notice), await take(notice), await take(other)

    assert (receipt.status, receipt.outcome) == (204, "erasure")
    assert receipt.erase == (Member(frozenset(GONE.values())),)
    assert receipt.pushed == again.pushed != unlike.pushed
    assert receipt.pushed.id.startswith("sha256:")


async def test_a_message_without_its_ids_wakes_the_poll_that_will_read_it(take):
    receipt = await take(envelope(topics.MESSAGE, message(messageId=None)))

    assert (receipt.status, receipt.outcome, receipt.pages) == (204, "unreadable", {})
    assert receipt.wake == {"shop"}


async def test_trap_41_a_test_is_acknowledged_and_is_about_nobody(take):
    receipt = await take(envelope(topics.MESSAGE, message("test_sender", "test_recipient")))

    assert (receipt.status, receipt.outcome) == (204, "unknown_account")
    assert (receipt.pages, receipt.wake) == ({}, frozenset())


@pytest.mark.parametrize("topic", ["BUYER_QUESTION", "ORDER_CONFIRMATION", "OF_TOMORROW"])
async def test_trap_42_a_topic_that_we_do_not_know_is_acknowledged(take, topic):
    receipt = await take(envelope(topic, {"anything": 1}))

    assert (receipt.status, receipt.outcome) == (204, "unknown_topic")
    assert (receipt.pages, receipt.wake) == ({}, frozenset())


async def test_trap_43_a_deletion_names_the_member_by_every_id(take):
    receipt = await take(envelope(topics.DELETION, GONE))

    assert (receipt.status, receipt.outcome) == (204, "erasure")
    assert receipt.erase == (Member(frozenset(GONE.values())),)
    assert receipt.pushed.id == "N1"


async def test_trap_43_a_deletion_with_some_of_the_ids_is_obeyed_too(take):
    receipt = await take(envelope(topics.DELETION, {"username": None, "userId": 17}))

    assert receipt.erase == (Member(frozenset({"17"})),)


@pytest.mark.parametrize("who", [{"username": "SHOP-B"}, {"userId": "shop-id-1"}])
async def test_a_consent_that_was_taken_back_is_found_out_at_once(
    take, endpoint, optioned, options, who
):
    endpoint.accounts = {"shop": options.model_copy(update={"seller_ids": ("shop-id-1",)})}

    receipt = await take(envelope(topics.REVOCATION, who))

    assert (receipt.status, receipt.outcome, receipt.wake) == (204, "stored", {"shop"})


async def test_a_consent_of_somebody_else_is_none_of_ours(take):
    receipt = await take(envelope(topics.REVOCATION, {"username": "shop-z"}))

    assert (receipt.status, receipt.outcome, receipt.wake) == (204, "unknown_account", frozenset())


@pytest.mark.parametrize("spelling", ["UserName", "Username"])
async def test_trap_28_names_are_read_in_either_spelling(take, spelling):
    data = message()
    data = {key.replace("UserName", spelling): value for key, value in data.items()}

    assert (await take(envelope(topics.MESSAGE, data))).outcome == "stored"


async def test_trap_29_an_immutable_id_of_the_seller_will_do(take, endpoint, options):
    endpoint.accounts = {"shop": options.model_copy(update={"seller_ids": ("u1SELLER",)})}

    receipt = await take(envelope(topics.MESSAGE, message("u1BUYER", "U1seller")))

    [one] = receipt.pages["shop"].messages
    assert one.party is Party.BUYER


async def test_what_the_seller_wrote_is_the_sellers(take):
    receipt = await take(envelope(topics.MESSAGE, message("shop-b", "buyer-a")))

    [one] = receipt.pages["shop"].messages
    assert one.party is Party.SELLER


async def test_a_conversation_between_two_accounts_of_ours_stands_in_both(take, endpoint, options):
    other = options.model_copy(update={"seller": "shop-c"})
    endpoint.accounts = {"shop": options, "other": other}

    receipt = await take(envelope(topics.MESSAGE, message("shop-c", "shop-b")))

    parties = {name: page.messages[0].party for name, page in receipt.pages.items()}
    assert parties == {"shop": Party.BUYER, "other": Party.SELLER}


@pytest.mark.parametrize(
    "changes", [{"client_id": "another-application"}, {"environment": "sandbox", "hosts": {}}]
)
async def test_an_account_of_another_application_gets_nothing(take, endpoint, options, changes):
    stranger = type(options).model_validate({**secrets(options), **changes})
    endpoint.accounts = {"stranger": stranger}

    assert (await take()).outcome == "unknown_account"


def secrets(options):
    told = options.model_dump(exclude={"push"})
    for name in ("client_secret", "refresh_token"):
        told[name] = getattr(options, name).get_secret_value()
    return told


async def test_where_trading_reads_a_push_only_wakes(take, endpoint, options):
    """Trading knows no conversation: the message would stand in two threads."""
    endpoint.accounts = {"shop": options.model_copy(update={"messages_by": "trading"})}

    receipt = await take()

    assert (receipt.pages, receipt.wake, receipt.outcome) == ({}, {"shop"}, "stored")


async def test_a_push_and_the_poll_tell_the_same_message(take, options, sandbox, seller, opened):
    """So the poll that confirms a push finds nothing new."""
    buyer = sandbox.market.add_member("buyer-a")
    conversation = seller.asked(buyer, "Where <b>is</b> it?", at=NOON)
    [one] = conversation.messages

    receipt = await take(envelope(topics.MESSAGE, payload.pushed(conversation, one)))
    polled = await opened().fetch("messages", None, None, NOON)

    assert receipt.pages["shop"].messages == polled.messages
    assert instant(STAMP) == receipt.pushed.published_at


async def test_nothing_is_pushed_where_nothing_is_configured(access, optioned):
    request = PushRequest("GET", "/", {"challenge_code": "x"}, {}, b"")

    assert (await Pushes(access, optioned()).receive(request, NOON)).status == 404
