"""A start that the marketplace gives (Mirakl, incidents). Rule: clock.md, section 5."""

from __future__ import annotations

import pytest

from sla.clock import Level, clocks
from sla.policy import ThreadKind
from sla.since import since
from tests.sla.making import (
    BUYER,
    HOUR,
    MARKETPLACE,
    MINUTE,
    asked,
    at,
    elsewhere,
    goal,
    marked,
    policy,
    reading,
    replied,
)

BOTH = frozenset({BUYER, MARKETPLACE})


def needed(date, as_of, **other):
    """A reading: a reply is needed since then."""
    return reading(as_of, starts_at=date, **other)


def answered(as_of, **other):
    """A reading: no reply is needed."""
    return reading(as_of, asks=False, **other)


def test_set_while_we_see_no_message_a_waiting_starts_at_the_given_date():
    [clock] = clocks([], [policy()], [needed(at(10), as_of=at(12))])

    assert (clock.started_at, clock.due_at, clock.ended) == (at(10), at(34), None)
    assert clock.started_by == since(at(10)) == "since:2026-03-02T10:00:00+00:00"
    assert clock.members == (clock.started_by,)
    assert (clock.waits_for, clock.metric, clock.due_from) == (BUYER, "first_reply", "policy")


@pytest.mark.parametrize(
    ("ours", "theirs", "start", "by"),
    [(10, 11, 10, "m"), (11, 10, 10, since(at(10))), (10, 10, 10, "m")],
)
def test_the_earlier_of_their_date_and_our_oldest_unanswered_message_counts(
    ours, theirs, start, by
):
    [clock] = clocks([asked("m", at(ours))], [policy()], [needed(at(theirs), as_of=at(12))])

    assert (clock.started_at, clock.started_by) == (at(start), by)
    assert set(clock.members) == {"m", since(at(theirs))}


def test_of_two_readings_that_were_read_at_once_the_one_that_asks_stands_in_any_order():
    asks, rests = needed(at(10), as_of=at(12)), answered(at(12))

    for order in ([asks, rests], [rests, asks]):
        [clock] = clocks([], [policy()], order)
        assert (clock.started_at, clock.ended) == (at(10), None)


def test_two_dates_that_were_read_at_once_are_read_in_one_order():
    dates = [needed(at(10), as_of=at(12)), needed(at(13), as_of=at(12))]

    assert clocks([], [policy()], dates) == clocks([], [policy()], dates[::-1])


def test_a_message_goes_before_a_date_of_the_same_instant():
    """A snapshot may be as of the message itself, and is then read before it."""
    [clock] = clocks([asked("m", at(10))], [policy()], [needed(at(10), as_of=at(10))])

    assert clock.started_by == "m"
    assert set(clock.members) == {"m", since(at(10))}


@pytest.mark.parametrize(("apart", "differs"), [(60, False), (61, True), (-60, False), (-61, True)])
def test_both_are_kept_and_a_difference_above_a_minute_shows(apart, differs):
    date = at(10) + apart * MINUTE / 60

    [clock] = clocks([asked("m", at(10))], [policy()], [needed(date, as_of=at(12))])

    assert ("since_differs" in clock.flags) is differs
    assert (clock.message_since, clock.given_since) == (at(10), date)


def test_a_date_that_stays_with_the_oldest_message_changes_nothing():
    """One reading of "latest unanswered message": the date stays where the waiting began."""
    turns = [asked("m1", at(10)), asked("m2", at(12)), replied("r", at(14))]
    readings = [needed(at(10), as_of=at(11)), needed(at(10), as_of=at(13)), answered(at(15))]

    [clock] = clocks(turns, [policy()], readings)

    assert (clock.started_by, clock.started_at, clock.ended) == ("m1", at(10), "met")
    assert set(clock.members) == {"m1", "m2", since(at(10))}


def test_a_date_that_moves_with_every_message_hides_no_age():
    """The other reading: each message moves it; the first message's age still counts."""
    turns = [asked("m1", at(10)), asked("m2", at(12)), replied("r", at(14))]
    readings = [needed(at(10), as_of=at(11)), needed(at(12), as_of=at(13)), answered(at(15))]

    [clock] = clocks(turns, [policy()], readings)

    assert (clock.started_by, clock.started_at, clock.ended) == ("m1", at(10), "met")
    assert set(clock.members) == {"m1", "m2", since(at(10)), since(at(12))}


