"""What is registered at the number: looked after, set up, never overwritten."""

from __future__ import annotations

import pytest

from connectors.webstore.twilio import numbers, offer
from core.errors import BadCredentials, Mistaken
from tests.connectors.webstore.conftest import NOON
from tests.connectors.webstore.twilio.conftest import ENDPOINT

FOREIGN = "https://studio.example/flows/secret-word"


@pytest.fixture
def pushed(opened):
    return opened(endpoint=ENDPOINT)


async def lines(connector):
    return [line async for line in connector.subscribe(None, NOON)]


@pytest.mark.parametrize(
    ("sms", "callback", "troubles"),
    [
        (ENDPOINT, ENDPOINT, ()),
        (FOREIGN, ENDPOINT, ("destination_missing",)),
        (ENDPOINT + "/", ENDPOINT, ("destination_missing",)),
        (ENDPOINT, "", ("subscription_missing",)),
    ],
)
async def test_trap_14_an_address_that_was_changed_away_is_told(
    pushed, number, sms, callback, troubles
):
    number.sms_url, number.status_callback = sms, callback

    page = await pushed.fetch("number", None, None, NOON)

    assert page.pushes == troubles
    assert page.cursor


async def test_a_number_that_was_given_up_is_told(pushed, account):
    account.numbers.clear()

    assert (await pushed.fetch("number", None, None, NOON)).pushes == ("destination_missing",)


async def test_a_number_without_calls_needs_no_address_for_them(opened, number):
    number.status_callback = ""
    silent = opened(endpoint=ENDPOINT, voice=False)

    assert (await silent.fetch("number", None, None, NOON)).pushes == ()


async def test_who_hands_on_from_elsewhere_is_not_looked_after(optioned, sender):
    told = [one.name for one in offer.streams(optioned(endpoint=ENDPOINT))]
    assert told == ["messages", "calls", "number"]
    by_hand = optioned(endpoint=ENDPOINT, registered=False)
    for options in (by_hand, optioned(), optioned(sender, endpoint=ENDPOINT)):
        assert "number" not in [one.name for one in offer.streams(options)]


async def test_free_addresses_are_set_once(pushed, number, sandbox):
    number.sms_url, number.status_callback = "https://demo.twilio.com/welcome/sms/reply", ""

    assert await lines(pushed) == ["messages: registered now", "calls: registered now"]

    assert (number.sms_url, number.status_callback) == (ENDPOINT, ENDPOINT)
    assert await lines(pushed) == ["messages: registered", "calls: registered"]
    assert len(sandbox.calls("change_number")) == 2


async def test_a_foreign_address_stays_and_is_named_by_its_host_alone(pushed, number, sandbox):
    number.sms_url = FOREIGN

    first, second = await lines(pushed)

    assert first.startswith("messages: an address at studio.example stands there and stays;")
    assert "secret-word" not in first
    assert (second, number.sms_url) == ("calls: registered", FOREIGN)
    assert not sandbox.calls("change_number")


async def test_a_sender_of_whatsapp_is_set_up_by_hand(opened, sender):
    (line,) = await lines(opened(sender, endpoint=ENDPOINT))

    assert ENDPOINT in line


async def test_a_number_of_another_account_is_said(pushed, account):
    account.numbers.clear()

    with pytest.raises(Mistaken):
        await lines(pushed)
    assert await pushed.check() == (numbers.UNKNOWN,)


async def test_a_check_asks_with_what_the_settings_name(opened, account, sandbox, sender):
    key = {"auth_token": None, "api_key": account.key, "api_secret": account.secret}

    assert await opened(**key).check() is None
    assert await opened(sender, **key).check() is None
    with pytest.raises(BadCredentials):
        await opened(auth_token="wrong").check()
