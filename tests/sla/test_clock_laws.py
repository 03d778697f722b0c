"""Laws of clocks over random threads. Rule: clock.md, sections 1 to 3 and 7."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sla.calendar import Calendar
from sla.clock import Kind, clocks
from sla.since import PREFIX
from sla.turn import in_order, is_delivered
from tests.sla.drawing import POLICIES, hours, odd_promises, readings, threads
from tests.sla.making import (
    BUYER,
    DAY,
    MARKETPLACE,
    SELLER,
    Said,
    asked,
    at,
    policy,
    reading,
    replied,
)  # fmt: skip

MANY = settings(max_examples=60)


@MANY
@given(threads, st.lists(readings(), max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(thread, given_readings, order):
    expected = clocks(thread, POLICIES, given_readings)
    shuffled, read, policies = [*thread], [*given_readings], [*POLICIES]
    for things in (shuffled, read, policies):
        order.shuffle(things)

    assert clocks(shuffled, policies, read) == expected


def test_of_two_readings_of_the_same_instants_the_one_that_asks_stands():
    asks = reading(at(0), due_at=at(10))
    rests = reading(at(0), asks=False)

    [clock], [other] = clocks([], [], [asks, rests]), clocks([], [], [rests, asks])

    assert clock == other
    assert clock.ended is None


@MANY
@given(threads, st.lists(readings(), max_size=5), st.none() | odd_promises())
@example([], [reading(at(0), due_at=at(1)), reading(at(1), asks=False, outcome="withdrawn")], None)
def test_every_clock_makes_sense(thread, given_readings, odd):
    """Clocks are total: a calendar that ends, or a time beyond all dates, gives a clock too."""
    for clock in clocks(thread, [*POLICIES, *filter(None, [odd])], given_readings):
        ended = (clock.ended is None, clock.stopped_at is None)
        assert ended in {(True, True), (False, False)}
        if clock.ended == "met":
            assert clock.stopped_at <= clock.due_at
        if clock.ended == "late":
            lapsed = clock.metric == "given" and clock.reason is not None  # at its very deadline
            assert clock.stopped_at > clock.due_at or (lapsed and clock.stopped_at == clock.due_at)
        assert (clock.ended == "void") <= (clock.reason is not None)
        assert clock.metric == "given" or clock.started_by in clock.members
        if clock.steps:
            assert clock.steps[-1] == clock.due_at
            assert all(a < b for a, b in pairwise(clock.steps))
            assert all(step > clock.started_at for step in clock.steps[:-1])
        else:
            assert "superseded" in clock.flags


@MANY
@given(threads, st.lists(readings(), max_size=5))
def test_no_turn_is_a_member_of_two_waitings_of_one_promise(thread, given_readings):
    seen = set()
    for clock in clocks(thread, POLICIES, given_readings):
        names = {(clock.promise, clock.waits_for, member) for member in clock.members}
        assert len(names) == len(clock.members)
        assert not names & seen
        seen |= names


@MANY
@given(threads, odd_promises())
def test_a_promise_that_its_calendar_cannot_place_starts_the_same_waitings(thread, odd):
    """How long is allowed, and through which calendar, says nothing of who waits since when."""
    same = replace(odd, calendar=Calendar.always(), reply_within=DAY)

    found, expected = clocks(thread, [odd]), clocks(thread, [same])

    assert [(c.members, c.started_at) for c in found] == [
        (c.members, c.started_at) for c in expected
    ]


@MANY
@given(threads)
def test_waitings_of_one_promise_never_overlap(thread):
    for promise in POLICIES:
        for party in promise.waits_for:
            found = [c for c in clocks(thread, [promise]) if c.waits_for is party]
            assert all(a.stopped_at <= b.started_at for a, b in pairwise(found))
            assert all(c.ended for c in found[:-1])


@MANY
@given(threads)
def test_a_due_instant_is_the_policys_time_after_the_start_under_the_version_of_then(thread):
    versions = {(p.name, p.version): p for p in POLICIES}
    for clock in clocks(thread, POLICIES):
        version = versions[clock.promise, clock.policy_version]
        within = version.reply_within
        if clock.metric == "next_reply":
            within = version.next_reply_within or within
        assert clock.due_at == version.calendar.add(clock.started_at, within)
        assert version.effective_from is None or version.effective_from <= clock.started_at


@MANY
@given(threads)
def test_messages_grouped_by_the_answer_that_follows_are_the_waitings(thread):
    """Another way to say it: who is answered by the same reply waited together, since the first."""
    promise = policy()
    thread = [t for t in thread if t.kind in (Kind.MESSAGE, Kind.INTERNAL, Kind.SYSTEM)]
    moments = [(m[:3], m[3]) for m in in_order(thread)]
    answers = [
        place for place, turn in moments
        if turn.party is SELLER and turn.kind is Kind.MESSAGE and is_delivered(turn)
        and BUYER in turn.to
    ]  # fmt: skip
    groups = {}
    for place, turn in moments:
        if turn.party is BUYER and turn.kind is Kind.MESSAGE:
            answer = next((answer for answer in answers if answer > place), None)
            groups.setdefault(answer, []).append(place)

    found = clocks(thread, [promise])

    assert [(c.members, c.started_at) for c in found] == [
        (tuple(place[2] for place in places), places[0][0]) for places in groups.values()
    ]
    assert [(c.stopped_at, c.stopped_by) for c in found] == [
        (answer[0], answer[2]) if answer else (None, None) for answer in groups
    ]
    assert [c.metric == "first_reply" for c in found] == [
        not any(answer < places[0] for answer in answers) for places in groups.values()
    ]


@MANY
@given(st.lists(st.tuples(st.integers(0, 90), st.booleans()), max_size=8), st.integers(0, 90))
def test_a_reply_never_moves_the_start_of_a_waiting_that_began_before_it(said, when):
    thread = [
        asked(f"m{n}", at(hour), seen=at(hour)) if buyer else replied(f"r{n}", at(hour))
        for n, (hour, buyer) in enumerate(said)
    ]
    before = {c.started_at for c in clocks(thread, [policy()]) if c.started_at < at(when)}
    after = {c.started_at for c in clocks([*thread, replied("new", at(when))], [policy()])}

    assert before <= after


@MANY
@given(threads, st.integers(0, 120))
def test_what_has_ended_stays_as_it_was_while_turns_come_in_their_order(thread, hour):
    """Nothing sent earlier arrives later, so the past is known."""
    thread = [Said(t.id, t.party, t.kind, t.seen_at, t.seen_at, t.to, t.delivery, t.level)
              for t in thread]  # fmt: skip
    known = [t for t in thread if t.seen_at < at(hour)]

    ended = [c for c in clocks(known, POLICIES) if c.ended]

    assert all(clock in clocks(thread, POLICIES) for clock in ended)


@MANY
@given(threads, st.sampled_from([Kind.INTERNAL, Kind.SYSTEM, Kind.CLOSED, Kind.REOPENED]), hours)
def test_notes_and_statuses_change_nothing(thread, kind, when):
    note = replied("note", when, BUYER, MARKETPLACE, kind=kind)

    assert clocks([*thread, note], POLICIES) == clocks(thread, POLICIES)


@MANY
@given(threads, st.lists(readings(), max_size=5))
def test_promises_do_not_see_each_other(thread, given_readings):
    alone = [c for p in ("plain", "dated", "window", "ours")
             for c in clocks(thread, [q for q in POLICIES if q.name == p], given_readings)
             if c.metric != "given"]  # fmt: skip
    together = [c for c in clocks(thread, POLICIES, given_readings) if c.metric != "given"]

    assert sorted(alone, key=repr) == sorted(together, key=repr)


@MANY
@given(threads, st.lists(readings(), max_size=6))
def test_given_starts_never_hide_an_unanswered_message(thread, given_readings):
    """Whatever the marketplace says: who waits by our own sight waits, and not from later."""
    starts = [r for r in given_readings if r.act == "start" and r.kind == "message"]
    promise = policy()
    ours = [c for c in clocks(thread, [promise]) if c.ended is None]
    all_of_them = [c for c in clocks(thread, [promise], starts) if c.ended is None]

    assert all(
        any(mine.started_by in c.members and c.started_at <= mine.started_at for c in all_of_them)
        for mine in ours
    )
    assert all(m.startswith((PREFIX, "t")) for c in all_of_them for m in c.members)
