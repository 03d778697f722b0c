"""Whose account it is, learned from eBay itself: immutable ids in place of names (trap 29)."""

from __future__ import annotations

import asyncio

import pytest

from connectors.ebay import identity, offer
from connectors.ebay.access import Access
from connectors.ebay.push import topics
from connectors.ebay.push.pushes import Pushes
from connectors.ebay.sandbox.applications import SCOPES
from core.pushes import PushRequest
from core.stage import walk
from sla.policy import Party
from tests.connectors.ebay.conftest import NOON
from tests.connectors.ebay.push.conftest import TOKEN, envelope, message, written

SCOPE = "commerce.identity.readonly"
URL = "https://shop.example/push/ebay/shop"


@pytest.fixture
def shop(market):
    """A seller whose name eBay tells nobody; the settings have the name alone."""
    seller = market.add_seller("shop-us")
    seller.member.is_opaque = True
    return seller


@pytest.fixture
def answered(shop, market):
    """A conversation of two whom eBay calls by their ids alone."""
    made = shop.asked(market.add_member("buyer-us", is_opaque=True), "Where is it?")
    shop.answers(made, "It is on its way.")
    return made


@pytest.fixture
def scopeless(market):
    """As `shop`, by an older consent."""
    seller = market.add_seller(
        "shop-old", scopes=[one for one in SCOPES if not one.endswith(SCOPE)]
    )
    seller.member.is_opaque = True
    return seller


def parties(found):
    return [one.party for one in sorted(found.messages.values(), key=lambda one: one.id)]


async def test_trap_29_what_the_seller_wrote_is_known_by_an_id_that_ebay_tells(
    opened, shop, answered, sandbox, clock
):
    connector = opened(shop, seller_ids=[])

    for _ in range(2):
        found = await walk(connector, offer.MESSAGES, None, clock())
        page = await connector.look([answered.id], clock())

    assert parties(found) == [Party.BUYER, Party.SELLER]
    assert [one.party for one in page.messages] == parties(found)[::-1]
    assert not any(page.set_aside for page in found.pages)
    assert len(sandbox.calls("getUser")) == 1, "once for a process"


async def test_names_that_tell_who_wrote_cost_no_call(opened, seller, buyer, sandbox, clock):
    made = seller.asked(buyer, "Where is it?")
    seller.answers(made, "Here.")

    found = await walk(opened(seller_ids=[]), offer.MESSAGES, None, clock())

    assert parties(found) == [Party.BUYER, Party.SELLER]
    assert not sandbox.calls("getUser")


async def test_several_who_need_the_name_ask_once(opened, shop, answered, sandbox, clock):
    connector = opened(shop, seller_ids=[])

    pages = await asyncio.gather(*(connector.look([answered.id], clock()) for _ in range(5)))

    told = {message.party for page in pages for message in page.messages}
    assert told == {Party.BUYER, Party.SELLER}
    assert len(sandbox.calls("getUser")) == 1


async def test_a_scope_that_is_missing_stops_no_reading(opened, scopeless, market, sandbox, clock):
    made = scopeless.asked(market.add_member("buyer-us", is_opaque=True), "Where is it?")
    scopeless.answers(made, "Here.")
    connector = opened(scopeless, seller_ids=[])

    for _ in range(3):
        found = await walk(connector, offer.MESSAGES, None, clock())

    assert parties(found) == [Party.BUYER, Party.BUYER], "whoever is not known waits"
    assert {one.reason for page in found.pages for one in page.set_aside} == {
        "sender and recipient: neither is the seller (is its immutable id among seller_ids?)"
    }
    assert not found.threads[made.id].incomplete, "to look again would help nobody"
    assert len(sandbox.calls("getUser")) == 1, "asked for again in an hour"
    (doubt,) = await connector.check()
    assert SCOPE in doubt
    assert "write seller_ids till then" in doubt


async def test_while_ebay_cannot_be_asked_conversations_are_flagged_to_be_looked_at(
    opened, shop, answered, sandbox, clock
):
    connector = opened(shop, seller_ids=[])
    sandbox.faults.order("status", status=503, operation="getUser")
    found = await walk(connector, offer.MESSAGES, None, clock())

    assert parties(found) == [Party.BUYER, Party.BUYER]
    assert found.threads[answered.id].incomplete

    before = len(sandbox.calls("getUser"))
    await connector.look([answered.id], clock())
    assert len(sandbox.calls("getUser")) == before, "not asked for again at once"


async def test_once_ebay_can_be_asked_again_a_look_mends_who_wrote(
    opened, shop, answered, sandbox, clock, monkeypatch
):
    monkeypatch.setattr(identity, "SOON", 0.0)
    connector = opened(shop, seller_ids=[])
    sandbox.faults.order("status", status=503, operation="getUser")
    await walk(connector, offer.MESSAGES, None, clock())
    sandbox.faults.lift()

    page = await connector.look([answered.id], clock())

    assert {one.party for one in page.messages} == {Party.BUYER, Party.SELLER}
    assert not page.threads[0].incomplete


