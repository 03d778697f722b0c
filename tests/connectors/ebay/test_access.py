"""How calls leave: tokens, schemes, refusals, quotas; against the stand-in."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pydantic import BaseModel, ConfigDict

from connectors.ebay import limits
from connectors.ebay.access import Access
from core.errors import (
    BadCredentials,
    BadPayload,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unreachable,
)

LIST = "/commerce/message/v1/conversation"
SENDING = "/commerce/message/v1/send_message"
INQUIRIES = "/post-order/v2/inquiry/search"
DISPUTES = "/sell/fulfillment/v1/payment_dispute_summary"
NARROW = {
    "conversation_type": "FROM_MEMBERS",
    "limit": "1",
    "start_time": "2026-11-20T11:00:00.000Z",
}


class Anything(BaseModel):
    model_config = ConfigDict(extra="allow")


async def listed(access):
    return await access.get_json("api", LIST, Anything, operation="getConversations", params=NARROW)


async def sent(access, **said):
    return await access.send("api", SENDING, operation="sendMessage", json=said)


async def failed(doing):
    with pytest.raises(Exception) as caught:
        await doing
    return caught.value


def tokens(sandbox):
    return len(sandbox.calls("token"))


async def test_a_token_is_asked_for_once_and_kept(access, sandbox):
    for _ in range(3):
        await listed(access)

    assert tokens(sandbox) == 1
    assert len(sandbox.calls("getConversations")) == 3


async def test_the_client_names_itself_in_the_header_and_asks_for_no_scope(access, sandbox, seller):
    """A consent made before a scope existed would be refused as a whole with it (trap 32)."""
    await listed(access)

    (asked,) = [one for one in sandbox.heard if one.operation == "token"]
    assert asked.headers["Authorization"].startswith("Basic ")
    assert b"scope" not in asked.body
    assert b"client_secret" not in asked.body


async def test_a_token_that_ends_before_its_time_is_renewed_once(access, sandbox, clock):
    await listed(access)
    clock.advance(hours=3)

    await listed(access)

    assert tokens(sandbox) == 2
    statuses = [one.status for one in sandbox.calls("getConversations")]
    assert statuses == [200, 401, 200]


async def test_a_token_refused_late_costs_no_newer_one(access, sandbox, clock):
    """Two are refused at once; the second is told so only when the first has a new token."""
    await listed(access)
    clock.advance(hours=3)
    first, begun, late = [], asyncio.Event(), asyncio.Event()

    async def ask(headers):
        first.append(headers["Authorization"])
        if len(first) == 1:
            begun.set()
            await late.wait()
            raise BadCredentials("401", detail="401")
        return headers

    slow = asyncio.create_task(access._authorized("/x/v1", "bearer", ask, lambda _: True))
    await begun.wait()
    await listed(access)
    late.set()
    await slow

    assert tokens(sandbox) == 2
    assert first[0] != first[1]


async def test_what_was_sent_with_a_token_that_had_ended_is_sent_with_a_new_one(
    access, sandbox, clock, seller
):
    """eBay names the token as the reason: nothing was done."""
    made = seller.asked(sandbox.market.add_member("buyer-a"), "Hello")
    await listed(access)
    clock.advance(hours=3)

    await sent(access, conversationId=made.id, messageText="It left today.")

    assert [one.status for one in sandbox.calls("sendMessage")] == [401, 201]


async def test_what_is_refused_for_no_reason_of_the_tokens_is_sent_once(access, sandbox):
    sandbox.faults.error = lambda status: {"errors": [{"errorId": 2003, "status": status}]}
    sandbox.faults.order("status", status=401, operation="sendMessage")

    fault = await failed(sent(access, conversationId="101", messageText="It left today."))

    assert isinstance(fault, BadCredentials)
    assert len(sandbox.calls("sendMessage")) == 1


async def test_a_withdrawn_consent_takes_the_whole_account_down(access, sandbox, seller, clock):
    await listed(access)
    seller.application.revoke(seller)
    clock.advance(hours=3)

    fault = await failed(listed(access))

    assert isinstance(fault, BadCredentials)
    assert (fault.alone, fault.detail) == (False, "invalid_grant")
    assert "consent again" in str(fault)
    assert seller.refresh_token not in str(fault)


async def test_a_wrong_client_secret_says_what_to_look_at(optioned, http, seller):
    fault = await failed(listed(Access(optioned(client_secret="wr0ng"), http)))

    assert (type(fault), fault.alone) == (BadCredentials, False)
    assert "client_id and client_secret" in str(fault)
    assert "wr0ng" not in str(fault)


async def test_trap_32_a_consent_without_the_scope_of_messages_is_told_as_such(
    optioned, http, sandbox
):
    """403, error 1100: the key is good, and stops no other stream."""
    older = sandbox.market.add_seller("older", scopes=["https://api.ebay.com/oauth/api_scope"])

    fault = await failed(listed(Access(optioned(older), http)))

    assert (type(fault), fault.alone, fault.detail) == (BadCredentials, True, "403")
    assert "error 1100" in str(fault)
    assert "the scope commerce.message;" in str(fault)
    assert 'messages_by = "trading"' in str(fault)


async def test_a_scope_that_another_api_lacks_is_named_too(optioned, http, sandbox):
    older = sandbox.market.add_seller("older", scopes=["https://api.ebay.com/oauth/api_scope"])
    access = Access(optioned(older), http)

    fault = await failed(access.get("apiz", DISPUTES, operation="getPaymentDisputeSummaries"))

    assert fault.alone
    assert "sell.payment.dispute" in str(fault)
    assert "trading" not in str(fault)


async def test_trap_33_an_applications_token_is_shared_by_its_accounts(
    optioned, http, sandbox, seller
):
    """Of these it gets 1,000 a day."""
    other = sandbox.market.add_seller("shop-c", application=seller.application)

    for of in (seller, other, seller):
        access = Access(optioned(of), http)
        for _ in range(2):
            await access.get("api", limits.APPLICATION, operation="x", scheme="application")

    assert tokens(sandbox) == 1


async def test_applications_that_differ_share_nothing(optioned, http, sandbox, seller):
    other = sandbox.market.add_seller("shop-c", application=sandbox.market.add_application())

    first, second = Access(optioned(seller), http), Access(optioned(other), http)

    assert first.application is not second.application
    assert first.application is Access(optioned(seller), http).application


async def test_trap_34_each_host_gets_its_token_in_its_own_form(access, sandbox):
    """IAF at Post-Order with the site, Bearer at the disputes' own host, raw for Trading."""
    await access.get("api", INQUIRIES, operation="searchInquiries", scheme="iaf")
    await access.get("apiz", DISPUTES, operation="getPaymentDisputeSummaries")
    with pytest.raises(BadPayload):
        await access.get("auth", "/nowhere", operation="x", scheme="raw")

    heard = {one.path: one for one in sandbox.heard}
    inquiries, disputes, raw = heard[INQUIRIES], heard[DISPUTES], heard["/nowhere"]
    assert inquiries.headers["Authorization"].startswith("IAF v^1.1#")
    assert inquiries.headers["X-EBAY-C-MARKETPLACE-ID"] == "EBAY_DE"
    assert disputes.host == "apiz"
    assert disputes.headers["Authorization"].startswith("Bearer v^1.1#")
    assert raw.headers["X-EBAY-API-IAF-TOKEN"].startswith("v^1.1#")
    assert "Authorization" not in raw.headers


