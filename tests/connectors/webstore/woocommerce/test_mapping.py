"""WooCommerce's orders and notes to our words: recorded answers, and odd ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.webstore.woocommerce import mapping, offer
from connectors.webstore.woocommerce.mapping import Read
from connectors.webstore.woocommerce.payload import Notes, Orders
from core.transport import salvage
from sla.clock import Delivery, Kind, clocks
from sla.policy import Party, ThreadKind
from tests.connectors.books import turn

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RECORDED = Path(__file__).parent / "recorded"
BASE = "https://shop.example"


def recorded(name):
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


def page(notes=None, orders=None):
    told = salvage.read(Notes, {"items": recorded("notes") if notes is None else notes}).value
    of = salvage.read(Orders, {"items": orders or recorded("orders")}).value
    first, *others = of.items
    return mapping.page([Read(first, tuple(told.items)), *map(Read, others)], BASE, NOW)


def note(**more):
    told = page(notes=[{**recorded("notes")[0], **more}])
    return next((m for m in told.messages if m.id == "285"), None), told


def ended(found):
    turns = [turn(m, NOW) for m in found.messages if m.thread == "727"]
    return [(c.started_by, c.stopped_by, c.ended) for c in clocks(
        turns, [offer.REMARK], [], kind=ThreadKind.MESSAGE)]  # fmt: skip


def test_recorded_orders_and_notes_become_turns_of_the_right_parties():
    told = {m.id: (m.party, m.kind, m.delivery, set(m.to)) for m in page().messages}

    assert told == {
        "order-727": (Party.BUYER, Kind.MESSAGE, None, set()),
        "285": (Party.SELLER, Kind.MESSAGE, Delivery.CONFIRMED, {Party.BUYER}),
        "284": (Party.SELLER, Kind.INTERNAL, Delivery.CONFIRMED, set()),
        "283": (Party.SELLER, Kind.AUTOMATIC, Delivery.CONFIRMED, {Party.BUYER}),
        "order-729": (Party.BUYER, Kind.MESSAGE, None, set()),
    }


def test_an_order_without_a_remark_is_no_thread():
    assert {one.id for one in page().threads} == {"727", "729"}


def test_an_order_is_known_by_the_number_that_its_buyer_knows():
    thread = next(one for one in page().threads if one.id == "727")

    assert (thread.order_ids, thread.subject, thread.buyer) == (
        ("WS-727",), "#WS-727", "Ana Sample",
    )  # fmt: skip
    assert thread.reply_to == {
        "kind": "woocommerce", "mail": "ana.sample@mail.example", "phone": "+33478000000",
    }  # fmt: skip
    assert thread.url == f"{BASE}/wp-admin/post.php?post=727&action=edit"
    assert thread.as_of == datetime(2026, 11, 5, 9, 16, 2, tzinfo=UTC)


def test_dates_without_a_zone_are_utc_and_those_of_the_shop_are_not_read():
    told = {m.id: m.sent_at for m in page().messages}

    assert told["order-727"] == datetime(2026, 11, 5, 9, 15, 30, tzinfo=UTC)
    assert told["285"] == datetime(2026, 11, 5, 14, tzinfo=UTC)


def test_notes_are_read_as_a_person_sees_them():
    told = {m.id: m for m in page().messages}

    assert told["285"].body == "Yes, we told the carrier: number\u00a03 & no bell."
    assert told["283"].body.startswith("Your parcel is with the carrier")
    assert told["order-727"].body == "Please leave it at the neighbour's, no. 3.\r\nThanks!"


def test_a_note_to_the_customer_answers_and_no_other_does():
    notes = {one["id"]: one for one in recorded("notes")}
    private, robots = [notes[284]], [notes[283], notes[282]]

    assert ended(page()) == [("order-727", "285", "met")]
    assert ended(page(notes=[*private, *robots])) == [("order-727", None, None)]


@pytest.mark.parametrize("author", ["system", "System", "WooCommerce", "woocommerce", "", None])
def test_what_no_person_wrote_answers_nobody(author):
    message, told = note(author=author)

    assert message.kind is Kind.AUTOMATIC
    assert ended(told) == [("order-727", None, None)]


@pytest.mark.parametrize("flag", [None, 1, "true", [], {}])
def test_trap_13_a_note_of_which_nobody_knows_whether_it_was_mailed_answers_nobody(flag):
    message, told = note(customer_note=flag)

    assert (message.kind, set(message.to)) == (Kind.INTERNAL, set())
    assert [aside.reason for aside in told.set_aside] == ["customer_note: unknown"]


@pytest.mark.parametrize("status", sorted(mapping.DRAFTS))
def test_an_order_that_nobody_has_placed_yet_is_none(status):
    orders = recorded("orders")
    orders[0]["status"] = status

    assert {one.id for one in page(orders=orders).threads} == {"729"}


@pytest.mark.parametrize("status", ["pending", "cancelled", "completed", "refunded", "of-a-plugin"])
def test_whatever_became_of_an_order_its_buyer_said_something(status):
    orders = recorded("orders")
    orders[0]["status"] = status

    assert ended(page(notes=[], orders=orders)) == [("order-727", None, None)]


@pytest.mark.parametrize("date", [None, "", "soon", "2026-13-45T00:00:00"])
def test_what_has_no_date_is_kept_with_none(date):
    message, told = note(date_created_gmt=date)

    assert message.sent_at is None
    assert "date_created_gmt: no date" in {aside.reason for aside in told.set_aside}


@pytest.mark.parametrize("billing", [[], {}, None])
def test_an_order_of_nobody_is_read(billing):
    orders = recorded("orders")
    orders[0]["billing"] = billing
    thread = page(orders=orders).threads[0]

    assert (thread.buyer, thread.reply_to) == ("", {"kind": "woocommerce"})