async def test_a_name_that_is_long_in_coming_holds_nothing_up(
    opened, shop, answered, sandbox, clock, monkeypatch
):
    monkeypatch.setattr(identity, "PATIENCE", 0.1)
    sandbox.faults.order("slow", operation="getUser", delay=1.0)

    found = await walk(opened(shop, seller_ids=[]), offer.MESSAGES, None, clock())

    assert found.threads[answered.id].incomplete


async def test_a_seller_who_is_called_anew_is_asked_for_again(
    opened, market, sandbox, clock, monkeypatch
):
    """Members may change their name while we run."""
    monkeypatch.setattr(identity, "AGAIN", 0.0)
    seller = market.add_seller("shop-new")
    made = seller.asked(market.add_member("buyer-x"), "Where is it?")
    seller.answers(made, "Here.")
    connector = opened(seller, seller="shop-before", seller_ids=[])

    found = await walk(connector, offer.MESSAGES, None, clock())

    assert parties(found) == [Party.BUYER, Party.SELLER]


async def test_by_trading_the_seller_is_known_by_id_too(opened, shop, market, clock):
    other = market.add_member("buyer-us", is_opaque=True)
    made = shop.mailbox.open(other, "Hi", clock(), item=shop.sells(other).item)
    shop.mailbox.write(made, other, "Where is it?", clock())
    shop.mailbox.write(made, shop.member, "Here.", clock())
    connector = opened(shop, seller_ids=[], messages_by="trading")

    found = await walk(connector, offer.MESSAGES, None, clock())
    page = await connector.look(list(found.threads), clock())

    assert sorted(one.party for one in found.messages.values()) == [Party.BUYER, Party.SELLER]
    assert sorted(one.party for one in page.messages) == [Party.BUYER, Party.SELLER]
    assert {one.buyer for one in found.threads.values()} == {other.user_id}


async def test_what_the_seller_bought_is_no_dossier_of_ours_by_id_either(opened, shop, clock):
    shop.desk.open_return("It is broken.", buyer=shop.member)
    ours = shop.desk.open_return("So is this.")

    found = await walk(opened(shop, seller_ids=[]), "returns", None, clock())

    assert set(found.threads) == {f"return:{ours.id}"}


class Door:
    """Takes pushes for sellers of one application."""

    def __init__(self, sandbox, http, optioned):
        self.market, self.http, self.optioned = sandbox.market, http, optioned
        self.accounts = {}

    def add(self, seller, **more):
        told = self.optioned(
            seller, push={"endpoint": URL, "verification_token": TOKEN}, seller_ids=[], **more
        )
        self.accounts = {**self.accounts, seller.member.name: told}
        self.pushes = Pushes(Access(told, self.http), told)

    async def take(self, topic, data, id_="N1"):
        body = written(envelope(topic, data, id_=id_))
        header = self.market.keys.current.header(body)
        request = PushRequest(
            "POST", "/push/ebay/shop", {}, {"x-ebay-signature": header}, body, self.accounts
        )
        return await self.pushes.receive(request, NOON)


@pytest.fixture
def door(sandbox, http, optioned):
    return Door(sandbox, http, optioned)


async def test_a_push_that_names_the_seller_by_id_is_the_sellers(door, shop, market, sandbox):
    """Whichever account's door it came through."""
    door.add(shop)
    door.add(market.add_seller("shop-c"))
    id_ = shop.member.user_id

    asked = await door.take(topics.MESSAGE, message("u1BUYER", id_))
    said = await door.take(topics.MESSAGE, message(id_.upper(), "u1BUYER"), "N2")

    assert (asked.outcome, asked.wake) == ("stored", {"shop-us"})
    assert [one.party for one in asked.pages["shop-us"].messages] == [Party.BUYER]
    assert [one.party for one in said.pages["shop-us"].messages] == [Party.SELLER]
    assert asked.pages["shop-us"].threads[0].buyer == "u1BUYER"


async def test_a_consent_that_was_taken_back_names_the_seller_by_id(door, shop):
    door.add(shop)

    receipt = await door.take(topics.REVOCATION, {"userId": shop.member.user_id})

    assert receipt.wake == {"shop-us"}


async def test_pushes_about_nobody_do_not_ask_ebay_each_time(door, shop, scopeless, sandbox):
    door.add(shop)
    door.add(scopeless)

    for number in range(5):
        receipt = await door.take(topics.MESSAGE, message("a", "b"), f"N{number}")
        assert (receipt.status, receipt.outcome) == (204, "unknown_account")

    assert len(sandbox.calls("getUser")) == 2


async def test_a_check_cannot_compare_a_name_that_ebay_hides(opened, shop):
    (doubt,) = await opened(shop, seller_ids=[]).check()

    assert doubt.startswith("options.seller: ")
    assert repr(shop.member.user_id) in doubt
    assert "seller_ids" in doubt
    assert not await opened(shop, seller_ids=[shop.member.user_id]).check()


async def test_what_a_check_was_told_is_not_asked_for_again(opened, shop, answered, sandbox, clock):
    connector = opened(shop, seller_ids=[])
    await connector.check()

    found = await walk(connector, offer.MESSAGES, None, clock())

    assert parties(found) == [Party.BUYER, Party.SELLER]
    assert len(sandbox.calls("getUser")) == 1