async def test_a_wrong_scheme_is_no_refused_key_of_the_whole_account(access, sandbox):
    fault = await failed(access.get("api", INQUIRIES, operation="searchInquiries"))

    assert (type(fault), fault.alone, fault.detail) == (BadCredentials, True, "401")


async def test_new_tokens_are_not_asked_for_again_and_again(access, sandbox):
    for _ in range(3):
        await failed(access.get("api", INQUIRIES, operation="searchInquiries"))

    assert tokens(sandbox) == 2


async def test_an_api_that_refuses_every_token_keeps_no_other_from_a_new_one(access, clock):
    await listed(access)
    await failed(access.get("api", INQUIRIES, operation="searchInquiries"))
    clock.advance(hours=3)

    await listed(access)


@pytest.mark.parametrize("shape", ["errors", "error", "errorMessage"])
async def test_trap_35_an_answer_200_with_an_error_inside_is_an_error(access, sandbox, shape):
    listed_ = [{"errorId": 355001, "message": "Ada Sample wrote"}]
    inside = {"error": listed_} if shape == "errorMessage" else listed_
    sandbox.faults.error = lambda _: {shape: inside, "members": [], "total": 0}
    sandbox.faults.order("status", status=200, operation="getConversations")

    fault = await failed(listed(access))

    assert (type(fault), fault.detail) == (BadPayload, "error")
    assert "error 355001: the conversation's status is none of eBay's" in str(fault)
    assert "Ada" not in str(fault)


