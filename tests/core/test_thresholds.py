from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from core.connector import Credential
from core.model import Stream
from core.running import thresholds
from sla.policy import Contract
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE

WEEK = (7 * 24 * HOUR,)


def configured(*policies, every=5 * MINUTE, credentials=()):
    slow = Stream("incidents", 3 * every)
    streams = (Stream("messages", every), slow, Stream("report", 24 * HOUR, carries_clocks=False))
    return SimpleNamespace(
        account=seeds.account(), promises=policies, streams=streams, credentials=credentials
    )


def promised(now, *policies):
    return thresholds.promised([configured(*policies)], now)


def test_the_strictest_objective_of_a_marketplace_counts(now):
    judged = (Contract("share", WEEK, objective=0.9), Contract("share", WEEK, objective=0.95))

    assert promised(now, seeds.policy(judged_by=judged)).objectives == {"empik": 0.95}


def test_means_are_no_objectives(now):
    judged = (Contract("mean", WEEK, limit=48 * HOUR),)

    assert promised(now, seeds.policy(judged_by=judged)).objectives == {}


def test_bands_begin_at_the_first_and_the_last_warning(now):
    policy = seeds.policy(warn=(0.5, 0.9, timedelta(hours=1)))

    assert promised(now, policy).thresholds == {
        ("empik", "breached"): 0,
        ("empik", "warning"): 12 * 3600,
        ("empik", "critical"): 3600,
    }


def test_a_threshold_is_no_longer_number_than_its_instant(now):
    assert promised(now, seeds.policy(warn=(0.8,))).thresholds["empik", "warning"] == 17280


def test_one_warning_makes_no_critical_band(now):
    found = promised(now, seeds.policy(warn=(0.5,))).thresholds

    assert ("empik", "critical") not in found


def test_a_version_that_is_over_promises_nothing(now):
    assert promised(now, seeds.policy(effective_to=now)).thresholds == {}


@pytest.mark.parametrize(
    ("every", "promise", "stale"),
    [
        (5 * MINUTE, 24 * HOUR, 25 * MINUTE),
        (5 * MINUTE, 6 * HOUR, 18 * MINUTE),
        (30 * MINUTE, 6 * HOUR, 90 * MINUTE),
    ],
)
def test_a_reading_is_stale_where_it_is_blindness(now, every, promise, stale):
    found = configured(seeds.policy(reply_within=promise), every=every)

    assert thresholds.stale_after(found, now) == stale


def test_of_the_keys_of_an_account_the_one_that_ends_first_is_shown(now):
    soon, later = (Credential(name, now + n * HOUR) for name, n in (("token", 1), ("secret", 9)))
    account = configured(credentials=(later, soon))

    assert thresholds.promised([account], now).expiries == {"mk": (now + HOUR).timestamp()}
    assert promised(now).expiries == {}
