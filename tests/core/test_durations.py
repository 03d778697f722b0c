from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from core import durations


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("24h", timedelta(hours=24)),
        ("2m", timedelta(minutes=2)),
        ("90s", timedelta(seconds=90)),
        ("1d12h", timedelta(hours=36)),
        ("1h30m", timedelta(minutes=90)),
        ("0s", timedelta(0)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text, span):
    assert durations.parse(text) == span


@pytest.mark.parametrize("text", ["", " ", "24", "h", "-1h", "1.5h", "PT24H", "30s2h", "1w", "1 h"])
def test_what_is_no_duration_is_told_what_one_looks_like(text):
    with pytest.raises(ValueError, match="such as 24h"):
        durations.parse(text)


@pytest.mark.parametrize("text", ["999999999999d", "100000d", "1000000h", "1d10000000m"])
def test_what_is_too_long_is_told_what_the_longest_is(text):
    with pytest.raises(ValueError, match="is too long; write no more than 99999d, 999999h"):
        durations.parse(text)


@given(st.integers(0, 10**8))
def test_what_is_written_is_read_back(seconds):
    span = timedelta(seconds=seconds)

    assert durations.parse(durations.write(span)) == span


class Sample(BaseModel):
    every: durations.Duration
    least: durations.PositiveDuration = timedelta(1)


@pytest.mark.parametrize("value", [5, 1.5, True, "P1D", ["1h"]])
def test_settings_refuse_bare_numbers_and_iso_forms(value):
    with pytest.raises(ValidationError):
        Sample.model_validate({"every": value})


def test_nothing_is_too_short_where_time_must_pass():
    with pytest.raises(ValidationError, match="longer than nothing"):
        Sample.model_validate({"every": "0s", "least": "0s"})
