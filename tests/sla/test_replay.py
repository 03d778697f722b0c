"""Replays: under the promise in force nothing is otherwise; under another each is matched."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sla import replay
from sla.clock import clocks
from tests.sla import drawing, making
from tests.sla.making import DAY, HOUR, MONDAY, asked, at, replied

SLOW = making.policy()
QUICK = replace(SLOW, reply_within=6 * HOUR)


def compared(turns, before, after):
    return list(replay.paired(clocks(turns, before), clocks(turns, after)))


END = at(100)


def fates(turns, before, after, now=END):
    """(what became of it, what would have become of it) of every waiting."""
    return [
        tuple(clock and replay.fate(clock, now) for clock in change)
        for change in compared(turns, before, after)
    ]


@given(drawing.threads, st.lists(drawing.readings(), max_size=3))
def test_under_the_promises_in_force_nothing_is_otherwise(turns, given):
    held = drawing.POLICIES
    other = {policy.name: [p for p in held if p.name == policy.name] for policy in held}

    again = replay.substituted(held, other)
    before, after = clocks(turns, held, given), clocks(turns, again, given)

    assert sorted(again, key=str) == sorted(held, key=str)
    for change in replay.paired(before, after):
        assert change.before == change.after


@given(drawing.threads, st.integers(1, 200))
def test_each_waiting_stands_there_once_whatever_is_promised(turns, hours):
    held = drawing.POLICIES
    other = {"plain": [making.policy("plain", hours * HOUR)]}
    before = clocks(turns, held)
    after = clocks(turns, replay.substituted(held, other))

    changes = list(replay.paired(before, after))

    assert {id(c.before) for c in changes if c.before} == {id(c) for c in before}
    assert {id(c.after) for c in changes if c.after} == {id(c) for c in after}
    assert len([c for c in changes if c.after]) == len(after)
    assert all(c.before.promise == c.after.promise for c in changes if c.before and c.after)


def test_what_was_in_time_would_have_been_missed():
    turns = [asked("a", at(0)), replied("b", at(8)), asked("c", at(20)), replied("d", at(22))]

    assert fates(turns, [SLOW], [QUICK]) == [("met", "missed"), ("met", "met")]
    assert fates(turns, [QUICK], [SLOW]) == [("missed", "met"), ("met", "met")]


def test_what_runs_past_its_deadline_is_missed_and_what_is_not_due_runs():
    turns = [asked("a", at(0))]

    assert fates(turns, [SLOW], [QUICK], now=at(8)) == [("running", "missed")]
    assert fates(turns, [SLOW], [QUICK], now=at(30)) == [("missed", "missed")]
    (clock,) = clocks(turns, [QUICK])
    assert replay.lateness(clock, at(8)) == 2 * HOUR


def test_a_promise_that_nobody_has_counts_from_its_own_dates():
    turns = [asked("a", at(0)), replied("b", at(1)), asked("c", at(48)), replied("d", at(49))]
    new = replace(QUICK, name="new", effective_from=at(24))

    assert replay.substituted([SLOW], {"new": [new]}) == (SLOW, new)
    assert fates(turns, [], [new]) == [(None, "met")]
    assert fates(turns, [new], []) == [("met", None)]


def test_another_rules_while_the_promise_was_held():
    held = [replace(SLOW, effective_from=at(24), effective_to=at(72))]
    seasons = [
        replace(QUICK, effective_to=at(48)),
        replace(QUICK, version=2, effective_from=at(48), effective_to=at(60)),
        replace(QUICK, version=3, effective_from=at(90)),
    ]

    found = replay.substituted(held, {SLOW.name: seasons})

    assert [(p.version, p.effective_from, p.effective_to) for p in found] == [
        (1, at(24), at(48)), (2, at(48), at(60)),
    ]  # fmt: skip


def test_automatic_answers_that_count_join_what_was_two_waitings():
    """Where an automatic answer ends nothing, its second question belongs to the first waiting."""
    turns = [
        asked("a", at(0)),
        replied("b", at(1), kind=making.Kind.AUTOMATIC),
        asked("c", at(2)),
        replied("d", at(9)),
    ]
    counting = replace(QUICK, counts_automatic=True)

    assert fates(turns, [counting], [QUICK]) == [("met", "missed"), ("missed", None)]


def test_warnings_are_those_that_passed_before_the_answer():
    policy = replace(SLOW, warn=(0.5, 0.75))
    answered = clocks([asked("a", at(0)), replied("b", at(13))], [policy])
    waiting = clocks([asked("a", at(0))], [policy])

    assert replay.warned(answered[0], at(100)) == [MONDAY + DAY / 2]
    assert replay.warned(waiting[0], at(20)) == [MONDAY + DAY / 2, MONDAY + 18 * HOUR]
