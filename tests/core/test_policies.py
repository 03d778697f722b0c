from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingsError
from core.store import definitions, policies, transaction
from sla.calendar import Calendar, Span
from sla.policy import Contract, Party, Policy, ThreadKind
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, seller, setup, stored

DAY = 24 * HOUR

durations = st.timedeltas(timedelta(0), timedelta(days=400))
walls = st.times(timezones=st.none())
spans = st.lists(st.builds(Span, walls, walls), max_size=3).map(tuple)
days = st.dates(date(2000, 1, 1), date(2099, 1, 1))
calendars = st.builds(
    Calendar,
    st.sampled_from(["UTC", "Europe/Berlin", "America/Chicago"]),
    st.dictionaries(st.integers(0, 6), spans),
    st.dictionaries(days, spans, max_size=3),
    st.frozensets(days, max_size=3),
)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone
contracts = st.builds(
    Contract,
    st.sampled_from(["share", "mean", "info"]),
    st.lists(durations, max_size=3).map(tuple),
    objective=st.none() | st.floats(0, 1),
    within=st.none() | durations,
    limit=st.none() | durations,
    alert_from=st.none() | durations,
    note=st.text(),
)
versions = st.builds(
    Policy,
    st.text(min_size=1),
    st.integers(1, 9),
    st.sampled_from(["contract", "goal"]),
    st.frozensets(st.sampled_from(ThreadKind)),
    st.frozensets(st.sampled_from(Party)),
    durations,
    calendars,
    next_reply_within=st.none() | durations,
    counts_automatic=st.booleans(),
    counts_from=st.sampled_from(["oldest", "latest"]),
    warn=st.lists(st.floats(0, 1) | durations, max_size=3).map(tuple),
    marketplace_mark=st.none() | st.booleans(),
    judged_by=st.lists(contracts, max_size=2).map(tuple),
    effective_from=st.none() | instants,
    effective_to=st.none() | instants,
    source=st.none() | st.text(),
    checked_on=st.none() | days,
    review_after=st.none() | days,
)


@given(versions)
def test_a_policy_comes_back_from_json_as_it_was(policy):
    told = json.loads(json.dumps(definitions.dump(policy)))

    assert definitions.load(policy.name, policy.version, told) == policy


def test_what_a_newer_program_wrote_beside_it_is_passed_over():
    policy = seeds.policy()
    told = definitions.dump(policy) | {"counts_emoji": True}

    assert definitions.load(policy.name, policy.version, told) == policy


@pytest.fixture
async def load(pool, now):
    await pages.monitored(pool, now, setup("a", budget="a"), setup("b", budget="b"))

    async def load(at, **configured):
        async with transaction(pool) as db:
            return await policies.load(db, configured, at)

    return load


def in_force(policies_, at):
    """(name, version) of what is in force at an instant."""
    return sorted(
        (p.name, p.version)
        for p in policies_
        if (p.effective_from is None or p.effective_from <= at)
        and (p.effective_to is None or at < p.effective_to)
    )


async def test_the_first_version_counts_from_ever(load, now):
    found = await load(now, a=[seeds.policy("p")])

    assert found == {"a": (seeds.policy("p"),)}
    assert await load(now + HOUR, a=[seeds.policy("p")]) == found


async def test_a_changed_definition_is_a_new_version_from_when_it_was_loaded(load, now, pool):
    await load(now, a=[seeds.policy("p")])
    at = now + DAY

    found = await load(at, a=[seeds.policy("p", reply_within=HOUR)])

    assert [(p.version, p.reply_within, p.effective_from, p.effective_to) for p in found["a"]] == [
        (1, DAY, None, at), (2, HOUR, at, None),
    ]  # fmt: skip
    assert await load(at + DAY, a=[seeds.policy("p", reply_within=HOUR)]) == found
    rows = await pages.rows(pool, "policy_version")
    assert [row["definition"]["reply_within"] for row in rows] == [86400, 3600]