async def test_a_refused_question_says_which_error_it_was(access):
    fault = await failed(
        access.get("api", LIST, operation="getConversations", params={"limit": "1"})
    )

    assert (type(fault), fault.detail) == (BadPayload, "400")
    assert "error 355017: the conversation's type is missing" in str(fault)


async def test_a_refused_message_is_told_in_our_words_never_in_ebays(access, sandbox):
    """eBay's own may quote what was written."""
    sandbox.faults.error = lambda _: {
        "errors": [{"errorId": 355013, "message": "Ada Sample, bank account 4711"}, {"errorId": 7}]
    }
    sandbox.faults.order("status", status=400, operation="sendMessage")

    fault = await failed(sent(access, conversationId="1", messageText="Ada Sample"))

    assert isinstance(fault, Refused)
    assert str(fault).endswith("error 355013: the text is longer than 2,000 characters, error 7")


@pytest.mark.parametrize(
    ("category", "error"), [("REQUEST", Refused), ("APPLICATION", OutcomeUnknown)]
)
async def test_trap_37_an_error_inside_an_answer_200_is_no_message_sent(
    access, sandbox, category, error
):
    """Nothing was done for certain only where eBay blames the request itself."""
    sandbox.faults.error = lambda _: {"errors": [{"errorId": 335000, "category": category}]}
    sandbox.faults.order("status", status=200, operation="sendMessage")

    assert type(await failed(sent(access, conversationId="1", messageText="Hi"))) is error


async def test_a_name_is_the_sellers_however_it_is_spelled(optioned, http):
    access = Access(optioned(seller="Shop-B", seller_ids=["uIdOwn"]), http)

    assert access.is_own("shop-b")
    assert access.is_own("UIDOWN")
    assert not access.is_own("shop")
    assert access.own == {"shop-b", "uidown"}


async def test_quotas_are_learned_and_counted_down_until_they_are_renewed(
    access, sandbox, seller, clock
):
    seller.application.limits["commerce", "message"] = 3
    page = await limits.read(access, clock())
    numbers = {one.name: one.value for one in page.published}

    assert numbers["calls_left.application.message.commercemessage.86400s"] == 3
    assert page.cursor
    for _ in range(3):
        await listed(access)
    fault = await failed(listed(access))
    assert isinstance(fault, RateLimited)
    assert len(sandbox.calls("getConversations")) == 3, "the fourth did not leave"
    until = sandbox.market.resets_at() - clock()
    assert fault.retry_after == pytest.approx(until.total_seconds(), abs=2)


async def test_the_sellers_own_quotas_count_beside_the_applications(access, seller, clock):
    seller.limits["commerce", "message"] = 1
    await limits.read(access, clock())

    await listed(access)

    assert isinstance(await failed(listed(access)), RateLimited)


async def test_an_api_that_is_used_up_holds_no_other_back(access, seller, clock):
    seller.application.limits["commerce", "message"] = 0
    await limits.read(access, clock())

    assert isinstance(await failed(listed(access)), RateLimited)
    await access.get("api", INQUIRIES, operation="searchInquiries", scheme="iaf")


async def test_before_anything_is_learned_nothing_is_held_back(access, seller):
    """No number is hard-coded: eBay's own 429 counts, and names no time."""
    seller.application.limits["commerce", "message"] = 1
    await listed(access)

    fault = await failed(listed(access))

    assert (type(fault), fault.retry_after) == (RateLimited, None)


async def test_a_seller_whose_own_quotas_are_not_told_has_the_applications(access, sandbox, clock):
    sandbox.faults.order("status", status=403, operation="getUserRateLimits")

    page = await limits.read(access, clock())

    assert page.published
    assert all(".application." in one.name for one in page.published)


