"""What is told of a reply before it leaves: each rule by a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors import webstore
from connectors.amazon import offer as amazon
from connectors.ebay import offer as ebay
from connectors.ebay import spec as ebay_spec
from connectors.webstore.meta.pages import offer as pages_offer
from connectors.webstore.meta.pages.platform import INSTAGRAM
from core.connector import Capabilities, Unwelcome
from core.desk import contacts, filling, limits
from core.model import File, Thread

CAN = Capabilities(
    replies=True,
    shortest_reply=3,
    longest_reply=10,
    most_enclosed=3 * 10**6,
    most_each=2 * 10**6,
    most_files=2,
    enclosed=frozenset({"image/png"}),
    linked=frozenset({"image/png", "application/pdf"}),
)
PNG = File("a.png", b"x", "image/png")
LINKED = File("b.pdf", media_type="application/pdf", url="https://files.example/b.pdf")
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def rules(text, can=CAN, files=(), known=()):
    return [one.rule for one in limits.complaints(text, can, files, known)]


@pytest.mark.parametrize(
    ("text", "files", "said"),
    [
        ("Hello", (PNG, LINKED), []),
        ("  ", (), ["empty"]),
        ("Hi", (), ["shortest"]),
        ("x" * 11, (), ["longest"]),
        ("A\x07B\x00C", (), ["control", "control"]),
        ("{{ due }}", (), ["gap"]),
        ("Hello", (PNG,) * 3, ["most_files"]),
        ("Hello", (File("c.png", b"x" * 2_000_001, "image/png"),), ["most_each"]),
        ("Hello", (File("c.png", b"x" * 1_900_000, "image/png"),) * 2, ["most_enclosed"]),
        ("Hello", (File("c.pdf", b"x", "application/pdf"),), ["by_address"]),
        ("Hello", (File("c.exe", b"MZ"),), ["kind"]),
        ("Hello", (File("c.exe", url="https://x.example/c.exe"),), ["kind"]),
    ],
)
def test_each_limit_is_told(text, files, said):
    assert rules(text, files=files) == said


def test_all_that_is_wrong_is_told_at_once_with_its_place_and_what_blocks_first():
    can = Capabilities(replies=True, longest_reply=20, unwelcome=(Unwelcome("link", "a page"),))
    text = "See www.shop.example now {{due}}"

    found = limits.complaints(text, can, (PNG,))

    assert [one.rule for one in found] == ["longest", "gap", "enclosed", "link"]
    assert [text[one.start : one.end] for one in found if one.start is not None] == [
        " now {{due}}", "{{due}}", "www.shop.example",
    ]  # fmt: skip
    assert [one.blocks for one in found] == [True, True, True, False]
    assert found[0].text == "a reply has 20 characters at most there, this one has 32; shorten it"
    assert found[3].source == "a page"


def test_a_window_that_has_shut_is_told_and_blocks_nothing():
    kind = webstore.KINDS["whatsapp"]
    can = replace(CAN, window=timedelta(hours=24))
    asked = Thread(id="1", as_of=NOW, reply_to={"asked_at": str(int(NOW.timestamp()))})

    there = kind.narrows(can, asked)

    assert there.until == NOW + timedelta(hours=24)
    assert limits.complaints("Hello", there, now=there.until) == ()
    [one] = limits.complaints("Hello", there, now=there.until + timedelta(seconds=1))
    assert (one.rule, one.blocks) == ("shut", False)
    assert kind.narrows(can, Thread(id="1", as_of=NOW)).until is None


def test_every_rule_says_what_is_wrong():
    for rule in limits.SAID:
        facts = dict.fromkeys(
            ("character", "at", "least", "most", "unit", "length", "name", "type"), "x"
        )
        assert limits.Complaint(rule, facts).text


@pytest.mark.parametrize(("text", "fits"), [("é" * 500, True), ("é" * 500 + "e", False)])
def test_bytes_are_counted_where_the_marketplace_counts_bytes(text, fits):
    assert (rules(text, pages_offer.can(INSTAGRAM)) == []) is fits


def test_what_is_too_long_in_bytes_begins_at_a_whole_character():
    can = Capabilities(replies=True, longest_reply=4, longest_in="bytes")

    [one] = limits.complaints("aéé€", can)

    assert (one.start, one.end) == (2, 4)


REFUSED = Capabilities(
    replies=True,
    unwelcome=(
        Unwelcome("link", "", frozenset({"market.example"}), is_refused=True),
        Unwelcome("address", ""),
        Unwelcome("phone", ""),
    ),
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Look at https://shop.example/a?b=c.", ["link"]),
        ("Look at http://market.example/a and https://help.market.example", []),
        ("https://market.example.evil.example/", ["link"]),
        ("https://market.example@evil.example/", ["link"]),
        ("On shop-name.de, please", ["link"]),
        ("It ended.The parcel left.", []),
        ("Write to service@shop.example.com!", ["address"]),
        ("mail me: a.b+c@sub.shop.co.uk", ["address"]),
        ("Call +49 (0) 30 / 90 18 20.", ["phone"]),
        ("0049 30 901820", ["phone"]),
        ("Tel. 030 / 901 820", ["phone"]),
        ("(555) 234-5678? No: (415) 234-5678", ["phone", "phone"]),
        ("Order 405-1234567-1234567 of 2026-11-23", []),
        ("On 01.02.2026 at 09:15, or 01/02/2026", []),
        ("Parcel 00340434161094042557 for 1 234,50 EUR", []),
        ("Item 4006381333931, 0.5 kg, EAN", []),
        ("We are sorry: it comes to 1000 Berlin by 12.12.", []),
    ],
)
def test_ways_around_the_marketplace_are_found_and_numbers_are_none(text, said):
    known = ("405-1234567-1234567",)

    assert rules(text, REFUSED, known=known) == said


def test_a_link_that_is_always_turned_away_blocks():
    [link, address] = limits.complaints("https://x.example a@b.example", REFUSED)

    assert (link.blocks, address.blocks) == (True, False)


def test_where_nothing_is_forbidden_nothing_is_looked_for():
    assert rules("https://x.example a@b.example", Capabilities(replies=True)) == []


@pytest.mark.parametrize("can", [amazon.UNWELCOME, ebay.UNWELCOME], ids=["amazon", "ebay"])
def test_amazon_and_ebay_say_what_their_rules_forbid_and_where_that_stands(can):
    assert {one.what for one in can} == {"link", "address", "phone"}
    assert all(one.source for one in can)
    assert not any(one.is_refused for one in can)


@pytest.mark.parametrize(
    ("thread", "most"), [("5030001234", 60 * 10**6), ("exchange:1", 0), ("return:1", 0)]
)
def test_a_thread_may_take_less_than_its_account(thread, most):
    can = Capabilities(replies=True, most_enclosed=60 * 10**6, most_files=5, linked=None)

    assert ebay_spec.narrows(can, Thread(id=thread, as_of=NOW)).most_enclosed == most


def test_a_text_of_endless_digits_or_dots_takes_no_endless_time():
    for text in ("1 " * 100_000, "a." * 100_000, "@" * 100_000, "+1" * 100_000, "0-" * 100_000):
        contacts.found(text)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{a}} and {{ b }}", "1 and {{b}}"),
        ("{{a}}{{a}}", "11"),
        ("{{A}} {a} {{a", "{{A}} {a} {{a"),
        ("{{c}}", "{{a}}"),
    ],
)
def test_a_gap_is_filled_once_with_what_is_known(text, filled):
    assert filling.fill(text, {"a": "1", "b": None, "c": "{{a}}"}) == filled


def test_what_no_gap_could_ask_for_is_named():
    assert filling.unknown("{{order_id}} {{colour}} {{colour}}") == ["colour"]
