"""Magento's orders and their histories to our words: recorded answers, and odd ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.webstore.magento import mapping, offer
from connectors.webstore.magento.mapping import Habits
from connectors.webstore.magento.payload import Orders
from core.transport import salvage
from sla.clock import Delivery, Kind, clocks
from sla.policy import Party, ThreadKind
from tests.connectors.books import turn

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RECORDED = Path(__file__).parent / "recorded"
ANSWER = "95"


def recorded():
    return json.loads((RECORDED / "orders.json").read_text(encoding="utf-8"))


def page(told=None, automatic=None, **more):
    got = salvage.read(Orders, told or recorded(), ("entity_id",)).value
    return mapping.page(got.items, Habits(automatic, **more), NOW)


def comment(automatic=None, **more):
    told = recorded()
    told["items"][0]["status_histories"][0] |= more
    found = page(told, automatic)
    return next((m for m in found.messages if m.id == ANSWER), None), found


def order(**more):
    told = recorded()
    told["items"][0] |= more
    return page(told)


def ended(found):
    turns = [turn(m, NOW) for m in found.messages if m.thread == "41"]
    return [(c.started_by, c.stopped_by, c.ended) for c in clocks(
        turns, [offer.REMARK], [], kind=ThreadKind.MESSAGE)]  # fmt: skip


def test_recorded_orders_and_comments_become_turns_of_the_right_parties():
    told = {m.id: (m.party, m.kind, m.delivery, set(m.to)) for m in page().messages}

    assert told == {
        "order-41": (Party.BUYER, Kind.MESSAGE, None, set()),
        "95": (Party.SELLER, Kind.MESSAGE, Delivery.CONFIRMED, {Party.BUYER}),
        "94": (Party.SELLER, Kind.INTERNAL, Delivery.CONFIRMED, set()),
        "93": (Party.SELLER, Kind.AUTOMATIC, Delivery.CONFIRMED, {Party.BUYER}),
        "91": (Party.SELLER, Kind.AUTOMATIC, Delivery.CONFIRMED, {Party.BUYER}),
        "order-43": (Party.BUYER, Kind.MESSAGE, None, set()),
    }
    assert ended(page()) == [("order-41", "95", "met")]


def test_an_order_is_known_by_the_number_that_its_buyer_knows():
    thread = next(one for one in page().threads if one.id == "41")

    assert (thread.order_ids, thread.subject, thread.buyer) == (
        ("000000041",), "#000000041", "Ana Sample",
    )  # fmt: skip
    assert thread.reply_to == {
        "kind": "magento", "mail": "ana.sample@mail.example", "phone": "+33478000000",
    }  # fmt: skip
    assert thread.as_of == datetime(2026, 11, 5, 9, 16, 2, tzinfo=UTC)


@pytest.mark.parametrize("number", ["\0", "", None, "x" * 2000])
def test_an_order_whose_number_cannot_be_kept_is_read(number):
    found = order(increment_id=number)

    assert len({m.order_id for m in found.messages if m.thread == "41"}) == 1


def test_dates_are_utc_with_a_space():
    told = {m.id: m.sent_at for m in page().messages}

    assert told["order-41"] == datetime(2026, 11, 5, 9, 15, 30, tzinfo=UTC)
    assert told["95"] == datetime(2026, 11, 5, 14, tzinfo=UTC)
    assert {m.id: m.body for m in page().messages}["95"].endswith("number 3 & no bell.")


@pytest.mark.parametrize("notified", [0, "0", False, None, 2, ""])
def test_a_comment_of_which_nobody_was_notified_answers_nobody(notified):
    message, found = comment(is_customer_notified=notified)

    assert (message.kind, set(message.to)) == (Kind.INTERNAL, set())
    assert ended(found) == [("order-41", None, None)]
    assert found.set_aside == ()


@pytest.mark.parametrize("notified", ["yes", [], {}, 7])
def test_trap_13_of_what_nobody_knows_whether_it_was_mailed_a_person_looks(notified):
    message, found = comment(is_customer_notified=notified)

    assert message.kind is Kind.INTERNAL
    assert [one.reason for one in found.set_aside] == ["is_customer_notified: unknown"]


@pytest.mark.parametrize(
    "more",
    [
        {"comment": "Notified customer about invoice #3."},
        {"comment": 'IPN "Completed". Registered notification about captured amount of €5.'},
        {"comment": "Captured amount of €29.90 online. Transaction ID: 7"},
        {"comment": "Gracias por su pedido", "automatic": "^Gracias por su pedido"},
        {"created_at": "2026-11-05 09:15:34"},
    ],
)
def test_what_the_shop_writes_by_itself_answers_nobody(more):
    message, found = comment(**more)

    assert message.kind is Kind.AUTOMATIC
    assert ended(found) == [("order-41", None, None)]


@pytest.mark.parametrize("words", [None, "", "  "])
def test_a_change_of_the_status_is_no_message(words):
    message, found = comment(comment=words)

    assert message is None
    assert ended(found) == [("order-41", None, None)]


@pytest.mark.parametrize("address", [None, ""])
def test_who_placed_an_order_without_an_address_the_settings_say(address):
    told = recorded()
    told["items"][0]["remote_ip"] = address

    assert {one.id for one in page(told).threads} == {"41", "43"}
    assert {one.id for one in page(told, staff_orders=False).threads} == {"43"}


@pytest.mark.parametrize("status", ["pending", "canceled", "complete", "of-a-module", None])
def test_whatever_became_of_an_order_its_buyer_said_something(status):
    assert ended(order(status=status, status_histories=None)) == [("order-41", None, None)]


@pytest.mark.parametrize("date", [None, "", "soon", "2026-13-45 00:00:00"])
def test_what_has_no_date_is_kept_with_none(date):
    message, found = comment(created_at=date)

    assert message.sent_at is None
    assert "created_at: no date" in {one.reason for one in found.set_aside}
    assert "created_at: no date" in {one.reason for one in order(created_at=date).set_aside}


def test_an_order_without_an_address_is_read():
    thread = order(billing_address=None, customer_email=None).threads[0]

    assert (thread.buyer, thread.reply_to) == ("", {"kind": "magento"})


def test_no_orders_are_told_as_null():
    assert salvage.read(Orders, {"items": None}, ("entity_id",)).value.items is None
