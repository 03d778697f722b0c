"""Pushes: how they are set up, signed, sent again and given up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aiohttp.test_utils import unused_port

from connectors.ebay.sandbox.applications import SCOPE, SCOPES
from tests.connectors.ebay.sandbox import receiver as receiving
from tests.connectors.ebay.sandbox.receiver import TOKEN, Receiver

BASE = "/commerce/notification/v1"
PAYLOAD = {"format": "JSON", "schemaVersion": "1.0", "deliveryProtocol": "HTTPS"}


@pytest.fixture
async def receiver():
    made = Receiver()
    runner = await receiving.opened(made)
    yield made
    await runner.cleanup()


@pytest.fixture
def pushes(sandbox):
    return sandbox.pushes


def place(receiver, **how):
    config = {"endpoint": receiver.url, "verificationToken": TOKEN}
    return {"name": "replyby", "status": "ENABLED", "deliveryConfig": config, **how}


@pytest.fixture
def app(call):
    async def asked(method, path, **how):
        return await call(method, BASE + path, by="application", **how)

    return asked


@pytest.fixture
async def destination(app, receiver):
    await app("PUT", "/config", json={"alertEmail": "shop@shop.example"})
    answer = await app("POST", "/destination", json=place(receiver))
    assert answer.status == 201
    return answer.headers["Location"].rpartition("/")[2]


async def subscribed(call, destination, topic="NEW_MESSAGE", by="user", status="ENABLED"):
    asked = {
        "topicId": topic,
        "status": status,
        "destinationId": destination,
        "payload": PAYLOAD,
    }
    return await call("POST", f"{BASE}/subscription", by=by, json=asked)


async def key_of(app, came):
    return (await app("GET", f"/public_key/{came.signature['kid']}")).body


async def test_nothing_is_set_up_before_the_address_of_alerts(app, call, receiver):
    assert (await app("GET", "/config")).number == 195026
    assert (await app("POST", "/destination", json=place(receiver))).number == 195003
    assert (await subscribed(call, "destination-1")).number == 195003
    assert (await app("PUT", "/config", json={"alertEmail": "nobody"})).number == 195025
    assert (await app("PUT", "/config", json={"alertEmail": "a@shop.example"})).status == 204
    assert (await app("GET", "/config")).body == {"alertEmail": "a@shop.example"}


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"name": "x" * 65}, 195016),
        ({"name": "<b>"}, 195016),
        ({"status": "MARKED_DOWN"}, 195018),
        ({"deliveryConfig": {"endpoint": "http://shop.example/", "verificationToken": TOKEN}},
         195017),
        ({"deliveryConfig": {"verificationToken": TOKEN}}, 195017),
        ({"deliveryConfig": {"endpoint": "https://shop.example/", "verificationToken": "short"}},
         195019),
        ({"deliveryConfig": {"endpoint": "https://shop.example/", "verificationToken": "!" * 40}},
         195019),
        ({"deliveryConfig": {"endpoint": "https://shop.example/", "verificationToken": TOKEN}},
         195020),
    ],
)  # fmt: skip
async def test_a_destination_that_is_wrong_is_refused_by_number(app, receiver, change, number):
    await app("PUT", "/config", json={"alertEmail": "a@shop.example"})
    answer = await app("POST", "/destination", json=place(receiver, **change))
    assert answer.number == number


@pytest.mark.parametrize("how", ["slash", "bom", "text", "gone"])
async def test_trap_40_a_challenge_that_is_answered_wrongly_is_no_proof(app, receiver, how):
    await app("PUT", "/config", json={"alertEmail": "a@shop.example"})
    receiver.challenge = how
    refused = await app("POST", "/destination", json=place(receiver))
    assert (refused.status, refused.number) == (409, 195020)


async def test_a_destination_is_unique_shown_changed_and_not_removed_while_in_use(
    app, call, receiver, destination
):
    again = await app("POST", "/destination", json=place(receiver))
    assert (again.status, again.number) == (409, 195021)
    shown = (await app("GET", f"/destination/{destination}")).body
    assert shown == {"destinationId": destination, **place(receiver)}
    changed = await app("PUT", f"/destination/{destination}", json=place(receiver, name="other"))
    assert changed.status == 204
    listed = (await app("GET", "/destination")).body
    assert [one["name"] for one in listed["destinations"]] == ["other"]
    await subscribed(call, destination)
    assert (await app("DELETE", f"/destination/{destination}")).number == 195024
    assert (await app("GET", "/destination/other")).number == 195022


async def test_topics_are_read_page_by_page_with_the_versions_of_their_payloads(app):
    first = (await app("GET", "/topic", params={"limit": 10})).body
    token = first["next"].rpartition("=")[2]
    rest = await app("GET", "/topic", params={"limit": 10, "continuation_token": token})
    names = [one["topicId"] for one in first["topics"] + rest.body["topics"]]
    assert len(names) == len(set(names)) == first["total"] > 10
    assert "next" not in rest.body
    one = (await app("GET", "/topic/NEW_MESSAGE")).body
    assert one["supportedPayloads"][0]["schemaVersion"] == "1.0"
    assert (await app("GET", "/topic/NONE")).number == 195002
    for limit in (9, 101, "x"):
        assert (await app("GET", "/topic", params={"limit": limit})).number == 195004
    odd = await app("GET", "/topic", params={"continuation_token": "x"})
    assert odd.number == 195005


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"topicId": "NONE"}, 195027),
        ({"status": "ON"}, 195006),
        ({"destinationId": "other"}, 195007),
        ({"payload": {**PAYLOAD, "schemaVersion": "9.9"}}, 195008),
        ({"payload": {**PAYLOAD, "format": "XML"}}, 195009),
        ({"payload": {**PAYLOAD, "deliveryProtocol": "HTTP"}}, 195010),
        ({"topicId": "FEEDBACK_RECEIVED"}, 195011),
        ({"topicId": "MARKETPLACE_ACCOUNT_DELETION"}, 195011),
    ],
)
async def test_a_subscription_that_is_wrong_is_refused_by_number(call, destination, change, number):
    asked = {
        "topicId": "NEW_MESSAGE",
        "status": "ENABLED",
        "destinationId": destination,
        "payload": PAYLOAD,
    }
    answer = await call("POST", f"{BASE}/subscription", json={**asked, **change})
    assert answer.number == number


async def test_a_sellers_topic_needs_the_sellers_own_token_with_both_scopes(
    call, seller, destination
):
    assert (await subscribed(call, destination, by="application")).number == 195011
    lacking = seller.application.mint(seller, set(SCOPES) - {f"{SCOPE}/commerce.message"})
    answer = await call(
        "POST",
        f"{BASE}/subscription",
        token=lacking,
        json={"topicId": "NEW_MESSAGE", "status": "ENABLED"},
    )
    assert (answer.status, answer.number) == (403, 195011)


async def test_a_subscription_is_one_listed_by_its_owner_switched_and_ended(call, app, destination):
    made = await subscribed(call, destination)
    name = made.headers["Location"].rpartition("/")[2]
    assert (await subscribed(call, destination)).number == 195012
    mine = (await call("GET", f"{BASE}/subscription")).body["subscriptions"]
    assert [one["subscriptionId"] for one in mine] == [name]
    assert (await app("GET", "/subscription")).body["subscriptions"] == []
    assert (await app("GET", f"/subscription/{name}")).number == 195013

    assert (await call("POST", f"{BASE}/subscription/{name}/disable")).status == 204
    assert (await call("GET", f"{BASE}/subscription/{name}")).body["status"] == "DISABLED"
    assert (await call("POST", f"{BASE}/subscription/{name}/enable")).status == 204
    asked = {"status": "DISABLED", "destinationId": destination, "payload": PAYLOAD}
    assert (await call("PUT", f"{BASE}/subscription/{name}", json=asked)).status == 204
    assert (await call("DELETE", f"{BASE}/subscription/{name}")).status == 204
    assert (await call("GET", f"{BASE}/subscription/{name}")).number == 195013


async def test_a_disabled_destination_takes_no_enabled_subscription(
    app, call, receiver, destination
):
    await app("PUT", f"/destination/{destination}", json=place(receiver, status="DISABLED"))
    refused = await subscribed(call, destination)
    assert (refused.status, refused.number) == (409, 195015)
    made = await subscribed(call, destination, status="DISABLED")
    name = made.headers["Location"].rpartition("/")[2]
    assert (await call("POST", f"{BASE}/subscription/{name}/enable")).number == 195015


async def test_a_message_is_pushed_a_second_later_and_signed_over_its_bytes(
    app, call, clock, seller, buyer, receiver, pushes, destination
):
    await subscribed(call, destination)
    asked = seller.asked(buyer, "Grüße, where is it? \N{ROCKET}")
    await pushes.deliver()
    assert not receiver.came
    clock.advance(seconds=1)
    await pushes.deliver()
    came = receiver.came[0]
    assert came.told["metadata"] == {
        "topic": "NEW_MESSAGE",
        "schemaVersion": "1.0",
        "deprecated": False,
    }
    assert came.notification["publishAttemptCount"] == 1
    assert came.notification["publishDate"] == "2026-11-20T12:00:01.000Z"
    data = came.notification["data"]
    assert (data["conversationId"], data["messageId"]) == (asked.id, asked.latest.id)
    assert (data["senderUserName"], data["recipientUserName"]) == ("buyer-a", "shop-b")
    assert "senderUsername" not in data
    key = await key_of(app, came)
    assert key["digest"] == came.signature["digest"] == "SHA1"
    assert "\n" not in key["key"]
    assert came.is_signed_by(key)
    came.body = came.body.replace(b'":"', b'": "')
    assert not came.is_signed_by(key)


async def test_what_the_seller_or_ebay_writes_is_pushed_only_by_habit(
    call, market, clock, seller, buyer, receiver, pushes, destination
):
    await subscribed(call, destination)
    asked = seller.asked(buyer, "Hello")
    seller.answers(asked, "Hello yourself")
    seller.ebay_writes("A notice")
    clock.advance(seconds=1)
    await pushes.deliver()
    assert len(receiver.came) == 1
    assert pushes.waiting == 0
    market.habits.pushes_own = market.habits.pushes_ebay = True
    seller.answers(asked, "Once more")
    seller.ebay_writes("Another notice")
    clock.advance(seconds=1)
    await pushes.deliver()
    assert len(receiver.came) == 3


async def test_keys_change_under_a_new_id_and_old_ones_can_still_be_fetched(
    app, call, market, clock, seller, buyer, receiver, pushes, destination
):
    await subscribed(call, destination)
    seller.asked(buyer, "Hello")
    clock.advance(seconds=1)
    await pushes.deliver()
    assert len(receiver.came) == 1
    market.keys.rotate("SHA256")
    seller.asked(buyer, "Hello again")
    clock.advance(seconds=1)
    await pushes.deliver()
    assert len(receiver.came) == 2
    first, second = [await key_of(app, came) for came in receiver.came]
    assert receiver.came[0].is_signed_by(first)
    assert receiver.came[1].is_signed_by(second)
    assert not receiver.came[1].is_signed_by(first)
    assert (first["digest"], second["digest"]) == ("SHA1", "SHA256")
    assert (await app("GET", "/public_key/other")).number == 195001


@pytest.mark.parametrize("how", ["error", "late", "down"])
async def test_trap_38_what_is_not_acknowledged_in_time_comes_again_minutes_later_with_the_same_id(
    call, market, clock, seller, buyer, receiver, pushes, destination, how
):
    await subscribed(call, destination)
    here, patience = receiver.url, market.habits.ack_within
    if how == "error":
        receiver.status = 500
    elif how == "late":
        market.habits.ack_within, receiver.delay = timedelta(seconds=0.1), 0.4
    else:
        known = seller.application.subscribed.destinations[destination]
        known.endpoint = f"http://127.0.0.1:{unused_port()}/"
    seller.asked(buyer, "Hello")
    clock.advance(seconds=1)
    await pushes.deliver()
    assert len(pushes.tried) == 1
    market.habits.ack_within, receiver.status, receiver.delay = patience, 204, 0.0
    seller.application.subscribed.destinations[destination].endpoint = here
    clock.advance(seconds=179)
    await pushes.deliver()
    assert len(pushes.tried) == 1
    clock.advance(seconds=1)
    await pushes.deliver()
    assert len(pushes.tried) == 2
    assert [one.attempt for one in pushes.tried] == [1, 2]
    assert pushes.tried[0].status == (500 if how == "error" else None)
    assert pushes.tried[0].id == pushes.tried[1].id
    assert receiver.came[-1].notification["publishAttemptCount"] == 2
    assert pushes.waiting == 0


async def test_a_day_of_failures_ends_the_attempts(
    call, clock, seller, buyer, receiver, pushes, destination
):
    await subscribed(call, destination)
    receiver.status = 500
    seller.asked(buyer, "Hello")
    clock.advance(hours=23, minutes=57)
    await pushes.deliver()
    assert len(pushes.tried) == 1
    assert pushes.waiting == 0


async def test_a_destination_that_fails_on_and_on_is_marked_down_until_it_is_set_anew(
    app, call, market, clock, seller, buyer, receiver, pushes, destination
):
    await subscribed(call, destination)
    market.habits.most_failures = 2
    receiver.status = 412
    for _ in range(2):
        seller.asked(buyer, "Hello")
    clock.advance(seconds=1)
    await pushes.deliver()
    assert len(pushes.tried) == 2
    shown = (await app("GET", f"/destination/{destination}")).body
    assert shown["status"] == "MARKED_DOWN"
    assert len(seller.application.subscribed.alerts) == 1
    seller.asked(buyer, "Nobody hears this")
    assert pushes.waiting == 2
    clock.advance(minutes=4)
    await pushes.deliver()
    assert len(receiver.came) == 2

    receiver.status = 204
    fixed = await app("PUT", f"/destination/{destination}", json=place(receiver))
    assert fixed.status == 204
    seller.asked(buyer, "Here again")
    clock.advance(seconds=1)
    await pushes.deliver()
    assert len(receiver.came) == 3


async def test_trap_41_a_test_is_really_signed_and_its_ids_exist_nowhere(
    app, call, clock, receiver, pushes, destination
):
    made = await subscribed(call, destination, status="DISABLED")
    name = made.headers["Location"].rpartition("/")[2]
    assert (await call("POST", f"{BASE}/subscription/{name}/test")).status == 202
    clock.advance(seconds=1)
    await pushes.deliver()
    assert len(receiver.came) == 1
    came = receiver.came[0]
    assert came.is_signed_by(await key_of(app, came))
    looked_up = await call(
        "GET",
        f"/commerce/message/v1/conversation/{came.notification['data']['conversationId']}",
        params={"conversation_type": "FROM_MEMBERS"},
    )
    assert (looked_up.status, looked_up.number) == (404, 355000)


async def test_a_burst_of_deletions_is_pushed_one_by_one_by_every_name(
    call, market, clock, buyer, receiver, pushes, destination
):
    await subscribed(call, destination, "MARKETPLACE_ACCOUNT_DELETION", by="application")
    pushes.deletion(buyer)
    for _ in range(199):
        pushes.deletion(market.add_member())
    clock.advance(seconds=1)
    await pushes.deliver()
    assert len(receiver.came) == 200
    assert len(set(receiver.ids)) == 200
    data = [one.notification["data"] for one in receiver.came]
    assert {
        "username": "buyer-a",
        "userId": buyer.user_id,
        "eiasToken": buyer.eias_token,
    } in data


async def test_a_revoked_consent_is_pushed_to_the_application(
    call, clock, seller, receiver, pushes, destination
):
    await subscribed(call, destination, "AUTHORIZATION_REVOCATION", by="application")
    pushes.revocation(seller)
    clock.advance(seconds=1)
    await pushes.deliver()
    assert len(receiver.came) == 1
    assert receiver.came[0].notification["data"]["userId"] == seller.member.user_id


async def test_trap_42_topics_that_nobody_knows_are_pushed_too(
    clock, seller, receiver, pushes, destination
):
    pushes.anything(seller.application, "SOMETHING_NEW", {"a": 1})
    clock.advance(seconds=1)
    await pushes.deliver()
    assert len(receiver.came) == 1
    assert receiver.came[0].told["metadata"]["topic"] == "SOMETHING_NEW"


async def test_nothing_is_pushed_beyond_this_machine(call, clock, seller, buyer, pushes, receiver,
                                                     destination):  # fmt: skip
    await subscribed(call, destination)
    seller.application.subscribed.destinations[destination].endpoint = "https://192.0.2.1/push"
    seller.asked(buyer, "Hello")
    clock.advance(seconds=1)
    await pushes.deliver()
    assert len(pushes.tried) == 1
    assert pushes.tried[0].status is None
