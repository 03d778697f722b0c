"""The one class that hands each stream and each call to the part that knows it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from connectors.ebay import offer, spec
from connectors.ebay.sandbox.applications import SCOPES
from core.connector import Looks, MarksRead, Receives, Replies, Subscribes
from core.errors import BadCredentials, Unreachable
from core.model import Draft, Thread
from core.stage import walk
from sla.policy import Party, ThreadKind

PUSH = {"endpoint": "https://shop.example/push/ebay/b", "verification_token": "x" * 32}
BUYER = frozenset({Party.BUYER})


def lacking(*names):
    return [one for one in SCOPES if not one.endswith(names)]


async def failed(doing):
    with pytest.raises(Exception) as caught:
        await doing
    return caught.value


@pytest.mark.parametrize(
    ("more", "marks", "receives"),
    [
        ({}, True, False),
        ({"push": PUSH}, True, True),
        ({"messages_by": "trading"}, False, False),
        ({"messages_by": "trading", "push": PUSH}, False, True),
    ],
)
def test_a_connector_can_what_its_options_say(opened, optioned, more, marks, receives):
    connector, can = opened(**more), spec.can(optioned(**more))

    assert isinstance(connector, Looks)
    assert isinstance(connector, Replies)
    assert isinstance(connector, MarksRead) == can.marks_read == marks
    assert isinstance(connector, Receives) == can.receives == receives
    assert isinstance(connector, Subscribes) == receives


async def test_a_check_asks_each_api_for_next_to_nothing(ebay, sandbox):
    await ebay.check()

    asked = [one.operation for one in sandbox.heard if one.operation != "token"]
    assert asked == ["getUser", "getConversations", "searchInquiries", "getPaymentDisputeSummaries"]
    for one in sandbox.heard:
        assert one.operation in ("token", "getUser") or ("limit", "1") in one.query


async def test_trap_30_a_check_of_a_large_mailbox_is_narrowed_too(ebay, sandbox):
    sandbox.market.habits.large = 0

    await ebay.check()


@pytest.mark.parametrize("scope", ["commerce.message", "sell.payment.dispute"])
async def test_trap_32_a_check_names_the_scope_that_the_consent_lacks(opened, sandbox, scope):
    older = sandbox.market.add_seller("older", scopes=lacking(scope))

    fault = await failed(opened(older).check())

    assert isinstance(fault, BadCredentials)
    assert fault.alone
    assert f"the scope {scope};" in str(fault)
    assert "the rest answers: " in str(fault)
    assert "https:" not in str(fault), "what is an address is cut in logs"


async def test_a_check_finds_that_somebody_else_consented(opened, sandbox):
    fault = await failed(opened(seller="nobody", seller_ids=[]).check())

    assert isinstance(fault, BadCredentials)
    assert "options.seller: 'nobody' is not who consented" in str(fault)
    assert "'shop-b'" in str(fault), "what to write"
    assert not fault.alone


async def test_an_immutable_id_is_enough_for_a_check(opened, seller):
    assert not await opened(seller="nobody", seller_ids=[seller.member.user_id.upper()]).check()


async def test_without_the_scope_of_identity_a_check_says_that_it_could_not_compare(
    opened, sandbox
):
    older = sandbox.market.add_seller("older", scopes=lacking("commerce.identity.readonly"))

    (doubt,) = await opened(older).check()

    assert "commerce.identity.readonly" in doubt


async def test_without_disputes_their_scope_is_not_needed(opened, sandbox):
    older = sandbox.market.add_seller("older", scopes=lacking("sell.payment.dispute"))

    await opened(older, disputes=False).check()


async def test_without_the_scope_of_messages_trading_reads_them(opened, sandbox, clock):
    older = sandbox.market.add_seller("older", scopes=lacking("commerce.message"))
    older.asked(sandbox.market.add_member("buyer-a"), "Where is it?")
    connector = opened(older, messages_by="trading")

    await connector.check()
    found = await walk(connector, offer.MESSAGES, None, clock())

    assert [one.body for one in found.messages.values()] == ["Where is it?"]


async def test_trap_32_one_scope_that_is_missing_stops_its_stream_alone(opened, sandbox, clock):
    older = sandbox.market.add_seller("older", scopes=lacking("commerce.message"))
    connector = opened(older)

    fault = await failed(connector.fetch(offer.MESSAGES, None, None, clock()))

    assert fault.alone
    for stream in offer.DOSSIERS:
        await walk(connector, stream, None, clock())


async def test_trap_45_a_look_finds_conversations_and_dossiers_together(ebay, seller, clock):
    """What is written in a dossier stands in no conversation."""
    order = seller.sells(seller.market.add_member("buyer-a"))
    spoken = seller.asked(order.buyer, "Where is it?", order=order)
    returned = seller.desk.open_return("It is broken.", order=order)
    returned.buyer_writes("And now?")
    dossier = f"return:{returned.id}"

    page = await ebay.look([spoken.id, dossier, "return:0", "999"], clock())

    assert {one.id for one in page.threads} == {spoken.id, dossier}
    bodies = {one.body: one.thread for one in page.messages}
    assert bodies["Where is it?"] == spoken.id
    assert bodies["And now?"] == dossier
    assert {thread for thread, _ in page.given} == {dossier}


async def test_an_answer_goes_where_its_thread_is(ebay, sandbox, seller, clock):
    order = seller.sells(seller.market.add_member("buyer-a"))
    spoken = seller.asked(order.buyer, "Where is it?", order=order)
    returned = seller.desk.open_return("It is broken.", order=order)
    page = await ebay.look([spoken.id, f"return:{returned.id}"], clock())

    for thread in page.threads:
        draft = Draft(id=1, account="b", thread=thread.id, body="Yes.", queued_at=clock())
        await ebay.reply(thread, draft, clock())

    assert len(sandbox.calls("sendMessage")) == 1
    assert spoken.latest.body == "Yes."
    assert [one.path for one in sandbox.heard if one.path.startswith("/post-order")][-1] == (
        f"/post-order/v2/return/{returned.id}/send_message"
    )


async def test_a_dossier_has_no_mark_of_being_read(ebay, seller, clock):
    spoken = seller.asked(seller.market.add_member("buyer-a"), "Where is it?")
    dossier = Thread(id="return:5", as_of=clock(), kind=ThreadKind.RETURN)
    conversation = Thread(id=spoken.id, as_of=clock())

    assert await ebay.mark_read([dossier]) == {dossier.id: "a dossier has no mark of being read"}
    assert set(await ebay.mark_read([conversation, dossier])) == {dossier.id}
    assert not spoken.unread


@pytest.mark.parametrize(
    ("thread", "reply_to", "why"),
    [
        ("101", {"conversation_type": "FROM_EBAY"}, "notices cannot be answered"),
        ("101", {"conversation_type": "FROM_MEMBERS"}, None),
        ("return:5", {}, None),
        ("case:5", {}, "takes no message"),
        ("letter:5", {}, "answer at eBay"),
    ],
)
def test_what_cannot_be_answered_is_said_before_it_is_queued(clock, thread, reply_to, why):
    known = Thread(id=thread, as_of=clock(), reply_to=reply_to, buyer="buyer-a")

    told = spec.refuses(known, BUYER)
    assert told is None if why is None else why in told


async def test_a_stream_that_nobody_declared_is_a_mistake(ebay, clock):
    assert isinstance(await failed(ebay.fetch("orders", None, None, clock())), ValueError)


def test_pushes_wake_the_stream_of_messages_alone(optioned):
    def pushed(**more):
        return [stream.name for stream in spec.streams(optioned(**more)) if stream.pushed]

    assert pushed(push=PUSH) == ["messages"]
    assert pushed() == []
    assert pushed(push=PUSH, messages_by="trading") == []


WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Bare(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in ("cryptography", "defusedxml"):
            raise ImportError(name)

sys.meta_path.insert(0, Bare())
from connectors.ebay import spec
from core.errors import SettingsError
told = spec.options(client_id="c", client_secret="s", refresh_token="r", seller="b")
assert spec.streams(told) and spec.can(told).replies
try:
    spec.open(told, None)
except SettingsError as fault:
    print(fault)
"""


