"""The stand-in does what PrestaShop's webservice does: XML, JSON, rights, filters, local time."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from defusedxml import ElementTree

from connectors.webstore.prestashop.sandbox import acts

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
NO_THREAD = (
    b"<prestashop><customer_message><id_customer_thread>9</id_customer_thread>"
    b"<message>x</message></customer_message></prestashop>"
)


@pytest.fixture
def ask(sandbox, shop, session):
    """`await ask("customer_messages", display="full")`: status, headers, body."""
    full = shop.add_key()

    async def ask(resource, *, key=full, method="GET", body=None, **query):
        headers = {"Authorization": f"Basic {b64encode(f'{key}:'.encode()).decode()}"}
        params = {name.replace("__", "["): value for name, value in query.items()}
        async with session.request(
            method, f"{sandbox.base_url(shop)}/api/{resource}", params=params, headers=headers,
            data=body,
        ) as answer:  # fmt: skip
            return answer.status, answer.headers, await answer.text()

    return ask


async def test_rows_are_xml_unless_json_is_asked_for(shop, ask):
    shop.open_thread("It's <b>late</b>", at=NEW_YEAR)
    _, headers, text = await ask("customer_messages", display="full")
    row = ElementTree.fromstring(text).find("customer_messages/customer_message")

    assert headers["Content-Type"].startswith("text/xml")
    assert row.find("message").text == "It's <b>late</b>"
    assert row.find("date_add").text == "2026-01-01 01:00:00"
    _, headers, text = await ask("customer_messages", display="full", output_format="JSON")
    assert headers["Content-Type"].startswith("application/json")
    assert '"id_employee": "0"' in text


async def test_an_empty_list_has_no_name(ask):
    assert (await ask("customer_messages", output_format="JSON"))[2] == "[]"
    text = (await ask("customer_messages"))[2]
    assert list(ElementTree.fromstring(text)) == []


@pytest.mark.parametrize(
    ("key", "status", "code"), [("", 401, "17"), ("short", 401, "18"), ("Z" * 32, 401, "20")]
)
async def test_a_key_that_is_none_is_asked_for_by_basic(ask, key, status, code):
    got, headers, text = await ask("orders", key=key)

    assert got == status
    assert headers["WWW-Authenticate"].startswith("Basic ")
    assert ElementTree.fromstring(text).find("errors/error/code").text == code


async def test_rights_are_by_resource_and_method(shop, ask):
    narrow = shop.add_key(orders="", customer_messages="GET")
    status, _, text = await ask("orders", key=narrow, output_format="JSON")
    assert (status, '"code": 26' in text) == (401, True)
    status, _, text = await ask(
        "customer_messages", key=narrow, method="POST", output_format="JSON"
    )
    assert (status, '"code": 25' in text) == (405, True)
    text = (await ask("", key=narrow))[2]
    assert 'customer_messages get="true" put="false" post="false"' in text
    assert "<orders" not in text


async def test_filters_are_intervals_and_choices(shop, ask):
    for number in range(5):
        shop.open_thread(f"Question {number}")
    for wanted, numbers in (("[2,4]", {2, 3, 4}), ("[1|5]", {1, 5}), ("[3]", {3}), ("2", {2})):
        _, _, text = await ask("customer_messages", **{"filter[id]": wanted})
        rows = ElementTree.fromstring(text).findall("customer_messages/customer_message")
        assert {int(one.find("id").text) for one in rows} == numbers


async def test_a_date_is_a_filter_only_where_that_is_said(shop, ask):
    shop.open_thread("Hello", at=NEW_YEAR)
    wanted = {"filter[date_add]": "[2026-01-01 00:30:00,2026-01-01 02:00:00]"}
    status, _, text = await ask("customer_messages", **wanted, output_format="JSON")
    assert (status, '"code": 32' in text) == (400, True)
    _, _, text = await ask("customer_messages", **wanted, date="1", output_format="JSON")
    assert text == '{"customer_messages": [{"id": 1}]}'


async def test_a_row_that_is_written_mails_nobody_and_leaves_its_thread(sandbox, shop, ask):
    thread = shop.open_thread("Where is it?", at=NEW_YEAR)
    body = (
        "<prestashop><customer_message><id_customer_thread>1</id_customer_thread>"
        "<id_employee>1</id_employee><message><![CDATA[Soon.]]></message><private>0</private>"
        "</customer_message></prestashop>"
    )
    status, _, text = await ask("customer_messages", method="POST", body=body)

    assert status == 201
    assert ElementTree.fromstring(text).find("customer_message/message").text == "Soon."
    assert sandbox.letters == []
    assert (thread.status, thread.changed_at) == ("open", NEW_YEAR)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"no xml", 500),
        (b"<prestashop/>", 400),
        (NO_THREAD, 400),
    ],
)
async def test_a_row_that_makes_no_sense_is_refused(ask, body, status):
    assert (await ask("customer_messages", method="POST", body=body))[0] == status


async def test_mail_joins_a_thread_by_both_tags(shop):
    thread = shop.open_thread("Where is it?")

    assert shop.mail_comes(f"Re: x #ct{thread.id} #tc{thread.token}", "Thanks") is not None
    assert shop.mail_comes(f"Re: x #ct{thread.id} #tcwrong", "Spam") is None
    assert shop.mail_comes("Re: x", "Spam") is None


async def test_what_happens_can_be_ordered_by_http(sandbox, shop, session):
    async def act(name, **how):
        url = f"{sandbox.url}/_sandbox/acts/{name}"
        async with session.post(url, json={"shop": "shop", **how}) as answer:
            return answer.status, await answer.json()

    assert await act("open_thread", text="Hello?", order="ABC", at="2026-11-20T11:00:00+00:00") == (
        201, {"thread": 1, "status": "open", "messages": 1, "waiting": True},
    )  # fmt: skip
    assert (await act("employee_writes", thread=1, text="Yes?"))[0] == 201
    assert (await act("set_status", thread=1, status="pending2"))[1]["status"] == "pending2"
    assert (await act("habits", numbers=True))[0] == 201
    assert shop.habits.numbers
    for wrong in ("nothing", "write"):
        assert (await act(wrong, thread=1))[0] == 400
    assert (await act("forget", thread=99))[0] == 400
    async with session.get(f"{sandbox.url}/_sandbox/") as answer:
        (told,) = await answer.json()
    assert (told["threads"], told["waiting"]) == (1, 0)
    for page, count in (("threads", 1), ("letters", 0)):
        async with session.get(f"{sandbox.url}/_sandbox/{page}") as answer:
            assert len(await answer.json()) == count


@pytest.mark.parametrize("name", [*acts.ACTS, "habits"])
def test_each_act_is_told_in_the_docs(name):
    docs = Path(__file__).parents[4] / "docs" / "sandbox.md"

    assert f"`{name}`" in docs.read_text(encoding="utf-8").partition("a PrestaShop")[2]
