"""What Amazon asks of a seller, as dated facts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from connectors.amazon import policies
from sla.clock import Delivery, Kind, Level, clocks
from sla.policy import Party, ThreadKind
from tests.connectors.amazon.letters import options

HOUR = timedelta(hours=1)
AT = datetime(2026, 11, 21, 18, 4, tzinfo=UTC)


def turn(id_, party, kind=Kind.MESSAGE, *, after=0, delivery=None, level=None):
    at = AT + after * HOUR
    other = Party.BUYER if party is Party.SELLER else Party.SELLER
    return SimpleNamespace(id=id_, party=party, kind=kind, sent_at=at, seen_at=at,
                           to=frozenset({other}), delivery=delivery, level=level)  # fmt: skip


def message_policy():
    return next(p for p in policies.known() if p.name == "amazon-message")


def return_policy():
    return next(p for p in policies.known() if p.name == "amazon-return")


def test_the_contract_is_24_hours_for_buyers_judged_by_the_share():
    policy = message_policy()
    (contract,) = policy.judged_by

    assert policy.reply_within == 24 * HOUR
    assert policy.waits_for == {Party.BUYER}
    assert policy.applies_to == {ThreadKind.MESSAGE}
    assert not policy.counts_automatic
    assert (contract.measure, contract.objective, contract.within) == ("share", 0.9, 24 * HOUR)
    assert contract.windows == tuple(timedelta(days=n) for n in (7, 30, 90))


def test_trap_48_our_number_is_called_our_own():
    (contract,) = message_policy().judged_by

    assert contract.note.startswith("own measurement")
    assert "inferred" in contract.note


def test_trap_12_weekends_holidays_and_time_changes_do_not_stop_the_clock():
    for start in (datetime(2026, 12, 25, 9, tzinfo=UTC), datetime(2026, 3, 28, 12, tzinfo=UTC)):
        assert message_policy().calendar.add(start, 24 * HOUR) == start + 24 * HOUR


def test_trap_18_warnings_leave_a_quarter_of_an_hour_for_the_mails_way():
    (clock,) = clocks([turn("m", Party.BUYER)], [message_policy()])
    before = [clock.due_at - step for step in clock.steps]

    quarter = timedelta(minutes=15)
    assert before == [12 * HOUR + quarter, 6 * HOUR + quarter, 2 * HOUR + quarter,
                      timedelta(minutes=45), timedelta(0)]  # fmt: skip
    for policy in policies.known():
        assert all(isinstance(w, timedelta) and w > quarter for w in policy.warn)


@pytest.mark.parametrize(
    ("level", "ended"), [(Level.GUESSED, None), (Level.DECIDED, None), (Level.MARKED, "void")]
)
def test_only_the_word_that_amazons_mark_was_set_voids_the_contract(level, ended):
    mark = turn("n", Party.SELLER, Kind.NO_REPLY_NEEDED, after=1, level=level)
    (clock,) = clocks([turn("m", Party.BUYER), mark], [message_policy()])

    assert clock.ended == ended


def test_an_agents_own_mark_is_enough_for_a_recommendation():
    mark = turn("n", Party.SELLER, Kind.NO_REPLY_NEEDED, after=1, level=Level.DECIDED)
    (clock,) = clocks([turn("m", Party.BUYER), mark], [return_policy()], kind=ThreadKind.RETURN)

    assert clock.ended == "void"


def test_trap_16_an_automatic_answer_ends_nothing():
    auto = turn("n", Party.SELLER, Kind.AUTOMATIC, after=1, delivery=Delivery.CONFIRMED)
    (clock,) = clocks([turn("m", Party.BUYER), auto], [message_policy()])

    assert clock.ended is None


def test_returns_are_a_recommendation_that_nobody_is_judged_by():
    policy = return_policy()

    assert policy.reply_within == 24 * HOUR
    assert policy.applies_to == {ThreadKind.RETURN}
    assert [c.measure for c in policy.judged_by] == ["info"]


def test_an_account_may_leave_returns_out():
    assert [p.name for p in policies.of(options())] == ["amazon-message", "amazon-return"]
    assert [p.name for p in policies.of(options(returns=False))] == ["amazon-message"]


def test_where_a_letter_says_nothing_the_shorter_number_counts():
    found = {kind: number.within for kind, number in policies.numbers().items()}

    assert found == {ThreadKind.CLAIM: 48 * HOUR, ThreadKind.DISPUTE: timedelta(days=7)}


def test_every_fact_says_its_source_and_when_it_was_read():
    for fact in (*policies.known(), *policies.numbers().values()):
        assert "Seller Central help" in fact.source
        assert fact.checked_on == date(2026, 11, 21)
    for policy in policies.known():
        assert policy.role == "contract"
        assert policy.review_after > policy.checked_on
        assert policy.name.startswith("amazon-")
