"""The stand-in does what Shopify does: a 200 for errors, points, cursors, signed pushes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import date, timedelta

import pytest

from connectors.webstore.shopify.sandbox.deliveries import AGAIN

ORDERS = (
    "query($first: Int!, $after: String, $query: String!) { orders(first: $first, after: $after,"
    " query: $query, sortKey: UPDATED_AT)"
    " { nodes { id note } pageInfo { hasNextPage endCursor } } }"
)


@pytest.fixture
def ask(sandbox, shop, session):
    """`await ask("{ shop { myshopifyDomain } }")`: status, headers, JSON."""
    full = shop.add_token()

    async def ask(text, *, token=full, version="2026-10", **variables):
        url = f"{sandbox.url}/{shop.name}/admin/api/{version}/graphql.json"
        headers = {"X-Shopify-Access-Token": token}
        told = {"query": text, "variables": variables}
        async with session.post(url, headers=headers, json=told) as answer:
            return answer.status, answer.headers, await answer.json()

    return ask


async def test_a_token_that_nobody_has_is_401(ask):
    assert (await ask("{ shop { myshopifyDomain } }", token="x"))[0] == 401


async def test_a_field_that_does_not_exist_is_an_error_with_200(ask):
    status, _, told = await ask("{ shop { nothing } }")

    assert (status, told["errors"][0]["extensions"]["code"]) == (200, "undefinedField")


async def test_only_what_is_asked_for_is_told(shop, ask):
    shop.buys("Ring twice")
    _, _, told = await ask(ORDERS, first=1, query="updated_at:>='2026-01-01T00:00:00+00:00'")

    assert set(told["data"]["orders"]["nodes"][0]) == {"id", "note"}
    assert told["extensions"]["cost"]["requestedQueryCost"] == 5.0
    assert told["extensions"]["cost"]["actualQueryCost"] == 5.0
    _, _, told = await ask(ORDERS, first=9, query="updated_at:>='2026-11-21T00:00:00+00:00'")
    cost = told["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (29.0, 2.0)


async def test_a_variable_that_must_be_told_is_missed(ask):
    _, _, told = await ask(ORDERS, first=1)

    assert told["errors"][0]["extensions"]["code"] == "badRequest"


async def test_a_cursor_is_a_place_in_the_order(shop, clock, ask):
    orders = [shop.buys("x", at=clock.now - timedelta(seconds=9 - n)) for n in range(3)]
    since = "updated_at:>='2026-01-01T00:00:00+00:00'"
    first = (await ask(ORDERS, first=2, query=since))[2]["data"]["orders"]
    shop.changes(orders[0].id, at=clock.now)
    after = first["pageInfo"]["endCursor"]
    second = (await ask(ORDERS, first=2, query=since, after=after))[2]["data"]["orders"]

    assert [one["id"] for one in second["nodes"]] == [orders[2].gid, orders[0].gid]
    assert not second["pageInfo"]["hasNextPage"]


async def test_points_come_back_with_time(shop, clock, ask):
    shop.habits.points = 6.0
    shop.buys("Ring twice")
    since = "updated_at:>='2026-01-01T00:00:00+00:00'"
    codes = []
    for wait in (0, 0, 1):
        clock.advance(seconds=wait)
        status, _, told = await ask(ORDERS, first=1, query=since)
        codes.append((status, (told.get("errors") or [{}])[0].get("message")))

    assert codes == [(200, None), (200, "Throttled"), (200, None)]


async def test_a_version_is_answered_by_another_where_it_is_not_served(shop, ask):
    query = "{ shop { myshopifyDomain } }"
    assert (await ask(query))[1]["X-Shopify-API-Version"] == "2026-10"
    shop.habits.answered_by = "2027-01"
    assert (await ask(query))[1]["X-Shopify-API-Version"] == "2027-01"


async def test_a_day_token_ends_the_one_before(sandbox, shop, session, ask):
    async def granted(secret):
        form = {"grant_type": "client_credentials", "client_id": shop.client_id,
                "client_secret": secret}  # fmt: skip
        url = f"{sandbox.url}/{shop.name}/admin/oauth/access_token"
        async with session.post(url, data=form) as answer:
            return answer.status, await answer.json()

    assert await granted("wrong") == (400, {"error": "invalid_client"})
    first, second = [(await granted(shop.client_secret))[1] for _ in range(2)]
    query = "{ shop { myshopifyDomain } }"
    assert (await ask(query, token=first["access_token"]))[0] == 401
    assert (await ask(query, token=second["access_token"]))[0] == 200


def test_a_push_is_signed_over_its_body_alone(sandbox, shop):
    shop.subscribe("orders/create", "http://127.0.0.1:1/")
    shop.buys("Ring twice")
    (push,) = sandbox.deliveries.made
    digest = hmac.new(shop.client_secret.encode(), push.body, hashlib.sha256).digest()

    assert push.headers["X-Shopify-Hmac-Sha256"] == base64.b64encode(digest).decode()
    assert push.headers["X-Shopify-Shop-Domain"] == "store.myshopify.com"
    assert json.loads(push.body)["note"] == "Ring twice"


def test_two_topics_of_one_deed_have_ids_of_their_own(sandbox, shop):
    for topic in ("orders/create", "orders/updated"):
        shop.subscribe(topic, "http://127.0.0.1:1/")
    shop.buys("Ring twice")

    assert len({push.id for push in sandbox.deliveries.made}) == 2


async def test_who_does_not_answer_eight_times_is_no_longer_subscribed(sandbox, shop, clock):
    sandbox.deliveries.is_held = False
    shop.subscribe("disputes/create", "http://127.0.0.1:1/")
    order = shop.buys(None)
    shop.disputed(order.id, due_by=date(2026, 11, 28))
    begun = clock.now
    for _ in range(len(AGAIN) + 5):
        await sandbox.deliveries.deliver()
        clock.advance(hours=1)

    assert shop.hooks == {}
    assert sum(AGAIN) == 4 * 3600
    assert len(sandbox.deliveries.tried) == 1 + len(AGAIN)
    assert {one.status for one in sandbox.deliveries.tried} == {None}
    assert begun < clock.now


async def test_what_happens_is_ordered_by_http(sandbox, shop, session):
    async def act(name, **how):
        url = f"{sandbox.url}/_sandbox/acts/{name}"
        async with session.post(url, json={"store": shop.domain, **how}) as answer:
            return answer.status, await answer.json()

    status, told = await act("buys", note="Ring twice", at="2026-11-20T11:00:00+00:00")
    assert (status, told["name"]) == (201, "#1001")
    _, told = await act("disputed", order=told["order"], due_by="2026-11-28")
    await act("becomes", dispute=told["dispute"], status="UNDER_REVIEW", sent_on="2026-11-21")
    await act("habits", hides_customers=True)
    assert (await act("habits", nonsense=1))[0] == 400
    assert (await act("nonsense"))[0] == 400
    async with session.get(f"{sandbox.url}/_sandbox/") as answer:
        (summary,) = await answer.json()
    assert summary["remarks"] == 1
    assert list(summary["disputes"].values()) == ["UNDER_REVIEW"]
    assert summary["habits"]["hides_customers"]
