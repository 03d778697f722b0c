"""The stand-in does what a WooCommerce does: rights, dates, pages, notes, webhooks that give up."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from connectors.webstore.woocommerce.sandbox import acts
from connectors.webstore.woocommerce.sandbox.shop import CLERK, CREATED, READ, SYSTEM, UPDATED


@pytest.fixture
def ask(sandbox, shop, session):
    """`await ask("orders")`: status, headers, JSON."""
    full = shop.add_key()

    async def ask(path, *, key=full, method="GET", body=None, **query):
        url = f"{sandbox.address(shop)}/wp-json/wc/v3/{path}"
        told = base64.b64encode(":".join(key or ()).encode()).decode()
        headers = {"Authorization": f"Basic {told}"} if key else {}
        async with session.request(method, url, params=query, headers=headers, json=body) as answer:
            text = await answer.text()
            is_json = text.startswith(("{", "["))
            return answer.status, answer.headers, json.loads(text) if is_json else text

    return ask


async def test_keys_have_rights_and_an_error_has_wordpress_words(shop, ask):
    assert (await ask("orders", key=None))[2]["code"] == "woocommerce_rest_cannot_view"
    status, _, told = await ask("orders", key=("ck_x", "cs_x"))
    assert (status, told["code"], told["data"]) == (
        401, "woocommerce_rest_authentication_error", {"status": 401},
    )  # fmt: skip
    assert (await ask("orders", key=shop.add_key(role=CLERK)))[0] == 403
    order = shop.add_order()
    reader = shop.add_key(READ)
    assert (await ask(f"orders/{order.id}", key=reader))[0] == 200
    path = f"orders/{order.id}/notes"
    assert (await ask(path, key=reader, method="POST", body={"note": "x"}))[0] == 401
    assert (await ask("orders/99"))[2]["code"] == "woocommerce_rest_shop_order_invalid_id"


async def test_a_date_stands_twice_and_names_no_zone(shop, ask):
    order = shop.add_order()
    _, _, told = await ask(f"orders/{order.id}")

    assert told["date_created_gmt"] == "2026-11-20T12:00:00"
    assert told["date_created"] == "2026-11-20T13:00:00"


async def test_after_is_taken_to_the_letter_and_in_the_shops_own_zone(shop, ask):
    shop.add_order()

    async def count(**query):
        return len((await ask("orders", **query))[2])

    assert await count(modified_after="2026-11-20T12:00:00", dates_are_gmt="true") == 0
    assert await count(modified_after="2026-11-20T11:59:59", dates_are_gmt="true") == 1
    assert await count(modified_after="2026-11-20T12:59:59") == 1
    assert await count(modified_after="2026-11-20T13:00:00") == 0


async def test_pages_are_told_in_headers_and_lack_what_may_not_be_seen(shop, ask):
    for _ in range(3):
        shop.add_order().hidden = True
    shop.add_order()
    _, headers, told = await ask("orders", per_page="2", orderby="modified", order="asc")

    assert (told, headers["X-WP-Total"], headers["X-WP-TotalPages"]) == ([], "4", "2")
    assert 'rel="next"' in headers["Link"]
    assert (await ask("orders", per_page="101"))[0] == 400


async def test_only_the_fields_that_are_asked_for_are_told(shop, ask):
    shop.add_order("Hello?")
    (told,) = (await ask("orders", _fields="id,customer_note"))[2]

    assert set(told) == {"id", "customer_note"}


async def test_who_does_not_say_who_wrote_a_note_is_a_robot(shop, ask):
    order = shop.add_order()
    path = f"orders/{order.id}/notes"
    mine = {"note": "A", "customer_note": True, "added_by_user": True}
    status, _, told = await ask(path, method="POST", body=mine)
    assert (status, told["author"], told["customer_note"]) == (201, "Mia Agent", True)
    _, _, told = await ask(path, method="POST", body={"note": "B"})
    assert (told["author"], told["customer_note"]) == ("system", False)
    assert [one.text for one in shop.letters] == ["A"]
    before = order.changed_at
    assert before == order.placed_at
    assert [one["note"] for one in (await ask(path))[2]] == ["B", "A", "Payment complete."]


async def test_webhooks_are_made_changed_and_listed_without_their_secret(shop, ask):
    told = {"topic": CREATED, "delivery_url": "https://a.example/", "secret": "s", "name": "n"}
    status, _, made = await ask("webhooks", method="POST", body=told)
    assert (status, made["status"]) == (201, "active")
    assert "secret" not in made
    changed = {"status": "disabled", "secret": "t"}
    await ask(f"webhooks/{made['id']}", method="PUT", body=changed)
    _, _, listed = await ask("webhooks")
    assert [one["status"] for one in listed] == ["disabled"]
    assert shop.hooks[made["id"]].secret == "t"
    assert (await ask("webhooks", method="POST", body={"topic": "x"}))[0] == 400
    assert (await ask("webhooks/999", method="PUT", body=changed))[0] == 404


async def test_a_push_leaves_once_and_who_fails_is_switched_off(sandbox, shop, clock):
    hook = shop.add_hook(CREATED, "https://push.shop.example/", "s")
    sandbox.deliveries.is_held = False
    for _ in range(7):
        assert hook.status == "active"
        shop.add_order("Hello?")
        await sandbox.deliveries.deliver()

    assert [one.status for one in sandbox.deliveries.tried] == [None] * 7
    assert hook.status == "disabled"
    shop.add_order("Again?")
    assert sandbox.deliveries.waiting == []


async def test_a_push_says_how_the_order_is_when_it_leaves(sandbox, shop):
    shop.add_hook(UPDATED, "https://push.shop.example/", "s")
    order = shop.add_order()
    shop.change(order.id, "on-hold")
    (waiting,) = sandbox.deliveries.waiting
    order.status = "completed"

    assert json.loads(waiting.body())["status"] == "completed"


async def test_what_happens_can_be_ordered_by_http(sandbox, shop, session):
    async def act(name, **how):
        url = f"{sandbox.url}/_sandbox/acts/{name}"
        async with session.post(url, json={"shop": "shop", **how}) as answer:
            return answer.status, await answer.json()

    status, made = await act("add_order", remark="Hello?", at="2026-11-20T11:00:00+00:00")
    assert (status, made["waiting"]) == (201, True)
    assert (await act("note", order=made["order"], text="Hm.", author=SYSTEM))[0] == 201
    async with session.get(f"{sandbox.url}/_sandbox/") as answer:
        (told,) = await answer.json()
    assert (told["orders"], told["waiting"]) == (1, 1)
    assert (await act("note", order=made["order"], text="Yes?"))[0] == 201
    assert (await act("change", order=made["order"], status="completed"))[0] == 201
    assert (await act("habits", mails=False))[0] == 201
    assert not shop.habits.mails
    hook = shop.add_hook(CREATED, "https://a.example/", "s")
    assert (await act("deactivate"))[0] == 201
    assert hook.status == "disabled"
    assert (await act("hold", held=True))[0] == 201
    assert (await act("nothing"))[0] == 400
    assert (await act("forget", order=99))[0] == 400
    async with session.get(f"{sandbox.url}/_sandbox/pushes") as answer:
        assert await answer.json() == []
    async with session.get(f"{sandbox.url}/_sandbox/letters") as answer:
        assert len(await answer.json()) == 2


@pytest.mark.parametrize("name", [*acts.ACTS, "habits"])
def test_each_act_is_told_in_the_docs(name):
    docs = Path(__file__).parents[4] / "docs" / "sandbox.md"

    assert f"`{name}`" in docs.read_text(encoding="utf-8").partition("a WooCommerce shop")[2]
