"""The stand-in does what BigCommerce does: 204, scopes, quota, hooks, signed pushes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.webstore.bigcommerce.sandbox import acts
from connectors.webstore.bigcommerce.sandbox.deliveries import AGAIN
from connectors.webstore.bigcommerce.sandbox.store import CREATED


@pytest.fixture
def ask(sandbox, store, session):
    """`await ask("v2/orders")`: status, headers, JSON."""
    full = store.add_token()

    async def ask(path, *, token=full, method="GET", body=None, **query):
        url = f"{sandbox.url}/stores/{store.hash}/{path}"
        headers = {"X-Auth-Token": token}
        async with session.request(method, url, params=query, headers=headers, json=body) as answer:
            text = await answer.text()
            return answer.status, answer.headers, json.loads(text) if text else None

    return ask


async def test_nothing_is_no_content(store, ask):
    assert (await ask("v2/orders"))[0] == 204
    order = store.add_order()
    assert (await ask(f"v2/orders/{order.id}/messages"))[0] == 204
    assert (await ask("v2/orders", page="2"))[0] == 204


async def test_messages_say_who_wrote_and_when(store, clock, ask):
    order = store.add_order()
    store.customer_writes(order.id, "Where is it?", subject="My order")
    store.staff_writes(order.id, "Here.")
    _, _, told = await ask(f"v2/orders/{order.id}/messages")

    assert [one["staff_id"] for one in told] == [1, None]
    assert told[1]["date_created"] == "Fri, 20 Nov 2026 12:00:00 +0000"
    assert {one["order_id"] for one in told} == {order.id}


async def test_tokens_have_scopes(store, ask):
    assert (await ask("v2/orders", token="x"))[0] == 401
    assert (await ask("v2/orders", token=store.add_token("settings")))[0] == 403
    assert (await ask("v3/hooks", token=store.add_token("orders")))[0] == 403
    assert (await ask("v2/orders/99"))[0] == 404


async def test_the_quota_is_told_and_kept(store, clock, ask):
    store.habits.quota = 2
    left = [(await ask("v2/orders"))[1]["X-Rate-Limit-Requests-Left"] for _ in range(2)]
    status, headers, _ = await ask("v2/orders")

    assert left == ["1", "0"]
    assert (status, headers["Retry-After"]) == (429, "30")
    clock.advance(seconds=31)
    assert (await ask("v2/orders"))[0] == 204


async def test_hooks_are_made_changed_and_listed(store, ask):
    told = {"scope": CREATED, "destination": "https://a.example/", "is_active": True}
    status, _, made = await ask("v3/hooks", method="POST", body=told)
    assert (status, made["data"]["is_active"]) == (200, True)
    number = made["data"]["id"]
    await ask(f"v3/hooks/{number}", method="PUT", body={**told, "is_active": False})
    _, _, listed = await ask("v3/hooks", scope=CREATED)
    assert [one["is_active"] for one in listed["data"]] == [False]
    assert (await ask("v3/hooks", method="POST", body={"scope": CREATED}))[0] == 422
    assert (await ask("v3/hooks/999", method="PUT", body=told))[0] == 404
    assert (await ask("v3/hooks", scope="other"))[2]["data"] == []


async def test_nothing_is_pushed_beyond_this_machine_and_tries_end(sandbox, store, clock):
    hook = store.add_hook(CREATED, "https://push.store.example/")
    store.customer_writes(store.add_order().id, "Hello?")
    sandbox.deliveries.is_held = False
    for seconds in (0, *AGAIN):
        clock.now += timedelta(seconds=seconds)
        await sandbox.deliveries.deliver()

    assert [one.status for one in sandbox.deliveries.tried] == [None] * (1 + len(AGAIN))
    assert not hook.is_active
    store.customer_writes(next(iter(store.orders)), "Again?")
    assert sandbox.deliveries.waiting == []


async def test_what_happens_can_be_ordered_by_http(sandbox, store, session):
    async def act(name, **how):
        url = f"{sandbox.url}/_sandbox/acts/{name}"
        async with session.post(url, json={"store": "store", **how}) as answer:
            return answer.status, await answer.json()

    status, made = await act("add_order", at="2026-11-20T11:00:00+00:00")
    assert status == 201
    assert (await act("customer_writes", order=made["order"], text="Hello?"))[0] == 201
    async with session.get(f"{sandbox.url}/_sandbox/") as answer:
        (told,) = await answer.json()
    assert (told["orders"], told["waiting"]) == (1, 1)
    assert (await act("staff_writes", order=made["order"], text="Yes?"))[0] == 201
    assert (await act("habits", touches=False))[0] == 201
    assert not store.habits.touches
    hook = store.add_hook(CREATED, "https://a.example/")
    assert (await act("deactivate"))[0] == 201
    assert not hook.is_active
    assert (await act("hold", held=True))[0] == 201
    assert (await act("nothing"))[0] == 400
    assert (await act("forget", order=99))[0] == 400
    async with session.get(f"{sandbox.url}/_sandbox/pushes") as answer:
        assert await answer.json() == []


@pytest.mark.parametrize("name", [*acts.ACTS, "habits"])
def test_each_act_is_told_in_the_docs(name):
    docs = Path(__file__).parents[4] / "docs" / "sandbox.md"

    assert f"`{name}`" in docs.read_text(encoding="utf-8").partition("a store at BigCommerce")[2]
