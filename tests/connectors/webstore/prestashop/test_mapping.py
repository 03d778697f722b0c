"""PrestaShop's rows to our words: recorded answers, odd ones, and the hour that comes twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.webstore.prestashop import local_time, mapping
from connectors.webstore.prestashop.mapping import Read
from connectors.webstore.prestashop.payload import OrderRows, Row, Rows, Settings, ThreadRows
from core.transport import salvage
from sla.clock import Delivery, Kind
from sla.policy import Party

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
RECORDED = Path(__file__).parent / "recorded"


def recorded(name):
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


def read(rows=None, threads=None, orders=None, shop=None):
    """The recorded answers as a page, with rows or threads of one's own."""
    got = salvage.read(Rows, rows or recorded("customer_messages")).value
    of = salvage.read(ThreadRows, threads or recorded("customer_threads")).value
    named = salvage.read(OrderRows, orders or recorded("orders")).value
    return mapping.page(
        Read(
            tuple(got.customer_messages),
            {one.id: one for one in of.customer_threads},
            {one.id: one.reference for one in named.orders},
            PARIS,
            shop,
        ),
        NOW,
    )


def row(number, **more):
    return Row(**{"id": number, "id_customer_thread": "77", "id_employee": "0", "private": "0",
                  "message": "Hello", "date_add": "2026-11-02 10:00:00", **more})  # fmt: skip


def one(**more):
    told = row("1", **more).model_dump()
    page = read(rows={"customer_messages": [told]})
    return next(m for m in page.messages if m.kind is not Kind.SYSTEM), page


def test_recorded_rows_become_turns_of_the_right_parties():
    page = read()
    told = {m.id: (m.party, m.kind, m.delivery) for m in page.messages if m.thread == "77"}

    assert told == {
        "501.20261102100000": (Party.BUYER, Kind.MESSAGE, None),
        "502.20261102103000": (Party.SELLER, Kind.INTERNAL, Delivery.CONFIRMED),
        "503.20261102110000": (Party.SELLER, Kind.MESSAGE, Delivery.CONFIRMED),
        "77/closed.20261102110001": (Party.MARKETPLACE, Kind.SYSTEM, None),
    }
    assert {m.sent_at for m in page.messages if m.id.startswith("501")} == {
        datetime(2026, 11, 2, 9, tzinfo=UTC)
    }


def test_only_an_answer_is_addressed_to_the_buyer():
    assert {m.id[:3]: set(m.to) for m in read().messages if m.party is Party.SELLER} == {
        "502": set(),
        "503": {Party.BUYER},
    }


def test_a_thread_names_order_mail_and_token_and_its_kind():
    (thread,) = [t for t in read().threads if t.id == "77"]

    assert thread.order_ids == ("XKBKNABJK",)
    assert thread.buyer == "Ana.Sample@mail.example"
    assert thread.reply_to == {
        "kind": "prestashop",
        "mail": "ana.sample@mail.example",
        "token": "fYbQ3mCzGxT0",
    }
    assert {m.order_id for m in read().messages if m.thread == "77" and m.body} >= {"XKBKNABJK"}


def test_a_thread_without_order_or_associations_is_read():
    (thread,) = [t for t in read().threads if t.id == "78"]

    assert thread.order_ids == ()
    assert thread.closed_at is None


def test_a_zone_is_told_by_the_configuration():
    assert salvage.read(Settings, recorded("configurations")).value.configurations[0].value == (
        "Europe/Paris"
    )


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("It&#039;s broken &amp; wet", "It's broken & wet"),
        ("3 < 5 and 7 > 2", "3 < 5 and 7 > 2"),
        ("First<br />\nsecond", "First\nsecond"),
        ("Line\n<b>bold</b> line", "Line\nbold line"),
        ("<p>Dear shop</p><p>Where &eacute;t&eacute;?</p>", "Dear shop\n\nWhere été?"),
    ],
)
def test_html_and_entities_are_shown_as_a_person_reads_them(told, shown):
    message, _ = one(message=told)

    assert message.body == shown
    assert message.raw == (None if told == shown else told.encode())