def test_the_row_stays_the_same_when_the_message_turns_up():
    given = [needed(at(10), as_of=at(12))]

    [before] = clocks([], [policy()], given)
    [after] = clocks([asked("m", at(10), seen=at(20))], [policy()], given)

    assert before.started_by in after.members
    assert (after.started_by, after.started_at) == ("m", before.started_at)


def test_the_row_stays_the_same_when_the_date_moves():
    [before] = clocks([], [policy()], [needed(at(10), as_of=at(12))])
    [after] = clocks([], [policy()], [needed(at(10), as_of=at(12)), needed(at(9), as_of=at(13))])

    assert before.started_by in after.members
    assert after.started_at == at(9)


def test_nobody_asks_while_we_see_an_unanswered_message_the_clock_runs_on():
    [clock] = clocks([asked("m", at(10))], [policy()], [needed(at(10), at(11)), answered(at(12))])

    assert clock.ended is None
    assert clock.flags == {"marketplace_says_answered"}


def test_when_the_marketplace_asks_again_it_no_longer_says_answered():
    readings = [needed(at(10), at(11)), answered(at(12)), needed(at(10), at(13))]

    [clock] = clocks([asked("m", at(10))], [policy()], readings)

    assert clock.flags == frozenset()


def test_a_counted_reply_explains_that_nobody_asks():
    turns = [asked("m", at(10)), replied("r", at(11))]

    [clock] = clocks(turns, [policy()], [needed(at(10), at(10.5)), answered(at(12))])

    assert (clock.ended, clock.flags) == ("met", frozenset())


def test_a_reply_of_the_very_instant_of_the_reading_explains_it():
    """Mirakl's `date_updated` is the reply's own date."""
    turns = [asked("m", at(10)), replied("r", at(11))]

    [clock] = clocks(turns, [policy()], [needed(at(10), at(10)), answered(at(11))])

    assert (clock.ended, clock.flags) == ("met", frozenset())


@pytest.mark.parametrize(("mark_at", "flags"), [(10, set()), (9, {"marketplace_says_answered"})])
def test_a_mark_of_that_date_or_later_explains_that_nobody_asks(mark_at, flags):
    """An agent's click does not void a contract of a marketplace with a mark of its own."""
    turns = [asked("m", at(10), seen=at(10)), marked("k", at(mark_at) + MINUTE, Level.DECIDED)]
    promise = policy(marketplace_mark=True)

    [clock] = clocks(turns, [promise], [needed(at(10), at(11)), answered(at(12))])

    assert (clock.ended, clock.flags) == (None, flags)


def test_a_reading_that_is_not_later_than_the_last_counted_stop_says_nothing():
    turns = [asked("m", at(10)), replied("r", at(12))]

    for as_of in (at(11), at(12)):
        [clock] = clocks(turns, [policy()], [needed(at(10), as_of)])
        assert (clock.ended, clock.started_by) == ("met", "m")


def test_a_reading_after_our_reply_that_still_asks_opens_a_waiting_at_its_date():
    """Our reply counted and they still ask: their date stands, under a member of its own."""
    turns = [asked("m", at(10)), replied("r", at(12))]
    readings = [needed(at(10), at(11)), needed(at(10), at(13)), needed(at(10), at(14))]

    first, second = clocks(turns, [policy()], readings)

    assert (first.ended, second.ended) == ("met", None)
    assert (second.started_at, second.metric) == (at(10), "next_reply")
    assert set(first.members).isdisjoint(second.members)


def test_a_date_after_our_reply_opens_a_waiting_before_the_message_is_seen():
    turns = [asked("m", at(10)), replied("r", at(12))]

    _, second = clocks(turns, [policy()], [needed(at(13), at(14))])

    assert (second.started_at, second.metric) == (at(13), "next_reply")


def test_a_waiting_that_only_a_date_began_ends_by_the_reply_that_follows():
    [clock] = clocks([replied("r", at(40))], [policy()], [needed(at(10), at(12)), answered(at(41))])

    assert (clock.ended, clock.stopped_at) == ("late", at(40))


