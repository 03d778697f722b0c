"""What an order says: whose note it is, by what its buyer is known, what is left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore.shopify import mapping
from connectors.webstore.shopify.payload import Order
from sla.policy import Party, ThreadKind

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
STORE = "toys.myshopify.com"
TOLD = {
    "id": "gid://shopify/Order/450789469",
    "name": "#1001",
    "note": "Please ring twice",
    "sourceName": "web",
    "createdAt": "2026-11-20T11:00:00Z",
    "updatedAt": "2026-11-20T11:30:00Z",
    "email": "Ada@Buyers.example",
    "phone": "+44 1234 567890",
    "billingAddress": {"name": "Ada Sample", "phone": None},
}


def page(**more):
    return mapping.page([Order.model_validate(TOLD | more)], STORE, NOW)


def test_a_remark_is_a_message_of_the_buyer_from_the_instant_of_the_order():
    (message,), (thread,) = page().messages, page().threads

    assert (message.party, message.body) == (Party.BUYER, "Please ring twice")
    assert message.sent_at == NOW - timedelta(hours=1)
    assert message.thread == thread.id == "450789469"
    assert thread.kind is ThreadKind.MESSAGE
    assert thread.as_of == NOW - timedelta(minutes=30)
    assert thread.url == "https://toys.myshopify.com/admin/orders/450789469"
    assert thread.buyer == "Ada Sample"


def test_the_buyer_is_known_by_number_address_and_phone():
    (thread,) = page().threads

    assert thread.order_ids == ("1001",)
    assert thread.reply_to == {
        "kind": "shopify", "mail": "ada@buyers.example", "phone": "+441234567890",
        "order": "gid://shopify/Order/450789469",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("#1001", ("1001",)),
        ("EN-1001-A", ("EN-1001-A", "1001")),
        ("2026/17", ("2026/17",)),
        ("#", ("450789469",)),
        (None, ("450789469",)),
        ("\ud8001001", ("450789469",)),
        ("#10\0" + "01", ("450789469",)),
        ("x" * 101, ("450789469",)),
    ],
)
def test_an_order_is_called_as_its_buyer_may_call_it(name, ids):
    (thread,) = page(name=name).threads

    assert thread.order_ids == ids


def test_what_shopify_hides_of_a_customer_is_no_key_and_no_crash():
    (thread,) = page(email=None, phone=None, billingAddress=None).threads

    assert thread.reply_to == {"kind": "shopify", "order": "gid://shopify/Order/450789469"}
    assert thread.buyer == ""


@pytest.mark.parametrize("email", ["\ud800@buyers.example", "ada", "", "a@b\0.example"])
def test_what_is_no_address_is_no_key(email):
    (thread,) = page(email=email).threads

    assert "mail" not in thread.reply_to


@pytest.mark.parametrize("note", [None, "", " \n "])
def test_an_order_without_a_remark_is_nobodys_question(note):
    assert page(note=note).threads == page(note=note).messages == ()


@pytest.mark.parametrize(("source", "count"), [
    ("pos", 0), ("shopify_draft_order", 0), ("web", 1), ("android", 1), ("1354745", 1), (None, 1),
])  # fmt: skip
def test_what_the_staff_types_in_with_the_order_is_no_remark(source, count):
    assert len(page(sourceName=source).messages) == count


def test_a_webhook_tells_the_same_as_the_api():
    told = {
        "id": 450789469, "name": "#1001", "note": "Please ring twice", "source_name": "web",
        "created_at": "2026-11-20T06:00:00-05:00", "updated_at": "2026-11-20T06:30:00-05:00",
        "email": "Ada@Buyers.example", "phone": "+44 1234 567890",
        "billing_address": {"name": "Ada Sample", "phone": None},
    }  # fmt: skip
    pushed = mapping.page([Order.model_validate(told)], STORE, NOW)

    assert (pushed.messages, pushed.threads) == (page().messages, page().threads)


def test_an_order_without_a_date_waits_and_is_looked_at():
    found = page(createdAt="yesterday")

    assert found.messages[0].sent_at is None
    assert [one.reason for one in found.set_aside] == ["created_at: no date"]
    assert mapping.is_new(Order.model_validate(TOLD | {"createdAt": None}), NOW)


def test_a_phone_stands_in_the_address_where_the_order_has_none():
    (thread,) = page(phone=None, billingAddress={"phone": "+441111111111"}).threads

    assert thread.reply_to["phone"] == "+441111111111"


@pytest.mark.parametrize(
    ("told", "language"),
    [({"customerLocale": "fr-Fr"}, "fr-FR"), ({"customer_locale": "de"}, "de"),
     ({"customerLocale": None}, None), ({}, None), ({"customerLocale": "?"}, None)],
)  # fmt: skip
def test_a_remark_is_in_the_language_of_the_order(told, language):
    (message,) = page(**told).messages

    assert message.language == language