def test_an_attachment_is_named():
    message, _ = one(file_name="1f0c.jpg")

    assert [(a.name, a.media_type) for a in message.attachments] == [("1f0c.jpg", "image/jpeg")]


@pytest.mark.parametrize("employee", [None, "", "x", "-1", True])
def test_a_message_of_nobody_knows_whom_waits_as_a_buyers(employee):
    message, page = one(id_employee=employee)

    assert (message.party, message.kind) == (Party.BUYER, Kind.MESSAGE)
    assert [aside.reason for aside in page.set_aside] == ["id_employee: unknown"]


def test_a_private_message_of_a_customer_waits_and_is_looked_at():
    message, page = one(private="1")

    assert (message.party, message.kind) == (Party.BUYER, Kind.MESSAGE)
    assert [aside.reason for aside in page.set_aside] == ["private: said of a customer's message"]


@pytest.mark.parametrize("private", [None, "", "2", "no"])
def test_a_row_of_which_nobody_knows_whether_it_is_private_is_no_answer(private):
    message, page = one(id_employee="3", private=private)

    assert (message.party, message.kind) == (Party.SELLER, Kind.INTERNAL)
    assert [aside.reason for aside in page.set_aside] == ["private: unknown"]


def test_an_unknown_status_is_open_and_looked_at():
    threads = recorded("customer_threads")
    threads["customer_threads"][0]["status"] = "escalated"
    page = read(threads=threads)

    assert not [m for m in page.messages if m.kind is Kind.SYSTEM and m.thread == "77"]
    assert "status: unknown" in {aside.reason for aside in page.set_aside}


@pytest.mark.parametrize("date", [None, "", "0000-00-00 00:00:00", "2026-13-01 00:00:00", "soon"])
def test_a_row_without_a_date_is_kept_with_none(date):
    message, page = one(date_add=date)

    assert message.sent_at is None
    assert "date_add: no date" in {aside.reason for aside in page.set_aside}


@pytest.mark.parametrize(("shop", "count"), [(None, 1), (1, 1), (2, 0)])
def test_a_shop_reads_its_own_threads(shop, count):
    page = read(shop=shop)

    assert len([t for t in page.threads if t.id == "77"]) == count


def test_a_token_that_is_none_stands_in_no_subject():
    threads = recorded("customer_threads")
    threads["customer_threads"][0]["token"] = "a b]\r\nBcc: x@y.example"
    (thread,) = [t for t in read(threads=threads).threads if t.id == "77"]

    assert "token" not in thread.reply_to


# The hour that comes twice: on 2026-10-25 Paris goes from 03:00 back to 02:00


def test_trap_23_of_two_instants_the_first_is_meant():
    assert local_time.instant("2026-10-25 02:30:00", PARIS) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


def test_trap_23_a_later_number_is_no_earlier_message():
    rows = [
        row("1", date_add="2026-10-25 02:10:00").model_dump(),
        row("2", date_add="2026-10-25 02:40:00", id_employee="1").model_dump(),
        row("3", date_add="2026-10-25 02:15:00").model_dump(),
    ]
    page = read(rows={"customer_messages": rows})
    at = {m.id[0]: m.sent_at for m in page.messages if m.kind is not Kind.SYSTEM}

    assert at["1"] == datetime(2026, 10, 25, 0, 10, tzinfo=UTC)
    assert at["2"] == datetime(2026, 10, 25, 0, 40, tzinfo=UTC)
    assert at["3"] == datetime(2026, 10, 25, 1, 15, tzinfo=UTC)


def test_trap_23_an_hour_that_never_was_is_an_instant_all_the_same():
    assert local_time.instant("2026-03-29 02:30:00", PARIS) == datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )


@pytest.mark.parametrize("zone", ["Europe/Paris", "Asia/Tokyo", "America/New_York", "UTC"])
def test_trap_23_what_the_wall_shows_is_read_back(zone):
    zone = ZoneInfo(zone)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(60):
        at += timedelta(days=6, hours=7, minutes=3)
        assert local_time.instant(local_time.shown(at, zone), zone) == at