async def test_no_quota_told_means_no_quota(access, sandbox, clock):
    sandbox.faults.error = lambda _: {}
    sandbox.faults.order("status", status=204, operation="get*RateLimits")

    assert (await limits.read(access, clock())).published == ()
    await listed(access)


async def test_quotas_that_cannot_be_read_are_said_so(access, sandbox, clock):
    sandbox.faults.order("status", status=500, operation="getRateLimits")

    assert isinstance(await failed(limits.read(access, clock())), Unreachable)


def quota(left, seconds, now, *, name="commerce.message", api="Message", window=86_400):
    return limits.RateLimits.model_validate({
        "rateLimits": [{
            "apiContext": "commerce", "apiName": api, "apiVersion": "v1",
            "resources": [{"name": name, "rates": [{
                "count": 0, "limit": 10, "remaining": left, "timeWindow": window,
                "reset": (now + timedelta(seconds=seconds)).isoformat(),
            }]}],
        }]
    })  # fmt: skip


@pytest.fixture
def watch():
    return [1000.0]


@pytest.fixture
def counted(watch):
    return limits.Limits(lambda: watch[0])


def test_a_quota_is_whole_again_when_its_window_ends(counted, watch, clock):
    counted.learn(quota(0, 60, clock()), clock())
    assert counted.wait(LIST, "getConversations") == 60

    watch[0] += 60
    assert counted.wait(LIST, "getConversations") == 0
    for _ in range(10):
        counted.count(LIST, "getConversations")
    assert counted.wait(LIST, "getConversations") == 86_400

    watch[0] += 3 * 86_400 + 5
    assert counted.wait(LIST, "getConversations") == 0


def test_a_call_with_a_quota_of_its_own_counts_against_that_alone(counted, clock):
    told = quota(5, 60, clock(), api="TradingAPI", name="AddMemberMessageRTQ")
    told.rateLimits += quota(0, 60, clock(), api="tradingapi", name="tradingapi").rateLimits
    counted.learn(told, clock())

    assert counted.wait("/ws/api.dll", "AddMemberMessageRTQ") == 0
    assert counted.wait("/ws/api.dll", "GetMyMessages") == 60


RETURN = "/post-order/v2/return/5000001"


@pytest.mark.parametrize("api", ["Post-Order", "return", ""])
def test_each_part_of_post_order_has_a_quota_of_its_own(counted, clock, api):
    """As answers of production name them; by which API is not known."""
    told = quota(0, 60, clock(), api=api, name="post-order.return")
    told.rateLimits += quota(5, 60, clock(), api=api, name="post-order.inquiry").rateLimits
    counted.learn(told, clock())

    for path in (RETURN, "/post-order/v2/return/search", f"{RETURN}/send_message"):
        assert counted.wait(path, "getReturn") == 60
    assert counted.wait(INQUIRIES, "searchInquiries") == 0
    assert counted.wait("/post-order/v2/cancellation/search", "searchCancellations") == 0


def test_the_quota_nearest_to_a_path_is_the_one_that_counts(counted, clock):
    names = {"": 0, ".payment_dispute": 3, ".payment_dispute_summary": 1, ".refund": 0}
    told = limits.RateLimits()
    for name, left in names.items():
        one = quota(left, 60, clock(), api="Fulfillment", name=f"sell.fulfillment{name}")
        told.rateLimits += one.rateLimits
    counted.learn(told, clock())

    counted.count(DISPUTES, "getPaymentDisputeSummaries")

    assert counted.wait(DISPUTES, "getPaymentDisputeSummaries") == 60
    assert counted.wait("/sell/fulfillment/v1/payment_dispute/7", "getPaymentDispute") == 0
    assert counted.wait("/sell/fulfillment/v1/order/1", "getOrder") == 60


def test_a_quota_that_ends_in_the_past_or_too_far_off_holds_nobody_for_ever(counted, clock):
    counted.learn(quota(0, -5, clock()), clock())
    assert counted.wait(LIST, "x") == 0

    counted.learn(quota(0, 10**9, clock()), clock())
    assert counted.wait(LIST, "x") == 86_400


def test_an_api_that_is_none_of_ours_is_left_out(counted, clock):
    counted.learn(quota(0, 60, clock(), api="Browse"), clock())

    assert counted.wait("/buy/browse/v1/item", "getItem") == 0
