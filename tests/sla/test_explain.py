"""Why a deadline is what it is, for people who check it with a wall calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla import wording
from sla.calendar import Calendar
from sla.clock import REST, Delivery, Kind, Level, clocks
from sla.explain import explain
from tests.sla.drawing import POLICIES, readings, threads
from tests.sla.making import (
    DAY,
    HOUR,
    MARKETPLACE,
    MINUTE,
    asked,
    at,
    days,
    goal,
    marked,
    policy,
    reading,
    replied,
    spans,
    told,
    wall,
    weekdays,
)

LATER = at(1000)
CHICAGO = "America/Chicago"
BEST_BUY = policy(
    "best-buy", calendar=Calendar.clock_hours_without(CHICAGO, holidays=days("2026-05-25")),
    source="partners.bestbuy.com", checked_on=date(2026, 5, 1), review_after=date(2026, 11, 1),
    effective_from=wall("2026-01-01", CHICAGO),
)  # fmt: skip


def story(turns, policies, given_readings=(), *, now=LATER, number=0):
    clock = clocks(turns, policies, given_readings)[number]
    lines = explain(clock, turns, policies, given_readings, now=now)
    return [f"{line.topic}: {line.text}" for line in lines]


def said(lines, topic):
    return [line.removeprefix(f"{topic}: ") for line in lines if line.startswith(f"{topic}: ")]


@pytest.mark.parametrize(
    ("length", "spoken"),
    [
        (timedelta(minutes=28, seconds=59, microseconds=896715), "28 min 59 s"),
        (-timedelta(hours=5, seconds=1, microseconds=1), "5 h 1 s"),
        (timedelta(microseconds=999_999), "less than 1 s"),
        (timedelta(0), "0 s"),
    ],
)
def test_durations_are_told_in_whole_seconds(length, spoken):
    assert wording.duration(length) == spoken


@pytest.mark.parametrize("number", [0, 1])
def test_a_date_that_the_marketplace_gave_reads_as_other_instants(number):
    """In the second waiting, which the same dates began again, their ids name the reply too."""
    chicago = policy("best-buy", calendar=Calendar.always(CHICAGO))
    dates = [reading(at(as_of), starts_at=at(date)) for as_of, date in (
        (11, 10.25), (11.5, 10.5), (13, 10.25), (14, 10.5),
    )]  # fmt: skip
    lines = story([replied("r", at(12))], [chicago], dates, number=number)

    assert [line for line in said(lines, "start") if "dates" in line] == [
        "The marketplace dates its begin Mon 2026-03-02 04:30; that is kept with it."
    ]


def test_a_thread_over_a_weekend_with_a_holiday_reads_clearly():
    friday = wall("2026-05-22 15:00", CHICAGO)
    turns = [asked("t1", friday, seen=friday + 3 * MINUTE), replied("t2", friday + 95 * HOUR)]

    assert story(turns, [BEST_BUY]) == [
        (
            "promise: The buyer waits for a first reply, promised within 24 h by best-buy, "
            "a contract of the marketplace."
        ),
        (
            "promise: Version 1 was in force when the waiting began; from 2026-01-01 06:00 UTC on; "
            "source: partners.bestbuy.com; checked on 2026-05-01; "
            "to be checked again after 2026-11-01."
        ),
        (
            "start: It starts Fri 2026-05-22 15:00 (America/Chicago) with message t1, "
            "the oldest unanswered one."
        ),
        "start: We saw it 3 min after it was written.",
        "time: 24 h of working time count, in the zone America/Chicago:",
        "time: Fri 2026-05-22: 15:00-24:00 counts, 9 h, 15 h left.",
        "time: Sat 2026-05-23: closed, as on every such weekday.",
        "time: Sun 2026-05-24: closed, as on every such weekday.",
        "time: Mon 2026-05-25: closed, a holiday.",
        "time: Tue 2026-05-26: 00:00-15:00 counts, 15 h, used up.",
        "due: Due Tue 2026-05-26 15:00 (America/Chicago), that is 2026-05-26 20:00 UTC.",
        "warnings: Warnings at Tue 2026-05-26 03:00.",
        "end: Met Tue 2026-05-26 14:00 (America/Chicago) by t2: after 23 h, with 1 h left.",
    ]


@pytest.mark.parametrize(
    ("start", "line"),
    [
        ("2026-03-28 20:00", ("Sun 2026-03-29: 00:00-21:00 counts, 20 h, used up; "
                             "the clocks go forward by 1 h.")),
        ("2026-10-24 20:00", ("Sun 2026-10-25: 00:00-19:00 counts, 20 h, used up; "
                             "the clocks go back by 1 h.")),
    ],
)  # fmt: skip
def test_a_clock_change_is_said_where_it_happens(start, line):
    berlin = Calendar.always("Europe/Berlin")

    lines = story([asked("m", wall(start, "Europe/Berlin"))], [policy(calendar=berlin)])

    assert said(lines, "time")[-1] == line


def test_a_skipped_day_is_said_too():
    apia = Calendar.always("Pacific/Apia")
    thursday = wall("2011-12-29 12:00", "Pacific/Apia")

    lines = story([asked("m", thursday)], [policy(calendar=apia)])

    assert "Fri 2011-12-30: nothing more to count; this day was skipped there." in said(
        lines, "time"
    )


def test_exceptions_and_the_tail_of_the_night_before_are_named():
    nights = Calendar(
        "UTC", weekdays("22:00-06:00"), {date(2026, 3, 4): spans("10:00-11:00")}, days("2026-03-03")
    )

    lines = story([asked("m", at(22))], [policy(within=10 * HOUR, calendar=nights)])

    assert said(lines, "time")[1:] == [
        "Mon 2026-03-02: 22:00-24:00 counts, 2 h, 8 h left.",
        "Tue 2026-03-03: 00:00-06:00 counts (a holiday; the night before runs on), 6 h, 2 h left.",
        "Wed 2026-03-04: 10:00-11:00 counts (an exception), 1 h, 1 h left.",
        "Thu 2026-03-05: 22:00-23:00 counts, 1 h, used up.",
    ]


def test_a_long_wait_is_told_by_its_ends():
    lines = said(story([asked("m", at(0))], [policy(within=100 * DAY)]), "time")

    assert len(lines) == 64
    assert lines[32] == "... and so on for 39 days ..."


BOTH = frozenset({MARKETPLACE, "buyer"})


@pytest.mark.parametrize(
    ("turn", "why"),
    [
        (replied("x", at(1), kind=Kind.AUTOMATIC), "is automatic: it is no answer here"),
        (replied("x", at(1), kind=Kind.INTERNAL), "is internal: nobody there reads it"),
        (replied("x", at(1), MARKETPLACE),
         "is addressed to marketplace only, not to the buyer"),
        (replace(replied("x", at(1)), to=frozenset()),
         "is addressed to nobody only, not to the buyer"),
        (replied("x", at(1), delivery=Delivery.REFUSED), "was refused"),
        (replied("x", at(1), delivery=Delivery.SENDING), "is still being sent"),
        (replied("x", at(1), delivery=Delivery.UNKNOWN), "may not have been sent: nobody said so"),
        (replied("x", at(1), delivery=None), "has no proof of delivery"),
        (replied("x", at(0)), "came at the same instant: it cannot answer"),
        (told("x", at(1), Kind.CLOSED), "is a status: it answers nobody"),
        (asked("x", at(1), kind=Kind.WITHDRAWN), "was withdrawn: it counts no more"),
        (asked("x", at(1), kind=Kind.AUTOMATIC), "is automatic: it starts nothing"),
        (marked("x", at(1), Level.GUESSED), "only guesses that no reply is needed"),
        (marked("x", at(1), Level.DECIDED),
         "decides it here only; this marketplace has a mark of its own, which is not set"),
        (marked("x", at(0), Level.MARKED),
         "does not cover the message that waits: it came in afterwards"),
    ],
)  # fmt: skip
def test_what_did_not_end_the_clock_is_named_with_the_reason(turn, why):
    turns = [asked("m", at(0), seen=at(0) + MINUTE), turn]

    lines = story(turns, [policy(marketplace_mark=True)])

    [line] = said(lines, "counts not")
    assert line.startswith("Message x (Mon 2026-03-02 0")
    assert line.endswith(f"{why}.")


def test_what_did_not_start_the_clock_is_named_too():
    turns = [
        asked("a", at(0), kind=Kind.AUTOMATIC),
        asked("w", at(1), kind=Kind.WITHDRAWN),
        replied("r", at(2)),
        asked("m", at(3)),
        asked("n", at(4)),
    ]

    assert said(story(turns, [policy()]), "start") == [
        "It starts Mon 2026-03-02 03:00 (UTC) with message m, the oldest unanswered one.",
        "We saw it 1 min after it was written.",
        "Message n (Mon 2026-03-02 04:00) waits with it.",
        "Before that, message r had answered on Mon 2026-03-02 02:00.",
        "Message a before it is automatic: it starts nothing here.",
        "Message w before it was withdrawn: it counts no more.",
    ]


def test_a_message_that_a_mark_covers_is_named():
    turns = [asked("m", at(0)), asked("n", at(1), seen=at(9)), marked("k", at(2), Level.DECIDED)]

    lines = story(turns, [goal()])

    assert "Message m came before; a mark says that it needs no reply." in said(lines, "start")


def test_the_latest_message_is_called_the_latest():
    """Also for a stored clock, which does not know from which message its policy counts."""
    window, turns = policy(counts_from="latest"), [asked("m", at(0)), asked("n", at(1))]
    [clock] = clocks(turns, [window])
    stored = clock._replace(counts_from="oldest")
    lines = [f"{line.topic}: {line.text}" for line in explain(stored, turns, [window], now=LATER)]

    assert "with message n, the latest one: each one moves it." in said(lines, "start")[0]
    assert "Message m (Mon 2026-03-02 00:00) waits with it." in said(lines, "start")


@pytest.mark.parametrize(
    ("sent", "fault"),
    [(None, "cannot be read"), (at(0) - 10_000 * DAY, "lies before 2000"),
     (at(9), "lies after the instant of our sight")],
)  # fmt: skip
def test_a_stamp_that_cannot_be_is_named(sent, fault):
    lines = story([asked("m", sent, seen=at(0))], [policy()])

    expected = f"Its own stamp cannot be: it {fault}. It counts from when we saw it."
    assert expected in said(lines, "start")
    assert said(lines, "note") == ["When it began is uncertain."]


def test_a_given_start_is_told_as_the_marketplaces_word():
    given_readings = [reading(at(5), starts_at=at(1))]

    alone = story([], [policy()], given_readings)
    with_message = story([asked("m", at(3))], [policy()], given_readings)

    assert said(alone, "start")[0] == (
        "It starts Mon 2026-03-02 01:00 (UTC): since then, the marketplace says, a reply is needed."
    )
    assert "Message m (Mon 2026-03-02 03:00) waits with it." in said(with_message, "start")
    assert said(with_message, "note") == [
        "The marketplace dates the waiting otherwise than the message that we see."
    ]


def test_a_reply_that_the_marketplace_does_not_take_for_one_is_named():
    turns = [asked("m", at(0)), replied("r", at(2))]
    readings_after = [reading(at(3), starts_at=at(0))]

    lines = story(turns, [policy()], readings_after, number=1)

    why = "Message r (Mon 2026-03-02 02:00) did not end it: the marketplace went on asking."
    assert said(lines, "counts not") == [why]


def test_a_date_that_was_read_from_a_letter_is_told_with_its_sentence():
    said_so = "Please respond\x1b[31m within\n 3 days."
    read = [reading(at(1), kind="claim", act="refund", due_at=at(73), sentence=said_so)]

    lines = story([], [], read)

    told = 'It was read from these words: "Please respond [31m within 3 days.".'
    assert said(lines, "reading")[1] == told


def test_what_ends_all_the_rest_is_told_where_it_ends_something():
    readings_read = [
        reading(at(1), kind="claim", act="refund", due_at=at(90)),
        reading(at(1), kind="claim", act=REST, asks=False),
        reading(at(60), kind="claim", act=REST, asks=False, outcome="escalated"),
    ]

    told = said(story([], [], readings_read), "reading")

    assert told[:2] == [
        "As of Mon 2026-03-02 01:00 it asks, until Thu 2026-03-05 18:00.",
        "As of Wed 2026-03-04 12:00 it no longer asks; escalated.",
    ]


def test_a_given_deadline_is_told_by_its_readings():
    readings_read = [
        reading(at(1), kind="claim", act="refund", due_at=at(90), starts_at=at(0)),
        reading(at(5), kind="claim", act="refund", due_at=at(50), uncertain=True),
        reading(at(60), kind="claim", act="refund", asks=False, outcome="closed_by_buyer"),
    ]

    lines = story([replied("r", at(2))], [], readings_read)

    assert lines == [
        "promise: The buyer waits; the marketplace itself says until when (given:claim:refund).",
        "reading: As of Mon 2026-03-02 01:00 it asks, until Thu 2026-03-05 18:00.",
        "reading: As of Mon 2026-03-02 05:00 it asks, until Wed 2026-03-04 02:00.",
        "reading: As of Wed 2026-03-04 12:00 it no longer asks; closed by buyer.",
        "reading: It counts from Mon 2026-03-02 00:00 (UTC).",
        "due: Due Wed 2026-03-04 02:00 (UTC), that is 2026-03-04 02:00 UTC.",
        "warnings: Warnings at Tue 2026-03-03 01:00, Tue 2026-03-03 13:30, Tue 2026-03-03 21:00.",
        "counts not: Message r (Mon 2026-03-02 02:00) is no answer to what is asked for.",
        (
            "end: Late (unanswered: the buyer closed it) Wed 2026-03-04 12:00 (UTC): "
            "after 60 h, 10 h after the deadline."
        ),
        "note: The marketplace did not state the date: the shortest published time was taken.",
    ]


def test_a_message_by_which_the_marketplace_says_that_it_was_met_is_not_called_no_answer():
    readings_read = [
        reading(at(1), kind="inquiry", act="respond", due_at=at(90), by_message=True),
        reading(at(5), kind="inquiry", act=REST, asks=False, acted_at=at(4), outcome="withdrawn"),
    ]

    lines = story([replied("r", at(4))], [], readings_read)

    assert said(lines, "counts not") == []
    assert said(lines, "reading")[:2] == [
        "As of Mon 2026-03-02 01:00 it asks, until Thu 2026-03-05 18:00.",
        "As of Mon 2026-03-02 05:00 it no longer asks; the seller acted on Mon 2026-03-02 04:00.",
    ]
    [end] = said(lines, "end")
    assert end.startswith("Met Mon 2026-03-02 04:00 (UTC) by r: after 3 h,")


def test_a_message_beside_another_act_that_was_asked_for_stays_no_answer():
    readings_read = [
        reading(at(1), kind="return", act="refund", due_at=at(90)),
        reading(at(5), kind="return", act=REST, asks=False, acted_at=at(4)),
    ]

    lines = story([replied("r", at(4))], [], readings_read)

    told = "Message r (Mon 2026-03-02 04:00) is no answer to what is asked for."
    assert said(lines, "counts not") == [told]
    assert said(lines, "end")[0].startswith("Met Mon 2026-03-02 04:00 (UTC): after 3 h,")


def test_a_message_before_the_act_that_the_marketplace_names_did_not_end_its_asking():
    readings_read = [
        reading(at(1), kind="inquiry", act="respond", due_at=at(90), by_message=True),
        reading(at(7), kind="inquiry", act=REST, asks=False, acted_at=at(6)),
    ]

    lines = story([replied("early", at(2)), replied("r", at(6))], [], readings_read)

    told = "Message early (Mon 2026-03-02 02:00) did not end it: the marketplace went on asking."
    assert said(lines, "counts not") == [told]


def test_what_may_be_an_answer_of_before_says_so_and_how_a_person_ends_it():
    promised = reading(at(1), kind="follow_up", act="reply", due_at=at(90), by_message=True)

    lines = story([replied("x", at(2))], [], [replace(promised, copies=frozenset({"x"}))])

    (told,) = said(lines, "counts not")
    assert told.startswith("Message x (Mon 2026-03-02 02:00) may be what was said here before, ")
    assert told.endswith("if somebody answered there, say so here.")


def test_what_was_answered_after_the_last_reading_says_that_the_reading_was_before():
    asks = reading(at(1), kind="inquiry", act="respond", due_at=at(90), by_message=True)

    lines = story([replied("r", at(2))], [], [asks])

    assert said(lines, "reading")[1] == (
        "That was before it ended; what the marketplace says since then is not read yet."
    )
    promised = reading(at(1), kind="follow_up", act="reply", due_at=at(9), by_message=True)
    assert len(said(story([replied("r", at(2))], [], [promised]), "reading")) == 2


def test_an_end_by_a_third_hand_is_told_beside_what_the_seller_did():
    readings_read = [
        reading(at(1), kind="claim", act="refund", due_at=at(90)),
        reading(at(5), kind="claim", act=REST, asks=False, acted_at=at(4), outcome="escalated"),
    ]

    told = said(story([], [], readings_read), "reading")[1]

    assert told.endswith("it no longer asks; the seller acted on Mon 2026-03-02 04:00; escalated.")


def test_a_follow_up_is_told_as_an_agents_promise():
    lines = story([], [], [reading(at(1), kind="follow_up", act="reply", due_at=at(9))])

    assert lines[0] == (
        "promise: The buyer waits for the follow-up that an agent promised (given:follow_up:reply)."
    )


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (at(20), "Not ended yet: 4 h left at Mon 2026-03-02 20:00 (UTC)."),
        (at(24), "Not ended yet: 0 s left at Tue 2026-03-03 00:00 (UTC)."),
        (at(25.5), "Not ended yet: 1 h 30 min overdue at Tue 2026-03-03 01:30 (UTC)."),
    ],
)
def test_what_runs_says_how_long_is_left_or_since_when_it_is_late(now, end):
    assert said(story([asked("m", at(0))], [policy()], now=now), "end") == [end]


@pytest.mark.parametrize(
    ("ending", "end"),
    [
        (replied("r", at(30)), ("Late Tue 2026-03-03 06:00 (UTC) by r: after 30 h, 6 h after the "
                               "deadline.")),
        (told("u", at(9), Kind.UNANSWERABLE), ("Ended Mon 2026-03-02 09:00 (UTC) by u without a "
                                              "reply owed: no answer is possible there any more.")),
        (told("u", at(25), Kind.UNANSWERABLE), ("Late (no answer is possible there any more) Tue "
                                               "2026-03-03 01:00 (UTC) by u: after 25 h, 1 h after "
                                               "the deadline.")),
        (marked("k", at(9), Level.CONFIRMED), ("Ended Mon 2026-03-02 09:00 (UTC) by k without a "
                                              "reply owed: the marketplace shows the mark that "
                                              "none is needed.")),
    ],
)  # fmt: skip
def test_what_ended_it_is_told(ending, end):
    assert said(story([asked("m", at(0)), ending], [policy()]), "end") == [end]


def test_a_row_whose_waiting_is_no_more_can_be_explained_too():
    [clock] = clocks([asked("m", at(0))], [policy()])
    gone = clock._replace(ended="void", reason="gone", stopped_at=at(5))

    lines = explain(gone, [], [], now=at(9))

    assert "its waiting is no more" in lines[-1].text
    assert explain(clock, [], [], now=at(9))


@settings(max_examples=60)
@given(threads, st.lists(readings(), max_size=4))
def test_every_clock_can_be_explained_in_whole_sentences(thread, given_readings):
    for clock in clocks(thread, POLICIES, given_readings):
        for line in explain(clock, thread, POLICIES, given_readings, now=at(80)):
            assert line.text.endswith((".", ":", "..."))
            assert "None" not in line.text
