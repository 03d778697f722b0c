"""Laws of working time, against an oracle that looks at every single minute.

The oracle knows nothing of offsets: a span opens at the first minute whose wall clock has reached
its start, and closes at the last minute at which the wall clock shows its end or, where it is
skipped, after the last minute before it. All changes of
all zones used here, and all spans, fall on whole minutes, so that a minute is exact.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.calendar import WHOLE_DAY, Calendar, Span
from sla.zones import zone
from tests.sla.making import DAY, HOUR, MINUTE, spans

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe",
    "Asia/Kathmandu", "Asia/Seoul", "Africa/Casablanca", "America/Santiago", "Africa/Cairo",
    "America/Havana", "America/St_Johns", "Pacific/Apia", "Asia/Almaty", "Asia/Tehran",
)  # fmt: skip
WINDOW = 9
FIRST, LAST = datetime(2008, 1, 1, tzinfo=UTC), datetime(2032, 1, 1, tzinfo=UTC)


@cache
def changes(place: str) -> list[datetime]:
    """The days on which the zone's offset changes."""
    days = [FIRST + DAY * n for n in range((LAST - FIRST).days)]
    offsets = [day.astimezone(zone(place)).utcoffset() for day in days]
    return [day for day, (a, b) in zip(days, pairwise(offsets), strict=False) if a != b] or [FIRST]


@cache
def walls(place: str, begin: datetime) -> list[datetime]:
    """What a wall clock shows at each minute."""
    minutes = (begin + MINUTE * n for n in range(WINDOW * 1440))
    return [m.astimezone(zone(place)).replace(tzinfo=None, fold=0) for m in minutes]


class Oracle:
    """Minutes of a few days, and which of them are open."""

    def __init__(self, calendar: Calendar, begin: datetime) -> None:
        self.begin = begin
        self.walls = walls(calendar.zone, begin)
        self.open = [False] * len(self.walls)
        day = self.walls[0].date() - DAY
        while day <= self.walls[-1].date():
            for span in calendar.spans_of(day):
                self.shade(day, span)
            day += DAY

    def shade(self, day: date, span: Span) -> None:
        start = datetime.combine(day, span.start)
        end = datetime.combine(day if span.end > span.start else day + DAY, span.end)
        first = next((n for n in self.near(start) if self.walls[n] >= start), None)
        last = next((n for n in reversed(self.near(end)) if self.walls[n] <= end), None)
        if first is not None and last is not None:
            last += self.walls[last] != end
            self.open[first:last] = [True] * (last - first)

    def near(self, wall: datetime) -> range:
        """The minutes that may show *wall*: no zone is 16 hours from UTC, a day may be skipped."""
        middle = (wall - self.begin.replace(tzinfo=None)) // MINUTE
        margin = 40 * 60
        return range(max(0, middle - margin), min(len(self.walls), middle + margin))

    def place(self, instant: datetime) -> int:
        return (instant - self.begin) // MINUTE

    def add(self, start: datetime, minutes: int) -> datetime | None:
        """By walking; None where the window is too short."""
        for n in range(self.place(start), len(self.open)):
            if minutes == 0 and self.open[n]:
                return self.begin + MINUTE * n
            if self.open[n]:
                minutes -= 1
                if minutes == 0:
                    return self.begin + MINUTE * (n + 1)
        return None

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        return MINUTE * sum(self.open[self.place(start) : self.place(end)])


whole_minutes = st.integers(0, 1439).map(lambda n: time(n // 60, n % 60))
likely = st.sampled_from([time(0), time(1, 30), time(2), time(2, 30), time(3), time(9), time(22)])
some_spans = st.lists(st.builds(Span, *[st.one_of(likely, whole_minutes)] * 2), max_size=3).map(
    tuple
)


@st.composite
def cases(draw) -> tuple[Calendar, datetime]:
    """A calendar, and a day near which something happens to its zone."""
    place = draw(st.sampled_from(ZONES))
    middle = draw(st.one_of(
        st.sampled_from(changes(place)),
        st.integers(3, (LAST - FIRST).days).map(lambda n: FIRST + DAY * n),
    ))  # fmt: skip
    near = st.integers(-3, 4).map(lambda n: (middle + DAY * n).date())
    hours = draw(st.dictionaries(st.integers(0, 6), st.one_of(some_spans, st.just(WHOLE_DAY))))
    exceptions = draw(st.dictionaries(near, some_spans, max_size=2))
    holidays = draw(st.frozensets(near, max_size=2))
    return Calendar(place, hours, exceptions, holidays), middle


@settings(max_examples=100)
@given(case=cases(), data=st.data())
def test_adding_and_measuring_agree_with_looking_at_every_minute(case, data):
    calendar, middle = case
    oracle = Oracle(calendar, middle - 4 * DAY)
    for _ in range(8):
        start = oracle.begin + MINUTE * data.draw(st.integers(2 * 1440, 5 * 1440))
        end = oracle.begin + MINUTE * data.draw(st.integers(2 * 1440, 7 * 1440))
        minutes = data.draw(st.integers(0, 40 * 60))
        due = oracle.add(start, minutes)
        if due is not None and due < oracle.begin + 7 * DAY:
            assert calendar.add(start, MINUTE * minutes) == due
        first, last = sorted((start, end))
        assert calendar.elapsed(first, last) == oracle.elapsed(first, last)


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ],
)
def test_around_a_clock_change_every_single_second_is_right(place, change):
    calendar = Calendar(place, dict.fromkeys(range(7), spans("01:30:07-02:10:11", "02:20-02:50")))
    begin = change - 3 * HOUR
    seconds = [begin + timedelta(seconds=n) for n in range(6 * 3600)]
    walls = [s.astimezone(zone(place)).replace(tzinfo=None, fold=0) for s in seconds]
    day = walls[3 * 3600].date()
    is_open = [False] * len(seconds)
    for start, end in ((time(1, 30, 7), time(2, 10, 11)), (time(2, 20), time(2, 50))):
        first = next(n for n, w in enumerate(walls) if w >= datetime.combine(day, start))
        last = max(n for n, w in enumerate(walls) if w < datetime.combine(day, end))
        for n in range(first, last + 1):
            is_open[n] = True

    worked = 0
    for second, counts in zip(seconds, is_open, strict=True):
        assert calendar.elapsed(begin, second) == timedelta(seconds=worked)
        worked += counts


