"""The stand-in does what a Magento does: rights, search criteria, pages that repeat, comments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.webstore.magento.sandbox import acts
from connectors.webstore.magento.sandbox.shop import VIEW

FILTER = "searchCriteria[filter_groups][0][filters][0]"


@pytest.fixture
def ask(sandbox, shop, session):
    """`await ask("orders")`: status and JSON."""
    full = shop.add_token()

    async def ask(path, *, token=full, method="GET", body=None, **query):
        url, headers = f"{sandbox.address(shop)}/rest/V1/{path}", {"Authorization": token}
        headers["Authorization"] = f"Bearer {token}"
        async with session.request(
            method, url, params=query, headers=headers, json=body
        ) as answer:  # fmt: skip
            return answer.status, json.loads(await answer.text())

    return ask


async def test_tokens_have_resources_and_a_refusal_names_the_one_that_lacks(shop, ask):
    status, told = await ask("orders", token="x")
    assert (status, told["parameters"]) == (401, {"resources": VIEW})
    order = shop.add_order()
    body = {"statusHistory": {"comment": "x", "status": "processing"}}
    path = f"orders/{order.id}/comments"
    assert (await ask(path, token=shop.add_token(VIEW), method="POST", body=body))[0] == 401
    assert (await ask("orders/99/statuses"))[1]["message"].startswith("The entity that was")


async def test_what_lies_behind_the_last_page_is_that_page_again(shop, ask):
    orders = [shop.add_order() for _ in range(3)]
    how = {"searchCriteria[pageSize]": "2", "searchCriteria[currentPage]": "9"}
    _, told = await ask("orders", **how)
    assert ([one["entity_id"] for one in told["items"]], told["total_count"]) == ([orders[2].id], 3)
    shop.habits.repeats = False
    assert (await ask("orders", **how))[1]["items"] is None


async def test_after_is_taken_to_the_letter(shop, ask):
    shop.add_order()

    async def count(value):
        how = {f"{FILTER}[field]": "updated_at", f"{FILTER}[condition_type]": "gt"}
        return (await ask("orders", **how, **{f"{FILTER}[value]": value}))[1]["total_count"]

    assert await count("2026-11-20 11:59:59") == 1
    assert await count("2026-11-20 12:00:00") == 0


async def test_a_comment_is_acknowledged_with_true_and_mailed_without_tags(shop, ask):
    order = shop.add_order()
    said = {"comment": "I <3 <b>it</b>, 1 < 2", "is_customer_notified": 1, "status": "processing"}
    path = f"orders/{order.id}/comments"

    assert await ask(path, method="POST", body={"statusHistory": said}) == (200, True)
    assert [one.text for one in shop.letters] == ["I it, 1 < 2"]
    assert (await ask(path, method="POST", body={}))[0] == 400


async def test_a_comment_without_a_status_is_refused_or_costs_the_order_its_own(shop, ask):
    order = shop.add_order()
    path, body = f"orders/{order.id}/comments", {"statusHistory": {"comment": "x"}}

    assert (await ask(path, method="POST", body=body))[0] == 400
    shop.habits.strict = False
    assert (await ask(path, method="POST", body=body))[0] == 200
    assert (await ask(f"orders/{order.id}/statuses"))[1] is None


async def test_what_is_null_is_left_out(shop, ask):
    shop.add_order(by_staff=True)
    (told,) = (await ask("orders"))[1]["items"]

    assert not {"customer_note", "remote_ip"} & set(told)
    assert told["created_at"] == "2026-11-20 12:00:00"


async def test_what_happens_can_be_ordered_by_http(sandbox, shop, session):
    async def act(name, **how):
        url = f"{sandbox.url}/_sandbox/acts/{name}"
        async with session.post(url, json={"shop": "shop", **how}) as answer:
            return answer.status, await answer.json()

    status, made = await act("add_order", remark="Hello?", at="2026-11-20T11:00:00+00:00")
    assert (status, made["waiting"]) == (201, True)
    assert (await act("comment", order=made["order"], text="Hm.", notified=0))[0] == 201
    async with session.get(f"{sandbox.url}/_sandbox/") as answer:
        (told,) = await answer.json()
    assert (told["orders"], told["waiting"]) == (1, 1)
    assert (await act("comment", order=made["order"], text="Yes?"))[0] == 201
    assert (await act("change", order=made["order"], status="complete"))[0] == 201
    assert (await act("habits", touches=True))[0] == 201
    assert shop.habits.touches
    assert (await act("habits", nothing=True))[0] == 400
    assert (await act("nothing"))[0] == 400
    assert (await act("forget", order=99))[0] == 400
    async with session.get(f"{sandbox.url}/_sandbox/letters") as answer:
        assert len(await answer.json()) == 1


@pytest.mark.parametrize("name", [*acts.ACTS, "habits"])
def test_each_act_is_told_in_the_docs(name):
    docs = Path(__file__).parents[4] / "docs" / "sandbox.md"

    assert f"`{name}`" in docs.read_text(encoding="utf-8").partition("a Magento shop")[2]
