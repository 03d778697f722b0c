"""What is pushed is set up in eBay's order, and may be set up again at any time."""

from __future__ import annotations

import json

import pytest

from connectors.ebay.push.pushes import Pushes
from connectors.ebay.sandbox import applications
from connectors.ebay.sandbox.topics import TOPICS
from core.errors import BadCredentials, Mistaken, Refused
from tests.connectors.ebay.conftest import NOON

CONTACT = "alerts@shop.example"


@pytest.fixture
def subscribe(pushes):
    async def subscribe(contact=CONTACT):
        return [line async for line in pushes.subscribe(contact, NOON)]

    return subscribe


@pytest.fixture
def subscribed(seller):
    return seller.application.subscribed


def changes(sandbox):
    """What was sent rather than asked, tokens apart."""
    sent = [one for one in sandbox.heard if one.method != "GET"]
    return [one.operation for one in sent if one.path.startswith("/commerce/")]


async def test_everything_is_set_up_in_ebays_order(subscribe, subscribed, sandbox, endpoint):
    lines = await subscribe()

    assert changes(sandbox) == [
        "updateConfig", "createDestination",
        "createSubscription", "testSubscription",
        "createSubscription", "testSubscription",
        "createSubscription", "testSubscription",
    ]  # fmt: skip
    assert lines == [
        "contact: written",
        f"address {endpoint.url}: registered now",
        "NEW_MESSAGE: subscribed now; a test is on its way",
        "AUTHORIZATION_REVOCATION: subscribed now; a test is on its way",
        "MARKETPLACE_ACCOUNT_DELETION: subscribed now; a test is on its way",
    ]
    [place] = subscribed.destinations.values()
    assert (place.endpoint, place.status) == (endpoint.url, "ENABLED")
    assert [receipt.outcome for receipt in endpoint.receipts] == ["challenge"]


async def test_a_second_time_nothing_is_changed_and_tests_come_again(
    subscribe, subscribed, sandbox
):
    await subscribe()
    sandbox.heard.clear()

    lines = await subscribe(None)

    assert set(changes(sandbox)) == {"testSubscription"}
    assert lines[0] == "contact: known"
    assert lines[2] == "NEW_MESSAGE: subscribed; a test is on its way"


async def test_what_is_set_up_is_what_the_hourly_look_wants(subscribe, pushes):
    assert (await pushes.fetch(None, None, NOON)).pushes == ("destination_missing",)

    await subscribe()

    assert (await pushes.fetch(None, None, NOON)).pushes == ()


@pytest.mark.parametrize("status", ["MARKED_DOWN", "DISABLED"])
async def test_an_address_that_was_marked_down_is_enabled_again(
    subscribe, subscribed, endpoint, status
):
    await subscribe()
    [place] = subscribed.destinations.values()
    place.status = status

    lines = await subscribe()

    assert place.status == "ENABLED"
    assert lines[1] == f"address {endpoint.url}: enabled again"


async def test_a_subscription_that_was_switched_off_is_switched_on(subscribe, subscribed):
    await subscribe()
    for one in subscribed.subscriptions.values():
        one.status = "DISABLED"

    lines = await subscribe()

    assert {one.status for one in subscribed.subscriptions.values()} == {"ENABLED"}
    assert lines[2] == "NEW_MESSAGE: subscribed again; a test is on its way"


async def test_without_a_contact_ebay_lets_nothing_be_set_up_so_it_is_asked_for(subscribe, sandbox):
    with pytest.raises(Mistaken, match="--contact"):
        await subscribe(None)

    assert changes(sandbox) == []


async def test_an_address_that_does_not_answer_the_challenge_is_told_as_such(
    subscribe, pushes, endpoint, optioned, access
):
    push = {"endpoint": endpoint.url, "verification_token": "another-token-of-thirty-two-signs-"}
    endpoint.pushes = Pushes(access, optioned(push=push))

    with pytest.raises(Refused, match=r"195020.*challenge"):
        await subscribe()


async def test_a_consent_without_the_scope_is_told_as_such(subscribe, seller):
    scopes = [scope for scope in applications.SCOPES if "notification" not in scope]
    for consent in seller.application.consents.values():
        consent.scopes = frozenset(scopes)

    with pytest.raises((Refused, BadCredentials), match=r"commerce\.notification\.subscription"):
        await subscribe()


async def test_a_topic_that_ebay_gives_on_its_page_alone_is_no_failure(
    subscribe, sandbox, monkeypatch
):
    monkeypatch.delitem(TOPICS, "MARKETPLACE_ACCOUNT_DELETION")

    lines = await subscribe()

    assert lines[-1].startswith("MARKETPLACE_ACCOUNT_DELETION: eBay does not let")
    assert "Alerts & Notifications" in lines[-1]


async def test_the_newest_shape_of_a_topic_is_asked_for(subscribe, sandbox, monkeypatch):
    shapes = [("1.0", False), ("1.10", False), ("1.9", False), ("2.0", True)]
    told = type(TOPICS["NEW_MESSAGE"]).told

    def many(self):
        known = told(self)
        [one] = known["supportedPayloads"]
        versions = [one | {"schemaVersion": v, "deprecated": gone} for v, gone in shapes]
        return known | {"supportedPayloads": versions}

    monkeypatch.setattr(type(TOPICS["NEW_MESSAGE"]), "told", many)
    with pytest.raises(Refused):  # the stand-in takes its own version alone
        await subscribe()

    [asked] = [
        json.loads(one.body) for one in sandbox.heard if one.operation == "createSubscription"
    ]
    assert asked["payload"]["schemaVersion"] == "1.10"


async def test_where_trading_reads_only_the_applications_topics_are_wanted(
    access, optioned, options, endpoint, subscribed
):
    trading = options.model_copy(update={"messages_by": "trading"})
    endpoint.pushes = pushes = Pushes(access, trading)

    async for _ in pushes.subscribe(CONTACT, NOON):
        pass

    topics = {one.topic for one in subscribed.subscriptions.values()}
    assert topics == {"AUTHORIZATION_REVOCATION", "MARKETPLACE_ACCOUNT_DELETION"}


async def test_without_an_address_in_the_settings_nothing_is_asked(access, optioned, sandbox):
    with pytest.raises(Mistaken, match=r"push\.endpoint"):
        async for _ in Pushes(access, optioned()).subscribe(CONTACT, NOON):
            pass

    assert list(sandbox.heard) == []


async def test_tests_really_come_and_are_taken(subscribe, sandbox, clock, endpoint):
    await subscribe()
    clock.advance(seconds=2)
    await sandbox.pushes.deliver()

    outcomes = sorted(receipt.outcome for receipt in endpoint.receipts[1:])
    assert outcomes == ["erasure", "unknown_account", "unknown_account"]
    assert {one.status for one in sandbox.pushes.tried} == {204}
