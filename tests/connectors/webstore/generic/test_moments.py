"""Instants as stores write them, by hand: what is asked and what is read use the same words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.webstore.generic import moments

GERMAN = "%d.%m.%Y %H:%M:%S"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("value", "form", "zone"),
    [
        ("2026-11-20T12:00:00Z", "iso", None),
        ("2026-11-20T13:00:00+01:00", "iso", None),
        ("2026-11-20 13:00:00+0100", "iso", None),
        ("2026-11-20T13:00:00", "iso", BERLIN),
        ("2026-11-20T12:00:00.000Z", "iso", BERLIN),
        (1795176000, "seconds", None),
        ("1795176000", "seconds", None),
        (1795176000.0, "seconds", None),
        (1795176000000, "milliseconds", None),
        ("1795176000000", "milliseconds", None),
        ("20.11.2026 13:00:00", GERMAN, BERLIN),
        ("20.11.2026 07:00:00", GERMAN, "America/New_York"),
        ("20/Nov/2026:14:00 +0200", "%d/%b/%Y:%H:%M %z", None),
    ],
)
def test_trap_23_an_instant_is_the_same_however_it_is_written(value, form, zone):
    assert moments.instant(value, form, zone) == NOON


@pytest.mark.parametrize("form", ["iso", "seconds", "milliseconds", GERMAN])
@pytest.mark.parametrize(
    "value",
    [None, True, "", "tomorrow", "2026-11-20", "\ud800", "\0", [], {}, float("nan"), float("inf"),
     10**40, -(10**40), "9" * 60, "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", b"x",
     "31.02.2026 10:00:00", "2026-11-20T12:00:00Z" * 10],
)  # fmt: skip
def test_what_is_no_instant_is_none(value, form):
    assert moments.instant(value, form, BERLIN if form == GERMAN else None) is None


def test_trap_23_a_time_without_an_offset_is_none_where_nobody_names_its_zone():
    assert moments.instant("2026-11-20T13:00:00", "iso", None) is None


def test_of_an_hour_that_comes_twice_the_first_is_meant():
    told = moments.instant("25.10.2026 02:30:00", GERMAN, BERLIN)

    assert told == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_who_asks_in_an_hour_that_comes_twice_asks_from_before_it():
    for at in (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)):
        assert moments.written(at, GERMAN, BERLIN) == "25.10.2026 01:30:00"
    after = datetime(2026, 10, 25, 2, 30, tzinfo=UTC)
    assert moments.written(after, GERMAN, BERLIN) == "25.10.2026 03:30:00"


@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001  # its zone follows
    st.sampled_from([("iso", None), ("seconds", None), ("milliseconds", None), (GERMAN, BERLIN),
                     ("%Y%m%d%H%M%z", None)]),
)  # fmt: skip
def test_what_is_asked_for_is_never_later_than_what_was_meant(at, how):
    at = at.replace(tzinfo=UTC)
    asked = moments.instant(moments.written(at, *how), *how)

    assert asked is not None
    assert at - timedelta(hours=3) < asked <= at
