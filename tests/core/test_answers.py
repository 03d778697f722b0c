"""What the bytes of an answer mean, without a socket."""

from __future__ import annotations

import json
from time import process_time

import pytest
from pydantic import BaseModel, Field

from core.errors import BadPayload
from core.transport import answers
from core.transport.answers import Answer


class Item(BaseModel):
    n: int = Field(lt=10)
    more: object = None


class Listing(BaseModel):
    items: list[Item]


def items(body):
    return answers.salvaged(Answer(200, {}, body), Listing, "x", ("id",))


@pytest.mark.parametrize("digits", [4300, 4301, 100_000])
def test_a_number_that_never_ends_costs_its_item_and_not_the_page(digits):
    found = items(b'{"items": [{"n": %s}, {"n": 2, "more": %s}]}' % ((b"7" * digits,) * 2))

    assert [item.n for item in found.value.items] == [2]
    (aside,) = found.aside
    assert str(json.loads(aside.raw, parse_int=str)["n"]) == "7" * digits


def test_a_page_of_nothings_is_refused_in_about_the_time_that_reading_it_takes():
    body = b'{"items": [%s]}' % b",".join([b"null"] * 2_000_000)
    began = process_time()
    with pytest.raises(BadPayload, match="x: 2000000 faults"):
        items(body)

    assert process_time() - began < 8


def test_what_nests_deeper_than_anybody_reads_is_a_bad_payload():
    body = b'{"items": [], "more": %s}' % (b"[" * 100_000 + b"]" * 100_000)
    with pytest.raises(BadPayload) as caught:
        items(body)

    assert caught.value.raw == body