# One long day a week at least: what opens a minute a week takes centuries to fill a month.
week = st.builds(
    lambda days, long: {**days, long: spans("09:00-17:00")},
    st.dictionaries(st.integers(0, 6), some_spans), st.integers(0, 6),
)  # fmt: skip
calendars = st.builds(
    Calendar, st.sampled_from(ZONES), week,
    st.dictionaries(st.dates(date(2025, 1, 1), date(2026, 12, 31)), some_spans, max_size=3),
    st.frozensets(st.dates(date(2025, 1, 1), date(2026, 12, 31)), max_size=5),
)  # fmt: skip
instants = st.datetimes(
    datetime(2025, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)  # noqa: DTZ001 -- bounds
)  # fmt: skip
decades = st.datetimes(
    datetime(2005, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)  # noqa: DTZ001 -- bounds
)  # fmt: skip
working_times = st.timedeltas(timedelta(0), timedelta(days=40))


@settings(max_examples=40)
@given(calendars, instants, working_times)
def test_what_was_added_has_elapsed(calendar, start, working_time):
    assert calendar.elapsed(start, calendar.add(start, working_time)) == working_time
    assert calendar.elapsed(start, calendar.add(start, -working_time)) == -working_time


@settings(max_examples=40)
@given(calendars, instants, instants)
def test_elapsed_backwards_is_the_negative(calendar, begin, end):
    assert calendar.elapsed(end, begin) == -calendar.elapsed(begin, end)


@settings(max_examples=40)
@given(calendars, instants, instants, instants)
def test_elapsed_times_of_neighbouring_stretches_add_up(calendar, first, second, third):
    whole = calendar.elapsed(first, third)

    assert calendar.elapsed(first, second) + calendar.elapsed(second, third) == whole


@settings(max_examples=40)
@given(calendars, st.lists(instants, min_size=2, max_size=2).map(sorted), working_times)
def test_who_starts_later_is_never_due_earlier(calendar, starts, working_time):
    earlier, later = starts

    assert calendar.add(earlier, working_time) <= calendar.add(later, working_time)


@settings(max_examples=40)
@given(calendars, instants, st.lists(working_times, min_size=2, max_size=2).map(sorted))
def test_more_time_is_never_due_earlier(calendar, start, times):
    less, more = times

    assert calendar.add(start, less) <= calendar.add(start, more)
    assert calendar.add(start, -more) <= calendar.add(start, -less) <= calendar.add(start, less)


@settings(max_examples=40)
@given(calendars, instants, working_times, working_times)
def test_adding_twice_is_adding_the_sum(calendar, start, first, second):
    if second:
        both = calendar.add(start, first + second)
        assert calendar.add(calendar.add(start, first), second) == both


@settings(max_examples=40)
@given(calendars, instants)
def test_nothing_added_is_the_first_open_instant(calendar, start):
    opening = calendar.add(start, timedelta(0))

    assert opening >= start
    assert calendar.elapsed(start, opening) == timedelta(0)
    assert calendar.elapsed(opening, opening + timedelta(microseconds=1)) > timedelta(0)
    assert calendar.first_open(start) == opening


@settings(max_examples=40)
@given(calendars, instants, working_times.filter(bool))
def test_a_due_instant_ends_open_time_and_never_lies_at_an_opening(calendar, start, working_time):
    due = calendar.add(start, working_time)

    assert calendar.elapsed(due - timedelta(microseconds=1), due) > timedelta(0)


@settings(max_examples=40)
@given(calendars, instants, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_spans_are_what_elapses_and_never_touch(calendar, begin, length):
    found = list(calendar.spans(begin, begin + length))

    assert sum((end - start for start, end in found), timedelta(0)) == calendar.elapsed(
        begin, begin + length
    )
    assert all(start < end for start, end in found)
    assert all(end < start for (_, end), (start, _) in pairwise(found))


@settings(max_examples=20)
@given(st.lists(decades, min_size=3, max_size=4), working_times)
def test_the_order_of_questions_does_not_matter(starts, working_time):
    """A table that grew forwards, backwards and in leaps says what a fresh one says."""
    hours = {0: spans("09:00-12:00"), 5: spans("22:00-06:00")}
    first = Calendar("Europe/Berlin", hours, {date(2020, 1, 1): ()})
    answers = [first.add(start, working_time) for start in starts]
    del first
    second = Calendar("Europe/Berlin", hours, {date(2020, 1, 1): ()})

    assert [second.add(start, working_time) for start in reversed(starts)] == answers[::-1]


def test_a_calendar_with_many_spans_a_day_is_exact_too():
    quarters = tuple(Span(time(h, m), time(h, m + 10)) for h in range(24) for m in (0, 15, 30, 45))
    calendar = Calendar("Europe/Berlin", dict.fromkeys(range(7), quarters))
    start = datetime(2026, 3, 28, 22, 3, tzinfo=UTC)

    due = calendar.add(start, 100 * HOUR)

    assert due == start + 150 * HOUR
    assert len(list(calendar.spans(start, due))) == 601
