"""Whose word about a signature is believed, and what it comes to."""

from __future__ import annotations

import pytest

from connectors.amazon import trust
from tests.connectors.amazon.letters import mail

OURS = ("mx.shop.example",)


def of(*results, servers=OURS, **more):
    letter = mail("x", **more)
    headers = {**letter.headers, "authentication-results": results}
    return trust.of(type(letter)(**{**fields(letter), "headers": headers}), servers)


def fields(letter):
    return {name: getattr(letter, name) for name in letter.__slots__}


@pytest.mark.parametrize(
    ("results", "trusted"),
    [
        ("dkim=pass header.d=amazon.de", True),
        ("dkim=pass header.d=marketplace.amazon.de; spf=fail smtp.mailfrom=shop.example", True),
        ("dkim=fail header.d=amazonses.com; dkim=pass header.i=@amazon.co.uk", True),
        ("dmarc=pass header.from=marketplace.amazon.de; dkim=none", True),
        ("dkim=fail header.d=amazon.de", False),
        ("dkim=none; dmarc=fail header.from=amazon.de", False),
        ("dkim=none", False),
        ("dkim=pass header.d=amazonses.com", False),
        ("dkim=pass header.d=evil.example; dmarc=pass header.from=evil.example", False),
        ("dkim=pass header.d=amazon.com.evil.example", False),
        ("dkim=pass header.d=marketplace-amazon.de", False),
        ("dkim=temperror header.d=amazon.de", None),
        ("dkim=none; dmarc=fail header.from=amazon.de; dkim=pass header.d=amazon.de", None),
        ("dkim=pass header.d=amazon.de; dmarc=fail header.from=lists.example", True),
        ("dkim=neutral header.d=amazon.de; dkim=pass header.d=amazonses.com", None),
        ("spf=pass smtp.mailfrom=amazonses.com", None),
        ("spf=fail smtp.mailfrom=shop.example", None),
        ("none", None),
    ],
)
def test_trap_47_only_a_signature_of_amazons_own_domains_counts(results, trusted):
    assert of(f"mx.shop.example; {results}") is trusted


def test_trap_47_what_others_write_about_signatures_is_nobodys_word():
    assert of("mx.evil.example; dkim=pass header.d=amazon.de") is None
    assert of("mx.shop.example; dkim=fail header.d=amazon.de",
              "mx.shop.example; dkim=pass header.d=amazon.de") is False  # fmt: skip
    assert of("mx.shop.example; dkim=pass header.d=amazon.de", servers=()) is None
    assert of() is None


def test_who_does_not_claim_to_be_amazon_is_not_forged():
    told = "mx.shop.example; dkim=pass header.d=mail.example"

    assert of(told, sender="mailer-daemon@mail.example") is None
    assert of("mx.shop.example; dkim=pass header.d=amazon.de", sender="list@shop.example") is True


def test_a_letter_of_two_senders_is_nobodys():
    assert of("mx.shop.example; dkim=pass header.d=amazon.de", faults=("sender_repeated",)) is False