async def test_an_earlier_date_counts_for_the_first_version_only(load, now):
    early = {"effective_from": now - 30 * DAY}
    first = await load(now, a=[seeds.policy("p", **early)])
    assert first["a"][0].effective_from == now - 30 * DAY

    found = await load(now + DAY, a=[seeds.policy("p", reply_within=HOUR, **early)])

    assert in_force(found["a"], now) == [("p", 1)]
    assert in_force(found["a"], now + DAY) == [("p", 2)]
    assert await load(now + 2 * DAY, a=[seeds.policy("p", reply_within=HOUR, **early)]) == found


async def test_seasons_are_versions_with_dates(load, now):
    christmas, after = now + 10 * DAY, now + 40 * DAY
    base = seeds.policy("p", effective_to=christmas)
    season = seeds.policy("p", reply_within=48 * HOUR, effective_from=christmas, effective_to=after)
    back = seeds.policy("p", effective_from=after)
    found = (await load(now, a=[season, back, base]))["a"]
    assert [in_force(found, at) for at in (now - DAY, christmas, after)] == [
        [("p", 1)], [("p", 2)], [("p", 3)],
    ]  # fmt: skip

    cancelled = (await load(now + DAY, a=[seeds.policy("p")]))["a"]
    assert [in_force(cancelled, at) for at in (now, now + DAY, christmas, after)] == [
        [("p", 1)], [("p", 4)], [("p", 4)], [("p", 4)],
    ]  # fmt: skip


async def test_in_the_middle_of_a_season_a_change_of_what_follows_waits_for_its_date(load, now):
    end = now + 10 * DAY
    season = seeds.policy("p", reply_within=48 * HOUR, effective_to=end)
    await load(now, a=[season, seeds.policy("p", effective_from=end)])

    later = seeds.policy("p", reply_within=HOUR, effective_from=end)
    found = (await load(now + DAY, a=[season, later]))["a"]

    told = {p.version: p.reply_within for p in found}
    [(_, during)] = in_force(found, end - MINUTE)
    [(_, following)] = in_force(found, end)
    assert (told[during], told[following]) == (48 * HOUR, HOUR)


async def test_what_was_loaded_before_rules_until_a_later_version_takes_effect(load, now):
    await load(now, a=[seeds.policy("p")])
    later = seeds.policy("p", reply_within=HOUR, effective_from=now + 30 * DAY)

    found = (await load(now + DAY, a=[later]))["a"]

    assert [in_force(found, now + n * DAY) for n in (0, 1, 29, 30, 99)] == [
        [("p", 1)], [("p", 1)], [("p", 1)], [("p", 2)], [("p", 2)],
    ]  # fmt: skip

    found = (await load(now + 10 * DAY, a=[seeds.policy("p", reply_within=HOUR)]))["a"]

    assert [in_force(found, now + n * DAY) for n in (0, 9, 10, 30, 99)] == [
        [("p", 1)], [("p", 1)], [("p", 3)], [("p", 3)], [("p", 3)],
    ]  # fmt: skip


async def test_a_policy_that_left_goes_on_for_the_clocks_it_started(load, now):
    await load(now, a=[seeds.policy("p"), seeds.policy("q")])

    found = await load(now + DAY, a=[seeds.policy("q")])
    assert in_force(found["a"], now) == [("p", 1), ("q", 1)]
    assert in_force(found["a"], now + DAY) == [("q", 1)]

    back = await load(now + 2 * DAY, a=[seeds.policy("p"), seeds.policy("q")])
    assert [in_force(back["a"], now + n * DAY) for n in range(3)] == [
        [("p", 1), ("q", 1)], [("q", 1)], [("p", 1), ("q", 1)],
    ]  # fmt: skip


