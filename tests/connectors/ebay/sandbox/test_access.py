"""Tokens, schemes, hosts, scopes and calls a day."""

from __future__ import annotations

import pytest
from yarl import URL

from connectors.ebay.sandbox.applications import SCOPE, SCOPES

MESSAGES = "/commerce/message/v1/conversation"
TYPE = {"conversation_type": "FROM_MEMBERS"}


async def test_a_refresh_token_is_worth_a_token_for_two_hours(call, seller, clock):
    answer = await call.granted(grant_type="refresh_token", refresh_token=seller.refresh_token)
    assert answer.body["expires_in"] == 7200
    assert answer.body["token_type"] == "User Access Token"
    assert "refresh_token" not in answer.body

    token = answer.body["access_token"]
    clock.advance(seconds=7199)
    assert (await call("GET", MESSAGES, params=TYPE, token=token)).status == 200
    clock.advance(seconds=1)
    refused = await call("GET", MESSAGES, params=TYPE, token=token)
    assert (refused.status, refused.number) == (401, 1001)


async def test_an_application_gets_a_token_of_its_own_for_the_one_scope_alone(call):
    fine = await call.granted(grant_type="client_credentials", scope=SCOPE)
    assert fine.body["token_type"] == "Application Access Token"
    beyond = await call.granted(grant_type="client_credentials", scope=SCOPES[1])
    assert (beyond.status, beyond.body["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "refresh_token", "refresh_token": "v^1.1#other"}, 400, "invalid_grant"),
        ({"grant_type": "refresh_token"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "secret": "wrong"}, 401, "invalid_client"),
    ],
)
async def test_the_token_endpoint_says_no_in_the_words_of_oauth(call, form, status, error):
    answer = await call.granted(**form)
    assert (answer.status, answer.body["error"]) == (status, error)


async def test_a_scope_must_be_among_those_that_were_consented_to(call, market, seller):
    old = seller.application.consent(seller, (SCOPE, f"{SCOPE}/sell.fulfillment"))
    beyond = await call.granted(
        grant_type="refresh_token", refresh_token=old, scope=f"{SCOPE}/commerce.message"
    )
    assert beyond.body["error"] == "invalid_scope"


async def test_trap_32_a_token_without_the_scope_of_messages_gets_403_and_1100(call, seller):
    old = seller.application.consent(seller, (SCOPE, f"{SCOPE}/sell.fulfillment"))
    token = (await call.granted(grant_type="refresh_token", refresh_token=old)).body["access_token"]
    refused = await call("GET", MESSAGES, params=TYPE, token=token)
    assert (refused.status, refused.number) == (403, 1100)


async def test_trap_33_a_thousand_application_tokens_a_day_are_all(call, seller, clock):
    seller.application.grants["client_credentials"] = 2
    asked = {"grant_type": "client_credentials", "scope": SCOPE}
    seen = [(await call.granted(**asked)).status for _ in range(3)]
    assert seen == [200, 200, 429]
    clock.advance(days=1)
    assert (await call.granted(**asked)).status == 200


async def test_a_revoked_consent_ends_refresh_tokens_and_access_tokens(call, seller):
    token = call.token()
    seller.application.revoke(seller)
    answer = await call.granted(grant_type="refresh_token", refresh_token=seller.refresh_token)
    assert answer.body["error"] == "invalid_grant"
    assert (await call("GET", MESSAGES, params=TYPE, token=token)).status == 401


async def test_a_refresh_token_ends_after_eighteen_months(call, seller, clock):
    clock.advance(seconds=47_304_000)
    answer = await call.granted(grant_type="refresh_token", refresh_token=seller.refresh_token)
    assert answer.body["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("host", "path", "right", "wrong"),
    [
        ("api", "/post-order/v2/return/search", "IAF", "Bearer"),
        ("api", MESSAGES, "Bearer", "IAF"),
        ("apiz", "/sell/fulfillment/v1/payment_dispute_summary", "Bearer", "IAF"),
    ],
)
async def test_trap_34_each_path_wants_its_own_scheme(call, host, path, right, wrong):
    how = {"host": host, "params": TYPE, "headers": {"X-EBAY-C-MARKETPLACE-ID": "EBAY_DE"}}
    refused = await call("GET", path, scheme=wrong, **how)
    assert (refused.status, refused.body["errors"][0]["message"]) == (401, f"Bad scheme: {wrong}")
    assert (await call("GET", path, scheme=right, **how)).status == 200


async def test_trap_34_disputes_are_unknown_on_the_host_of_everything_else(call):
    answer = await call("GET", "/sell/fulfillment/v1/payment_dispute_summary", host="api")
    assert answer.status == 404


async def test_without_a_token_there_is_401(call):
    refused = await call("GET", MESSAGES, scheme="", params=TYPE)
    assert (refused.status, refused.number) == (401, 1002)


async def test_the_sellers_token_does_not_open_what_is_the_applications(call):
    path = "/commerce/notification/v1/public_key/any"
    assert (await call("GET", path)).number == 1100
    assert (await call("GET", path, by="application")).number == 195001


async def test_the_applications_token_does_not_open_the_sellers_mailbox(call):
    assert (await call("GET", MESSAGES, params=TYPE, by="application")).number == 1100


async def test_calls_over_the_days_quota_get_429_and_no_word_about_when(call, seller, clock):
    seller.application.limits["commerce", "message"] = 1
    assert (await call("GET", MESSAGES, params=TYPE)).status == 200
    refused = await call("GET", MESSAGES, params=TYPE)
    assert (refused.status, refused.number) == (429, 2001)
    assert "Retry-After" not in refused.headers

    clock.advance(days=1)
    token = seller.application.mint(seller, SCOPES)
    assert (await call("GET", MESSAGES, params=TYPE, token=token)).status == 200


async def test_a_sellers_own_quota_counts_beside_the_applications(call, seller):
    seller.limits["commerce", "message"] = 1
    seen = [(await call("GET", MESSAGES, params=TYPE)).status for _ in range(2)]
    assert seen == [200, 429]


async def test_a_code_of_the_page_of_consent_is_worth_a_new_refresh_token(call, seller):
    application = seller.application
    asked = {
        "client_id": application.client_id,
        "redirect_uri": f"{application.client_id}-runame",
        "response_type": "code",
        "scope": " ".join(SCOPES),
        "state": "s",
    }
    url = call.sandbox.hosts["auth"] + "/oauth2/authorize"
    async with call.session.get(url, params=asked, allow_redirects=False) as answer:
        assert answer.status == 302
        query = URL(answer.headers["Location"]).query
    assert query["state"] == "s"
    made = await call.granted(
        grant_type="authorization_code", code=query["code"], redirect_uri=asked["redirect_uri"]
    )
    assert made.body["refresh_token_expires_in"] == 47_304_000
    again = await call.granted(
        grant_type="authorization_code", code=query["code"], redirect_uri=asked["redirect_uri"]
    )
    assert again.body["error"] == "invalid_grant"


async def test_what_was_asked_is_heard_whole_and_shown_without_headers(call, sandbox):
    await call("GET", MESSAGES, params=TYPE)
    heard = sandbox.heard[-1]
    assert (heard.host, heard.operation, heard.status) == ("api", "getConversations", 200)
    assert heard.headers["Authorization"].startswith("Bearer v^1.1#")
    shown = await call("GET", "/_sandbox/requests", host="apiz")
    assert "v^1.1#" not in str(shown.body)
    assert shown.body[-1]["operation"] == "getConversations"