def test_without_its_extra_settings_are_read_and_an_account_says_what_to_install():
    """Whoever has no account at eBay needs neither signatures nor XML."""
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT], check=True, capture_output=True, text=True
    )  # fmt: skip

    assert run.stdout.strip() == "an eBay account needs an extra: install replyby[ebay]"


async def test_an_api_that_refuses_keeps_no_other_from_being_looked_at(
    opened, desk, sandbox, clock
):
    ebay = opened(disputes=True)
    dispute, returned = f"dispute:{desk.open_dispute().id}", f"return:{desk.open_return().id}"
    sandbox.faults.order("status", status=403, operation="getPaymentDispute")

    page = await ebay.look([dispute, returned], clock())

    assert [thread.id for thread in page.threads] == [returned]
    with pytest.raises(BadCredentials):
        await ebay.look([dispute], clock())


async def test_a_dossier_that_fails_by_itself_is_asked_for_alone(opened, desk, sandbox, clock):
    ebay = opened()
    returned = f"return:{desk.open_return().id}"
    inquiry = f"inquiry:{desk.open_inquiry().id}"
    sandbox.faults.order("status", status=500, operation="getReturn")

    assert isinstance(await failed(ebay.look([returned, inquiry], clock())), Unreachable)
    assert [one.id for one in (await ebay.look([inquiry], clock())).threads] == [inquiry]
