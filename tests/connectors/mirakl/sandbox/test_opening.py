"""The first run, the control by HTTP, and the back office that a notice links to."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import pytest

from connectors.mirakl.sandbox import opening
from connectors.mirakl.sandbox.inbox import Habits
from connectors.mirakl.sandbox.market import Customer
from core.sandbox import people
from core.sandbox.people import Buyer, Letter


@dataclass(frozen=True)
class Account:
    operator: str | None
    shop_id: int | None = None


async def read(session, options, path="/api/inbox/threads?with_messages=true&limit=100", **query):
    headers = {"Authorization": options["api_key"]}
    url = options["base_url"] + path
    async with session.get(url, headers=headers, params=query) as answer:
        return answer.status, await answer.json()


async def changed(session, options, first):
    """The inbox as soon as it is another than *first*."""
    while True:
        _, page = await read(session, options)
        if page != first:
            return page
        await asyncio.sleep(0.05)


@pytest.fixture
def act(sandbox, session, shop):
    async def act(name, **how):
        async with session.post(f"{sandbox.url}/_sandbox/acts/{name}", json=how) as answer:
            return answer.status, await answer.json()

    return act


async def test_each_account_gets_an_address_and_a_key_that_work_at_once(session, clock):
    accounts = {"es": Account("pccomponentes"), "de": Account("mediamarkt", 11), "x": Account(None)}
    async with opening.open_sandbox(accounts, clock) as options:
        seen = {name: await read(session, options[name]) for name in accounts}

    assert all(status == 200 for status, _ in seen.values())
    assert all(len(page["data"]) >= 5 for _, page in seen.values())
    assert options["es"]["base_url"].endswith("/pccomponentes")
    assert options["x"]["base_url"].endswith("/x")
    assert len({each["api_key"] for each in options.values()}) == 3


async def test_two_shops_of_one_operator_share_a_key_and_are_told_apart_by_shop_id(session, clock):
    accounts = {"a": Account("conrad", 11), "b": Account("conrad", 12), "c": Account("conrad")}
    async with opening.open_sandbox(accounts, clock) as options:
        _, default = await read(session, options["b"])
        _, named = await read(session, options["b"], shop_id=12)
        _, alone = await read(session, options["c"])

    def shops(page):
        people = [one["authorized_participants"][0]["id"] for one in page["data"]]
        return set(people)

    assert options["a"]["api_key"] == options["b"]["api_key"] != options["c"]["api_key"]
    assert (shops(default), shops(named), shops(alone)) == ({"11"}, {"12"}, {"2000"})


async def test_an_operators_buyers_speak_its_languages(session, clock):
    async with opening.open_sandbox({"pl": Account("empik")}, clock) as options:
        _, page = await read(session, options["pl"])
    names = {one["authorized_participants"][1]["display_name"] for one in page["data"]}

    assert names <= set(people.phrases()["pl"]["names"])


async def test_people_go_on_while_it_runs_and_stop_when_it_ends(session, clock):
    before = asyncio.all_tasks()
    async with opening.open_sandbox({"es": Account("pccomponentes")}, clock) as options:
        _, first = await read(session, options["es"])
        clock.advance(seconds=70)
        async with asyncio.timeout(8):
            later = await changed(session, options["es"], first)
    await session.close()

    assert len(later["data"]) > len(first["data"])
    assert {task for task in asyncio.all_tasks() if task.get_name() == "sandbox-scene"} <= before


async def test_a_fault_of_the_program_passes_through_the_sandbox_as_it_is(clock):
    with pytest.raises(ZeroDivisionError):
        async with opening.open_sandbox({"es": Account("pccomponentes")}, clock):
            raise ZeroDivisionError


async def test_what_happened_before_the_first_run_is_dated_before_it(session, clock):
    async with opening.open_sandbox({"es": Account("bestbuy")}, clock) as options:
        _, page = await read(session, options["es"])
    created = sorted(one["date_created"] for one in page["data"])

    assert created[0] < "2026-03-02T10:00"
    assert any("2026-03-02T11:59" < date < "2026-03-02T12:00" for date in created)


@pytest.fixture
def stage(sandbox, shop):
    return opening.ShopStage(sandbox, shop)


def test_a_stage_does_what_the_scene_asks(stage, shop, clock):
    buyer = Buyer("C-9", "Eva Ejemplo", "es", "es_ES", "es@buyers.example")
    at = clock.now
    thread = shop.operator.threads[stage.open(buyer, "523-A", Letter("Hola", "¿Dónde?"), at)]
    order = shop.operator.orders["523-A"]
    waiting = [stage.is_waiting(thread.id)]
    stage.agent_asks_marketplace(thread.id, "may we?", at)
    stage.marketplace_writes(thread.id, "yes", at)
    stage.buyer_writes(thread.id, "hello?", at)
    waiting.append(stage.is_waiting(thread.id))
    stage.agent_sees_no_need(thread.id, at)
    waiting.append(stage.is_waiting(thread.id))
    stage.buyer_writes(thread.id, "hello??", at + timedelta(seconds=1))
    waiting.append(stage.is_waiting(thread.id))
    stage.agent_answers(thread.id, "here", at + timedelta(seconds=2))
    waiting.append(stage.is_waiting(thread.id))
    stage.open_case(thread.id, at)
    opened = order.has_incident()
    stage.close_case(thread.id, at)

    assert waiting == [True, True, False, True, False]
    assert (thread.topic, order.customer) == (
        ("FREE_TEXT", "Hola"),
        Customer("C-9", "Eva Ejemplo", "es_ES"),
    )
    assert [m.sender_type for m in thread.messages[:3]] == [
        "CUSTOMER_USER",
        "SHOP_USER",
        "OPERATOR_USER",
    ]
    assert (opened, order.has_incident()) == (True, False)
    stage.forget(thread.id)
    assert not shop.operator.threads
    assert not shop.operator.orders


def test_people_live_by_the_marketplaces_clock(stage, sandbox, shop, clock):
    sandbox.faults.order("skew", by=100)
    buyer = Buyer("C-9", "Eva Ejemplo", "es", "es_ES", "es@buyers.example")

    thread = stage.open(buyer, "523-A", Letter("Hola", "¿Dónde?"), clock.now)

    assert shop.operator.threads[thread].created_at == clock.now + timedelta(seconds=100)


async def test_people_may_be_ordered_by_http(act, shop, session, sandbox):
    _, made = await act("open_thread", operator="op", shop=2000, body="Where?")
    thread = shop.operator.threads[made["thread"]]
    about = {"operator": "op", "thread": thread.id}
    at = "2026-03-02T11:00:00+00:00"
    done = [
        await act("buyer_writes", **about, body="again", at=at),
        await act("operator_writes", **about, body="please answer", to=["SHOP"]),
        await act("shop_answers", **about, body="answer"),
        await act("click_no_reply_needed", **about, by="OPERATOR"),
        await act("change_topic", **about, value="Refund"),
        await act("open_incident", operator="op", order=thread.entities[0][1]),
        await act("habits", operator="op", since="latest"),
    ]
    async with session.get(f"{sandbox.url}/_sandbox/threads") as answer:
        (listed,) = await answer.json()
    async with session.get(f"{sandbox.url}/_sandbox/") as answer:
        text = await answer.text()

    assert [status for status, _ in done] == [201] * 7
    assert [m.body for m in thread.messages] == ["again", "Where?", "please answer", "answer"]
    assert (len(thread.clicks), thread.topic[1]) == (1, "Refund")
    assert shop.operator.orders[thread.entities[0][1]].has_incident()
    assert shop.operator.habits == Habits(since="latest")
    assert (listed["thread"], listed["messages"]) == (thread.id, 4)
    assert json.loads(text)[0]["incidents"] == 1
    assert shop.key not in text


@pytest.mark.parametrize(
    ("name", "how", "expected"),
    [
        ("buyer_writes", {"operator": "nobody"}, 404),
        ("buyer_writes", {"operator": "op", "thread": "x", "body": "a"}, 404),
        ("open_thread", {"operator": "op", "shop": 1}, 404),
        ("__init__", {"operator": "op"}, 404),
        ("open_thread", {"operator": "op", "shop": 2000, "nonsense": 1}, 400),
        ("open_thread", {"operator": "op", "shop": 2000, "at": "yesterday"}, 400),
    ],
)
async def test_an_act_that_makes_no_sense_is_refused(act, name, how, expected):
    assert (await act(name, **how))[0] == expected


async def test_replies_by_the_api_are_listed(call, session, sandbox, shop):
    thread = shop.open_thread("Where?")
    data = aiohttp.FormData()
    message = {"body": "Left today.", "to": [{"type": "OPERATOR"}]}
    data.add_field("message_input", json.dumps(message), content_type="application/json")
    data.add_field("files", b"x", filename="a.pdf")
    await call(f"/inbox/threads/{thread.id}/message", "POST", data=data)
    async with session.get(f"{sandbox.url}/_sandbox/replies") as answer:
        (reply,) = await answer.json()

    assert (reply["thread"], reply["to"], reply["body"]) == (
        thread.id,
        ["OPERATOR"],
        "Left today.",
    )


async def test_the_back_office_page_shows_the_thread_and_takes_an_answer(session, sandbox, shop):
    thread = shop.open_thread("<script>alert(1)</script>")
    url = sandbox.page_url(thread)
    async with session.get(url) as answer:
        page = await answer.text()
    async with session.post(url, data={"act": "answer", "body": "Left today."}) as answer:
        after = await answer.text()
    async with session.post(url, data={"act": "no_need"}) as answer:
        assert answer.status == 200

    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "Left today." in after
    assert [m.sender_type for m in thread.messages] == ["CUSTOMER_USER", "SHOP_USER"]
    assert len(thread.clicks) == 1


async def test_the_page_of_an_unknown_thread_is_not_found(session, sandbox, shop):
    async with session.get(sandbox.base_url("op") + "/mmp/shop/messages/x") as answer:
        assert answer.status == 404


async def test_the_same_seed_gives_the_same_ids(clock):
    made = []
    for _ in range(2):
        async with opening.Sandbox(clock, seed=3) as sandbox:
            shop = sandbox.add_operator("op").add_shop()
            made.append((shop.key, shop.open_thread("a").id))

    assert made[0] == made[1]


async def threads_of(options, session):
    _, page = await read(session, options["es"])
    return {thread["id"] for thread in page["data"]}


async def test_whoever_starts_again_meets_nobody_of_the_last_scene(session, clock):
    seen = []
    for _ in range(2):
        async with opening.open_sandbox({"es": Account("pccomponentes")}, clock) as options:
            seen.append(await threads_of(options, session))
        clock.now += timedelta(seconds=5)

    assert seen[0].isdisjoint(seen[1])
    assert min(map(len, seen)) >= 5
