"""Relay aliases, Amazon's own senders, and those who look like them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.amazon import addresses, marketplaces
from tests.connectors.amazon.letters import ALIAS, BARE, CASE, LOCAL

TLDS = [
    "com", "ca", "com.mx", "com.br", "co.uk", "de", "fr", "it", "es", "nl", "se", "pl", "com.be",
    "ie", "com.tr", "ae", "sa", "eg", "in", "sg", "com.au", "co.jp",
]  # fmt: skip


@pytest.mark.parametrize("tld", TLDS)
@pytest.mark.parametrize("sub", ["", "m."])
@pytest.mark.parametrize("case", [None, CASE, "1a2b3c4d"])
def test_trap_02_an_alias_has_any_of_22_domains_with_and_without_a_case(tld, sub, case):
    tag = f"+{case}" if case else ""
    found = addresses.alias(f"{LOCAL}{tag}@{sub}marketplace.amazon.{tld}")

    assert found
    assert (found.local, found.tld, found.case) == (LOCAL, tld, case)
    assert found.buyer == f"{LOCAL}@marketplace.amazon.{tld}"
    assert found.uuid == (case if case == CASE else None)


def test_there_are_22_domains_with_a_relay():
    assert set(TLDS) == marketplaces.RELAY_TLDS
    assert len(TLDS) == 22


def test_trap_03_the_answer_goes_to_the_whole_alias_and_the_buyer_is_its_base():
    whole, bare = addresses.alias(ALIAS), addresses.alias(BARE)

    assert whole.address == ALIAS
    assert whole.buyer == bare.buyer == BARE
    assert whole.digest == bare.digest
    assert LOCAL not in whole.digest


def test_letters_may_be_large_or_small():
    found = addresses.alias(ALIAS.upper())

    assert (found.local, found.case, found.address) == (LOCAL, CASE, ALIAS.upper())


def test_a_tag_that_is_no_case_is_kept_in_the_address_only():
    found = addresses.alias(f"{LOCAL}+orders-2@marketplace.amazon.de")

    assert (found.case, found.address) == (None, f"{LOCAL}+orders-2@marketplace.amazon.de")


@pytest.mark.parametrize(
    "address",
    [
        "k3v9q2m7t1x4b8z@marketplace.amazon.cn",
        "k3v9q2m7t1x4b8z@marketplace.amazon.com.evil.example",
        "k3v9q2m7t1x4b8z@marketplace-amazon.de",
        "k3v9q2m7t1x4b8z@marketplaceamazon.de",
        "k3v9q2m7t1x4b8z@evilmarketplace.amazon.de",
        "k3v9q2m7t1x4b8z@marketplace.amazon.de.",
        "k3v9q2m7t1x4b8z@marketplace.xn--amazn-mua.de",
        "k3v9q2m7t1x4b8z@marketplace.аmazon.de",  # noqa: RUF001  # a Cyrillic letter: that is the point
        "k3v9q2m7t1x4b8z@amazon.de",
        "@marketplace.amazon.de",
        "a b@marketplace.amazon.de",
        "x@y@marketplace.amazon.de",
        "no-reply@marketplace.amazon.it",
        "donotreply@marketplace.amazon.it",
        "k3v9q2m7t1x4b8z@marketplace.amazon.de\nBcc: x@evil.example",
        "",
    ],
)
def test_trap_47_what_is_no_alias_passes_for_none(address):
    assert addresses.alias(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "donotreply@amazon.com", "auto-communication@amazon.com", "no-reply@marketplace.amazon.fr",
        "atoz-guarantee-no-reply@amazon.co.jp", "x@seller.amazon.com.mx", "X@AMAZON.DE",
    ],
)  # fmt: skip
def test_amazon_writes_from_its_own_domains(address):
    assert addresses.is_amazon(address)
    assert addresses.is_system(address)


@pytest.mark.parametrize(
    "address",
    [
        "x@amazon.com.evil.example", "x@amazon.co", "x@notamazon.de", "x@amazon-de.example",
        "x@amazonses.com", "x@eu-west-1.amazonses.com", "amazon.com", "x@xn--amazn-mua.com",
        "x@аmazon.com",  # noqa: RUF001  # a Cyrillic letter: that is the point
    ],
)  # fmt: skip
def test_trap_47_look_alikes_are_not_amazon(address):
    assert not addresses.is_amazon(address)


@pytest.mark.parametrize(
    ("name", "address", "pretends"),
    [
        ("Amazon", "x@shop.example", True),
        ("Ada - Amazon Marketplace", "x@evil.example", True),
        ("", "x@amazon.com.evil.example", True),
        ("", "x@ama-zon.example", True),
        ("", "x@xn--mazon-3ve.de", True),
        ("Amazonas Travel", "x@travel.example", False),
        ("Ada", "ada@mail.example", False),
        ("Shop", "x@eu-west-1.amazonses.com", False),
        ("Amazon", "donotreply@amazon.com", False),
        ("", "", False),
    ],
)
def test_trap_47_who_calls_himself_amazon_is_noticed(name, address, pretends):
    assert addresses.pretends(name, address) is pretends


def test_a_signature_of_the_hosting_is_not_amazons():
    assert addresses.owns("marketplace.amazon.co.uk")
    assert addresses.owns("amazon.de")
    assert not addresses.owns("amazonses.com")
    assert not addresses.owns("xamazon.de")


def test_aliases_are_found_in_a_text():
    text = f'<a href="mailto:{BARE}?subject=x">, {ALIAS}; x{BARE}.evil.example {BARE}'

    assert [one.address for one in addresses.aliases(text)] == [BARE, ALIAS]


@given(st.text())
def test_any_text_is_an_alias_or_none(text):
    found = addresses.alias(text)
    addresses.pretends(text, text)

    assert found is None or found.buyer.partition("@")[2].startswith("marketplace.amazon.")


def test_each_marketplace_stands_once_in_the_table():
    assert len(marketplaces.ALL) == len(marketplaces.BY_ID) == len(marketplaces.BY_TLD) == 23
    assert {one.region for one in marketplaces.ALL} == {"na", "eu", "fe"}


def test_trap_09_the_country_is_the_headers_then_the_aliass():
    assert marketplaces.of("A1PA6795UKMFR9", "it").country == "DE"
    assert marketplaces.of("", "it").country == "IT"
    assert marketplaces.of("UNKNOWN", "co.uk").country == "UK"
    assert marketplaces.of("UNKNOWN") is None
