"""What the operators promise, by hand: working hours, holidays, who counts, sources."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors.mirakl import policies, spec, us_holidays
from sla.contract import Reported
from sla.policy import Party, ThreadKind

HOUR = timedelta(hours=1)
CHICAGO = ZoneInfo("America/Chicago")


def chosen(operator, kind=ThreadKind.MESSAGE):
    options = spec.options(base_url="https://x.example", api_key="k", operator=operator)
    (policy,) = [p for p in spec.policies(options) if kind in p.applies_to]
    return policy


@pytest.mark.parametrize(
    ("operator", "name", "hours"),
    [
        ("pccomponentes", "mirakl-pccomponentes", 24),
        ("mediamarkt-de", "mirakl-mediamarkt", 48),
        ("mediamarktsaturn", "mirakl-mediamarkt", 48),
        ("bestbuy", "mirakl-bestbuy", 24),
        ("bestbuy_us", "mirakl-bestbuy", 24),
        ("conrad", "mirakl-conrad", 24),
        ("empik", "mirakl-empik", 24),
        ("somebody-else", "mirakl-default", 24),
        (None, "mirakl-default", 24),
    ],
)
def test_each_operator_has_its_own_contract_and_the_others_a_careful_one(operator, name, hours):
    policy = chosen(operator)

    assert (policy.name, policy.reply_within) == (name, hours * HOUR)


@pytest.mark.parametrize(
    ("operator", "hours"), [("bestbuy", 96), ("mediamarkt", 24), ("pccomponentes", 48), (None, 48)]
)
def test_incidents_have_a_promise_of_their_own(operator, hours):
    policy = chosen(operator, ThreadKind.INCIDENT)

    assert policy.reply_within == hours * HOUR
    assert policy.calendar.add(datetime(2026, 11, 21, tzinfo=UTC), hours * HOUR) == (
        datetime(2026, 11, 21, tzinfo=UTC) + hours * HOUR
    )


def test_who_counts_differs_by_operator():
    assert chosen("pccomponentes").waits_for == {Party.BUYER, Party.MARKETPLACE}
    assert chosen("bestbuy").waits_for == {Party.BUYER}


def test_pccomponentes_is_judged_by_a_mean():
    (contract,) = chosen("pccomponentes").judged_by

    assert (contract.measure, contract.windows) == ("mean", (timedelta(days=30),))
    assert (contract.alert_from, contract.limit) == (20 * HOUR, 24 * HOUR)


def test_empik_only_shows_its_mean():
    assert [c.measure for c in chosen("empik").judged_by] == ["info"]


@pytest.mark.parametrize(
    ("sent", "due"),
    [
        ((2026, 11, 19, 15), (2026, 11, 20, 15)),  # Thursday: the next day
        ((2026, 11, 20, 15), (2026, 11, 23, 15)),  # Friday: the weekend stands still
        ((2026, 11, 21, 9), (2026, 11, 24, 0)),  # Saturday: counts from Monday, to its end
        ((2026, 11, 25, 15), (2026, 11, 27, 15)),  # the day before Thanksgiving
        ((2026, 7, 2, 15), (2026, 7, 6, 15)),  # 4 July falls on Saturday: Friday is observed
        ((2026, 3, 6, 15), (2026, 3, 9, 15)),  # the clocks go forward on Sunday
        ((2026, 10, 30, 15), (2026, 11, 2, 15)),  # and back
    ],
)
def test_best_buys_day_stands_still_on_weekends_and_federal_holidays(sent, due):
    policy = chosen("bestbuy")
    begin, end = (datetime(*t, tzinfo=CHICAGO) for t in (sent, due))

    assert policy.calendar.add(begin.astimezone(UTC), policy.reply_within) == end


def test_federal_holidays_of_two_years_by_hand():
    assert sorted(us_holidays.federal(2026, 2026)) == [
        date(2026, 1, 1), date(2026, 1, 19), date(2026, 2, 16), date(2026, 5, 25),
        date(2026, 6, 19), date(2026, 7, 3), date(2026, 9, 7), date(2026, 10, 12),
        date(2026, 11, 11), date(2026, 11, 26), date(2026, 12, 25),
    ]  # fmt: skip
    assert date(2027, 12, 31) in us_holidays.federal(2027, 2027)
    assert date(2020, 6, 19) not in us_holidays.federal(2020, 2020)


def test_federal_holidays_agree_with_others_who_count_them():
    theirs = pytest.importorskip("holidays").country_holidays("US", years=range(2020, 2041))
    observed = set()
    for day, name in theirs.items():
        is_moved = day.weekday() in (5, 6)
        observed |= set() if is_moved and "observed" not in name else {day}
    ours = us_holidays.federal(2020, 2040)

    assert ours ^ observed <= {date(2040, 12, 31), date(2020, 12, 31)}


def test_every_contract_says_its_source_and_when_it_was_read():
    for _, policy in policies.known():
        assert policy.source
        assert policy.checked_on == date(2026, 11, 21)
        assert policy.review_after
        assert policy.review_after > policy.checked_on
        assert policy.marketplace_mark
        assert ".com" in policy.source or "inferred" in policy.source


def test_the_operators_own_mean_names_no_window():
    as_of = datetime(2026, 11, 21, 12, tzinfo=UTC)

    found = policies.reported({"order_messages_response_delay": (as_of, 3600.0), "a": (as_of, 1)})

    assert found == (Reported("mean", 3600.0, as_of),)
    assert policies.reported({"another": (as_of, 1.0)}) == ()


def test_each_contract_has_a_name_of_its_own():
    names = [policy.name for _, policy in policies.known()]

    assert len(set(names)) == len(names)
    assert all(name.startswith("mirakl-") for name in names)
