"""Who may see what: keys, default shop, wrong shops, several operators; V01, RE01, A01, A21."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

import pytest

EVERY_GET = ["/version", "/reasons", "/account", "/inbox/threads", "/orders", "/account/statistics"]


@pytest.mark.parametrize("path", [*EVERY_GET, "/inbox/threads/x", "/inbox/threads/x/download"])
@pytest.mark.parametrize("prefix", [None, "Bearer ", "x"])
async def test_only_the_bare_key_opens(call, shop, path, prefix):
    headers = {} if prefix is None else {"Authorization": prefix + shop.key}

    status, body = await call(path, headers=headers)

    assert (status, body["code"]) == (401, 401)
    assert shop.key not in body["message"]


@pytest.mark.parametrize("with_header", [True, False])
async def test_a_key_in_the_query_is_refused(call, shop, with_header):
    headers = None if with_header else {}

    assert (await call("/version", headers=headers, params={"api_key": shop.key}))[0] == 401


async def test_a_living_key_reads_the_version(call):
    status, body = await call("/version")

    assert status == 200
    assert body["version"]


async def test_a_revoked_key_is_dead_at_once(call, operator, shop):
    operator.revoke(shop.key)

    assert (await call("/version"))[0] == 401


async def test_without_shop_id_the_default_shop_is_meant(call, operator, shop):
    other = operator.add_shop(3000)
    key = operator.add_key((2000, 3000))
    mine, theirs = shop.open_thread("a"), other.open_thread("b")
    headers = {"Authorization": key}

    _, default = await call("/inbox/threads", headers=headers)
    _, named = await call("/inbox/threads", headers=headers, params={"shop_id": 3000})

    assert [one["id"] for one in default["data"]] == [mine.id]
    assert [one["id"] for one in named["data"]] == [theirs.id]


@pytest.mark.parametrize("path", EVERY_GET)
async def test_a_shop_that_the_key_does_not_open_is_not_found(call, operator, path):
    operator.add_shop(3000)

    assert (await call(path, params={"shop_id": 3000}))[0] == 404
    assert (await call(path, params={"shop_id": "x"}))[0] == 400


async def test_the_wrong_shop_sees_neither_thread_nor_attachment(call, operator, shop):
    other = operator.add_shop(3000)
    headers = {"Authorization": operator.add_key((2000, 3000))}
    thread = other.open_thread("b")
    message = thread.buyer_writes("photo", attachments=[("p.jpg", b"\xff\xd8")])
    paths = [f"/inbox/threads/{thread.id}", f"/inbox/threads/{message.attachments[0].id}/download"]

    default = [(await call(path, headers=headers, raw=True))[0] for path in paths]
    named = [
        (await call(path, headers=headers, params={"shop_id": 3000}, raw=True))[0] for path in paths
    ]

    assert (default, named) == ([404, 404], [200, 200])


async def test_operators_share_nothing(call, sandbox, shop):
    other = sandbox.add_operator("other").add_shop(2000)
    thread = other.open_thread("b")

    assert (await call("/version", operator="other"))[0] == 401
    assert (await call(f"/inbox/threads/{thread.id}"))[0] == 404
    assert (await call("/version", operator="nobody"))[0] == 404


async def test_an_unknown_path_is_not_found_in_the_marketplaces_form(call):
    assert await call("/unknown") == (404, {"status": 404, "message": "Not Found"})


async def test_reasons_are_labelled_in_the_locale_asked_for(call):
    _, french = await call("/reasons", params={"locale": "fr_FR"})
    _, other = await call("/reasons", params={"locale": "pl_PL"})
    reasons = {one["code"]: one for one in french["reasons"]}

    assert reasons["26"]["label"] == "Où est ma commande ?"
    assert {one["code"]: one["label"] for one in other["reasons"]}["26"] == "Where is my order?"
    assert {one["type"] for one in french["reasons"]} >= {
        "ORDER_MESSAGING",
        "OFFER_MESSAGING",
        "MMP_SELLER_MESSAGING",
        "INCIDENT_CLOSE",
    }
    assert {one["is_shop_right"] for one in french["reasons"]} == {True, False}


async def test_the_account_publishes_its_own_mean_once_a_day(call, clock, shop):
    thread = shop.open_thread("asked")
    clock.advance(hours=1)
    thread.buyer_writes("asked again")
    clock.advance(hours=1)
    thread.shop_answers("only to the operator", to=("OPERATOR",))
    clock.advance(hours=1)
    thread.shop_answers("answered")
    _, first = await call("/account")
    shop.open_thread("new", at=clock.now - timedelta(hours=1)).shop_answers("quick")
    _, same_day = await call("/account")
    clock.advance(days=1)
    _, next_day = await call("/account")

    assert first["order_messages_response_delay"] == 3 * 3600
    assert same_day["order_messages_response_delay"] == 3 * 3600
    assert next_day["order_messages_response_delay"] == 2 * 3600
    assert (first["shop_id"], first["shop_name"]) == (2000, "My shop")


async def test_without_a_reply_the_account_has_no_mean(call, shop):
    shop.open_thread("asked")

    assert "order_messages_response_delay" not in (await call("/account"))[1]


async def test_the_mean_leaves_out_threads_that_are_not_about_an_order(call, clock, shop):
    thread = shop.open_thread("offer?", entity=("MMP_OFFER", "77"))
    clock.advance(hours=1)
    thread.shop_answers("yes")

    assert "order_messages_response_delay" not in (await call("/account"))[1]


async def test_statistics_are_means_by_period(call, clock, shop):
    thread = shop.open_thread("long ago", at=clock.now - timedelta(days=40))
    thread.shop_answers("late", at=clock.now - timedelta(days=38))
    thread = shop.open_thread("yesterday", at=clock.now - timedelta(days=1))
    thread.shop_answers("quick", at=clock.now - timedelta(hours=23))

    _, body = await call("/account/statistics", params={"periods": "LAST_MONTH,LAST_YEAR"})
    status, _ = await call("/account/statistics", params={"periods": "LAST_WEEK"})

    assert body["order_messages_response_delay"] == [
        {"period": "LAST_MONTH", "value": 3600},
        {"period": "LAST_YEAR", "value": (48 + 1) * 1800},
    ]
    assert status == 400


async def test_the_date_header_is_the_marketplaces_clock(call, sandbox):
    _, headers, _ = await call("/version", raw=True)
    sandbox.faults.order("skew", by=90)
    _, skewed, _ = await call("/version", raw=True)

    assert headers["Date"] == "Mon, 02 Mar 2026 12:00:01 GMT"
    assert skewed["Date"] == "Mon, 02 Mar 2026 12:01:31 GMT"


async def test_a_skewed_clock_stamps_new_messages(sandbox, clock, shop):
    sandbox.faults.order("skew", by=90)

    assert shop.open_thread("a").created_at == clock.now + timedelta(seconds=90)


async def test_an_ordered_error_has_the_marketplaces_form(call, sandbox):
    sandbox.faults.order("status", status=429, retry_after=3, operation="M11", count=1)
    sandbox.faults.order("status", status=401, operation="V01", count=1)

    status, headers, _ = await call("/inbox/threads", raw=True)

    assert (status, headers["Retry-After"]) == (429, "3")
    assert (await call("/version"))[1]["code"] == 401
    assert [one.status for one in sandbox.calls("M11")] == [429]


SHARED = {"core.errors", "core.loops"}
"""How whoever starts a stand-in is told that it is not installed, and how it is told that whoever
hears its pushes has started: no code that is tested by it."""


@pytest.mark.parametrize("package", ["connectors/mirakl/sandbox", "core/sandbox"])
def test_a_stand_in_shares_no_code_with_what_it_tests(package):
    root = Path(__file__).parents[4]
    ours = {"connectors", "core", "sla"}
    for path in (root / package).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                shared = ".sandbox" in name or name in SHARED
                assert name.split(".")[0] not in ours or shared, (path, name)
