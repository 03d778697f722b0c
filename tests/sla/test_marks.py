"""No reply needed: who may say so, and of which messages. Rule: clock.md, section 2."""

from __future__ import annotations

import pytest

from sla.clock import Level, clocks
from tests.sla.making import (
    BUYER,
    HOUR,
    MARKETPLACE,
    asked,
    at,
    goal,
    marked,
    policy,
    replied,
)  # fmt: skip

GUESSED, DECIDED, MARKED, CONFIRMED = Level.GUESSED, Level.DECIDED, Level.MARKED, Level.CONFIRMED
SEES_MARKS = {"marketplace_mark": True}


@pytest.mark.parametrize(
    ("level", "promise", "voids"),
    [
        (GUESSED, goal(), False),
        (GUESSED, policy(), False),
        (DECIDED, goal(), True),
        (DECIDED, goal(**SEES_MARKS), True),
        (DECIDED, policy(), True),
        (DECIDED, policy(**SEES_MARKS), False),
        (MARKED, goal(), True),
        (MARKED, policy(**SEES_MARKS), True),
        (CONFIRMED, goal(), True),
        (CONFIRMED, policy(**SEES_MARKS), True),
    ],
)
def test_the_level_of_a_mark_says_which_clocks_it_ends(level, promise, voids):
    [clock] = clocks([asked("m", at(0)), marked("k", at(1), level)], [promise])

    assert clock.ended == ("void" if voids else None)
    assert clock.reason == (level if voids else None)
    assert clock.stopped_by == ("k" if voids else None)


def test_a_mark_without_a_level_is_only_a_hint():
    mark = marked("k", at(1), GUESSED)
    nothing = type(mark)(mark.id, mark.party, mark.kind, mark.sent_at, mark.seen_at)

    assert clocks([asked("m", at(0)), nothing], [goal()])[0].ended is None


def test_a_mark_ends_the_waitings_of_all_parties():
    both = goal(waits_for=frozenset({BUYER, MARKETPLACE}))
    turns = [asked("m", at(0)), asked("o", at(0), party=MARKETPLACE), marked("k", at(1), DECIDED)]

    assert [c.ended for c in clocks(turns, [both])] == ["void", "void"]


def test_after_the_deadline_a_mark_still_ends_the_clock_as_void():
    [clock] = clocks([asked("m", at(0)), marked("k", at(30), MARKED)], [policy()])

    assert (clock.ended, clock.reason) == ("void", "marked")


@pytest.mark.parametrize("level", [DECIDED, MARKED])
def test_an_agents_mark_covers_the_messages_that_were_stored_when_it_was_made(level):
    turns = [
        asked("m", at(0), seen=at(1)),
        asked("n", at(2), seen=at(3)),
        marked("k", at(3), level),
    ]

    assert clocks(turns, [goal()])[0].ended == "void"


@pytest.mark.parametrize("level", [DECIDED, MARKED])
def test_a_message_sent_before_an_agents_mark_and_arrived_after_keeps_the_waiting_open(level):
    turns = [
        asked("m", at(0), seen=at(1)),
        asked("n", at(2), seen=at(9)),
        marked("k", at(3), level),
    ]

    [clock] = clocks(turns, [goal()])

    assert clock.ended is None
    assert (clock.started_by, clock.started_at) == ("n", at(2))
    assert clock.members == ("m", "n")


def test_a_marketplaces_mark_covers_what_is_not_younger_whenever_it_arrived():
    turns = [asked("m", at(0)), asked("n", at(2), seen=at(9)), marked("k", at(3), CONFIRMED)]

    assert [c.ended for c in clocks(turns, [policy()])] == ["void"]
    assert clocks([*turns, asked("o", at(4))], [policy()])[1].started_by == "o"


def test_a_message_after_the_mark_opens_a_waiting_of_its_own():
    turns = [asked("m", at(0)), marked("k", at(3), DECIDED), asked("n", at(4))]

    voided, running = clocks(turns, [goal()])

    assert (voided.ended, running.ended) == ("void", None)
    assert running.metric == "first_reply"


def test_of_a_waiting_that_counts_from_the_latest_the_latest_uncovered_message_counts():
    turns = [
        asked("m", at(0), seen=at(1)),
        asked("n", at(1), seen=at(9)),
        asked("o", at(2), seen=at(9)),
        marked("k", at(3), DECIDED),
    ]

    [clock] = clocks(turns, [goal(counts_from="latest", within=24 * HOUR)])

    assert (clock.started_by, clock.started_at) == ("o", at(2))


def test_a_mark_that_voids_nothing_leaves_the_answer_to_the_reply():
    turns = [asked("m", at(0)), marked("k", at(1), GUESSED), replied("r", at(2))]

    assert clocks(turns, [goal()])[0].ended == "met"


def test_the_mark_of_a_contract_follows_the_version_in_force_when_the_waiting_began():
    old = policy(marketplace_mark=True, effective_to=at(10))
    new = policy(version=2, effective_from=at(10))
    mark = marked("k", at(12), DECIDED)

    assert clocks([asked("m", at(9)), mark], [old, new])[0].ended is None
    assert clocks([asked("m", at(11)), mark], [old, new])[0].ended == "void"
