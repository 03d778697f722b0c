"""How contracts stand, as a scrape shows it: counted beside, by the labels of the settings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import isnan
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.errors import StoreUnavailable
from core.measuring import fleet
from core.measuring.facts import Names, Promised, Snapshot
from core.web import contracts
from core.web.contracts import Contracts
from sla.calendar import Calendar
from sla.policy import Contract
from tests.core import seeds
from tests.core.seeds import HOUR
from tests.sla.making import weekdays

DAY = 24 * HOUR
SHARE = Contract("share", (7 * DAY, 30 * DAY), objective=0.9)
MEAN = Contract("mean", (30 * DAY,), limit=DAY)
INFO = Contract("info", (30 * DAY,))
NAMES = Names(accounts=(("empik", "mk"),))


def account(name, *policies):
    return SimpleNamespace(account=seeds.account(name), promises=policies)


def judged(*by, name="reply-24h", **changes):
    return seeds.policy(name, judged_by=by, **changes)


def shown(judging):
    """What a scrape shows: values by family, policy and window."""
    snapshot = Snapshot(judgement=judging.latest)
    text = "".join(fleet.write(NAMES, Promised(), (), snapshot, open_metrics=False))
    found = {}
    for family in text_string_to_metric_families(text):
        if not family.name.startswith("replyby_contract"):
            continue
        for sample in family.samples:
            key = family.name.removeprefix("replyby_contract"), *list(sample.labels.values())[2:]
            assert key not in found
            found[key] = sample.value
    return found


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        yield db


def judging(now, *accounts):
    found = Contracts()
    found.adopt(accounts, now)
    return found


async def answered(db, now, days, hours=2):
    due = now - days * DAY + DAY
    stopped = due - DAY + hours * HOUR
    ended = "met" if hours <= 24 else "late"
    await seeds.put_clock(db, due, stopped_at=stopped, stopped_by="R", ended=ended)


async def test_every_series_is_there_before_the_first_count(now):
    found = shown(judging(now, account("mk", judged(SHARE, MEAN, INFO), judged(name="goal"))))

    assert found.pop(("s_counted_timestamp_seconds",)) == 0
    assert found.pop(("_objective_ratio", "reply-24h", "7d")) == 0.9
    assert found.pop(("_objective_ratio", "reply-24h", "30d")) == 0.9
    assert found.pop(("_limit_seconds", "reply-24h", "30d")) == 86_400
    assert found.keys() == {
        (family, "reply-24h", window)
        for family, windows in {
            "_attainment_ratio": ("7d", "30d"),
            "_budget_messages": ("7d", "30d"),
            "_counted_messages": ("7d", "30d"),
            "_mean_reply_seconds": ("30d",),
        }.items()
        for window in windows
    }
    assert all(isnan(value) for value in found.values())


async def test_the_contracts_are_counted_by_account_policy_and_window(pool, db, now):
    for days in (3, 3, 3, 20):
        await answered(db, now, days)
    await answered(db, now, 20, hours=30)
    found = judging(now, account("mk", judged(SHARE, MEAN)), account("silent", judged(SHARE, MEAN)))

    await found.once(pool, now)

    text = "".join(
        fleet.write(NAMES, Promised(), (), Snapshot(judgement=found.latest), open_metrics=True)
    )
    labels = 'marketplace="empik",account="mk",policy="reply-24h",window'
    assert f'replyby_contract_attainment_ratio{{{labels}="7d"}} 1.0\n' in text
    assert f'replyby_contract_attainment_ratio{{{labels}="30d"}} 0.8\n' in text
    assert f'replyby_contract_budget_messages{{{labels}="7d"}} 0.0\n' in text
    assert f'replyby_contract_budget_messages{{{labels}="30d"}} -1.0\n' in text
    assert f'replyby_contract_counted_messages{{{labels}="30d"}} 5.0\n' in text
    mean = (4 * 2 + 30) / 5 * 3600
    assert f'replyby_contract_mean_reply_seconds{{{labels}="30d"}} {mean}\n' in text
    silent = labels.replace('"mk"', '"silent"')
    assert f'replyby_contract_attainment_ratio{{{silent}="7d"}} NaN\n' in text
    assert f'replyby_contract_counted_messages{{{silent}="7d"}} 0.0\n' in text
    assert f"replyby_contracts_counted_timestamp_seconds {now.timestamp()}\n" in text


@pytest.mark.parametrize("by", [(SHARE, MEAN), (MEAN, SHARE)])
async def test_what_is_counted_is_counted_by_the_share_where_there_is_one(pool, db, now, by):
    """What is past due without a reply is of the share, and of no mean."""
    await answered(db, now, 3)
    await seeds.put_clock(db, now - 3 * DAY)
    found = judging(now, account("mk", judged(*by)))

    await found.once(pool, now)

    values = shown(found)
    assert values["_counted_messages", "reply-24h", "30d"] == 2
    assert values["_attainment_ratio", "reply-24h", "30d"] == 0.5
    assert values["_mean_reply_seconds", "reply-24h", "30d"] == 7_200


async def test_with_the_database_away_nothing_of_it_is_shown(now):
    found = judging(now, account("mk", judged(SHARE)))

    text = "".join(fleet.write(NAMES, Promised(), (), None, open_metrics=False))

    assert found.latest.samples
    assert "replyby_contract" not in text


async def test_of_two_that_would_have_one_name_the_strictest_is_shown(pool, db, now):
    await answered(db, now, 3, hours=25)
    by = (replace(SHARE, objective=0.8), replace(SHARE, objective=0.95, within=48 * HOUR), SHARE)
    means = (replace(MEAN, limit=None), replace(MEAN, limit=2 * DAY), MEAN)
    found = judging(now, account("mk", judged(*by, *means)))

    await found.once(pool, now)

    values = shown(found)
    assert values["_objective_ratio", "reply-24h", "30d"] == 0.95
    assert values["_attainment_ratio", "reply-24h", "30d"] == 1
    assert values["_limit_seconds", "reply-24h", "30d"] == 86_400
    assert values["_counted_messages", "reply-24h", "30d"] == 1


async def test_a_mean_on_office_hours_is_working_time(pool, db, now):
    friday = now.replace(day=13, hour=16)
    await seeds.put_clock(
        db, friday + 9 * DAY, started_at=friday, stopped_at=friday + 66 * HOUR, stopped_by="R",
        ended="met",
    )  # fmt: skip
    office = Calendar("UTC", weekdays("09:00-17:00"))
    found = judging(now, account("mk", judged(MEAN, calendar=office)))

    await found.once(pool, now)

    assert shown(found)["_mean_reply_seconds", "reply-24h", "30d"] == 2 * 3600


async def test_a_promise_that_ended_is_judged_no_more(pool, db, now):
    ends = now + HOUR
    found = judging(now, account("mk", judged(SHARE, effective_to=ends)))
    assert len(shown(found)) > 1

    await found.once(pool, ends)

    assert shown(found).keys() == {("s_counted_timestamp_seconds",)}


async def test_it_is_counted_again_after_a_while_and_at_once_under_new_settings(pool, db, now):
    found = judging(now, account("mk", judged(SHARE)))
    await found.once(pool, now)
    first = found.latest

    await found.once(pool, now + HOUR)
    assert found.latest is first
    found.adopt([account("mk", judged(MEAN))], now)
    assert ("_limit_seconds", "reply-24h", "30d") in shown(found)
    await found.once(pool, now + HOUR)

    assert shown(found)["s_counted_timestamp_seconds",] == (now + HOUR).timestamp()


async def test_what_was_counted_under_old_settings_is_not_shown(pool, db, now):
    found = judging(now, account("mk", judged(SHARE)))
    taken_over = account("mk", judged(MEAN))

    class Slow:
        """The pool; settings are taken over while a connection is waited for."""

        def acquire(self):
            found.adopt([taken_over], now)
            return pool.acquire()

    await found.once(Slow(), now)

    assert shown(found)["s_counted_timestamp_seconds",] == 0
    await found.once(pool, now)
    assert shown(found)["s_counted_timestamp_seconds",] == now.timestamp()


async def test_what_was_counted_stands_while_the_database_is_away(pool, db, now, monkeypatch):
    monkeypatch.setattr(contracts, "EVERY", 0.0)
    monkeypatch.setattr(contracts, "REST", 0.0)
    found = judging(now, account("mk", judged(SHARE)))
    await found.once(pool, now)
    before = found.latest

    class Away:
        """A pool that opens nothing."""

        def acquire(self):
            raise OSError("no route")

    with pytest.raises(StoreUnavailable):
        await found.once(Away(), now + timedelta(minutes=1))

    assert found.latest is before
