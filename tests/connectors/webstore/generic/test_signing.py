"""Whom a push is believed: every scheme that the settings can say, and what is refused of each."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.webstore.generic import signing
from connectors.webstore.generic.options import GenericOptions
from connectors.webstore.generic.signing import Proven, Webhook
from core.pushes import PushRequest
from tests.connectors.webstore.conftest import NOON
from tests.connectors.webstore.generic.shapes import FLAT

SECRET = "0123456789abcdef"
RAW, KEY = bytes.fromhex(SECRET), SECRET.encode()
BODY = b'{"event": "message.created",  "payload": {"uuid": 1}}'
SECOND = int(NOON.timestamp())
GIVEN = {"endpoint": "https://push.a.example/", "secret": SECRET, "items": "payload"}


def digest(content, algorithm="sha256", key=KEY):
    return hmac.new(key, content, getattr(hashlib, algorithm)).digest()


def b64(raw):
    return b64encode(raw).decode()


def stamped(body, at):
    return f"{at}.".encode() + body


HMAC = {"scheme": "hmac", "header": "X-Signature"}
TIMED = {**HMAC, "signs": "{timestamp}.{body}", "timestamp_header": "X-Time"}
PAIRS = {**HMAC, "signs": "{timestamp}.{body}", "part": "v1", "timestamp_part": "t"}
SLACK = {**HMAC, "signs": "v0:{timestamp}:{body}", "prefix": "v0=", "timestamp_header": "X-Time"}
WITH_ID = {
    **HMAC, "signs": "{id}.{timestamp}.{body}", "timestamp_header": "X-Time", "id_header": "X-Id",
}  # fmt: skip

# What is said in the settings, and what a store of that kind sends, written down by hand.
SCHEMES = {
    "hex": (HMAC, lambda b, t: {"x-signature": digest(b).hex()}),
    "base64": ({**HMAC, "encoding": "base64"}, lambda b, t: {"x-signature": b64(digest(b))}),
    "prefixed": (
        {**HMAC, "prefix": "sha256="}, lambda b, t: {"x-signature": f"sha256={digest(b).hex()}"}),
    "sha1": ({**HMAC, "algorithm": "sha1"}, lambda b, t: {"x-signature": digest(b, "sha1").hex()}),
    "sha512": (
        {**HMAC, "algorithm": "sha512", "encoding": "base64"},
        lambda b, t: {"x-signature": b64(digest(b, "sha512"))}),
    "key in hex": (
        {**HMAC, "key_encoding": "hex"}, lambda b, t: {"x-signature": digest(b, key=RAW).hex()}),
    "timed": (
        TIMED, lambda b, t: {"x-time": str(t), "x-signature": digest(stamped(b, t)).hex()}),
    "milliseconds": (
        {**TIMED, "timestamp_in": "milliseconds"},
        lambda b, t: {"x-time": f"{t}123", "x-signature": digest(stamped(b, f"{t}123")).hex()}),
    "pairs": (
        PAIRS, lambda b, t: {"x-signature": f"t={t},v0=00,v1={digest(stamped(b, t)).hex()}"}),
    "as chats do": (
        SLACK, lambda b, t: {
            "x-time": str(t), "x-signature": f"v0={digest(f'v0:{t}:'.encode() + b).hex()}"}),
    "with an id": (
        WITH_ID, lambda b, t: {
            "x-id": "7", "x-time": str(t), "x-signature": digest(f"7.{t}.".encode() + b).hex()}),
    "standard": (
        {"scheme": "standard"}, lambda b, t: {
            "webhook-id": "m7", "webhook-timestamp": str(t),
            "webhook-signature": f"v1,{b64(digest(f'm7.{t}.'.encode() + b))}"}),
}  # fmt: skip
DATED = ("timed", "milliseconds", "pairs", "as chats do", "with an id", "standard")
SHARED = {"scheme": "shared", "header": "Authorization", "prefix": "Bearer "}


def proven(how, headers, body=BODY, now=NOON):
    webhook = Webhook(**GIVEN, **how)
    return signing.proven(PushRequest("POST", "/", {}, headers, body), webhook, now)


def named(headers):
    """The header that holds the signature."""
    return next(name for name in headers if "signature" in name)


@pytest.mark.parametrize("name", SCHEMES)
def test_what_is_signed_as_the_settings_say_is_believed(name):
    how, sign = SCHEMES[name]
    found = proven(how, sign(BODY, SECOND))

    assert isinstance(found, Proven)
    assert found.signed_at == (NOON if name in DATED else None)


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize(
    ("spoil", "outcome"),
    [
        (lambda h, b: ({}, b), "no_signature"),
        (lambda h, b: ({**h, named(h): ""}, b), "no_signature"),
        (lambda h, b: ({**h, named(h): h[named(h)][:-1]}, b), "bad_signature"),
        (lambda h, b: ({**h, named(h): h[named(h)] + "0"}, b), "bad_signature"),
        (lambda h, b: ({**h, named(h): "\udcff"}, b), None),
        (lambda h, b: (h, json.dumps(json.loads(b)).encode()), "bad_signature"),
        (lambda h, b: (h, b + b" "), "bad_signature"),
        (lambda h, b: (h, b""), "bad_signature"),
    ],
    ids=["none", "empty", "cut", "longer", "no text", "written anew", "one byte more", "no body"],
)  # fmt: skip
def test_trap_15_what_is_not_signed_over_its_bytes_is_refused(name, spoil, outcome):
    how, sign = SCHEMES[name]
    headers, body = spoil(sign(BODY, SECOND), BODY)
    found = proven(how, headers, body)

    assert found in ({"no_signature", "bad_signature"} if outcome is None else {outcome})


@pytest.mark.parametrize("name", SCHEMES)
def test_trap_15_hex_is_no_base64_and_base64_no_hex(name):
    how, sign = SCHEMES[name]
    if how["scheme"] == "standard":
        told = sign(BODY, SECOND)
        raw = digest(f"m7.{SECOND}.".encode() + BODY)
        assert proven(how, {**told, "webhook-signature": f"v1,{raw.hex()}"}) == "bad_signature"
        return
    other = {"hex": "base64", "base64": "hex"}[how.get("encoding", "hex")]

    assert proven({**how, "encoding": other}, sign(BODY, SECOND)) == "bad_signature"


@pytest.mark.parametrize("name", SCHEMES)
def test_another_key_is_refused(name):
    how, sign = SCHEMES[name]
    webhook = Webhook(**{**GIVEN, **how, "secret": "fedcba9876543210"})
    request = PushRequest("POST", "/", {}, sign(BODY, SECOND), BODY)

    assert signing.proven(request, webhook, NOON) == "bad_signature"


@pytest.mark.parametrize("name", DATED)
@pytest.mark.parametrize("away", [timedelta(minutes=6), timedelta(days=90), -timedelta(minutes=6)])
def test_a_replay_is_refused_however_well_it_is_signed(name, away):
    how, sign = SCHEMES[name]

    assert proven(how, sign(BODY, SECOND), now=NOON + away) == "stale"


@pytest.mark.parametrize("name", DATED)
def test_a_time_that_was_not_signed_is_not_believed(name):
    how, sign = SCHEMES[name]
    old, fresh = sign(BODY, SECOND), str(SECOND + 86_400)
    times = {n: fresh for n in old if n in {"x-time", "webhook-timestamp"}}
    moved = {**old, **times}
    if name == "pairs":
        moved = {"x-signature": old["x-signature"].replace(str(SECOND), fresh)}

    assert proven(how, moved, now=NOON + timedelta(days=1)) == "bad_signature"


@pytest.mark.parametrize("stamp", ["", "soon", "-1", "1e9", "\u0661\u0667", "9" * 30])
def test_what_is_no_time_is_none_though_it_is_signed(stamp):
    headers = {"x-time": stamp, "x-signature": digest(f"{stamp}.".encode() + BODY).hex()}

    assert proven(TIMED, headers) in {"no_signature", "stale"}


def test_one_of_several_signatures_is_enough_while_a_key_is_replaced():
    good = digest(stamped(BODY, SECOND)).hex()

    assert isinstance(proven(PAIRS, {"x-signature": f"t={SECOND},v1=00,v1={good}"}), Proven)


def test_a_shared_secret_is_compared_whole():
    assert proven(SHARED, {"authorization": f"Bearer {SECRET}"}) == Proven()
    for told in (f"Bearer {SECRET}x", f"Bearer {SECRET[:-1]}", SECRET, "Bearer ", "\udcff"):
        assert proven(SHARED, {"authorization": told}) == "bad_signature"
    assert proven(SHARED, {}) == "no_signature"


def test_the_tolerance_is_that_of_the_settings():
    how, sign = SCHEMES["timed"]
    later = NOON + timedelta(minutes=30)

    assert proven(how, sign(BODY, SECOND), now=later) == "stale"
    assert isinstance(proven({**how, "tolerance": "1h"}, sign(BODY, SECOND), now=later), Proven)


@settings(max_examples=200)
@given(
    st.sampled_from([how for how, _ in SCHEMES.values()]),
    st.binary(max_size=100),
    st.dictionaries(
        st.sampled_from(["x-signature", "x-time", "x-id", "webhook-id", "webhook-timestamp",
                         "webhook-signature"]),
        st.text(max_size=40),
    ),
)  # fmt: skip
def test_whatever_is_sent_without_the_secret_is_refused(how, body, headers):
    assert not isinstance(proven(how, headers, body), Proven)


def test_a_secret_of_the_standard_may_be_written_as_it_is_shown():
    told = "whsec_" + b64(RAW * 4)
    webhook = Webhook(**{**GIVEN, "scheme": "standard", "secret": told})
    content = f"m7.{SECOND}.".encode() + BODY
    headers = {
        "webhook-id": "m7", "webhook-timestamp": str(SECOND),
        "webhook-signature": f"v1,{b64(digest(content, key=RAW * 4))}",
    }  # fmt: skip

    assert isinstance(
        signing.proven(PushRequest("POST", "/", {}, headers, BODY), webhook, NOON), Proven
    )
    assert SECRET not in repr(GenericOptions(**FLAT))
