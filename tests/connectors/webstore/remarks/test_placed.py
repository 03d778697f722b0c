"""An order with a remark as a thread: what it is called, and who its buyer is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore.remarks import placed
from connectors.webstore.remarks.placed import Placed
from core.store import buyers
from sla.policy import Party

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def order(**more):
    told = {
        "kind": "shop", "id": "7", "number": "#1007", "remark": "Please ring twice.",
        "placed_at": NOW, "changed_at": NOW, "name": "Ana", "mail": "Ana@Mail.example",
        "phone": "+49 (171) 234-567",
    }  # fmt: skip
    return Placed(**{**told, **more})


def test_what_the_buyer_remarked_is_a_message_of_theirs():
    message = placed.remark(order())

    assert (message.party, message.id, message.thread) == (Party.BUYER, "order-7", "7")
    assert (message.body, message.sent_at, message.order_id) == ("Please ring twice.", NOW, "1007")


def test_the_order_is_known_by_what_its_buyer_calls_it():
    thread = placed.thread(order(), NOW)

    assert (thread.id, thread.order_ids, thread.subject) == ("7", ("1007",), "#1007")
    assert thread.reply_to == {"kind": "shop", "mail": "ana@mail.example", "phone": "+49171234567"}


def test_an_order_and_a_call_from_its_phone_have_a_key_in_common():
    keys = buyers.Keys(b"s" * 32, buyers.Group("a", "shop"))
    mine = keys.of(("1007",), placed.thread(order(), NOW).reply_to)

    assert set(keys.of((), {"phone": "+49171234567"})) < set(mine)
    assert set(keys.of((), {"mail": "ana@mail.example"})) < set(mine)
    assert set(keys.of(("1007",), {})) < set(mine)


@pytest.mark.parametrize("number", ["", " ", "#", "\0", "x" * 1001])
def test_an_order_without_a_number_is_called_by_its_id(number):
    assert placed.thread(order(number=number), NOW).order_ids == ("7",)
    assert placed.remark(order(number=number)).order_id == "7"


@pytest.mark.parametrize("told", [None, NOW + timedelta(days=1)])
def test_a_state_of_nobody_knows_when_is_of_now(told):
    assert placed.thread(order(changed_at=told), NOW).as_of == NOW


def test_who_is_not_named_is_called_by_the_address():
    assert placed.thread(order(name=""), NOW).buyer == "Ana@Mail.example"
    assert placed.thread(order(name="", mail=None, phone=None), NOW).buyer == ""


@pytest.mark.parametrize("remark", ["", " \n\t"])
def test_nothing_is_no_remark(remark):
    assert not order(remark=remark).is_remarked


def test_no_words_of_a_buyer_stand_in_what_is_printed():
    assert "ring" not in repr(order())
    assert "Ana" not in repr(order())


def test_half_a_character_is_no_number_and_no_address():
    one = order(number="#\ud8001007", mail="\ud800@mail.example", name="\ud800", remark="\ud800")

    assert (placed.remark(one).order_id, placed.thread(one, NOW).order_ids) == ("7", ("7",))
    assert "mail" not in placed.thread(one, NOW).reply_to
