"""Who is on duty: by times in the settings, and by calendar files with all that these hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Unfit
from core.people import rota
from core.people.person import FAR
from sla.calendar import WHOLE_DAY, Calendar
from tests.core.people import duty, hours, nights, person, span

NOW = datetime(2026, 10, 21, 12, tzinfo=UTC)  # a Wednesday; summer time ends on Sunday, the 25th
PEOPLE = (
    person("anna", "a", title="Anna Kim", also=("anna@shop.example",)),
    person("anna-lee", "l", title="Lee, Anna"),
    person("bo", "b"),
)
WEEKS = """
BEGIN:VEVENT
UID:week-a
DTSTART;TZID=Europe/Berlin:20261005T080000
DTEND;TZID=Europe/Berlin:20261005T200000
RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR
EXDATE;TZID=Europe/Berlin:20261022T080000
SUMMARY:On call: anna
END:VEVENT
BEGIN:VEVENT
UID:week-a
RECURRENCE-ID;TZID=Europe/Berlin:20261023T080000
DTSTART;TZID=Europe/Berlin:20261023T140000
DTEND;TZID=Europe/Berlin:20261023T160000
SUMMARY:On call: anna
END:VEVENT
BEGIN:VEVENT
UID:week-b
DTSTART;TZID=Europe/Berlin:20261005T180000
DTEND;TZID=Europe/Berlin:20261006T080000
RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH
SUMMARY:On call: bo
END:VEVENT
"""


def calendar(events, head=""):
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *head.split("\n"),
             *events.strip().split("\n"), "END:VCALENDAR", ""]  # fmt: skip
    return "\r\n".join(line for line in lines if line)


def event(begin, end="", summary="anna", more=""):
    return f"BEGIN:VEVENT\nUID:1\n{begin}\n{end}\nSUMMARY:{summary}\n{more}\nEND:VEVENT".replace(
        "\n\n", "\n"
    ).replace("\n\n", "\n")


@pytest.fixture
def read(tmp_path):
    """Reads a calendar file of these events."""

    def read(events, head="", zone="Europe/Berlin", now=NOW, whole=None):
        path = tmp_path / "duty.ics"
        path.write_text(calendar(events, head) if whole is None else whole)
        return rota.read(path, zone, PEOPLE, now)

    return read


def berlin(day, clock):
    return datetime.fromisoformat(f"2026-10-{day:02}T{clock}").replace(
        tzinfo=Calendar.always("Europe/Berlin").local(NOW).tzinfo
    )


@pytest.mark.parametrize(
    ("day", "clock", "people"),
    [
        (21, "07:59", ("bo",)),  # the night before runs into the day
        (21, "08:00", ("anna",)),
        (21, "18:00", ("anna", "bo")),  # two hours of both
        (21, "20:00", ("bo",)),
        (22, "10:00", ()),  # left out
        (22, "20:00", ("bo",)),
        (23, "08:30", ()),  # moved to the afternoon of that day
        (23, "15:00", ("anna",)),
        (23, "16:00", ()),
        (24, "12:00", ()),  # the weekend
        (25, "02:30", ()),
        (26, "07:59", ()),  # winter time by now, and the wall is what counts
        (26, "08:00", ("anna",)),
        (26, "19:59", ("anna", "bo")),
    ],
)
def test_repeated_left_out_and_moved_events_are_as_the_calendar_says(read, day, clock, people):
    found = read(WEEKS)

    assert sorted(found.on(berlin(day, clock))) == sorted(people)


def test_gaps_are_when_no_event_names_anybody(read):
    found = duty("week", "person:bo")
    found = type(found)("week", read(WEEKS), "person:bo", "Europe/Berlin")

    assert found.gaps(berlin(23, "00:00"), berlin(26, "12:00")) == [
        (berlin(23, "08:00"), berlin(23, "14:00")),
        (berlin(23, "16:00"), berlin(26, "08:00")),
    ]
    assert found.changes(berlin(23, "15:00"), berlin(26, "12:00")) == berlin(23, "16:00")


PLACED = [
    ("DTSTART:20261021T060000Z", "DTEND:20261021T080000Z", "", "2026-10-21T06:00Z"),
    ("DTSTART;TZID=Asia/Seoul:20261021T090000", "DURATION:PT1H", "", "2026-10-21T00:00Z"),
    ("DTSTART:20261021T090000", "DTEND:20261021T100000", "", "2026-10-21T07:00Z"),
    ("DTSTART:20261021T090000", "DTEND:20261021T100000", "X-WR-TIMEZONE:Asia/Seoul",
     "2026-10-21T00:00Z"),
    ("DTSTART;VALUE=DATE:20261021", "", "", "2026-10-20T22:00Z"),
    ("DTSTART;VALUE=DATE:20261021", "", "X-WR-TIMEZONE:Asia/Seoul", "2026-10-20T15:00Z"),
    ("DTSTART;VALUE=DATE:20261025", "", "", "2026-10-24T22:00Z"),
]  # fmt: skip


@pytest.mark.parametrize(("begin", "end", "head", "at"), PLACED)
def test_times_are_of_the_events_zone_the_calendars_or_the_dutys(read, begin, end, head, at):
    (held,) = read(event(begin, end), head).held

    assert held.begin == datetime.fromisoformat(at)


def test_a_day_is_as_long_as_the_clocks_say(read):
    (held,) = read(event("DTSTART;VALUE=DATE:20261025")).held

    assert held.end - held.begin == timedelta(hours=25)


@pytest.mark.parametrize(
    ("summary", "more", "people"),
    [
        ("anna", "", ("anna",)),
        ("ANNA KIM - Level 1", "", ("anna",)),
        ("anna-lee", "", ("anna-lee",)),
        ("[L1] bo\\, anna", "", ("bo", "anna")),
        ("Lee\\, Anna", "", ("anna-lee",)),
        ("Susannah's birthday, hobo", "", ()),
        ("Duty", "ATTENDEE;CN=Anna Kim:mailto:whoever@x.example", ("anna",)),
        ("Duty", "ATTENDEE:MAILTO:Anna@shop.example", ("anna",)),
        ("anna", "ATTENDEE;CN=Bo:mailto:b@x.example\nATTENDEE:mailto:anna@shop.example",
         ("bo", "anna")),
        ("anna", "ATTENDEE:mailto:stranger@x.example", ("anna",)),
        ("anna", "STATUS:CANCELLED", None),
    ],
)  # fmt: skip
def test_attendees_or_else_the_words_of_an_event_name_people(read, summary, more, people):
    found = read(event("DTSTART:20261021T060000Z", "DTEND:20261021T080000Z", summary, more))

    assert [held.people for held in found.held] == ([] if people is None else [people])
    assert bool(found.unnamed) == (people == ())


BROKEN = [
    ("", "no whole calendar"),
    ("<html>502 Bad Gateway</html>", "no whole calendar"),
    (calendar(WEEKS)[:300], "no whole calendar"),
    ("BEGIN:VCALENDAR\r\ngarbage\r\nEND:VCALENDAR", "no calendar (RFC 5545)"),
    (calendar("BEGIN:VEVENT\nUID:1\nSUMMARY:anna\nEND:VEVENT"), "give it DTSTART"),
    (calendar(event("DTSTART:2026")), "DTSTART that is none"),
    (calendar(event("DTSTART;TZID=Mars/Olympus:20261021T060000")), "a zone that nobody knows"),
    (calendar(event("DTSTART:20261021T060000Z", more="RRULE:FREQ=MINUTELY")), "every minute"),
    (
        calendar(event("DTSTART:20261021T060000Z", more="RRULE:FREQ=SOMETIMES")),
        "RRULE that is none",
    ),
    (calendar(event("DTSTART:20261021T060000Z", "DTEND:2026")), "DTEND that is none"),
    (calendar(event("DTSTART:20261021T060000Z", more="RRULE:FREQ=DAILY;BYHOUR=99")), "no rule"),
    ("BEGIN:VCALENDAR\r\n" + "X-A:b\r\n" * 800_000 + "END:VCALENDAR", "larger than"),
]


@pytest.mark.parametrize(("whole", "why"), BROKEN)
def test_a_broken_file_is_refused_and_says_how_to_mend_it(read, whole, why):
    with pytest.raises(Unfit, match="; ") as found:
        read("", whole=whole)

    assert why in str(found.value)
    assert "anna" not in str(found.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Unfit, match="cannot be read"):
        rota.read(tmp_path / "none.ics", "UTC", PEOPLE, NOW)


def test_more_events_than_anybodys_duty_are_refused(read):
    with pytest.raises(Unfit, match="more events than"):
        read("\n".join(
            event("DTSTART:20261001T000000Z", "DURATION:PT1H", more="RRULE:FREQ=HOURLY").replace(
                "UID:1", f"UID:{n}") for n in range(4)
        ))  # fmt: skip


def test_nobody_is_on_duty_where_it_is_not_laid_out(read):
    found = read(WEEKS)

    assert found.on(found.begin - timedelta(seconds=1)) == ()
    assert found.on(found.end) == ()
    assert list(found.spans(found.end, found.end + FAR)) == []


def test_shifts_may_overlap_and_leave_gaps():
    found = duty(
        "night",
        "person:bo",
        (hours(mon="18:00-08:00", tue="18:00-08:00"), ("anna",)),
        (hours(tue="06:00-10:00"), ("bo", "anna")),
    )
    tuesday = datetime(2026, 10, 20, tzinfo=UTC)

    assert found.roster.on(tuesday + timedelta(hours=3)) == ("anna",)
    assert found.roster.on(tuesday + timedelta(hours=5)) == ("anna", "bo")
    assert found.roster.on(tuesday + timedelta(hours=9)) == ()
    assert found.gaps(tuesday, tuesday + timedelta(days=1)) == [
        (tuesday + timedelta(hours=8), tuesday + timedelta(hours=16))
    ]
    assert found.changes(tuesday, tuesday + timedelta(days=1)) == tuesday + timedelta(hours=4)


@given(st.integers(0, 60 * 24 * 40), st.integers(1, 60 * 24 * 20))
def test_a_gap_is_exactly_where_nobody_is_on(begin, length):
    found = duty("some", "person:bo", (hours(mon="22:00-06:00", wed="09:00-17:00"), ("anna",)),
                 (hours(tue="05:00-12:00", sun="01:00-04:00"), ("bo",)))  # fmt: skip
    start = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(minutes=begin)
    end = start + timedelta(minutes=length)

    gaps = found.gaps(start, end)

    for first, last in gaps:
        assert first < last
        assert found.roster.on(first) == found.roster.on(last - timedelta(seconds=1)) == ()
    vacant = sum((last - first for first, last in gaps), timedelta(0))
    held = [(s.begin, s.end) for s in found.roster.spans(start, end)]
    probes = sorted({start, end, *(at for pair in held for at in pair)})
    assert vacant == sum(
        (b - a for a, b in pairwise(probes) if not found.roster.on(a)),
        timedelta(0),
    )


QUIET = [
    ("2026-10-24T21:30Z", "2026-10-25T06:00Z"),  # summer ends in this night: 10 h
    ("2026-10-25T00:30Z", "2026-10-25T06:00Z"),
    ("2026-10-25T01:30Z", "2026-10-25T06:00Z"),  # the second 02:30 of that night
    ("2026-10-25T06:00Z", None),
    ("2026-03-28T22:00Z", "2026-03-29T05:00Z"),  # and begins in this one: 8 h
    ("2026-03-29T05:00Z", None),
    ("2026-07-01T20:00Z", "2026-07-02T05:00Z"),
    ("2026-07-01T19:59Z", None),
]


@pytest.mark.parametrize(("at", "until"), QUIET)
def test_quiet_hours_end_by_the_wall_on_the_days_on_which_clocks_change(at, until):
    somebody = person("anna", "a", quiet=nights())

    ends = somebody.quiet_until(datetime.fromisoformat(at))

    assert ends == (datetime.fromisoformat(until) if until else None)


def test_a_public_holiday_is_quiet_all_day_and_joins_the_nights_around_it():
    christmas = Calendar(
        "Europe/Berlin",
        dict.fromkeys(range(7), (span("22:00-07:00"),)),
        dict.fromkeys([datetime(2026, 12, 25, tzinfo=UTC).date()], WHOLE_DAY),
    )
    somebody = person("anna", "a", quiet=christmas)

    ends = somebody.quiet_until(datetime(2026, 12, 24, 22, tzinfo=UTC))

    assert ends == datetime(2026, 12, 25, 23, tzinfo=UTC)


def test_quiet_without_an_end_is_looked_at_again_later():
    always = person("anna", "a", quiet=Calendar.always())

    assert always.quiet_until(NOW) == NOW + FAR