def test_a_waiting_that_only_a_date_began_goes_when_the_date_goes():
    assert clocks([], [policy()], [needed(at(10), at(12)), answered(at(13))]) == []


@pytest.mark.parametrize(("as_of", "ended"), [(34, []), (34.001, ["late"])])
def test_but_not_once_it_is_overdue(as_of, ended):
    """Due at 34: who was told of the breach is not told that there was none."""
    found = clocks([], [policy()], [needed(at(10), at(12)), answered(at(as_of))])

    assert [clock.ended for clock in found] == ended
    assert all((c.stopped_at, c.stopped_by, c.reason) == (at(as_of), None, None) for c in found)


def test_a_message_that_turns_up_keeps_an_overdue_waiting_open():
    given = [needed(at(10), at(12)), answered(at(40))]

    [clock] = clocks([asked("m", at(10), seen=at(41))], [policy()], given)

    assert (clock.ended, "marketplace_says_answered" in clock.flags) == (None, True)


def test_of_two_readings_of_one_instant_the_one_read_later_stands():
    ask, done = needed(at(10), at(12), read_at=at(12)), answered(at(12), read_at=at(13))
    again = needed(at(10), at(12), read_at=at(14))

    assert clocks([], [policy()], [ask, done]) == []
    assert len(clocks([], [policy()], [again, done])) == 1


def test_an_older_snapshot_never_overwrites_a_newer_one():
    """It was read later, but it speaks of earlier."""
    old, new = needed(at(10), at(12), read_at=at(20)), answered(at(13), read_at=at(13))

    assert clocks([], [policy()], [old, new]) == []


def test_a_date_that_the_operators_message_explains_is_not_the_buyers():
    operator = asked("o", at(10), party=MARKETPLACE)
    given = [needed(at(10) + MINUTE / 2, at(12))]

    assert clocks([operator], [policy()], given) == []
    [clock] = clocks([operator], [policy(waits_for=BOTH)], given)
    assert (clock.waits_for, clock.started_by) == (MARKETPLACE, "o")


def test_of_two_who_wrote_within_a_minute_the_nearer_one_explains_the_date():
    turns = [
        asked("m", at(10)),
        replied("r", at(10) + MINUTE / 3),
        asked("o", at(10) + 2 * MINUTE / 3, party=MARKETPLACE),
    ]

    [clock] = clocks(turns, [policy()], [needed(at(10) + 2 * MINUTE / 3, at(12))])

    assert (clock.started_by, clock.ended) == ("m", "met")


def test_a_date_that_a_marketplaces_mark_covers_says_nothing():
    mark = marked("k", at(11), Level.CONFIRMED)

    assert clocks([mark], [policy()], [needed(at(11), at(12))]) == []
    assert len(clocks([mark], [policy()], [needed(at(11) + MINUTE, at(12))])) == 1


def test_a_date_that_an_agent_had_read_before_marking_says_nothing_more():
    mark = marked("k", at(12), Level.DECIDED)
    known, later = needed(at(10), at(11)), needed(at(10), at(13))
    unknown = needed(at(11), at(13))

    [voided] = clocks([mark], [goal()], [known, later])
    assert (voided.ended, voided.reason) == ("void", "decided")
    [running] = clocks([mark], [goal()], [unknown])
    assert (running.ended, running.started_at) == (None, at(11))


def test_a_mark_that_covers_the_message_covers_the_date_that_stands_for_it():
    turns = [asked("m", at(10), seen=at(10)), marked("k", at(11), Level.DECIDED)]
    late = needed(at(10) + MINUTE, at(10.5), read_at=at(20))

    assert [c.ended for c in clocks(turns, [goal()], [late])] == ["void"]
    after = needed(at(10) + MINUTE, at(12))
    assert [c.ended for c in clocks(turns, [goal()], [after])] == ["void"]


def test_a_date_that_cannot_be_counts_from_the_reading_and_is_uncertain():
    [clock] = clocks([], [policy()], [needed(at(90), at(12))])

    assert clock.started_at == at(12)
    assert clock.flags == {"start_uncertain"}


