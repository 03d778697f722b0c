from __future__ import annotations

from datetime import timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arrival import rhythm
from core.arrival.rhythm import ALL, HOUR, SLOT, Rhythm, Week
from core.model import LONGEST_SILENCE
from tests.core import pulses
from tests.core.pulses import DAY, MONDAY

UTC = Week(ZoneInfo("UTC"))
WEEK = timedelta(weeks=1)
LEARNT = 9 * WEEK
NOON = MONDAY + LEARNT + 12 * HOUR


def learnt(instants, until, week=UTC, listened=None):
    """What is usual of *instants*, to an instant, as far as is looked back for it."""
    begin = rhythm.floor(until, DAY) - rhythm.LEARNT_FROM
    all_ = pulses.always(begin, until) if listened is None else listened
    heard = pulses.by_hour(at for at in instants if begin <= at < until)
    return rhythm.learnt(heard, all_, week, until)


def shop(a_day, *, seed=1, **habits):
    """The rhythm of a shop after nine weeks, and what came in them."""
    before = pulses.pushes(Random(seed), a_day, 9, **habits)
    return learnt(before, MONDAY + LEARNT), before


def told_after(known, since, week=UTC):
    """How long silence lasts until it is told, where we listen all the time."""
    at = rhythm.silent_from(known, week, since, {}, since)
    return None if at is None else at - since


@pytest.mark.parametrize(
    ("a_day", "habits"),
    [
        (1, {}),
        (4, {"sunday": 0.3}),
        (30, {}),
        (30, {"bunch": 6}),
        (300, {"sunday": 0.5}),
        (300, {"bunch": 12}),
    ],
)
def test_in_half_a_year_of_days_nights_and_weekends_no_silence_is_told(a_day, habits):
    """By design it would be one in ten years; bunches are no more reasons to be heard."""
    came = pulses.pushes(Random(a_day), a_day, 8 + 26, **habits)
    false, known = [], {}
    for since, until in pulses.gaps(came):
        day = rhythm.floor(since, WEEK)
        if since < MONDAY + rhythm.LEARNT_FROM:
            continue
        if day not in known:
            known[day] = learnt(came, day)
        at = rhythm.silent_from(known[day], UTC, since, {}, since)
        if at is not None and at < until:
            false.append((since, until, at))

    assert len(known) > 20
    assert false == []


@pytest.mark.parametrize(
    ("a_day", "longest"),
    [(1, 40 * DAY), (4, 14 * DAY), (30, 4 * DAY), (300, DAY), (3000, 3 * HOUR)],
)
def test_a_dead_account_is_told_within_a_time_that_its_rate_bounds(a_day, longest):
    """It died at noon: weekends and nights, in which nothing is due, make it longer."""
    known, _ = shop(a_day, sunday=0.5)

    assert HOUR <= told_after(known, NOON) < longest


def test_the_busier_the_sooner():
    """By the account's own rate, at the same hour."""
    waits = [told_after(shop(a_day, sunday=0.5)[0], NOON) for a_day in (3, 30, 300, 3000)]

    assert waits == sorted(waits, reverse=True)


def test_a_quiet_night_and_a_quiet_weekend_tell_nothing():
    known, _ = shop(300)
    saturday_evening = MONDAY + LEARNT + 5 * DAY + 20 * HOUR
    with_a_calendar = Week(UTC.zone, is_told=True)

    assert told_after(known, NOON, with_a_calendar) < 6 * HOUR
    assert told_after(known, saturday_evening, with_a_calendar) > 34 * HOUR, "it is Monday by then"


def test_a_public_holiday_of_the_calendar_is_as_quiet_as_a_sunday():
    known, _ = shop(300)
    evening = NOON + 9 * HOUR
    holidays = frozenset({(NOON + DAY).date()})

    told = told_after(known, evening, Week(UTC.zone, holidays, is_told=True))

    assert told_after(known, evening, Week(UTC.zone, is_told=True)) < DAY
    assert told > 34 * HOUR


def test_where_no_calendar_says_what_is_a_holiday_two_days_may_be_quiet():
    known, _ = shop(300)
    for day in range(5):
        since = NOON + day * DAY
        third = rhythm.floor(since, DAY) + 2 * DAY
        assert since + told_after(known, since) > third


def test_a_holiday_teaches_nothing():
    closed = frozenset({(MONDAY + n * 7 * DAY).date() for n in range(1, 9)})
    came = pulses.pushes(Random(3), 300, 9, closed=closed)

    plain = learnt(came, MONDAY + LEARNT)
    known = learnt(came, MONDAY + LEARNT, Week(UTC.zone, closed))

    assert sum(known.listened) < sum(plain.listened)
    assert sum(known.heard) == sum(plain.heard)


def test_an_hour_is_that_of_the_accounts_own_zone_in_summer_and_in_winter():
    berlin = Week(ZoneInfo("Europe/Berlin"))

    assert berlin.hour(MONDAY + 6 * HOUR) == 8
    assert berlin.hour(MONDAY + 26 * WEEK + 7 * HOUR) == 8


