"""What Meta's codes mean."""

from __future__ import annotations

import json

import pytest

from connectors.webstore.meta import refusals
from connectors.webstore.meta.refusals import Code
from core.errors import BadCredentials, BadPayload, RateLimited, Refused


def raw(code, sub=None):
    return json.dumps({"error": {"message": "Ana", "code": code, "error_subcode": sub}}).encode()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (raw(131047), Code(131047)), (raw("4"), Code(4)), (raw(10, 2018278), Code(10, 2018278)),
        (b"", None), (b"[]", None), (b"{", None), (b'{"error": "no"}', None),
        (raw(None), None), (raw(1.5), None), (raw(-1), None),
        (raw("9" * 50), None), (raw([]), None), (b"[" * 100_000, None),
    ],
)  # fmt: skip
def test_a_code_is_read_or_there_is_none(body, code):
    assert refusals.code_of(body) == code


def test_a_code_is_told_in_words_of_ours_or_by_its_number():
    assert refusals.words(Code(131026)).endswith("(code 131026)")
    assert refusals.words(Code(190, 463)).startswith("the token is not accepted")
    assert refusals.words(Code(77)) == "code 77"
    assert refusals.words(None) == ""


@pytest.mark.parametrize("code", [131047, 131026, 190, 4, 80007, 130429, 130472, 368, 551, 613])
def test_the_codes_that_matter_have_words(code):
    assert refusals.WORDS[Code(code)]


@pytest.mark.parametrize(
    ("code", "error"),
    [(190, BadCredentials), (10, BadCredentials), (299, BadCredentials), (4, RateLimited),
     (80007, RateLimited), (131056, RateLimited), (100, BadPayload), (131047, BadPayload)],
)  # fmt: skip
def test_a_question_that_is_refused_is_what_the_code_says(code, error):
    fault = BadPayload("number at graph: status 400", raw=raw(code), detail="400")
    found = refusals.meant(fault, fault.raw)
    assert type(found) is error
    assert "Ana" not in str(found)


def test_a_permission_that_lacks_stops_what_needs_it_alone():
    fault = BadPayload("x", raw=raw(200), detail="400")
    assert refusals.meant(fault, fault.raw).alone
    dead = BadPayload("x", raw=raw(190), detail="400")
    assert not refusals.meant(dead, dead.raw).alone


def test_what_was_sent_and_is_refused_by_a_locked_account_is_no_fault_of_the_key():
    fault = BadCredentials("send at graph: status 403", raw=raw(131031), detail="403")
    assert type(refusals.sent(fault, fault.raw)) is Refused
    assert refusals.sent(fault, raw(1)) is fault
    assert refusals.sent(fault, b"") is fault