def test_a_date_read_after_its_deadline_was_unseen_in_time():
    [clock] = clocks([], [policy()], [needed(at(0), at(0), read_at=at(30))])

    assert clock.flags == {"unseen_in_time"}


def test_a_given_start_moves_goals_and_contracts_alike():
    found = clocks([asked("m", at(10))], [policy(), goal()], [needed(at(9), at(11))])

    assert {c.started_at for c in found} == {at(9)}


def test_a_date_before_the_policys_version_starts_nothing():
    promise = policy(effective_from=at(11))

    assert clocks([], [promise], [needed(at(10), at(12))]) == []


def test_a_date_that_moves_the_start_brings_the_version_of_its_time():
    old = policy(effective_to=at(10))
    new = policy(within=HOUR, version=2, effective_from=at(10))

    [clock] = clocks([asked("m", at(11))], [old, new], [needed(at(9), at(12))])

    assert (clock.started_at, clock.policy_version, clock.due_at) == (at(9), 1, at(33))


def test_a_message_that_a_mark_covers_is_not_compared_with_their_date_any_more():
    turns = [
        asked("m", at(0)),
        asked("n", at(2), seen=at(9)),
        marked("k", at(3), Level.DECIDED),
    ]

    [clock] = clocks(turns, [goal(within=24 * HOUR)], [needed(at(2), at(10))])

    assert (clock.started_by, clock.message_since) == ("n", at(2))
    assert "since_differs" not in clock.flags


def test_counted_from_the_latest_a_date_after_the_window_opens_another():
    promise = policy(within=HOUR, counts_from="latest")

    lapsed, running = clocks([asked("m", at(10))], [promise], [needed(at(12), at(13))])

    assert (lapsed.ended, running.started_at) == ("late", at(12))


def test_i_answered_there_ends_a_waiting_that_only_a_date_began():
    given = [needed(at(10), at(12))]

    [clock] = clocks([elsewhere("e", at(13), said=at(20))], [policy()], given)

    assert (clock.ended, clock.stopped_at) == ("met", at(13))


class TestIncident:
    """An incident has neither date nor thread: a given start of the kind `incident`."""

    promise = policy("incidents", 96 * HOUR, applies_to=frozenset({ThreadKind.INCIDENT}))

    @staticmethod
    def read(as_of, updated, *, asks=True):
        return reading(
            as_of, kind="incident", act="line-1", asks=asks, starts_at=updated if asks else None,
            uncertain=True,
        )  # fmt: skip

    def test_the_first_reading_that_asks_counts_from_the_lines_own_update_date(self):
        readings = [self.read(at(11), at(10)), self.read(at(13), at(12))]

        [clock] = clocks([], [self.promise], readings, kind=ThreadKind.INCIDENT)

        assert (clock.started_at, clock.due_at) == (at(10), at(106))
        assert clock.flags == {"start_uncertain"}
        assert set(clock.members) == {since(at(10)), since(at(12))}

    def test_an_earlier_date_read_later_moves_nothing(self):
        readings = [self.read(at(11), at(10)), self.read(at(13), at(5))]

        [clock] = clocks([], [self.promise], readings)

        assert clock.started_at == at(10)

    @pytest.mark.parametrize(("closed_at", "ended"), [(at(50), "met"), (at(200), "late")])
    def test_it_ends_with_the_first_reading_that_no_longer_asks(self, closed_at, ended):
        readings = [
            self.read(at(11), at(10)),
            self.read(closed_at, None, asks=False),
            self.read(closed_at + HOUR, None, asks=False),
        ]

        [clock] = clocks([], [self.promise], readings)

        assert (clock.ended, clock.stopped_at, clock.stopped_by) == (ended, closed_at, None)

    def test_opened_again_it_is_another_clock_even_at_the_same_date(self):
        readings = [
            self.read(at(11), at(10)),
            self.read(at(12), None, asks=False),
            self.read(at(13), at(10)),
            self.read(at(14), at(10)),
        ]

        first, second = clocks([], [self.promise], readings)

        assert (first.ended, second.ended) == ("met", None)
        assert set(first.members).isdisjoint(second.members)
