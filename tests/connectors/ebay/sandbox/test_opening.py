"""The first run: a seller who can be reached at once, people who write on, and dates from eBay."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from connectors.ebay import spec
from connectors.ebay.options import EbayOptions
from connectors.ebay.sandbox import opening, stories
from connectors.ebay.sandbox.stage import SellerStage
from core.sandbox import people, scene
from tests.connectors.ebay.sandbox import receiver as receiving
from tests.connectors.ebay.sandbox.receiver import TOKEN, Receiver

MINUTE = timedelta(minutes=1)


class Push(NamedTuple):
    endpoint: str
    verification_token: SecretStr = SecretStr(TOKEN)


class Account(NamedTuple):
    seller: str = "sandbox"
    marketplace: str = "EBAY_DE"
    messages_by: str = "rest"
    refresh_token_made: None = None
    refresh_token_expires: None = None
    push: Push | None = None


async def control(told, path):
    async with ClientSession() as session, session.get(told["hosts"]["api"] + path) as answer:
        return await answer.json()


async def granted(told):
    pair = b64encode(f"{told['client_id']}:{told['client_secret']}".encode()).decode()
    async with ClientSession() as session:
        answer = await session.post(
            told["hosts"]["api"] + "/identity/v1/oauth2/token",
            data={"grant_type": "refresh_token", "refresh_token": told["refresh_token"]},
            headers={"Authorization": f"Basic {pair}"},
        )
        return (await answer.json())["access_token"]


async def asked(told, path, *, host="api", scheme="Bearer", **params):
    headers = {
        "Authorization": f"{scheme} {await granted(told)}",
        "X-EBAY-C-MARKETPLACE-ID": "EBAY_DE",
    }
    url = told["hosts"][host] + path
    async with ClientSession() as session, session.get(url, headers=headers, params=params) as got:
        return got.status, await got.json()


async def test_placeholders_become_a_seller_that_is_reached_at_once(clock):
    async with opening.open_sandbox({"ebay-de": Account()}, clock) as found:
        told = found["ebay-de"]
        options = EbayOptions.model_validate(told)
        assert options.is_near
        assert options.expires_on > clock().date()
        status, page = await asked(
            told, "/commerce/message/v1/conversation", conversation_type="FROM_MEMBERS"
        )
    assert status == 200
    assert page["total"] > 5


def test_an_account_at_the_stand_in_may_be_read_every_two_seconds():
    written = {"poll_every": "2s", "dossiers_every": "2s"}
    assert EbayOptions.model_validate({**spec.sandbox.options, **written}).is_near


async def test_a_return_is_there_whose_date_ebay_gives(clock):
    async with opening.open_sandbox({"ebay-de": Account()}, clock) as found:
        status, page = await asked(found["ebay-de"], "/post-order/v2/return/search", scheme="IAF")
    assert status == 200
    due = [
        datetime.fromisoformat(one["sellerResponseDue"]["respondByDate"]["value"]) - clock()
        for one in page["members"]
    ]
    assert timedelta(days=1) < max(due) < timedelta(days=7)


async def test_a_scene_a_second_later_meets_no_thread_of_the_one_before(clock):
    later = clock() + timedelta(seconds=1)
    ids = []
    for now in (clock, lambda: later):
        async with opening.open_sandbox({"ebay-de": Account()}, now) as found:
            told = found["ebay-de"]
            _, page = await asked(
                told, "/commerce/message/v1/conversation", conversation_type="FROM_MEMBERS"
            )
            _, returns = await asked(told, "/post-order/v2/return/search", scheme="IAF")
        conversations = page["conversations"]
        ids.append(
            {one["conversationId"] for one in conversations}
            | {one["latestMessage"]["messageId"] for one in conversations}
            | {f"return {one['returnId']}" for one in returns["members"]}
        )
    assert all(len(found) > 5 for found in ids)
    assert not ids[0] & ids[1]


async def test_accounts_have_one_application_and_sellers_of_their_own(clock):
    accounts = {"a": Account(), "b": Account("shop"), "c": Account("shop")}
    async with opening.open_sandbox(accounts, clock) as found:
        assert len({one["client_id"] for one in found.values()}) == 1
        assert [one["seller"] for one in found.values()] == ["a", "shop", "shop-c"]
        shown = await control(found["a"], "/_sandbox/")
    assert len(shown["sellers"]) == 3


async def test_trap_32_an_account_that_reads_by_the_old_api_lacks_the_scope_of_messages(clock):
    async with opening.open_sandbox({"old": Account(messages_by="trading")}, clock) as found:
        status, page = await asked(
            found["old"], "/commerce/message/v1/conversation", conversation_type="FROM_MEMBERS"
        )
    assert (status, page["errors"][0]["errorId"]) == (403, 1100)


async def test_what_the_settings_say_of_the_consent_stands(clock):
    account = Account()._replace(refresh_token_made=clock().date())
    async with opening.open_sandbox({"x": account}, clock) as found:
        assert "refresh_token_made" not in found["x"]


async def test_messages_are_pushed_where_the_account_has_an_endpoint(clock):
    receiver = Receiver()
    runner = await receiving.opened(receiver)
    account = Account(push=Push(receiver.url))
    async with opening.open_sandbox({"x": account, "y": account}, clock) as found:
        async with asyncio.timeout(10):
            while not receiver.came:
                clock.advance(seconds=5)
                await asyncio.sleep(0.1)
        shown = await control(found["x"], "/_sandbox/")
    await runner.cleanup()
    assert len(shown["destinations"]) == 1
    assert receiver.came[0].told["metadata"]["topic"] == "NEW_MESSAGE"


async def test_an_endpoint_beyond_this_machine_is_left_alone(clock):
    account = Account(push=Push("https://shop.example/push/ebay/x"))
    async with opening.open_sandbox({"x": account}, clock) as found:
        shown = await control(found["x"], "/_sandbox/")
    assert shown["destinations"] == []


@pytest.fixture
def played(sandbox, seller, clock):
    """A scene that is played on for some minutes."""

    def play(minutes):
        made = scene.Scene(
            SellerStage(sandbox, seller),
            within=stories.PROMISE,
            seed=7,
            languages=people.LANGUAGES,
            script=stories.SCRIPT,
        )
        end = clock() + minutes * MINUTE
        while clock() < end:
            clock.now = max(made.once(clock()), clock() + timedelta(milliseconds=1))
        return made

    return play


def test_an_hour_of_the_scene_shows_every_end_and_forgets_what_is_old(played, seller):
    made = played(60)
    members = [one for one in seller.mailbox.live.values() if one.type == "FROM_MEMBERS"]
    assert len(members) <= made.threads
    assert any(one.is_waiting() for one in members)
    assert any(not one.is_waiting() for one in members)
    assert len({len(one.messages) for one in members}) > 2


def test_some_minutes_of_the_scene_open_dossiers_of_several_kinds_and_end_some(played, seller):
    played(12)
    found = seller.desk.dossiers.values()
    assert {one.KIND for one in found} >= {"return", "inquiry", "cancellation"}
    first = min(found, key=lambda one: one.opened_at)
    assert (first.KIND, first.due_at - first.opened_at > timedelta(days=1)) == ("return", True)
    acted = {entry.actor for one in found for entry in one.history}
    assert {"BUYER", "SELLER"} <= acted