async def test_a_promise_that_an_account_gets_later_moves_no_open_waiting(load, now):
    await load(now, a=[seeds.policy("p")])

    found = await load(now + DAY, a=[seeds.policy("p"), seeds.policy("goal")])
    assert in_force(found["a"], now) == [("p", 1)]
    assert in_force(found["a"], now + DAY) == [("goal", 1), ("p", 1)]

    dated = seeds.policy("dated", effective_from=now)
    found = await load(now + 2 * DAY, a=[seeds.policy("p"), dated])
    assert in_force(found["a"], now) == [("dated", 1), ("p", 1)]


async def test_two_accounts_share_the_versions_of_a_name(load, now, pool):
    await load(now, a=[seeds.policy("p")])

    found = await load(now + DAY, a=[seeds.policy("p")], b=[seeds.policy("p")])

    assert in_force(found["b"], now - 365 * DAY) == [("p", 1)]
    assert len(await pages.rows(pool, "policy_version")) == 1


async def test_two_meanings_of_one_name_are_refused_by_name(load, now):
    with pytest.raises(SettingsError, match=r"policies\.p: "):
        await load(now, a=[seeds.policy("p")], b=[seeds.policy("p", reply_within=HOUR)])


async def test_loaders_that_start_together_write_a_version_once(load, now, pool):
    await asyncio.gather(*(load(now, a=[seeds.policy("p")]) for _ in range(4)))

    assert len(await pages.rows(pool, "policy_version")) == 1


async def test_a_version_can_be_read_for_ever(load, now, pool):
    await load(now, a=[seeds.policy("p")])
    await load(now + DAY, a=[seeds.policy("p", reply_within=HOUR)])

    async with transaction(pool) as db:
        assert (await policies.version(db, "p", 1)).reply_within == DAY
        assert await policies.version(db, "p", 3) is None


async def test_a_host_clock_that_was_set_back_writes_no_version_before_another(load, now):
    await load(now, a=[seeds.policy("p")])
    await load(now - DAY, a=[seeds.policy("p", reply_within=HOUR)])

    found = (await load(now - DAY, a=[seeds.policy("p", reply_within=HOUR)]))["a"]

    assert in_force(found, now) == [("p", 1)]
    assert in_force(found, now + MINUTE) == [("p", 2)]


async def test_a_change_of_policy_moves_no_open_clock_and_a_late_page_moves_it_whole(
    load, now, pool
):
    """The clock that runs keeps its deadline; an older message moves start and deadline."""

    async def with_rules(at, within):
        found = await load(at, a=[seeds.policy("p", reply_within=within)])
        return replace(seeds.rules(accounts=("a",)), policies=found)

    rules = await with_rules(now, DAY)
    await stored(pool, now, buyer("M1", now - HOUR, "T1"), of=rules, account="a")

    rules = await with_rules(now + MINUTE, 2 * HOUR)
    await stored(pool, now + HOUR, buyer("M2", now + HOUR, "T1"), of=rules, account="a")
    [row] = await pages.rows(pool, "clock")
    assert (row["policy_version"], row["due_at"]) == (1, now - HOUR + DAY)

    await stored(pool, now + HOUR, buyer("M0", now - 3 * HOUR, "T1"), of=rules, account="a")
    [row] = await pages.rows(pool, "clock")
    assert (row["policy_version"], row["due_at"]) == (1, now - 3 * HOUR + DAY)

    late = now + 2 * HOUR
    answer, more = seller("M3", late, "T1"), buyer("M4", late + MINUTE, "T1")
    await stored(pool, late + MINUTE, answer, more, of=rules, account="a")
    found = await pages.rows(pool, "clock")
    assert (found[1]["policy_version"], found[1]["due_at"]) == (2, late + MINUTE + 2 * HOUR)


def test_a_wall_time_of_a_span_is_kept_to_the_microsecond():
    odd = Span(time(9, 0, 0, 1), time(0))
    policy = seeds.policy(calendar=Calendar("UTC", {0: (odd,)}))

    assert definitions.load("p", 1, definitions.dump(policy)).calendar.hours[0] == (odd,)
