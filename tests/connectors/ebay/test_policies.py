"""Fallbacks where eBay tells no date, and the goal that is ours."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors.ebay import policies, spec
from connectors.ebay.options import EbayOptions
from sla.clock import clocks
from sla.policy import ThreadKind
from tests.sla import making

BERLIN = ZoneInfo("Europe/Berlin")
FRIDAY = datetime(2026, 11, 20, 15, tzinfo=BERLIN)


@pytest.fixture
def options():
    given = {"client_id": "c", "client_secret": "s", "refresh_token": "r", "seller": "shop-b"}
    return EbayOptions.model_validate(given)


def of(options, kind):
    (found,) = [p for p in spec.policies(options) if kind in p.applies_to]
    return found


@pytest.mark.parametrize("kind", [ThreadKind.INQUIRY, ThreadKind.RETURN])
def test_a_fallback_is_three_business_days_in_the_sites_zone(options, kind):
    """From Friday afternoon to Wednesday afternoon."""
    policy = of(options, kind)

    due = policy.calendar.add(FRIDAY, policy.reply_within)
    assert due == datetime(2026, 11, 25, 15, tzinfo=BERLIN)


def test_the_fallback_of_a_dispute_is_five_calendar_days(options):
    policy = of(options, ThreadKind.DISPUTE)

    due = policy.calendar.add(FRIDAY, policy.reply_within)
    assert due == datetime(2026, 11, 25, 15, tzinfo=BERLIN)
    assert policy.reply_within == timedelta(days=5)


def test_the_fallback_of_a_cancellation_is_three_calendar_days(options):
    policy = of(options, ThreadKind.CANCELLATION)

    due = policy.calendar.add(FRIDAY, policy.reply_within)
    assert due == datetime(2026, 11, 23, 15, tzinfo=BERLIN)


def test_every_contract_says_its_source_and_when_it_was_read(options):
    for policy in spec.policies(options):
        assert policy.role == "contract"
        assert "fallback" in policy.source
        assert policy.checked_on < policy.review_after


def test_the_goal_for_plain_messages_is_ours_and_says_so(options):
    (goal,) = spec.goals(options)

    assert (goal.role, goal.reply_within) == ("goal", timedelta(hours=24))
    assert goal.applies_to == {ThreadKind.MESSAGE}
    assert "our own" in goal.source
    assert not any(ThreadKind.MESSAGE in p.applies_to for p in spec.policies(options))
    assert policies.own() == spec.goals(options)


def test_trap_36_a_date_of_ebays_own_takes_the_fallbacks_place(options):
    asked = [making.asked("return:1/1", FRIDAY)]
    told = FRIDAY + timedelta(days=2)
    given = [making.reading(FRIDAY, kind="return", act="SELLER_APPROVE_REQUEST", due_at=told)]
    policy = [of(options, ThreadKind.RETURN)]

    (alone,) = clocks(asked, policy, kind=ThreadKind.RETURN)
    both = {one.promise: one for one in clocks(asked, policy, given, kind=ThreadKind.RETURN)}

    assert alone.due_at == datetime(2026, 11, 25, 15, tzinfo=BERLIN)
    assert "superseded" not in alone.flags
    assert both["given:return:SELLER_APPROVE_REQUEST"].due_at == told
    assert "superseded" in both["ebay-de-return"].flags
