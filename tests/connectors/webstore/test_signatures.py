"""Trap 15: digests are over the raw bytes, and each source spells them in its own way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore import signatures

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
# RFC 4231, test case 2.
KEY, BODY = b"Jefe", b"what do ya want for nothing?"
HEX = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_trap_15_the_same_digest_in_hex_and_in_base64():
    assert signatures.in_hex(KEY, BODY) == HEX
    assert signatures.in_base64(KEY, BODY) == "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="


def test_trap_15_twilios_is_over_the_public_address_and_the_sorted_fields():
    """Twilio's own example."""
    fields = {
        "CallSid": ["CA1234567890ABCDE"],
        "Caller": ["+14158675309"],
        "Digits": ["1234"],
        "From": ["+14158675309"],
        "To": ["+18005551212"],
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"

    assert signatures.over_address(b"12345", url, fields) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    assert signatures.over_address(b"12345", url[:-1], fields) != "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize("away", [0, 299, -299])
def test_a_second_near_now_is_fresh(away):
    second = str(int(NOW.timestamp()) + away)

    assert signatures.is_fresh(second, NOW, timedelta(minutes=5))


@pytest.mark.parametrize(
    "second", [str(int(NOW.timestamp()) - 301), "", "x", "-1", "1e9", "9" * 40, "\u0661"]
)
def test_any_other_is_not(second):
    assert not signatures.is_fresh(second, NOW, timedelta(minutes=5))


@pytest.mark.parametrize(
    ("url", "also"),
    [
        ("https://a.example/x?y=1", "https://a.example:443/x?y=1"),
        ("https://a.example:8443/x", "https://a.example/x"),
        ("http://[::1]/x", "http://[::1]:80/x"),
        ("https://u:p@a.example/x", "https://u:p@a.example:443/x"),
    ],
)
def test_an_address_counts_with_its_port_and_without(url, also):
    assert signatures.addresses(url) == (url, also)
