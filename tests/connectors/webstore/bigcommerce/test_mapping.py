"""BigCommerce's messages to our words: recorded answers, and odd ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.webstore.bigcommerce import mapping, offer
from connectors.webstore.bigcommerce.mapping import Read
from connectors.webstore.bigcommerce.payload import Entries, Orders
from core.transport import salvage
from sla.clock import Delivery, Kind, clocks
from sla.policy import Party, ThreadKind
from tests.connectors.books import turn

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RECORDED = Path(__file__).parent / "recorded"


def recorded(name):
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


def page(entries=None, orders=None):
    told = salvage.read(Entries, {"items": entries or recorded("order_messages")}).value
    of = salvage.read(Orders, {"items": orders or recorded("orders")}).value
    return mapping.page([Read(of.items[0], tuple(told.items)), Read(of.items[1], ())], NOW)


def one(**more):
    told = page(entries=[{**recorded("order_messages")[0], **more}])
    return told.messages[0], told


def test_recorded_messages_become_turns_of_the_right_parties():
    told = {m.id: (m.party, m.kind, m.delivery, set(m.to)) for m in page().messages}

    assert told == {
        "1": (Party.BUYER, Kind.MESSAGE, None, set()),
        "2": (Party.SELLER, Kind.MESSAGE, Delivery.CONFIRMED, {Party.BUYER}),
        "3": (Party.BUYER, Kind.MESSAGE, None, set()),
    }
    assert {m.sent_at for m in page().messages if m.id == "3"} == {
        datetime(2026, 11, 5, 10, 15, 30, tzinfo=UTC)
    }


def test_an_order_is_a_thread_once_somebody_wrote_about_it():
    (thread,) = page().threads

    assert (thread.id, thread.order_ids, thread.subject) == ("250", ("250",), "My order")
    assert thread.buyer == "Ana Sample"
    assert thread.reply_to == {
        "kind": "bigcommerce",
        "mail": "ana.sample@mail.example",
        "phone": "+351210000000",
    }
    assert {m.order_id for m in page().messages} == {"250"}


def test_a_number_is_known_however_the_buyer_wrote_it():
    orders = recorded("orders")
    orders[0]["billing_address"] |= {"phone": "+351 (21) 000-0000"}
    (thread,) = page(orders=orders).threads

    assert thread.reply_to["phone"] == "+351210000000"


def test_a_number_that_is_no_international_one_names_nobody():
    orders = recorded("orders")
    orders[0]["billing_address"] |= {"phone": "210 000 000", "email": "no mail"}
    (thread,) = page(orders=orders).threads

    assert thread.reply_to == {"kind": "bigcommerce"}


def test_that_somebody_read_it_is_no_answer():
    read = [{**entry, "status": "read"} for entry in recorded("order_messages")]
    turns = [turn(m, NOW) for m in page(entries=read).messages]
    found = clocks(turns, [offer.MESSAGE], [], kind=ThreadKind.MESSAGE)

    assert [(c.started_by, c.ended) for c in found] == [("1", "late"), ("3", None)]


@pytest.mark.parametrize("staff", [0, "0", None])
def test_without_staff_the_customer_wrote(staff):
    message, told = one(staff_id=staff)

    assert message.party is Party.BUYER
    assert told.set_aside == ()


@pytest.mark.parametrize("staff", ["x", True, {"id": 4}, -1, 1.5])
def test_a_message_of_nobody_knows_whom_waits_and_is_looked_at(staff):
    message, told = one(staff_id=staff)

    assert message.party is Party.BUYER
    assert [aside.reason for aside in told.set_aside] == ["staff_id: unknown"]


@pytest.mark.parametrize("date", [None, "", "soon", "Xyz, 99 Foo 2026"])
def test_a_message_without_a_date_is_kept_with_none(date):
    message, told = one(date_created=date)

    assert message.sent_at is None
    assert "date_created: no date" in {aside.reason for aside in told.set_aside}


@pytest.mark.parametrize(
    "text",
    ["Thu, 05 Nov 2026 10:15:30 +0000", "Thu, 05 Nov 2026 12:15:30 +0200",
     "2026-11-05T10:15:30+00:00", "2026-11-05T10:15:30Z"],
)  # fmt: skip
def test_dates_are_of_either_kind(text):
    assert mapping.at(text) == datetime(2026, 11, 5, 10, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(("told", "language"), [("de", "de"), ("pt-br", "pt-BR"), ("", None)])
def test_a_customer_writes_in_the_language_of_the_order(told, language):
    orders = [{**one, "customer_locale": told} for one in recorded("orders")]

    assert {(one.party, one.language) for one in page(orders=orders).messages} == {
        (Party.BUYER, language), (Party.SELLER, None),
    }  # fmt: skip
