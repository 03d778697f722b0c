"""What connectors make their payload models of."""

from __future__ import annotations

from datetime import datetime

import pytest
from pydantic import ConfigDict, ValidationError

from core import payload
from core.payload import Id, Many, Payload, Word


class Letter(Payload):
    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: Id
    subject: Word = None
    parts: Many[Word] = None


def test_what_is_not_known_is_ignored_and_null_is_the_same_as_left_out():
    grown = {"id": "L1", "subject": None, "parts": None, "mood": "glad"}

    assert Letter.model_validate(grown) == Letter(id="L1")


def test_what_a_connector_says_of_its_names_is_added_to_the_base():
    read = Letter.model_validate({"id": 7})

    assert read.id == "7"
    with pytest.raises(ValidationError, match="frozen"):
        read.id = "8"


@pytest.mark.parametrize("id_", [7.0, "", "a\x00b", "\ud800", "x" * 1001, None, True, ["L1"]])
def test_what_core_cannot_keep_is_no_id(id_):
    with pytest.raises(ValidationError):
        Letter.model_validate({"id": id_})


def test_an_error_is_silent_about_what_arrived():
    with pytest.raises(ValidationError) as fault:
        Letter.model_validate({"id": "L1", "subject": {"from": "buyer-a"}})

    assert "buyer-a" not in str(fault.value)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01T08:00:00.123Z", "2026-03-01T08:00:00.123+00:00"),
        ("2026-03-01T10:00:00+02:00", "2026-03-01T08:00:00+00:00"),
        ("2026-03-01T08:00:00", "2026-03-01T08:00:00+00:00"),
        ("2026-03-01T08:00:00.123456789Z", "2026-03-01T08:00:00.123456+00:00"),
        ("2026-03-01", None),
        ("2026-02-30T08:00:00Z", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (1772352000, None),
        ({"date": "2026-03-01T08:00:00Z"}, None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-10:00", None),
    ],
)
def test_what_is_no_date_is_none(text, instant):
    assert payload.instant(text) == (datetime.fromisoformat(instant) if instant else None)
