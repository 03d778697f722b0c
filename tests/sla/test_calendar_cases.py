"""Dates that a person can check with a wall calendar."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, date, datetime, time, timedelta

import pytest

from sla.calendar import Calendar, NeverOpenError, Span
from tests.sla.making import DAY, HOUR, MINUTE, days, spans, wall, weekdays

BERLIN = "Europe/Berlin"
BERLIN_HOLIDAYS = days(
    "2026-01-01", "2026-03-08", "2026-04-03", "2026-04-06", "2026-05-01", "2026-05-14",
    "2026-05-25", "2026-10-03", "2026-12-25", "2026-12-26", "2027-01-01", "2027-03-08",
)  # fmt: skip
OFFICE = Calendar(BERLIN, weekdays("09:00-18:00"), {}, BERLIN_HOLIDAYS)
ALWAYS = Calendar.always()


@pytest.mark.parametrize(
    ("why", "start", "due"),
    [
        ("fills the day: due at closing", "2026-06-08 10:00", "2026-06-08 18:00"),
        ("before opening", "2026-06-08 07:00", "2026-06-08 17:00"),
        ("at closing", "2026-06-08 18:00", "2026-06-09 17:00"),
        ("Saturday", "2026-06-06 12:00", "2026-06-08 17:00"),
        ("weekend between: 2 + 6 h", "2026-06-05 16:00", "2026-06-08 15:00"),
        ("spring change at the weekend", "2026-03-27 16:00", "2026-03-30 15:00"),
        ("autumn change at the weekend", "2026-10-23 16:00", "2026-10-26 15:00"),
        ("Good Friday and Easter Monday off", "2026-04-02 17:00", "2026-04-07 16:00"),
        ("1 May on a Friday", "2026-04-30 16:00", "2026-05-04 15:00"),
        ("24 December is no holiday", "2026-12-24 17:30", "2026-12-28 16:30"),
        ("8 March in Berlin only", "2027-03-05 17:00", "2027-03-09 16:00"),
        ("starts on Ascension Day", "2026-05-14 12:00", "2026-05-15 17:00"),
        ("3 October on a Saturday", "2026-10-03 10:00", "2026-10-05 17:00"),
    ],
)
def test_eight_office_hours_in_berlin(why, start, due):
    start, due = wall(start, BERLIN), wall(due, BERLIN)

    assert OFFICE.add(start, 8 * HOUR) == due
    assert OFFICE.elapsed(start, due) == 8 * HOUR


def test_over_the_spring_change_the_due_instant_is_13_00_utc_and_not_14_00():
    friday = datetime(2026, 3, 27, 15, tzinfo=UTC)

    assert OFFICE.add(friday, 8 * HOUR) == datetime(2026, 3, 30, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("why", "start", "due"),
    [
        ("the spring gap", "2026-03-28 22:00", "2026-03-29 07:00"),
        ("the autumn fold", "2026-10-24 22:00", "2026-10-25 05:00"),
    ],
)
@pytest.mark.parametrize("calendar", [ALWAYS, Calendar.always(BERLIN)])
def test_round_the_clock_eight_hours_are_eight_real_hours(calendar, why, start, due):
    start, due = wall(start, BERLIN), wall(due, BERLIN)

    assert calendar.add(start, 8 * HOUR) == due
    assert calendar.elapsed(start, due) == 8 * HOUR


@pytest.mark.parametrize(
    ("why", "place", "hours", "holidays", "start", "hours_more", "due", "utc"),
    [
        ("Seoul, +09:00 all year; Monday 2 March stands in for the 1st, a Sunday",
         "Asia/Seoul", weekdays("09:00-18:00"), ["2026-03-02"],
         "2026-02-27 17:00", 8, "2026-03-03 16:00", "2026-03-03T07:00"),
        ("Sydney, summer time ends on 5 April between Good Friday and Easter Monday",
         "Australia/Sydney", weekdays("09:00-18:00"), ["2026-04-03", "2026-04-06"],
         "2026-04-02 16:00", 8, "2026-04-07 15:00", "2026-04-07T05:00"),
        ("Sydney, summer time begins on 4 October, Labour Day is the 5th",
         "Australia/Sydney", weekdays("09:00-18:00"), ["2026-10-05"],
         "2026-10-02 16:00", 8, "2026-10-06 15:00", "2026-10-06T04:00"),
        ("Kathmandu, +05:45, Saturday is the day off",
         "Asia/Kathmandu", dict.fromkeys((0, 1, 2, 3, 6), spans("10:00-17:00"))
         | {4: spans("10:00-15:00")}, [],
         "2026-06-05 14:00", 3, "2026-06-07 12:00", "2026-06-07T06:15"),
        ("Casablanca, an hour back on 15 February for Ramadan",
         "Africa/Casablanca", weekdays("09:00-18:00"), [],
         "2026-02-13 16:00", 8, "2026-02-16 15:00", "2026-02-16T15:00"),
        ("Casablanca, an hour forward on 22 March after Ramadan",
         "Africa/Casablanca", weekdays("09:00-18:00"), [],
         "2026-03-20 16:00", 8, "2026-03-23 15:00", "2026-03-23T14:00"),
        ("Samoa had no Friday 30 December 2011",
         "Pacific/Apia", weekdays("09:00-17:00"), [],
         "2011-12-29 16:00", 8, "2012-01-02 16:00", "2012-01-02T02:00"),
        ("Almaty moved from +06:00 to +05:00 on 1 March 2024",
         "Asia/Almaty", weekdays("09:00-18:00"), [],
         "2024-02-29 16:00", 8, "2024-03-01 15:00", "2024-03-01T10:00"),
    ],
)  # fmt: skip
def test_elsewhere_in_the_world(why, place, hours, holidays, start, hours_more, due, utc):
    calendar = Calendar(place, hours, {}, days(*holidays))
    start, due = wall(start, place), wall(due, place)

    assert due == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert calendar.add(start, hours_more * HOUR) == due
    assert calendar.elapsed(start, due) == hours_more * HOUR


def test_the_day_that_samoa_skipped_took_no_time():
    calendar = Calendar.clock_hours_without("Pacific/Apia", weekend=())
    noon = wall("2011-12-29 12:00", "Pacific/Apia")

    assert calendar.add(noon, DAY) == wall("2011-12-31 12:00", "Pacific/Apia")
    assert list(Calendar("Pacific/Apia", {4: spans("09:00-17:00")}).spans(noon, noon + DAY)) == []


@pytest.mark.parametrize(
    ("why", "holiday", "start", "due"),
    [
        ("Easter Sunday 2024, 23 hours long", "2024-03-31", "2024-03-30 20:00", "2024-04-01 04:00"),
        ("25 October 2026, 25 hours long", "2026-10-25", "2026-10-24 20:00", "2026-10-26 04:00"),
    ],
)
def test_a_holiday_on_the_day_of_a_clock_change_pauses_for_that_whole_day(why, holiday, start, due):
    calendar = Calendar.clock_hours_without(BERLIN, weekend=(), holidays=days(holiday))

    assert calendar.add(wall(start, BERLIN), 8 * HOUR) == wall(due, BERLIN)


def test_24_clock_hours_that_pause_on_weekends_and_federal_holidays():
    """Best Buy: Friday 15:00 to Tuesday 15:00 over Memorial Day, 25 May 2026."""
    chicago = "America/Chicago"
    calendar = Calendar.clock_hours_without(chicago, holidays=days("2026-05-25"))

    due = calendar.add(wall("2026-05-22 15:00", chicago), DAY)

    assert due == wall("2026-05-26 15:00", chicago)


def test_a_lunch_break_is_no_working_time():
    shifts = Calendar("Europe/Paris", weekdays("09:00-12:30", "13:30-18:00"))

    due = shifts.add(wall("2026-06-08 11:30", "Europe/Paris"), 2 * HOUR)

    assert due == wall("2026-06-08 14:30", "Europe/Paris")


NIGHTS = weekdays("22:00-06:00")


@pytest.mark.parametrize(
    ("why", "closed", "start", "due"),
    [
        ("Friday's night runs into Saturday", [], "2026-06-06 03:00", "2026-06-08 23:00"),
        ("Saturday closed: the tail of the night before stays", ["2026-06-06"],
         "2026-06-06 03:00", "2026-06-08 23:00"),
        ("Friday closed: its night is off, Thursday's tail stays", ["2026-06-05"],
         "2026-06-05 03:00", "2026-06-08 23:00"),
    ],
)  # fmt: skip
def test_a_night_shift_belongs_to_the_day_on_which_it_starts(why, closed, start, due):
    by_holiday = Calendar(BERLIN, NIGHTS, {}, days(*closed))
    by_exception = Calendar(BERLIN, NIGHTS, dict.fromkeys(days(*closed), ()))
    start, due = wall(start, BERLIN), wall(due, BERLIN)

    assert by_holiday.add(start, 4 * HOUR) == by_exception.add(start, 4 * HOUR) == due


def test_a_night_shift_over_the_spring_change_is_an_hour_shorter():
    nights = Calendar(BERLIN, {5: spans("22:00-06:00")})
    saturday = wall("2026-03-28 22:00", BERLIN)

    assert nights.elapsed(saturday, saturday + DAY) == 7 * HOUR


def test_midnight_as_an_end_is_the_end_of_the_day():
    evenings = Calendar(BERLIN, weekdays("18:00-00:00"))

    due = evenings.add(wall("2026-06-08 23:00", BERLIN), 2 * HOUR)

    assert due == wall("2026-06-09 19:00", BERLIN)


@pytest.mark.parametrize(
    ("day", "opening", "minutes"),
    [
        ("2026-03-29", ["02:15-02:45"], 0),
        ("2026-03-29", ["01:30-02:30"], 30),
        ("2026-03-29", ["02:30-04:00"], 60),
        ("2026-03-29", ["01:00-04:00"], 120),
        ("2026-10-25", ["02:30-04:00"], 150),
        ("2026-10-25", ["01:00-02:30"], 150),
        ("2026-10-25", ["02:15-02:45"], 90),
        ("2026-10-25", ["01:00-02:30", "02:30-04:00"], 240),
    ],
)
def test_a_skipped_wall_time_is_the_change_and_a_doubled_one_is_open_both_times(
    day, opening, minutes
):
    calendar = Calendar(BERLIN, {6: spans(*opening)})
    midnight = wall(day, BERLIN)

    assert calendar.elapsed(midnight, midnight + DAY) == minutes * MINUTE


def test_a_doubled_opening_is_the_first_and_a_doubled_closing_the_second():
    calendar = Calendar(BERLIN, {6: spans("02:15-02:45")})
    midnight = wall("2026-10-25", BERLIN)

    opening = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
    assert list(calendar.spans(midnight, midnight + DAY)) == [(opening, opening + 90 * MINUTE)]


def test_a_half_hour_change_is_exact():
    """Lord Howe moves by 30 minutes: 4 October 2026, 02:00 to 02:30."""
    place = "Australia/Lord_Howe"
    calendar = Calendar(place, {6: spans("01:00-04:00")})
    midnight = wall("2026-10-04", place)

    assert calendar.elapsed(midnight, midnight + DAY) == 150 * MINUTE


def test_a_change_at_midnight_opens_the_day_at_the_change():
    """Santiago has no 00:00 to 01:00 on 6 September 2026."""
    place = "America/Santiago"
    calendar = Calendar.clock_hours_without(place, weekend=(5,))
    opening = datetime(2026, 9, 6, 4, tzinfo=UTC)

    assert calendar.add(wall("2026-09-05 12:00", place), timedelta(0)) == opening


def test_spans_that_touch_or_overlap_are_one():
    calendar = Calendar(BERLIN, {0: spans("09:00-12:00", "12:00-13:00", "12:30-15:00")})
    monday = wall("2026-06-08", BERLIN)

    assert list(calendar.spans(monday, monday + DAY)) == [(monday + 9 * HOUR, monday + 15 * HOUR)]


def test_an_exception_wins_over_a_holiday():
    eve = date(2026, 12, 24)
    calendar = Calendar(
        BERLIN, weekdays("09:00-18:00"), {eve: spans("09:00-12:00")}, days(str(eve))
    )

    assert calendar.elapsed(wall("2026-12-24", BERLIN), wall("2026-12-25", BERLIN)) == 3 * HOUR


def test_it_is_open_from_an_opening_until_a_closing_and_not_at_it():
    opens, closes = wall("2026-11-23 09:00", BERLIN), wall("2026-11-23 17:00", BERLIN)
    moment = timedelta(microseconds=1)
    office = Calendar(BERLIN, {0: spans("09:00-17:00")})

    assert [office.is_open(at) for at in (opens - moment, opens, closes - moment, closes)] == [
        False, True, True, False,
    ]  # fmt: skip


def test_what_never_closes_is_open_and_what_never_opens_again_is_not():
    once = Calendar("UTC", {}, {date(2026, 1, 5): spans("09:00-17:00")})
    at = wall("2027-01-04 09:00", "UTC")

    assert Calendar.always().is_open(at)
    assert not once.is_open(at)


def test_nothing_to_add_is_the_first_open_instant():
    friday_evening, monday = wall("2026-06-05 18:00", BERLIN), wall("2026-06-08 09:00", BERLIN)

    assert OFFICE.add(friday_evening, timedelta(0)) == monday
    assert OFFICE.add(monday, timedelta(0)) == monday
    assert OFFICE.first_open(friday_evening) == monday


def test_a_negative_time_leads_back_to_the_earliest_instant():
    monday = wall("2026-06-08 11:00", BERLIN)

    assert OFFICE.add(monday, -4 * HOUR) == wall("2026-06-05 16:00", BERLIN)
    assert OFFICE.add(monday, -2 * HOUR) == wall("2026-06-05 18:00", BERLIN)


def test_a_calendar_without_an_open_instant_in_two_years_shows():
    start = wall("2026-06-08", BERLIN)
    never = Calendar(BERLIN, {})
    once = Calendar(BERLIN, {}, {date(2027, 1, 4): spans("09:00-10:00")})

    assert never.first_open(start) is None
    assert once.first_open(start) == wall("2027-01-04 09:00", BERLIN)
    assert once.first_open(start + 1000 * DAY) is None


def test_a_calendar_that_opens_no_more_says_so():
    once = Calendar(BERLIN, {}, {date(2027, 1, 4): spans("09:00-10:00")})
    start = wall("2026-06-08", BERLIN)

    assert once.add(start, HOUR) == wall("2027-01-04 10:00", BERLIN)
    with pytest.raises(NeverOpenError, match="no open time left"):
        once.add(start, HOUR + MINUTE)
    with pytest.raises(NeverOpenError, match="no open time left"):
        Calendar(BERLIN, {}).add(start, timedelta(0))
    with pytest.raises(NeverOpenError, match="no open time before"):
        once.add(start, -HOUR)


def test_a_question_before_all_known_years_and_one_long_after_are_answered():
    calendar = Calendar(BERLIN, weekdays("09:00-18:00"))
    start, end = wall("1991-06-03 10:00", BERLIN), wall("2071-06-01 10:00", BERLIN)

    assert calendar.add(end, HOUR) == end + HOUR
    assert calendar.add(start, 8 * HOUR) == start + 8 * HOUR
    assert calendar.add(start, calendar.elapsed(start, end)) == end
    assert calendar.add(end, -calendar.elapsed(start, end)) == start


def test_beyond_the_years_that_a_table_may_cover_an_error_says_so():
    with pytest.raises(OverflowError, match="1900"):
        OFFICE.add(datetime(1850, 1, 1, tzinfo=UTC), HOUR)
    with pytest.raises(NeverOpenError, match="2299"):
        OFFICE.add(datetime(2290, 1, 2, tzinfo=UTC), 1000 * 365 * DAY)


def test_a_table_that_has_grown_never_shrinks():
    calendar = Calendar(BERLIN, weekdays("09:00-17:30"))
    years = [datetime(year, 6, 1, tzinfo=UTC) for year in (2026, 2010, 2031)]
    for start in years:
        calendar.add(start, HOUR)
    grown = calendar._table.rows

    for start in years:
        calendar.elapsed(start, start + DAY)

    assert calendar._table.rows is grown


def test_equal_calendars_share_a_table_and_are_equal():
    same = Calendar(BERLIN, weekdays("09:00-18:00"), {}, BERLIN_HOLIDAYS)
    other = Calendar(BERLIN, weekdays("09:00-17:00"), {}, BERLIN_HOLIDAYS)

    assert same == OFFICE
    assert hash(same) == hash(OFFICE)
    assert same != other
    assert same._table is OFFICE._table
    assert pickle.loads(pickle.dumps(same)) == copy.deepcopy(same) == same
    assert len({same, OFFICE, other}) == 2
    assert same != "a calendar"


def test_a_calendar_cannot_be_changed():
    with pytest.raises(TypeError):
        OFFICE.hours[0] = ()
    with pytest.raises(AttributeError):
        OFFICE.zone = "UTC"


def test_what_is_no_calendar_is_refused():
    with pytest.raises(ValueError, match="weekdays"):
        Calendar(BERLIN, {7: spans("09:00-18:00")})
    with pytest.raises(ValueError, match="wall times"):
        Span(time(9, tzinfo=UTC), time(18))


@pytest.mark.parametrize("calendar", [OFFICE, ALWAYS])
def test_an_instant_without_a_zone_is_refused(calendar):
    naive = datetime(2026, 6, 8, 10)  # noqa: DTZ001 -- what is refused

    with pytest.raises(ValueError, match="aware"):
        calendar.add(naive, HOUR)
    with pytest.raises(ValueError, match="aware"):
        calendar.elapsed(naive, naive)


def test_answers_are_in_utc_whatever_zone_was_asked_in():
    tokyo = wall("2026-06-08 17:00", "Asia/Tokyo")

    assert OFFICE.add(tokyo, HOUR).tzinfo is UTC
    assert ALWAYS.add(tokyo, HOUR).tzinfo is UTC
    assert OFFICE.local(tokyo).hour == 10
