"""Trap 47: what the mailbox's own server found out about the sender, and nobody else's word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.transport import authentication, mime
from core.transport.authentication import Findings, Signature
from tests.core import letters

MX = "mx.shop.example"
AMAZON = "marketplace.amazon.de"
GOOD = (
    f"{MX}; dkim=pass header.i=@{AMAZON} header.s=abc header.b=x; dkim=pass header.d=amazonses.com;"
    " spf=pass (mx: x@eu.amazonses.com designates 1.2.3.4) smtp.mailfrom=x@eu.amazonses.com;"
    f" dmarc=pass (p=QUARANTINE) header.from={AMAZON}"
)


def findings(*values: str, trusted: tuple[str, ...] = (MX,)) -> Findings | None:
    lines = "".join(f"Authentication-Results: {value}\r\n" for value in values)
    return authentication.findings(mime.read(lines.encode() + letters.letter()).headers, trusted)


def test_a_servers_findings_are_read():
    assert findings(GOOD) == Findings(
        MX,
        (Signature("pass", AMAZON), Signature("pass", "amazonses.com")),
        "pass",
        "eu.amazonses.com",
        "pass",
        AMAZON,
    )


@pytest.mark.parametrize("values", [(), ("other.example; dkim=pass header.d=amazon.de",)])
def test_what_no_trusted_server_says_is_not_believed(values):
    assert findings(*values) is None


def test_a_header_of_a_trusted_name_below_the_topmost_is_forged():
    told = findings(f"{MX}; dkim=fail header.d={AMAZON}", GOOD)

    assert told.dkim == (Signature("fail", AMAZON),)
    assert told.dmarc == "unknown"
    assert not told.vouches_for(AMAZON)


def test_strangers_headers_above_are_passed_over():
    assert findings("relay.other.example; dkim=fail header.d=x", GOOD).vouches_for(AMAZON)


def test_a_server_without_a_name_is_trusted_only_where_the_caller_says_so():
    value = f"spf=pass smtp.mailfrom=x; dkim=pass header.d={AMAZON};dmarc=pass header.from={AMAZON}"

    assert findings(value) is None
    assert findings(value, trusted=("",)).vouches_for(AMAZON)
    assert findings(value, trusted=("",)).spf == "pass"


@pytest.mark.parametrize(
    ("value", "verdict", "domain"),
    [
        (f"{MX} 1; DKIM = Pass header.D = Amazon.DE", "pass", "amazon.de"),
        (f"{MX.upper()}; dkim=pass (a; dkim=fail) header.d=amazon.de", "pass", "amazon.de"),
        (f"{MX}; dkim=pass (nested (comment) \\) here) header.d=amazon.de", "pass", "amazon.de"),
        (f'{MX}; dkim=pass reason="good; signature" header.d=amazon.de', "pass", "amazon.de"),
        (f"{MX}; dkim/1=hardfail header.d=amazon.de.", "fail", "amazon.de"),
        (f"{MX}; dkim=invented header.d=amazon.de", "unknown", "amazon.de"),
        (f"{MX}; dkim=temperror", "temperror", ""),
        (f"{MX}; dkim=pass header.i=@a.example header.d=b.example", "pass", "b.example"),
        (f"{MX}; dkim=pass header.d=a.example header.d=b.example", "pass", "a.example"),
    ],
)
def test_the_grammar_is_read(value, verdict, domain):
    assert findings(value).dkim == (Signature(verdict, domain),)


@pytest.mark.parametrize(
    "value",
    [
        f"{MX}; none",
        f"{MX}",
        f"{MX};;;",
        f"{MX}; (dkim=pass header.d={AMAZON})",
        f"{MX}; (dkim=pass header.d={AMAZON}",
        f"{MX}; arc=pass header.d={AMAZON}",
        f"{MX}; spf=pass smtp.mailfrom={AMAZON}",
        f'{MX}; spf=pass smtp.mailfrom="x; dkim=pass header.d={AMAZON}; "@evil.example',
        f'{MX}; spf=fail smtp.mailfrom="dkim=pass header.d={AMAZON}"@evil.example',
        f'{MX}; dkim=pass header.i="header.d={AMAZON} "@evil.example',
        f'{MX}; dkim=pass header.i="x header.d={AMAZON} y"@evil.example',
        f"{MX}; dkim=pass header.d=evil{AMAZON}",
        f"{MX}; dkim=pass header.d={AMAZON}.evil.example",
        f"{MX}; dkim=fail header.d={AMAZON}; dkim=pass header.d=evil.example",
        f"{MX}; dmarc=fail header.from={AMAZON}",
        f"{MX}; dmarc=pass header.from=evil.example",
        f"{MX}; spf=pass smtp.mailfrom==?utf-8?q?x=3B_dkim=3Dpass_header=2Ed=3D{AMAZON}?=",
    ],
)
def test_nothing_else_vouches(value):
    assert not findings(value).vouches_for(AMAZON)


def test_a_signature_of_a_domain_vouches_for_what_it_is_part_of():
    assert findings(f"{MX}; dkim=pass header.d=m.{AMAZON}").vouches_for(AMAZON)
    assert not findings(f"{MX}; dkim=pass header.d=amazon.de").vouches_for(AMAZON)
    assert not findings(f"{MX}; dkim=pass header.d=").vouches_for("")


def test_a_sender_who_writes_the_proof_himself_proves_nothing():
    headers = mime.read(letters.forged()).headers

    assert authentication.findings(headers, ("mx.google.com",)) is None


WORDS = st.sampled_from(
    [
        MX,
        ";",
        "dkim=pass",
        "dkim",
        "=",
        "(",
        ")",
        '"',
        "\\",
        "header.d=",
        AMAZON,
        " ",
        "spf=x",
        "dmarc=pass",
    ]
)


@given(st.lists(WORDS).map("".join) | st.text())
def test_any_header_is_read(value):
    told = authentication.findings({"authentication-results": (value,)}, (MX, ""))

    assert told is None or {told.spf, told.dmarc} <= authentication.VERDICTS


@given(st.lists(WORDS).map("".join))
def test_no_quoted_word_and_no_comment_ever_vouches(value):
    hidden = value.replace('"', "").replace("\\", "").replace("(", "").replace(")", "")
    for shape in ('{}; spf=pass smtp.mailfrom="{}"@x', "{}; spf=pass ({}) smtp.mailfrom=x"):
        told = authentication.findings(
            {"authentication-results": (shape.format(MX, hidden),)}, (MX,)
        )

        assert not told.vouches_for(AMAZON)