def test_a_change_to_summer_time_that_nobody_knows_of_tells_nothing():
    """A shop of Berlin of which nothing says so: all it does comes an hour earlier."""
    before = pulses.pushes(Random(5), 3000, 9, sunday=0.5)
    known = learnt(before, MONDAY + LEARNT)
    late = pulses.pushes(Random(6), 3000, 2, sunday=0.5, begin=MONDAY + LEARNT + HOUR)
    early = pulses.pushes(Random(6), 3000, 2, sunday=0.5, begin=MONDAY + LEARNT - HOUR)

    for came in (late, early):
        ends = [rhythm.silent_from(known, UTC, since, {}, since) for since, _ in pulses.gaps(came)]
        assert all(
            at is None or at >= until
            for at, (_, until) in zip(ends, pulses.gaps(came), strict=True)
        )


@pytest.mark.parametrize("weeks", [0, 1])
def test_of_a_new_account_nothing_is_known(weeks):
    before = pulses.pushes(Random(1), 300, 9)
    until = MONDAY + weeks * WEEK + 3 * DAY

    known = learnt(before, until)

    assert not known.is_known
    assert told_after(known, until) is None


def test_of_one_that_is_pushed_a_few_times_nothing_is_known():
    few = [MONDAY + n * 3 * DAY for n in range(rhythm.FEWEST - 2)]

    assert not learnt(few, MONDAY + LEARNT).is_known


def test_of_weeks_in_which_nobody_listened_nothing_is_known():
    before = pulses.pushes(Random(1), 300, 9)
    listened = pulses.always(MONDAY, MONDAY + WEEK)

    assert not learnt(before, MONDAY + LEARNT, listened=listened).is_known


def test_while_nobody_listens_it_is_no_silence():
    known, _ = shop(3000, sunday=0.5)
    usually = told_after(known, NOON)
    now = NOON + 3 * DAY
    down = pulses.always(rhythm.floor(NOON, HOUR) + 30 * DAY, now + 31 * DAY)

    assert rhythm.silent_from(known, UTC, NOON, down, now) > now
    up = pulses.always(rhythm.floor(NOON, HOUR), now)
    assert rhythm.silent_from(known, UTC, NOON, up, now) - NOON == usually


def test_what_is_ahead_is_foreseen_as_it_comes():
    """The instant that is named does not move while we listen and nothing comes."""
    known, _ = shop(30)
    foreseen = rhythm.silent_from(known, UTC, NOON, {}, NOON)
    listened = pulses.always(rhythm.floor(NOON, HOUR), foreseen + DAY)

    for hours in range(1, int((foreseen - NOON) / HOUR) + 2, 5):
        now = NOON + hours * HOUR
        assert rhythm.silent_from(known, UTC, NOON, listened, now) == foreseen


def test_a_limit_of_the_settings_counts_the_time_in_which_we_listen():
    limit, now = 6 * HOUR, NOON + 10 * HOUR
    listened = pulses.always(NOON, NOON + 2 * HOUR) | pulses.always(NOON + 7 * HOUR, now)

    at = rhythm.allowed_until(limit, NOON, listened, now)

    assert at == NOON + 11 * HOUR + SLOT, "from the next whole slot on"
    assert rhythm.allowed_until(limit, NOON, {}, NOON) == NOON + 6 * HOUR + SLOT


@pytest.mark.parametrize("offset", [timedelta(), timedelta(seconds=1), SLOT - timedelta(seconds=1)])
def test_the_longest_silence_that_may_be_allowed_is_told(offset):
    since = NOON + offset

    at = rhythm.allowed_until(LONGEST_SILENCE, since, {}, since)

    assert at is not None
    assert LONGEST_SILENCE <= at - since <= LONGEST_SILENCE + SLOT


def test_pushes_that_come_one_by_one_are_not_bunched_and_chats_are():
    plain, _ = shop(30)
    chats, _ = shop(30, bunch=6)

    assert plain.bunched > 0.8
    assert chats.bunched < 0.4


def test_an_hour_of_the_week_that_was_never_heard_adds_nothing():
    never = Rhythm((0,) * 168, (96,) * 168, rhythm.LEARNT_FROM)

    assert never.one_more(never.usual[0], 1) == 0.0


@given(st.datetimes(MONDAY.replace(tzinfo=None), (MONDAY + DAY).replace(tzinfo=None)),
       st.timedeltas(timedelta(0), DAY))  # fmt: skip
def test_only_slots_that_lie_whole_within_are_marked(begin, length):
    begin = begin.replace(tzinfo=MONDAY.tzinfo)
    marked = rhythm.masks(begin, begin + length)

    slots = [h + n * SLOT for h, mask in marked.items() for n in range(12) if mask >> n & 1]
    assert all(begin <= at and at + SLOT <= begin + length for at in slots)
    assert len(slots) >= length // SLOT - 1
    assert all(
        0 < mask <= ALL and hour == rhythm.floor(hour, HOUR) for hour, mask in marked.items()
    )


@given(st.integers(0, 167), st.integers(1, 96), st.integers(1, 300))
def test_every_silent_slot_makes_it_more_improbable_and_ever_less_so(hour, heard, n):
    known = Rhythm((heard,) * 168, (96,) * 168, rhythm.LEARNT_FROM)
    seen = known.usual[hour]

    assert known.one_more(seen, n) > known.one_more(seen, n + 1) > 0
