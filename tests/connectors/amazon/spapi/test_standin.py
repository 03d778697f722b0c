"""The stand-in is as strict as Amazon is known to be, whoever asks."""

from __future__ import annotations

import base64
import hashlib

import pytest

from connectors.amazon.sandbox.spapi_market import Report
from tests.connectors.amazon.spapi.conftest import DE, FR, ORDER

AGENT = "test/1.0 (Language=Python\\/3.11; Platform=Linux)"
MESSAGES = f"/eu/messaging/v1/orders/{ORDER}"


@pytest.fixture
def ask(api, selling, session, clock):
    """Asks with a good token and name; the status, and the answer where it is JSON."""

    async def ask(method, path, *, token=None, agent=AGENT, headers=None, **more):
        if token is None:
            token = "Atza|test"
            selling.tokens[token] = clock().replace(year=2027)
        told = {"x-amz-access-token": token, "User-Agent": agent, **(headers or {})}
        url = path if path.startswith("http") else f"{api.url}{path}"
        async with session.request(method, url, headers=told, **more) as answer:
            is_json = "json" in answer.content_type
            return answer.status, await answer.json(content_type=None) if is_json else None

    return ask


@pytest.mark.parametrize(
    "agent",
    ["replyby/1.0", "replyby", "replyby/1.0 (Platform=Linux)", "a/b/c (Language=x)",
     "x/1 (Language=Python/3.11; Platform=Linux)", f"x/1 (Language={'x' * 500})"],
)  # fmt: skip
async def test_another_name_than_amazon_wants_is_refused(ask, agent):
    assert (await ask("GET", f"/eu/orders/2026-01-01/orders/{ORDER}", agent=agent))[0] == 400


async def test_a_token_is_good_for_an_hour(ask, api, selling, session, clock):
    told = selling.options()
    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"],
            "client_id": told["client_id"], "client_secret": told["client_secret"]}  # fmt: skip
    async with session.post(told["token_url"], data=form) as answer:
        token = (await answer.json())["access_token"]
    path = f"/eu/orders/2026-01-01/orders/{ORDER}"

    assert (await ask("GET", path, token=token))[0] == 200
    clock.advance(minutes=60)
    status, told = await ask("GET", path, token=token)
    assert status == 403
    assert "expired" in told["errors"][0]["details"]
    assert (await ask("GET", path, token="Atza|nobody"))[0] == 403


@pytest.mark.parametrize("places", ["", f"?marketplaceIds={DE},{FR}", f"?marketplaceIds={FR}",
                                    f"?marketplaceIds={DE}&marketplaceIds={FR}"])  # fmt: skip
async def test_a_message_names_the_one_marketplace_of_its_order(ask, places):
    assert (await ask("GET", f"{MESSAGES}{places}"))[0] == 400
    assert (await ask("GET", f"{MESSAGES}?marketplaceIds={DE}"))[0] == 200


async def test_a_bucket_fills_at_its_rate(ask, clock):
    path = f"{MESSAGES}?marketplaceIds={DE}"
    asked = [(await ask("GET", path))[0] for _ in range(7)]
    clock.advance(seconds=1)
    later = [(await ask("GET", path))[0] for _ in range(2)]

    assert asked == [200] * 5 + [429] * 2
    assert later == [200, 429]


@pytest.mark.parametrize("spoil", ["headers", "content"])
async def test_a_file_is_taken_only_as_it_was_announced(ask, spoil):
    content = b"%PDF"
    digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    where = (
        f"/eu/uploads/2020-11-01/uploadDestinations{MESSAGES.removeprefix('/eu')}/messages/invoice"
    )
    query = {"marketplaceIds": DE, "contentMD5": digest}
    status, told = await ask("POST", where, params=query)
    place = told["payload"]
    body = {"attachments": [{"uploadDestinationId": place["uploadDestinationId"],
                             "fileName": "a.pdf"}]}  # fmt: skip
    send = f"{MESSAGES}/messages/invoice?marketplaceIds={DE}"
    assert (status, (await ask("POST", send, json=body))[0]) == (201, 400)

    headers = {} if spoil == "headers" else place["headers"]
    wrong = content if spoil == "headers" else b"other"
    assert (await ask("PUT", place["url"], headers=headers, data=wrong))[0] == 403
    assert (await ask("PUT", place["url"], headers=place["headers"], data=content))[0] == 200
    assert (await ask("POST", send, json=body))[0] == 201


async def test_a_reports_address_is_good_for_five_minutes_and_without_a_token(
    ask, selling, session, clock
):
    selling.reports.append(Report("7", clock(), clock()))
    _, told = await ask("GET", "/eu/reports/2021-06-30/documents/amzn1.spdoc.7")

    assert told["compressionAlgorithm"] == "GZIP"
    assert (await ask("GET", told["url"]))[0] == 403
    async with session.get(told["url"]) as answer:
        assert answer.status == 200
    clock.advance(minutes=5)
    async with session.get(told["url"]) as answer:
        assert answer.status == 403


async def test_only_who_asks_for_a_buyer_gets_one(ask, selling):
    path = f"/eu/orders/2026-01-01/orders/{ORDER}"
    _, without = await ask("GET", path, params={"includedData": "PROCEEDS"})
    _, with_one = await ask("GET", path, params={"includedData": "BUYER"})

    assert selling.orders[ORDER].buyer not in repr(without)
    assert with_one["order"]["buyer"]["buyerName"] == selling.orders[ORDER].buyer
    assert (await ask("GET", path, params={"includedData": "EVERYTHING"}))[0] == 400
